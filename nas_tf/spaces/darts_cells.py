"""The cells of the DARTS space: checks, keys and samples; NumPy functions alone.

Liu et al., 2019, arXiv:1806.09055. The two forms of a cell and its keys are told in `darts`, where
the space is.

Shapes: N = 11 nodes, D = 11 operations.
"""

import dataclasses

import numpy as np

from nas_tf import caching, graphs
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.darts_edges import (
    INPUT_1, INPUT_2, NONE, NUM_INPUTS, NUM_NODES, NUM_SLOTS, NUM_SOURCES, OPERATIONS, OUTPUT,
    build, cell_keys, random_edges, read_edges,
)
from nas_tf.spaces.reasons import Reason, refuse_outside

NUM_CELLS = 600_000  # sampled for pre-training, as in arch2vec
MAX_SAMPLED = 10_000_000
_CACHE_VERSION = 1
_BLOCK = 1 << 13  # cells drawn at a time, whatever their number: a smaller pool starts a larger


class Invalid(Reason):
    """Why a graph is outside the space; VALID is 0. Where several hold the highest counts.

    NO_SUCCESSOR and above are five of the six checks of arch2vec's appendix B; the sixth, that an
    intermediate node has two edges from earlier ones, is told in parts, SAME_SOURCE to OWN_NODE.
    The first three are how arch2vec makes its matrices. Its released code is looser, see
    `DartsSpace.counts_as_valid`.

    Here VALID means exactly the cells of the space: a valid graph is, entry by entry, what
    `from_edges` makes of its edges. Nodes are not moved: a graph that has the operations of an
    intermediate node elsewhere is invalid.
    """

    VALID = 0, "valid"
    INPUT_EDGE = 1, "an edge leads from an input to the other or to the output"
    NOT_CONCATENATED = 2, "an operation does not lead to the output"
    UNKNOWN_OPERATION = 3, "an interior node is none of the eight operations"
    SAME_SOURCE = 4, "both operations of an intermediate node read the same source"
    SEVERAL_SOURCES = 5, "an operation reads more than one source"
    HALF_A_NODE = 6, "an operation reads one of the two operations of an intermediate node"
    OWN_NODE = 7, "an operation reads the other operation of its own intermediate node"
    NO_SUCCESSOR = 8, "a node other than the output leads nowhere"
    NO_PREDECESSOR = 9, "a node other than the inputs is not entered"
    NOT_UPPER_TRIANGULAR = 10, "an edge leads to the same or an earlier node"
    NO_OUTPUT_LAST = 11, "the eleventh and last node is not 'c_k'"
    NO_INPUTS_FIRST = 12, "the first two nodes are not 'c_k-2' and 'c_k-1'"


def check(cells: CellGraphs) -> np.ndarray:
    """Returns int8 [...]: the `Invalid` code of every cell (0 is in the space)."""
    edges, ops = cells.adjacency.astype(bool), cells.ops
    known = (ops[..., OPERATIONS] >= NONE) & (ops[..., OPERATIONS] < OUTPUT)
    first, second = edges[..., 2:10:2, OPERATIONS], edges[..., 3:10:2, OPERATIONS]
    read = np.concatenate([edges[..., :2, OPERATIONS], first | second], axis=-2)  # [..., 6, 8]
    slots = np.arange(NUM_SLOTS)
    source = read.argmax(axis=-2)
    reason = np.zeros(cells.shape, np.int8)
    reason[edges[..., 0, [1, 10]].any(axis=-1) | edges[..., 1, 10]] = Invalid.INPUT_EDGE
    reason[~edges[..., OPERATIONS, -1].all(axis=-1)] = Invalid.NOT_CONCATENATED
    reason[~known.all(axis=-1)] = Invalid.UNKNOWN_OPERATION
    reason[(source[..., ::2] == source[..., 1::2]).any(axis=-1)] = Invalid.SAME_SOURCE
    reason[(read.sum(axis=-2) > 1).any(axis=-1)] = Invalid.SEVERAL_SOURCES
    reason[(first != second).any(axis=(-2, -1))] = Invalid.HALF_A_NODE
    reason[read[..., NUM_INPUTS + slots // 2, slots].any(axis=-1)] = Invalid.OWN_NODE
    reason[~edges[..., :-1, :].any(axis=-1).all(axis=-1)] = Invalid.NO_SUCCESSOR
    reason[~edges[..., NUM_INPUTS:].any(axis=-2).all(axis=-1)] = Invalid.NO_PREDECESSOR
    reason[~graphs.is_upper_triangular(cells.adjacency)] = Invalid.NOT_UPPER_TRIANGULAR
    complete = (ops[..., -1] == OUTPUT) & (cells.num_nodes == NUM_NODES)
    reason[~complete] = Invalid.NO_OUTPUT_LAST
    reason[(ops[..., 0] != INPUT_2) | (ops[..., 1] != INPUT_1)] = Invalid.NO_INPUTS_FIRST
    return reason


def identity(cells: CellGraphs) -> np.ndarray:
    """Returns uint64 [...]: `cell_keys` of cells of the space, of others those of their graphs."""
    inside = cells.num_nodes == NUM_NODES
    keys = np.empty(cells.shape, np.uint64)
    if inside.any():  # whatever they are padded to
        whole = slice(NUM_NODES)
        bare = CellGraphs(
            cells.adjacency[..., whole, whole], cells.ops[..., whole], cells.num_nodes
        )
        inside &= check(bare) == 0
        keys[inside] = cell_keys(*read_edges(bare[inside]))
    keys[~inside] = graphs.graph_keys(cells[~inside])
    return keys


def with_keys(sources: np.ndarray, ops: np.ndarray, keys: np.ndarray) -> CellGraphs:
    """Returns the cells [...] of sources and operations [..., 4, 2] whose keys are known."""
    return dataclasses.replace(build(sources, ops), identity=identity, known_keys=keys)


def to_edges(cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
    """Returns what every intermediate node reads, and through which operations.

    Args:
        cells: batch [...].

    Returns:
        sources int8 [..., 4, 2], 0 to 4, and operation codes int8 [..., 4, 2].

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    refuse_outside(check(cells), Invalid, "the DARTS space")
    return read_edges(cells)


def from_edges(sources: np.ndarray, ops: np.ndarray) -> CellGraphs:
    """Returns the cells [...] of edges, with keys; see `to_edges`. Their order is kept.

    Raises:
        InvalidArchitectureError: a source is no earlier node or both of a node are the same, or an
            operation is unknown.
    """
    sources, ops = np.asarray(sources), np.asarray(ops)
    whole = all(np.issubdtype(array.dtype, np.integer) for array in (sources, ops))
    if sources.shape[-2:] != (4, 2) or ops.shape != sources.shape or not whole:
        raise InvalidArchitectureError(
            f"sources {sources.dtype} {sources.shape} and operations {ops.dtype} {ops.shape}: "
            "expected integers [..., 4, 2]"
        )
    wrong = (sources < 0) | (sources >= NUM_SOURCES[:, None])
    if wrong.any():
        node = int(np.argwhere(wrong)[0, -2])
        raise InvalidArchitectureError(
            f"source {sources[wrong][0]} of intermediate node {NUM_INPUTS + node}: expected 0 to "
            f"{NUM_INPUTS + node - 1}"
        )
    if (same := sources[..., 0] == sources[..., 1]).any():
        node = int(np.argwhere(same)[0, -1])
        raise InvalidArchitectureError(
            f"source {sources[same][0, 0]} twice of intermediate node {NUM_INPUTS + node}: "
            "expected two different ones"
        )
    if (unknown := (ops < NONE) | (ops >= OUTPUT)).any():
        raise InvalidArchitectureError(
            f"operation {ops[unknown][0]}: expected {NONE} to {OUTPUT - 1}"
        )
    return with_keys(sources, ops, cell_keys(sources, ops))


def unique_cells(count: int, seed: int) -> CellGraphs:
    """Returns unique cells [count] with keys, no two with isomorphic graphs.

    They come in the order in which they are drawn, so that a sample starts every larger one of its
    seed. Read from the cache directory after the first time.

    Raises:
        ConfigError: a number is out of range.
    """
    check_sample(count, seed)
    directory = caching.cache_directory() / f"darts-cells-v{_CACHE_VERSION}-{count}-{seed}"
    return caching.cached_cells(
        directory,
        lambda: generate_cells(count, seed),
        identity=identity,
        space="darts",
        name="the sampled DARTS cells",
    )


def generate_cells(count: int, seed: int) -> CellGraphs:
    """Samples unique cells, [count]; see `unique_cells`.

    Raises:
        ConfigError: a number is out of range.
        RuntimeError: half of all draws were cells drawn before.
    """
    check_sample(count, seed)
    rng = np.random.default_rng(seed)  # a sample's seed is no run's and no model's
    batches, seen = [], np.empty(0, np.uint64)
    for _ in range(2 * count // _BLOCK + 2):
        sources, ops = random_edges(rng, (_BLOCK,))
        keys = graphs.graph_keys(build(sources, ops))
        first = np.sort(np.unique(keys, return_index=True)[1])
        new = first[~graphs.find(keys[first], seen)[1]]
        sources, ops = sources[new], ops[new]
        batches.append((sources, ops, cell_keys(sources, ops)))
        seen = np.sort(np.concatenate([seen, np.sort(keys[new])]), kind="stable")  # merges them
        if len(seen) >= count:
            sources, ops, keys = (np.concatenate(arrays)[:count] for arrays in zip(*batches))
            return with_keys(sources, ops, keys)
    raise RuntimeError(f"{len(seen)} of {count} DARTS cells found: most draws are repetitions")


def check_sample(count: int, seed: int) -> None:
    """Raises ConfigError when no sample of such a size or seed can be drawn."""
    if not 1 <= count <= MAX_SAMPLED:
        raise ConfigError(f"num_cells={count}: expected 1 to {MAX_SAMPLED}")
    if seed < 0:
        raise ConfigError(f"seed={seed}: expected 0 or more")
