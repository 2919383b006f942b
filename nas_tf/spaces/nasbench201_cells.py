"""The cells of NAS-Bench-201 in their three forms; NumPy functions alone.

Dong and Yang, 2020, arXiv:2001.00326. The forms are told in `nasbench201`, where the space is.

Shapes: M = 15,625 cells, N = 8 nodes, D = 7 operations.
"""

import functools
import itertools

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench201_text
from nas_tf.spaces.reasons import Reason, refuse_outside

NUM_CELLS = 15_625
NUM_NEIGHBOURS = 24
NUM_NODES = 8
OP_NAMES = (
    "input", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "output"
)
INPUT, CONV1X1, CONV3X3, AVGPOOL3X3, SKIP, NONE, OUTPUT = range(7)
INTERIOR_OPS = (CONV1X1, CONV3X3, AVGPOOL3X3, SKIP, NONE)

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # (source, target) of nodes 1 to 6
# Labels of the 4-node form are the benchmark's own numbers, so that 0 is no edge.
EDGE_OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

_LABELS = np.array([EDGE_OPS.index(OP_NAMES[op]) for op in INTERIOR_OPS], np.int8)
_CHOICES = len(INTERIOR_OPS)
_WEIGHTS = _CHOICES ** np.arange(len(EDGES) - 1, -1, -1)  # the first edge counts most
_SOURCES, _TARGETS = np.array(EDGES).T


class Invalid(Reason):
    """Why a graph is outside the space; VALID is 0.

    Where several hold the highest counts. Hence graphs whose reason is at most WRONG_EDGES have
    sound operations, which is all that the validity of the released arch2vec code looks at (it also
    skips node 1).
    """

    VALID = 0, "valid"
    WRONG_EDGES = 1, "its edges are not the ten that every cell has"
    UNKNOWN_INTERIOR_OPERATION = 2, "an interior node is none of the five operations"
    NO_OUTPUT_LAST = 3, "the last node is not 'output'"
    NO_INPUT_FIRST = 4, "the first node is not 'input'"


def check(cells: CellGraphs) -> np.ndarray:
    """Returns int8 [...]: the `Invalid` code of every cell (0 is in the space)."""
    same_edges = (cells.adjacency == _adjacency()).all(axis=(-2, -1))
    interior = cells.ops[..., 1:-1]
    known = ((interior >= CONV1X1) & (interior <= NONE)).all(axis=-1)
    reason = np.zeros(cells.shape, np.int8)
    reason[~same_edges | (cells.num_nodes != NUM_NODES)] = Invalid.WRONG_EDGES
    reason[~known] = Invalid.UNKNOWN_INTERIOR_OPERATION
    reason[cells.ops[..., -1] != OUTPUT] = Invalid.NO_OUTPUT_LAST
    reason[cells.ops[..., 0] != INPUT] = Invalid.NO_INPUT_FIRST
    return reason


def indices(cells: CellGraphs) -> np.ndarray:
    """Returns int64 [...]: the index of every cell in `NasBench201Space.enumerate_cells`.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    refuse_outside(check(cells), Invalid, "NAS-Bench-201")
    return (cells.ops[..., 1:-1].astype(np.int64) - CONV1X1) @ _WEIGHTS


def to_strings(cells: CellGraphs) -> np.ndarray:
    """Returns the benchmark's string of every cell, str [...].

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    return _all_strings()[indices(cells)]


def from_strings(strings: np.ndarray) -> CellGraphs:
    """Returns the cells of the benchmark's strings, str [...].

    Raises:
        InvalidArchitectureError: a string is no cell of the benchmark; the message has the first.
    """
    index, known = find_strings(strings)
    if not known.all():
        text = str(np.ravel(strings)[np.argmin(known.ravel())])
        raise InvalidArchitectureError(
            f"{nasbench201_text.quoted(text)} is no NAS-Bench-201 cell: "
            f"{nasbench201_text.reason(text, EDGE_OPS)}"
        )
    return all_cells()[index]


def find_strings(strings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Looks the benchmark's strings up, str [...]; white space in them does not matter.

    Returns:
        int64 [...] indices in `NasBench201Space.enumerate_cells` (undefined where unknown) and
        bool [...]: it is the string of a cell.
    """
    strings = nasbench201_text.tidied(strings)
    ordered, order = _sorted_strings()
    position = np.minimum(np.searchsorted(ordered, strings), NUM_CELLS - 1)
    return order[position], ordered[position] == strings


def to_edges(cells: CellGraphs) -> np.ndarray:
    """Returns the 4-node form of every cell.

    Returns:
        int8 [..., 4, 4]; at [i, j] with i < j the index in `EDGE_OPS` of the operation from node i
        to node j, 0 elsewhere.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    choice = indices(cells)[..., None] // _WEIGHTS % _CHOICES
    edges = np.zeros((*cells.shape, 4, 4), np.int8)
    edges[..., _SOURCES, _TARGETS] = _LABELS[choice]
    return edges


def from_edges(edges: np.ndarray) -> CellGraphs:
    """Returns the cells of 4-node forms, integers [..., 4, 4]; see `to_edges`.

    Raises:
        InvalidArchitectureError: a label is unknown, or one is not above the diagonal.
    """
    edges = np.asarray(edges)
    if edges.shape[-2:] != (4, 4) or not np.issubdtype(edges.dtype, np.integer):
        raise InvalidArchitectureError(
            f"labelled edges of shape {edges.shape} and type {edges.dtype}: expected integers "
            "[..., 4, 4]"
        )
    if np.tril(edges).any():
        raise InvalidArchitectureError("a labelled edge leads to the same or an earlier node")
    labels = edges[..., _SOURCES, _TARGETS]
    unknown = (labels < 0) | (labels >= _CHOICES)
    if unknown.any():
        raise InvalidArchitectureError(
            f"edge label {labels[unknown][0]}: expected 0 to {_CHOICES - 1}, {', '.join(EDGE_OPS)}"
        )
    return all_cells()[np.argsort(_LABELS)[labels] @ _WEIGHTS]


def network_strings(cells: CellGraphs) -> np.ndarray:
    """Returns a string of what every cell computes, str [...]: equal for the same network.

    'none' gives '#', 'skip_connect' gives what it reads, and sums have no order, as in the
    benchmark's own count: 6,466 unique networks. That count is of strings and keeps the '#' of a
    sum; without them 5,390 are left.

    Raises:
        InvalidArchitectureError: a cell is outside the space.
    """
    flat = indices(cells).ravel()
    texts = [_network_string(index) for index in flat.tolist()]
    return np.array(texts, dtype=np.str_).reshape(cells.shape)


@functools.cache
def _network_string(index: int) -> str:
    ops = all_cells().ops[index, 1:-1].tolist()
    terms = [["0"], [], [], []]  # what is summed at each node
    for (source, target), op in zip(EDGES, ops, strict=True):
        read = "+".join(sorted(terms[source]))
        if op == NONE or read == "#":
            terms[target].append("#")
        else:
            terms[target].append(read if op == SKIP else f"({read})@{OP_NAMES[op]}")
    return "+".join(sorted(terms[3]))


@functools.cache
def _adjacency() -> np.ndarray:
    """Returns uint8 [8, 8]: an edge of the cell feeds the edges that start where it ends."""
    matrix = np.zeros((NUM_NODES, NUM_NODES), np.uint8)
    matrix[0, 1:-1] = _SOURCES == 0
    matrix[1:-1, 1:-1] = _TARGETS[:, None] == _SOURCES
    matrix[1:-1, -1] = _TARGETS == 3
    return matrix


@functools.cache
def all_cells() -> CellGraphs:
    """Returns every cell once, [M], with keys; the arrays are read-only."""
    ops = np.empty((NUM_CELLS, NUM_NODES), np.int8)
    ops[:, 0], ops[:, -1] = INPUT, OUTPUT
    ops[:, 1:-1] = list(itertools.product(INTERIOR_OPS, repeat=len(EDGES)))
    adjacency = np.tile(_adjacency(), (NUM_CELLS, 1, 1))
    cells = CellGraphs(adjacency, ops, np.full(NUM_CELLS, NUM_NODES, np.int8))
    for array in (cells.adjacency, cells.ops, cells.num_nodes, cells.keys):
        array.setflags(write=False)  # one list for all
    return cells


@functools.cache
def _all_strings() -> np.ndarray:
    """Returns the strings of all cells, str [M]."""
    parts = [
        [f"{'|+' if source == 0 and target > 1 else ''}|{OP_NAMES[op]}~{source}"
         for op in INTERIOR_OPS]
        for source, target in EDGES
    ]
    return np.array(["".join(chosen) + "|" for chosen in itertools.product(*parts)])


@functools.cache
def _sorted_strings() -> tuple[np.ndarray, np.ndarray]:
    """Returns the strings of all cells in alphabetical order, str [M], and their indices."""
    order = np.argsort(_all_strings())
    return _all_strings()[order], order


def neighbour_indices(index: np.ndarray) -> np.ndarray:
    """Returns int64 [..., 24], the neighbours' indices, of those of cells, int64 [...]."""
    choice = index[..., None] // _WEIGHTS % _CHOICES
    other = np.arange(1, _CHOICES)
    change = (choice[..., None] + other) % _CHOICES - choice[..., None]
    neighbours = index[..., None, None] + change * _WEIGHTS[:, None]
    return neighbours.reshape(*index.shape, NUM_NEIGHBOURS)
