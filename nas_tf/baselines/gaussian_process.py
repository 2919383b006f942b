"""A Gaussian process over the whole pool, on features of the architecture alone.

After a few random cells every query is the one of all cells not queried that promises most. The
belief is that of `surrogates.gaussian_process` over groups of `surrogates.cell_features`: a linear
kernel over summaries, Matern kernels over paths and positions. It learns the normal scores of the
ranks of what the run has seen, anew at every query, so that neither the scale of accuracies nor
their skew matters. What a query promises is its expected improvement (Mockus et al., 1978) over
the highest posterior mean among the cells queried, with the noise of the answer in the deviation.

While answers are out the cells asked for count as known without an answer: the variance is
conditioned on them, the mean is kept. Nothing waits.

Shapes: R runs, M cells of the pool, U kinds of cells, n answers, m cells asked for.
"""

import concurrent.futures
import os
from collections.abc import Sequence

import numpy as np

from nas_tf import core
from nas_tf.graphs import CellGraphs
from nas_tf.pools.round_search import RoundSearch
from nas_tf.spaces.space import SearchSpace
from nas_tf.surrogates.acquisition import acquisition
from nas_tf.surrogates.blas_threads import one_blas_thread
from nas_tf.surrogates.feature_pool import FeaturePool, feature_pool
from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.hyperparameters import TARGETS, Hyperparameters
from nas_tf.surrogates.pool_pairs import PoolPairs
from nas_tf.surrogates.pool_posterior import PoolPosterior

# Kernels of the groups.
KINDS = {"summaries": "linear", "paths": "matern", "positions": "matern",
         "neighbourhoods": "matern"}


class GaussianProcessSearch(RoundSearch):
    """Strategy that queries what promises most in the whole pool (a `core.Strategy`).

    Its state is the queries alone: what it believes follows from them.

    The recipe (`strategies.gaussian_process`) checks the ranges of settings.
    """

    def __init__(
        self,
        cells: CellGraphs,
        space: SearchSpace,
        *,
        seeds: Sequence[int],
        num_initial: int = 3,
        round_size: int = 1,
        kinds: dict[str, str] | None = None,
        summaries: Sequence[str] | None = None,
        target: str = "ranks",
        acquisition_name: str = "expected_improvement",
        num_candidates: int | None = None,
        num_queries: int | None = None,
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M].
            space: of the cells.
            seeds: R non-negative seeds. Nothing else of a run is random.
            num_initial: random cells a run begins with.
            round_size: queries between two predictions.
            kinds: kernels by the names of groups of features; `KINDS` but the last when None.
            summaries: numbers in the group of that name; all when None.
            target: what is learned of accuracies, one of `hyperparameters.TARGETS`.
            acquisition_name: one of `acquisition.ACQUISITIONS`.
            num_candidates: random cells that a query is chosen from; None is the whole pool.
            num_queries: that a run makes, where that is known.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        kinds = {name: KINDS[name] for name in tuple(KINDS)[:3]} if kinds is None else kinds
        self._kernel = Kernel(tuple(kinds.values()))
        self._target = target
        self._acquisition, self._num_candidates = acquisition_name, num_candidates
        self._room = num_queries or 0
        super().__init__(
            cells, seeds=seeds, num_initial=num_initial, round_size=round_size,
            stream=core.Stream.GAUSSIAN_PROCESS, space=space,
        )
        self._features = feature_pool(space, self._pool.cells, tuple(kinds), summaries)
        self._pairs = PoolPairs(self._kernel, self._features.features)
        self._runs = self._fresh_runs()

    def _clear(self) -> None:
        super()._clear()
        if hasattr(self, "_pairs"):
            self._runs = self._fresh_runs()

    def _fresh_runs(self) -> list["_Run"]:
        return [_Run(self._features, self._pairs, self._target, self._room) for _ in self._seeds]

    def _choose(self, runs: np.ndarray) -> np.ndarray:
        cells, accuracy = self.known()
        scores = TARGETS[self._target](accuracy)
        number = self._next_number

        def choose(run: int) -> int:
            rng = core.generator(self._seeds[run], core.Stream.GAUSSIAN_PROCESS_DRAWS, number)
            allowed = self._runs[run].learn(cells[run], accuracy[run], scores[run])
            if self._num_candidates is not None:
                allowed &= self._candidates(rng)
            noise = None
            if self._acquisition == "thompson":
                noise = rng.standard_normal(len(allowed), np.float32)
            return self._runs[run].best(self._acquisition, allowed, noise)

        with one_blas_thread(), concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            return np.array(list(threads.map(choose, runs.tolist())), np.int64)

    def _candidates(self, rng: np.random.Generator) -> np.ndarray:
        """Returns bool [U], the kinds of some random cells of the pool."""
        chosen = np.zeros(self._features.num_kinds, bool)
        count = min(self._num_candidates + self._next_number, len(self._pool.cells))
        chosen[self._features.kind[rng.choice(len(self._pool.cells), count, replace=False)]] = True
        return chosen


class _Run:
    """What one run believes.

    Shapes: m cells asked for, the first n of them answered.
    """

    def __init__(self, pool: FeaturePool, pairs: PoolPairs, target: str, room: int):
        self._pool, self._pairs, self._target, self._room = pool, pairs, target, room
        self._posterior: PoolPosterior | None = None

    def learn(self, cells: np.ndarray, accuracy: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Takes in what was asked for and answered since.

        Args:
            cells: int [m], answered ones first, in the order of arrival.
            accuracy: float64 [n]; NaN is infeasible.
            scores: float64 [n], what is learned of them.

        Returns:
            bool [U]: there are cells of the kind that were not asked for.
        """
        if self._posterior is None:
            self._posterior = PoolPosterior(self._pairs, self._room)
            self._hyperparameters = Hyperparameters(self._pairs.kernel, self._target)
        kinds, known = self._pool.kind[cells], self._hyperparameters
        self._cells, self._scores = set(cells.tolist()), scores
        self._answered = kinds[: len(accuracy)]
        if known.learn(self._pairs.features, self._answered, accuracy):
            self._posterior.begin(known.logarithms, kinds[: known.size])
        self._posterior.follow(kinds)
        return np.bincount(kinds, minlength=self._pool.num_kinds) < self._pool.sizes

    def best(self, name: str, allowed: np.ndarray, noise: np.ndarray | None) -> int:
        """Returns the cell that promises most among the kinds allowed, bool [U]."""
        mean = self._posterior.mean(self._scores)
        deviation = np.sqrt(self._posterior.variance + np.float32(self._posterior.noise))
        highest = float(mean[self._answered].max(initial=-np.inf)) if len(self._answered) else 0.0
        promise = acquisition(name, mean, deviation, highest, noise)
        kind = int(np.argmax(np.where(allowed, promise, -np.inf)))
        members = self._pool.members[self._pool.start[kind] : self._pool.start[kind + 1]]
        return next(cell for cell in members.tolist() if cell not in self._cells)
