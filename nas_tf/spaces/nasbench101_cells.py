"""The cells of NAS-Bench-101: constants, checks and enumeration; NumPy functions alone.

Ying et al., 2019, arXiv:1902.09635. The space itself is in `nasbench101`.

Shapes: N = 7 nodes a cell is padded to, D = 5 operations.
"""

import itertools

import numpy as np

from nas_tf import caching, graphs
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.spaces.reasons import Reason

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


class Invalid(Reason):
    """Why a cell is outside the space; VALID is 0."""

    VALID = 0, "valid"
    NOT_UPPER_TRIANGULAR = 1, "an edge leads to the same or an earlier node"
    NO_OUTPUT_LAST = 2, "the last node with an incoming edge is not 'output'"
    NO_INPUT_FIRST = 3, "the first node is not 'input'"
    DISCONNECTED = 4, "no path leads from input to output"
    UNKNOWN_INTERIOR_OPERATION = 5, "an interior node is not a 1x1, 3x3 or max-pool"
    TOO_MANY_EDGES = 6, f"too many edges (no cell has more than {MAX_EDGES} edges)"
    TOO_MANY_VERTICES = 7, f"too many vertices (no cell has more than {MAX_VERTICES})"


def check(
    cells: CellGraphs, max_vertices: int = MAX_VERTICES, max_edges: int = MAX_EDGES
) -> np.ndarray:
    """Returns int8 [...]: for pruned cells, the `Invalid` code (0 is in the space)."""
    nodes = np.arange(cells.max_nodes)
    last = cells.num_nodes[..., None] - 1
    interior = (nodes > 0) & (nodes < last)
    known = np.isin(cells.ops, INTERIOR_OPS) | ~interior
    at_end = (cells.ops == OUTPUT) | (nodes != last)
    reason = np.zeros(cells.shape, np.int8)
    reason[cells.num_edges > max_edges] = Invalid.TOO_MANY_EDGES
    reason[cells.num_nodes > max_vertices] = Invalid.TOO_MANY_VERTICES
    reason[~known.all(axis=-1)] = Invalid.UNKNOWN_INTERIOR_OPERATION
    dead = graphs.on_path(cells) != graphs.nodes_in_use(cells)
    reason[dead.any(axis=-1) | (cells.num_nodes < 2)] = Invalid.DISCONNECTED
    reason[cells.ops[..., 0] != INPUT] = Invalid.NO_INPUT_FIRST
    reason[~at_end.all(axis=-1)] = Invalid.NO_OUTPUT_LAST
    reason[~graphs.is_upper_triangular(cells.adjacency)] = Invalid.NOT_UPPER_TRIANGULAR
    return reason


def check_limits(max_vertices: int, max_edges: int) -> None:
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
    check_limits(max_vertices, max_edges)
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
