"""Parts of the official NAS-Bench-101 programming interface (Ying et al., 2019, arXiv:1902.09635).

`ModelSpec` and `OutOfDomainError` have the names, arguments and results of the official package,
and the statistics have its keys and types, so that programs written for it run unchanged. The
class `NASBench` itself is in `nas_tf.tables.nasbench101`, which also exports these names.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from nas_tf import graphs
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101

try:  # only `ModelSpec.visualize` needs it
    import graphviz
except ImportError:
    graphviz = None

_TIMES = ("halfway", "final")
# Names of the official statistics, and of our columns.
_STATISTICS = {
    "training_time": "training_time_sec",
    "train_accuracy": "train_accuracy",
    "validation_accuracy": "validation_accuracy",
    "test_accuracy": "test_accuracy",
}


class OutOfDomainError(Exception):
    """A cell or a number of epochs lies outside the benchmark."""


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
        if np.tril(matrix).any():
            raise ValueError("the matrix must be upper-triangular: an edge leads to a later node")
        self.original_matrix = matrix
        self.original_ops = copy.deepcopy(ops)
        self.data_format = data_format
        keep = np.flatnonzero(graphs.on_path(_single(matrix, np.zeros(len(matrix))))[0])
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
        interior = [1 + canonical_ops.index(name) for name in self.ops[1:-1]]
        codes = [0, *interior, 1 + len(canonical_ops)]
        labels = (-1, *range(len(canonical_ops)), -2)
        return str(graphs.md5_hashes(_single(self.matrix, codes), labels)[0])

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


def check_spec(model_spec: ModelSpec, config: Mapping[str, Any]) -> None:
    """Checks that a pruned cell lies in the benchmark's space.

    Args:
        model_spec: the cell.
        config: with `module_vertices`, `max_edges` and `available_ops`.

    Raises:
        OutOfDomainError: it does not; the message says why.
    """
    if not model_spec.valid_spec:
        raise OutOfDomainError("no path leads from input to output")
    vertices, edges = len(model_spec.ops), int(np.sum(model_spec.matrix))
    if vertices > config["module_vertices"]:
        raise OutOfDomainError(f"{vertices} vertices, at most {config['module_vertices']} allowed")
    if edges > config["max_edges"]:
        raise OutOfDomainError(f"{edges} edges, at most {config['max_edges']} allowed")
    if model_spec.ops[0] != "input":
        raise OutOfDomainError(f"the first operation is {model_spec.ops[0]!r}, expected 'input'")
    if model_spec.ops[-1] != "output":
        raise OutOfDomainError(f"the last operation is {model_spec.ops[-1]!r}, expected 'output'")
    for name in model_spec.ops[1:-1]:
        if name not in config["available_ops"]:
            raise OutOfDomainError(
                f"operation {name!r} is not one of {', '.join(config['available_ops'])}"
            )


class HashedTable(Protocol):
    """What the statistics below need of a table; see `nasbench101.NasBench101Table`."""

    cells: CellGraphs
    hashes: np.ndarray
    epochs: tuple[int, ...]
    trainable_parameters: np.ndarray

    def index_of_hash(self, module_hash: str) -> int:
        """Returns the position of a cell; raises KeyError when it is not there."""


class _Statistics(Mapping):
    """Statistics by hash; each look-up makes a new value, so the table cannot be changed by it."""

    def __init__(self, table: HashedTable):
        self._table = table

    def __iter__(self) -> Iterator[str]:
        return (item.decode("ascii") for item in self._table.hashes)

    def __len__(self) -> int:
        return len(self._table.hashes)


class FixedStatistics(_Statistics):
    """Of every hash: `module_adjacency`, `module_operations`, `trainable_parameters`."""

    def __getitem__(self, module_hash: str) -> dict[str, Any]:
        index = self._table.index_of_hash(module_hash)
        matrix, codes = self._table.cells.matrix(index)
        return {
            "module_adjacency": np.array(matrix, np.int8),
            "module_operations": [nasbench101.OP_NAMES[code] for code in codes],
            "trainable_parameters": int(self._table.trainable_parameters[index]),
        }


class ComputedStatistics(_Statistics):
    """Of every hash: epochs -> repeats -> the metrics half-way and at the end of training."""

    def __getitem__(self, module_hash: str) -> dict[int, list[dict[str, float]]]:
        index = self._table.index_of_hash(module_hash)
        metrics = {
            f"{time}_{name}": getattr(self._table, column)[index, :, :, place].tolist()
            for place, time in enumerate(_TIMES)
            for name, column in _STATISTICS.items()
        }
        repeats = range(len(metrics["final_test_accuracy"][0]))
        return {
            epochs: [
                {name: values[place][repeat] for name, values in metrics.items()}
                for repeat in repeats
            ]
            for place, epochs in enumerate(self._table.epochs)
        }


def _single(matrix: np.ndarray, codes: Sequence[int]) -> CellGraphs:
    """Returns a batch of one cell."""
    edges = (np.asarray(matrix) != 0).astype(np.uint8)[None]
    return CellGraphs(edges, np.array([codes], np.int8), np.array([len(edges[0])], np.int8))
