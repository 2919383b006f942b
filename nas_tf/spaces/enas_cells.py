"""The networks of ENAS' macro space as graphs: checks and layers; NumPy functions alone.

Pham et al., 2018, arXiv:1802.03268. The space itself is in `enas`, with what a skip bit says.

A cell has 14 nodes: 0 is the stem ("input"), node k + 1 is layer k, the last is the output. Every
node leads to the next; a skip connection is one more edge. A graph with a path through all of its
nodes has no symmetry: keys of plain graphs tell all networks apart.

Shapes: [...] any leading dimensions, K = 12 layers, S = 66 skip bits, N = 14 nodes.
"""


import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.reasons import Reason, refuse_outside

NUM_LAYERS = 12
NUM_NODES = NUM_LAYERS + 2
LAYER_OPS = (
    "conv_3x3", "sep_conv_3x3", "conv_5x5", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3"
)
OP_NAMES = ("input", *LAYER_OPS, "output")
INPUT, FIRST, OUTPUT = 0, 1, len(LAYER_OPS) + 1

# Layer k has k bits, of nodes 0 to k - 1 (the stem and layers 0 to k - 2), in this order.
BITS = tuple((layer, source) for layer in range(NUM_LAYERS) for source in range(layer))
NUM_SKIPS = len(BITS)
_TARGETS, _SOURCES = np.array(BITS).T + np.array([[1], [0]])
_CHAIN = np.eye(NUM_NODES, k=1, dtype=np.uint8)


class Invalid(Reason):
    """Why a graph is outside the space; VALID is 0."""

    VALID = 0, "valid"
    WRONG_EDGES = 1, "it is no chain of 14 nodes with edges from earlier ones"
    UNKNOWN_OPERATION = 2, "a layer is none of the six operations"
    WRONG_ENDS = 3, "the first node is not 'input' or the last not 'output'"


def check(cells: CellGraphs) -> np.ndarray:
    """Returns int8 [...]: the `Invalid` code of every graph (0 is in the space)."""
    free = np.zeros((NUM_NODES, NUM_NODES), bool)
    free[_SOURCES, _TARGETS] = True
    right = (np.where(free, 0, cells.adjacency) == _CHAIN).all(axis=(-2, -1))
    layers = cells.ops[..., 1:-1]
    reason = np.zeros(cells.shape, np.int8)
    reason[~right | (cells.num_nodes != NUM_NODES)] = Invalid.WRONG_EDGES
    reason[((layers < FIRST) | (layers >= OUTPUT)).any(axis=-1)] = Invalid.UNKNOWN_OPERATION
    ends = (cells.ops[..., 0] == INPUT) & (cells.ops[..., -1] == OUTPUT)
    reason[~ends] = Invalid.WRONG_ENDS
    return reason


def to_layers(cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
    """Returns what the layers of cells [...] do, int8 [..., 12], and read, int8 [..., 66].

    Operations count from 0, by `LAYER_OPS`; bits are in the order of `BITS`.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    refuse_outside(check(cells), Invalid, "the ENAS macro space")
    skips = cells.adjacency[..., _SOURCES, _TARGETS]
    return cells.ops[..., 1:-1] - np.int8(FIRST), skips.astype(np.int8)


def from_layers(ops: np.ndarray, skips: np.ndarray) -> CellGraphs:
    """Returns the cells [...] of operations [..., 12], 0 to 5, and bits [..., 66]."""
    lead = ops.shape[:-1]
    adjacency = np.tile(_CHAIN, (*lead, 1, 1))
    adjacency[..., _SOURCES, _TARGETS] = skips
    codes = np.empty((*lead, NUM_NODES), np.int8)
    codes[..., 0], codes[..., -1] = INPUT, OUTPUT
    codes[..., 1:-1] = ops + FIRST
    return CellGraphs(adjacency, codes, np.full(lead, NUM_NODES, np.int8))
