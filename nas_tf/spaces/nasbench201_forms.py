"""Cells of NAS-Bench-201 as other libraries number them.

* NASLib's `op_indices`: six numbers, edges in the order 0-1, 0-2, 0-3, 1-2, 1-3, 2-3 (by source),
  operations numbered skip_connect, none, nor_conv_3x3, nor_conv_1x1, avg_pool_3x3;
* NATS-Bench's numbers: operations numbered none, skip_connect, nor_conv_1x1, nor_conv_3x3,
  avg_pool_3x3 (its `str2matrix`), here six of them with edges in the order of its strings, 0-1,
  0-2, 1-2, 0-3, 1-3, 2-3 (by target); or the 4 x 4 matrix that `str2matrix` returns, with the
  operation from node j to node i at [i, j];
* genotypes, as `str2lists` returns them: for the nodes 1, 2 and 3 lists of (operation, source).

Six numbers do not show which library they are of: it must be said.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench201_cells, nasbench201_text

NUMBERINGS = ("naslib", "nats_bench")

_LARGE = 1 << 31
_NATS_EDGES = nasbench201_cells.EDGES
_NATS_OPS = nasbench201_cells.EDGE_OPS
_EDGES = {"naslib": tuple(sorted(_NATS_EDGES)), "nats_bench": _NATS_EDGES}
_OPS = {
    "naslib": ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"),
    "nats_bench": _NATS_OPS,
}


def from_op_indices(numbers: np.ndarray, numbering: str) -> CellGraphs:
    """Returns the cells of operation indices.

    Args:
        numbers: integers [..., 6].
        numbering: one of `NUMBERINGS`.

    Raises:
        InvalidArchitectureError: they are not six, or one is no operation.
        ValueError: the numbering is unknown.
    """
    edges, ops = _numbering(numbering)
    numbers = np.asarray(numbers)
    if numbers.shape[-1:] != (len(edges),) or not np.issubdtype(numbers.dtype, np.integer):
        raise InvalidArchitectureError(
            f"operation indices {_short(numbers)}: expected six whole numbers, one an edge"
        )
    wrong = (numbers < 0) | (numbers >= len(ops))
    if wrong.any():
        raise InvalidArchitectureError(
            f"operation index {numbers[wrong][0]}: expected 0 to {len(ops) - 1}, "
            f"{', '.join(ops)} ({numbering})"
        )
    labels = np.array([_NATS_OPS.index(op) for op in ops])
    matrix = np.zeros((*numbers.shape[:-1], 4, 4), np.int64)
    for index, (source, target) in enumerate(edges):
        matrix[..., source, target] = labels[numbers[..., index]]
    return nasbench201_cells.from_edges(matrix)


def to_op_indices(cells: CellGraphs, numbering: str) -> np.ndarray:
    """Returns int64 [..., 6], the operation indices of cells; see `from_op_indices`.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
        ValueError: the numbering is unknown.
    """
    edges, ops = _numbering(numbering)
    matrix = nasbench201_cells.to_edges(cells)
    numbers = np.array([ops.index(op) for op in _NATS_OPS])
    return np.stack([numbers[matrix[..., source, target]] for source, target in edges], axis=-1)


def from_nats_matrices(matrices: np.ndarray) -> CellGraphs:
    """Returns the cells of NATS-Bench's matrices, integers (also as floats) [..., 4, 4].

    Raises:
        InvalidArchitectureError: a matrix is not lower-triangular, or a number no operation.
    """
    matrices = np.asarray(matrices)
    if np.issubdtype(matrices.dtype, np.floating) and (matrices == np.floor(matrices)).all():
        matrices = matrices.astype(np.int64)  # `str2matrix` returns floats
    if matrices.shape[-2:] == (4, 4) and np.triu(matrices).any():
        raise InvalidArchitectureError(
            f"matrix {_short(matrices)}: expected NATS-Bench's, with the operation from node j to "
            "a later node i at [i, j] and zeros elsewhere"
        )
    edges = matrices.swapaxes(-1, -2) if matrices.ndim > 1 else matrices
    return nasbench201_cells.from_edges(edges)


def from_value(value: Any, numbering: str = "naslib") -> CellGraphs:
    """Returns the cell, [], that a text or a value of a JSON file describes.

    Args:
        value: a string of the benchmark; six operation indices, in a list or as text separated by
            commas or spaces; a 4 x 4 matrix of `str2matrix`; a genotype; or a mapping with
            `arch_str` or `op_indices`.
        numbering: of operation indices, one of `NUMBERINGS`.

    Raises:
        InvalidArchitectureError: it describes no cell.
    """
    if isinstance(value, Mapping):
        return from_value(_only(value), numbering)
    if isinstance(value, str):
        numbers = value.replace(",", " ").split()
        if not (numbers and all(re.fullmatch("[0-9]{1,9}", part) for part in numbers)):
            return nasbench201_cells.from_strings(np.array([value]))[0]
        value = [int(part) for part in numbers]
    array = _numbers(value)
    if array is not None:
        matrix = array.ndim == 2
        if matrix and array.shape != (4, 4):
            raise InvalidArchitectureError(
                f"{_short(value)}: expected six operation indices or a 4 x 4 matrix"
            )
        return from_nats_matrices(array) if matrix else from_op_indices(array, numbering)
    return nasbench201_cells.from_strings(np.array([_spelled(value)]))[0]


def to_values(cells: CellGraphs) -> list[dict[str, str]]:
    """Returns `arch_str` of each of cells [B].

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    return [{"arch_str": text} for text in nasbench201_cells.to_strings(cells).tolist()]


def _numbering(name: str) -> tuple[tuple[tuple[int, int], ...], tuple[str, ...]]:
    """Returns the order of the edges and that of the operations."""
    if name not in NUMBERINGS:
        raise ValueError(f"numbering={name!r}: expected {' or '.join(NUMBERINGS)}")
    return _EDGES[name], _OPS[name]


def _only(value: Mapping) -> Any:
    for name in ("arch_str", "op_indices"):
        if name in value:
            return value[name]
    raise InvalidArchitectureError(
        f"fields {', '.join(map(str, value)) or '(none)'}: expected arch_str or op_indices"
    )


def _numbers(value: Any) -> np.ndarray | None:
    """Returns a list, or a list of equally long lists, of whole numbers as an array."""
    rows = value if _is_list(value) else [value]
    if rows and all(_is_list(row) for row in rows):
        same = len({len(row) for row in rows}) == 1
        whole = same and all(_is_number(item) for row in rows for item in row)
        return np.array([list(row) for row in rows], np.int64) if whole and len(rows[0]) else None
    return np.array(list(rows), np.int64) if rows and all(map(_is_number, rows)) else None


def _spelled(value: Any) -> str:
    """Returns the string of a genotype; raises InvalidArchitectureError where it is none."""
    try:
        return nasbench201_text.spelled([[(str(op), int(source)) for op, source in node]
                                         for node in value])
    except (TypeError, ValueError):
        raise InvalidArchitectureError(
            f"{_short(value)} is no NAS-Bench-201 cell: expected its string, six operation "
            "indices, a 4 x 4 matrix or three lists of (operation, source)"
        ) from None


def _is_list(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes))


def _is_number(value: Any) -> bool:
    """Tells whether a value is a whole number, such as an operation or an edge may have."""
    if isinstance(value, float):
        return value.is_integer() and abs(value) < _LARGE
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and abs(value) < _LARGE


def _short(value: Any) -> str:
    text = " ".join(repr(value.tolist() if isinstance(value, np.ndarray) else value).split())
    return text if len(text) <= 80 else text[:77] + "..."
