"""NAS-Bench-101 as columns, and a drop-in for its official programming interface.

NAS-Bench-101: Towards Reproducible Neural Architecture Search (Ying et al., 2019,
arXiv:1902.09635). The record files are read once, checked, and kept as columns in the cache
directory; afterwards the columns are memory-mapped.

    from nas_tf.tables import nasbench101 as api
    nasbench = api.NASBench("nasbench_only108.tfrecord")
    data = nasbench.query(api.ModelSpec(matrix=[[0, 1], [0, 0]], ops=["input", "output"]))

The official package's modules `graph_util` and `model_spec` have their counterparts beside this
one.

Shapes: M cells, E numbers of epochs, R repeats; the last axis of a metric is (half-way, final).
"""

import dataclasses
import functools
import importlib.resources
import os
import pathlib
import random
from collections.abc import KeysView, Mapping
from typing import Any

import numpy as np

from nas_tf import caching, core
from nas_tf.graphs import CellGraphs
from nas_tf.paths import expand_home
from nas_tf.spaces import nasbench101
from nas_tf.tables import nasbench101_columns, nasbench101_rows, nasbench_api, records
from nas_tf.tables.model_spec import ModelSpec
from nas_tf.tables.nasbench_api import MissingCellError, OutOfDomainError

__all__ = ("MissingCellError", "ModelSpec", "NASBench", "NasBench101Table", "OutOfDomainError")

EMBEDDED_FILE = "nasbench101_digits.tfrecord.gz"
_CACHE_VERSION = 3
_CHECKED_BYTES = 1 << 16  # of a record file's head
_PROBED_KEYS = 64
_NOTICE_BYTES = 10_000_000  # reading a larger file takes more than a moment and is announced


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class NasBench101Table:
    """Measurements of NAS-Bench-101 cells.

    Attributes:
        cells: the cells, [M], as the file has them.
        epochs: numbers of training epochs measured, ascending.
        trainable_parameters: int32 [M].
        training_time_sec: float64 [M, E, R, 2].
        train_accuracy: float64 [M, E, R, 2] in [0, 1].
        validation_accuracy: float64 [M, E, R, 2] in [0, 1].
        test_accuracy: float64 [M, E, R, 2] in [0, 1].
        hashes: 'S32' [M], the official MD5 hashes; computed when None is given.
        name: of the table, for reports.
        path: of the record file, "" when there is none.
    """

    cells: CellGraphs
    epochs: tuple[int, ...]
    trainable_parameters: np.ndarray
    training_time_sec: np.ndarray
    train_accuracy: np.ndarray
    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    hashes: np.ndarray | None = None
    name: str = "memory"
    path: str = ""

    def __post_init__(self):
        """Raises core.DataError when the shapes do not agree."""
        if self.hashes is None:
            hashes = nasbench101.NasBench101Space().md5_hashes(self.cells).astype("S32")
            object.__setattr__(self, "hashes", hashes)
        shape = np.shape(self.validation_accuracy)
        if len(shape) != 4 or shape[:2] != (len(self.cells), len(self.epochs)) or shape[3] != 2:
            raise core.DataError(
                f"table {self.name!r}: validation_accuracy has shape {shape}, expected "
                f"({len(self.cells)}, {len(self.epochs)}, repeats, 2)"
            )
        for name in nasbench101_rows.METRICS:
            if np.shape(getattr(self, name)) != shape:
                raise core.DataError(
                    f"table {self.name!r}: {name} has shape {np.shape(getattr(self, name))}, "
                    f"expected {shape}"
                )

    @classmethod
    def load(
        cls, path: str | os.PathLike, cache_directory: str | os.PathLike | None = None
    ) -> "NasBench101Table":
        """Opens a record file in the official format, plain or gzip-compressed.

        The first time the file is read and checked (`nasbench101_columns`) and written as columns
        to a directory that is known by the file's content (`caching.content_checksum`). A damaged
        cache is rebuilt with a warning; one that cannot be written is done without.

        Args:
            path: the record file; may begin with `~`.
            cache_directory: where columns are kept; `caching.cache_directory()` when None.

        Raises:
            core.DataError: the file is missing, empty, damaged, or no NAS-Bench-101 file.
        """
        path = pathlib.Path(expand_home(path))
        _check_start(path)
        directory = _columns_directory(path, cache_directory)
        columns = caching.cached_columns(
            directory, lambda: _read_columns(path), _check_columns, name=str(path)
        )
        return cls._from_columns(columns, path)

    @classmethod
    def embedded(
        cls, cache_directory: str | os.PathLike | None = None
    ) -> "NasBench101Table":
        """Opens the table that comes with the library: small cells trained on handwritten digits.

        Raises:
            core.DataError: it is missing from this installation, or damaged.
        """
        path = pathlib.Path(str(importlib.resources.files("nas_tf") / "data" / EMBEDDED_FILE))
        if not path.is_file():
            raise core.DataError(
                f"{path}: the embedded table is missing from this installation; install the "
                "package again, or build it with `python -m tools.build_digits_benchmark`"
            )
        return cls.load(path, cache_directory)

    @property
    def num_cells(self) -> int:
        """M."""
        return len(self.cells)

    @property
    def num_repeats(self) -> int:
        """R."""
        return self.validation_accuracy.shape[2]

    @property
    def keys(self) -> np.ndarray:
        """The cells' isomorphism-invariant keys, uint64 [M]."""
        return self.cells.keys

    def index_of_hash(self, module_hash: str) -> int:
        """Returns the position of the cell with an official hash.

        Raises:
            MissingCellError: (a KeyError) it is not in the table.
        """
        wanted = np.bytes_(str(module_hash).encode("utf-8"))
        place = int(np.searchsorted(self.hashes, wanted, sorter=self._hash_order))
        if place < self.num_cells and self.hashes[self._hash_order[place]] == wanted:
            return int(self._hash_order[place])
        raise MissingCellError(f"no cell with the hash {module_hash!r} is in {self._described}")

    def budget(self, epochs: int | None) -> int:
        """Returns the position in `epochs` of a training budget; of the longest for None.

        Raises:
            core.ConfigError: the table has no such budget.
        """
        if epochs is None:
            return len(self.epochs) - 1
        if epochs not in self.epochs:
            choices = ", ".join(map(str, self.epochs))
            raise core.ConfigError(f"--nasbench101_epochs={epochs}: {self.name} has {choices}")
        return self.epochs.index(epochs)

    @functools.cached_property
    def _hash_order(self) -> np.ndarray:
        return np.argsort(self.hashes, kind="stable")

    @functools.cached_property
    def _described(self) -> str:
        largest = int(np.max(self.cells.num_nodes, initial=0))
        where = f" ({self.path})" if self.path else ""
        return (f"the table {self.name!r}{where}, which has {self.num_cells:,} cells of at most "
                f"{largest} vertices")

    @classmethod
    def _from_columns(
        cls, columns: Mapping[str, np.ndarray], path: pathlib.Path
    ) -> "NasBench101Table":
        cells = CellGraphs(columns["adjacency"], columns["ops"], columns["num_nodes"])
        metrics = {name: columns[name] for name in nasbench101_rows.METRICS}
        table = cls(
            cells=cells.with_keys(columns["keys"]),
            epochs=tuple(columns["epochs"].tolist()),
            trainable_parameters=columns["trainable_parameters"],
            hashes=columns["hashes"],
            name=_table_name(path),
            path=str(path),
            **metrics,
        )
        table.__dict__["_hash_order"] = columns["hash_order"]
        return table


class NASBench:
    """The benchmark through the official package's interface.

    `fixed_statistics` and `computed_statistics` are mappings that make each value when it is
    first asked for; changes to a value stay.

    The repeat that a query sees comes from Python's `random`, one `random.randint(0, repeats - 1)`
    a query as in the official class, so that `random.seed` repeats a run; nothing here seeds it.
    With `seed` it comes from a generator of this object's own, which draws what the official class
    draws after that seed, and `random` is left alone (the official class seeds it for the whole
    process). Runs that are to be independent need an object each, or `reset_budget_counters` and a
    new seed between them: `random.seed(...)`, or `reseed(...)` where there is a generator.
    """

    def __init__(self, dataset_file: str | os.PathLike, seed: int | None = None):
        """Opens a record file; see `NasBench101Table.load`.

        Args:
            dataset_file: path of the record file.
            seed: of a generator of its own for the choice between repeats; None takes Python's
                `random`.

        Raises:
            core.DataError: the file is missing, empty, damaged, or no NAS-Bench-101 file.
        """
        self.table = NasBench101Table.load(dataset_file)
        self.config = {
            "module_vertices": nasbench101.MAX_VERTICES,
            "max_edges": nasbench101.MAX_EDGES,
            "num_repeats": self.table.num_repeats,
            "available_ops": list(nasbench101.OFFICIAL_OPS),
        }
        self.fixed_statistics = nasbench_api.FixedStatistics(self.table)
        self.computed_statistics = nasbench_api.ComputedStatistics(self.table)
        self.valid_epochs = set(self.table.epochs)
        self.history: dict = {}
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0
        self.reseed(seed)

    def reseed(self, seed: int | None) -> None:
        """Begins the choice between repeats anew; arguments as in the constructor."""
        # The module itself is kept nowhere: it can be neither copied nor pickled.
        self._own = None if seed is None else random.Random(seed)

    def query(
        self, model_spec: ModelSpec, epochs: int = 108, stop_halfway: bool = False
    ) -> dict[str, Any]:
        """Returns one of the trainings of a cell, drawn at random, and counts its cost.

        Args:
            model_spec: the cell.
            epochs: one of `valid_epochs`.
            stop_halfway: give (and count) the state after half of the epochs.

        Returns:
            `module_adjacency` int8 [V, V], `module_operations`, `trainable_parameters`,
            `training_time` in seconds, `train_accuracy`, `validation_accuracy`, `test_accuracy`.

        Raises:
            OutOfDomainError: the cell or the number of epochs is outside the benchmark.
            MissingCellError: (a KeyError) the cell is inside it but not in this file.
        """
        nasbench_api.check_epochs(epochs, self.valid_epochs, self.table.name)
        data, computed = self.get_metrics_from_spec(model_spec)
        repeat = (self._own or random).randint(0, self.config["num_repeats"] - 1)
        sampled = computed[epochs][repeat]
        prefix = "halfway_" if stop_halfway else "final_"
        for name in ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy"):
            data[name] = sampled[prefix + name]
        self.training_time_spent += data["training_time"]
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def is_valid(self, model_spec: ModelSpec) -> bool:
        """Returns whether a cell lies in the benchmark's space; costs nothing."""
        try:
            self._check_spec(model_spec)
        except OutOfDomainError:
            return False
        return True

    def get_budget_counters(self) -> tuple[float, int]:
        """Returns the training seconds and the epochs queried so far."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Sets both counters to zero."""
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def evaluate(self, model_spec: ModelSpec, model_dir: str) -> dict[str, Any]:
        """Would train a cell from scratch.

        Raises:
            NotImplementedError: always; this class only reads the table.
        """
        raise NotImplementedError(
            "NASBench.evaluate trains a network, which this table reader does not; use query()"
        )

    def hash_iterator(self) -> KeysView[str]:
        """Returns the hashes of all cells, in the order of the file."""
        return self.fixed_statistics.keys()

    def get_metrics_from_hash(self, module_hash: str) -> tuple[dict, dict]:
        """Returns the fixed and the computed statistics of a hash; costs nothing.

        Raises:
            MissingCellError: (a KeyError) the hash is not in the table.
        """
        return (self.fixed_statistics.copy_of(module_hash),
                self.computed_statistics.copy_of(module_hash))

    def get_metrics_from_spec(self, model_spec: ModelSpec) -> tuple[dict, dict]:
        """Returns the fixed and the computed statistics of a cell; costs nothing.

        Raises:
            OutOfDomainError: the cell is outside the benchmark.
            MissingCellError: (a KeyError) it is inside it but not in this file.
        """
        self._check_spec(model_spec)
        try:
            return self.get_metrics_from_hash(self._hash_spec(model_spec))
        except MissingCellError as error:
            raise nasbench_api.missing_cell(model_spec, error) from None

    def _check_spec(self, model_spec: ModelSpec) -> None:
        """Raises OutOfDomainError for a cell outside the space; scripts call it by this name."""
        nasbench_api.check_spec(model_spec, self.config)

    def _hash_spec(self, model_spec: ModelSpec) -> str:
        """Returns the official hash of a cell; scripts call it by this name."""
        return model_spec.hash_spec(self.config["available_ops"])


def _table_name(path: pathlib.Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".tfrecord")


def _check_start(path: pathlib.Path) -> None:
    """Raises DataError where a file is none of records, before a long reading is announced."""
    next(records.read_chunks(path, chunk_bytes=_CHECKED_BYTES))


def _columns_directory(
    path: pathlib.Path, cache_directory: str | os.PathLike | None
) -> pathlib.Path:
    """Returns the directory of a record file's columns."""
    root = caching.cache_directory() if cache_directory is None else pathlib.Path(cache_directory)
    try:
        identity = f"{_CACHE_VERSION} {caching.content_checksum(path, root)}"
    except OSError as error:
        raise core.DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    return caching.content_directory(root / "tables", _table_name(path), identity)


def _check_columns(
    columns: Mapping[str, np.ndarray], unused_metadata: Mapping[str, Any]
) -> Mapping[str, np.ndarray]:
    """Returns cached columns as they are; raises DataError when their keys are out of date."""
    arrays = (columns["adjacency"], columns["ops"], columns["num_nodes"])
    probe = CellGraphs(*(np.asarray(array[:_PROBED_KEYS]) for array in arrays))
    if not np.array_equal(probe.keys, columns["keys"][:_PROBED_KEYS]):
        raise core.DataError("its keys are of another version of the library")
    return columns


def _read_columns(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Reads a record file; returns columns and metadata to be cached."""
    size = path.stat().st_size
    if size > _NOTICE_BYTES:
        print(
            f"table: reading {path} for the first time, {size / 1e6:,.0f} MB "
            "(kept for the next time)",
            flush=True,
        )
    columns = nasbench101_columns.read_columns(path)
    columns["hash_order"] = np.argsort(columns["hashes"], kind="stable").astype(np.int32)
    return columns, {"source": str(path)}
