"""Layered left-to-right layout of a directed acyclic graph with boxes for nodes.

A node's layer is the length of the longest path to it. An edge that skips layers gets a bend in
each layer it passes, which takes room like a box, so no edge runs through a box (Sugiyama, Tagawa
and Toda, 1981). Bounded least squares then makes edges as level as order and room allow.

Units: inches, x to the right, y up. Shapes: N nodes, P way points of an edge.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy import linalg, optimize

from nas_tf.core import InvalidArchitectureError, Stream, generator

BOX_HEIGHT = 0.30
_BEND_HEIGHT = 0.10
_COLUMN_GAP = 0.28
_ROW_GAP = 0.16
_PORT_GAP = 0.09  # between the ends of edges on a box's side, at most
_PORT_SHARE = 0.66  # of a box's side, over which ends are spread, at most
_STARTS = 20
_SWEEPS = 4
_LEVEL_WEIGHT = 30.0  # on the rise of an edge alone at both ends: between bends, in a chain
_AXIS_WEIGHT = 1e-3  # on heights, to fix what no edge fixes

Slot = Hashable  # a node's number, or (source, target, layer) for a bend


@dataclass(frozen=True, eq=False)
class Layout:
    """Where boxes and edges go.

    Attributes:
        centres: of the boxes, float64 [N, 2].
        edges: (source, target) -> way points, float64 [P, 2], from the right side of the source's
            box to the left side of the target's. Points 2k to 2k+1 span a gap between layers,
            points 2k+1 to 2k+2 cross a layer horizontally.
        extent: (x0, x1, y0, y1) of all boxes and way points.
    """

    centres: np.ndarray
    edges: dict[tuple[int, int], np.ndarray]
    extent: tuple[float, float, float, float]


def layered_layout(matrix: np.ndarray, box_width: float = 0.62) -> Layout:
    """Returns a layout of a graph; the same graph always gets the same one.

    Args:
        matrix: adjacency [N, N], nonzero at [i, j] for an edge i -> j; acyclic.
        box_width: in inches; the height is `BOX_HEIGHT`.

    Raises:
        InvalidArchitectureError: the matrix is not square, is empty, or has a cycle.
    """
    graph = _graph(np.asarray(matrix))
    layer = {s: k for k, column in enumerate(nx.topological_generations(graph)) for s in column}
    routes = {
        (a, b): [a, *((a, b, k) for k in range(layer[a] + 1, layer[b])), b] for a, b in graph.edges
    }
    pieces = nx.DiGraph()  # every edge cut into pieces of one layer each
    pieces.add_nodes_from(graph)
    for route in routes.values():
        nx.add_path(pieces, route)
    columns = _order([list(column) for column in nx.topological_generations(pieces)], pieces)
    heights = _heights(columns, pieces)
    pitch = box_width + _COLUMN_GAP
    spots = {s: (k * pitch, heights[s]) for k, column in enumerate(columns) for s in column}
    centres = np.array([spots[node] for node in graph])
    edges = _way_points(routes, spots, box_width)
    corner = np.array((box_width, BOX_HEIGHT)) / 2
    points = np.concatenate([centres - corner, centres + corner, *edges.values()])
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return Layout(centres, edges, (x0, x1, y0, y1))


def _graph(matrix: np.ndarray) -> nx.DiGraph:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise InvalidArchitectureError(
            f"adjacency matrix: expected [N, N], N >= 1, got {matrix.shape}"
        )
    graph = nx.from_numpy_array(matrix != 0, create_using=nx.DiGraph)
    if not nx.is_directed_acyclic_graph(graph):
        raise InvalidArchitectureError("adjacency matrix: it has a cycle; none is drawn")
    return graph


def _order(columns: list[list[Slot]], pieces: nx.DiGraph) -> list[list[Slot]]:
    """Returns each layer's slots, lowest first, in the order with fewest crossings of those tried.

    From several shuffled starts, each layer is sorted by the mean place of its slots' neighbours in
    the layer before, from left to right and back.
    """
    rng = generator(0, Stream.FIGURES)
    tried = [columns]
    for sweep in range(_STARTS * _SWEEPS):
        if sweep % _SWEEPS == 0:
            columns = [[column[i] for i in rng.permutation(len(column))] for column in columns]
        near, step = (pieces.pred, 1) if sweep % 2 == 0 else (pieces.succ, -1)
        place = {s: (i + 0.5) / len(column) for column in columns for i, s in enumerate(column)}
        columns = [list(column) for column in columns]
        for column in columns[::step]:
            column.sort(key=lambda s: np.mean([place[n] for n in near[s]] or [place[s]]))
            place.update((s, (i + 0.5) / len(column)) for i, s in enumerate(column))
        tried.append(columns)
    return min(tried, key=lambda columns: _num_crossings(columns, pieces))


def _num_crossings(columns: list[list[Slot]], pieces: nx.DiGraph) -> int:
    place = {s: (k, i) for k, column in enumerate(columns) for i, s in enumerate(column)}
    ends = np.array([(*place[a], place[b][1]) for a, b in pieces.edges]).reshape(-1, 3)
    layer, left, right = np.moveaxis(ends[:, None] - ends, -1, 0)
    return np.count_nonzero((layer == 0) & (left * right < 0)) // 2


def _heights(columns: list[list[Slot]], pieces: nx.DiGraph) -> dict[Slot, float]:
    """Returns the heights that keep order and room with the least squared rise of edges."""
    half = {s: (_BEND_HEIGHT if isinstance(s, tuple) else BOX_HEIGHT) / 2 for s in pieces}
    # The unknowns: the lowest height of each column, and the steps from there up.
    least, rows = [], linalg.block_diag(*(np.tri(len(column)) for column in columns))
    for column in columns:
        steps = [half[a] + half[b] + _ROW_GAP for a, b in zip(column, column[1:])]
        least += [-np.inf, *steps]
    heights = dict(zip((s for column in columns for s in column), rows))
    rises = [_AXIS_WEIGHT * height for height in rows]
    for a, b in pieces.edges:
        level = pieces.out_degree(a) == pieces.in_degree(b) == 1
        rises.append((_LEVEL_WEIGHT if level else 1.0) * (heights[a] - heights[b]))
    zeros = np.zeros(len(rises))
    solution = optimize.lsq_linear(np.array(rises), zeros, (least, np.inf), method="bvls")
    return dict(zip(heights, (rows @ solution.x).tolist()))


def _way_points(
    routes: dict[tuple[int, int], list[Slot]],
    spots: dict[Slot, tuple[float, float]],
    box_width: float,
) -> dict[tuple[int, int], np.ndarray]:
    """Returns the way points of every edge, its ends spread over the sides of its boxes."""
    half = np.array((box_width / 2, 0.0))
    points = {
        edge: np.concatenate([(spots[s] - half, spots[s] + half) for s in route])[1:-1]
        for edge, route in routes.items()
    }
    for end, after in ((0, 1), (-1, -2)):
        for node in {edge[end] for edge in routes}:
            group = [edge for edge in routes if edge[end] == node]
            group.sort(key=lambda edge: points[edge][after, 1])
            spread = min(_PORT_SHARE * BOX_HEIGHT, _PORT_GAP * (len(group) - 1)) / 2
            for edge, shift in zip(group, np.linspace(-spread, spread, len(group))):
                points[edge][end, 1] += shift
    return points
