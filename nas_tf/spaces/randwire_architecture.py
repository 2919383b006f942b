"""Architectures of RandWire: the edges of one graph, or of one for each of three stages.

    32: 0-1 0-2 1-3                                       "32:" may be left out
    {"num_nodes": 32, "edges": [[0, 1], [0, 2], [1, 3]]}
    32: 0-1 1-2; 32: 0-2 2-3; 32: 0-1                     untied: three graphs, in order
    {"graphs": [{"num_nodes": 32, "edges": [[0, 1]]}, ...]}

Edges lead from the lower to the higher node, numbered from 0. Nodes on no edge are there as well.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import MAX_NODES, CellGraphs
from nas_tf.spaces.architecture_value import (
    Architecture, has_any, is_list, is_whole, listed, no_single_cell, short,
)
from nas_tf.spaces.randwire_cells import (
    NUM_NODES, OP_NAMES, from_adjacency, refuse_outside, wiring_keys,
)

Graph = tuple[tuple[int, ...], ...]

_STAGES = (1, 3)
_EDGE = re.compile(r"(\d+)\s*(?:->|-)\s*(\d+)", re.ASCII)
_GRAPH = re.compile(rf"\s*(?:(\d+)\s*:)?((?:[\s,]*{_EDGE.pattern})*)[\s,]*", re.ASCII)
_MATRICES = ("matrix", "adjacency")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class RandWireArchitecture(Architecture):
    """The wiring of a network's stages.

    Attributes:
        graphs: one graph for all stages, or three; each is rows of 0 and 1, [N, N] with N from 2
            to 127 (32 in the search space); 1 at [i, j], i < j, leads from node i to node j.

    Raises:
        InvalidArchitectureError: one is no such graph.
    """

    space = "randwire"
    form = "32: 0-1 0-2 1-3 ..., or {\"num_nodes\": 32, \"edges\": [[0, 1], ...]}"
    op_names = OP_NAMES
    num_nodes = NUM_NODES

    graphs: tuple[Graph, ...]

    def __post_init__(self):
        graphs = listed(self.graphs)
        if not is_list(graphs) or len(graphs) not in _STAGES:
            received = f"{len(graphs)} of them" if is_list(graphs) else short(graphs)
            raise InvalidArchitectureError(
                f"graphs: {received}; expected one, or one for each of three stages"
            )
        object.__setattr__(self, "graphs", tuple(map(_checked, graphs)))

    def text(self) -> str:
        """See `Architecture.text`."""
        return "; ".join(
            f"{len(graph)}: " + " ".join(f"{source}-{target}" for source, target in _edges(graph))
            for graph in self.graphs
        ).strip()

    def value(self) -> dict[str, Any]:
        """See `Architecture.value`."""
        values = [{"num_nodes": len(graph), "edges": _edges(graph)} for graph in self.graphs]
        return values[0] if len(values) == 1 else {"graphs": values}

    def _key(self) -> str:
        keys = [f"{int(wiring_keys(np.array(graph))):016x}" for graph in self.graphs]
        return f"{self.space}:" + "-".join(keys[:1] if len(set(keys)) == 1 else keys)

    def cells(self) -> CellGraphs:
        """See `Architecture.cells`; it has to be one graph of 32 nodes for all stages."""
        if len(self.graphs) > 1:
            raise no_single_cell("three graphs, one a stage")
        if len(self.graphs[0]) != NUM_NODES:
            raise InvalidArchitectureError(
                f"{len(self.graphs[0])} nodes: the graphs of the search space have {NUM_NODES}"
            )
        return from_adjacency(np.array(self.graphs))

    @classmethod
    def of_cells(cls, cells: CellGraphs) -> list["RandWireArchitecture"]:
        """See `Architecture.of_cells`."""
        refuse_outside(cells)
        return [cls((tuple(map(tuple, matrix)),)) for matrix in cells.adjacency.tolist()]

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Architecture.recognises`."""
        if isinstance(value, str):
            return "|" not in value and all(map(_GRAPH.fullmatch, value.split(";"))) and (
                "-" in value or ":" in value
            )
        if is_list(value):
            return bool(value) and all(map(_is_pair, value))
        return has_any(value, ("edges", "graphs", *_MATRICES)) and "ops" not in value

    @classmethod
    def read(cls, value: Any) -> "RandWireArchitecture":
        """See `Architecture.read`."""
        if isinstance(value, str) and cls.recognises(value):
            return cls(tuple(_of_text(part) for part in value.split(";")))
        if isinstance(value, Mapping) and is_list(value.get("graphs")):
            return cls(tuple(map(_of_value, value["graphs"])))
        return cls((_of_value(value),))


def _checked(graph: Any) -> Graph:
    """Returns a graph as tuples; raises InvalidArchitectureError where it is none."""
    try:
        matrix = np.array(graph)
    except ValueError:  # rows of different lengths
        matrix = np.zeros(0)
    size = len(matrix) if matrix.ndim else 0
    if matrix.shape != (size, size) or not 2 <= size <= MAX_NODES:
        raise InvalidArchitectureError(
            f"graph {short(graph)}: expected a square matrix of 2 to {MAX_NODES} nodes"
        )
    numbers = matrix.dtype.kind in "biuf" and np.isin(matrix, (0, 1)).all()
    if not numbers or np.tril(matrix).any():
        raise InvalidArchitectureError(
            f"graph {short(graph)}: expected 0 and 1 above the diagonal, and 0 elsewhere"
        )
    return tuple(map(tuple, matrix.astype(int).tolist()))


def _of_text(text: str) -> Graph:
    """Returns the graph of a text such as "32: 0-1 0-2"."""
    number, edges = _GRAPH.fullmatch(text).group(1, 2)
    pairs = [[int(source), int(target)] for source, target in _EDGE.findall(edges)]
    return _of_edges(pairs, NUM_NODES if number is None else int(number))


def _of_value(value: Any) -> Graph:
    """Returns the graph of a value of JSON; raises InvalidArchitectureError where it is none."""
    if not isinstance(value, Mapping):
        return _of_edges(value, NUM_NODES)
    for name in _MATRICES:
        if name in value:
            return _checked(value[name])
    if "edges" not in value:
        raise InvalidArchitectureError(
            f"fields {', '.join(map(str, value)) or '(none)'}: expected edges, and num_nodes where "
            f"these are not {NUM_NODES}"
        )
    return _of_edges(value["edges"], value.get("num_nodes", NUM_NODES))


def _of_edges(edges: Any, num_nodes: Any) -> Graph:
    """Returns the graph of edges (source, target)."""
    if not is_whole(num_nodes) or not 2 <= num_nodes <= MAX_NODES:
        raise InvalidArchitectureError(f"num_nodes={num_nodes!r}: expected 2 to {MAX_NODES}")
    if not is_list(edges) or not all(map(_is_pair, edges)):
        raise InvalidArchitectureError(
            f"{short(edges)}: expected edges such as {RandWireArchitecture.form}"
        )
    matrix = np.zeros((num_nodes, num_nodes), np.int64)
    for source, target in edges:
        if not 0 <= source < target < num_nodes:
            raise InvalidArchitectureError(
                f"edge {source}-{target}: expected one from a lower to a higher node, "
                f"0 to {num_nodes - 1}"
            )
        if matrix[source, target]:
            raise InvalidArchitectureError(f"edge {source}-{target}: it is there twice")
        matrix[source, target] = 1
    return tuple(map(tuple, matrix.tolist()))


def _is_pair(value: Any) -> bool:
    return is_list(value) and len(value) == 2 and all(map(is_whole, value))


def _edges(graph: Graph) -> list[list[int]]:
    """Returns the edges of a graph, by source, then target."""
    return np.argwhere(np.array(graph)).tolist()

