"""Cells of a `ChoiceSpace` as the indices of the options taken; NumPy functions alone.

A cell is a chain, input -> one node a choice -> output. The codes of its operations count the
options of all choices, one after another, after the input; the output's is the last.

Shapes: [...] any leading dimensions, K choices, N = K + 2 nodes. `sizes` int [K] has the number of
options of every choice.
"""

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.reasons import Reason, refuse_outside


class Invalid(Reason):
    """Why a graph is outside the space; VALID is 0."""

    VALID = 0, "valid"
    WRONG_EDGES = 1, "it is no chain of all nodes"
    WRONG_OPERATION = 2, "a node is no option of its choice"


def to_indices(cells: CellGraphs, sizes: np.ndarray) -> np.ndarray:
    """Returns int8 [..., K], the index of the option that each cell [...] takes.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    refuse_outside(check(cells, sizes), Invalid, "the space")
    return (cells.ops[..., 1:-1] - _first(sizes)).astype(np.int8)


def from_indices(indices: np.ndarray, sizes: np.ndarray) -> CellGraphs:
    """Returns the cells [...] that take the options of indices, integers [..., K] in range."""
    lead, num_nodes = indices.shape[:-1], len(sizes) + 2
    ops = np.zeros((*lead, num_nodes), np.int8)
    ops[..., 1:-1] = indices + _first(sizes)
    ops[..., -1] = sizes.sum() + 1
    adjacency = np.tile(np.eye(num_nodes, k=1, dtype=np.uint8), (*lead, 1, 1))
    return CellGraphs(adjacency, ops, np.full(lead, num_nodes, np.int8))


def check(cells: CellGraphs, sizes: np.ndarray) -> np.ndarray:
    """Returns int8 [...]: the `Invalid` code of every cell (0 is in the space)."""
    num_nodes, last = len(sizes) + 2, sizes.sum() + 1
    least = np.concatenate([[0], _first(sizes), [last]])
    most = np.concatenate([[0], _first(sizes) + sizes - 1, [last]])
    known = ((cells.ops >= least) & (cells.ops <= most)).all(axis=-1)
    chain = (cells.adjacency == np.eye(num_nodes, k=1)).all(axis=(-2, -1))
    reason = np.zeros(cells.shape, np.int8)
    reason[~chain | (cells.num_nodes != num_nodes)] = Invalid.WRONG_EDGES
    reason[~known] = Invalid.WRONG_OPERATION
    return reason


def _first(sizes: np.ndarray) -> np.ndarray:
    """Returns the code of every choice's first option, int [K]."""
    return 1 + np.cumsum(sizes) - sizes
