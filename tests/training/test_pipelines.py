"""Trainings from pipelines: batches, validation, resume, callbacks, averages, loss scaling.

The models are linear, so that a step is cheap and can be worked by hand.
"""

import csv
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import ConfigError, DivergedError
from nas_tf.training.callback_state import CallbackState
from nas_tf.training.feeds import PipelineFeed
from nas_tf.training.losses import classification_loss, cross_entropy
from nas_tf.training.progress import Checkpoint
from nas_tf.training.schedules import cosine_decay
from nas_tf.training.trainer import Trainer
from tests.training.toy_images import CLASSES, ToyPipeline

OTHERS = ["learning_rate", "images_per_sec"]


def make_trainer(loss_fn=None, optimizer=None, **settings):
    """A trainer of a linear classifier whose weights start at 0, two steps a call."""
    model = keras.Sequential([
        keras.Input((4, 4, 1)), keras.layers.Flatten(),
        keras.layers.Dense(CLASSES, kernel_initializer="zeros"),
    ])
    settings = {"batch_size": 8, "metric_names": ("accuracy",), "steps_per_call": 2} | settings
    optimizer = optimizer or keras.optimizers.SGD(0.1, momentum=0.9)
    return Trainer(model, optimizer, loss_fn or classification_loss(), **settings)


def noisy(model, batch, random, training):
    """Drops features with the step's random numbers."""
    kept = tf.cast(random.uniform(batch["image"].shape) < 0.5, tf.float32) if training else 1.0
    return classification_loss()(model, batch | {"image": batch["image"] * kept}, random, training)


def plain(history):
    return [{k: v for k, v in logs.items() if k != "images_per_sec"} for logs in history]


@pytest.fixture(scope="module", name="whole")
def _whole():
    """History and trainer of four passes of four steps."""
    trainer = make_trainer(noisy)
    history = trainer.fit(ToyPipeline(34), epochs=4, learning_rate=cosine_decay(0.1, 16),
                          validation=ToyPipeline(11, 1, training=False))
    return plain(history), trainer


def test_it_learns_and_says_how(whole):
    history, _ = whole
    assert sorted(history[0]) == ["accuracy", "learning_rate", "loss", "val_accuracy", "val_loss"]
    assert history[-1]["val_loss"] < 0.8 < history[0]["loss"]
    assert [logs["learning_rate"] for logs in history] == pytest.approx(
        [0.1 * 0.5 * (1 + math.cos(math.pi * step / 16)) for step in (3, 7, 11, 15)], rel=1e-5)


def test_first_steps_by_hand():
    """Softmax regression in NumPy, without momentum."""
    pipeline, trainer = ToyPipeline(34), make_trainer(optimizer=keras.optimizers.SGD(0.1))
    trainer.fit(pipeline, epochs=1)
    weights, bias = np.zeros((16, CLASSES)), np.zeros(CLASSES)
    for batch in pipeline.batches(8).as_numpy_iterator():
        x = batch["image"].reshape(8, 16)
        logits = x @ weights + bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = (odds / odds.sum(axis=1, keepdims=True) - np.eye(CLASSES)[batch["label"]]) / 8
        weights, bias = weights - 0.1 * x.T @ error, bias - 0.1 * error.sum(axis=0)
    np.testing.assert_allclose(trainer.model.get_weights()[0], weights, atol=1e-6)
    np.testing.assert_allclose(trainer.model.get_weights()[1], bias, atol=1e-6)


def test_rows_of_weight_0_do_not_count(whole):
    trainer, pipeline = whole[1], ToyPipeline(11, 1, training=False)
    found = trainer.predict(pipeline)
    assert found["loss"].shape == (11,)
    means = trainer.evaluate(pipeline)
    assert means["accuracy"] == pytest.approx(found["accuracy"].mean(), rel=1e-6)
    assert means["loss"] == pytest.approx(found["loss"].mean(), rel=1e-6)
    assert whole[0][-1]["val_loss"] == means["loss"]


@pytest.mark.parametrize("parts", [1, 4])
def test_steps_of_a_call_and_parts_of_a_batch_change_nothing(whole, parts):
    """Calls: bit for bit, the means included. Parts: up to rounding."""
    trainer = make_trainer(noisy, steps_per_call=3, accumulate=parts)
    history = plain(trainer.fit(ToyPipeline(34), epochs=4, learning_rate=cosine_decay(0.1, 16),
                                validation=ToyPipeline(11, 1, training=False)))
    for one, other in zip(history, whole[0], strict=True):
        assert one == other if parts == 1 else one == pytest.approx(other, rel=1e-5)
    for one, other in zip(trainer.model.get_weights(), whole[1].model.get_weights()):
        np.testing.assert_allclose(one, other, atol=0 if parts == 1 else 1e-6)


class Stop(Exception):
    """Stands for the end of a process."""


class Stopper(keras.callbacks.Callback):
    """Ends a training after a batch of an epoch, or in validation."""

    saved_attributes = ()

    def __init__(self, epoch, batch):
        super().__init__()
        self._place = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self._epoch, batch) == self._place:
            raise Stop

    def on_test_begin(self, logs=None):
        if (self._epoch, None) == self._place:
            raise Stop


def keras_callbacks(folder):
    """Callbacks that remember; patience and factor make each of them do something."""
    return [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.5),
        keras.callbacks.EarlyStopping("val_accuracy", patience=3, min_delta=0.2,
                                      restore_best_weights=True),
        keras.callbacks.CSVLogger(str(folder / "log.csv")),
    ]


def fit_with_callbacks(folder, directory=None, stopper=()):
    trainer = make_trainer(optimizer=keras.optimizers.SGD(0.3))
    history = trainer.fit(
        ToyPipeline(34), epochs=12, callbacks=[*keras_callbacks(folder), *stopper],
        checkpoint=directory and Checkpoint(directory, {}, interval_sec=0.0),
        validation=ToyPipeline(11, 1, training=False),
    )
    return plain(history), trainer.model.get_weights(), rows(folder / "log.csv")


def rows(path):
    """The rows of a CSV log without the throughput, which is measured."""
    with open(path, newline="") as file:
        return [{k: v for k, v in row.items() if k != "images_per_sec"}
                for row in csv.DictReader(file)]


def test_keras_callbacks_survive_a_kill(tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = fit_with_callbacks(tmp_path / "whole")
    assert 4 <= len(whole[0]) < 12  # stopped early
    assert whole[0][-1]["learning_rate"] < 0.3 * 0.9 ** len(whole[0]) * 0.6  # and reduced
    assert len(whole[2]) == len(whole[0])
    for place in ((0, 1), (1, 3), (2, None), (3, 1)):
        with pytest.raises(Stop):
            fit_with_callbacks(tmp_path / "killed", tmp_path / "points", [Stopper(*place)])
    again = fit_with_callbacks(tmp_path / "killed", tmp_path / "points")
    for result in (again, fit_with_callbacks(tmp_path / "killed", tmp_path / "points")):
        assert result[0] == whole[0]  # the second had nothing left to do
        for one, other in zip(result[1], whole[1], strict=True):
            np.testing.assert_array_equal(one, other)
    assert again[2] == whole[2]


def test_callback_state_knows_settings_from_state():
    class Memory(keras.callbacks.Callback):
        def __init__(self, patience):
            super().__init__()
            self.patience, self.place, self.seen = patience, (1, 2), []
            self.best = None

    old = Memory(3)
    state = CallbackState([old])
    old.place, old.seen, old.best = (3, 4), [1.5, "x"], [np.arange(3), np.float32(2)]
    new = Memory(5)
    CallbackState([new]).restore(state.to_bytes())
    assert (new.patience, new.place, new.seen) == (5, (3, 4), [1.5, "x"])
    np.testing.assert_array_equal(new.best[0], [0, 1, 2])
    assert new.best[1] == 2


def test_a_loss_that_is_no_number_stops_with_its_step(tmp_path):
    def loss(model, batch, random, training):
        values = classification_loss()(model, batch, random, training)
        bad = tf.reduce_sum(model.trainable_variables[1] ** 2) > 0  # after the first step
        rest = tf.where(bad & training, math.nan, 0.0)
        return values | {"loss": values["loss"] + rest}

    def fit(loss, directory, epochs):
        checkpoint = Checkpoint(directory, {}, interval_sec=99.0)
        make_trainer(loss).fit(ToyPipeline(34), epochs=epochs, checkpoint=checkpoint)

    with pytest.raises(DivergedError, match="at step 2 of pass 1; lower .* or clip the gradient$"):
        fit(loss, tmp_path / "new", epochs=1)  # nothing was saved
    fit(classification_loss(), tmp_path / "old", epochs=1)
    with pytest.raises(DivergedError, match="at step 1 of pass 2; .* is sound: .*/old/ckpt-1$"):
        fit(loss, tmp_path / "old", epochs=2)


def test_steps_that_overflow_are_left_out_and_the_scale_is_halved():
    def loss(model, batch, random, training):
        values = classification_loss()(model, batch, random, training)
        large = tf.where(batch["index"] >= 0, 1e36, 0.0)
        return values | {"loss": values["loss"] * large}

    trainer = make_trainer(loss, loss_scaling=True)
    trainer.fit(ToyPipeline(34), epochs=1)
    assert not np.any(trainer.model.get_weights()[0])
    assert int(trainer.optimizer.iterations) == 0
    assert [float(v) for v in trainer.step.saved_variables()] == [2.0**11, 0]


def test_loss_scaling_is_exact():
    """Powers of two: the same weights as without."""
    weights = []
    for scaling in (False, True):
        trainer = make_trainer(loss_scaling=scaling, clip_norm=0.5)
        trainer.fit(ToyPipeline(34), epochs=1)
        weights.append(trainer.model.get_weights()[0])
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-5, atol=1e-7)


def test_averages_of_weights_are_validated_and_kept():
    """Momentum 0.5 of the weights after each of four steps; the first one starts it."""
    taken = []

    class Watcher(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            taken.append(self.model.get_weights()[0])

    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    trainer = make_trainer(optimizer=optimizer, steps_per_call=1)
    validation = ToyPipeline(11, 1, training=False)
    history = trainer.fit(ToyPipeline(34), epochs=1, callbacks=[Watcher()], validation=validation)
    expected = taken[0]
    for weights in taken[1:]:
        expected = 0.5 * expected + 0.5 * weights
    np.testing.assert_allclose(trainer.model.get_weights()[0], expected, atol=1e-6)
    assert history[0]["val_loss"] == trainer.evaluate(validation)["loss"]


def test_batches_that_cannot_be():
    with pytest.raises(ConfigError, match="^batch_size=8: there are only 5 examples"):
        make_trainer().fit(ToyPipeline(5), epochs=1)
    with pytest.raises(ConfigError, match="^accumulate=3: batch_size=8 cannot be divided"):
        make_trainer(accumulate=3)


def test_feeds_go_on_in_the_middle():
    pipeline = ToyPipeline(34)
    feed = PipelineFeed(pipeline, 8, tf.distribute.get_strategy())
    feed.open(2, 3)
    (batch,) = feed.take(feed.arguments(), 0)
    expected = list(pipeline.batches(8, epoch=2).as_numpy_iterator())[3]
    np.testing.assert_array_equal(batch["index"], expected["index"])
    assert pipeline.opened == [(2, 3), (2, 0)]


def test_cross_entropy_with_smoothed_labels():
    """Logits 0 and ln 3: probabilities 1/4 and 3/4; label 0 with 0.2 of both: 0.9 and 0.1."""
    logits = tf.constant([[0.0, math.log(3)]], tf.float16)
    found = cross_entropy(logits, tf.constant([0]), 0.2).numpy()
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(0.9 * math.log(4) + 0.1 * math.log(4 / 3), rel=1e-3)


def test_calls_adapt():
    trainer = make_trainer(steps_per_call=None)
    calls = []
    counted = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: calls.append(batch))
    trainer.fit(ToyPipeline(340), epochs=1, callbacks=[counted])
    assert calls[:2] == [0, 1] and calls[-1] == 41 and len(calls) < 42
