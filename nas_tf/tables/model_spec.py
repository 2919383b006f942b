"""A cell under the name of the official package's module `model_spec`.

Ying et al., 2019, arXiv:1902.09635, section 2.1.

Shapes: V vertices.
"""

import copy
from collections.abc import Sequence

import numpy as np

from nas_tf import graphs
from nas_tf.graphs import CellGraphs
from nas_tf.tables import graph_util

try:  # only `ModelSpec.visualize` needs it
    import graphviz
except ImportError:
    graphviz = None


class ModelSpec:
    """A cell as a matrix and operations, with the parts that do not matter pruned away.

    Attributes:
        original_matrix: [V, V] as given, as an array.
        original_ops: V names as given.
        matrix: what is left of it after pruning, None if input and output are not connected.
        ops: the names that are left, None likewise.
        valid_spec: whether input and output are connected.
        data_format: "channels_last" or "channels_first".
    """

    def __init__(
        self,
        matrix: np.ndarray | Sequence[Sequence[int]],
        ops: Sequence[str],
        data_format: str = "channels_last",
    ):
        """Prunes a cell.

        Args:
            matrix: 0-1 upper-triangular adjacency matrix [V, V]; it is copied.
            ops: V names of operations; the first and the last stand for input and output.
            data_format: kept for networks.

        Raises:
            ValueError: the matrix is not square, not upper-triangular, or does not fit `ops`.
        """
        matrix = np.array(matrix)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"the matrix has shape {matrix.shape}, it must be square")
        if len(matrix) != len(ops):
            raise ValueError(f"{len(ops)} operations for {len(matrix)} rows of the matrix")
        if not is_upper_triangular(matrix):
            raise ValueError("the matrix must be upper-triangular: an edge leads to a later node")
        self.original_matrix = matrix
        self.original_ops = copy.deepcopy(ops)
        self.data_format = data_format
        keep = _used(matrix)
        self.valid_spec = len(keep) >= 2
        self.matrix = matrix[np.ix_(keep, keep)] if self.valid_spec else None
        self.ops = [ops[index] for index in keep] if self.valid_spec else None

    def hash_spec(self, canonical_ops: Sequence[str]) -> str:
        """Returns the isomorphism-invariant MD5 hash of the pruned cell.

        Args:
            canonical_ops: names of the interior operations in the order of their labels 0, 1, ...;
                the benchmark's own hashes take `config["available_ops"]`.

        Raises:
            ValueError: an interior operation is not among them.
        """
        canonical_ops = list(canonical_ops)
        labels = [-1, *(canonical_ops.index(name) for name in self.ops[1:-1]), -2]
        return graph_util.hash_module(self.matrix, labels)

    def visualize(self) -> "graphviz.Digraph":
        """Returns the pruned cell as a Graphviz drawing.

        Raises:
            ImportError: the optional package `graphviz` is not installed.
        """
        if graphviz is None:
            raise ImportError(
                "ModelSpec.visualize needs the optional package graphviz: pip install graphviz"
            )
        drawing = graphviz.Digraph()
        for index, name in enumerate(["input", *self.ops[1:-1], "output"]):
            drawing.node(str(index), name)
        for source, target in zip(*np.nonzero(self.matrix)):
            drawing.edge(str(source), str(target))
        return drawing


def is_upper_triangular(matrix: np.ndarray) -> bool:
    """Returns whether no edge of a matrix [V, V] leads to the same or an earlier vertex."""
    return not np.tril(matrix).any()


def _used(matrix: np.ndarray) -> np.ndarray:
    """Returns the vertices of a matrix [V, V] on paths from the first to the last."""
    edges = (matrix != 0).astype(np.uint8)[None]
    size = len(matrix)
    cell = CellGraphs(edges, np.zeros((1, size), np.int8), np.array([size], np.int8))
    return np.flatnonzero(graphs.on_path(cell)[0])
