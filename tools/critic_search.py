"""Searches whose queries a Gaussian process chooses among candidates of one source or two.

What differs between them is the source alone:

* "random": cells drawn evenly from the pool;
* "neighbours": cells one edit from the ten most accurate of the run;
* "generator": graphs drawn from GraphPNAS' generator, which is fitted as in GraphPNAS itself: half
  of them as it has them, the others with logits divided by the temperatures of the search.

Every query draws its candidates anew, as many from each source; what the run has queried before is
left out. The first cells of a run are the explorer's and the same whatever the source.

Shapes: R runs, C candidates of a query, n cells known.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf import core, storage
from nas_tf.config import setting
from nas_tf.graphpnas import replay
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.pools.asking import Draft
from nas_tf.spaces.space import SearchSpace
from nas_tf.strategies.graphpnas import GraphPNAS
from nas_tf.strategies.strategy import Searched, StudySetup
from nas_tf.surrogates.acquisition import expected_improvement
from nas_tf.surrogates.blas_threads import one_blas_thread
from nas_tf.surrogates.cell_features import LISTED
from nas_tf.surrogates.feature_pool import feature_pool
from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.hyperparameters import Hyperparameters, normal_scores
from nas_tf.surrogates.prediction import predict

SOURCES = ("random", "neighbours", "generator")
OFFERED = "offered.npz"  # new candidates of every query, beside a study

_GROUPS = tuple(LISTED)
_FIRST = 10  # queries before the critic knows enough
_PARENTS = 10  # cells whose neighbours are looked at


@dataclasses.dataclass(frozen=True)
class CriticSearch(GraphPNAS):
    """GraphPNAS' candidates, or others, in the order of a Gaussian process."""

    name = ""
    title = "candidates of a critic"
    published = ()

    sources: str = setting("generator", "Where candidates come from; two are joined by '+'.")

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        made = functools.partial(CriticSearcher, sources=tuple(self.sources.split("+")))
        return self.build_as(made, study)

    def watchers(self, searcher, measured, log) -> list:
        """Looks on at nothing."""
        return []

    def leave(self, search: Searched) -> list[str]:
        """Leaves how many candidates there were."""
        path = pathlib.Path(search.directory) / OFFERED
        storage.write_npz(path, offered=search.searcher.offered)
        return [f"candidates: {path}"]


class CriticSearcher(GraphSearch):
    """Strategy that queries the candidate of highest expected improvement (a `core.Strategy`)."""

    def __init__(self, *positional: Any, sources: Sequence[str], space: SearchSpace, **parts: Any):
        """Args: sources: some of `SOURCES`; the others as of `GraphSearch`."""
        self._sources = sources
        self._kernel = Kernel(tuple(LISTED.values()))
        super().__init__(*positional, space=space, **parts)
        described = feature_pool(space, self._pool.cells, _GROUPS)
        self._features = [group[described.kind] for group in described.features]

    @property
    def offered(self) -> np.ndarray:
        """Different new candidates of every query, int32 [R, Q]; 0 of the first cells."""
        return np.array(self._offered, np.int32).T

    def state(self) -> dict[str, np.ndarray]:
        """See `GraphSearch.state`."""
        return super().state() | {"offered": self.offered}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """See `GraphSearch.restore`."""
        super().restore(state)
        self._offered = list(state["offered"].T)

    def _clear(self) -> None:
        super()._clear()
        self._critics = [Hyperparameters(self._kernel) for _ in self._seeds]
        self._offered: list[np.ndarray] = []

    def _note_asked(self, number: int, runs: np.ndarray, cells: np.ndarray, extra: Any) -> None:
        super()._note_asked(number, runs, cells, None)
        self._offered.append(extra)  # of a query of an earlier process `restore` has it

    def _propose_draft(self, uniform: np.ndarray) -> Draft:
        runs = np.arange(len(self._seeds))
        count = np.zeros(len(runs), np.int64)
        if self._next_number < _FIRST:
            cells, _ = self._explored(runs, self._next_number)
        else:
            known, accuracy = self.known()
            drawn = self._candidates()
            drawn[~self._new(runs, drawn)] = -1
            fresh = [np.unique(row[row >= 0]) for row in drawn]
            count = np.array([len(row) for row in fresh])
            with one_blas_thread():
                cells = np.array([
                    self._best_of(run, fresh[run], known[run], accuracy[run]) for run in runs
                ])
        left = np.flatnonzero(cells < 0)
        if len(left):
            cells[left] = self._any_new(left, uniform[:, 0])
        return Draft(cells, count)

    def _candidates(self) -> np.ndarray:
        """Returns candidates of this query, int [R, C], -1 is none: as many of every source."""
        find = {
            "random": self._random, "neighbours": self._near, "generator": self._generated,
        }
        share = self._learning.num_samples // len(self._sources)
        parts = [find[source](share) for source in self._sources]
        return np.concatenate(parts, axis=1)

    def _random(self, count: int) -> np.ndarray:
        draws = [rng.integers(len(self._pool.cells), size=count) for rng in self._rngs()]
        return np.stack(draws)

    def _near(self, count: int) -> np.ndarray:
        cells, accuracy = self.known()
        found = np.full((len(cells), count), -1)
        for run, rng in enumerate(self._rngs()):
            own, answers = cells[run], accuracy[run]
            best = own[replay.best_cells(answers, _PARENTS)]
            near = np.unique(self._pool.neighbours(best))
            near = near[near >= 0]
            some = rng.permutation(near)[:count]
            found[run, : len(some)] = some
        return found

    def _generated(self, count: int) -> np.ndarray:
        seen = self._next_number - self._next_number % self._learning.period
        if self._fitted != seen:
            self._fit(seen)
        indices = self._find_graphs(*self._draw_graphs(self._next_number))
        return indices[:, :: self._learning.num_samples // count]  # as many of every temperature

    def _rngs(self) -> list[np.random.Generator]:
        """Returns what every run draws this query's candidates with."""
        stream = core.Stream.GAUSSIAN_PROCESS_DRAWS
        return [self._stream_rng(run, stream, self._next_number) for run in range(len(self._seeds))]

    def _best_of(
        self, run: int, candidates: np.ndarray, cells: np.ndarray, accuracy: np.ndarray
    ) -> int:
        """Returns the candidate int [C] that promises most, or -1 if there is none.

        Args:
            run: which one.
            candidates: int [C], new to it.
            cells: int [n], all it has asked for.
            accuracy: float64 [n].
        """
        if not len(candidates):
            return -1
        critic = self._critics[run]
        critic.learn(self._of, cells, accuracy)
        mean, variance = predict(
            self._kernel, critic.logarithms, self._of(cells), normal_scores(accuracy),
            self._of(np.concatenate([candidates, cells])),
        )
        count = len(candidates)
        deviation = np.sqrt(variance[:count] + np.exp(critic.logarithms[-1]))
        promise = expected_improvement(mean[:count], deviation, mean[count:].max())
        return int(candidates[np.argmax(promise)])

    def _of(self, cells: np.ndarray) -> list[np.ndarray]:
        return [group[cells] for group in self._features]
