"""Rows of NAS-Bench-101 record files grouped into cells, and checked against each other.

What is checked, beside every row by itself (`nasbench101_rows`):

* every hash is the official one of its graph, so that rows of one hash have isomorphic graphs and
  rows of two do not. For the complete benchmark this is decided by comparing one checksum a cell
  size over all (graph, hash) pairs with its known value; where that differs (parts of the
  benchmark, or damage) every MD5 hash is computed, which takes about 0.02 ms a cell;
* rows of a cell have the same number of trainable parameters;
* no training is there twice: rows of one cell and number of epochs that agree in every number come
  from two copies of one file, not from two trainings;
* every cell has the same numbers of epochs and, at each, the same number of repeats.

Shapes: n rows, M cells, E numbers of epochs, R repeats.
"""

import os
import pathlib

import numpy as np
from absl import logging

from nas_tf import caching, core, graphs
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.tables import nasbench101_rows, records

_NOTICE_CELLS = 20_000  # hashing more of them takes seconds and is announced
_HASH_CHUNK = 4096
# Cells of the complete benchmark by number of nodes: (how many, `pairs_checksum` of them).
COMPLETE_CHECKSUMS = {
    2: (1, 0x446F8D2EA64B7E7A),
    3: (6, 0xCE5484CCEEBF2368),
    4: (84, 0xA1F875531C8EF766),
    5: (2441, 0xAC313538C3F0CAFF),
    6: (62010, 0x610A27A4E9609955),
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
    distinct, index = _distinct_graphs(rows, path)
    _check_hashes(rows, distinct, index, first_row, cell_of_row, path)
    _check_parameters(rows, first_row[cell_of_row], path)
    _check_copies(rows, path)
    epochs, repeats = _check_repeats(rows, order, cell_of_row, path)
    rank = np.argsort(first_row)
    cells = distinct[index[first_row[rank]]]
    table = order.reshape(len(first), -1)[rank]
    shape = (len(first), len(epochs), repeats, 2)
    columns = {
        name: rows.metrics[table.ravel(), number].reshape(shape)
        for number, name in enumerate(nasbench101_rows.METRICS)
    }
    return {
        "adjacency": cells.adjacency,
        "ops": cells.ops,
        "num_nodes": cells.num_nodes,
        "keys": cells.keys,
        "hashes": nasbench101_rows.hash_strings(rows.hashes[first_row[rank]]),
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
    """Parses all chunks of a file, with a progress bar."""
    size = path.stat().st_size if path.is_file() else None
    with caching.progress_bar(
        total=size, unit="B", unit_scale=True, desc=f"Reading {path.name}"
    ) as bar:
        chunks = records.read_chunks(path, progress=bar.update)
        return nasbench101_rows.concatenate([nasbench101_rows.parse_rows(c) for c in chunks])


def _order_rows(rows: nasbench101_rows.Rows) -> tuple[np.ndarray, np.ndarray]:
    """Sorts rows by hash, then epochs, then position in the file.

    Returns:
        int64 [n], the order, and int64 [M], where in it each cell begins.
    """
    order = np.lexsort((rows.epochs, rows.hashes[:, 1], rows.hashes[:, 0]))
    ordered = rows.hashes[order]
    changes = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order, np.concatenate([np.zeros(1, np.int64), np.flatnonzero(changes) + 1])


def _distinct_graphs(
    rows: nasbench101_rows.Rows, path: str | os.PathLike
) -> tuple[CellGraphs, np.ndarray]:
    """Checks that all graphs are in the space.

    Returns:
        The graphs as written, each once; and int64 [n], which of them every row has.
    """
    packed, index = np.unique(rows.graphs, return_inverse=True)
    distinct = nasbench101_rows.unpack_graphs(packed)
    reason = nasbench101.NasBench101Space().check(distinct)
    if reason.any():
        row = int(np.argmax(reason[index] != 0))
        text = nasbench101.Invalid(reason[index[row]]).text
        raise core.DataError(f"{_where(rows, row, path)}: a cell outside the space, {text}")
    return distinct, index


def _check_hashes(
    rows: nasbench101_rows.Rows,
    distinct: CellGraphs,
    index: np.ndarray,
    first_row: np.ndarray,
    cell_of_row: np.ndarray,
    path: str | os.PathLike,
) -> None:
    """Checks that the hash of every row is the official one of its graph.

    Args:
        rows: of the whole file.
        distinct: graphs as written.
        index: int64 [n], the graph of every row.
        first_row: int64 [M], the first row of every hash.
        cell_of_row: int64 [n], the hash of every row, as its index in `first_row`.
        path: of the file, for messages.
    """
    row_keys = distinct.keys[index]
    other = np.flatnonzero(row_keys != row_keys[first_row][cell_of_row])
    checked = np.sort(np.concatenate([first_row, other]))  # every pair of hash and key
    cells, hashes = distinct[index[checked]], rows.hashes[checked]
    sizes = np.unique(cells.num_nodes)
    doubtful = [np.zeros(0, np.int64)] + [here for size in sizes if not _is_complete(
        cells, hashes, here := np.flatnonzero(cells.num_nodes == size), int(size)
    )]
    doubtful = np.sort(np.concatenate(doubtful))
    if not doubtful.size:
        return
    suspect = _contradicts(cells.keys, cell_of_row[checked])[doubtful]
    wrong = _first_wrong_hash(cells, hashes, doubtful[np.argsort(~suspect, kind="stable")])
    if wrong is not None:
        expected = nasbench101.NasBench101Space().md5_hashes(cells[wrong:wrong + 1])[0]
        raise core.DataError(
            f"{_where(rows, int(checked[wrong]), path)}: wrong hash {_hash_text(hashes[wrong])}, "
            f"its cell's is {expected}; download or build the file again"
        )


def _contradicts(keys: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Returns bool [k]: a pair of key and cell [k] shares one with another pair."""
    shared = np.zeros(len(keys), bool)
    for values in (keys, cells):
        _, index, count = np.unique(values, return_inverse=True, return_counts=True)
        shared |= count[index] > 1
    return shared


def _first_wrong_hash(
    cells: CellGraphs, hashes: np.ndarray, doubtful: np.ndarray
) -> int | None:
    """Computes MD5 hashes until one is not the cell's.

    Args:
        cells: a batch [k].
        hashes: uint64 [k, 2], to compare with.
        doubtful: int64 [d], which cells to look at, in this order.

    Returns:
        Its index in the batch.
    """
    many = doubtful.size > _NOTICE_CELLS
    if many:
        logging.info("Checking %s hashes, about 0.02 ms each", f"{doubtful.size:,}")
    space = nasbench101.NasBench101Space()
    chunks = range(0, doubtful.size, _HASH_CHUNK)
    for start in caching.progress_bar(
        chunks, desc="Checking hashes", leave=False, disable=not many
    ):
        part = doubtful[start:start + _HASH_CHUNK]
        expected = nasbench101_rows.hash_halves(space.md5_hashes(cells[part]))
        wrong = (expected != hashes[part]).any(axis=1)
        if wrong.any():
            return int(part[np.argmax(wrong)])
    return None


def _check_parameters(
    rows: nasbench101_rows.Rows, first_row: np.ndarray, path: str | os.PathLike
) -> None:
    """Compares the parameters of every row with those of its cell's first row, int64 [n]."""
    differs = rows.trainable_parameters != rows.trainable_parameters[first_row]
    if differs.any():
        row = int(np.argmax(differs))
        raise core.DataError(
            f"{_where(rows, row, path)}: its number of trainable parameters differs from that of "
            "an earlier record of the cell"
        )


def _check_copies(rows: nasbench101_rows.Rows, path: str | os.PathLike) -> None:
    """Raises DataError for the first row that an earlier one repeats, number for number."""
    digest = rows.hashes[:, 0] ^ rows.epochs.astype(np.uint64)
    metrics = np.ascontiguousarray(rows.metrics.reshape(len(rows), -1))
    for column in metrics.view(np.uint64).T:
        digest = graphs.scramble(digest + graphs.SPLIT_MIX_STEP) ^ column
    order = np.argsort(digest, kind="stable")
    before, after = order[:-1], order[1:]
    same = digest[before] == digest[after]
    before, after = before[same], after[same]
    same = (rows.hashes[before] == rows.hashes[after]).all(axis=1)
    same &= rows.epochs[before] == rows.epochs[after]
    same &= (metrics[before] == metrics[after]).all(axis=1)
    if same.any():
        first = int(np.argmin(np.where(same, after, len(rows))))
        earlier, row = int(before[first]), int(after[first])
        raise core.DataError(
            f"{_where(rows, row, path)}: the same training as record {earlier} at byte offset "
            f"{int(rows.offsets[earlier])}; a copy is no repeat, build the file again"
        )


def _check_repeats(
    rows: nasbench101_rows.Rows,
    order: np.ndarray,
    cell_of_row: np.ndarray,
    path: str | os.PathLike,
) -> tuple[np.ndarray, int]:
    """Returns the numbers of epochs, int32 [E], and the number of repeats, R."""
    epochs, index = np.unique(rows.epochs, return_inverse=True)
    cell, epoch = cell_of_row[order], index[order]
    num_cells = int(cell[-1]) + 1
    start = np.flatnonzero(np.diff(cell, prepend=-1) | np.diff(epoch, prepend=-1))
    rare = 2 * np.bincount(epoch[start]) <= num_cells
    if rare.any():
        row = int(np.argmax(rare[index]))
        raise core.DataError(
            f"{_where(rows, row, path)}: {rows.epochs[row]} epochs, most other cells have no such "
            "record; download or build the file again"
        )
    counts = np.zeros((num_cells, len(epochs)), np.int64)
    counts[cell[start], epoch[start]] = np.diff(np.append(start, len(rows)))
    repeats = int(np.bincount(counts[counts > 0]).argmax())
    wrong = (counts != repeats).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong[cell_of_row]))
        found = zip(counts[cell_of_row[row]], epochs)
        text = ", ".join(f"{count} of {number} epochs" for count, number in found)
        raise core.DataError(
            f"{_where(rows, row, path)}: its cell {_hash_text(rows.hashes[row])} has records "
            f"{text}; most often there are {repeats}; download or build the file again"
        )
    return epochs, repeats


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
