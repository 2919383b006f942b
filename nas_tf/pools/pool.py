"""A pool of cells: which of them are one edit apart, and which each run has asked for.

A pool numbers cells. One that is known beforehand is `Pool`, one that grows with the cells a search
meets is `open_pool.OpenPool`; searches use both alike.

Shapes: M cells of the pool, R runs, K cells asked about, W neighbours of the cell with the most.
"""

import copy
from collections.abc import Callable

import numpy as np

from nas_tf import core
from nas_tf import graphs
from nas_tf.graphs import CellGraphs
from nas_tf.pools.neighbours import Neighbours
from nas_tf.spaces.space import SearchSpace

_RUN_BITS = 32  # of an index within a run


def each_once(cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
    """Drops the cells of a pool [M] whose architecture has been there before.

    Every strategy does this to the pool it is given, here.

    Returns:
        the cells that are left, in the order they have, and int64 [K], their indices in the pool.
    """
    index = graphs.first_of_each_key(cells)
    return (cells if len(index) == len(cells) else cells[index]), index


def unique_cells(cells: CellGraphs) -> CellGraphs:
    """Returns every architecture of a pool once, by ascending key.

    Strategies number cells in this order, which does not depend on the order of a table's rows.
    """
    cells, _ = each_once(cells)
    return cells[np.argsort(cells.keys)]


def pool_used_up(num_cells: int) -> core.ConfigError:
    """Returns the error of a strategy that has queried every cell of its pool."""
    return core.ConfigError(
        f"all {num_cells} cells of the pool have been queried; a search's budget must end before"
    )


class Pool:
    """Cells that are known beforehand, numbered by ascending key.

    Attributes:
        cells: [M], no key twice.
    """

    def __init__(
        self, cells: CellGraphs, space: SearchSpace | None = None, *, neighbour_edits: int = 2
    ):
        """Numbers cells.

        Args:
            cells: [M]; of cells with the same key, the first.
            space: says what one edit is, where that is asked.
            neighbour_edits: 2: a cell without any neighbour in the pool has those two edits away;
                1: it has none.

        Raises:
            ValueError: there are no cells.
        """
        if not len(cells):
            raise ValueError("the pool has no cells")
        self.cells = unique_cells(cells)
        self._index = graphs.KeyIndex(self.cells.keys)
        self._neighbours = Neighbours(self, space, further=neighbour_edits > 1, grows=False)

    def queried(self, num_runs: int) -> "Queried":
        """Returns the books of runs that have asked for nothing."""
        return Queried(num_runs)

    def find(self, cells: CellGraphs) -> np.ndarray:
        """Returns the indices int32 [...] of cells [...]; -1 is outside the pool."""
        index, inside = self._index.find(cells.keys)
        return np.where(inside, index, -1).astype(np.int32)

    def neighbours(self, index: np.ndarray) -> np.ndarray:
        """Returns the neighbours of cells; see `Neighbours.of`."""
        return self._neighbours.of(index)

    def check_left(self, queried: "Queried", runs: np.ndarray) -> None:
        """Raises ConfigError if one of some runs, int [K], has asked for every cell."""
        if (queried.num_left(len(self.cells))[runs] == 0).any():
            raise pool_used_up(len(self.cells))

    def draw(
        self,
        queried: "Queried",
        runs: np.ndarray,
        uniform: np.ndarray,
        unused_rng: Callable[[int], np.random.Generator],
    ) -> np.ndarray:
        """Returns int [K], a cell for each of some runs that it has not asked for.

        Args:
            queried: by all R runs.
            runs: int [K].
            uniform: float64 [R] in [0, 1).
            unused_rng: as of `open_pool.OpenPool`.
        """
        return queried.draw(uniform, len(self.cells))[runs]


class Queried:
    """The cells that every run has asked for, and their accuracies where they are known.

    One ascending list of `run * 2^32 + cell` holds those of all runs.
    """

    def __init__(
        self,
        num_runs: int,
        architectures: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        """Makes empty books.

        Args:
            num_runs: R.
            architectures: turns indices of cells, int [...], into numbers that are the same where
                cells are one architecture; None where every index is another one.
        """
        self._num_runs = num_runs
        self._architectures = architectures
        self._entries = np.zeros(0, np.int64)
        self._accuracy = np.zeros(0)  # NaN: not known; -inf: infeasible

    def add(self, runs: np.ndarray, cells: np.ndarray) -> None:
        """Notes that some runs have asked for a cell each, which is out.

        Args:
            runs: int [K], no run twice.
            cells: int [K], not asked for by their runs before.
        """
        entries = self._entry(runs, cells)
        if np.any(entries[1:] < entries[:-1]):
            entries = np.sort(entries)
        position = np.searchsorted(self._entries, entries)
        self._entries = np.insert(self._entries, position, entries)
        self._accuracy = np.insert(self._accuracy, position, np.nan)

    def answer(self, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray) -> None:
        """Notes the accuracies of cells that were out.

        Args:
            runs: int [K].
            cells: int [K].
            accuracy: float64 [K]; NaN is infeasible.
        """
        position = np.searchsorted(self._entries, self._entry(runs, cells))
        self._accuracy[position] = np.where(np.isnan(accuracy), -np.inf, accuracy)

    def find(self, runs: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks cells up.

        Args:
            runs: int [K].
            cells: int [K, W]; -1 is no cell.

        Returns:
            bool [K, W]: the run has asked for the cell; float64 [K, W]: its accuracy, -inf where it
            is infeasible, NaN where it is not known (out, not asked for or no cell).
        """
        found, accuracy = np.zeros(cells.size, bool), np.full(cells.size, np.nan)
        place = np.flatnonzero(cells >= 0)  # rows are padded: half of them and more is no cell
        if len(self._entries):
            entries = self._entry(runs[:, None], cells).ravel()[place]
            position = np.searchsorted(self._entries, entries)
            position = np.minimum(position, len(self._entries) - 1)
            there = self._entries[position] == entries
            found[place] = there
            accuracy[place[there]] = self._accuracy[position[there]]
        return found.reshape(cells.shape), accuracy.reshape(cells.shape)

    def num_left(self, num_cells: int) -> np.ndarray:
        """Returns int64 [R], how many of a pool's cells each run has not asked for."""
        return num_cells - np.bincount(self._entries >> _RUN_BITS, minlength=self._num_runs)

    def draw(self, uniform: np.ndarray, num_cells: int) -> np.ndarray:
        """Returns int64 [R], one cell of each run among those it has not asked for.

        Args:
            uniform: float64 [R] in [0, 1); evenly spread numbers give all these cells equally
                often. A run that has asked for every cell gets any.
            num_cells: M.
        """
        run, cell = self._entries >> _RUN_BITS, self._entries & ((1 << _RUN_BITS) - 1)
        left = self.num_left(num_cells)
        rank = (uniform * left).astype(np.int64)  # of the cell among those not asked for
        first = np.cumsum(num_cells - left) - (num_cells - left)
        smaller = cell - (np.arange(len(cell)) - first[run])  # free cells before this one
        passed = np.bincount(run[smaller <= rank[run]], minlength=self._num_runs)
        return np.minimum(rank + passed, num_cells - 1)

    def copy(self) -> "Queried":
        """Returns books of their own."""
        other = copy.copy(self)
        other._accuracy = self._accuracy.copy()
        return other

    def _entry(self, runs: np.ndarray, cells: np.ndarray) -> np.ndarray:
        if self._architectures is not None:
            cells = np.where(cells >= 0, self._architectures(np.maximum(cells, 0)), -1)
        return (runs.astype(np.int64) << _RUN_BITS) + cells


def choose(allowed: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Returns int64 [K], one column of each row where `allowed` [K, W] is true.

    Args:
        allowed: bool [K, W]; a row without any gets column 0.
        uniform: float64 [K] in [0, 1); evenly spread numbers give all these columns equally often.
    """
    number = np.cumsum(allowed, axis=1)
    rank = (uniform * number[:, -1]).astype(np.int64)
    return np.argmax(number > rank[:, None], axis=1)
