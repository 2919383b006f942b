"""nas_tf/training/progress.py."""

import math
import pathlib
import resource
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import ConfigError, DataError
from nas_tf.training import progress as progress_module
from nas_tf.training.progress import Checkpoint, Progress

NAMES = ("loss", "accuracy")
SETTINGS = {"batch_size": 2, "clip_norm": None, "seed": 1}


def test_means_over_a_pass():
    progress = Progress(NAMES)
    progress.add(np.array([6.0, 1.0], np.float32), steps=2, examples=4)
    assert (progress.epoch, progress.step, progress.examples) == (0, 2, 4)
    assert progress.means() == {"loss": 1.5, "accuracy": 0.25}
    progress.add(np.array([2.0, 3.0], np.float32), steps=1, examples=2)
    assert progress.end_epoch() == {"loss": 8 / 6, "accuracy": 4 / 6}
    assert (progress.epoch, progress.step, progress.examples) == (1, 0, 0)
    progress.add(np.array([1.0, 1.0], np.float32), steps=1, examples=2)
    assert progress.means() == {"loss": 0.5, "accuracy": 0.5}  # of the new pass alone
    assert progress.history == [{"loss": 8 / 6, "accuracy": 4 / 6}]


def test_text_holds_everything():
    progress = Progress(NAMES)
    progress.add(np.array([1 / 3, np.nan]), steps=2, examples=4)
    progress.end_epoch()
    fresh = Progress.from_json(progress.to_json(), NAMES)
    assert (fresh.epoch, fresh.step, fresh.sums, fresh.examples) == (1, 0, None, 0)
    assert fresh.history[0]["loss"] == 1 / 12 and math.isnan(fresh.history[0]["accuracy"])
    progress.add(np.array([0.1, 1e-300]), steps=3, examples=6)
    again = Progress.from_json(progress.to_json(), NAMES)
    assert (again.epoch, again.step, again.examples, again.names) == (1, 3, 6, NAMES)
    assert again.sums.tolist() == [0.1, 1e-300] and again.sums.dtype == np.float64
    assert again.means() == progress.means()


def _model(units=1):
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


def _restore(directory, settings=None, units=1):
    model, optimizer = _model(units), keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(directory, settings or SETTINGS, interval_sec=0.0)
    return checkpoint, checkpoint.restore(model, optimizer, NAMES), model, optimizer


@pytest.fixture(scope="module", name="saved")
def _saved(tmp_path_factory):
    """A checkpoint in the second pass, and the weights in it."""
    directory = tmp_path_factory.mktemp("saved") / "checkpoints"
    checkpoint, progress, model, optimizer = _restore(directory)
    assert progress == Progress(NAMES)
    progress.add(np.array([1.0, 2.0]), steps=4, examples=8)
    progress.end_epoch()
    progress.add(np.array([0.5, 0.25]), steps=1, examples=2)
    optimizer.apply([np.ones((2, 1), np.float32), np.ones(1, np.float32)])
    checkpoint.save_if_due(progress)
    return directory, model.get_weights(), [variable.numpy() for variable in optimizer.variables]


def test_restores_model_optimizer_and_progress(saved):
    directory, weights, slots = saved
    _, progress, model, optimizer = _restore(directory)
    assert (progress.epoch, progress.step, progress.examples) == (1, 1, 2)
    assert progress.history == [{"loss": 0.125, "accuracy": 0.25}]
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(optimizer.variables, slots, strict=True):
        np.testing.assert_array_equal(one.numpy(), other)
    assert int(optimizer.iterations) == 1


class Stack(keras.Model):
    """A model that holds its layers in a list."""

    def __init__(self):
        super().__init__()
        self.parts = [keras.layers.BatchNormalization(), keras.layers.Dense(1)]
        self(np.zeros((1, 2), np.float32))

    def call(self, inputs):
        for part in self.parts:
            inputs = part(inputs)
        return inputs


def test_layers_in_lists_are_saved_too(tmp_path):
    models = [Stack(), Stack()]
    for value, model in enumerate(models, start=1):
        optimizer = keras.optimizers.SGD()
        optimizer.build(model.trainable_variables)
        for variable in model.variables:
            variable.assign(np.full(variable.shape, float(value)))
        checkpoint = Checkpoint(tmp_path, SETTINGS, interval_sec=0.0)
        checkpoint.save_if_due(checkpoint.restore(model, optimizer, NAMES))
    assert len(models[1].weights) == 6
    assert all((weight == 1.0).all() for weight in models[1].get_weights())


@pytest.mark.parametrize(
    "settings, message",
    [
        (SETTINGS | {"seed": 2}, "seed was 1, is now 2"),
        (SETTINGS | {"clip_norm": 5.0}, "clip_norm was None, is now 5.0"),
        (SETTINGS | {"dropout": None}, "dropout was absent, is now None"),
        ({"batch_size": 2, "seed": 1}, "clip_norm was None, is now absent"),
        ({"batch_size": 4, "clip_norm": None, "seed": 7}, "batch_size was 2, is now 4"),
    ],
)
def test_other_settings_are_refused_by_name(saved, settings, message):
    with pytest.raises(ConfigError) as caught:
        _restore(saved[0], settings)
    assert message in str(caught.value) and str(saved[0]) in str(caught.value)
    assert "\n" not in str(caught.value)


def _file(directory, suffix):
    return next(path for path in directory.iterdir() if suffix in path.name)


def _cut(suffix, size):
    def damage(directory):
        path = _file(directory, suffix)
        path.write_bytes(path.read_bytes()[:size])

    return damage


def _flip(suffix, position):
    def damage(directory):
        path = _file(directory, suffix)
        data = bytearray(path.read_bytes())
        data[position] ^= 0xFF
        path.write_bytes(data)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        _cut(".data", -10),
        _cut(".data", 0),
        _flip(".data", 3),
        _flip(".data", -100),
        _cut(".index", -10),
        _cut(".index", 0),
        _flip(".index", 50),
        lambda directory: _file(directory, ".data").unlink(),
        lambda directory: _file(directory, ".index").unlink(),
        lambda directory: (directory / "checkpoint").write_text(""),
        lambda directory: (directory / "checkpoint").write_text("\0 {"),
    ],
)
def test_a_damaged_checkpoint_is_one_line(saved, tmp_path, damage):
    directory = pathlib.Path(shutil.copytree(saved[0], tmp_path / "checkpoints"))
    _restore(directory)  # a checkpoint may be moved
    damage(directory)
    with pytest.raises(DataError, match="damaged checkpoint") as caught:
        _restore(directory)
    assert str(caught.value).startswith(str(directory)) and "\n" not in str(caught.value)
    assert f"delete {directory} to start again" in str(caught.value)


def test_a_checkpoint_of_another_model_is_refused(saved):
    with pytest.raises(DataError, match=r"shape \(2, 1\)") as caught:
        _restore(saved[0], units=2)
    assert "\n" not in str(caught.value)


def test_a_directory_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for directory in (tmp_path / "file", tmp_path / "file" / "checkpoints"):
        with pytest.raises(ConfigError, match="cannot write .*file.*; check that") as caught:
            _restore(directory)
        assert "\n" not in str(caught.value)


def test_a_directory_lost_on_the_way_is_refused(tmp_path):
    directory = tmp_path / "checkpoints"
    checkpoint, progress, _, _ = _restore(directory)
    directory.rmdir()
    directory.write_text("")
    with pytest.raises(ConfigError, match="cannot write .*checkpoints") as caught:
        checkpoint.save_if_due(progress)
    assert "\n" not in str(caught.value)


def test_checkpoints_are_spaced_in_time_and_the_last_two_are_kept(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    model, optimizer = _model(), keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(tmp_path, SETTINGS, interval_sec=30.0)
    progress = checkpoint.restore(model, optimizer, NAMES)

    def indices():
        return sorted(path.name for path in tmp_path.glob("*.index"))

    for now[0], expected in [
        (129.0, []),
        (130.0, ["ckpt-1.index"]),
        (159.0, ["ckpt-1.index"]),
        (161.0, ["ckpt-1.index", "ckpt-2.index"]),
        (200.0, ["ckpt-2.index", "ckpt-3.index"]),
    ]:
        checkpoint.save_if_due(progress)
        assert indices() == expected
    checkpoint.save_if_due(progress, final=True)
    assert indices() == ["ckpt-3.index", "ckpt-4.index"]


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path):
    """Files may not grow beyond a limit, as on a disk with a quota."""
    checkpoint, progress, model, _ = _restore(tmp_path)
    progress.add(np.array([1.0, 2.0]), steps=1, examples=2)
    checkpoint.save_if_due(progress)
    weights = model.get_weights()
    model.set_weights([np.full((2, 1), 9.0), np.full(1, 9.0)])
    progress.add(np.array([1.0, 2.0]), steps=1, examples=2)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(ConfigError, match="cannot write .*check that") as caught:
            checkpoint.save_if_due(progress)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "\n" not in str(caught.value)
    _, found, again, _ = _restore(tmp_path)
    assert found.step == 1
    np.testing.assert_array_equal(again.get_weights()[0], weights[0])


def test_what_callbacks_and_trainers_remember_is_kept(tmp_path):
    scales = []
    for value in (8.0, 1.0):
        model, optimizer = _model(), keras.optimizers.SGD()
        optimizer.build(model.trainable_variables)
        scale = tf.Variable(value)
        checkpoint = Checkpoint(tmp_path, SETTINGS, interval_sec=0.0)
        progress = checkpoint.restore(model, optimizer, NAMES, others=[scale])
        if value == 8.0:
            checkpoint.save_if_due(progress, state=lambda: b"\0remembered")
        scales.append((float(scale), checkpoint.state))
        scale.assign(5.0)
        checkpoint.reload()
        assert float(scale) == 8.0
    assert scales == [(8.0, b"\0remembered")] * 2


def test_one_process_alone_writes(tmp_path):
    model, optimizer = _model(), keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(tmp_path, SETTINGS, interval_sec=0.0)
    progress = checkpoint.restore(model, optimizer, NAMES, writes=False)
    checkpoint.save_if_due(progress, final=True)
    assert not list(tmp_path.iterdir())
