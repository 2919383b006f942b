"""nas_tf/arch2vec/pretrain.py."""

import math

import keras
import numpy as np
import pytest

from nas_tf.arch2vec import pretrain as pretraining
from nas_tf.arch2vec.vgae import METRIC_NAMES, VGAE, make_loss
from nas_tf.core import ConfigError, NasError
from nas_tf.training.progress import Checkpoint
from nas_tf.training.trainer import Trainer


class Memory:
    """A logger that remembers."""

    def __init__(self):
        self.calls = []

    def scalars(self, step, values):
        self.calls.append((step, values))


class Killed(Exception):
    """Stands for the end of a process."""


def _trainer(hidden=(16,), seed=5, **settings):
    model = VGAE(hidden=hidden, seed=seed)
    return Trainer(model, keras.optimizers.Adam(), make_loss(kl_weight=1e-5), seed=seed,
                   metric_names=METRIC_NAMES, **{"batch_size": 8, "steps_per_call": 5} | settings)


def test_split():
    train, test = pretraining.split_cells(91, 0.1, seed=0)
    assert len(train) == 82 and len(test) == 9
    assert sorted([*train, *test]) == list(range(91))
    again, _ = pretraining.split_cells(91, 0.1, seed=0)
    other, _ = pretraining.split_cells(91, 0.1, seed=1)
    assert (train == again).all() and (train != other).any()


def test_split_refuses():
    with pytest.raises(ConfigError, match="held_out=1.5"):
        pretraining.split_cells(91, 1.5, seed=0)
    with pytest.raises(ConfigError, match="held_out=.*: 1 cells are too few"):
        pretraining.split_cells(1, 0.1, seed=0)


def test_cubic_decay():
    rates = pretraining.cubic_decay(0.016, 10)(np.array([0, 5, 9]))
    np.testing.assert_allclose(rates, [0.016, 0.002, 0.000016])


def test_learns_the_small_space(space, cells):
    logger = Memory()
    trainer = _trainer(hidden=(32, 32))
    result = pretraining.pretrain(trainer, space, cells, epochs=80, learning_rate=1e-2,
                                  logger=logger)
    assert result.reconstruction_accuracy >= 8 / 9
    assert 0 < result.validity <= 1 and 0 < result.uniqueness <= 1
    assert (result.num_cells, result.epochs, result.seed) == (91, 80, 5)
    assert result.losses[-1]["loss"] < 0.2 * result.losses[0]["loss"]
    assert result.graphs_per_sec > 0
    assert logger.calls[0][0] == 5 and logger.calls[-1][0] == 800
    assert {"pretrain/loss", "pretrain/kl", "pretrain/graphs_per_sec"} <= set(logger.calls[0][1])
    assert logger.calls[-1][1]["pretrain/validity"] == result.validity


def test_a_killed_training_goes_on_exactly(tmp_path, monkeypatch, space, cells):
    whole = _trainer()
    expected = pretraining.pretrain(whole, space, cells, epochs=4)

    class Dying(pretraining.ProgressBar):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            if self._epoch == 2 and batch == 9:
                raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(pretraining, "ProgressBar", Dying)
        with pytest.raises(Killed):
            pretraining.pretrain(_trainer(), space, cells, epochs=4,
                                 checkpoint=Checkpoint(tmp_path, {}, interval_sec=0.0))
    resumed = _trainer()
    result = pretraining.pretrain(resumed, space, cells, epochs=4,
                                  checkpoint=Checkpoint(tmp_path, {}, interval_sec=0.0))
    for one, other in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert result.losses == expected.losses
    assert result.validity == expected.validity


def test_a_finished_training_is_only_measured_again(tmp_path, space, cells):
    first = pretraining.pretrain(_trainer(), space, cells, epochs=1,
                                 checkpoint=Checkpoint(tmp_path, {}))
    again = pretraining.pretrain(_trainer(), space, cells, epochs=1,
                                 checkpoint=Checkpoint(tmp_path, {}))
    assert again.losses == first.losses
    assert again.reconstruction_accuracy == first.reconstruction_accuracy
    assert math.isnan(again.graphs_per_sec)


def test_throughput(monkeypatch):
    times = iter([0.0, 1.0, 2.0, 5.0, 6.0, 7.0])
    monkeypatch.setattr(pretraining.time, "monotonic", lambda: next(times))
    clock = pretraining.Throughput(batch_size=2)
    assert math.isnan(clock.rate())
    clock.on_epoch_begin(0)
    clock.on_train_batch_end(9)     # at 0 s; compiled: not counted
    clock.on_train_batch_end(19)    # at 1 s
    assert clock.rate() == 20.0
    clock.on_epoch_begin(1)         # at 2 s
    clock.on_train_batch_end(9)     # at 5 s
    clock.on_train_batch_end(19)    # at 6 s
    assert clock.rate() == 10.0     # the second pass alone


def test_a_training_that_diverges_says_so(space, cells):
    trainer = _trainer(clip_norm=None)
    with pytest.raises(NasError, match="the loss is (nan|inf) at step .* lower learning_rate or set clip"):
        pretraining.pretrain(trainer, space, cells, epochs=2, learning_rate=1e30)
