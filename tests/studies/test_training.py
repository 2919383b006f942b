"""nas_tf/studies/training.py: `nas_tf.train`, what it leaves, and how it goes on."""

import json

import keras
import numpy as np
import pytest

import nas_tf
from nas_tf.core import ConfigError, DataError
from nas_tf.datasets.settings import Data
from nas_tf.networks.settings import Network
from nas_tf.studies import training
from nas_tf.studies.trained_network import TrainedNetwork
from nas_tf.training.progress import Checkpoint
from nas_tf.training.settings import Training

CELL = "|skip_connect~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|skip_connect~2|"
SETTINGS = Training(epochs=2, batch_size=16, learning_rate=0.05, cutout=2)
SMALL = {"settings": SETTINGS, "network": Network(channels=4, cells=1), "checkpoint_sec": 0.0}
DATA = Data("digits", limit=48)


class Count(keras.callbacks.Callback):
    """Counts epochs."""

    epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training of a moment, and its directory."""
    directory = tmp_path_factory.mktemp("trained")
    return nas_tf.train(CELL, DATA, output_dir=directory, export="saved_model", **SMALL)


def weights(trained):
    return [np.asarray(weight) for weight in trained.model.weights]


def test_it_leaves_what_a_job_leaves(trained):
    names = {path.name for path in trained.directory.iterdir()}
    assert {
        "model.keras", "summary.json", "history.csv", "layers.csv", "report.md", "report.html",
        "curves.png", "confusion.png", "worst_images.png", "checkpoints", "tensorboard",
        "saved_model",
    } <= names
    summary = json.loads((trained.directory / "summary.json").read_text())
    assert {
        "job", "architecture", "space", "parameters", "multiply_adds", "dataset", "split", "epochs",
        "validation_accuracy", "test_accuracy", "images_per_sec", "wall_sec", "seed", "versions",
    } <= set(summary)
    assert (summary["job"], summary["space"], summary["architecture"]) == ("train", "nasbench201", CELL)
    assert summary["parameters"] == nas_tf.parameters(
        CELL, input_shape=(8, 8, 1), channels=4, cells=1
    )
    assert {name: part["images"] for name, part in summary["split"].items()} == {
        "train": 48, "validation": 48, "test": 48,
    }
    assert [path.suffix for path in (trained.directory / "tensorboard").iterdir()]


def test_it_is_opened_again(trained):
    again = nas_tf.load(trained.directory)
    assert isinstance(again, TrainedNetwork) and repr(again) == repr(trained)
    assert again.class_names == tuple("0123456789") and len(again.history) == 2
    for one, other in zip(again.history, trained.history, strict=True):
        assert one == pytest.approx({n: v for n, v in other.items() if v == v and v is not None})
    images = np.random.default_rng(0).integers(256, size=(3, 8, 8, 1))
    found = again.predict(images)
    np.testing.assert_allclose(found.probabilities, trained.predict(images).probabilities, atol=1e-6)
    assert list(again.to_pandas()["epoch"]) == [1, 2]
    assert "data:image/png" in again._repr_html_()


def test_the_same_call_returns_what_is_finished_and_another_is_refused(trained):
    again = nas_tf.train(CELL, DATA, output_dir=trained.directory, **SMALL)
    assert again.summary()["wall_sec"] == trained.summary()["wall_sec"]
    again = nas_tf.train(CELL, DATA, output_dir=trained.directory, export="litert", **SMALL)
    assert (again.directory / "model.tflite").exists()
    with pytest.raises(ConfigError, match="holds a finished job with another settings; choose ano"):
        nas_tf.train(CELL, DATA, output_dir=trained.directory, **SMALL, epochs=3)
    with pytest.raises(ConfigError, match="holds a finished job with another architecture"):
        nas_tf.train(CELL.replace("1x1", "3x3"), DATA, output_dir=trained.directory, **SMALL)


def test_killed_in_an_epoch_it_ends_with_the_same_weights(trained, tmp_path, monkeypatch):
    saves, save = [], Checkpoint.save_if_due

    def save_and_die(self, progress, **options):
        save(self, progress, **options)
        saves.append((progress.epoch, progress.step))
        if len(saves) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "save_if_due", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            nas_tf.train(CELL, DATA, output_dir=tmp_path, **SMALL)
    assert not (tmp_path / "summary.json").exists()
    again = nas_tf.train(CELL, DATA, output_dir=tmp_path, **SMALL)
    for one, other in zip(weights(again), weights(trained), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.summary()["test_accuracy"] == trained.summary()["test_accuracy"]
    assert [values["loss"] for values in again.history] == [
        values["loss"] for values in trained.history
    ]


def test_arrays_and_callbacks():
    rng = np.random.default_rng(1)
    labels = np.arange(60) % 3
    images = (labels[:, None, None, None] * 80 + rng.integers(40, size=(60, 6, 6, 3))).astype(np.uint8)
    count = Count()
    found = nas_tf.train(
        CELL, (images, labels), network=Network(channels=4, cells=1), epochs=1, batch_size=8,
        callbacks=[count],
    )
    assert count.epochs == 1 and found.directory is None
    summary = found.summary()
    assert summary["dataset"] == "own images" and summary["input_shape"] == [6, 6, 3]
    assert found.class_names == ("0", "1", "2")


def test_a_smoke_run_leaves_alone_what_is_given_by_name():
    plan = training.plan_training(
        CELL, Training(epochs=9, batch_size=64), Network(), Data("cifar10"), scale="smoke",
        is_fixed=lambda component, name: name in ("epochs", "data"),
    )
    assert (plan.training.epochs, plan.training.batch_size) == (9, 16)
    assert plan.data.data == "cifar10" and plan.network.channels == 8


@pytest.mark.parametrize("given, error, message", [
    ({"epoch": 3}, ConfigError, "epoch: expected settings of a training: epochs, batch_size"),
    ({"epochs": 0}, ConfigError, "epochs=0: expected at least 1"),
    ({"scale": "tiny"}, ConfigError, "scale=tiny: expected one of full, smoke"),
    ({"export": "saved_model"}, ConfigError, "export: expected an output_dir"),
    ({"data": "mnist"}, ConfigError, "data=mnist: expected one of digits, cifar10"),
    ({"data": 3}, ConfigError, r"data=int: expected a data set's name, a Data, or \(images, labels\)"),
    ({"data": (np.zeros((4, 8, 8, 1)),)}, ConfigError, r"data: a tuple of 1: expected \(images, la"),
    ({"data": (np.zeros((4, 8, 8, 1)), [0, 1, 0, 9])}, DataError, "labels: no image of class 2"),
    ({"batch_size": 4000}, ConfigError, "batch_size=4000: expected at most the "),
    ({"network": Network(auxiliary=True)}, ConfigError, "auxiliary=True: networks of nasbench201 ha"),
])
def test_what_cannot_be_is_one_line(given, error, message):
    with pytest.raises(error, match=message) as caught:
        nas_tf.train(CELL, **{"data": DATA} | given)
    assert "\n" not in str(caught.value)
