"""Cells of NAS-Bench-101 as JSON: an adjacency matrix and the names of operations.

    {"matrix": [[0, 1, 0], [0, 0, 1], [0, 0, 0]], "ops": ["input", "conv3x3-bn-relu", "output"]}

The fields may have the official names as well (`module_adjacency`, `module_operations`), and a pair
[matrix, ops] will do. Nodes on no path from input to output are pruned, as the benchmark does.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf import graphs
from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101_cells

MATRIX_FIELDS = ("matrix", "module_adjacency", "adjacency", "original_matrix")
OPS_FIELDS = ("ops", "module_operations", "operations", "original_ops")
_CODES = {name: code for code, name in enumerate(nasbench101_cells.OP_NAMES)}


def from_specs(specs: Iterable[Any]) -> CellGraphs:
    """Returns the pruned cells [B] of matrices and operations, padded to 7 nodes.

    Args:
        specs: B mappings, or B pairs (matrix, operations); see above.

    Raises:
        InvalidArchitectureError: one is no cell of the benchmark; the message has the first.
    """
    parts = [from_value(spec) for spec in specs]
    if not parts:
        return nasbench101_cells.enumerate_cells(2)[:0]
    return CellGraphs.concatenate([part.reshape(1) for part in parts])


def from_value(value: Any) -> CellGraphs:
    """Returns the pruned cell, [], of a mapping or a pair; see `from_specs`.

    Raises:
        InvalidArchitectureError: it is no cell of the benchmark.
    """
    matrix, ops = _fields(value)
    _check_matrix(matrix, len(ops))
    for node, name in enumerate(ops):
        if not isinstance(name, str) or name not in _CODES:
            raise InvalidArchitectureError(
                f"operation {name!r} of node {node}: expected {', '.join(_CODES)}"
            )
    batch = CellGraphs.from_matrices([matrix], [[_CODES[name] for name in ops]], len(ops))
    if not graphs.is_upper_triangular(batch.adjacency)[0]:
        raise _outside(nasbench101_cells.Invalid.NOT_UPPER_TRIANGULAR)
    pruned, connected = graphs.prune(batch)
    if not connected[0]:
        raise _outside(nasbench101_cells.Invalid.DISCONNECTED)
    cell = CellGraphs.from_matrices(*([part] for part in pruned.matrix(0)),
                                    max(len(ops), nasbench101_cells.MAX_VERTICES))
    reason = nasbench101_cells.check(cell)[0]
    if reason:
        raise _outside(nasbench101_cells.Invalid(reason))
    size = nasbench101_cells.MAX_VERTICES
    return CellGraphs(cell.adjacency[0, :size, :size], cell.ops[0, :size], cell.num_nodes[0])


def to_specs(cells: CellGraphs) -> list[dict[str, list]]:
    """Returns `matrix` and `ops` of cells [B], as Python objects: not for a hot path."""
    found = []
    for index in range(len(cells)):
        matrix, codes = cells.matrix(index)
        found.append({
            "matrix": matrix.tolist(), "ops": [nasbench101_cells.OP_NAMES[code] for code in codes]
        })
    return found


def _fields(value: Any) -> tuple[np.ndarray, list[str]]:
    """Returns matrix and operations as they are given."""
    if isinstance(value, Mapping):
        fields = MATRIX_FIELDS, OPS_FIELDS
        names = [[name for name in choice if name in value] for choice in fields]
        if not all(names):
            raise InvalidArchitectureError(
                f"fields {', '.join(map(str, value)) or '(none)'}: expected matrix and ops"
            )
        value = [value[choice[0]] for choice in names]
    pair = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
    if not pair or isinstance(value[1], str) or not isinstance(value[1], Sequence):
        raise InvalidArchitectureError(
            f'{_short(value)}: expected {{"matrix": [[...], ...], "ops": ["input", ..., "output"]}}'
        )
    return value[0], list(value[1])


def _check_matrix(matrix: Any, size: int) -> None:
    """Raises InvalidArchitectureError unless it is 0-1 [size, size]."""
    try:
        array = np.array(matrix)
    except ValueError:  # rows of different lengths
        array = np.zeros(0)
    if array.shape != (size, size) or size < 2:
        raise InvalidArchitectureError(
            f"matrix {_short(matrix)} for {size} operations: expected as many rows and columns"
        )
    if size > graphs.MAX_NODES:
        raise InvalidArchitectureError(f"{size} operations: expected {graphs.MAX_NODES} at most")
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool):
        raise InvalidArchitectureError(f"matrix {_short(matrix)}: expected zeros and ones")
    if not np.isin(array, (0, 1)).all():
        raise InvalidArchitectureError(f"matrix {_short(matrix)}: expected zeros and ones")


def _outside(reason: nasbench101_cells.Invalid) -> InvalidArchitectureError:
    return InvalidArchitectureError(f"outside NAS-Bench-101: {reason.text}")


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
