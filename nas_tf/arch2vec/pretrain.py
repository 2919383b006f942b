"""Pre-training of the autoencoder on cells alone: no accuracy is looked at.

arch2vec (Yan et al., 2020, arXiv:2006.06936), section 4.1: Adam 1e-3, batches of 32, 8 passes over
90 % of the cells of NAS-Bench-101; the other 10 % measure the reconstruction.

    model = VGAE(seed=seed)
    trainer = Trainer(model, keras.optimizers.Adam(), make_loss(), batch_size=32,
                      metric_names=METRIC_NAMES, jit_compile=True, seed=seed)
    result = pretrain(trainer, space, space.enumerate_cells(), epochs=8)

Shapes: M cells, N nodes, D operations, L latent dimensions.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable

import keras
import numpy as np

from nas_tf.arch2vec.embedding import encoder_inputs, node_means
from nas_tf.arch2vec.quality import LatentStatistics, prior_quality, reconstruction
from nas_tf.caching import progress_bar
from nas_tf.core import ConfigError, NasError, Stream, generator
from nas_tf.graphs import CellGraphs
from nas_tf.training.progress import Checkpoint
from nas_tf.training.trainer import Trainer
from nas_tf.spaces.space import SearchSpace

PRIOR_SAMPLES = 10_000


@dataclasses.dataclass(frozen=True)
class PretrainResult:
    """What a pre-training ends with; shares are fractions.

    Attributes:
        reconstruction_accuracy: share of the held-out cells decoded without any error.
        validity: of prior samples, see `quality.PriorQuality`.
        uniqueness: of the valid ones, as decoded; NaN where none is valid.
        unique_cells: of those that are cells, after pruning; NaN where none is.
        num_cells: M, held-out ones included.
        graphs_per_sec: training throughput without compilation; NaN when nothing was left to train.
        epochs: passes made.
        seed: of the weights' noise, the order and the split.
        losses: means of the loss and its parts in every pass.
        cell_validity: share of prior samples that are cells of the space; NaN where not measured.
        entry_accuracy: share of entries of held-out cells decoded right; NaN where not measured.
    """

    reconstruction_accuracy: float
    validity: float
    uniqueness: float
    unique_cells: float
    num_cells: int
    graphs_per_sec: float
    epochs: int
    seed: int
    losses: list[dict[str, float]]
    cell_validity: float = math.nan
    entry_accuracy: float = math.nan


def split_cells(count: int, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divides cells at random.

    Args:
        count: M.
        held_out: share of the second part, which gets at least one cell.
        seed: decides the split.

    Returns:
        ascending positions of the training cells and of the held-out ones, int64.

    Raises:
        ConfigError: the share is not in (0, 1), or a part would be empty.
    """
    if not 0 < held_out < 1:
        raise ConfigError(f"held_out={held_out}: expected a share between 0 and 1")
    kept_back = max(1, round(held_out * count))
    if kept_back >= count:
        raise ConfigError(f"held_out={held_out}: {count} cells are too few to hold out a share")
    order = generator(seed, Stream.HELD_OUT).permutation(count)
    return np.sort(order[kept_back:]), np.sort(order[:kept_back])


def cubic_decay(learning_rate: float, steps: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a schedule that falls from `learning_rate` to 0 as (1 - t)^3 in `steps`.

    The paper keeps 1e-3. At a constant rate (or a slowly falling one) reconstruction is perfect
    half-way, and what is left of the training moves the latent variables of all cells together:
    prior samples become alike. This one stops the move and goes on polishing.
    """
    return lambda numbers: learning_rate * (1.0 - numbers / steps) ** 3


def pretrain(trainer: Trainer, space: SearchSpace, cells: CellGraphs, *, epochs: int = 8,
             learning_rate: float = 1e-3, held_out: float = 0.1,
             checkpoint: Checkpoint | None = None, logger=None) -> PretrainResult:
    """Trains the trainer's autoencoder, with a progress bar, and measures it.

    The learning rate falls as in `cubic_decay`; the same call with a checkpoint of an interrupted
    training goes on and ends with the same weights.

    Args:
        trainer: with a `VGAE`, a loss of `make_loss` and METRIC_NAMES.
        space: encodes and decodes the cells.
        cells: batch [M].
        epochs: passes over the training cells.
        learning_rate: of the first step.
        held_out: share of the cells that is not trained on.
        checkpoint: where the training is saved and taken up again.
        logger: object with `scalars(step, dict)`, or None; steps are training steps.

    Raises:
        ConfigError: too few cells, or a checkpoint of other settings.
        DataError: a damaged checkpoint.
        NasError: the training diverged; its last checkpoint is sound.
    """
    adjacency, ops = encoder_inputs(space, cells)
    train, test = split_cells(len(cells), held_out, trainer.seed)
    steps = len(train) // trainer.batch_size
    clock = Throughput(trainer.batch_size)
    with contextlib.closing(ProgressBar(epochs, steps, trainer.batch_size)) as bar:
        watchers = [clock, bar, DivergenceGuard()]
        if logger is not None:
            watchers.append(ScalarLog(logger, steps, clock))
        losses = trainer.fit(
            {"adjacency": adjacency[train], "ops": ops[train]}, epochs=epochs,
            learning_rate=cubic_decay(learning_rate, epochs * steps), callbacks=watchers,
            checkpoint=checkpoint)
    measured = _measure(trainer, space, adjacency, ops, train, test)
    if logger is not None:
        logger.scalars(epochs * steps, {f"pretrain/{k}": v for k, v in measured.items()})
    return PretrainResult(**measured, num_cells=len(cells), graphs_per_sec=clock.rate(),
                          epochs=len(losses), seed=trainer.seed, losses=losses)


def _measure(trainer: Trainer, space: SearchSpace, adjacency: np.ndarray, ops: np.ndarray,
             train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    model = trainer.model
    held_out = node_means(model, adjacency[test], ops[test])
    statistics = LatentStatistics.of(node_means(model, adjacency[train], ops[train]))
    prior = prior_quality(model, space, statistics, count=PRIOR_SAMPLES, seed=trainer.seed)
    given_back = reconstruction(model, held_out, adjacency[test], ops[test])
    return {
        "reconstruction_accuracy": given_back.cells,
        "entry_accuracy": given_back.entries,
        "validity": prior.validity,
        "uniqueness": prior.uniqueness,
        "cell_validity": prior.cell_validity,
        "unique_cells": prior.unique_cells,
    }


class Throughput(keras.callbacks.Callback):
    """Measures examples a second, without the first call of the process, which compiles.

    Args:
        batch_size: examples a step.
    """

    saved_attributes = ()

    def __init__(self, batch_size: int):
        super().__init__()
        self._batch_size = batch_size
        self._epochs = []  # (examples, seconds) of every pass or part of a pass
        self._since = None

    def on_epoch_begin(self, epoch, logs=None):
        """A pass begins; what lies between passes is not training."""
        if self._epochs:
            self._since = time.monotonic()
        self._epochs.append([0, 0.0])
        self._step = None if len(self._epochs) == 1 else -1

    def on_train_batch_end(self, batch, logs=None):
        """A compiled call has ended."""
        now = time.monotonic()
        if self._step is not None and self._since is not None:
            self._epochs[-1][0] += (batch - self._step) * self._batch_size
            self._epochs[-1][1] += now - self._since
        self._step, self._since = batch, now

    def rate(self) -> float:
        """Examples a second over the whole passes after the first, else within the first."""
        timed = self._epochs[1:] or self._epochs
        examples, seconds = np.sum(timed, axis=0) if timed else (0, 0.0)
        return float(examples / seconds) if seconds else float("nan")


class ProgressBar(keras.callbacks.Callback):
    """One bar over the whole training, with the pass, the loss and the throughput.

    Args:
        epochs: passes.
        steps: steps a pass.
        batch_size: examples a step.
    """

    saved_attributes = ()

    def __init__(self, epochs: int, steps: int, batch_size: int):
        super().__init__()
        self._epochs, self._steps, self._batch_size = epochs, steps, batch_size
        self._epoch = 0
        self._bar = None

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the pass."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar; the first call, which may come in the middle of a training, makes it."""
        done = (self._epoch * self._steps + batch + 1) * self._batch_size
        if self._bar is None:
            self._bar = progress_bar(desc="pre-training", initial=done, unit="graph",
                                     unit_scale=True, dynamic_ncols=True,
                                     total=self._epochs * self._steps * self._batch_size)
        epoch, loss = f"{self._epoch + 1}/{self._epochs}", f"{logs['loss']:.4f}"
        self._bar.set_postfix(epoch=epoch, loss=loss, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self):
        """Leaves the bar as it is and ends its line."""
        if self._bar is not None:
            self._bar.close()


class DivergenceGuard(keras.callbacks.Callback):
    """Ends a training whose loss is no number any more, before it is saved."""

    def on_train_batch_end(self, batch, logs=None):
        """Looks at the mean loss of the pass.

        Raises:
            NasError: it is infinite or NaN.
        """
        if not math.isfinite(logs["loss"]):
            raise NasError(f"pre-training diverged: the loss is {logs['loss']} at step "
                           f"{batch + 1} of a pass; lower learning_rate or set clip_norm")


class ScalarLog(keras.callbacks.Callback):
    """Writes the running means of a pass and the throughput to a logger.

    Args:
        logger: object with `scalars(step, dict)`.
        steps: steps a pass.
        clock: of the same training.
    """

    saved_attributes = ()

    def __init__(self, logger, steps: int, clock: Throughput):
        super().__init__()
        self._logger, self._steps, self._clock = logger, steps, clock
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the pass."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Logs after every compiled call."""
        values = {f"pretrain/{name}": value for name, value in logs.items()}
        values["pretrain/graphs_per_sec"] = self._clock.rate()
        self._logger.scalars(self._epoch * self._steps + batch + 1, values)
