"""A Gaussian process over the whole pool, on features of the architecture alone.

After a few random cells every query is the one of all cells not queried that promises most. The
belief is that of `surrogates.gaussian_process` over groups of `surrogates.cell_features`: a linear
kernel over summaries, Matern kernels over paths and positions. It learns the normal scores of the
ranks of what the run has seen, anew at every query, so that neither the scale of accuracies nor
their skew matters. What a query promises is its expected improvement (Mockus et al., 1978) over
the highest posterior mean among the cells queried, with the noise of the answer in the deviation.

Where measurements are noisy, a cell that has become the best observed is measured once more
(`second_looks`): the best of many is an optimist.

While answers are out the cells asked for count as known without an answer: the variance is
conditioned on them, the mean is kept. Nothing waits.

Shapes: R runs, M cells of the pool, U kinds of cells, n answers, m cells asked for.
"""

import concurrent.futures
import functools
import os
from collections.abc import Sequence

import numpy as np

from nas_tf import core
from nas_tf.baselines.second_looks import Seen, as_of
from nas_tf.graphs import CellGraphs
from nas_tf.pools.round_search import RoundSearch
from nas_tf.spaces.space import SearchSpace
from nas_tf.surrogates.acquisition import acquisition
from nas_tf.surrogates.blas_threads import one_blas_thread
from nas_tf.surrogates.cell_features import LISTED
from nas_tf.surrogates.feature_pool import FeaturePool, feature_pool
from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.hyperparameters import TARGETS, AsOf, Hyperparameters
from nas_tf.surrogates.pool_pairs import PoolPairs
from nas_tf.surrogates.pool_posterior import PoolPosterior


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
        second_looks: bool = False,
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M].
            space: of the cells.
            seeds: R non-negative seeds. Nothing else of a run is random.
            num_initial: random cells a run begins with.
            round_size: queries between two predictions.
            kinds: kernels by the names of groups of features; `LISTED` when None.
            summaries: numbers in the group of that name; all when None.
            target: what is learned of accuracies, one of `hyperparameters.TARGETS`.
            acquisition_name: one of `acquisition.ACQUISITIONS`.
            num_candidates: random cells that a query is chosen from; None is the whole pool.
            num_queries: that a run makes, where that is known.
            second_looks: measure the best observed cell once more; a measurement of a cell replaces
                those before.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        kinds = LISTED if kinds is None else kinds
        self._kernel = Kernel(tuple(kinds.values()))
        self._target = target
        self._acquisition, self._num_candidates = acquisition_name, num_candidates
        self._second_looks = second_looks
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
        scores = None if self._second_looks else TARGETS[self._target](accuracy)
        number = self._next_number

        def choose(run: int) -> int:
            rng = core.generator(self._seeds[run], core.Stream.GAUSSIAN_PROCESS_DRAWS, number)
            if scores is None:
                allowed = self._runs[run].learn_again(cells[run], accuracy[run])
                if (doubted := self._runs[run].seen.doubted()) is not None:
                    return doubted
            else:
                allowed = self._runs[run].learn(cells[run], accuracy[run], scores[run])
            if self._num_candidates is not None:
                allowed &= self._candidates(rng)
            noise = None
            if self._acquisition == "thompson":
                noise = rng.standard_normal(len(allowed), np.float32)
            return self._runs[run].best(self._acquisition, allowed, noise)

        with one_blas_thread(), concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            return np.array(list(threads.map(choose, runs.tolist())), np.int64)

    def _add(self, runs: np.ndarray, cells: np.ndarray) -> None:
        if self._second_looks:
            runs = runs[~self._queried.find(runs, cells[runs][:, None])[0][:, 0]]
        super()._add(runs, cells)

    def _measured_before(self, index: np.ndarray) -> np.ndarray | None:
        if not self._second_looks:
            return None
        asked = np.concatenate([self.queried, index], axis=1)
        before = asked[:, None] == index[:, :, None]  # [R, B, Q + B]
        before &= np.arange(asked.shape[1]) < self.num_asked + np.arange(index.shape[1])[:, None]
        return np.where(before.any(axis=2), before.argmax(axis=2), -1)

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

    def learn_again(self, cells: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
        """Does `learn` where cells may have been asked for more than once; `seen` is up to date."""
        self.seen = Seen.of(cells, accuracy)
        scores = TARGETS[self._target](self.seen.accuracy)
        before = functools.partial(as_of, cells, accuracy)
        return self.learn(self.seen.cells, self.seen.accuracy, scores, before)

    def learn(
        self,
        cells: np.ndarray,
        accuracy: np.ndarray,
        scores: np.ndarray,
        before: AsOf | None = None,
    ) -> np.ndarray:
        """Takes in what was asked for and answered since.

        Args:
            cells: int [m], each once, answered ones first, in the order of arrival.
            accuracy: float64 [n]; NaN is infeasible.
            scores: float64 [n], what is learned of them.
            before: see `Hyperparameters.learn`.

        Returns:
            bool [U]: there are cells of the kind that were not asked for.
        """
        if self._posterior is None:
            self._posterior = PoolPosterior(self._pairs, self._room)
            self._hyperparameters = Hyperparameters(self._pairs.kernel, self._target)
        kinds, known = self._pool.kind[cells], self._hyperparameters
        self._cells, self._scores = set(cells.tolist()), scores
        self._answered = kinds[: len(accuracy)]
        if known.learn(self._pairs.features, self._answered, accuracy, before):
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
