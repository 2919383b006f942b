"""What the searches over cells share: one query a round, no cell twice, exact resume.

Some need a pool that is known beforehand. The others also search a space that nobody has
enumerated: then the pool is what they meet there (`open_pool`), and a state holds the cells.

Shapes: R runs, M cells of the pool, K runs that made a query, Q queries.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf import core
from nas_tf.graphs import CellGraphs, cell_arrays, cells_from_arrays
from nas_tf.pools import open_pool
from nas_tf.pools import pool
from nas_tf.pools.asking import AskingSearch, Draft
from nas_tf.spaces.space import SearchSpace

_DRAWS = 32  # queries whose random numbers are drawn at a time
_CELLS_DRAWN = 1 << 31  # index of the first generator that cells of a space are drawn with


class PoolSearch(AskingSearch):
    """Base of strategies over a pool (a `core.Strategy`).

    A subclass says what to query next (`_propose`) and what follows from an answer (`_learn`).
    While it proposes, `_queried` has the drafts before too: nothing is suggested twice.
    """

    _always_new = True  # every query is about a cell that its run has not asked for

    def __init__(
        self,
        cells: CellGraphs | None,
        *,
        seeds: Sequence[int],
        stream: core.Stream,
        num_draws: int,
        space: SearchSpace | None = None,
        neighbour_edits: int = 2,
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M]; of cells with the same key, the first. None is all of the space.
            seeds: R non-negative seeds. Nothing else of a run is random.
            stream: of the strategy, so that strategies of one seed draw apart.
            num_draws: random numbers a query needs.
            space: of the cells.
            neighbour_edits: see `pool.Pool`.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty, or there is neither a pool nor a space.
        """
        if cells is None and space is None:
            raise ValueError("cells=None: expected a pool of cells, or a space")
        self.has_pool = cells is not None
        self._stream, self._num_draws = stream, num_draws
        self._draws: tuple[int, np.ndarray] | None = None
        self._pool = (
            open_pool.OpenPool(space)
            if cells is None
            else pool.Pool(cells, space, neighbour_edits=neighbour_edits)
        )
        super().__init__(seeds)

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `restore` needs; without a pool, the cells [R, Q] among it."""
        state = super().state()
        if not self.has_pool and self._asked:
            state |= cell_arrays(self._cells_of(np.maximum(state["queried"], 0)))
        return state

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings and pool, bit for bit."""
        cells = cells_from_arrays(state)
        if not self.has_pool and cells is not None:
            cells = self._with_identity(cells)
            known = np.where(state["queried"] >= 0, self._pool.find(cells), -1)
            state = {**state, "queried": known.astype(np.int32)}
        super().restore(state)

    def _propose(self, uniform: np.ndarray) -> np.ndarray | None:
        """Returns int [R], a cell for every run; for an active one it must be new.

        None means that an answer has to come first.

        Args:
            uniform: float64 [R, num_draws] in [0, 1), the random numbers of this query.
        """
        raise NotImplementedError

    def _learn(
        self, number: int, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray
    ) -> None:
        """Learns what runs [K] found: cells int [K], accuracy float64 [K], NaN if infeasible."""

    def _propose_draft(self, uniform: np.ndarray) -> Draft | None:
        """Does `_propose`; a subclass may add what it has to know of the query later."""
        cells = self._propose(uniform)
        return None if cells is None else Draft(cells)

    def _draft(self) -> list[Draft]:
        return self._beyond_drafts(self._draft_one)

    def _draft_one(self) -> list[Draft]:
        if self._always_new and not self._cells_left(np.flatnonzero(self._active)):
            return []
        draft = self._propose_draft(self._uniform(self._next_number))
        return [] if draft is None else [draft]

    def _cells_left(self, runs: np.ndarray) -> bool:
        """Tells whether some runs, int [K], have a cell left to ask for.

        Raises:
            core.ConfigError: it has not, and there is no answer to wait for.
        """
        try:
            self._pool.check_left(self._queried, runs)
        except core.ConfigError:
            if not self._num_out:
                raise
            return False
        return True

    def _beyond_drafts(self, draft) -> list[Draft]:
        """Calls a function while the drafts there are count as out."""
        if not self._drafts:
            return draft()
        queried, self._queried = self._queried, self._queried.copy()
        try:
            for before in self._drafts:
                self._add(np.flatnonzero(self._active), before.cells)
            return draft()
        finally:
            self._queried = queried

    def _any_new(self, runs: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Returns int [K], a random cell for each of some runs that it has not asked for.

        Args:
            runs: int [K].
            uniform: float64 [R] in [0, 1), a random number of this query.
        """
        number = self._next_number
        return self._pool.draw(self._queried, runs, uniform, lambda run: self._rng(run, number))

    def _rng(self, run: int, number: int) -> np.random.Generator:
        """Returns what a run draws cells of a space with for a query."""
        return core.generator(self._seeds[run], self._stream, _CELLS_DRAWN + number)

    def _add(self, runs: np.ndarray, cells: np.ndarray) -> None:
        """Notes that some runs, int [K], have asked for their cells, int [R]."""
        self._queried.add(runs, cells[runs])

    def _cells_of(self, index: np.ndarray) -> CellGraphs:
        return self._pool.cells[index]

    def _keys_of(self, index: np.ndarray) -> np.ndarray:
        return self._pool.cells.keys[index]

    def _note_asked(self, number: int, runs: np.ndarray, cells: np.ndarray, extra: Any) -> None:
        self._add(runs, self._asked[number])

    def _note_answer(
        self, number: int, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray
    ) -> None:
        self._queried.answer(runs, cells, accuracy)
        self._learn(number, runs, cells, accuracy)

    def _clear(self) -> None:
        super()._clear()
        self._queried = self._pool.queried(len(self._seeds))

    def _with_identity(self, cells: CellGraphs) -> CellGraphs:
        """Gives cells read from a file the identity that the space's cells have."""
        rng = core.generator(0, core.Stream.RANDOM_CELLS)
        kind = self._pool.space.random_cells(rng, (1,)).identity
        return CellGraphs(cells.adjacency, cells.ops, cells.num_nodes, kind)

    def _uniform(self, query: int) -> np.ndarray:
        """Returns the random numbers of a query, float64 [R, num_draws]."""
        block, offset = divmod(query, _DRAWS)
        if self._draws is None or self._draws[0] != block:
            self._draws = block, np.stack([self._block(seed, block) for seed in self._seeds])
        return self._draws[1][:, offset]

    def _block(self, seed: int, block: int) -> np.ndarray:
        rng = core.generator(seed, self._stream, block)
        return rng.random((_DRAWS, self._num_draws))
