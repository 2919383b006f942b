"""nas_tf/training/classification.py on the toy images: settings become a training."""

import dataclasses
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import ConfigError, DataError
from nas_tf.layers.drop_path import DropPath
from nas_tf.training.callbacks import DropPathSchedule, ProgressBar
from nas_tf.training.classification import Trained, make_classification_trainer, train_classifier
from nas_tf.training.precision import precision
from nas_tf.training.settings import Training
from nas_tf.training.tensorboard import TensorBoardLog
from tests.training.toy_images import ToyData, ToyPipeline, make_network

SETTINGS = Training(epochs=3, batch_size=8, learning_rate=0.05, drop_path=0.3, auxiliary_weight=0.4)


@pytest.fixture(scope="module", name="trained")
def _trained(tmp_path_factory):
    """A training of a network with two heads, and its TensorBoard log."""
    directory = tmp_path_factory.mktemp("board")
    log = TensorBoardLog(directory, steps=4, batch_size=8, settings={"epochs": 3, "path": None},
                         images=np.zeros((2, 4, 4, 1), np.float32))
    model = make_network(auxiliary=True, dropout=0.3)
    return train_classifier(model, ToyData(), SETTINGS, callbacks=[log]), directory


def test_what_a_training_gives(trained):
    result = trained[0]
    names = {"loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate"}
    assert result.epochs == len(result.history) == 3 and names <= set(result.history[0])
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert result.validation_accuracy == result.history[-1]["validation_accuracy"]
    assert result.wall_sec > result.train_sec > 0
    predictions = result.test_predictions
    assert predictions.probabilities.shape == (13, 3)
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1.0, rtol=1e-5)
    assert predictions.indices.tolist() == list(range(13))
    right = predictions.probabilities.argmax(axis=1) == ToyData().test.labels
    assert result.test_accuracy == right.mean()


def test_drop_path_grew(trained):
    (layer,) = [x for x in trained[0].model._flatten_layers() if isinstance(x, DropPath)]
    assert float(layer.rate.value) == pytest.approx(0.3 * 2 / 3)


def test_tensorboard_has_it(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(trained[1]), size_guidance={"tensors": 0}).Reload()
    tags = set(events.Tags()["tensors"])
    for name in ("loss", "accuracy", "learning_rate", "images_per_sec"):
        assert f"train/{name}" in tags
    assert {"epoch/val_accuracy", "epoch/val_loss", "examples"} <= tags
    assert "_hparams_/session_start_info" in events.summary_metadata
    assert events.Tags()["graph"]
    assert [event.step for event in events.Tensors("epoch/loss")] == [4, 8, 12]


def test_tensorboard_says_where_it_cannot_write(tmp_path):
    (tmp_path / "file").touch()
    log = TensorBoardLog(tmp_path / "file" / "board", steps=4, batch_size=8, graph=False)
    with pytest.raises(ConfigError, match="cannot write .*board: .*; check that the directory is"):
        log.on_train_begin()
    log = TensorBoardLog(tmp_path / "board", steps=4, batch_size=8, graph=False)
    log.on_train_begin()

    def flush():
        raise tf.errors.ResourceExhaustedError(None, None, "flush; FILE; No space left on device\n")

    log._writer = types.SimpleNamespace(
        flush=flush, close=log._writer.close, as_default=log._writer.as_default
    )
    with pytest.raises(ConfigError, match="cannot write .*board: No space left on device; check"):
        log.on_epoch_end(0, {})
    log.close()


def test_means_of_the_last_passes():
    history = [{"validation_accuracy": value} for value in (0.1, 0.4, 0.6)]
    result = Trained(None, history, 0.6, None, 3, 1.0, 1.0, 1.0, None)
    assert result.mean_validation_accuracy(2) == 0.5
    assert result.mean_validation_accuracy(5) == pytest.approx(1.1 / 3)
    with pytest.raises(ConfigError, match="no validation accuracies"):
        dataclasses.replace(result, validation_accuracy=None).mean_validation_accuracy(1)


def test_the_auxiliary_loss_counts_in_training_alone():
    model = make_network(norm=False, auxiliary=True)
    batch = next(iter(ToyPipeline(34).batches(8)))
    losses = {}
    for weight in (0.0, 0.4, 1.0):
        settings = Training(auxiliary_weight=weight, label_smoothing=0.1)
        trainer = make_classification_trainer(model, settings)
        losses[weight] = [trainer._loss_fn(model, batch, None, training)["loss"].numpy()
                          for training in (True, False)]
    added = losses[1.0][0] - losses[0.0][0]
    assert (added > 0.1).all()
    np.testing.assert_allclose(losses[0.4][0], losses[0.0][0] + 0.4 * added, rtol=1e-5)
    np.testing.assert_array_equal(losses[1.0][1], losses[0.0][1])


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_sixteen_bits(name):
    before = keras.config.dtype_policy()
    with precision(name):
        model = make_network()
    assert keras.config.dtype_policy() == before
    assert {str(weight.dtype) for weight in model.trainable_variables} == {"float32"}
    settings = Training(epochs=1, batch_size=16, precision=name)
    data = ToyData(validation=None)
    result = train_classifier(model, data, settings, test=False)
    assert np.isfinite(result.history[0]["loss"]) and result.test_accuracy is None
    with pytest.raises(ConfigError, match=f"precision=float32: .* made for {name}"):
        train_classifier(model, data, Training(batch_size=16))


def test_what_cannot_be_trained():
    model, data = make_network(), ToyData()
    with pytest.raises(ConfigError, match="num_classes=3: .*the data have 2"):
        train_classifier(model, dataclasses.replace(data, class_names=("a", "b")), SETTINGS)
    data.validation.labels[4] = 3
    with pytest.raises(DataError, match="^validation images: label 3 of image 4; expected 0 to 2"):
        train_classifier(model, data, SETTINGS)
    with pytest.raises(ConfigError, match="patience=2: there are no validation images"):
        train_classifier(model, ToyData(validation=None), Training(patience=2))
    with pytest.raises(ConfigError, match="precision=int8: expected one of"):
        with precision("int8"):
            pass


def test_the_bar_shows_what_there_is(monkeypatch):
    bar = ProgressBar(2, 4, 8)
    bar.on_epoch_begin(1)
    bar.on_train_batch_end(1, {"loss": 0.5, "accuracy": 0.25})
    assert (bar._bar.n, bar._bar.total) == (48, 64)
    bar.on_epoch_end(1, {"loss": 0.5, "accuracy": 0.25, "val_accuracy": 0.75})
    assert "val_accuracy=0.7500" in bar._bar.postfix and "epoch=2/2" in bar._bar.postfix
    bar.close()


def test_drop_path_schedule_begins_at_0():
    model = make_network(dropout=0.9)
    schedule = DropPathSchedule(0.2, 10)
    schedule.set_model(model)
    (layer,) = [x for x in model._flatten_layers() if isinstance(x, DropPath)]
    for epoch, expected in ((0, 0.0), (5, 0.1), (9, 0.18)):
        schedule.on_epoch_begin(epoch)
        assert float(layer.rate.value) == pytest.approx(expected)
