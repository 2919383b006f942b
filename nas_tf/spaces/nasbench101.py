"""The NAS-Bench-101 space: 423,624 cells of at most 7 vertices and 9 edges.

Ying et al., 2019, arXiv:1902.09635; encoded as in arch2vec (Yan et al., 2020), section 3.1.

Shapes: N = 7 nodes a cell is padded to, D = 5 operations.
"""

import enum
import itertools

import numpy as np

from nas_tf import caching, graphs
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import PADDING_OP, CellGraphs

MAX_VERTICES = 7
MAX_EDGES = 9
OP_NAMES = ("input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "output")
INPUT, CONV1X1, CONV3X3, MAXPOOL3X3, OUTPUT = range(5)
INTERIOR_OPS = (CONV1X1, CONV3X3, MAXPOOL3X3)

# The benchmark numbers its operations 3x3, 1x1, max-pool, and input and output -1 and -2.
OFFICIAL_OPS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
OFFICIAL_LABELS = (-1, 1, 0, 2, -2)
_OFFICIAL_ORDER = (CONV3X3, CONV1X1, MAXPOOL3X3)

_CACHE_VERSION = 3
_MAX_REJECTIONS = 1000


class Invalid(enum.IntEnum):
    """Why a cell is outside the space; VALID is 0."""

    VALID = 0
    NOT_UPPER_TRIANGULAR = 1
    NO_OUTPUT_LAST = 2
    NO_INPUT_FIRST = 3
    DISCONNECTED = 4
    UNKNOWN_INTERIOR_OPERATION = 5
    TOO_MANY_EDGES = 6
    TOO_MANY_VERTICES = 7

    @property
    def text(self) -> str:
        """The reason in words."""
        return _REASONS[self]


_REASONS = {
    Invalid.VALID: "valid",
    Invalid.NOT_UPPER_TRIANGULAR: "an edge leads to the same or an earlier node",
    Invalid.NO_OUTPUT_LAST: "the last node with an incoming edge is not 'output'",
    Invalid.NO_INPUT_FIRST: "the first node is not 'input'",
    Invalid.DISCONNECTED: "no path leads from input to output",
    Invalid.UNKNOWN_INTERIOR_OPERATION: "an interior node is not a 1x1, 3x3 or max-pool",
    Invalid.TOO_MANY_EDGES: f"too many edges (no cell has more than {MAX_EDGES} edges)",
    Invalid.TOO_MANY_VERTICES: f"too many vertices (no cell has more than {MAX_VERTICES})",
}


class NasBench101Space:
    """Cells of the NAS-Bench-101 space.

    Args:
        max_vertices: 2 to 7; smaller values give the sub-space of smaller cells.
        max_edges: at most 9.

    Raises:
        ConfigError: a limit is outside the benchmark's.
    """

    name = "nasbench101"
    max_nodes = MAX_VERTICES
    op_names = OP_NAMES

    def __init__(self, max_vertices: int = MAX_VERTICES, max_edges: int = MAX_EDGES):
        _check_limits(max_vertices, max_edges)
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

    def mutate(self, cells: CellGraphs, rng: np.random.Generator) -> CellGraphs:
        """Returns, for every cell [...], one of its neighbours, all equally likely.

        Raises:
            ConfigError: a cell has none, because the space's limits are too tight.
        """
        flat = cells.reshape(-1)
        candidates, origin = self.neighbours(flat)
        start = np.searchsorted(origin, np.arange(len(flat)))
        count = np.bincount(origin, minlength=len(flat))
        if not count.all():
            raise ConfigError(
                f"max_vertices={self.max_vertices}, max_edges={self.max_edges}: cell "
                f"{np.argmin(count)} has no neighbour in so small a space"
            )
        return candidates[start + rng.integers(0, count)].reshape(*cells.shape)

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
        adjacency[row, :, node + 1] = adjacency[row, :, node]  # the output gives up its place
        adjacency[row, :, node] = 0
        adjacency[row, source, node] = 1
        adjacency[row, node, target + (target == node)] = 1
        ops[row, node + 1] = OUTPUT
        ops[row, node] = np.tile(INTERIOR_OPS, len(origin) // 3)
        return CellGraphs(adjacency, ops, edited.num_nodes + np.int8(1)), origin

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

    def counts_as_valid(self, adjacency: np.ndarray, ops: np.ndarray) -> np.ndarray:
        """Tells, bool [...], which decoded matrices are cells; arguments as in `decode`."""
        return self.decode(adjacency, ops)[1] == 0

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: for pruned cells, the `Invalid` code (0 is in the space)."""
        nodes = np.arange(cells.max_nodes)
        last = cells.num_nodes[..., None] - 1
        interior = (nodes > 0) & (nodes < last)
        known = np.isin(cells.ops, INTERIOR_OPS) | ~interior
        at_end = (cells.ops == OUTPUT) | (nodes != last)
        reason = np.zeros(cells.shape, np.int8)
        reason[cells.num_edges > self.max_edges] = Invalid.TOO_MANY_EDGES
        reason[cells.num_nodes > self.max_vertices] = Invalid.TOO_MANY_VERTICES
        reason[~known.all(axis=-1)] = Invalid.UNKNOWN_INTERIOR_OPERATION
        dead = graphs.on_path(cells) != graphs.nodes_in_use(cells)
        reason[dead.any(axis=-1) | (cells.num_nodes < 2)] = Invalid.DISCONNECTED
        reason[cells.ops[..., 0] != INPUT] = Invalid.NO_INPUT_FIRST
        reason[~at_end.all(axis=-1)] = Invalid.NO_OUTPUT_LAST
        reason[~graphs.is_upper_triangular(cells.adjacency)] = Invalid.NOT_UPPER_TRIANGULAR
        return reason

    def md5_hashes(self, cells: CellGraphs) -> np.ndarray:
        """Returns the benchmark's MD5 hash of every cell, str [...]."""
        return graphs.md5_hashes(cells, OFFICIAL_LABELS)


def _check_limits(max_vertices: int, max_edges: int) -> None:
    """Raises ConfigError when a limit is outside the benchmark's."""
    if not 2 <= max_vertices <= MAX_VERTICES:
        raise ConfigError(f"max_vertices={max_vertices}: expected 2 to {MAX_VERTICES}")
    if not 1 <= max_edges <= MAX_EDGES:
        raise ConfigError(f"max_edges={max_edges}: expected 1 to {MAX_EDGES}")


def with_output_last(cells: CellGraphs, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Spreads cells over graphs of `size` nodes whose last is the output.

    Args:
        cells: batch [...].
        size: at least as many nodes as the largest cell has.

    Returns:
        adjacency uint8 [..., size, size], and int8 [..., size], operation codes; nodes that a cell
        lacks stand before the output, without edges, and are PADDING_OP.

    Raises:
        InvalidArchitectureError: a cell has more nodes.
    """
    largest = int(cells.num_nodes.max(initial=0))
    if largest > size:
        raise InvalidArchitectureError(f"a cell has {largest} vertices, the encoding {size}")
    node = np.arange(size)
    output = cells.num_nodes[..., None].astype(np.int64) - 1
    source = np.where(node < output, node, node + 1)  # makes room before the output
    source[..., -1:] = output
    adjacency = np.take_along_axis(cells.adjacency, source[..., :, None], axis=-2)
    adjacency = np.take_along_axis(adjacency, source[..., None, :], axis=-1)
    return adjacency, np.take_along_axis(cells.ops, source, axis=-1)


def _possible_edges(cells: CellGraphs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns cell, source and target, int64 [K] each, of every edge cells [B] may have.

    No edge leads into the input, out of the output or from a node to itself.
    """
    nodes = np.arange(MAX_VERTICES)
    last = cells.num_nodes[:, None, None] - 1
    distinct = nodes[:, None] != nodes
    return np.nonzero((nodes[:, None] < last) & (nodes > 0) & (nodes <= last) & distinct)


def enumerate_cells(max_vertices: int = MAX_VERTICES, max_edges: int = MAX_EDGES) -> CellGraphs:
    """Returns every unique cell once: 423,624 of them by default.

    Cells come by size, then in the order in which the official generator first meets them, in
    the representation it first meets. Read from the cache directory after the first time.

    Args:
        max_vertices: 2 to 7, input and output included.
        max_edges: 1 to 9.

    Returns:
        batch [M], padded to 7 nodes, with keys.

    Raises:
        ConfigError: a limit is outside the benchmark's.
    """
    directory = caching.cache_directory() / (
        f"nasbench101-cells-v{_CACHE_VERSION}-{max_vertices}-{max_edges}"
    )
    return caching.cached_cells(
        directory,
        lambda: generate_cells(max_vertices, max_edges),
        space="nasbench101",
        name="the cells of NAS-Bench-101",
    )


def generate_cells(max_vertices: int, max_edges: int) -> CellGraphs:
    """Enumerates unique cells, [M]; see `enumerate_cells`.

    Isomorphic graphs are dropped twice: first among the bare graphs, then, for one representative
    of each, among its 3^(V-2) labelings. Only the second step sees operations, and few graphs
    reach it.

    Raises:
        ConfigError: a limit is outside the benchmark's.
    """
    _check_limits(max_vertices, max_edges)
    return CellGraphs.concatenate(
        [_cells_of_size(size, max_edges) for size in range(2, max_vertices + 1)]
    )


def _cells_of_size(size: int, max_edges: int) -> CellGraphs:
    bare = _full_dags(size, max_edges)
    bare = bare[graphs.first_of_each_key(bare)]
    interior = np.array(list(itertools.product(_OFFICIAL_ORDER, repeat=size - 2)), np.int8)
    labelings = np.full((len(interior), MAX_VERTICES), PADDING_OP, np.int8)
    labelings[:, 0], labelings[:, size - 1] = INPUT, OUTPUT
    labelings[:, 1 : size - 1] = interior.reshape(len(interior), size - 2)
    graph = np.repeat(np.arange(len(bare)), len(labelings))
    labeled = CellGraphs(
        bare.adjacency[graph], np.tile(labelings, (len(bare), 1)), bare.num_nodes[graph]
    )
    return labeled[graphs.first_of_each_key(labeled)]


def _full_dags(size: int, max_edges: int) -> CellGraphs:
    """All graphs of `size` nodes, each on a path from input to output, without operations.

    Bit x + y (y - 1) / 2 of a graph's number is the edge from x to y, as in the official generator.
    """
    pairs = [(x, y) for y in range(size) for x in range(y)]
    numbers = np.arange(1 << len(pairs), dtype=np.uint32)
    numbers = numbers[np.bitwise_count(numbers) <= max_edges]
    for node in range(size):
        leaving = sum(1 << bit for bit, (x, _) in enumerate(pairs) if x == node)
        entering = sum(1 << bit for bit, (_, y) in enumerate(pairs) if y == node)
        for mask in filter(None, (leaving, entering)):
            numbers = numbers[(numbers & np.uint32(mask)) != 0]
    adjacency = np.zeros((len(numbers), MAX_VERTICES, MAX_VERTICES), np.uint8)
    for bit, (x, y) in enumerate(pairs):
        adjacency[:, x, y] = (numbers >> np.uint32(bit)) & 1
    ops = np.full((len(numbers), MAX_VERTICES), PADDING_OP, np.int8)
    ops[:, 0], ops[:, 1 : size - 1], ops[:, size - 1] = INPUT, CONV3X3, OUTPUT
    return CellGraphs(adjacency, ops, np.full(len(numbers), size, np.int8))
