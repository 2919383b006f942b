"""Local search: query all neighbours of a cell, move to the best, until none is better.

White et al. (2020), arXiv:2005.02960: hill climbing from a random cell. At a local optimum it
begins again at a random cell, until the budget is spent. With `full_neighbourhood=False` it moves
as soon as a better neighbour is found, the default of the released code, which also begins at the
best of ten random cells.

What the paper leaves open:
- Neighbours are queried in random order. One that the run knows already is not queried again, but
  its accuracy counts: the climb may go on to it without a query.
- Only a strictly better neighbour is moved to; of equally good ones, that with the lowest key.
- An infeasible cell is never moved to, nor is a climb begun at it.
- A climb begins at a cell of the pool that the run has not queried, all equally likely, or, without
  a pool, at a cell that the space draws.

Shapes: R runs, M cells of the pool, W neighbours of the cell with the most, K runs that climb.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf import core
from nas_tf.pools import pool
from nas_tf.pools import pool_search
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace


class LocalSearch(pool_search.PoolSearch):
    """Strategy that climbs from cell to neighbouring cell.

    The neighbours of a cell may all be out at a time. It waits where a climb begins, for the cell
    it begins at, and where every neighbour is asked for and some are out.
    """

    def __init__(
        self,
        cells: CellGraphs | None,
        space: SearchSpace,
        *,
        seeds: Sequence[int],
        full_neighbourhood: bool = True,
        neighbour_edits: int = 2,
    ):
        """Makes R runs that are nowhere yet.

        Args:
            cells: the pool [M]; None is all of the space, enumerated or not.
            space: says which cells are neighbours.
            seeds: R non-negative seeds. Nothing else of a run is random.
            full_neighbourhood: move to the best of all neighbours; otherwise to the first one that
                is better.
            neighbour_edits: of a cell without neighbours in the pool, see `pools.pool.Pool`.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        self._full = full_neighbourhood
        super().__init__(
            cells, seeds=seeds, stream=core.Stream.LOCAL_SEARCH, num_draws=1, space=space,
            neighbour_edits=neighbour_edits,
        )

    def _clear(self) -> None:
        super()._clear()
        self._centre = np.full(len(self._seeds), -1, np.int32)  # -1: a climb is to begin
        self._height = np.full(len(self._seeds), -np.inf)  # accuracy of the centre

    def _propose(self, uniform: np.ndarray) -> np.ndarray | None:
        proposed = np.zeros(len(self._seeds), np.int64)
        begin = np.flatnonzero(self._active & (self._centre < 0))
        runs = np.flatnonzero(self._active & (self._centre >= 0))
        neighbours = self._pool.neighbours(self._centre[runs])  # [K, W]
        fresh = (neighbours >= 0) & ~self._queried.find(runs, neighbours)[0]
        if self._num_out and (len(begin) or not fresh.any(axis=1).all()):
            return None
        chosen = pool.choose(fresh, uniform[runs, 0])
        proposed[runs] = np.take_along_axis(neighbours, chosen[:, None], axis=1)[:, 0]
        if len(begin):
            proposed[begin] = self._any_new(begin, uniform[:, 0])
        return proposed

    def _learn(
        self, number: int, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray
    ) -> None:
        begins = (self._centre[runs] < 0) & ~np.isnan(accuracy)
        self._centre[runs[begins]] = cells[begins]
        self._height[runs[begins]] = accuracy[begins]
        runs = runs[self._centre[runs] >= 0]
        while len(runs):  # ends: every move leads upwards
            runs = self._climb(runs)

    def _climb(self, runs: np.ndarray) -> np.ndarray:
        """Moves runs [K] once where they can, and returns those that moved.

        A run that knows all neighbours of its centre and none that is better gives up the centre.
        """
        neighbours = self._pool.neighbours(self._centre[runs])  # [K, W]
        accuracy = self._queried.find(runs, neighbours)[1]
        known = ~np.isnan(accuracy)
        accuracy = np.where(known, accuracy, -np.inf)
        complete = (known | (neighbours < 0)).all(axis=1)
        best = np.argmax(accuracy, axis=1)
        row = np.arange(len(runs))
        better = accuracy[row, best] > self._height[runs]
        moves = better & (complete | (not self._full))
        self._centre[runs[complete & ~better]] = -1
        moved = runs[moves]
        self._centre[moved] = neighbours[row, best][moves]
        self._height[moved] = accuracy[row, best][moves]
        return moved
