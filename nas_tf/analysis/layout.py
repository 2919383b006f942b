"""Layered left-to-right layout of a directed acyclic graph with boxes for nodes.

The framework of Sugiyama, Tagawa and Toda (1981): a node's layer is the length of the longest path
to it; an edge that skips layers gets a bend in each layer it passes, and bends take room like
boxes, so no edge runs through a box; the order within layers is chosen for few crossings, and the
heights for straight edges. Everything is deterministic.

Units: inches, x to the right, y up.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import networkx as nx
import numpy as np

from nas_tf.core import InvalidArchitectureError

_SWEEPS = 4
_RESTARTS = 12  # from shuffled orders, until nothing crosses
_SMALL = 60  # slots; larger graphs are not started again, for the time it takes
_ROUNDS = 100
_BEND_WEIGHT = 8.0  # how much straighter an edge's middle is kept than its ends
_BEND_HEIGHT = 0.10
_PORT_SHARE = 0.66  # of a box's side, over which the ends of its edges are spread

Slot = Hashable  # a node's number, or (source, target, layer) for a bend


@dataclass(frozen=True)
class BoxSize:
    """Sizes of boxes and of the room between them, in inches.

    Attributes:
        width: of a box.
        height: of a box.
        column_gap: between the boxes of neighbouring layers.
        row_gap: between neighbours in one layer.
    """

    width: float = 0.62
    height: float = 0.30
    column_gap: float = 0.28
    row_gap: float = 0.16


@dataclass(frozen=True, eq=False)
class Layout:
    """Where boxes and edges go.

    Attributes:
        centres: of the boxes, float64 [N, 2].
        layers: of the nodes, int64 [N].
        edges: (source, target) -> way points, float64 [P, 2], from the right side of the source's
            box to the left side of the target's. Points 2k to 2k+1 span a gap between layers,
            points 2k+1 to 2k+2 cross a layer horizontally.
        size: of the boxes.
        extent: (x0, x1, y0, y1) of all boxes and way points.
    """

    centres: np.ndarray
    layers: np.ndarray
    edges: dict[tuple[int, int], np.ndarray]
    size: BoxSize
    extent: tuple[float, float, float, float]


def layered_layout(matrix: np.ndarray, size: BoxSize = BoxSize()) -> Layout:
    """Returns a layout of a graph.

    Args:
        matrix: adjacency [N, N], nonzero at [i, j] for an edge i -> j; acyclic.
        size: of boxes and gaps.

    Returns:
        The layout.

    Raises:
        InvalidArchitectureError: the matrix is not square, is empty, or has a cycle.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise InvalidArchitectureError(
            f"adjacency matrix: expected [N, N], N >= 1, got {matrix.shape}"
        )
    graph = nx.from_numpy_array(matrix != 0, create_using=nx.DiGraph)
    if not nx.is_directed_acyclic_graph(graph):
        raise InvalidArchitectureError("adjacency matrix: it has a cycle; none is drawn")
    layers = _assign_layers(graph)
    proper = _with_bends(graph, layers)
    columns = _order_columns(proper)
    heights = _straighten(proper, columns, _place_rows(proper, columns, size), size)
    return _finish(graph, layers, heights, size)


def _assign_layers(graph: nx.DiGraph) -> np.ndarray:
    """Returns the length of the longest path to each node; sinks of a common target stay put."""
    layers = np.zeros(len(graph), dtype=np.int64)
    for layer, generation in enumerate(nx.topological_generations(graph)):
        layers[list(generation)] = layer
    return layers


def _with_bends(graph: nx.DiGraph, layers: np.ndarray) -> nx.DiGraph:
    """Returns the graph with every edge cut into pieces of one layer each, `layer` on each slot."""
    proper = nx.DiGraph()
    proper.add_nodes_from((node, {"layer": int(layers[node])}) for node in graph)
    for source, target in graph.edges:
        inner = range(int(layers[source]) + 1, int(layers[target]))
        bends = [(source, target, layer) for layer in inner]
        proper.add_nodes_from((bend, {"layer": bend[2]}) for bend in bends)
        nx.add_path(proper, [source, *bends, target])
    return proper


def _order_columns(proper: nx.DiGraph) -> list[list[Slot]]:
    """Returns the slots of each layer, lowest first, in an order with few crossings."""
    num_layers = 1 + max(layer for _, layer in proper.nodes(data="layer"))
    start: list[list[Slot]] = [[] for _ in range(num_layers)]
    for slot, layer in proper.nodes(data="layer"):
        start[layer].append(slot)
    rng = np.random.default_rng(0)
    best, fewest = start, _count_crossings(proper, start)
    for _ in range(_RESTARTS if len(proper) <= _SMALL else 1):
        columns = start
        for sweep in range(_SWEEPS):
            if not fewest:
                return best
            columns = _sort_by_barycentre(proper, columns, forward=sweep % 2 == 0)
            columns = _swap_neighbours(proper, columns)
            crossings = _count_crossings(proper, columns)
            if crossings < fewest:
                best, fewest = [list(column) for column in columns], crossings
        start = [[column[i] for i in rng.permutation(len(column))] for column in start]
    return best


def _sort_by_barycentre(
    proper: nx.DiGraph, columns: list[list[Slot]], *, forward: bool
) -> list[list[Slot]]:
    """Returns columns sorted, one after the other, by the mean place of each slot's neighbours."""
    columns = [list(column) for column in columns]
    neighbours = proper.predecessors if forward else proper.successors
    order = range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1)
    for layer in order:
        place = _relative_places(columns[layer - 1 if forward else layer + 1])
        own = _relative_places(columns[layer])
        means = {
            slot: float(np.mean([place[other] for other in neighbours(slot)] or [own[slot]]))
            for slot in columns[layer]
        }
        columns[layer].sort(key=means.__getitem__)
    return columns


def _relative_places(column: list[Slot]) -> dict[Slot, float]:
    """Returns the place of each slot in its column, from 0 to 1."""
    return {slot: index / max(len(column) - 1, 1) for index, slot in enumerate(column)}


def _swap_neighbours(proper: nx.DiGraph, columns: list[list[Slot]]) -> list[list[Slot]]:
    """Returns columns after swapping neighbours for as long as that removes crossings."""
    crossings = _count_crossings(proper, columns)
    improved = True
    while improved:
        improved = False
        for column in columns:
            for low in range(len(column) - 1):
                column[low], column[low + 1] = column[low + 1], column[low]
                swapped = _count_crossings(proper, columns)
                if swapped < crossings:
                    crossings, improved = swapped, True
                else:
                    column[low], column[low + 1] = column[low + 1], column[low]
    return columns


def _count_crossings(proper: nx.DiGraph, columns: list[list[Slot]]) -> int:
    """Returns how many pairs of edges cross between neighbouring layers."""
    place = {slot: index for column in columns for index, slot in enumerate(column)}
    total = 0
    for column in columns[:-1]:
        pairs = [(place[a], place[b]) for a in column for b in proper.successors(a)]
        ends = np.array(pairs).reshape(-1, 2)
        left, right = np.sign(ends[:, None] - ends[None]).transpose(2, 0, 1)
        total += int(np.sum(left * right < 0)) // 2
    return total


def _place_rows(proper: nx.DiGraph, columns: list[list[Slot]], size: BoxSize) -> dict[Slot, float]:
    """Returns a height for each slot: as near to its neighbours' as order and spacing allow."""
    offsets = [_offsets(column, size) for column in columns]
    heights: dict[Slot, float] = {}
    for column, offset in zip(columns, offsets):
        heights.update(zip(column, offset - offset.mean()))
    for sweep in range(2 * _ROUNDS):
        order = range(len(columns)) if sweep % 2 == 0 else range(len(columns) - 1, -1, -1)
        for layer in order:
            column = columns[layer]
            wanted, weights = np.transpose([_wanted_height(proper, s, heights) for s in column])
            placed = _fit_increasing(wanted - offsets[layer], weights)
            heights.update(zip(column, placed + offsets[layer]))
    return heights


def _straighten(
    proper: nx.DiGraph, columns: list[list[Slot]], heights: dict[Slot, float], size: BoxSize
) -> dict[Slot, float]:
    """Returns heights in which chains of slots are level wherever their neighbours leave room.

    A chain is joined by edges that are the only one out of their source and into their target: the
    bends of a long edge, boxes in sequence.
    """
    chains = nx.DiGraph()
    chains.add_nodes_from(proper)
    chains.add_edges_from(
        (a, b) for a, b in proper.edges if proper.out_degree(a) == 1 and proper.in_degree(b) == 1
    )
    blocks = [list(block) for block in nx.weakly_connected_components(chains)]
    blocks.sort(key=lambda block: (-len(block), str(sorted(map(str, block)))))
    ranges = {slot: index for column in columns for index, slot in enumerate(column)}
    steps = [np.diff(_offsets(column, size)) for column in columns]
    for _ in range(_ROUNDS):
        for block in blocks:
            low, high = -np.inf, np.inf
            for slot in block:
                layer, index = proper.nodes[slot]["layer"], ranges[slot]
                column = columns[layer]
                if index > 0:
                    low = max(low, heights[column[index - 1]] + steps[layer][index - 1])
                if index + 1 < len(column):
                    high = min(high, heights[column[index + 1]] - steps[layer][index])
            if low <= high:
                level = np.clip(_outside_mean(proper, block, heights), low, high)
                heights.update(dict.fromkeys(block, float(level)))
    return heights


def _outside_mean(proper: nx.DiGraph, block: list[Slot], heights: dict[Slot, float]) -> float:
    """Returns the mean height of a chain's neighbours, or its own where it has none."""
    inside = set(block)
    near = (n for slot in block for n in (*proper.predecessors(slot), *proper.successors(slot)))
    outside = [heights[n] for n in near if n not in inside]
    return float(np.mean(outside or [heights[n] for n in block]))


def _offsets(column: list[Slot], size: BoxSize) -> np.ndarray:
    """Returns how far each slot's centre is at least above the first one's, float64 [slots]."""
    extents = np.array([_BEND_HEIGHT if isinstance(s, tuple) else size.height for s in column])
    steps = (extents[1:] + extents[:-1]) / 2 + size.row_gap
    return np.concatenate([[0.0], np.cumsum(steps)])


def _wanted_height(
    proper: nx.DiGraph, slot: Slot, heights: dict[Slot, float]
) -> tuple[float, float]:
    """Returns the weighted mean height of a slot's neighbours, and the sum of the weights."""
    total, weight = 0.0, 0.0
    for other in (*proper.predecessors(slot), *proper.successors(slot)):
        pull = _BEND_WEIGHT if isinstance(slot, tuple) and isinstance(other, tuple) else 1.0
        total, weight = total + pull * heights[other], weight + pull
    return (total / weight, weight) if weight else (heights[slot], 1.0)


def _fit_increasing(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns the non-decreasing values nearest to the given ones (pool adjacent violators)."""
    blocks: list[list[float]] = []  # mean, weight, length
    for value, weight in zip(values, weights):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value, weight, length = blocks.pop()
            mean, before, count = blocks.pop()
            total = before + weight
            blocks.append([(mean * before + value * weight) / total, total, count + length])
    return np.concatenate([np.full(int(length), mean) for mean, _, length in blocks])


def _finish(
    graph: nx.DiGraph, layers: np.ndarray, heights: dict[Slot, float], size: BoxSize
) -> Layout:
    """Returns the layout once every slot has a height: coordinates, ports and way points."""
    pitch, half = size.width + size.column_gap, size.width / 2
    centres = np.array([[layers[node] * pitch, heights[node]] for node in range(len(graph))])
    routes = {}  # the slots an edge goes through, source and target included
    for source, target in graph.edges:
        inner = range(int(layers[source]) + 1, int(layers[target]))
        routes[source, target] = [source, *((source, target, layer) for layer in inner), target]
    leaving = _ports({edge: heights[route[1]] for edge, route in routes.items()}, 0, size)
    entering = _ports({edge: heights[route[-2]] for edge, route in routes.items()}, 1, size)
    edges = {}
    for edge, route in routes.items():
        points = [centres[edge[0]] + (half, leaving[edge])]
        for bend in route[1:-1]:
            x, y = bend[2] * pitch, heights[bend]
            points += [(x - half, y), (x + half, y)]
        points.append(centres[edge[1]] + (-half, entering[edge]))
        edges[edge] = np.array(points, dtype=np.float64)
    corner = np.array((half, size.height / 2))
    spots = np.concatenate([centres - corner, centres + corner, *edges.values()])
    (x0, y0), (x1, y1) = spots.min(axis=0), spots.max(axis=0)
    return Layout(centres, layers, edges, size, (float(x0), float(x1), float(y0), float(y1)))


def _ports(
    towards: dict[tuple[int, int], float], end: int, size: BoxSize
) -> dict[tuple[int, int], float]:
    """Returns how far above its box's centre each edge leaves (end 0) or enters (end 1).

    Args:
        towards: edge -> height of what comes next on its way from that end; it decides the order.
        end: 0 for sources, 1 for targets.
        size: of the boxes.
    """
    groups: dict[int, list[tuple[int, int]]] = {}
    for edge in sorted(towards, key=lambda edge: (towards[edge], edge)):
        groups.setdefault(edge[end], []).append(edge)
    result = {}
    for group in groups.values():
        spread = min(_PORT_SHARE * size.height, 0.09 * (len(group) - 1)) / 2
        places = np.linspace(-spread, spread, len(group)) if len(group) > 1 else [0.0]
        result.update(zip(group, places))
    return result
