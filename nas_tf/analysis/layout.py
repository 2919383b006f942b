"""Layered left-to-right layout of a directed acyclic graph with boxes for nodes.

A node's layer is the length of the longest path to it. An edge that skips layers has a bend in
each, which takes room like a box, so no edge runs through a box (Sugiyama, Tagawa and Toda, 1981).

Units: inches, x to the right, y up. Shapes: N nodes, P way points of an edge.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy.optimize import isotonic_regression

from nas_tf.core import InvalidArchitectureError, Stream, generator

BOX_HEIGHT = 0.30
_BEND_HEIGHT = 0.10
_COLUMN_GAP = 0.28
_ROW_GAP = 0.16
_STARTS = 16
_SWEEPS = 12  # of each phase
_LEVEL_WEIGHT = 20.0  # of an edge alone at both ends: between bends, in a chain

Slot = Hashable  # a node's number, or (source, target, layer) for a bend


@dataclass(frozen=True, eq=False)
class Layout:
    """Where boxes and edges go: an edge's way points lead from one box's right to a left side.

    Points 2k to 2k+1 span a gap between layers, points 2k+1 to 2k+2 cross a layer horizontally.
    """

    centres: np.ndarray  # of the boxes, float64 [N, 2]
    edges: dict[tuple[int, int], np.ndarray]  # (source, target) -> way points, float64 [P, 2]
    box_width: float

    @property
    def extent(self) -> np.ndarray:
        """The lower left and the upper right corner of it all, float64 [2, 2]."""
        half = np.array((self.box_width, BOX_HEIGHT)) / 2
        points = np.concatenate([self.centres - half, self.centres + half, *self.edges.values()])
        return np.stack([points.min(axis=0), points.max(axis=0)])


def layered_layout(matrix: np.ndarray, box_width: float = 0.62) -> Layout:
    """Returns a layout of a graph; the same graph always gets the same one.

    Args:
        matrix: adjacency [N, N], nonzero at [i, j] for an edge i -> j; acyclic.
        box_width: in inches; the height is `BOX_HEIGHT`.

    Raises:
        InvalidArchitectureError: the matrix is not square, is empty, or has a cycle.
    """
    shape = np.shape(matrix)
    if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
        raise InvalidArchitectureError(f"adjacency matrix: expected [N, N], N >= 1, got {shape}")
    graph = nx.from_numpy_array(np.asarray(matrix) != 0, create_using=nx.DiGraph)
    if not nx.is_directed_acyclic_graph(graph):
        raise InvalidArchitectureError("adjacency matrix: it has a cycle; none is drawn")
    layer = {s: k for k, column in enumerate(nx.topological_generations(graph)) for s in column}
    routes = {
        (a, b): [a, *((a, b, k) for k in range(layer[a] + 1, layer[b])), b] for a, b in graph.edges
    }
    pieces = nx.DiGraph()  # every edge cut into pieces of one layer each
    pieces.add_nodes_from(graph)
    for route in routes.values():
        nx.add_path(pieces, route)
    columns = list(nx.topological_generations(pieces))
    heights, pitch = _heights(columns, pieces), box_width + _COLUMN_GAP
    spots = {s: (k * pitch, heights[s]) for k, column in enumerate(columns) for s in column}
    half = np.array((box_width / 2, 0.0))
    edges = {
        edge: np.concatenate([(spots[s] - half, spots[s] + half) for s in route])[1:-1]
        for edge, route in routes.items()
    }
    for end in (0, -1):
        _spread_ends(edges, end)
    return Layout(np.array([spots[node] for node in graph]), edges, box_width)


def _heights(columns: Sequence[Sequence[Slot]], pieces: nx.DiGraph) -> dict[Slot, float]:
    """Returns the heights, of several random starts', whose edges rise least.

    Column by column, slots move to the mean height of their neighbours, as near as room allows; in
    a second phase long edges become level.
    """
    level = {(a, b) for a, b in pieces.edges if pieces.out_degree(a) == pieces.in_degree(b) == 1}
    rng, tried = generator(0, Stream.FIGURES), []
    for _ in range(_STARTS):
        heights = dict(zip(pieces, rng.normal(size=len(pieces)).tolist()))
        for weight in (1.0, _LEVEL_WEIGHT):
            near = {slot: {} for slot in pieces}  # slot -> neighbour -> weight of the edge
            for a, b in pieces.edges:
                near[a][b] = near[b][a] = weight if (a, b) in level else 1.0
            for sweep in range(_SWEEPS):
                for column in columns[:: 1 if sweep % 2 else -1]:
                    heights |= _placed(column, near, heights)
        rise = sum((heights[a] - heights[b]) ** 2 for a, b in pieces.edges)
        tried.append((rise, heights))
    return min(tried, key=lambda found: found[0])[1]


def _placed(
    column: Sequence[Slot], near: dict[Slot, dict[Slot, float]], heights: dict[Slot, float]
) -> dict[Slot, float]:
    """Returns new heights of a column, one box or bend above the other."""
    wanted = {
        slot: sum(weight * heights[other] for other, weight in near[slot].items())
        / (sum(near[slot].values()) or 1.0)
        for slot in column
    }
    order = sorted(column, key=wanted.get)
    room = np.array([_BEND_HEIGHT if isinstance(s, tuple) else BOX_HEIGHT for s in order])
    floor = np.cumsum(room + _ROW_GAP) - room / 2
    found = isotonic_regression([wanted[s] for s in order] - floor).x + floor
    return dict(zip(order, found.tolist()))


def _spread_ends(edges: dict[tuple[int, int], np.ndarray], end: int) -> None:
    """Moves the ends of edges apart that share a side of a box, in the order they come from."""
    for node in {edge[end] for edge in edges}:
        group = [points for edge, points in edges.items() if edge[end] == node]
        group.sort(key=lambda points: points[1 if end == 0 else -2, 1])
        reach = min(0.2, 0.09 * (len(group) - 1)) / 2
        for points, shift in zip(group, np.linspace(-reach, reach, len(group))):
            points[end, 1] += shift
