"""Files of cells that a user wrote: read, with the line that each cell comes from.

What a file holds is recognised by its content:

* a JSON document: a list of cells, one cell, or an object with a list `cells`;
* or a cell a line, each in a form of its own: a text such as NAS-Bench-201's strings, JSON, a
  Python tuple, `Genotype(...)`. Empty lines and those that begin with # are passed over.

What a value stands for says its space (`SearchSpace.from_value`). A whole number alone is a cell's
index in a table that numbers its cells.

Shapes: B cells of a file.
"""

import ast
import contextlib
import dataclasses
import json
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from nas_tf.core import DataError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace

_CELLS = re.compile(r'"cells"\s*:\s*(?=\[)')
_SPACES = re.compile(r"[\s,]*")
_INDEX = re.compile(r"-?[0-9]{1,7}")  # what has more digits is a text


@dataclasses.dataclass(frozen=True)
class Item:
    """A cell as it stands in a file.

    Attributes:
        line: where it begins, counted from 1.
        value: a text, or a value of JSON.
    """

    line: int
    value: Any


def read_cells(
    path: str | os.PathLike,
    space: SearchSpace,
    *,
    numbering: str = "naslib",
    numbered: CellGraphs | None = None,
) -> CellGraphs:
    """Reads the cells [B] of a file.

    Args:
        path: the file.
        space: of the cells.
        numbering: of operation indices, see `SearchSpace.from_value`.
        numbered: the cells that a whole number alone counts; None where there are none.

    Raises:
        DataError: the file is missing, holds no cells or something else; the message has the line.
        ConfigError: the space has no form as text.
    """
    path = pathlib.Path(path)
    items = read_items(path)

    def read(item: Item) -> CellGraphs:
        try:
            if _is_number(item.value):
                return _of_number(int(item.value), numbered)
            return space.from_value(item.value, numbering)
        except InvalidArchitectureError as error:
            raise DataError(f"{path}: line {item.line}: {error}") from error

    return CellGraphs.concatenate([read(item).reshape(1) for item in items])


def read_items(path: pathlib.Path) -> list[Item]:
    """Returns the cells of a file as they stand there.

    Raises:
        DataError: the file is missing, no text, or holds no cells.
    """
    text = read_text(path)
    items = _document(text)
    if items is None:
        items = [
            Item(number, _line_value(path, number, line.strip()))
            for number, line in enumerate(text.split("\n"), 1)
            if line.strip() and not line.lstrip().startswith("#")
        ]
    if not items:
        raise DataError(f"{path}: holds no cells")
    return items


def read_text(path: pathlib.Path) -> str:
    """Returns the text of a file.

    Raises:
        DataError: the file is missing, or no text.
    """
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file of cells") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: no text file (byte {error.start} is no UTF-8)") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _document(text: str) -> list[Item] | None:
    """Returns the cells of a JSON document; None where the text is no single one."""
    start = text.find(text.strip()[:1])
    if text.strip()[:1] not in ("[", "{") or not text.strip():
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, Mapping) and isinstance(value.get("cells"), list):
        starts = [match.end() for match in _CELLS.finditer(text)]
        return _elements(text, starts or [start], value["cells"])
    if isinstance(value, Mapping) or _is_one_cell(value):
        return [Item(text.count("\n", 0, start) + 1, value)]
    return _elements(text, [start], value)


def _elements(text: str, starts: list[int], values: list) -> list[Item]:
    """Returns the values of a list, with the lines they begin in.

    Args:
        text: of the document.
        starts: where the list may begin; elsewhere another list may have the same name.
        values: of the list.
    """
    for start in starts:
        with contextlib.suppress(ValueError):
            return _elements_at(text, start, values)
    return [Item(1, value) for value in values]


def _elements_at(text: str, start: int, values: list) -> list[Item]:
    """Does `_elements` for the list at `start`; raises ValueError where another one is there."""
    decoder, items = json.JSONDecoder(), []
    position, line = start + 1, 1 + text.count("\n", 0, start)
    for value in values:
        begin = _SPACES.match(text, position).end()
        items.append(Item(line + text.count("\n", position, begin), value))
        found, end = decoder.raw_decode(text, begin)
        if found != value:
            raise ValueError
        line, position = line + text.count("\n", position, end), end
    return items


def _line_value(path: pathlib.Path, number: int, line: str) -> Any:
    """Returns the value of a line: of JSON, of a Python tuple, or the text itself."""
    if line[0] not in '[{("':
        return int(line) if _INDEX.fullmatch(line) else line
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(line)
    try:
        return ast.literal_eval(line)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise DataError(
            f"{path}: line {number}: {line[:60]} is neither a cell, nor JSON, nor a Python tuple "
            "of numbers and texts"
        ) from error


def _is_one_cell(value: list) -> bool:
    """Tells whether a list is one cell, not a list of cells.

    It is one where it has operation indices, the rows of a 4 x 4 matrix, a matrix and operations,
    or the nodes of a genotype.
    """
    if not value or all(_is_whole(part) for part in value):
        return bool(value)
    if not all(isinstance(part, list) and part for part in value):
        return False
    if len(value) == 4 and all(len(row) == 4 and all(map(_is_whole, row)) for row in value):
        return True
    first, second = value[0], value[1] if len(value) > 1 else []
    if len(value) == 2 and all(isinstance(part, str) for part in second):
        return isinstance(first[0], list)
    return isinstance(first[0], list) and len(first[0]) == 2 and isinstance(first[0][0], str)


def _is_whole(value: Any) -> bool:
    """Tells whether a value is a whole number; `str2matrix` of NATS-Bench gives floats."""
    return _is_number(value) or (isinstance(value, float) and value.is_integer())


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _of_number(number: int, numbered: CellGraphs | None) -> CellGraphs:
    """Returns the cell, [], with an index; raises InvalidArchitectureError where there is none."""
    if numbered is None:
        raise InvalidArchitectureError(
            f"index {number}: the table does not number its cells (a NAS-Bench-201 table with a "
            "column arch_index does; a code of NAS-Bench-Macro has eight digits)"
        )
    if not 0 <= number < len(numbered):
        raise InvalidArchitectureError(f"index {number}: expected 0 to {len(numbered) - 1}")
    return numbered[number]
