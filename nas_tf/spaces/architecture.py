"""Architectures of every search space, from text, JSON, a published name or a file.

    parse("darts_v2")
    parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|").ops
    parse("cells.json#2", space="nasbench101")

What a text is of is seen in it; see the modules `*_architecture` for the forms of each space.
Written back as text, or as a value of JSON, it is the same architecture.
"""

import ast
import contextlib
import json
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from nas_tf.core import ConfigError, DataError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.architecture_value import Architecture, is_list, short
from nas_tf.spaces.cell_files import read_items, read_text
from nas_tf.spaces.darts_architecture import PUBLISHED, DartsArchitecture
from nas_tf.spaces.enas_architecture import EnasArchitecture
from nas_tf.spaces.macro_architecture import MacroArchitecture
from nas_tf.spaces.nasbench101_architecture import NasBench101Architecture
from nas_tf.spaces.nasbench101_text import MATRIX_FIELDS, OPS_FIELDS
from nas_tf.spaces.nasbench201_architecture import NasBench201Architecture
from nas_tf.spaces.randwire_architecture import RandWireArchitecture
from nas_tf.spaces.space import SearchSpace

FAMILIES: dict[str, type[Architecture]] = {
    family.space: family
    for family in (
        NasBench101Architecture, NasBench201Architecture, DartsArchitecture, RandWireArchitecture,
        EnasArchitecture, MacroArchitecture,
    )
}

_NUMBERED = re.compile(r"(.+)#([1-9][0-9]{0,5})", re.DOTALL)
_PATH_LIKE = re.compile(r"[\w.~-]*(?:[/\\][\w.# ~-]*)+|[\w.-]+\.(?:json|txt|jsonl)(?:#\d+)?")


def parse(value: Any, space: str | SearchSpace | None = None) -> Architecture:
    """Returns the architecture that a text or a value stands for.

    Args:
        value: an `Architecture`; a text in a form of its space; a value of JSON, or JSON as text;
            the name of a published one (`darts_v1`); or a file that holds one of these. Of a file
            of many, `FILE#2` is the second.
        space: what it has to be of, by name or as a space; None leaves it to the text.

    Raises:
        InvalidArchitectureError: it stands for none, for one of another space, or could be of
            several.
        DataError: a file does not hold one.
        ConfigError: the space has no networks.
    """
    wanted = _wanted(space)
    if isinstance(value, Architecture):
        return _of_space(value, wanted)
    if isinstance(value, os.PathLike):
        return _of_file(*numbered(os.fspath(value)), wanted)
    if isinstance(value, str):
        published = PUBLISHED.get(value.strip().lower().replace("-", "_"))
        if published is not None:
            return _of_space(published, wanted)
        path, number = numbered(value)
        if _is_file(path):
            return _of_file(path, number, wanted)
        if _PATH_LIKE.fullmatch(value.strip()):
            raise DataError(f"{value.strip()}: no such file or directory of an architecture")
    return _of_value(_decoded(value), wanted)


def numbered(text: str) -> tuple[str, int]:
    """Returns the path of `PATH#2` and its number; 1 for a path without, or that is there."""
    match = _NUMBERED.fullmatch(text)
    if match is None or _exists(text):
        return text, 1
    return match[1], int(match[2])


def _wanted(space: str | SearchSpace | None) -> type[Architecture] | None:
    """Returns the kind of architectures of a space; None for None."""
    name = space.name if isinstance(space, SearchSpace) else space
    if name is None:
        return None
    if name not in FAMILIES:
        raise ConfigError(f"space={name}: expected one with networks: {', '.join(FAMILIES)}")
    return FAMILIES[name]


def _of_space(found: Architecture, wanted: type[Architecture] | None) -> Architecture:
    """Returns an architecture; refuses one of another space."""
    if wanted is not None and not isinstance(found, wanted):
        raise InvalidArchitectureError(
            f"{short(found.text())}: of space {found.space}; expected one of {wanted.space}, "
            f"such as {wanted.form}"
        )
    return found


def _of_value(value: Any, wanted: type[Architecture] | None) -> Architecture:
    """Returns the architecture of a text that is no file, or of a value of JSON."""
    families = _families(value)
    if wanted in families:
        families = [wanted]
    if len(families) > 1:
        names = " or ".join(family.space for family in families)
        raise InvalidArchitectureError(f"{short(value)}: may be of {names}; say which with space=")
    if not families and wanted is not None:
        families = [wanted]
    if not families:
        forms = "; ".join(f"{family.space}: {family.form}" for family in FAMILIES.values())
        raise InvalidArchitectureError(
            f"{short(value)}: no architecture; expected a published one ({', '.join(PUBLISHED)}), "
            f"a file, or, by space, {forms}"
        )
    if wanted is not None and families[0] is not wanted:
        raise InvalidArchitectureError(
            f"{short(value)}: of space {families[0].space}; expected one of {wanted.space}, "
            f"such as {wanted.form}"
        )
    graph = _graph(value)
    if graph is not None and families[0] is not NasBench101Architecture:
        return _of_graph(*graph, families[0])
    return families[0].read(value)


def _families(value: Any) -> list[type[Architecture]]:
    """Returns the kinds of architectures that a value may be."""
    graph = _graph(value)
    if graph is not None:
        return _families_of_graph(graph[1])
    return [family for family in FAMILIES.values() if family.recognises(value)]


def _graph(value: Any) -> tuple[Any, Any] | None:
    """Returns the matrix and the operations of a mapping that has both."""
    if not isinstance(value, Mapping):
        return None
    names = [[name for name in fields if name in value] for fields in (MATRIX_FIELDS, OPS_FIELDS)]
    if not all(names) or not is_list(value[names[1][0]]):
        return None
    return value[names[0][0]], value[names[1][0]]


def _families_of_graph(ops: list) -> list[type[Architecture]]:
    """Returns the kinds whose cells have such operations; NAS-Bench-101 where none has."""
    fitting = [family for family in FAMILIES.values() if family.has_cells_of(ops)]
    return fitting or [NasBench101Architecture]


def _of_graph(matrix: Any, ops: list[str], family: type[Architecture]) -> Architecture:
    """Returns the architecture of a cell as samples of a generator have it."""
    codes = [family.op_names.index(op) for op in ops]
    try:
        cells = CellGraphs.from_matrices([matrix], [codes], len(codes))
        return family.of_cells(cells)[0]
    except ValueError as error:
        raise InvalidArchitectureError(f"matrix {short(matrix)}: {error}") from None


def _decoded(value: Any) -> Any:
    """Returns the value of a text in JSON or of Python's literals; others as they are."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] not in ("[", "{", "("):
        return text
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(text)
    with contextlib.suppress(ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ast.literal_eval(text)
    return text


def _of_file(path: str, number: int, wanted: type[Architecture] | None) -> Architecture:
    """Returns the architecture of a file that counts `number`, from 1.

    A file is one architecture, of many lines perhaps, or a list of them; see `cell_files`.
    """
    file, fault = pathlib.Path(path), None
    text = read_text(file)
    whole = _decoded("\n".join(line for line in text.split("\n") if line.lstrip()[:1] != "#"))
    if number == 1 and _families(whole):
        try:
            return _of_value(whole, wanted)
        except InvalidArchitectureError as error:
            fault = DataError(f"{path}: {error}")
    try:
        items = read_items(file)
    except DataError as error:
        raise fault or error from None
    if fault and len(items) == 1:
        raise fault
    if number > len(items):
        raise DataError(f"{path}: holds {len(items)} architectures; received {path}#{number}")
    item = items[number - 1]
    try:
        return _of_value(item.value, wanted)
    except InvalidArchitectureError as error:
        raise DataError(f"{path}: line {item.line}: {error}") from None


def _is_file(path: str) -> bool:
    """Tells whether a text names a file; a directory is refused with what reads it."""
    if not _exists(path):
        return False
    if os.path.isdir(path):
        raise DataError(f"{path}: a directory; nas_tf.architecture reads those that jobs leave")
    return True


def _exists(path: str) -> bool:
    """Tells whether a text is a path that is there."""
    try:
        return bool(path.strip()) and os.path.exists(path)
    except (OSError, ValueError):  # no text that a path may have
        return False
