"""How the strings of NAS-Bench-201 are spelled, and what is wrong with those that are not.

A string names, for the nodes 1, 2 and 3, the operations on the edges that lead to them, and where
these come from: `|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|`. The benchmark
names the edges of a node in the order of their sources.
"""

import re
from collections.abc import Sequence

import numpy as np

_NUM_NODES = 3  # that have edges leading to them
_EDGE = re.compile(r"([^|~+]+)~([0-9])", re.ASCII)
_STRUCTURE = re.compile(r"Structure\(4nodeswith(.*)\)")  # how AutoDL-Projects prints a cell
_MAX_QUOTED = 200  # characters of a string in a message


def tidied(strings: np.ndarray) -> np.ndarray:
    """Returns strings, str [...], without white space and `Structure(4 nodes with ...)`."""
    strings = np.asarray(strings, np.str_)
    bare = ["".join(text.split()) for text in strings.ravel().tolist()]
    bare = [_STRUCTURE.sub(r"\1", text) if text.startswith("Structure") else text for text in bare]
    return np.array(bare, np.str_).reshape(strings.shape)


def reason(text: str, op_names: Sequence[str]) -> str:
    """Returns what is wrong with a string that spells no cell.

    Args:
        text: the string.
        op_names: operations of the benchmark.
    """
    nodes = _nodes(str(tidied(text)))
    if nodes is None:
        return "expected a string such as |nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    for node, edges in enumerate(nodes, 1):
        for op, _ in edges:
            if op not in op_names:
                return f"operation {op!r} of node {node}: expected {', '.join(op_names)}"
    ordered = [sorted(edges, key=lambda edge: edge[1]) for edges in nodes]
    for node, edges in enumerate(ordered, 1):
        if [source for _, source in edges] != list(range(node)):
            return (
                f"node {node} has edges from {_listed(nodes[node - 1])}; expected one from every "
                f"earlier node, {', '.join(map(str, range(node)))}"
            )
    node = next(number for number, pair in enumerate(zip(nodes, ordered), 1) if pair[0] != pair[1])
    return (
        f"the edges of node {node} are in another order, {_listed(nodes[node - 1])}; the benchmark "
        f"writes this cell as {spelled(ordered)}"
    )


def spelled(nodes: Sequence[Sequence[tuple[str, int]]]) -> str:
    """Returns the string of (operation, source) of the edges to the nodes 1, 2 and 3."""
    return "+".join("|" + "".join(f"{op}~{source}|" for op, source in edges) for edges in nodes)


def quoted(text: str) -> str:
    """Returns a string as a message shows it."""
    return repr(text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}...")


def _nodes(text: str) -> list[list[tuple[str, int]]] | None:
    """Returns (operation, source) of the edges to every node; None where it is no such string."""
    parts = text.split("+")
    if len(parts) != _NUM_NODES or not all(re.fullmatch(r"\|([^|]+\|)+", part) for part in parts):
        return None
    edges = [[_EDGE.fullmatch(edge) for edge in part[1:-1].split("|")] for part in parts]
    if any(match is None for part in edges for match in part):
        return None
    return [[(match[1], int(match[2])) for match in part] for part in edges]


def _listed(edges: Sequence[tuple[str, int]]) -> str:
    return ", ".join(str(source) for _, source in edges)
