"""Genotypes of DARTS cells: the usual `Genotype(normal, normal_concat, reduce, reduce_concat)`.

Liu et al., 2019, arXiv:1806.09055. A genotype's cell is a list of eight (operation, predecessor),
two of every intermediate node; predecessors 0 and 1 are the inputs c_{k-2} and c_{k-1}, 2 to 5 the
intermediate nodes. For example, with `cells` a batch [B] of `DartsSpace`:

    genotypes = to_genotypes(cells)
    cells = from_genotypes(genotypes)

A genotype has two cells, `DartsSpace` one for both. Hence those of `to_genotypes` are alike.

Other libraries order the fields in other ways. Where a genotype names them (a named tuple, a
dictionary, a text `Genotype(reduce=...)`) the names count; positions do where there are none.
"""

import ast
import numbers
import re
from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import darts_cells
from nas_tf.spaces.darts_edges import (
    INTERIOR_OPS, NUM_INPUTS, NUM_INTERMEDIATE, NUM_SLOTS, OP_NAMES,
)

Genotype = namedtuple("Genotype", "normal normal_concat reduce reduce_concat")

CONCAT = range(NUM_INPUTS, NUM_INPUTS + NUM_INTERMEDIATE)

_CODES = {OP_NAMES[op]: op for op in INTERIOR_OPS}
_PARTS = ("normal", "reduce")
_ASSIGNED = re.compile(r"^\s*\w+\s*=\s*(?=Genotype)")

Edges = tuple[tuple[str, int], ...]


def to_genotypes(cells: CellGraphs) -> list[Genotype]:
    """Returns the genotypes of cells [B], as Python objects: not for a hot path.

    The two edges of a node come in the order of its operations.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    sources, ops = (edges.reshape(-1, NUM_SLOTS).tolist() for edges in darts_cells.to_edges(cells))
    lists = [
        [(OP_NAMES[op], source) for op, source in zip(*pair)] for pair in zip(ops, sources)
    ]
    return [Genotype(edges, CONCAT, list(edges), CONCAT) for edges in lists]


def from_genotypes(genotypes: Iterable[Sequence | Mapping], part: str = "both") -> CellGraphs:
    """Returns the cells [B] of genotypes, with keys; the order of edges is kept.

    Args:
        genotypes: B of `Genotype`, or of any named tuple or mapping with its four fields, in any
            order, or of sequences of the four in its order.
        part: "both" wants isomorphic normal and reduction cells and returns the normal ones;
            "normal" and "reduce" return one and do not look at the other.

    Raises:
        InvalidArchitectureError: a genotype is no cell of the space; the message has the first.
        ValueError: `part` is none of the three.
    """
    if part not in ("both", *_PARTS):
        raise ValueError(f"part={part!r}: expected 'both', 'normal' or 'reduce'")
    genotypes = list(genotypes)
    wanted = _PARTS if part == "both" else (part,)
    parsed = [
        [_parse(f"genotype {index}", genotype, which) for which in wanted]
        for index, genotype in enumerate(genotypes)
    ]
    edges = np.array(parsed, np.int8).reshape(len(genotypes), len(wanted), NUM_INTERMEDIATE, 2, 2)
    cells = darts_cells.from_edges(edges[..., 1], edges[..., 0])  # [B, 1 or 2]
    differ = np.flatnonzero(cells.keys[:, 0] != cells.keys[:, -1])
    if len(differ):
        raise InvalidArchitectureError(
            f"genotype {differ[0]}: its normal and reduction cells differ, the space has one for "
            "both; part='normal' or part='reduce' takes one of them"
        )
    return cells[:, 0]


def from_value(value: str | Sequence | Mapping) -> CellGraphs:
    """Returns the cell, [], of a genotype or of a text that spells one; see `from_genotypes`."""
    return from_genotypes([parse_genotype(value) if isinstance(value, str) else value])[0]


def to_values(cells: CellGraphs) -> list[dict[str, list]]:
    """Returns the genotypes of cells [B] as JSON has them: lists by the names of the fields."""
    return [
        {name: list(value) for name, value in genotype._asdict().items()}
        for genotype in to_genotypes(cells)
    ]


def parse_genotype(text: str) -> Genotype:
    """Returns the genotype that a text such as `Genotype(normal=[...], ...)` spells.

    Only lists, tuples, strings, numbers and `range` are read; nothing is run. Its cells are not
    checked yet: `from_genotypes` does that.

    Raises:
        InvalidArchitectureError: the text is no genotype.
    """
    try:
        return Genotype(**_spelled(text))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise _no_genotype(text) from None


def cell_pair(value: str | Sequence | Mapping) -> tuple[Edges, Edges]:
    """Returns the eight (operation, source) of both cells of a genotype, in the order they have.

    Args:
        value: a text `Genotype(...)`, also with a name before it (`DARTS = Genotype(...)`), a
            mapping or a sequence of its fields. Without a reduction cell it is the normal one,
            without `normal_concat` or `reduce_concat` all intermediate nodes are concatenated. A
            cell is a list of eight edges, or of four pairs.

    Raises:
        InvalidArchitectureError: it is no genotype, or a cell is outside the space.
    """
    try:
        fields = _spelled(_ASSIGNED.sub("", value)) if isinstance(value, str) else _named(value)
        wrong = not set(fields) <= set(Genotype._fields)
        if wrong or fields.get("normal") is None:
            raise ValueError("no genotype")
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise _no_genotype(value) from None
    given = {name: part for name, part in fields.items() if part is not None}
    whole = {"reduce": given["normal"], "normal_concat": CONCAT, "reduce_concat": CONCAT, **given}
    whole |= {part: _flat(whole[part]) for part in _PARTS}
    parsed = [_parse("genotype", whole, part) for part in _PARTS]
    normal, reduce = (tuple((OP_NAMES[op], source) for op, source in edges) for edges in parsed)
    return normal, reduce


def cells_of_edges(cells: Sequence[Edges]) -> CellGraphs:
    """Returns the cells [B], with keys, of B times eight (operation, source)."""
    edges = [[(_CODES[op], source) for op, source in cell] for cell in cells]
    array = np.array(edges, np.int8).reshape(len(edges), NUM_INTERMEDIATE, 2, 2)
    return darts_cells.from_edges(array[..., 1], array[..., 0])


def _spelled(text: str) -> dict[str, Any]:
    """Returns the fields that a text `Genotype(...)` spells; raises ValueError and such."""
    call = ast.parse(text.strip(), mode="eval").body
    if not isinstance(call, ast.Call) or getattr(call.func, "id", None) != "Genotype":
        raise ValueError("no Genotype")
    named = {word.arg: _literal(word.value) for word in call.keywords}
    placed = dict(zip(Genotype._fields, map(_literal, call.args)))
    if len(call.args) > len(Genotype._fields) or set(placed) & set(named):
        raise ValueError("a field twice")
    return placed | named


def _named(value: Sequence | Mapping) -> dict[str, Any]:
    """Returns the fields of a genotype that is no text; raises TypeError where it is none."""
    if isinstance(value, Mapping):
        return dict(value)
    return _fields(value)


def _flat(cell: Any) -> Any:
    """Returns a list of edges for a list of pairs of edges; anything else as it is."""
    pairs = _is_list(cell) and len(cell) == NUM_INTERMEDIATE and all(map(_is_list, cell))
    if pairs and all(_is_list(edge) for pair in cell for edge in pair):
        return [edge for pair in cell for edge in pair]
    return cell


def _no_genotype(value: Any) -> InvalidArchitectureError:
    return InvalidArchitectureError(
        f"{_short(value)}: expected Genotype(normal=[...], normal_concat=[...], reduce=[...], "
        "reduce_concat=[...])"
    )


def _literal(node: ast.expr) -> Any:
    """Returns the value of a literal, or of `range` over literals."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "range":
        if node.keywords:
            raise ValueError("range takes no names")
        return range(*map(ast.literal_eval, node.args))
    return ast.literal_eval(node)


def _parse(name: str, genotype: Sequence | Mapping, part: str) -> list[tuple[int, int]]:
    """Returns operation code and source of the eight edges of one of a genotype's cells."""
    try:
        fields = _fields(genotype)
    except TypeError:
        raise InvalidArchitectureError(
            f"{name}: {_short(genotype)}: expected normal, normal_concat, reduce, reduce_concat"
        ) from None
    edges, concat = fields[part], fields[f"{part}_concat"]
    name = f"{name}, {part}"
    if not _is_list(concat) or list(concat) != list(CONCAT):
        raise InvalidArchitectureError(
            f"{name}_concat: {_short(concat)}: expected the intermediate nodes, {list(CONCAT)}"
        )
    if not _is_list(edges) or len(edges) != NUM_SLOTS:
        raise InvalidArchitectureError(
            f"{name}: {_short(edges)}: expected {NUM_SLOTS} edges, two of every intermediate node"
        )
    parsed = [_parse_edge(f"{name}, edge {slot}", edge, NUM_INPUTS + slot // 2)
              for slot, edge in enumerate(edges)]
    for slot in range(0, NUM_SLOTS, 2):
        if parsed[slot][1] == parsed[slot + 1][1]:
            raise InvalidArchitectureError(
                f"{name}, edges {slot} and {slot + 1}: both from predecessor "
                f"{parsed[slot][1]}; expected two different ones"
            )
    return parsed


def _fields(genotype: Sequence | Mapping) -> dict[str, Any]:
    """Returns the four fields by name; raises TypeError where they are others."""
    if isinstance(genotype, Mapping):
        return Genotype(**genotype)._asdict()
    if hasattr(genotype, "_fields"):
        return Genotype(**dict(zip(genotype._fields, genotype, strict=True)))._asdict()
    if not _is_list(genotype):
        raise TypeError("no sequence of fields")
    return Genotype(*genotype)._asdict()


def _parse_edge(name: str, edge: Any, node: int) -> tuple[int, int]:
    """Returns operation code and source of an edge to a node, numbered as predecessors are."""
    if not _is_list(edge) or len(edge) != 2:
        raise InvalidArchitectureError(f"{name}: {_short(edge)}: expected (operation, predecessor)")
    op, source = edge
    if not isinstance(op, str) or op not in _CODES:
        raise InvalidArchitectureError(
            f"{name}: operation {_short(op)}: expected {', '.join(_CODES)}"
        )
    whole = isinstance(source, numbers.Integral) and not isinstance(source, bool)
    if not whole or not 0 <= source < node:
        raise InvalidArchitectureError(
            f"{name}: predecessor {_short(source)}: expected 0 to {node - 1}"
        )
    return _CODES[op], int(source)


def _is_list(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes))


def _short(value: Any) -> str:
    """Returns a value as one line of an error message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."
