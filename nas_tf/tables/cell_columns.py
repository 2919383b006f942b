"""Which cell a row of a CSV file is of.

* `module_hash`: the official MD5 hash of a NAS-Bench-101 cell;
* `matrix` and `operations`: JSON lists, an adjacency matrix and the names of its operations;
* `architecture` or `arch_str`: the text, or JSON value, that the space reads.

Shapes: M rows.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_tf import graphs
from nas_tf.core import DataError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import hash_index, module_hashes
from nas_tf.spaces.nasbench101_cells import OP_NAMES
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables.csv_rows import CsvRows, quote

HASH, MATRIX, OPERATIONS, TEXTS = "module_hash", "matrix", "operations", ("architecture", "arch_str")
NAMED_BY = "module_hash, matrix and operations, or architecture"


def names_cells(header: Sequence[str]) -> bool:
    """Tells whether there are columns that say which cell a row is of."""
    return HASH in header or {MATRIX, OPERATIONS} <= set(header) or any(t in header for t in TEXTS)


def cells_of_rows(rows: CsvRows, space: SearchSpace) -> CellGraphs:
    """Returns the cells [M] of rows, each of them once and all in the space.

    Raises:
        DataError: a row is of no cell of the space, or of the same one as an earlier row.
    """
    if HASH in rows.texts:
        column, cells = HASH, _of_hashes(rows, space)
    elif MATRIX in rows.texts:
        column, cells = MATRIX, _of_values(rows, space, MATRIX, _graph_values(rows))
    else:
        column = next(name for name in TEXTS if name in rows.texts)
        cells = _of_values(rows, space, column, [_value(text) for text in rows.texts[column]])
    rows.check_each_once(column, cells.keys)
    return cells


def _of_hashes(rows: CsvRows, space: SearchSpace) -> CellGraphs:
    """Returns the NAS-Bench-101 cells of official hashes."""
    if tuple(space.op_names) != OP_NAMES:
        raise DataError(
            f"{rows.path}: row 1, column {HASH}: NAS-Bench-101's hashes, the table is read for "
            f"{space.name}; name the cells by another column, or give the file as NAS-Bench-101's"
        )
    texts = [text.strip().lower() for text in rows.texts[HASH]]
    for row, text in enumerate(texts):
        if len(text) != module_hashes.HASH_CHARS or not text.isalnum() or not text.isascii():
            fault = f"{quote(rows.texts[HASH][row])}, expected 32 hexadecimal digits"
            raise rows.error(row, HASH, fault)
    cells, index, known = hash_index.find_hashes(np.array(texts, "S32"))
    if not known.all():
        row = int(np.argmin(known))
        raise rows.error(row, HASH, f"{texts[row]} is no NAS-Bench-101 cell's hash")
    return cells[index]


def _graph_values(rows: CsvRows) -> list[dict[str, Any]]:
    """Returns matrix and operations of every row."""
    if OPERATIONS not in rows.texts:
        raise DataError(f"{rows.path}: row 1: no column {OPERATIONS} beside {MATRIX}")
    values = []
    for row in range(len(rows.numbers)):
        parts = {MATRIX: _json(rows, row, MATRIX), "ops": _json(rows, row, OPERATIONS)}
        values.append(parts)
    return values


def _json(rows: CsvRows, row: int, column: str) -> Any:
    """Returns the JSON list of a field."""
    text = rows.texts[column][row]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list):
        raise rows.error(row, column, f"{quote(text)} is no JSON list")
    return value


def _value(text: str) -> Any:
    """Returns what a text is in JSON where it is a list or an object, else the text."""
    if text.lstrip()[:1] not in ("[", "{"):
        return text.strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()


def _of_values(
    rows: CsvRows, space: SearchSpace, column: str, values: Sequence[Any]
) -> CellGraphs:
    """Returns the cells that the values of rows stand for in a space."""
    cells = []
    for row, value in enumerate(values):
        try:
            cells.append(_of_value(space, value).reshape(1))
        except InvalidArchitectureError as error:
            raise rows.error(row, column, f"no {space.title} cell: {error}") from error
    return CellGraphs.concatenate(cells)


def _of_value(space: SearchSpace, value: Any) -> CellGraphs:
    if space.has("from_value"):
        return space.from_value(value)
    if not isinstance(value, dict):
        raise InvalidArchitectureError(
            f"{space.name} reads no text; name cells by {MATRIX} and {OPERATIONS}"
        )
    return _of_graph(space, value[MATRIX], value["ops"])


def _of_graph(space: SearchSpace, matrix: list, operations: list) -> CellGraphs:
    """Returns the cell of a matrix and the names of its operations."""
    codes = {name: code for code, name in enumerate(space.op_names)}
    for node, name in enumerate(operations):
        if name not in codes:
            expected = ", ".join(space.op_names)
            raise InvalidArchitectureError(f"operation {name!r} of node {node}: not of {expected}")
    try:
        cells = CellGraphs.from_matrices(
            [matrix], [[codes[name] for name in operations]], space.max_nodes
        )
    except (ValueError, TypeError) as error:
        raise InvalidArchitectureError(str(error)) from error
    if space.has("check") and space.check(cells)[0]:
        raise InvalidArchitectureError(f"reason {int(space.check(cells)[0])} of {space.name}.check")
    if not graphs.is_upper_triangular(cells.adjacency)[0]:
        raise InvalidArchitectureError("an edge leads to the same or an earlier node")
    return cells[0]
