"""NAS-Bench-201 as columns, and what a search sees of it on each data set.

NAS-Bench-201 (Dong and Yang, 2020, arXiv:2001.00326). A table is a CSV file (`nasbench201_csv`) or
the official NATS-Bench folder (`nats_archive`), which is read once and kept as columns.

    table = NasBench201Table.load("nas_bench_201.csv.gz")
    protocol = table.protocol("cifar10")

The protocol is arch2vec's (Yan et al., 2020, section 5.2) and the benchmark's: on CIFAR-10 a search
sees the validation accuracy after 12 epochs, on every other data set that after 200; what is
reported is always of the incumbent after 200 epochs. Measurements are means over trials.

Shapes: M cells.
"""

import dataclasses
import functools
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from absl import logging

from nas_tf import caching
from nas_tf.core import ConfigError, DataError
from nas_tf.graphs import CellGraphs
from nas_tf.config import expand_home
from nas_tf.spaces.nasbench201 import NUM_CELLS, NasBench201Space
from nas_tf.tables import nasbench201_csv, nats_archive

WHERE_TO_GET = (
    "give a CSV file (its columns are in docs/tables.md) or the folder "
    "NATS-tss-v1_0-3ffb9-simple from https://github.com/D-X-Y/NATS-Bench"
)
REPORT_EPOCHS = 200

_SEARCH_EPOCHS = {"cifar10": 12}  # the exception; REPORT_EPOCHS on every other data set
_CACHE_VERSION = 1


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Protocol:
    """What a search sees of a table on one data set, and what is reported of its incumbent.

    Attributes:
        dataset: the data set's name.
        search_epochs: training epochs behind what a search sees.
        search_validation_accuracy: float64 [M] in [0, 1], what a search sees.
        validation_accuracy: float64 [M] in [0, 1], after 200 epochs, for reports.
        test_accuracy: float64 [M] in [0, 1], after 200 epochs, for reports.
        cost_sec: float64 [M], seconds that a query costs; None where the table has none.
        table: the table's path or name, for messages.
    """

    dataset: str
    search_epochs: int
    search_validation_accuracy: np.ndarray
    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    cost_sec: np.ndarray | None
    table: str

    @property
    def statement(self) -> str:
        """The protocol in two sentences, for a report."""
        cost = "has no training times, so that costs are zero"
        if self.cost_sec is not None:
            cost = f"gives the cost of a query, {self.search_epochs} epochs and one validation"
        return (
            f"{self.dataset}: the search sees validation accuracy after {self.search_epochs} "
            f"epochs; reported are validation and test accuracy of the incumbent after "
            f"{REPORT_EPOCHS} epochs, means over the published trials. The table {cost}."
        )

    def query_cost_sec(self) -> np.ndarray:
        """Returns float64 [M]: `cost_sec`, or zeros where the table has none."""
        return np.zeros(self.test_accuracy.shape) if self.cost_sec is None else self.cost_sec

    def check_budget(self, cost_budget_sec: float | None) -> None:
        """Raises ConfigError for a budget in seconds where the table has no costs."""
        if cost_budget_sec is not None and self.cost_sec is None:
            raise ConfigError(
                f"cost_budget_sec={cost_budget_sec:g}: {self.table} has no column "
                f"{self.dataset}_cost_sec_{self.search_epochs}ep; set num_queries instead"
            )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class NasBench201Table:
    """Measurements of NAS-Bench-201 cells, in the benchmark's order where the file has it.

    Attributes:
        cells: [M]; all 15,625 in a table that was loaded.
        columns: float64 [M] by the names of the CSV columns, `{dataset}_valid_acc_200ep` and so
            on; accuracies in [0, 1], costs in seconds.
        name: of the table, for reports.
        path: of the file or folder, "" when there is none.
        numbered: a cell's index in the table is its index in the benchmark.
        space: name of the cells' search space.
    """

    cells: CellGraphs
    columns: Mapping[str, np.ndarray]
    name: str = "memory"
    path: str = ""
    numbered: bool = False

    space: ClassVar[str] = NasBench201Space.name

    def __post_init__(self):
        """Raises DataError when a column does not fit the cells."""
        for name, values in self.columns.items():
            known = nasbench201_csv.METRIC.fullmatch(name) is not None
            if not known or np.shape(values) != self.cells.shape:
                raise DataError(
                    f"table {self.name!r}: column {name} of shape {np.shape(values)}; expected "
                    f"{self.cells.shape} and a name such as cifar10_valid_acc_200ep"
                )

    def __repr__(self) -> str:
        return (
            f"<NasBench201Table {self.name!r}: {self.num_cells:,} cells, "
            f"{', '.join(self.datasets)}>"
        )

    @classmethod
    def load(
        cls, path: str | os.PathLike, cache_directory: str | os.PathLike | None = None
    ) -> "NasBench201Table":
        """Opens a CSV file (`load_csv`) or a NATS-Bench folder (`load_nats`).

        Raises:
            DataError: it is missing, damaged or no such table.
            ConfigError: a folder is given and the package `nats_bench` is not installed.
        """
        path = expand_home(path)
        if pathlib.Path(path).is_dir():
            return cls.load_nats(path, cache_directory)
        return cls.load_csv(path)

    @classmethod
    def load_csv(cls, path: str | os.PathLike) -> "NasBench201Table":
        """Opens a CSV file, plain or gzip-compressed; see `nasbench201_csv`.

        Raises:
            DataError: it is missing, damaged or no such table; the message has row and column.
        """
        path = pathlib.Path(expand_home(path))
        index, columns, numbered = nasbench201_csv.read_columns(path)
        return cls._from_columns(index, columns, path, numbered)

    @classmethod
    def load_nats(
        cls, folder: str | os.PathLike, cache_directory: str | os.PathLike | None = None
    ) -> "NasBench201Table":
        """Opens the official folder `NATS-tss-v1_0-3ffb9-simple`.

        The first time, the package `nats_bench` unpickles every file of the folder, which runs
        whatever they say (`nats_archive`): name only a folder of the benchmark's authors. The
        columns are then kept in a directory that is known by what the files hold. A damaged
        cache is rebuilt with a warning; one that cannot be written is done without.

        Args:
            folder: the archive.
            cache_directory: where columns are kept; `caching.cache_directory()` when None.

        Raises:
            DataError: the folder is missing, damaged or no such archive.
            ConfigError: the package is needed and not installed.
        """
        folder = pathlib.Path(expand_home(folder))
        directory = _columns_directory(folder, cache_directory)
        index, columns = caching.cached_columns(
            directory, lambda: _read_columns(folder), _named_columns, name=str(folder)
        )
        return cls._from_columns(index, columns, folder, True)

    @property
    def num_cells(self) -> int:
        """M."""
        return len(self.cells)

    @property
    def keys(self) -> np.ndarray:
        """The cells' keys, uint64 [M], each once: see `spaces.nasbench201`."""
        return self.cells.keys

    @functools.cached_property
    def datasets(self) -> tuple[str, ...]:
        """The data sets with an accuracy, in the order of the columns."""
        names = [nasbench201_csv.METRIC.fullmatch(name) for name in self.columns]
        return tuple(dict.fromkeys(m["dataset"] for m in names if m["kind"] != "cost_sec"))

    def dataset(self, name: str) -> str:
        """Returns the table's name of a data set: one of `datasets`.

        Names of other programs are understood: CIFAR10, cifar10-valid, ImageNet16-120.

        Raises:
            ConfigError: the table has no such data set.
        """
        known = self._known(name)
        if known is None:
            raise ConfigError(
                f"dataset={name}: {self._label} has {', '.join(self.datasets) or 'none'}"
            )
        return known

    def accuracy(self, dataset: str, split: str, epochs: int) -> np.ndarray:
        """Returns float64 [M] in [0, 1].

        Args:
            dataset: one of `datasets`.
            split: "valid" or "test".
            epochs: of training.

        Raises:
            ConfigError: the table has no such data set.
            DataError: it has no such column of it.
        """
        dataset = self.dataset(dataset)
        name = f"{dataset}_{split}_acc_{epochs}ep"
        if name not in self.columns:
            raise DataError(
                f"{self._label}: no column {name}; of {dataset} it has "
                f"{', '.join(other for other in self.columns if other.startswith(f'{dataset}_'))}"
            )
        return self.columns[name]

    def cost_sec(self, dataset: str, epochs: int) -> np.ndarray | None:
        """Returns float64 [M], seconds of one training and one validation; None without."""
        return self.columns.get(f"{self._known(dataset)}_cost_sec_{epochs}ep")

    def budgets(self, dataset: str) -> tuple[int, ...]:
        """Returns the training epochs with a validation accuracy, ascending."""
        dataset = self._known(dataset)
        matches = [nasbench201_csv.METRIC.fullmatch(name) for name in self.columns]
        return tuple(sorted(
            int(m["epochs"]) for m in matches if (m["dataset"], m["kind"]) == (dataset, "valid_acc")
        ))

    def protocol(self, dataset: str, search_epochs: int | None = None) -> Protocol:
        """Returns what a search on a data set sees and what is reported of it.

        Args:
            dataset: one of `datasets`.
            search_epochs: of training behind what a search sees; those of the papers when None.

        Raises:
            ConfigError: the table has no such data set.
            DataError: the table lacks a column that the protocol needs.
        """
        dataset = self.dataset(dataset)
        epochs = search_epochs or _SEARCH_EPOCHS.get(dataset, REPORT_EPOCHS)
        return Protocol(
            dataset=dataset,
            search_epochs=epochs,
            search_validation_accuracy=self.accuracy(dataset, "valid", epochs),
            validation_accuracy=self.accuracy(dataset, "valid", REPORT_EPOCHS),
            test_accuracy=self.accuracy(dataset, "test", REPORT_EPOCHS),
            cost_sec=self.cost_sec(dataset, epochs),
            table=self._label,
        )

    def _known(self, name: str) -> str | None:
        """Returns the table's name of a data set, None where it has none such."""
        alike = [known for known in self.datasets if _plain_name(known) == _plain_name(name)]
        return name if name in self.datasets else next(iter(alike), None)

    @property
    def _label(self) -> str:
        return self.path or f"table {self.name!r}"

    @classmethod
    def _from_columns(
        cls, index: np.ndarray, columns: dict[str, np.ndarray], path: pathlib.Path, numbered: bool
    ) -> "NasBench201Table":
        cells = NasBench201Space().enumerate_cells()[np.asarray(index)]
        name = path.name.removesuffix(".gz").removesuffix(".csv")
        return cls(cells=cells, columns=columns, name=name, path=str(path), numbered=numbered)


def _plain_name(dataset: str) -> str:
    """Returns what the spellings of a data set's name have in common."""
    return re.sub("[^a-z0-9]", "", dataset.lower().removesuffix("-valid"))


def _columns_directory(
    folder: pathlib.Path, cache_directory: str | os.PathLike | None
) -> pathlib.Path:
    """Returns the directory of an archive's columns, which is known by names and contents."""
    root = caching.cache_directory() if cache_directory is None else pathlib.Path(cache_directory)
    try:
        (folder / nats_archive.META_FILE).stat()
        identity = f"{_CACHE_VERSION} {caching.content_checksum(folder, root)}"
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(
            f"{folder}: no NATS-Bench folder ({nats_archive.META_FILE} is missing); {WHERE_TO_GET}"
        ) from error
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error})") from error
    return caching.content_directory(root / "tables", folder.name, identity)


def _named_columns(
    stored: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns indices and columns of what was cached; raises DataError unless complete."""
    columns = dict(zip(metadata["names"], stored["values"], strict=True))
    if not np.array_equal(np.sort(stored["index"]), np.arange(NUM_CELLS)):
        raise DataError("not every cell once")
    return stored["index"], columns


def _read_columns(folder: pathlib.Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Reads an archive; returns columns and metadata to be cached."""
    nats_archive.check_installed(folder)
    logging.info(
        "Reading %s for the first time, this takes minutes (kept for the next time)", folder
    )
    index, columns = nats_archive.read_columns(folder)
    stored = {"index": index, "values": np.stack(list(columns.values()))}
    return stored, {"names": list(columns), "source": str(folder)}
