"""A pool of cells: which of them are one edit apart, and which each run has queried.

Neighbours are found when they are first asked for and kept: a search asks for those of a few
thousand cells, while finding them for all 423,624 of NAS-Bench-101 takes minutes.

Shapes: M cells of the pool, R runs, K cells asked about, W neighbours of the cell with the most.
"""

import numpy as np

from nas_tf import core
from nas_tf import graphs
from nas_tf.graphs import CellGraphs

_CHUNK = 1024  # cells whose neighbours are made at a time


def each_once(cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
    """Drops the cells of a pool [M] whose architecture has been there before.

    Every strategy does this to the pool it is given, here.

    Returns:
        the cells that are left, in the order they have, and int64 [K], their places in the pool.
    """
    places = graphs.first_of_each_key(cells)
    return (cells if len(places) == len(cells) else cells[places]), places


def unique_cells(cells: CellGraphs) -> CellGraphs:
    """Returns every architecture of a pool once, by ascending key.

    Strategies number cells in this order, which does not depend on the order of a table's rows.
    """
    cells, _ = each_once(cells)
    return cells[np.argsort(cells.keys)]


class Neighbours:
    """The neighbours that every cell of a pool has within the pool."""

    def __init__(self, cells: CellGraphs, space: core.SearchSpace):
        """Args: cells: the pool [M], from `unique_cells`; space: says what one edit is."""
        self._cells = cells
        self._index = graphs.KeyIndex(cells.keys)
        self._space = space
        self._start = np.full(len(cells), -1, np.int64)  # in the list; -1 is not found yet
        self._count = np.zeros(len(cells), np.int64)
        self._list = np.zeros(1, np.int32)  # the first is of no cell: no index is out of range

    def of(self, index: np.ndarray) -> np.ndarray:
        """Returns the neighbours of cells.

        Args:
            index: int [K], places in the pool.

        Returns:
            int32 [K, W], ascending; -1 fills rows up to the longest. W is at least 1.
        """
        missing = np.unique(index[self._start[index] < 0])
        for begin in range(0, len(missing), _CHUNK):
            self._find(missing[begin : begin + _CHUNK])
        count = self._count[index]
        column = np.arange(max(1, count.max(initial=0)))
        inside = column < count[:, None]
        place = np.where(inside, self._start[index][:, None] + column, 0)
        return np.where(inside, self._list[place], np.int32(-1))

    def _find(self, index: np.ndarray) -> None:
        """Finds the neighbours of cells [K] and keeps them."""
        candidates, origin = self._space.neighbours(self._cells[index])
        place, inside = self._index.find(candidates.keys)
        origin, place = origin[inside], place[inside]
        order = np.lexsort((place, origin))
        count = np.bincount(origin, minlength=len(index))
        self._start[index] = len(self._list) + np.cumsum(count) - count
        self._count[index] = count
        self._list = np.concatenate([self._list, place[order].astype(np.int32)])


class Queried:
    """The cells that every run has queried, and their accuracies.

    One ascending list of places `run * M + cell` holds those of all runs.
    """

    def __init__(self, num_runs: int, num_cells: int):
        self._num_runs = num_runs
        self._num_cells = num_cells
        self._places = np.zeros(0, np.int64)
        self._accuracy = np.zeros(0)

    def add(self, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray) -> None:
        """Adds one cell to each of some runs.

        Args:
            runs: int [K], no run twice.
            cells: int [K], not queried by their runs before.
            accuracy: float64 [K]; NaN is infeasible.
        """
        places = self._place(runs, cells)
        order = np.argsort(places)
        position = np.searchsorted(self._places, places[order])
        self._places = np.insert(self._places, position, places[order])
        self._accuracy = np.insert(self._accuracy, position, accuracy[order])

    def find(self, runs: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks cells up.

        Args:
            runs: int [K].
            cells: int [K, W]; -1 is no cell.

        Returns:
            bool [K, W]: the run has queried the cell; float64 [K, W]: its accuracy, -inf where it
            is infeasible, not queried or no cell.
        """
        places = self._place(runs[:, None], cells)
        if not len(self._places):
            return np.zeros(places.shape, bool), np.full(places.shape, -np.inf)
        position = np.searchsorted(self._places, places)
        position = np.minimum(position, len(self._places) - 1)
        found = (self._places[position] == places) & (cells >= 0)
        accuracy = np.where(found, self._accuracy[position], np.nan)
        return found, np.where(np.isnan(accuracy), -np.inf, accuracy)

    def num_left(self) -> np.ndarray:
        """Returns int64 [R], how many cells each run has not queried."""
        run = self._places // self._num_cells
        return self._num_cells - np.bincount(run, minlength=self._num_runs)

    def draw(self, uniform: np.ndarray) -> np.ndarray:
        """Returns int64 [R], one cell of each run among those it has not queried.

        Args:
            uniform: float64 [R] in [0, 1); evenly spread numbers give all these cells equally
                often. A run that has queried every cell gets any.
        """
        run, cell = np.divmod(self._places, self._num_cells)
        left = self.num_left()
        rank = (uniform * left).astype(np.int64)  # of the cell among those not queried
        first = np.cumsum(self._num_cells - left) - (self._num_cells - left)
        smaller = cell - (np.arange(len(cell)) - first[run])  # cells not queried before this one
        passed = np.bincount(run[smaller <= rank[run]], minlength=self._num_runs)
        return np.minimum(rank + passed, self._num_cells - 1)

    def _place(self, runs: np.ndarray, cells: np.ndarray) -> np.ndarray:
        return runs.astype(np.int64) * self._num_cells + cells


def choose(allowed: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Returns int64 [K], one column of each row where `allowed` [K, W] is true.

    Args:
        allowed: bool [K, W]; a row without any gets column 0.
        uniform: float64 [K] in [0, 1); evenly spread numbers give all these columns equally often.
    """
    number = np.cumsum(allowed, axis=1)
    rank = (uniform * number[:, -1]).astype(np.int64)
    return np.argmax(number > rank[:, None], axis=1)
