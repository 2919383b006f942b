"""Rows of NAS-Bench-101 record files grouped into cells, and checked against each other.

What is checked, beside every row by itself (`nasbench101_rows`):

* every cell has the same numbers of epochs and, at each, the same number of repeats;
* hash and graph belong together: rows of one hash have isomorphic graphs, rows of two hashes
  do not, and the hash is the official one of the graph. For the complete benchmark the last
  point is decided by comparing one checksum a cell size over all (graph, hash) pairs with its
  known value; where that differs (parts of the benchmark, or damage) every MD5 hash is computed,
  which takes about 0.1 ms a cell.

Shapes: n rows, M cells, E numbers of epochs, R repeats.
"""

import os
import pathlib

import numpy as np
import tqdm
from absl import logging

from nas_tf import core
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.tables import nasbench101_rows, records

_NOTICE_CELLS = 20_000  # hashing more of them is worth a line in the log
_HASH_CHUNK = 4096
# Cells of the complete benchmark by number of nodes: (how many, `pairs_checksum` of them).
COMPLETE_CHECKSUMS = {
    2: (1, 0x678371F47B41EFF6),
    3: (6, 0x23F0E2675A6BB005),
    4: (84, 0x8985FCF196A9886E),
    5: (2441, 0x242074613E135E71),
    6: (62010, 0x44D8C91D3E5F5ADF),
    7: (359082, 0xF41409C3AD466A66),
}


def read_columns(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads a record file, plain or gzip-compressed, from the start to the end.

    Cells are in the order of their first rows, repeats in the order of theirs.

    Args:
        path: the record file.

    Returns:
        Columns `adjacency` uint8 [M, 7, 7], `ops` int8 [M, 7], `num_nodes` int8 [M], `keys`
        uint64 [M], `hashes` 'S32' [M], `epochs` int32 [E] (ascending), `trainable_parameters`
        int32 [M], and of every one of `nasbench101_rows.METRICS` float64 [M, E, R, 2] (half-way,
        end).

    Raises:
        core.DataError: the file is missing, empty, damaged, or no NAS-Bench-101 file; the message
            has the path and, where there is one, the record and its byte offset.
    """
    return group_rows(_read_rows(pathlib.Path(path)), path)


def group_rows(
    rows: nasbench101_rows.Rows, path: str | os.PathLike
) -> dict[str, np.ndarray]:
    """Groups rows into columns; see `read_columns`.

    Args:
        rows: of the whole file.
        path: of the file, for messages.

    Raises:
        core.DataError: rows contradict each other.
    """
    order, first = _order_rows(rows)
    cell_of_row = np.empty(len(rows), np.int64)
    sizes = np.diff(np.append(first, len(rows)))
    cell_of_row[order] = np.repeat(np.arange(len(first)), sizes)
    first_row = np.minimum.reduceat(order, first)
    rank = np.argsort(first_row)
    epochs, repeats = _check_repeats(rows, order, cell_of_row, path)
    table = order.reshape(len(first), -1)[rank]
    cells = _check_graphs(rows, cell_of_row, first_row, path)[rank]
    hashes = rows.hashes[first_row[rank]]
    _check_hashes(cells, hashes, rows.offsets, first_row[rank], path)
    shape = (len(first), len(epochs), repeats, 2)
    columns = {
        name: rows.metrics[table.ravel(), index].reshape(shape)
        for index, name in enumerate(nasbench101_rows.METRICS)
    }
    return {
        "adjacency": cells.adjacency,
        "ops": cells.ops,
        "num_nodes": cells.num_nodes,
        "keys": cells.keys,
        "hashes": nasbench101_rows.hash_strings(hashes),
        "epochs": epochs,
        "trainable_parameters": rows.trainable_parameters[first_row[rank]],
        **columns,
    }


def pairs_checksum(keys: np.ndarray, hashes: np.ndarray) -> int:
    """Returns a checksum of (key, hash) pairs that does not depend on their order.

    Args:
        keys: uint64 [M].
        hashes: uint64 [M, 2].
    """
    mixed = keys ^ (hashes[:, 0] * np.uint64(0x9E3779B97F4A7C15))
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    mixed = (mixed ^ (mixed >> np.uint64(29)) ^ hashes[:, 1]) * np.uint64(0xA0761D6478BD642F)
    return int(np.sum(mixed ^ (mixed >> np.uint64(32)), dtype=np.uint64))


def _read_rows(path: pathlib.Path) -> nasbench101_rows.Rows:
    """Parses all chunks of a file, with a progress bar on a terminal."""
    size = path.stat().st_size if path.is_file() else None
    with tqdm.tqdm(
        total=size, unit="B", unit_scale=True, desc=f"Reading {path.name}", disable=None
    ) as bar:
        chunks = records.read_chunks(path, progress=bar.update)
        return nasbench101_rows.concatenate([nasbench101_rows.parse_rows(c) for c in chunks])


def _order_rows(rows: nasbench101_rows.Rows) -> tuple[np.ndarray, np.ndarray]:
    """Sorts rows by hash, then epochs, then place in the file.

    Returns:
        int64 [n], the order, and int64 [M], where in it each cell begins.
    """
    order = np.lexsort((rows.epochs, rows.hashes[:, 1], rows.hashes[:, 0]))
    ordered = rows.hashes[order]
    changes = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order, np.concatenate([np.zeros(1, np.int64), np.flatnonzero(changes) + 1])


def _check_repeats(
    rows: nasbench101_rows.Rows,
    order: np.ndarray,
    cell_of_row: np.ndarray,
    path: str | os.PathLike,
) -> tuple[np.ndarray, int]:
    """Returns the numbers of epochs, int32 [E], and the number of repeats, R."""
    epochs, index = np.unique(rows.epochs, return_inverse=True)
    num_cells = int(cell_of_row.max()) + 1
    counts = np.bincount(cell_of_row * len(epochs) + index, minlength=num_cells * len(epochs))
    repeats = int(np.bincount(counts).argmax())
    wrong = np.flatnonzero(counts != repeats)
    if wrong.size:
        cell, epoch = divmod(int(wrong[0]), len(epochs))
        row = order[np.searchsorted(cell_of_row[order], cell)]
        raise core.DataError(
            f"{path}: cell {_hash_text(rows.hashes[row])} has {counts[wrong[0]]} rows of "
            f"{epochs[epoch]} epochs, most cells have {repeats}; the file is incomplete"
        )
    return epochs, repeats


def _check_graphs(
    rows: nasbench101_rows.Rows,
    cell_of_row: np.ndarray,
    first_row: np.ndarray,
    path: str | os.PathLike,
) -> CellGraphs:
    """Checks that rows of a hash, and only they, have isomorphic graphs.

    Returns:
        The cells [M], sorted by hash, each as its first row has it, with keys.
    """
    packed, index = np.unique(rows.graphs, return_inverse=True)
    distinct = nasbench101_rows.unpack_graphs(packed)
    row_keys = distinct.keys[index]
    reason = nasbench101.NasBench101Space().check(distinct)
    if reason.any():
        row = int(np.argmax(reason[index] != 0))
        text = nasbench101.Invalid(reason[index[row]]).text
        raise core.DataError(f"{_where(rows, row, path)}: a cell outside the space, {text}")
    other = np.flatnonzero(row_keys != row_keys[first_row][cell_of_row])
    if other.size:
        row = int(other[0])
        raise core.DataError(
            f"{_where(rows, row, path)}: hash {_hash_text(rows.hashes[row])} belongs to another "
            "cell in an earlier record"
        )
    keys = row_keys[first_row]
    ordered = np.sort(first_row)
    _, position, count = np.unique(
        row_keys[ordered], return_index=True, return_counts=True
    )
    if (count > 1).any():
        row = int(ordered[position[np.argmax(count > 1)]])
        raise core.DataError(
            f"{_where(rows, row, path)}: its cell occurs again under another hash "
            f"than {_hash_text(rows.hashes[row])}"
        )
    differs = rows.trainable_parameters != rows.trainable_parameters[first_row][cell_of_row]
    if differs.any():
        row = int(np.argmax(differs))
        raise core.DataError(
            f"{_where(rows, row, path)}: its number of trainable parameters differs from that of "
            "an earlier record of the cell"
        )
    return distinct[index[first_row]].with_keys(keys)


def _check_hashes(
    cells: CellGraphs,
    hashes: np.ndarray,
    offsets: np.ndarray,
    first_row: np.ndarray,
    path: str | os.PathLike,
) -> None:
    """Checks that every cell's hash, uint64 [M, 2], is the official one."""
    sizes = np.unique(cells.num_nodes)
    doubtful = [here for size in sizes if not _is_complete(
        cells, hashes, here := np.flatnonzero(cells.num_nodes == size), int(size)
    )]
    doubtful = np.sort(np.concatenate(doubtful)) if doubtful else np.zeros(0, np.int64)
    if doubtful.size > _NOTICE_CELLS:
        logging.info(
            "%s is not the complete benchmark: checking %d MD5 hashes, about 0.1 ms each",
            path, doubtful.size,
        )
    space = nasbench101.NasBench101Space()
    for start in tqdm.trange(
        0, doubtful.size, _HASH_CHUNK, desc="Checking hashes", leave=False,
        disable=None if doubtful.size > _NOTICE_CELLS else True,
    ):
        part = doubtful[start:start + _HASH_CHUNK]
        expected = space.md5_hashes(cells[part])
        wrong = (nasbench101_rows.hash_halves(expected) != hashes[part]).any(axis=1)
        if wrong.any():
            cell = int(np.argmax(wrong))
            row = int(first_row[part[cell]])
            raise core.DataError(
                f"{records.where(path, row, int(offsets[row]))}: wrong hash "
                f"{_hash_text(hashes[part[cell]])}, its cell's is {expected[cell]}"
            )


def _is_complete(
    cells: CellGraphs, hashes: np.ndarray, here: np.ndarray, num_nodes: int
) -> bool:
    """Returns whether the cells of one size are all there are, with their official hashes."""
    count, checksum = COMPLETE_CHECKSUMS.get(num_nodes, (0, 0))
    return len(here) == count and pairs_checksum(cells.keys[here], hashes[here]) == checksum


def _where(rows: nasbench101_rows.Rows, row: int, path: str | os.PathLike) -> str:
    return records.where(path, row, int(rows.offsets[row]))


def _hash_text(halves: np.ndarray) -> str:
    return f"{int(halves[0]):016x}{int(halves[1]):016x}"
