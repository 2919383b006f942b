"""The NAS-Bench-101 space: 423,624 cells of at most 7 vertices and 9 edges.

Ying et al., 2019, arXiv:1902.09635; encoded as in arch2vec (Yan et al., 2020), section 3.1.

Shapes: N = 7 nodes a cell is padded to, D = 5 operations.
"""

from typing import Any

import numpy as np

from nas_tf import graphs
from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.spaces import module_hashes, nasbench101_costs
from nas_tf.spaces.counting import Cost
from nas_tf.spaces.nasbench101_architecture import NasBench101Architecture
# Who has this module has the names of its cells as well.
from nas_tf.spaces.nasbench101_cells import (
    CONV1X1, CONV3X3, INPUT, INTERIOR_OPS, MAX_EDGES, MAX_VERTICES, MAXPOOL3X3, OFFICIAL_LABELS,
    OFFICIAL_OPS, OP_NAMES, OUTPUT, Invalid, check, check_limits, enumerate_cells, generate_cells,
    with_output_last,
)
from nas_tf.spaces.nasbench101_encodings import NasBench101Decisions, NasBench101GraphForm
from nas_tf.spaces.nasbench101_text import from_value, to_specs
from nas_tf.spaces.space import SearchSpace

_MAX_REJECTIONS = 1000


class NasBench101Space(SearchSpace):
    """Cells of the NAS-Bench-101 space.

    Args:
        max_vertices: 2 to 7; smaller values give the sub-space of smaller cells.
        max_edges: at most 9.

    Raises:
        ConfigError: a limit is outside the benchmark's.
    """

    name = "nasbench101"
    title = "NAS-Bench-101"
    max_nodes = MAX_VERTICES
    op_names = OP_NAMES
    op_labels = ("input", "1×1", "3×3", "max-pool", "output")
    neighbours_version = 1

    def __init__(self, max_vertices: int = MAX_VERTICES, max_edges: int = MAX_EDGES):
        check_limits(max_vertices, max_edges)
        self.max_vertices = max_vertices
        self.max_edges = max_edges

    def enumerate_cells(self) -> CellGraphs:
        """Returns every unique cell once, [M], smallest first; cached on disk."""
        return enumerate_cells(self.max_vertices, self.max_edges)

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Draws cells as the benchmark's own random search does.

        Every edge of a graph of `max_vertices` is there with probability one half, every operation
        is equally likely, and what is invalid is drawn again; dead nodes are then pruned.

        Args:
            rng: source of randomness.
            shape: leading dimensions of the result.

        Raises:
            RuntimeError: after 1,000 rounds some draws were still invalid.
        """
        count = int(np.prod(shape))
        accepted, missing = [], count
        for _ in range(_MAX_REJECTIONS):
            cells, connected = graphs.prune(self._random_graphs(rng, 4 * missing + 16))
            valid = connected & (cells.num_edges <= self.max_edges)
            accepted.append(cells[np.flatnonzero(valid)[:missing]])
            missing -= len(accepted[-1])
            if not missing:
                return CellGraphs.concatenate(accepted).reshape(*shape)
        raise RuntimeError(f"{missing} of {count} random cells still invalid: max_edges too small")

    def _random_graphs(self, rng: np.random.Generator, count: int) -> CellGraphs:
        size = self.max_vertices
        adjacency = np.zeros((count, MAX_VERTICES, MAX_VERTICES), np.uint8)
        adjacency[:, :size, :size] = np.triu(rng.integers(0, 2, (count, size, size)), 1)
        ops = np.full((count, MAX_VERTICES), PADDING_OP, np.int8)
        ops[:, 1 : size - 1] = rng.choice(INTERIOR_OPS, (count, size - 2))
        ops[:, 0], ops[:, size - 1] = INPUT, OUTPUT
        return CellGraphs(adjacency, ops, np.full(count, size, np.int8))

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns all cells one edit away, each once per origin.

        An edit adds or removes one edge, changes one operation, or inserts or removes a node with
        one edge in and one edge out. Every edit is undone by another, and the numbering of nodes
        plays no part: whether two cells are neighbours is symmetric and the same for all
        isomorphic ones.

        Args:
            cells: batch [B] of valid cells.

        Returns:
            cells [K] and int64 [K], the position in `cells` of each one's origin, ascending.
        """
        edits = [self._flip_edges(cells), self._change_ops(cells), self._insert_nodes(cells)]
        candidates = CellGraphs.concatenate([edited for edited, _ in edits])
        origin = np.concatenate([source for _, source in edits])
        candidates, acyclic = graphs.sort_nodes(candidates)
        candidates, connected = graphs.prune(candidates)
        valid = acyclic & connected & (candidates.num_edges <= self.max_edges)
        # Pruning may take the two edges of one node that was removed, but nothing larger.
        valid &= candidates.num_edges >= cells.num_edges[origin] - 2
        valid &= candidates.keys != cells.keys[origin]
        candidates, origin = candidates[valid], origin[valid]
        pairs = np.stack([origin.astype(np.uint64), candidates.keys], axis=1)
        first = np.sort(np.unique(pairs, axis=0, return_index=True)[1])
        order = first[np.argsort(origin[first], kind="stable")]
        return candidates[order], origin[order]

    def _flip_edges(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Every cell with one edge added or removed, and its origin; nodes are out of order."""
        origin, source, target = _possible_edges(cells)
        edited = cells[origin]
        adjacency = edited.adjacency.copy()
        adjacency[np.arange(len(origin)), source, target] ^= 1
        return CellGraphs(adjacency, edited.ops, edited.num_nodes), origin

    def _change_ops(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Every cell with one interior operation changed, and its origin."""
        interior = np.isin(cells.ops, INTERIOR_OPS)
        other = cells.ops[..., None] != np.array(INTERIOR_OPS)
        origin, node, op = np.nonzero(interior[..., None] & other)
        edited = cells[origin]
        ops = edited.ops.copy()
        ops[np.arange(len(origin)), node] = np.array(INTERIOR_OPS)[op]
        return CellGraphs(edited.adjacency, ops, edited.num_nodes), origin

    def _insert_nodes(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Every cell with a node of every operation between two nodes; nodes are out of order."""
        room = np.flatnonzero(cells.num_nodes < self.max_vertices)
        origin, source, target = _possible_edges(cells[room])
        origin, source, target = (np.repeat(array, 3) for array in (room[origin], source, target))
        edited = cells[origin]
        row, node = np.arange(len(origin)), edited.num_nodes.astype(np.int64) - 1
        adjacency, ops = edited.adjacency.copy(), edited.ops.copy()
        adjacency[row, :, node + 1] = adjacency[row, :, node]  # the output moves on
        adjacency[row, :, node] = 0
        adjacency[row, source, node] = 1
        adjacency[row, node, target + (target == node)] = 1
        ops[row, node + 1] = OUTPUT
        ops[row, node] = np.tile(INTERIOR_OPS, len(origin) // 3)
        return CellGraphs(adjacency, ops, edited.num_nodes + np.int8(1)), origin

    def decisions(self, cells: CellGraphs | None = None) -> NasBench101Decisions:
        """Returns cells as edges and operations; of a pool, with as many nodes as its largest."""
        return NasBench101Decisions(self._num_nodes(cells), self.max_edges)

    def graph_form(self, cells: CellGraphs | None = None) -> NasBench101GraphForm:
        """Returns cells as labelled graphs; of a pool, with as many nodes as its largest."""
        return NasBench101GraphForm(self._num_nodes(cells), self.max_edges)

    def from_value(self, value: Any, numbering: str = "") -> CellGraphs:
        """Returns the pruned cell, [], of a matrix and operations; see `nasbench101_text`.

        Raises:
            InvalidArchitectureError: it is no cell of the benchmark.
        """
        del numbering
        return from_value(value)

    def to_values(self, cells: CellGraphs) -> list[dict[str, Any]]:
        """Returns `matrix` and `ops` of each of cells [B]."""
        return to_specs(cells)

    def _num_nodes(self, cells: CellGraphs | None) -> int:
        return self.max_vertices if cells is None else int(cells.num_nodes.max())

    def encode(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns what arch2vec's encoder reads (section 3.1).

        Args:
            cells: batch [...].

        Returns:
            float32 [..., 7, 7] upper-triangular adjacency and float32 [..., 7, 5] one-hot
            operations; rows after the last node are zero.
        """
        one_hot = cells.ops[..., None] == np.arange(len(OP_NAMES))
        return cells.adjacency.astype(np.float32), one_hot.astype(np.float32)

    def decode(self, adjacency: np.ndarray, ops: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Turns decoded matrices into cells of the space.

        The output is the last node with an incoming edge, so that nodes after it are padding.
        Dead nodes are pruned first, as the benchmark does, and may carry any operation.

        Args:
            adjacency: 0-1 or bool [..., 7, 7].
            ops: integers [..., 7], operation codes of every node.

        Returns:
            pruned cells [...] and int8 [...], a code of `Invalid` (0 is valid). Where a cell is
            invalid its graph is whatever was left of it.
        """
        adjacency = np.asarray(adjacency).astype(np.uint8)
        entered = adjacency.any(axis=-2)
        size = MAX_VERTICES - np.argmax(entered[..., ::-1], axis=-1)
        size = np.where(entered.any(axis=-1), size, 1).astype(np.int8)
        used = np.arange(MAX_VERTICES) < size[..., None]
        raw = CellGraphs(adjacency, np.where(used, ops, PADDING_OP).astype(np.int8), size)
        upper = graphs.is_upper_triangular(adjacency)
        cells, connected = graphs.prune(raw)
        reason = self.check(cells)
        reason[~connected] = Invalid.DISCONNECTED
        last = np.take_along_axis(raw.ops, size[..., None].astype(np.int64) - 1, axis=-1)[..., 0]
        reason[raw.ops[..., 0] != INPUT] = Invalid.NO_INPUT_FIRST
        reason[last != OUTPUT] = Invalid.NO_OUTPUT_LAST
        reason[~upper] = Invalid.NOT_UPPER_TRIANGULAR
        return cells, reason

    def costs(self, cells: CellGraphs) -> Cost:
        """See `SearchSpace.costs`."""
        return nasbench101_costs.costs(cells)

    def architectures(self, cells: CellGraphs) -> list[NasBench101Architecture]:
        """See `SearchSpace.architectures`."""
        return NasBench101Architecture.of_cells(cells)

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: for pruned cells, the `Invalid` code (0 is in the space)."""
        return check(cells, self.max_vertices, self.max_edges)

    def md5_hashes(self, cells: CellGraphs) -> np.ndarray:
        """Returns the benchmark's MD5 hash of every cell, str [...]."""
        return module_hashes.md5_hashes(cells, OFFICIAL_LABELS)


def _possible_edges(cells: CellGraphs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns cell, source and target, int64 [K] each, of every edge cells [B] may have.

    No edge leads into the input, out of the output or from a node to itself.
    """
    nodes = np.arange(MAX_VERTICES)
    last = cells.num_nodes[:, None, None] - 1
    distinct = nodes[:, None] != nodes
    return np.nonzero((nodes[:, None] < last) & (nodes > 0) & (nodes <= last) & distinct)
