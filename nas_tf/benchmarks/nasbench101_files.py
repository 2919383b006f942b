"""NAS-Bench-101: the official files (Ying et al., 2019, arXiv:1902.09635)."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nas_tf import storage
from nas_tf.benchmarks.benchmark import Benchmark, BenchmarkRecipe
from nas_tf.config import NOT_EMPTY, setting
from nas_tf.core import ConfigError, Evaluator
from nas_tf.evaluators import tabular
from nas_tf.spaces.space import SearchSpace
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
        return of_table(self.table(), space, validation=self.validation, epochs=self.epochs)


@dataclasses.dataclass(frozen=True)
class NasBench101(NasBench101Protocol):
    """NAS-Bench-101, official files."""

    name = "nasbench101"
    chosen_by = ("records",)

    records: str | None = setting(
        None,
        "Official NAS-Bench-101 file, such as nasbench_only108.tfrecord. The embedded table of "
        "small cells trained on digits when not given.",
        NOT_EMPTY,
        flag="nasbench101_records",
        path=True,
        by_content=True,
    )

    def table(self) -> NasBench101Table:
        """See `BenchmarkRecipe.table`."""
        if self.records is None:
            raise ConfigError(
                "--benchmark=nasbench101: name an official file with --nasbench101_records=PATH; "
                "--benchmark=digits needs none"
            )
        return NasBench101Table.load(self.records)


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
        best_test_accuracy=float(np.nanmax(table.test_accuracy[final].mean(axis=1))),
        checksum=checksum,
        table_checksum=checksum,
        evaluator=evaluator,
    )
