"""arch2vec-BO: Bayesian optimisation with DNGO in a pre-trained embedding, R runs at once.

arch2vec (Yan et al., 2020, arXiv:2006.06936), section 4.2: 16 random cells, then in every round a
DNGO (see `dngo`) is fitted to what the run has queried, and the cells of largest expected
improvement that it has not queried yet come next, 5 on NAS-Bench-101 and 1 on NAS-Bench-201.

A round depends on a run's seed and queries alone: a state is the queries, and each round draws
fresh initial weights. One compiled program makes the next cells of all runs. Networks and
regressions are computed in full blocks of `RUN_BLOCK` runs, candidates run by run in chunks, both
whatever the number of runs, so that run r of a study gives bit for bit the trace of its seed alone.

Memory: [RUN_BLOCK, N, 128], [cells in a chunk, 128] and [M] floats a device, never [R, M].

Shapes: R runs, P runs padded to whole blocks, M cells, D embedding dimensions, N queries so far, B
cells a round.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nas_tf import core
from nas_tf.arch2vec import dngo
from nas_tf.arch2vec.policy_blocks import RUN_BLOCK, pad_rows
from nas_tf.arch2vec.pools import RunEmbeddings, SharedEmbedding, as_pool
from nas_tf.graphs import CellGraphs
from nas_tf.pools.asking import AskingSearch, Draft
from nas_tf.pools.pool import pool_used_up


@dataclasses.dataclass(frozen=True)
class Data:
    """What all runs have queried, padded to whole blocks, as their surrogates see it.

    Attributes:
        inputs: float32 [P, N, D + 1], embeddings and a 1.
        targets: float32 [P, N], accuracies of mean 0 and variance 1 in each run, 0 where not known.
        known: float32 [P, N], 1 where an accuracy is known.
        goal: float32 [P], the accuracy to improve on, likewise scaled.
        visited: int32 [P, N], cells that may not be chosen, -1 for none.
        active: bool [P]; nothing is computed for the candidates of other runs.
    """

    inputs: np.ndarray
    targets: np.ndarray
    known: np.ndarray
    goal: np.ndarray
    visited: np.ndarray
    active: np.ndarray


class BayesianSearch(AskingSearch):
    """Strategy of arch2vec-BO over a pool of embedded cells (a `core.Strategy`).

    Needs an enumerated pool. With answers still out a round goes on, and the next one learns from
    what is known when it begins; cells that are out are not chosen again. Nothing waits for them.
    An infeasible cell is no point of the model.

    The recipe (`strategies.embedded`) checks the ranges of settings.
    """

    def __init__(
        self,
        embedding: np.ndarray | RunEmbeddings,
        cells: CellGraphs,
        *,
        seeds: Sequence[int],
        num_initial: int = 16,
        batch_size: int = 5,
        target: float | None = 0.95,
        epochs: int = 100,
        learning_rate: float = 1e-2,
        devices: Sequence[str] = (),
    ):
        """Makes R runs that have queried nothing.

        Args:
            embedding: float32 [M, D], finite; best with mean 0 and variance 1, see
                `embedding.standardized`. Or an embedding for every run.
            cells: the pool [M] it embeds; see `pools.as_pool`.
            seeds: R non-negative seeds. Nothing else of a run is random.
            num_initial: random cells before the first model.
            batch_size: B, cells a round; 5 on NAS-Bench-101, 1 on NAS-Bench-201.
            target: accuracy in [0, 1] to improve on; 0.95 suits NAS-Bench-101, 1 NAS-Bench-201.
                None is the run's best so far.
            epochs: of every training of a network.
            learning_rate: of Adam.
            devices: where blocks of runs are placed, such as the `extended.worker_devices` of a
                `tf.distribute.Strategy`; empty leaves it to TensorFlow.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the embedding does not fit the cells or is not finite.
        """
        self._cells, self._pool = as_pool(embedding, cells)
        super().__init__(seeds)
        self._batch = min(batch_size, len(self._cells))
        self._target = target
        self._initial = self._draw_initial(min(num_initial, len(self._cells)))
        self._program = _Program(
            self._pool,
            len(self._seeds),
            batch=self._batch,
            epochs=epochs,
            learning_rate=learning_rate,
            devices=devices,
        )

    def _cells_of(self, index: np.ndarray) -> CellGraphs:
        return self._cells[index]

    def _keys_of(self, index: np.ndarray) -> np.ndarray:
        return self._cells.keys[index]

    def _draw_initial(self, count: int) -> np.ndarray:
        """Draws every run's first cells, int32 [R, count], none of them twice."""
        first = [
            rng.choice(len(self._cells), count, replace=False)
            for rng in (core.generator(seed, core.Stream.SURROGATE_START) for seed in self._seeds)
        ]
        return np.array(first, np.int32)

    def _draft(self) -> list[Draft]:
        """Returns a round, for which whatever is out is not to be chosen.

        Raises:
            core.ConfigError: the pool is used up.
            core.NasError: a surrogate's predictions are not finite.
        """
        made = self._next_number
        left = len(self._cells) - made
        if left <= 0:
            if not self._num_out:
                raise pool_used_up(len(self._cells))
            return []
        cells = self._propose(made, left) if made else self._initial
        size = cells.shape[1]
        return [Draft(column, ends_round=n == size) for n, column in enumerate(cells.T, 1)]

    def _propose(self, made: int, left: int) -> np.ndarray:
        """Returns int32 [R, <= B], the next cells of every run after `made` queries."""
        index, score = self._program.propose(self._draw_weights(made), self._data())
        count = min(self._batch, left)
        index, score = index[: len(self._seeds), :count], score[: len(self._seeds), :count]
        lost = self._active & ~np.isfinite(score).all(axis=1)
        if lost.any():
            run = int(np.flatnonzero(lost)[0])
            raise core.NasError(
                f"run {run} (seed {self._seeds[run]}): the surrogate's predictions are not finite; "
                "lower learning_rate"
            )
        return index

    def _draw_weights(self, made: int) -> np.ndarray:
        """Draws the networks' initial weights after a number of queries, [P, D + 2, H]."""
        depth = self._pool.depth
        weights = np.zeros((self._program.num_rows, depth + 2, dngo.HIDDEN), np.float32)
        for run in np.flatnonzero(self._active):
            rng = core.generator(self._seeds[run], core.Stream.SURROGATE_WEIGHTS, made)
            weights[run] = dngo.initial_weights(rng, depth)
        return weights

    def _data(self) -> Data:
        """Returns the runs' queries as the surrogates see them."""
        queried = np.stack([*self._asked, *(draft.cells for draft in self._drafts)], axis=1)
        accuracy = np.full(queried.shape, np.nan)
        if self._accuracy:
            accuracy[:, : len(self._accuracy)] = np.stack(self._accuracy, axis=1)
        known = np.isfinite(accuracy)
        centre, scale = dngo.centre_and_scale(accuracy, known)
        best = np.where(known, accuracy, -np.inf).max(axis=1)
        goal = np.where(known.any(axis=1), best, 0.0) if self._target is None else self._target
        arrays = {
            "inputs": dngo.with_one(self._pool.of(queried)),
            "targets": np.where(known, (accuracy - centre) / scale, 0.0),
            "known": known,
            "goal": (goal - centre[:, 0]) / scale[:, 0],
        }
        rows = self._program.num_rows
        return Data(
            **{name: pad_rows(array.astype(np.float32), rows) for name, array in arrays.items()},
            visited=pad_rows(queried, rows, -1),
            active=pad_rows(self._active, rows),
        )


class _Program:
    """The compiled program that fits all runs' surrogates and ranks the cells.

    Attributes:
        num_rows: P.
    """

    def __init__(
        self,
        pool: SharedEmbedding | RunEmbeddings,
        num_runs: int,
        *,
        batch: int,
        epochs: int,
        learning_rate: float,
        devices: Sequence[str],
    ):
        """Divides blocks of runs over devices and puts the pool on each."""
        self._num_cells, self._depth = pool.num_cells, pool.depth
        self._batch, self._epochs, self._learning_rate = batch, epochs, learning_rate
        num_blocks = core.ceil_div(num_runs, RUN_BLOCK)
        self.num_rows = num_blocks * RUN_BLOCK
        devices = list(devices) or [None]
        ends = [num_blocks * (number + 1) // len(devices) for number in range(len(devices))]
        self._parts = [
            (device, start, end, pool.chunks(slice(start * RUN_BLOCK, end * RUN_BLOCK), device))
            for device, start, end in zip(devices, [0, *ends], ends)
            if end > start
        ]
        rows, depth = self.num_rows, self._depth
        self._compiled = tf.function(
            self._propose,
            input_signature=[
                tf.TensorSpec([rows, depth + 2, dngo.HIDDEN]),
                tf.TensorSpec([rows, None, depth + 1]),
                tf.TensorSpec([rows, None]),
                tf.TensorSpec([rows, None]),
                tf.TensorSpec([rows]),
                tf.TensorSpec([rows, None], tf.int32),
                tf.TensorSpec([rows], tf.bool),
            ],
        )

    def propose(self, weights: np.ndarray, data: Data) -> tuple[np.ndarray, np.ndarray]:
        """Finds the cells of largest expected improvement, best first.

        Args:
            weights: float32 [P, D + 2, H], the networks' initial weights.
            data: what the runs have queried.

        Raises:
            core.NasError: a network has diverged.

        Returns:
            int32 [P, B] cells, of equal ones the first, and float64 [P, B], the logarithm of the
            improvement; -inf where there is no further cell.
        """
        arrays = (getattr(data, field.name) for field in dataclasses.fields(data))
        try:
            index, score = self._compiled(weights, *arrays)
        except tf.errors.InvalidArgumentError:  # of the eigenvalues of what is not finite
            raise core.NasError(
                "a surrogate diverged; lower learning_rate"
            ) from None
        return index.numpy(), score.numpy()

    def _propose(self, weights, *data) -> tuple[tf.Tensor, tf.Tensor]:
        """Does `propose`; arrays [P, ...] in the order of `Data`."""
        found = []
        for device, start, end, chunks in self._parts:
            with tf.device(device):
                rows = slice(start * RUN_BLOCK, end * RUN_BLOCK)
                found.append(self._part(chunks, *(array[rows] for array in (weights, *data))))
        index, score = zip(*found, strict=True)
        return tf.concat(index, axis=0), tf.concat(score, axis=0)

    def _part(self, chunks, *arrays) -> tuple[tf.Tensor, tf.Tensor]:
        """Does `propose` for the blocks of one device, arrays [blocks * RUN_BLOCK, ...]."""
        num_rows = arrays[0].shape[0]
        index = tf.TensorArray(tf.int32, num_rows, element_shape=[self._batch])
        score = tf.TensorArray(tf.float64, num_rows, element_shape=[self._batch])
        for start in tf.range(0, num_rows, RUN_BLOCK):
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            block = [
                tf.ensure_shape(array[start : start + RUN_BLOCK], [RUN_BLOCK, *array.shape[1:]])
                for array in arrays
            ]
            weights, regression = self._fit(*block[:4])
            goal, visited, active = block[4:]
            for run in tf.range(RUN_BLOCK):
                tf.autograph.experimental.set_loop_options(parallel_iterations=1)
                cells = tf.range(self._batch)
                best = tf.zeros([self._batch], tf.float64)
                if active[run]:
                    posterior = (regression.mean[run], regression.root[run], regression.noise[run])
                    row = start + run
                    scores = self._scores(chunks, row, weights[run], posterior, goal[run])
                    best, cells = self._best(scores, visited[run])
                index = index.write(start + run, cells)
                score = score.write(start + run, best)
        return index.stack(), score.stack()

    def _fit(self, weights, inputs, targets, known) -> tuple[tf.Tensor, dngo.Regression]:
        """Fits the surrogates of a block of runs."""
        weights = dngo.train(
            weights,
            inputs,
            targets,
            known,
            epochs=self._epochs,
            learning_rate=self._learning_rate,
        )
        return weights, dngo.regress(dngo.hidden(weights, inputs), targets, known)

    def _scores(self, chunks, row, weights, posterior, goal) -> tf.Tensor:
        """Returns the log expected improvement of all cells for one run, float64 [M]."""
        scores = tf.TensorArray(tf.float64, chunks.num_chunks, element_shape=[chunks.size])
        for number in tf.range(chunks.num_chunks):
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            layer = dngo.hidden(weights, chunks.get(row, number))
            mean, deviation = dngo.predict(layer, *posterior)
            improvement = dngo.log_expected_improvement(mean, deviation, goal)
            scores = scores.write(number, improvement)
        return tf.reshape(scores.stack(), [-1])[: self._num_cells]

    def _best(self, scores, visited) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the largest scores of cells not visited and these cells, [B] each."""
        scores = tf.where(tf.math.is_finite(scores), scores, -np.inf)
        visited = tf.boolean_mask(visited, visited >= 0)
        lowest = tf.fill(tf.shape(visited), tf.constant(-np.inf, scores.dtype))
        scores = tf.tensor_scatter_nd_update(scores, visited[:, None], lowest)
        return tf.math.top_k(scores, self._batch)
