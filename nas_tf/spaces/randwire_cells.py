"""The graphs of the RandWire space: checks, keys and edits; NumPy functions alone.

Xie et al., 2019, arXiv:1904.01569. The space itself is in `randwire`.

Every node does the same, and none is dead: the network's input enters those that nothing else
enters, and its output averages those that lead nowhere. Hence graphs are not pruned, and two are
one architecture where they are isomorphic (`identity`).

Shapes: [...] any leading dimensions, N = 32 nodes.
"""

import dataclasses

import numpy as np

from nas_tf import graphs
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import reasons

NUM_NODES = 32
OP_NAMES = ("relu-sepconv3x3-bn",)
SOURCES, TARGETS = np.triu_indices(NUM_NODES, 1)  # of the 496 edges that a graph may have

_CHUNK = 1 << 11  # graphs hashed at a time, which bounds the memory
# Three places in the sequence of SplitMix64, for what a node says of itself and to its neighbours.
_OWN, _BEFORE, _AFTER = graphs.SPLIT_MIX_STEP * np.arange(1, 4, dtype=np.uint64)


class Invalid(reasons.Reason):
    """Why a graph is outside the space; VALID is 0."""

    VALID = 0, "valid"
    UNKNOWN_OPERATION = 1, f"a node is not {OP_NAMES[0]!r}"
    NOT_UPPER_TRIANGULAR = 2, "an edge leads to the same or an earlier node"
    WRONG_SIZE = 3, f"it has not {NUM_NODES} nodes"


def check(cells: CellGraphs) -> np.ndarray:
    """Returns int8 [...]: the `Invalid` code of every graph (0 is in the space)."""
    reason = np.zeros(cells.shape, np.int8)
    reason[((cells.ops != 0) & graphs.nodes_in_use(cells)).any(axis=-1)] = Invalid.UNKNOWN_OPERATION
    reason[~graphs.is_upper_triangular(cells.adjacency)] = Invalid.NOT_UPPER_TRIANGULAR
    reason[cells.num_nodes != NUM_NODES] = Invalid.WRONG_SIZE
    return reason


def refuse_outside(cells: CellGraphs) -> None:
    """Raises InvalidArchitectureError if a graph is outside the space."""
    reasons.refuse_outside(check(cells), Invalid, "RandWire")


def identity(cells: CellGraphs) -> np.ndarray:
    """Returns uint64 [...]: `wiring_keys` of graphs of 32 nodes, of others `graphs.graph_keys`."""
    nodes = slice(NUM_NODES)  # whatever they are padded to
    ours = (cells.num_nodes == NUM_NODES) & (cells.ops[..., nodes] == 0).all(axis=-1)
    keys = np.empty(cells.shape, np.uint64)
    keys[ours] = wiring_keys(cells.adjacency[..., nodes, nodes][ours])
    keys[~ours] = graphs.graph_keys(cells[~ours])
    return keys


def wiring_keys(adjacency: np.ndarray) -> np.ndarray:
    """Hashes graphs so that isomorphic ones, and in practice only these, get equal keys.

    Weisfeiler-Leman refinement, as of `graphs.graph_keys`, by products of matrices, which for a
    few graphs of many nodes take a tenth of the time. All acyclic graphs of at most seven nodes are
    told apart (A003087 of the On-Line Encyclopedia of Integer Sequences counts as many).

    Args:
        adjacency: 0-1 [..., V, V].

    Returns:
        uint64 [...].
    """
    size = adjacency.shape[-1]
    flat = adjacency.reshape(-1, size, size)
    parts = [flat[start : start + _CHUNK] for start in range(0, len(flat), _CHUNK)]
    keys = [_refined(part.astype(np.uint64)) for part in parts]
    return np.concatenate([np.zeros(0, np.uint64), *keys]).reshape(adjacency.shape[:-2])


def _refined(edges: np.ndarray) -> np.ndarray:
    """Returns the keys uint64 [B] of graphs, uint64 [B, V, V].

    Nodes begin with their degrees, with how many lead to them, or they lead to, by any path, and
    with the triangles that they are on.
    """
    size = np.uint64(edges.shape[-1])
    entered, left = np.ascontiguousarray(edges.swapaxes(-1, -2)), edges
    reach, joined = reachable(edges), (edges + entered).astype(np.float32)
    triangles = np.matmul(joined, joined) * joined
    colours = np.zeros(edges.shape[:-1], np.uint64)
    for counts in (edges, entered, reach, reach.swapaxes(-1, -2), triangles):
        colours = graphs.scramble(colours + counts.sum(axis=-1).astype(np.uint64) + _OWN)
    for _ in range(int(size)):
        before = np.einsum("bij,bj->bi", entered, graphs.scramble(colours + _BEFORE))
        after = np.einsum("bij,bj->bi", left, graphs.scramble(colours + _AFTER))
        colours = graphs.scramble(graphs.scramble(colours + _OWN) + before + after)
    return graphs.scramble(colours.sum(axis=-1) + size)


def from_adjacency(adjacency: np.ndarray) -> CellGraphs:
    """Returns the graphs [...] of upper-triangular matrices of 0 and 1, [..., 32, 32]."""
    lead = adjacency.shape[:-2]
    ops, num_nodes = np.zeros((*lead, NUM_NODES), np.int8), np.full(lead, NUM_NODES, np.int8)
    return CellGraphs(adjacency.astype(np.uint8), ops, num_nodes, identity)


def edits(adjacency: np.ndarray) -> np.ndarray:
    """Returns bool [..., 32, 32]: that edge may be flipped, and no cycle arises.

    An edge that is there may go, and one from i to j may come where none leads from j to i, also
    not by other nodes. Which nodes are numbered lower plays no part.

    Args:
        adjacency: 0-1 [..., 32, 32], without cycles.
    """
    return ~reachable(adjacency).swapaxes(-1, -2)


def reachable(adjacency: np.ndarray) -> np.ndarray:
    """Returns bool [..., V, V]: node j is node i or follows it, by any path."""
    size = adjacency.shape[-1]
    reach = adjacency.astype(bool) | np.eye(size, dtype=bool)
    for _ in range(max(1, (size - 1).bit_length())):
        steps = reach.astype(np.float32)
        reach = np.matmul(steps, steps) > 0
    return reach


def flipped(adjacency: np.ndarray, source: np.ndarray, target: np.ndarray) -> CellGraphs:
    """Returns graphs with one edge flipped, their nodes in an order that edges follow.

    Args:
        adjacency: 0-1 [B, 32, 32]; nothing of it changes.
        source: int [B].
        target: int [B].
    """
    edited = adjacency.copy()
    edited[np.arange(len(edited)), source, target] ^= 1
    back = np.flatnonzero(source > target)
    edited[back] = _sorted(edited[back])
    return from_adjacency(edited)


def neighbours(cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
    """Returns all graphs one edge away, each once per origin; see `RandWireSpace.neighbours`."""
    origin, source, target = np.nonzero(edits(cells.adjacency))
    candidates = flipped(cells.adjacency[origin], source, target)
    keys = candidates.keys
    order = np.lexsort((keys, origin))  # stable: of equal ones the first stays
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(keys[order]) != 0) | (np.diff(origin[order]) != 0)
    chosen = np.sort(order[first])
    return dataclasses.replace(candidates[chosen], known_keys=keys[chosen]), origin[chosen]


def _sorted(adjacency: np.ndarray) -> np.ndarray:
    """Returns graphs [B, 32, 32] without cycles whose nodes are ordered by the longest path there.

    Equal ones stay as they were.
    """
    edges = adjacency.astype(bool)
    depth = np.zeros(adjacency.shape[:-1], np.int8)
    while True:
        longer = np.where(edges, depth[..., :, None] + np.int8(1), np.int8(0)).max(axis=-2)
        if (longer <= depth).all():
            break
        depth = np.maximum(depth, longer)
    order = np.argsort(depth, axis=-1, kind="stable")
    moved = np.take_along_axis(adjacency, order[..., :, None], axis=-2)
    return np.take_along_axis(moved, order[..., None, :], axis=-1)
