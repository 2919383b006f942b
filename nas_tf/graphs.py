"""Batches of cell graphs as arrays.

A cell is a directed acyclic graph whose nodes carry operations. Node 0 is the input, the last
node the output, and every edge leads from a lower to a higher node.

Shapes: [...] any leading dimensions of a batch, N nodes a cell is padded to.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

PADDING_OP = -1
MAX_NODES = 127  # of a cell: numbers of nodes are int8

# Of what keys are made of: what was stored with keys of another version is not mixed with these.
KEYS_VERSION = 2

SPLIT_MIX_STEP = np.uint64(0x9E3779B97F4A7C15)  # between two states of the generator

_KEY_CHUNK = 1 << 15  # cells hashed at a time, so that the working set stays in cache


def scramble(values: np.ndarray) -> np.ndarray:
    """Scrambles uint64 values [...] one to one: SplitMix64's finaliser (Steele et al., 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _mix(values: np.ndarray) -> np.ndarray:
    """Makes SplitMix64's next number of each state, uint64 [...]."""
    return scramble(values + SPLIT_MIX_STEP)


def canonical_keys(cells: "CellGraphs") -> np.ndarray:
    """Hashes cells by what they compute: `graph_keys` of their pruned graphs.

    Equal architectures have equal keys whatever the numbering of their nodes, their dead nodes, the
    padding and the batch. All cells that connect nothing are one.

    Returns:
        uint64 [...].
    """
    keep = on_path(cells)
    dead = (keep != nodes_in_use(cells)).any(axis=-1)
    keys = graph_keys(cells)
    if dead.any():
        keys = np.array(keys)
        keys[dead] = graph_keys(prune(cells[dead])[0])
    return keys


def graph_keys(cells: "CellGraphs") -> np.ndarray:
    """Hashes graphs so that isomorphic ones, and in practice only these, get equal keys.

    Weisfeiler-Leman refinement: every node's colour starts from its operation and degrees and is
    renewed from the multisets of its predecessors' and successors' colours as often as there are
    nodes in use, which is what the official MD5 hash of NAS-Bench-101 does with strings. Dead nodes
    count.

    Returns:
        uint64 [...].
    """
    size = cells.max_nodes
    count = math.prod(cells.shape)
    adjacency = cells.adjacency.reshape(count, size, size)
    ops = cells.ops.reshape(count, size)
    num_nodes = cells.num_nodes.reshape(count)
    keys = np.empty(count, np.uint64)
    for start in range(0, count, _KEY_CHUNK):
        part = slice(start, start + _KEY_CHUNK)
        keys[part] = _refine(adjacency[part], ops[part], num_nodes[part])
    return keys.reshape(cells.shape)


def _refine(adjacency: np.ndarray, ops: np.ndarray, num_nodes: np.ndarray) -> np.ndarray:
    size = int(num_nodes.max(initial=0))
    ops = ops[:, :size]
    edges = np.ascontiguousarray(adjacency[:, :size, :size].transpose(1, 2, 0)).astype(np.uint64)
    used = (np.arange(size)[:, None] < num_nodes).astype(np.uint64)  # [N, B]
    degrees = edges.sum(axis=0) * np.uint64(64) + edges.sum(axis=1)
    labels = (ops.T.astype(np.int64) + 2).astype(np.uint64)
    colours = _mix(labels * np.uint64(4096) + degrees) * used
    pairs = [(i, j) for i in range(size) for j in range(i + 1, size) if edges[i, j].any()]
    for round_ in range(size):
        gathered = _mix(colours)
        to_successors = _mix(colours ^ np.uint64(0x5851F42D4C957F2D))
        to_predecessors = _mix(colours ^ np.uint64(0x14057B7EF767814F))
        for i, j in pairs:
            gathered[j] += edges[i, j] * to_successors[i]
            gathered[i] += edges[i, j] * to_predecessors[j]
        colours = np.where(round_ < num_nodes, _mix(gathered) * used, colours)
    return _mix(colours.sum(axis=0) + num_nodes.astype(np.uint64))


@dataclasses.dataclass(frozen=True, eq=False)
class CellGraphs:
    """A batch of cells.

    Attributes:
        adjacency: uint8 [..., N, N]; 1 at [i, j] is an edge from node i to node j.
        ops: int8 [..., N]; operation codes, PADDING_OP after the last node.
        num_nodes: int8 [...]; nodes in use, input and output included.
        identity: what tells which cells are one architecture: gives a batch its keys, uint64 [...],
            from these arrays alone. A space whose graphs say less than its cells has one of its own
            (`spaces.darts`).
        known_keys: what `identity` gives, where it was computed earlier.
    """

    adjacency: np.ndarray
    ops: np.ndarray
    num_nodes: np.ndarray
    identity: "Callable[[CellGraphs], np.ndarray]" = canonical_keys
    known_keys: np.ndarray | None = None

    @classmethod
    def from_matrices(
        cls, matrices: Sequence[Sequence], ops: Sequence[Sequence[int]], max_nodes: int
    ) -> "CellGraphs":
        """Pads matrices of any sizes into one batch.

        Args:
            matrices: B square 0-1 matrices of at most `max_nodes` rows.
            ops: B sequences of operation codes, as long as their matrices.
            max_nodes: N of the batch.

        Raises:
            ValueError: a matrix does not fit its operations or `max_nodes`, or that is over 127.
        """
        if max_nodes > MAX_NODES:
            raise ValueError(f"max_nodes={max_nodes}: expected {MAX_NODES} at most")
        batch = len(matrices)
        adjacency = np.zeros((batch, max_nodes, max_nodes), np.uint8)
        codes = np.full((batch, max_nodes), PADDING_OP, np.int8)
        num_nodes = np.zeros(batch, np.int8)
        for index, (matrix, labels) in enumerate(zip(matrices, ops, strict=True)):
            matrix = np.asarray(matrix)
            size = len(labels)
            if matrix.shape != (size, size) or size > max_nodes:
                raise ValueError(
                    f"cell {index}: matrix of shape {matrix.shape} with {size} operations; "
                    f"expected a square one of at most {max_nodes} rows"
                )
            adjacency[index, :size, :size] = matrix
            codes[index, :size] = labels
            num_nodes[index] = size
        return cls(adjacency, codes, num_nodes)

    @classmethod
    def concatenate(cls, batches: Sequence["CellGraphs"]) -> "CellGraphs":
        """Joins batches of the same N along their first dimension.

        Raises:
            ValueError: what is one architecture in one batch may be two in another.
        """
        identities = {batch.identity for batch in batches}
        if len(identities) > 1:
            names = " and ".join(sorted(identity.__qualname__ for identity in identities))
            raise ValueError(
                f"cells identified by {names} cannot be joined; make all of them by the functions "
                "of their space"
            )
        known = any(batch.known_keys is not None for batch in batches)
        return cls(
            np.concatenate([batch.adjacency for batch in batches]),
            np.concatenate([batch.ops for batch in batches]),
            np.concatenate([batch.num_nodes for batch in batches]),
            identities.pop(),
            np.concatenate([batch.keys for batch in batches]) if known else None,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Leading dimensions of the batch."""
        return self.num_nodes.shape

    @property
    def max_nodes(self) -> int:
        """N, the size every cell is padded to."""
        return self.ops.shape[-1]

    @functools.cached_property
    def keys(self) -> np.ndarray:
        """Keys of the architectures, uint64 [...]: equal where cells are one, by `identity`."""
        return self.identity(self) if self.known_keys is None else self.known_keys

    @property
    def num_edges(self) -> np.ndarray:
        """Edges of every cell, int64 [...]."""
        return self.adjacency.sum(axis=(-2, -1), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.num_nodes)

    def __getitem__(self, index) -> "CellGraphs":
        """Selects along the leading dimensions; keys already computed go along."""
        return self._map(lambda array: array[index])

    def reshape(self, *shape: int) -> "CellGraphs":
        """Changes the leading dimensions."""
        lead = len(self.shape)
        return self._map(lambda array: array.reshape((*shape, *array.shape[lead:])))

    def with_keys(self, keys: np.ndarray) -> "CellGraphs":
        """Returns the same batch with keys, uint64 [...], that were computed earlier."""
        return dataclasses.replace(self, known_keys=keys)

    def matrix(self, *index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns one cell without padding: adjacency [V, V] and operation codes [V]."""
        size = int(self.num_nodes[index])
        return self.adjacency[index][:size, :size], self.ops[index][:size]

    def _map(self, function) -> "CellGraphs":
        arrays = map(function, (self.adjacency, self.ops, self.num_nodes))
        known = self.__dict__.get("keys", self.known_keys)
        keys = None if known is None else function(known)
        return CellGraphs(*arrays, self.identity, keys)


def is_upper_triangular(adjacency: np.ndarray) -> np.ndarray:
    """Returns bool [...]: no edge leads from a node to itself or an earlier one."""
    return ~np.tril(adjacency).any(axis=(-2, -1))


def nodes_in_use(cells: CellGraphs) -> np.ndarray:
    """Returns bool [..., N]: the node is no padding."""
    return np.arange(cells.max_nodes) < cells.num_nodes[..., None]


def on_path(cells: CellGraphs) -> np.ndarray:
    """Returns bool [..., N]: the node lies on a path from the input to the output."""
    edges = cells.adjacency.astype(bool)
    nodes = np.arange(cells.max_nodes)
    from_input = np.zeros(cells.ops.shape, bool)
    from_input[..., 0] = True
    for node in nodes[1:]:
        from_input[..., node] = (from_input & edges[..., :, node]).any(axis=-1)
    to_output = nodes == cells.num_nodes[..., None] - 1
    for node in nodes[-2::-1]:
        to_output[..., node] |= (to_output & edges[..., node, :]).any(axis=-1)
    return from_input & to_output & nodes_in_use(cells)


def prune(cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
    """Removes the nodes that lie on no path from input to output.

    Returns:
        the pruned cells, their nodes moved together, and bool [...]: input and output are
        connected. A cell that is not connected becomes one without nodes.
    """
    keep = on_path(cells)
    connected = keep[..., 0] & (keep.sum(axis=-1) >= 2)
    keep &= connected[..., None]
    cells = _renumber(cells, np.argsort(~keep, axis=-1, kind="stable"))
    num_nodes = keep.sum(axis=-1).astype(np.int8)
    used = np.arange(cells.max_nodes) < num_nodes[..., None]
    adjacency = cells.adjacency * (used[..., :, None] & used[..., None, :])
    ops = np.where(used, cells.ops, PADDING_OP)
    arrays = (adjacency.astype(np.uint8), ops.astype(np.int8), num_nodes)
    return CellGraphs(*arrays, cells.identity), connected


def sort_nodes(cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
    """Renumbers nodes so that every edge leads to a later one.

    Nodes are ordered by the longest path that leads to them, equal ones as they were; input and
    output stay first and last.

    Args:
        cells: batch whose edges may lead to earlier nodes.

    Returns:
        the sorted cells and bool [...]: the cell has no cycle. With a cycle it cannot be sorted.
    """
    edges = cells.adjacency.astype(bool)
    depth = np.zeros(cells.ops.shape, np.int64)
    for _ in range(cells.max_nodes):
        longer = np.where(edges, depth[..., :, None] + 1, 0).max(axis=-2)
        depth = np.maximum(depth, longer)
    acyclic = (depth < cells.max_nodes).all(axis=-1)
    from_output = np.arange(cells.max_nodes) - (cells.num_nodes[..., None] - 1)
    depth = np.where(from_output < 0, depth, cells.max_nodes + from_output)
    depth[..., 0] = -1
    return _renumber(cells, np.argsort(depth, axis=-1, kind="stable")), acyclic


def _renumber(cells: CellGraphs, order: np.ndarray) -> CellGraphs:
    """Returns cells whose node i was node `order`[..., i]."""
    adjacency = np.take_along_axis(cells.adjacency, order[..., :, None], axis=-2)
    adjacency = np.take_along_axis(adjacency, order[..., None, :], axis=-1)
    ops = np.take_along_axis(cells.ops, order, axis=-1)
    return CellGraphs(adjacency, ops, cells.num_nodes, cells.identity)


def edit_distance(first: CellGraphs, second: CellGraphs) -> np.ndarray:
    """Returns int64 [...]: edges plus operations that differ, node by node.

    Batches broadcast. Nodes are compared by position; padding differs from every operation.
    """
    edges = (first.adjacency != second.adjacency).sum(axis=(-2, -1))
    return edges + (first.ops != second.ops).sum(axis=-1)


class KeyIndex:
    """Looks keys up in a pool whose keys are sorted once."""

    def __init__(self, pool_keys: np.ndarray):
        """Args: pool_keys: uint64 [M], in any order."""
        self._order = np.argsort(pool_keys, kind="stable")
        self._sorted = np.asarray(pool_keys)[self._order]

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks keys up.

        Args:
            keys: uint64 [...].

        Returns:
            int64 [...] positions in the pool (undefined where absent) and bool [...]: present.
        """
        keys = np.asarray(keys)
        if not len(self._sorted):
            return np.zeros(keys.shape, np.int64), np.zeros(keys.shape, bool)
        place = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return self._order[place], self._sorted[place] == keys


def find(keys: np.ndarray, pool_keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Looks keys up in a pool that is asked once; see `KeyIndex.find`."""
    return KeyIndex(pool_keys).find(keys)


def first_of_each_key(cells: CellGraphs) -> np.ndarray:
    """Returns the ascending positions of cells [B] that are the first with their key."""
    return np.sort(np.unique(cells.keys, return_index=True)[1])


def cell_arrays(cells: CellGraphs) -> dict[str, np.ndarray]:
    """Returns cells [...] as arrays that a file can hold; see `core.History.arrays`."""
    names = ("adjacency", "ops", "num_nodes")
    return {f"cells_{name}": getattr(cells, name) for name in names}


def cells_from_arrays(arrays: Mapping[str, np.ndarray]) -> CellGraphs | None:
    """Returns the cells [...] of `cell_arrays`; None if there are none.

    They have the keys of plain graphs: where a space has its own, `with_keys` gives them.
    """
    if "cells_adjacency" not in arrays:
        return None
    return CellGraphs(*(arrays[f"cells_{name}"] for name in ("adjacency", "ops", "num_nodes")))
