"""The Gaussian process in a space that nobody can list: it chooses among candidates.

As `gaussian_process`, but what promises most is looked for among random cells of the space and the
best cells found so far after one edit or several, drawn anew at every query, and features are
summaries and the surroundings of nodes, since large graphs have too many paths. Features are
measured by random cells of the space.

Shapes: R runs, M cells met, C candidates, m cells asked for, n answers.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf import core
from nas_tf.graphs import CellGraphs
from nas_tf.pools.round_search import RoundSearch
from nas_tf.spaces.space import SearchSpace
from nas_tf.surrogates.acquisition import acquisition
from nas_tf.surrogates.blas_threads import one_blas_thread
from nas_tf.surrogates.cell_features import CellFeatures
from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.hyperparameters import TARGETS, Hyperparameters
from nas_tf.surrogates.prediction import predict

KINDS = {"summaries": "linear", "neighbourhoods": "matern"}
NUM_REFERENCE = 1000  # random cells that features are measured by


class OpenGaussianProcess(RoundSearch):
    """Strategy that queries the candidate that promises most (a `core.Strategy`).

    Its state is the queries alone. Cells that are out condition the variance; nothing waits.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        seeds: Sequence[int],
        num_initial: int = 3,
        round_size: int = 1,
        num_edits: int = 200,
        num_random: int = 100,
        num_parents: int = 10,
        kinds: dict[str, str] | None = None,
        summaries: Sequence[str] | None = None,
        target: str = "ranks",
        acquisition_name: str = "expected_improvement",
    ):
        """Makes R runs that have queried nothing.

        Args:
            space: draws and edits cells.
            seeds: R non-negative seeds. Nothing else of a run is random.
            num_initial: random cells a run begins with.
            round_size: queries between two predictions.
            num_edits: candidates that are edits of the best cells.
            num_random: candidates that are random cells.
            num_parents: best cells that are edited.
            kinds, summaries, target, acquisition_name: as of `GaussianProcessSearch`; `KINDS` when
                None.

        Raises:
            core.ConfigError: seeds are negative or missing.
        """
        kinds = KINDS if kinds is None else kinds
        self._kernel = Kernel(tuple(kinds.values()))
        self._target = target
        self._num_edits, self._num_random, self._num_parents = num_edits, num_random, num_parents
        self._acquisition = acquisition_name
        reference = space.random_cells(
            core.generator(0, core.Stream.FEATURE_CELLS), (NUM_REFERENCE,)
        )
        self._describe = CellFeatures(space, reference, tuple(kinds), summaries)
        super().__init__(
            None, seeds=seeds, num_initial=num_initial, round_size=round_size,
            stream=core.Stream.GAUSSIAN_PROCESS, space=space,
        )

    def _clear(self) -> None:
        super()._clear()
        self._beliefs = [Hyperparameters(self._kernel, self._target) for _ in self._seeds]
        self._features: list[np.ndarray] | None = None  # of the cells met, [M, F] a group

    def _choose(self, runs: np.ndarray) -> np.ndarray:
        cells, accuracy = self.known()
        with one_blas_thread():
            chosen = [self._most_promising(run, cells[run], accuracy[run]) for run in runs.tolist()]
        return np.array(chosen, np.int64)

    def _most_promising(self, run: int, cells: np.ndarray, accuracy: np.ndarray) -> int:
        """Returns the candidate that promises most.

        Args:
            run: which one.
            cells: int [m], asked for, answered ones first.
            accuracy: float64 [n].
        """
        rng = core.generator(
            self._seeds[run], core.Stream.GAUSSIAN_PROCESS_DRAWS, self._next_number
        )
        candidates = self._candidates(run, rng, cells[: len(accuracy)], accuracy)
        if not len(candidates):
            return int(self._any_new(np.array([run]), np.zeros(len(self._seeds)))[0])
        belief = self._beliefs[run]
        belief.learn(self._of, cells[: len(accuracy)], accuracy)
        mean, variance = predict(
            self._kernel,
            belief.logarithms,
            self._of(cells),
            TARGETS[self._target](accuracy),
            self._of(np.concatenate([candidates, cells[: len(accuracy)]])),
        )
        deviation = np.sqrt(variance + np.exp(belief.logarithms[-1]))
        best = mean[len(candidates) :].max(initial=-np.inf) if len(accuracy) else 0.0
        noise = rng.standard_normal(len(candidates))
        promise = acquisition(
            self._acquisition, mean[: len(candidates)], deviation[: len(candidates)], best, noise
        )
        return int(candidates[np.argmax(promise)])

    def _candidates(
        self, run: int, rng: np.random.Generator, cells: np.ndarray, accuracy: np.ndarray
    ) -> np.ndarray:
        """Returns int [C], new cells: edits of the best of cells [n], and random ones."""
        drawn = [self._pool.space.random_cells(rng, (self._num_random,))]
        feasible = np.flatnonzero(~np.isnan(accuracy))
        best = feasible[np.argsort(-accuracy[feasible], kind="stable")][: self._num_parents]
        if len(best):
            parents = self._cells_of(cells[best[np.arange(self._num_edits) % len(best)]])
            drawn.insert(0, self._edited(parents, rng))
        numbers = self._pool.find(CellGraphs.concatenate(drawn))
        known = self._queried.find(np.array([run]), numbers[None])[0][0]
        return numbers[~known]

    def _edited(self, parents: CellGraphs, rng: np.random.Generator) -> CellGraphs:
        """Returns edits of cells [C]: of half of them one, of a quarter two, and so on."""
        edited, several = self._pool.space.mutate(parents, rng), len(parents) // 2
        while several:
            more = self._pool.space.mutate(edited[:several], rng)
            edited = CellGraphs.concatenate([more, edited[several:]])
            several //= 2
        return edited

    def _of(self, cells: np.ndarray) -> list[np.ndarray]:
        """Returns the features of cells met, int [n]; those of new ones are made and kept."""
        met = self._pool.cells
        done = 0 if self._features is None else len(self._features[0])
        if len(met) > done:
            new = self._describe(met[done:])
            old = self._features or [group[:0] for group in new]
            self._features = [np.concatenate(pair) for pair in zip(old, new, strict=True)]
        return [group[cells] for group in self._features]
