"""The networks of NAS-Bench-Macro as codes and as graphs; NumPy functions alone.

Su et al., 2021, arXiv:2103.11922. What a layer does is told in `macro`, where the space is.

A network is written as eight digits, its code. After the first layer of a stage an identity does
nothing, wherever it stands: the 6,561 codes are 3,969 networks. Of the codes of a network the one
with such identities last in their stage is its own; all functions return cells written so, and
`identity` gives every code of a network the same key.

Shapes: [...] any leading dimensions, L = 8 layers, N = 10 nodes, M = 3,969 networks.
"""

import functools

import numpy as np

from nas_tf.graphs import CellGraphs, canonical_keys
from nas_tf.spaces.reasons import Reason, refuse_outside

STAGES = (2, 3, 3)  # layers of each
NUM_LAYERS = sum(STAGES)
NUM_NODES = NUM_LAYERS + 2
NUM_CODES = 3**NUM_LAYERS
NUM_CELLS = 3_969
KINDS = ("identity", "mb3_3x3", "mb6_5x5")  # by the digits of a code
IDENTITY = 0
OP_NAMES = ("input", *KINDS, "output")
INPUT, FIRST, OUTPUT = 0, 1, len(KINDS) + 1

_STARTS = np.cumsum(STAGES) - STAGES
_WEIGHTS = 3 ** np.arange(NUM_LAYERS - 1, -1, -1)  # the first layer counts most
_CHAIN = np.eye(NUM_NODES, k=1, dtype=np.uint8)


class Invalid(Reason):
    """Why a graph is outside the space; VALID is 0."""

    VALID = 0, "valid"
    WRONG_EDGES = 1, "it is no chain of 10 nodes"
    UNKNOWN_OPERATION = 2, "a layer is none of the three kinds"
    WRONG_ENDS = 3, "the first node is not 'input' or the last not 'output'"


def check(cells: CellGraphs) -> np.ndarray:
    """Returns int8 [...]: the `Invalid` code of every graph (0 is in the space)."""
    reason = np.zeros(cells.shape, np.int8)
    if cells.max_nodes != NUM_NODES:
        return reason + np.int8(Invalid.WRONG_EDGES)
    chain = (cells.adjacency == _CHAIN).all(axis=(-2, -1)) & (cells.num_nodes == NUM_NODES)
    layers = cells.ops[..., 1:-1]
    reason[~chain] = Invalid.WRONG_EDGES
    reason[((layers < FIRST) | (layers >= OUTPUT)).any(axis=-1)] = Invalid.UNKNOWN_OPERATION
    ends = (cells.ops[..., 0] == INPUT) & (cells.ops[..., -1] == OUTPUT)
    reason[~ends] = Invalid.WRONG_ENDS
    return reason


def starts_stage(layer: int) -> bool:
    """Tells whether a layer, from 0, is the first of its stage, where an identity is a layer."""
    return layer in _STARTS


def to_layers(cells: CellGraphs) -> np.ndarray:
    """Returns the kinds of the layers of cells, int8 [..., 8], as the cells are written.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    refuse_outside(check(cells), Invalid, "NAS-Bench-Macro")
    return cells.ops[..., 1:-1] - np.int8(FIRST)


def from_layers(layers: np.ndarray) -> CellGraphs:
    """Returns the cells [...] of kinds of layers, integers 0 to 2 [..., 8], with their keys."""
    return all_cells()[network_indices(layers)]


def network_indices(layers: np.ndarray) -> np.ndarray:
    """Returns int64 [...]: the index in `all_cells` of the network of kinds of layers [..., 8]."""
    return _network_of_code()[np.asarray(layers, np.int64) @ _WEIGHTS]


def to_codes(cells: CellGraphs) -> list[str]:
    """Returns the code of each of cells [B], with identities that do nothing last.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    return ["".join(map(str, row)) for row in canonical_layers(to_layers(cells)).tolist()]


def canonical_layers(layers: np.ndarray) -> np.ndarray:
    """Returns layers [..., 8] with the identities that do nothing last in their stage."""
    layers = np.array(layers)
    for start, length in zip(_STARTS, STAGES):
        rest = layers[..., start + 1 : start + length]
        order = np.argsort(rest == IDENTITY, axis=-1, kind="stable")
        layers[..., start + 1 : start + length] = np.take_along_axis(rest, order, axis=-1)
    return layers


def indices(cells: CellGraphs) -> np.ndarray:
    """Returns int64 [...]: the index of every cell in `all_cells`.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    return network_indices(to_layers(cells))


def identity(cells: CellGraphs) -> np.ndarray:
    """Returns keys of what cells compute, uint64 [...]: one a network, whatever its code."""
    keys, inside = np.array(canonical_keys(cells)), check(cells) == 0
    keys[inside] = all_cells().keys[indices(cells[inside])]
    return keys


@functools.cache
def all_cells() -> CellGraphs:
    """Returns every network once, [M], with its key, by ascending codes; arrays are read-only."""
    layers = _all_layers()
    layers = layers[(layers == canonical_layers(layers)).all(axis=-1)]
    ops = np.pad(layers + FIRST, ((0, 0), (1, 1)), constant_values=((0, 0), (INPUT, OUTPUT)))
    count = len(layers)
    cells = CellGraphs(
        np.tile(_CHAIN, (count, 1, 1)), ops.astype(np.int8), np.full(count, NUM_NODES, np.int8),
        identity,
    )
    cells = cells.with_keys(canonical_keys(cells))
    for array in (cells.adjacency, cells.ops, cells.num_nodes, cells.keys):
        array.flags.writeable = False
    return cells


def neighbours_of(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the networks of which some code differs from one of each network's in one layer.

    Args:
        index: int64 [B], in `all_cells`.

    Returns:
        int64 [K] indices in `all_cells`, ascending for each network, and int64 [K], the position
        in `index` of each one's origin, ascending.
    """
    starts, targets = _neighbour_lists()
    count = starts[index + 1] - starts[index]
    origin = np.repeat(np.arange(len(index)), count)
    within = np.arange(len(origin)) - np.repeat(np.cumsum(count) - count, count)
    return targets[starts[index][origin] + within], origin


def random_neighbours(index: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns one neighbour of each network, all equally likely, int64 [...] as `index`."""
    starts, targets = _neighbour_lists()
    return targets[starts[index] + rng.integers(starts[index + 1] - starts[index])]


def _all_layers() -> np.ndarray:
    """Returns the layers of all codes, int8 [6561, 8]."""
    return (np.arange(NUM_CODES)[:, None] // _WEIGHTS % 3).astype(np.int8)


@functools.cache
def _network_of_code() -> np.ndarray:
    """Returns int64 [6561], the index in `all_cells` of the network of every code."""
    numbers = canonical_layers(_all_layers()).astype(np.int64) @ _WEIGHTS
    return np.unique(numbers, return_inverse=True)[1]


@functools.cache
def _neighbour_lists() -> tuple[np.ndarray, np.ndarray]:
    """Returns where each network's neighbours begin, int64 [3970], and all of these, one list."""
    network, layers = _network_of_code(), _all_layers().astype(np.int64)
    changed = (layers[..., None] + (1, 2)) % 3  # [6561, 8, 2]
    codes = np.arange(NUM_CODES)[:, None, None]
    edited = network[codes + (changed - layers[..., None]) * _WEIGHTS[:, None]]
    pairs = np.unique(network[codes] * NUM_CELLS + edited)
    origin, target = np.divmod(pairs, NUM_CELLS)
    apart = origin != target
    origin, target = origin[apart], target[apart]
    return np.searchsorted(origin, np.arange(NUM_CELLS + 1)), target
