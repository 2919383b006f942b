"""NAS-Bench-101: official files and CSV files (Ying et al., 2019, arXiv:1902.09635)."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nas_tf import storage
from nas_tf.benchmarks.benchmark import Benchmark, BenchmarkRecipe
from nas_tf.benchmarks.measured_tables import of_measured
from nas_tf.config import NOT_EMPTY, setting
from nas_tf.core import ConfigError, Evaluator
from nas_tf.evaluators import tabular
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables.measured_csv import UNKNOWN
from nas_tf.tables.measured_table import MeasuredTable
from nas_tf.tables.nasbench101 import NasBench101Table


@dataclasses.dataclass(frozen=True)
class NasBench101Protocol(BenchmarkRecipe):
    """What a search sees of a NAS-Bench-101 table."""

    spaces: ClassVar[tuple[str, ...]] = ("nasbench101",)

    validation: str = setting(
        "random",
        "Validation accuracy a search sees: that of one of the three repeats, drawn at random "
        "(the official protocol), or their mean.",
        ("random", "mean"),
        flag="nasbench101_validation",
    )
    epochs: int | None = setting(
        None,
        "Training budget looked up, one of the table's; its longest when not given.",
        flag="nasbench101_epochs",
    )

    def open(self, space: SearchSpace) -> Benchmark:
        """See `BenchmarkRecipe.open`."""
        table = self.table()
        opened = of_measured if isinstance(table, MeasuredTable) else of_table
        return opened(table, space, validation=self.validation, epochs=self.epochs)


@dataclasses.dataclass(frozen=True)
class NasBench101(NasBench101Protocol):
    """NAS-Bench-101, official files and CSV files."""

    name = "nasbench101"
    chosen_by = ("records", "csv_file")

    records: str | None = setting(
        None,
        "Official NAS-Bench-101 file, such as nasbench_only108.tfrecord. The embedded table of "
        "small cells trained on digits when not given.",
        NOT_EMPTY,
        flag="nasbench101_records",
        path=True,
        by_content=True,
    )
    csv_file: str | None = setting(
        None,
        "NAS-Bench-101 measurements as a CSV file, plain or gzip-compressed, of any of its cells: "
        "a row a cell, module_hash and validation_accuracy_108ep for instance (docs/tables.md).",
        NOT_EMPTY,
        flag="nasbench101_table",
        path=True,
        by_content=True,
    )
    dataset: str = setting(
        UNKNOWN,
        "What the networks of a NAS-Bench-101 file were trained on, such as cifar10; CSV files do "
        "not say it, official ones are known by their numbers. Of a NAS-Bench-201 table, the data set searched: cifar10, cifar100, "
        "imagenet16-120 or another that it has columns of (default cifar10); 'all' for --job=query.",
        NOT_EMPTY,
        flag="dataset",
    )

    def __post_init__(self):
        """Raises SettingError where two files are given."""
        super().__post_init__()
        fits = self.csv_file is None or self.records is None
        self.require(fits, "csv_file", f"no second file beside {self.records}")

    def table(self) -> NasBench101Table | MeasuredTable:
        """See `BenchmarkRecipe.table`."""
        if self.csv_file is not None:
            return MeasuredTable.load(self.csv_file, NasBench101Space(), self.dataset)
        if self.records is None:
            raise ConfigError(
                "--benchmark=nasbench101: name an official file with --nasbench101_records=PATH or "
                "a CSV file with --nasbench101_table=PATH; --benchmark=digits needs none"
            )
        return NasBench101Table.load(self.records)

    def dataset_of(self, table: NasBench101Table | MeasuredTable) -> str:
        """See `BenchmarkRecipe.dataset_of`."""
        return table.dataset if self.dataset == UNKNOWN else self.dataset

    def open(self, space: SearchSpace) -> Benchmark:
        """See `BenchmarkRecipe.open`."""
        return named(super().open(space), self.dataset)


def named(benchmark: Benchmark, dataset: str) -> Benchmark:
    """Returns a benchmark of what somebody says its networks were trained on, if anybody does."""
    return benchmark if dataset == UNKNOWN else dataclasses.replace(benchmark, dataset=dataset)


def of_table(
    table: NasBench101Table, space: SearchSpace, *, validation: str, epochs: int | None
) -> Benchmark:
    """Returns the benchmark of a table; see `NasBench101Protocol` for the settings.

    Raises:
        ConfigError: the table has no such training budget.
    """
    full = table.budget(epochs)
    budgets = table.epochs[: full + 1]
    final = (slice(None), full, slice(None), 1)
    metrics = (table.validation_accuracy, table.test_accuracy, table.training_time_sec)

    def evaluator(seeds: Sequence[int]) -> Evaluator:
        return tabular.MultiBudgetEvaluator(budgets, lambda number: tabular.from_nasbench101(
            table, seeds=seeds, validation=validation, epochs=number
        ))

    checksum = storage.arrays_checksum(
        table.keys, *(metric[:, : full + 1, :, 1] for metric in metrics)
    )
    return Benchmark(
        space=space,
        name=table.name,
        path=table.path,
        dataset=table.dataset,
        cells=table.cells,
        epochs=budgets,
        report_epochs=budgets[-1],
        validation_accuracy=table.validation_accuracy[final].mean(axis=1),
        validation=validation,
        measures_again=validation == "random" and table.validation_accuracy.shape[2] > 1,
        best_test_accuracy=float(np.nanmax(table.test_accuracy[final].mean(axis=1))),
        checksum=checksum,
        table_checksum=checksum,
        evaluator=evaluator,
    )
