"""The neighbours that every cell of a pool has within the pool.

They are found when they are first asked for: a search asks for those of a few thousand cells, while
finding them for all 423,624 of NAS-Bench-101 takes minutes. Where finding costs much and the pool
is not as large, those of the whole pool are found at once and kept in the cache directory.

Of a pool that is a small part of a space most cells have no neighbour: then those two edits away
are its neighbours, so that who moves from cell to cell does not begin anew at every step.

Shapes: M cells of the pool, K cells asked about, W neighbours of the cell with the most.
"""

import hashlib
import pathlib
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from nas_tf import caching
from nas_tf.graphs import KEYS_VERSION, CellGraphs
from nas_tf.pools.two_edits import TwoEdits
from nas_tf.spaces.space import SearchSpace

_CHUNK = 1024  # cells whose neighbours are made at a time
_FEWEST_KEPT, _MOST_KEPT = 1_000, 100_000  # cells of pools whose neighbours are kept on disk


class Numbered(Protocol):
    """A pool, as far as neighbours go."""

    cells: CellGraphs

    def find(self, cells: CellGraphs) -> np.ndarray:
        """Returns int32 [...], the indices of cells [...] in the pool; -1 is outside."""


class Neighbours:
    """Finds neighbours, and remembers them."""

    def __init__(
        self, pool: Numbered, space: SearchSpace | None, *, further: bool = False,
        grows: bool = True,
    ):
        """Finds nothing yet.

        Args:
            pool: numbers the cells.
            space: says what one edit is; None where nobody asks.
            further: a cell without any neighbour has those two edits away.
            grows: the pool meets further cells.
        """
        self._pool, self._space, self._further = pool, space, further
        version = None if space is None else space.neighbours_version
        fits = _FEWEST_KEPT <= len(pool.cells) <= _MOST_KEPT
        self._kept = version is not None and not grows and fits
        self._two_edits: TwoEdits | None = None  # made when a cell without neighbours is met
        self._start = np.full(len(pool.cells), -1, np.int64)  # in the list; -1 is not found yet
        self._count = np.zeros(len(pool.cells), np.int64)
        self._list = np.zeros(1, np.int32)  # the first is of no cell: no index is out of range

    def of(self, index: np.ndarray) -> np.ndarray:
        """Returns the neighbours of cells.

        Args:
            index: int [K], in the pool.

        Returns:
            int32 [K, W], by ascending key; -1 fills rows up to the longest. W is at least 1.
        """
        self._grow(int(index.max(initial=-1)) + 1)
        missing = np.unique(index[self._start[index] < 0])
        if len(missing) and self._kept:
            self._read_or_find_all()
        elif len(missing):
            self._find(missing[begin : begin + _CHUNK] for begin in range(0, len(missing), _CHUNK))
        count = self._count[index]
        column = np.arange(max(1, count.max(initial=0)))
        inside = column < count[:, None]
        position = np.where(inside, self._start[index][:, None] + column, 0)
        return np.where(inside, self._list[position], np.int32(-1))

    def _find(self, chunks: Iterable[np.ndarray]) -> None:
        """Finds the neighbours of cells, int [up to 1024] at a time, and remembers them."""
        lists = [self._list]
        length = len(self._list)
        for index in chunks:
            origin, found = self._find_chunk(index)
            count = np.bincount(origin, minlength=len(index))
            self._start[index] = length + np.cumsum(count) - count
            self._count[index] = count
            lists.append(found)
            length += len(found)
        self._list = np.concatenate(lists)

    def _find_chunk(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns, of the neighbours of cells [K], whose they are, ascending, and which cells."""
        candidates, origin = self._space.neighbours(self._pool.cells[index])
        found = self._pool.find(candidates)
        inside = found >= 0
        keys, origin, found = candidates.keys[inside], origin[inside], found[inside]
        order = np.lexsort((keys, origin))
        origin, found = origin[order], found[order]
        return self._with_further(index, origin, found) if self._further else (origin, found)

    def _with_further(
        self, index: np.ndarray, origin: np.ndarray, found: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Adds what is two edits away to those of cells [K] that have no neighbours."""
        alone = np.setdiff1d(np.arange(len(index)), origin)
        if not len(alone):
            return origin, found
        if self._two_edits is None:
            self._two_edits = TwoEdits(self._pool.cells, self._space)
        more, row = self._two_edits.of(index[alone])
        origin = np.concatenate([origin, alone[row]])
        order = np.argsort(origin, kind="stable")
        return origin[order], np.concatenate([found, more.astype(found.dtype)])[order]

    def _read_or_find_all(self) -> None:
        """Takes the neighbours of all cells from the cache, or finds them and keeps them."""
        num_cells = len(self._pool.cells)

        def make():
            chunks = np.array_split(np.arange(num_cells), -(-num_cells // _CHUNK))
            self._find(caching.progress_bar(chunks, desc="neighbours of cells", leave=False))
            return {"count": self._count, "list": self._list}, {"space": self._space.name}

        def read(columns, unused_metadata):
            count, found = np.array(columns["count"]), np.array(columns["list"])
            if len(count) != num_cells or 1 + count.sum() != len(found):
                raise ValueError("neighbours of another pool")
            self._start = 1 + np.cumsum(count) - count
            self._count, self._list = count, found

        caching.cached_columns(self._directory(), make, read, name="neighbours of cells")

    def _directory(self) -> pathlib.Path:
        digest = hashlib.sha256(np.ascontiguousarray(self._pool.cells.keys).tobytes())
        version = (KEYS_VERSION, self._space.neighbours_version)
        digest.update(repr((self._space, version, self._further)).encode())
        return caching.cache_directory() / "neighbours" / digest.hexdigest()[:16]

    def _grow(self, size: int) -> None:
        """Makes room for cells that the pool has met since."""
        more = max(0, size - len(self._start))
        if more:
            more = max(more, len(self._start))
            self._start = np.concatenate([self._start, np.full(more, -1, np.int64)])
            self._count = np.concatenate([self._count, np.zeros(more, np.int64)])
