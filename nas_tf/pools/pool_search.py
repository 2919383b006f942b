"""What the searches over a pool of cells share: one query a round, no cell twice, exact resume.

All that such a search knows follows from its seeds and from what it has queried so far. A state is
therefore the queries alone, and `restore` learns from them again.

Shapes: R runs, M cells of the pool, K runs that made a query, Q queries.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf import core
from nas_tf.pools import pool
from nas_tf.graphs import CellGraphs

_DRAWS = 32  # queries whose random numbers are drawn at a time


class PoolSearch:
    """Base of strategies over a pool (a `core.Strategy`).

    A subclass says what to query next (`_propose`) and what follows from an answer (`_learn`).
    """

    def __init__(
        self,
        cells: CellGraphs,
        *,
        seeds: Sequence[int],
        stream: core.Stream,
        num_draws: int,
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M]; of cells with the same key, the first.
            seeds: R non-negative seeds. Nothing else of a run is random.
            stream: of the strategy, so that strategies of one seed draw apart.
            num_draws: random numbers a query needs.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        if not len(seeds) or min(seeds) < 0:
            raise core.ConfigError(f"seeds={list(seeds)}: expected non-negative, at least one")
        if not len(cells):
            raise ValueError("the pool has no cells")
        self._cells = pool.unique_cells(cells)
        self._seeds = tuple(int(seed) for seed in seeds)
        self._stream, self._num_draws = stream, num_draws
        self._draws: tuple[int, np.ndarray] | None = None
        self._clear()

    def suggest(self) -> core.Suggestion:
        """Returns the next cell of every run, [R, 1]; the same until `update`.

        Raises:
            core.ConfigError: the pool is used up.
        """
        if self._pending is None:
            if (self._active & (self._queried.num_left() == 0)).any():
                raise core.pool_used_up(len(self._cells))
            self._pending = self._propose(self._uniform(len(self._columns)))
        return core.Suggestion(self._cells[self._pending[:, None]])

    def update(self, feedback: core.Feedback) -> None:
        """Takes the answers to the last suggestion.

        A run that is not active keeps its state for good.

        Raises:
            ValueError: the feedback is not about the cells suggested.
        """
        if not np.array_equal(self.suggest().cells.keys, feedback.cells.keys):
            raise ValueError("update() got other cells than suggest() returned")
        active = self._active & feedback.active
        answered = active & feedback.feasible[:, 0]
        accuracy = np.where(answered, feedback.validation_accuracy[:, 0], np.nan)
        self._record(np.where(active, self._pending, -1).astype(np.int32), accuracy)
        self._active = active

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `restore` needs; 12 bytes a query."""
        shape = (len(self._columns), len(self._seeds))
        cells = np.array([cells for cells, _ in self._columns], np.int32).reshape(shape)
        accuracy = np.array([accuracy for _, accuracy in self._columns]).reshape(shape)
        return {"active": self._active, "queried": cells.T, "accuracy": accuracy.T}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings and pool, bit for bit."""
        self._clear()
        for cells, accuracy in zip(state["queried"].T, state["accuracy"].T, strict=True):
            self._record(cells, accuracy)
        self._active = state["active"].astype(bool)

    def _propose(self, uniform: np.ndarray) -> np.ndarray:
        """Returns int [R], a cell for every run; for an active one it must be new.

        Args:
            uniform: float64 [R, num_draws] in [0, 1), the random numbers of this query.
        """
        raise NotImplementedError

    def _learn(self, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray) -> None:
        """Learns what runs [K] found: cells int [K], accuracy float64 [K], NaN if infeasible."""

    def _clear(self) -> None:
        """Forgets everything."""
        self._active = np.ones(len(self._seeds), bool)
        self._columns: list[tuple[np.ndarray, np.ndarray]] = []
        self._queried = pool.Queried(len(self._seeds), len(self._cells))
        self._pending: np.ndarray | None = None

    def _record(self, cells: np.ndarray, accuracy: np.ndarray) -> None:
        """Takes one query of every run, int32 [R] and float64 [R]; -1 where a run is over."""
        self._pending = None
        self._columns.append((cells, accuracy))
        runs = np.flatnonzero(cells >= 0)
        self._queried.add(runs, cells[runs], accuracy[runs])
        self._learn(runs, cells[runs], accuracy[runs])

    def _uniform(self, query: int) -> np.ndarray:
        """Returns the random numbers of a query, float64 [R, num_draws]."""
        block, offset = divmod(query, _DRAWS)
        if self._draws is None or self._draws[0] != block:
            self._draws = block, np.stack([self._block(seed, block) for seed in self._seeds])
        return self._draws[1][:, offset]

    def _block(self, seed: int, block: int) -> np.ndarray:
        rng = core.generator(seed, self._stream, block)
        return rng.random((_DRAWS, self._num_draws))
