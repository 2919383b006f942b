"""The embedding of a pool of cells as compiled searches read it: one for all runs, or one a run.

A search asks a pool for the embedding of cells, for the nearest cell to a point (`nearest`) and for
all cells in chunks. What is asked on a device is made once, for the rows (runs) it holds.

Shapes: P rows, M cells, D embedding dimensions, V visited cells, C cells in a chunk.
"""

import numpy as np
import tensorflow as tf

from nas_tf.arch2vec.nearest import NearestCells, RunNearestCells
from nas_tf.core import ceil_div
from nas_tf.graphs import CellGraphs
from nas_tf.pools.pool import each_once

_CHUNK = 1 << 14  # cells in a chunk, at most
_ALIGNED = 16  # cells; a chunk is a multiple of it


class SharedEmbedding:
    """One embedding for all runs."""

    def __init__(self, values: np.ndarray):
        """Args: values: float32 [M, D].

        Raises:
            ValueError: the embedding is empty, no matrix or not finite.
        """
        self._values = np.asarray(values, np.float32)
        if self._values.ndim != 2 or not self._values.size:
            raise ValueError(f"embedding of shape {self._values.shape} is no matrix")
        if not np.isfinite(self._values).all():
            raise ValueError("the embedding has values that are not finite")
        self.num_cells, self.depth = self._values.shape

    def take(self, cells: np.ndarray) -> "SharedEmbedding":
        """Returns the embedding of some cells, int [K]."""
        return SharedEmbedding(self._values[cells])

    def of(self, cells: np.ndarray) -> np.ndarray:
        """Returns float32 [P, ..., D], the embeddings of cells int [P, ...]."""
        return self._values[cells]

    def nearest(self, unused_rows: slice, device: str | None) -> NearestCells:
        """Returns a device's finder of nearest cells."""
        with tf.device(device):
            return NearestCells(self._values)

    def chunks(self, unused_rows: slice, device: str | None) -> "SharedChunks":
        """Returns all cells on a device."""
        return SharedChunks(self._values, device)


class SharedChunks:
    """All cells on a device.

    Attributes:
        num_chunks: how many.
        size: C, cells in a chunk.
    """

    def __init__(self, values: np.ndarray, device: str | None):
        """Args: values: float32 [M, D]; device: where they are put."""
        self.num_chunks, self.size = _division(len(values))
        table = np.zeros((self.num_chunks * self.size, values.shape[1] + 1), np.float32)
        table[: len(values), :-1] = values
        table[:, -1] = 1.0
        with tf.device(device):
            self._table = tf.constant(table.reshape(self.num_chunks, self.size, -1))

    def get(self, unused_row: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
        """Returns float32 [C, D + 1], the embeddings of a chunk's cells and ones."""
        return self._table[number]


class RunEmbeddings:
    """An embedding for every run, which may change; zeros at first.

    It belongs to one search. Memory: M x D floats a run, on the device that computes the run. Rows
    of the variables are gathered and scattered, never sliced: a slice reads the whole variable,
    which is copied for it once a row was written.
    """

    def __init__(self, num_cells: int, depth: int):
        """Makes it for M cells and D dimensions."""
        self.num_cells, self.depth = num_cells, depth
        self._parts: list[tuple[slice, tf.Variable]] = []

    def take(self, cells: np.ndarray) -> "RunEmbeddings":
        """Returns itself, for it embeds no cells but all, int [M].

        Raises:
            ValueError: they are not all.
        """
        if len(cells) != self.num_cells:
            raise ValueError(f"{len(cells)} of {self.num_cells} cells: embeddings of all runs")
        return self

    def of(self, cells: np.ndarray) -> np.ndarray:
        """Returns float32 [P, ..., D], the embeddings of each run's cells int [P, ...]."""
        found = np.zeros((*cells.shape, self.depth), np.float32)
        for rows, table in self._parts:
            part = np.maximum(cells[rows], 0)
            if len(part):
                runs = np.arange(len(part)).reshape(-1, *[1] * (part.ndim - 1))
                indices = np.stack([np.broadcast_to(runs, part.shape), part], axis=-1)
                found[rows] = table.gather_nd(indices.astype(np.int32)).numpy()
        return found

    def assign(self, run: int, values: np.ndarray) -> None:
        """Sets a run's embedding, float32 [M, D]."""
        for rows, table in self._parts:
            if rows.start <= run < rows.stop:
                row = np.zeros((1, *table.shape[1:]), np.float32)
                row[0, : self.num_cells] = values
                table.scatter_update(tf.IndexedSlices(row, np.array([run - rows.start])))

    def nearest(self, rows: slice, device: str | None) -> RunNearestCells:
        """Returns a device's finder of nearest cells for the runs it holds."""
        return RunNearestCells(self._table(rows, device), self.num_cells)

    def chunks(self, rows: slice, device: str | None) -> "RunChunks":
        """Returns all cells on a device, for the runs it holds."""
        return RunChunks(self._table(rows, device), self.num_cells)

    def _table(self, rows: slice, device: str | None) -> tf.Variable:
        num_chunks, size = _division(self.num_cells)
        with tf.device(device):
            table = tf.Variable(tf.zeros([rows.stop - rows.start, num_chunks * size, self.depth]))
        self._parts.append((rows, table))
        return table


class RunChunks:
    """All cells of every run of a device; attributes as in `SharedChunks`."""

    def __init__(self, table: tf.Variable, num_cells: int):
        """Args: table: float32 [P, chunks x C, D]; num_cells: M."""
        self.num_chunks, self.size = _division(num_cells)
        self._table = table

    def get(self, row: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
        """Returns float32 [C, D + 1], the embeddings a row's chunk of cells has, and ones."""
        start = number * self.size
        values = tf.gather(self._table, row)[start : start + self.size]
        values = tf.ensure_shape(values, [self.size, self._table.shape[2]])
        return tf.concat([values, tf.ones([self.size, 1])], axis=1)


def as_pool(
    embedding: "np.ndarray | RunEmbeddings", cells: CellGraphs
) -> tuple[CellGraphs, SharedEmbedding | RunEmbeddings]:
    """Returns a pool with every architecture once, and its embedding.

    Args:
        embedding: float32 [M, D] or one for every run.
        cells: the pool [M] it embeds; of cells with the same key the first is taken. With an
            embedding for every run there must be none.

    Raises:
        ValueError: the embedding is not one of cells of shape [M], or not finite.
    """
    pool = embedding if isinstance(embedding, RunEmbeddings) else SharedEmbedding(embedding)
    if (pool.num_cells,) != cells.shape:
        raise ValueError(
            f"embedding of shape ({pool.num_cells}, {pool.depth}) for cells {cells.shape}"
        )
    kept, first = each_once(cells)
    return kept, pool if kept is cells else pool.take(first)


def _division(num_cells: int) -> tuple[int, int]:
    """Returns into how many chunks cells are divided, and a chunk's size."""
    num_chunks = ceil_div(num_cells, _CHUNK)
    return num_chunks, ceil_div(num_cells, num_chunks * _ALIGNED) * _ALIGNED
