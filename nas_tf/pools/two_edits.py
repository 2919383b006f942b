"""Cells of a pool that are two edits apart, whether the cell between them is in the pool or not.

Two cells are two edits apart where they have a neighbour in common: the neighbours of all cells are
made once and sorted.

Shapes: M cells of the pool, E neighbours of all of them, K cells asked about, T pairs.
"""

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace

_CHUNK = 1024  # cells whose neighbours are made at a time


class TwoEdits:
    """Says which cells of a pool are two edits from others."""

    def __init__(self, cells: CellGraphs, space: SearchSpace):
        """Makes the neighbours of all cells.

        Args:
            cells: the pool [M].
            space: says what one edit is.
        """
        self._keys, count = _neighbours(cells, space)
        self._first = np.cumsum(count) - count
        self._count = count
        order = np.argsort(self._keys, kind="stable")
        self._sorted = self._keys[order]
        self._origin = np.repeat(np.arange(len(cells)), count)[order]

    def of(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the cells two edits from others, each once.

        Args:
            index: int [K], in the pool.

        Returns:
            int64 [T], indices in the pool; int64 [T], the positions in `index` of whose they are,
            ascending.
        """
        rows, places = _spread(self._first[index], self._count[index])
        between = self._keys[places]
        left = np.searchsorted(self._sorted, between, side="left")
        right = np.searchsorted(self._sorted, between, side="right")
        which, places = _spread(left, right - left)
        rows, found = rows[which], self._origin[places]
        other = found != index[rows]
        pairs = np.unique(rows[other] * len(self._count) + found[other])
        return pairs % len(self._count), pairs // len(self._count)


def _neighbours(cells: CellGraphs, space: SearchSpace) -> tuple[np.ndarray, np.ndarray]:
    """Returns the keys of the neighbours of cells, uint64 [E], cell by cell, and how many each has,
    int64 [M]."""
    keys, count = [], np.zeros(len(cells), np.int64)
    for start in range(0, len(cells), _CHUNK):
        found, origin = space.neighbours(cells[start : start + _CHUNK])
        keys.append(found.keys)
        part = count[start : start + _CHUNK]
        part += np.bincount(origin, minlength=len(part))
    return np.concatenate(keys), count


def _spread(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places `first` to `first + count` of every row [K], and whose row they are."""
    rows = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    return rows, first[rows] + within
