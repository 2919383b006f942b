"""Edges of DARTS cells: matrices, keys and neighbours.

A cell is described by its sources [4, 2] and operations [4, 2], what each of the intermediate nodes
0 to 3 reads and through which operations; see `darts`. All functions take edges of valid cells.

Shapes: N = 11 nodes of a graph.
"""

import functools
import itertools

import numpy as np

from nas_tf import graphs
from nas_tf.graphs import CellGraphs

NUM_NODES = 11
NUM_INPUTS = 2
NUM_INTERMEDIATE = 4
OP_NAMES = (
    "c_k-2", "c_k-1", "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
    "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "c_k",
)
(INPUT_2, INPUT_1, NONE, MAXPOOL, AVGPOOL, SKIP, SEP3X3, SEP5X5, DIL3X3, DIL5X5, OUTPUT) = range(11)
INTERIOR_OPS = tuple(range(NONE, OUTPUT))

NUM_SLOTS = 2 * NUM_INTERMEDIATE  # operations of a cell
OPERATIONS = slice(NUM_INPUTS, NUM_INPUTS + NUM_SLOTS)  # their nodes
NUM_SOURCES = NUM_INPUTS + np.arange(NUM_INTERMEDIATE)  # that each intermediate node chooses from

_CHOICES = len(INTERIOR_OPS)
_ENTRIES = (0, 1, 2, 4, 6)  # the first row that stands for each source
_COLUMNS = np.zeros((len(_ENTRIES), NUM_NODES), np.uint8)  # the column of a reader of each source
_COLUMNS[range(len(_ENTRIES)), _ENTRIES] = 1
_COLUMNS[range(2, len(_ENTRIES)), (3, 5, 7)] = 1
_TOPOLOGY_WEIGHTS = np.array([0, 1, 3, 18])  # an intermediate node has 1, 3, 6 or 10 pairs
_OP_WEIGHTS = _CHOICES ** np.arange(NUM_SLOTS - 1, -1, -1)


def random_edges(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Draws sources and operations, int8 [*shape, 4, 2] each."""
    size = (*shape, NUM_INTERMEDIATE)
    first = rng.integers(0, NUM_SOURCES, size=size)
    other = rng.integers(0, NUM_SOURCES - 1, size=size)
    sources = np.stack([first, other + (other >= first)], axis=-1).astype(np.int8)
    return sources, rng.integers(NONE, OUTPUT, size=(*size, 2), dtype=np.int8)


def build(sources: np.ndarray, ops: np.ndarray) -> CellGraphs:
    """Returns the cells [...] of valid edges, without keys."""
    lead = sources.shape[:-2]
    adjacency = np.zeros((*lead, NUM_NODES, NUM_NODES), np.uint8)
    columns = _COLUMNS[sources.reshape(*lead, NUM_SLOTS)]  # [..., 8, 11]
    adjacency[..., OPERATIONS] = columns.swapaxes(-1, -2)
    adjacency[..., OPERATIONS, -1] = 1
    codes = np.empty((*lead, NUM_NODES), np.int8)
    codes[..., 0], codes[..., 1], codes[..., -1] = INPUT_2, INPUT_1, OUTPUT
    codes[..., OPERATIONS] = ops.reshape(*lead, NUM_SLOTS)
    return CellGraphs(adjacency, codes, np.full(lead, NUM_NODES, np.int8))


def read_edges(cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
    """Returns `to_edges` of valid cells."""
    shape = (*cells.shape, NUM_INTERMEDIATE, 2)
    sources = cells.adjacency[..., _ENTRIES, OPERATIONS].argmax(axis=-2).astype(np.int8)
    return sources.reshape(shape), cells.ops[..., OPERATIONS].reshape(shape)


def cell_keys(sources: np.ndarray, ops: np.ndarray) -> np.ndarray:
    """Returns uint64 [...]: equal for isomorphic cells and for no others.

    The smallest number that an isomorphic cell has: its topology, that is the pairs of sources,
    then the operations, sources ascending. Topologies and the renumberings that make theirs
    smallest are tabulated; only symmetric ones have several.

    Args:
        sources: integers [..., 4, 2].
        ops: operation codes [..., 4, 2].
    """
    lead = sources.shape[:-2]
    sources = sources.reshape(-1, NUM_INTERMEDIATE, 2).astype(np.int64)
    digits = ops.reshape(-1, NUM_INTERMEDIATE, 2).astype(np.int64) - NONE
    swapped = sources[..., :1] > sources[..., 1:]
    digits = np.where(swapped, digits[..., ::-1], digits).reshape(-1, NUM_SLOTS)
    topology = _topology_numbers(sources)
    smallest, orders, num_orders = _canonical_forms()
    best = np.full(len(digits), _CHOICES**NUM_SLOTS, np.int64)
    for index in range(num_orders.max()):
        rows = np.flatnonzero(num_orders[topology] > index)
        moved = np.take_along_axis(digits[rows], orders[topology[rows], index], axis=1)
        best[rows] = np.minimum(best[rows], moved @ _OP_WEIGHTS)
    numbers = smallest[topology] * _CHOICES**NUM_SLOTS + best
    return graphs.scramble(numbers.astype(np.uint64) + graphs.SPLIT_MIX_STEP).reshape(lead)


@functools.cache
def _canonical_forms() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tabulates the 180 topologies, numbered as by `_topology_numbers`.

    Returns:
        int64 [180], the smallest number of an isomorphic topology; int64 [180, 24, 8], what every
        slot of it takes its operation from, in each renumbering that leads to it; and int64 [180],
        how many these are. Slots are those of sorted sources.
    """
    pairs = [list(itertools.combinations(range(size), 2)) for size in NUM_SOURCES]
    topologies = np.array(list(itertools.product(*pairs)))  # [180, 4, 2]
    topologies = topologies[np.argsort(_topology_numbers(topologies))]
    moves = np.array(list(itertools.permutations(range(NUM_INTERMEDIATE))))  # [24, 4], old of new
    renumbered = _renumber(topologies[:, None], moves)  # [180, 24, 4, 2]
    order = np.argsort(renumbered, axis=-1)
    allowed = (renumbered < NUM_SOURCES[:, None]).all(axis=(-2, -1))
    renumbered = np.sort(renumbered, axis=-1)
    numbers = np.where(allowed, _topology_numbers(renumbered), len(topologies))
    smallest = numbers.min(axis=1)
    best = numbers == smallest[:, None]
    slots = (2 * moves[..., None] + order).reshape(len(topologies), len(moves), NUM_SLOTS)
    first = np.argsort(~best, axis=1, kind="stable")
    return smallest, np.take_along_axis(slots, first[..., None], axis=1), best.sum(axis=1)


def _topology_numbers(sources: np.ndarray) -> np.ndarray:
    """Returns int64 [...], 0 to 179: which pairs of sources [..., 4, 2] the nodes have."""
    low, high = sources.min(axis=-1), sources.max(axis=-1)
    return (high * (high - 1) // 2 + low) @ _TOPOLOGY_WEIGHTS


def _renumber(sources: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Returns sources [..., 4, 2] whose intermediate node i was node `old` [..., i]."""
    lead = np.broadcast_shapes(sources.shape[:-2], old.shape[:-1])
    sources = np.broadcast_to(sources, (*lead, NUM_INTERMEDIATE, 2))
    old = np.broadcast_to(old, (*lead, NUM_INTERMEDIATE))
    inputs = np.broadcast_to(np.arange(NUM_INPUTS), (*lead, NUM_INPUTS))
    new = np.concatenate([inputs, NUM_INPUTS + np.argsort(old, axis=-1)], axis=-1)  # [..., 6]
    moved = np.take_along_axis(sources, old[..., None], axis=-2).reshape(*lead, NUM_SLOTS)
    return np.take_along_axis(new, moved, axis=-1).reshape(*lead, NUM_INTERMEDIATE, 2)


def neighbours(
    sources: np.ndarray, ops: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns all cells one edit away, each once per origin; see `DartsSpace.neighbours`.

    Args:
        sources: int8 [B, 4, 2].
        ops: int8 [B, 4, 2].

    Returns:
        sources int8 [K, 4, 2], operations int8 [K, 4, 2], keys uint64 [K] and origins int64 [K],
        ascending.
    """
    edits = [_change_ops(sources, ops), _change_sources(sources, ops)]
    edited, codes, origin = (np.concatenate(arrays) for arrays in zip(*edits))
    keys = cell_keys(edited, codes)
    order = np.lexsort((keys, origin))  # stable: of equal ones the first edit stays
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(keys[order]) != 0) | (np.diff(origin[order]) != 0)
    order = np.sort(order[first])
    order = order[keys[order] != cell_keys(sources, ops)[origin[order]]]
    order = order[np.argsort(origin[order], kind="stable")]
    return edited[order], codes[order], keys[order], origin[order]


def _change_ops(
    sources: np.ndarray, ops: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every cell with one operation changed: sources, operations and origins."""
    origin, node, slot, op = np.nonzero(ops[..., None] != np.array(INTERIOR_OPS))
    codes = ops[origin]
    codes[np.arange(len(origin)), node, slot] = NONE + op
    return sources[origin], codes, origin


def _change_sources(
    sources: np.ndarray, ops: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every cell with one source changed: sources, operations and origins."""
    choices = np.arange(NUM_INPUTS + NUM_INTERMEDIATE)
    read = (sources[..., None] == choices).any(axis=2)  # [B, 4, 6]
    cyclic = _depends(sources)[:, :, NUM_INPUTS:].swapaxes(1, 2)
    allowed = np.repeat((~read & ~cyclic)[:, :, None], 2, axis=2)
    origin, node, slot, source = np.nonzero(allowed)
    edited, codes = sources[origin], ops[origin]
    edited[np.arange(len(origin)), node, slot] = source
    late = np.flatnonzero((edited >= NUM_SOURCES[:, None]).any(axis=(1, 2)))
    old = _sorted_order(edited[late])
    edited[late] = _renumber(edited[late], old)
    codes[late] = np.take_along_axis(codes[late], old[..., None], axis=1)
    return edited, codes, origin


def _depends(sources: np.ndarray) -> np.ndarray:
    """Returns bool [B, 6, 6]: the value of i depends on that of j, or is it."""
    size = NUM_INPUTS + NUM_INTERMEDIATE
    rows = np.arange(len(sources))
    depends = np.tile(np.eye(size, dtype=bool), (len(sources), 1, 1))
    for node in range(NUM_INTERMEDIATE):
        for slot in range(2):
            depends[:, NUM_INPUTS + node] |= depends[rows, sources[:, node, slot]]
    return depends


def _sorted_order(sources: np.ndarray) -> np.ndarray:
    """Returns int64 [B, 4]: the intermediate nodes by the longest path to them, else as they were.

    Args:
        sources: [B, 4, 2] without a cycle, not always earlier nodes.
    """
    depth = np.zeros((len(sources), NUM_INPUTS + NUM_INTERMEDIATE), np.int64)
    for _ in range(NUM_INTERMEDIATE):
        before = np.take_along_axis(depth, sources.reshape(-1, NUM_SLOTS), axis=1)
        depth[:, NUM_INPUTS:] = before.reshape(sources.shape).max(axis=-1) + 1
    return np.argsort(depth[:, NUM_INPUTS:], axis=-1, kind="stable")
