"""Measurements of NAS-Bench-101 as columns.

NAS-Bench-101: Towards Reproducible Neural Architecture Search (Ying et al., 2019,
arXiv:1902.09635). A record file is read once, checked, and kept as columns in the cache directory;
afterwards the columns are memory-mapped.

    table = NasBench101Table.load("nasbench_only108.tfrecord")
    table = NasBench101Table.from_api(nasbench.api.NASBench("nasbench_only108.tfrecord"))

Shapes: M cells, E numbers of epochs, R repeats; the last axis of a metric is (half-way, final).
"""

import dataclasses
import functools
import importlib.resources
import os
import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from absl import logging

from nas_tf import caching, core
from nas_tf.config import expand_home
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.tables import (
    nasbench101_columns, nasbench101_datasets, nasbench101_live, nasbench101_rows, records,
)
from nas_tf.tables.nasbench_api import MissingCellError

EMBEDDED_FILE = "nasbench101_digits.tfrecord.gz"
_CACHE_VERSION = 3
_CHECKED_BYTES = 1 << 16  # of a record file's head
_PROBED_KEYS = 64
_NOTICE_BYTES = 10_000_000  # reading a larger file takes more than a moment and is announced


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
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
        space: name of the cells' search space.
        numbered: a cell's index in the table is its index in the benchmark: it has no such order.
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

    space: ClassVar[str] = nasbench101.NasBench101Space.name
    numbered: ClassVar[bool] = False

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

    def __repr__(self) -> str:
        return (
            f"<NasBench101Table {self.name!r}: {self.num_cells:,} cells, {self.num_repeats} "
            f"trainings of {', '.join(map(str, self.epochs))} epochs>"
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
        table = cls._from_columns(columns, _table_name(path), str(path))
        table.__dict__["_hash_order"] = columns["hash_order"]
        return table

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

    @classmethod
    def from_api(cls, nasbench: Any, name: str = "nasbench") -> "NasBench101Table":
        """Makes a table of a live object of the official package, or of one like it.

        Args:
            nasbench: has `fixed_statistics` and `computed_statistics`, as `nasbench.api.NASBench`
                and our drop-in have; see `nasbench101_live`.
            name: of the table.

        Raises:
            core.DataError: a cell is outside the space, or cells differ in the numbers of epochs or
                repeats; the message has the hash.
        """
        return cls._from_columns(nasbench101_live.read_columns(nasbench), name)

    @functools.cached_property
    def dataset(self) -> str:
        """What the networks were trained on: "cifar10", "digits", "synthetic" or "unknown"."""
        return nasbench101_datasets.dataset_of(
            self.name, self.epochs, self.validation_accuracy, self.test_accuracy
        )

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets that were measured, of which there is one."""
        return (self.dataset,)

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
        """Returns the index of the cell with an official hash.

        Raises:
            MissingCellError: (a KeyError) it is not in the table.
        """
        wanted = np.bytes_(str(module_hash).encode("utf-8"))
        rank = int(np.searchsorted(self.hashes, wanted, sorter=self._hash_order))
        if rank < self.num_cells and self.hashes[self._hash_order[rank]] == wanted:
            return int(self._hash_order[rank])
        raise MissingCellError(f"no cell with the hash {module_hash!r} is in {self._described}")

    def budget(self, epochs: int | None) -> int:
        """Returns the index in `epochs` of a training budget; of the longest for None.

        Raises:
            core.ConfigError: the table has no such budget.
        """
        if epochs is None:
            return len(self.epochs) - 1
        if epochs not in self.epochs:
            choices = ", ".join(map(str, self.epochs))
            raise core.ConfigError(f"epochs={epochs}: {self.name} has {choices}")
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
        cls, columns: Mapping[str, np.ndarray], name: str, path: str = ""
    ) -> "NasBench101Table":
        cells = CellGraphs(columns["adjacency"], columns["ops"], columns["num_nodes"])
        metrics = {name: columns[name] for name in nasbench101_rows.METRICS}
        return cls(
            cells=cells.with_keys(columns["keys"]),
            epochs=tuple(columns["epochs"].tolist()),
            trainable_parameters=columns["trainable_parameters"],
            hashes=columns["hashes"],
            name=name,
            path=path,
            **metrics,
        )


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
        logging.info(
            "Reading %s for the first time, %s MB (kept for the next time)",
            path, f"{size / 1e6:,.0f}",
        )
    columns = nasbench101_columns.read_columns(path)
    columns["hash_order"] = np.argsort(columns["hashes"], kind="stable").astype(np.int32)
    return columns, {"source": str(path)}
