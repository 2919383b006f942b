"""Parts of the official NAS-Bench-101 programming interface (Ying et al., 2019, arXiv:1902.09635).

`OutOfDomainError` has the name of the official package's exception, and the statistics have its
keys and types, so that programs written for it run unchanged. The class `NASBench` itself is in
`nas_tf.tables.nasbench101`, which also exports these names; `model_spec` and `graph_util` are
modules beside it, as they are there.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from nas_tf import core
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.tables.model_spec import ModelSpec

_Value = TypeVar("_Value")

TIMES = ("halfway", "final")
# Names of the official statistics, and of our columns.
STATISTICS = {
    "training_time": "training_time_sec",
    "train_accuracy": "train_accuracy",
    "validation_accuracy": "validation_accuracy",
    "test_accuracy": "test_accuracy",
}


# Of the benchmark's trainings (Ying et al., 2019, appendix), by the names of `nas_tf.Training`.
PUBLISHED_TRAINING = {
    "epochs": 108,
    "batch_size": 256,
    "optimizer": "rmsprop",
    "learning_rate": 0.2,
    "momentum": 0.9,
    "rho": 0.9,
    "epsilon": 1.0,
    "schedule": "cosine",
    "weight_decay": 1e-4,
    "decay_all": False,
}


class OutOfDomainError(Exception):
    """A cell or a number of epochs lies outside the benchmark."""


class MissingCellError(core.NasError, KeyError):
    """A cell is not in a table; a KeyError, as in the official package, that says which."""

    __str__ = Exception.__str__  # a KeyError shows its message in quotation marks


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


def trained_data_point(model_spec: ModelSpec, trained: Any) -> dict[str, Any]:
    """Returns what a query would, of a network that `nas_tf.train` has trained."""
    summary = trained.summary()
    return {
        "module_adjacency": model_spec.matrix,
        "module_operations": model_spec.ops,
        "trainable_parameters": summary["parameters"],
        "training_time": summary["training_sec"],
        "train_accuracy": trained.history[-1]["accuracy"],
        "validation_accuracy": summary["validation_accuracy"],
        "test_accuracy": summary["test_accuracy"],
    }


def check_epochs(epochs: int, valid: set[int], table: str) -> None:
    """Checks a training budget.

    Args:
        epochs: asked for.
        valid: those there are.
        table: its name.

    Raises:
        OutOfDomainError: it is not one of them; the message names them.
    """
    if epochs not in valid:
        known = ", ".join(map(str, sorted(valid)))
        raise OutOfDomainError(
            f"{epochs} epochs, the table {table!r} has {known}: "
            f"ask for one of them, as in query(spec, epochs={max(valid)})"
        )


def missing_cell(model_spec: ModelSpec, error: MissingCellError) -> MissingCellError:
    """Returns what to raise for a cell of the space whose hash, says `error`, is not in a table."""
    ops, edges = model_spec.ops, int(np.sum(model_spec.matrix))
    return MissingCellError(
        f"the cell {', '.join(ops)} ({len(ops)} vertices, {edges} edges) lies in the space of "
        f"NAS-Bench-101, but {error}"
    )


class HashedTable(Protocol):
    """What the statistics below need of a table; see `nasbench101_table.NasBench101Table`."""

    cells: CellGraphs
    hashes: np.ndarray
    epochs: tuple[int, ...]
    trainable_parameters: np.ndarray

    def index_of_hash(self, module_hash: str) -> int:
        """Returns the index of a cell; raises KeyError when it is not there."""


class _Statistics(Mapping, Generic[_Value]):
    """Statistics by hash: a value is made when it is first asked for and then kept.

    It is the caller's to change, as in the official package: whoever asks again sees the change,
    `NASBench.query` included. The table itself never changes. What is kept takes about 0.6 kB a
    cell and 0.6 kB a training: whoever asks for every cell of `nasbench_full` needs 3 GB, which the
    official package needs from the start; `get_metrics_from_hash` keeps nothing.
    """

    def __init__(self, table: HashedTable):
        self._table = table
        self._given: dict[str, _Value] = {}

    def __getitem__(self, module_hash: str) -> _Value:
        """Returns the value of a hash, the same one every time.

        Raises:
            MissingCellError: (a KeyError) the hash is not in the table.
        """
        if module_hash not in self._given:
            self._given[module_hash] = self._make(self._table.index_of_hash(module_hash))
        return self._given[module_hash]

    def __contains__(self, module_hash: object) -> bool:
        try:
            self._table.index_of_hash(module_hash)
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return (item.decode("ascii") for item in self._table.hashes)

    def __len__(self) -> int:
        return len(self._table.hashes)

    def copy_of(self, module_hash: str) -> _Value:
        """Returns the value of a hash to be changed by nobody else; nothing is kept for it.

        Raises:
            MissingCellError: (a KeyError) the hash is not in the table.
        """
        if module_hash in self._given:
            return copy.deepcopy(self._given[module_hash])
        return self._make(self._table.index_of_hash(module_hash))

    def _make(self, index: int) -> _Value:
        raise NotImplementedError


class FixedStatistics(_Statistics[dict[str, Any]]):
    """Of every hash: `module_adjacency`, `module_operations`, `trainable_parameters`."""

    def _make(self, index: int) -> dict[str, Any]:
        matrix, codes = self._table.cells.matrix(index)
        return {
            "module_adjacency": np.array(matrix, np.int8),
            "module_operations": [nasbench101.OP_NAMES[code] for code in codes],
            "trainable_parameters": int(self._table.trainable_parameters[index]),
        }


class ComputedStatistics(_Statistics[dict[int, list[dict[str, float]]]]):
    """Of every hash: epochs -> repeats -> the metrics half-way and at the end of training."""

    def _make(self, index: int) -> dict[int, list[dict[str, float]]]:
        metrics = {
            f"{time}_{name}": getattr(self._table, column)[index, :, :, half].tolist()
            for half, time in enumerate(TIMES)
            for name, column in STATISTICS.items()
        }
        repeats = range(len(metrics["final_test_accuracy"][0]))
        return {
            epochs: [
                {name: values[budget][repeat] for name, values in metrics.items()}
                for repeat in repeats
            ]
            for budget, epochs in enumerate(self._table.epochs)
        }
