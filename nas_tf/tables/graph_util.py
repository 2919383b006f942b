"""Graphs of cells under the names of the official package's module `graph_util`.

Ying et al., 2019, arXiv:1902.09635, section 2 and supplement S1: cells are graphs of up to seven
labelled vertices, hashed so that isomorphic ones have one hash. Matrices may be arrays or nested
lists, edges may lead to earlier vertices, and a label is any value with a `repr`, such as -1 or a
one-hot list.

Shapes: V vertices.
"""

from collections.abc import Callable, Sequence
from typing import Any

import networkx
import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import module_hashes

Matrix = np.ndarray | Sequence[Sequence[int]]
LabelledGraph = tuple[Matrix, Sequence[Any]]

_MAX_VERTICES = np.iinfo(np.int8).max  # what `CellGraphs` can number


def gen_is_edge_fn(bits: int) -> Callable[[Any, Any], np.ndarray]:
    """Returns a function that reads edges out of a number, for `numpy.fromfunction`.

    Bit x + y (y - 1) / 2 is the edge from vertex x to vertex y > x: the upper triangle column by
    column from the lowest bit on, so that the same number means the same edges in a larger graph.

    Args:
        bits: not negative.

    Returns:
        A function (x, y) -> int64, 1 where there is an edge; x and y are numbers or arrays.

    Raises:
        ValueError: `bits` is negative.
    """
    bits = int(bits)
    if bits < 0:
        raise ValueError(f"the edges are given by {bits}; expected a number that is not negative")
    octets = np.frombuffer(bits.to_bytes(bits.bit_length() // 8 + 1, "little"), np.uint8)
    present = np.unpackbits(octets, bitorder="little").astype(np.int64)

    def is_edge(x: Any, y: Any) -> np.ndarray:
        x, y = np.asarray(x).astype(np.int64), np.asarray(y).astype(np.int64)
        bit = x + y * (y - 1) // 2
        known = (x < y) & (bit < len(present))
        return np.where(known, present[np.where(known, bit, 0)], 0)

    return is_edge


def is_full_dag(matrix: Matrix) -> bool:
    """Returns whether every vertex is joined.

    Every one but the last has an edge that leaves it, every one but the first an edge that leads
    to it: with an upper-triangular matrix all lie on paths from the first to the last.

    Args:
        matrix: [V, V].
    """
    edges = np.asarray(matrix) != 0
    return bool(edges[:-1].any(axis=1).all() and edges[:, 1:].any(axis=0).all())


def num_edges(matrix: Matrix) -> int:
    """Returns the number of edges of a 0-1 matrix [V, V]."""
    return int(np.sum(matrix))


def hash_module(matrix: Matrix, labeling: Sequence[Any]) -> str:
    """Returns the official hash of a graph, the same for isomorphic ones.

    Args:
        matrix: 0-1, [V, V].
        labeling: V labels; the benchmark's own hashes take -1 for the input, -2 for the output and
            0, 1, 2 for the operations in the order of `config["available_ops"]`.

    Returns:
        32 hexadecimal digits.

    Raises:
        ValueError: the matrix is not square, does not fit the labels, or has other entries.
    """
    edges, labels = _checked(matrix, labeling)
    size = len(edges)
    codes = np.arange(size, dtype=np.int8)[None]
    cell = CellGraphs(edges[None], codes, np.array([size], np.int8))
    return str(module_hashes.md5_hashes(cell, [repr(label) for label in labels])[0])


def permute_graph(
    graph: Matrix, label: Sequence[Any], permutation: Sequence[int]
) -> tuple[np.ndarray, list[Any]]:
    """Renumbers vertices: vertex i becomes vertex `permutation`[i].

    Args:
        graph: matrix [V, V].
        label: V labels.
        permutation: the numbers 0 to V - 1 in any order.

    Returns:
        the new matrix, of the same dtype, and the new labels.

    Raises:
        ValueError: the matrix is not square, or the others do not fit it.
    """
    _check_size(np.asarray(graph), label)
    graph, permutation = np.asarray(graph), list(permutation)
    if sorted(permutation) != list(range(len(graph))):
        raise ValueError(
            f"permutation {permutation}: expected every number from 0 to {len(graph) - 1} once"
        )
    origin = np.argsort(permutation)  # of every new vertex
    return graph[np.ix_(origin, origin)], [label[index] for index in origin]


def is_isomorphic(graph1: LabelledGraph, graph2: LabelledGraph) -> bool:
    """Returns whether renumbering the vertices of one graph gives the other, labels included.

    Args:
        graph1: 0-1 matrix [V, V] and V labels.
        graph2: the same; graphs of other sizes are not isomorphic.

    Raises:
        ValueError: a matrix is not square, does not fit its labels, or has other entries.
    """
    return networkx.is_isomorphic(
        _labelled(*graph1), _labelled(*graph2),
        node_match=lambda one, other: one["label"] == other["label"],
    )


def _labelled(matrix: Matrix, labels: Sequence[Any]) -> networkx.DiGraph:
    edges, labels = _checked(matrix, labels)
    graph = networkx.DiGraph()
    graph.add_nodes_from((index, {"label": label}) for index, label in enumerate(labels))
    graph.add_edges_from(zip(*(ends.tolist() for ends in np.nonzero(edges))))
    return graph


def _checked(matrix: Matrix, labels: Sequence[Any]) -> tuple[np.ndarray, list[Any]]:
    """Returns edges as 0-1 uint8 [V, V], and the labels as plain Python values."""
    matrix = np.asarray(matrix)
    _check_size(matrix, labels)
    others = matrix[(matrix != 0) & (matrix != 1)]
    if len(others):
        raise ValueError(f"the matrix has the entry {others[0]}, an edge is 0 or 1")
    plain = (np.ndarray, np.generic)  # whose `repr` is another in every version of NumPy
    labels = [label.tolist() if isinstance(label, plain) else label for label in labels]
    return matrix.astype(np.uint8), labels


def _check_size(matrix: np.ndarray, labels: Sequence[Any]) -> None:
    """Raises ValueError where a matrix is not square, too large, or does not fit its labels."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"the matrix has shape {matrix.shape}, it must be square")
    if len(matrix) != len(labels):
        raise ValueError(f"{len(labels)} labels for {len(matrix)} rows of the matrix")
    if len(matrix) > _MAX_VERTICES:
        raise ValueError(f"{len(matrix)} vertices, at most {_MAX_VERTICES} are supported")
