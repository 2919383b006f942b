"""NAS-Bench-201: a CSV file or the official folder (Dong and Yang, 2020, arXiv:2001.00326)."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from nas_tf import storage
from nas_tf.benchmarks.benchmark import Benchmark, BenchmarkRecipe
from nas_tf.benchmarks.measured_tables import of_measured
from nas_tf.config import NOT_EMPTY, expand_home, setting
from nas_tf.core import ConfigError, Evaluator
from nas_tf.evaluators import tabular
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables import csv_rows, measured_csv
from nas_tf.tables.measured_table import MeasuredTable
from nas_tf.tables.nasbench201 import REPORT_EPOCHS, WHERE_TO_GET, NasBench201Table, Protocol


@dataclasses.dataclass(frozen=True)
class NasBench201(BenchmarkRecipe):
    """NAS-Bench-201."""

    name = "nasbench201"
    spaces = ("nasbench201",)

    path: str | None = setting(
        None,
        "NAS-Bench-201 measurements: a CSV file, plain or gzip-compressed, or the folder "
        "NATS-tss-v1_0-3ffb9-simple (it is unpickled: name only one of the benchmark's authors).",
        NOT_EMPTY,
        flag="nasbench201_table",
        path=True,
        by_content=True,
    )
    dataset: str = setting(
        "cifar10",
        "Data set searched in a NAS-Bench-201 table: cifar10, cifar100, imagenet16-120 or another "
        "that it has columns of; 'all' for --job=query.",
        NOT_EMPTY,
        flag="dataset",
    )

    def table(self) -> NasBench201Table | MeasuredTable:
        """See `BenchmarkRecipe.table`."""
        if self.path is None:
            raise ConfigError(f"--nasbench201_table=none: no table was given; {WHERE_TO_GET}")
        if measured_csv.has_metrics(csv_rows.header_of(expand_home(self.path))):
            return MeasuredTable.load(self.path, NasBench201Space(), self.dataset)
        return NasBench201Table.load(self.path)

    def dataset_of(self, table: NasBench201Table | MeasuredTable) -> str:
        """See `BenchmarkRecipe.dataset_of`."""
        known = isinstance(table, MeasuredTable) or self.dataset == "all"
        return self.dataset if known else table.dataset(self.dataset)

    def open(self, space: SearchSpace) -> Benchmark:
        """See `BenchmarkRecipe.open`."""
        table = self.table()
        if isinstance(table, MeasuredTable):
            return of_measured(table, space, validation="mean", epochs=None)
        dataset = table.dataset(self.dataset)
        usual = table.protocol(dataset)

        def several() -> Benchmark:
            protocol = table.protocol(dataset, REPORT_EPOCHS)
            budgets = [n for n in table.budgets(dataset) if n <= protocol.search_epochs]
            parts = [table.protocol(dataset, number) for number in budgets]
            return _opened(table, space, protocol, parts)

        return dataclasses.replace(_opened(table, space, usual, [usual]), several=several)


def _opened(
    table: NasBench201Table, space: SearchSpace, protocol: Protocol, parts: Sequence[Protocol]
) -> Benchmark:
    """Returns the benchmark by a protocol, with training budgets by those of `parts`."""
    _check_costs(parts)
    epochs = tuple(part.search_epochs for part in parts)

    def evaluator(seeds: Sequence[int]) -> Evaluator:
        return tabular.MultiBudgetEvaluator(epochs, lambda number: tabular.from_nasbench201(
            table, protocol.dataset, seeds=seeds, epochs=number
        ))

    seen = [part.search_validation_accuracy for part in parts]
    costs = [part.query_cost_sec() for part in parts]
    as_reported = protocol.search_epochs == REPORT_EPOCHS
    return Benchmark(
        space=space,
        name=table.name,
        path=table.path,
        dataset=protocol.dataset,
        cells=table.cells,
        epochs=epochs,
        report_epochs=REPORT_EPOCHS,
        validation_accuracy=protocol.search_validation_accuracy,
        validation="mean",
        best_test_accuracy=float(np.nanmax(protocol.test_accuracy)),
        checksum=storage.arrays_checksum(table.keys, *seen, *costs, protocol.test_accuracy),
        table_checksum=storage.arrays_checksum(
            table.keys, seen[-1], costs[-1], protocol.test_accuracy
        ),
        evaluator=evaluator,
        protocol=protocol.statement,
        reported_validation_accuracy=None if as_reported else protocol.validation_accuracy,
        check_costs=protocol.check_budget,
    )


def _check_costs(protocols: Sequence[Protocol]) -> None:
    """Raises ConfigError where the table has the cost of some training budgets alone."""
    without = [part.search_epochs for part in protocols if part.cost_sec is None]
    if without and len(without) < len(protocols):
        first = protocols[0]
        raise ConfigError(
            f"{first.table}: no column {first.dataset}_cost_sec_{without[0]}ep, though other "
            "training budgets have theirs; add it, or remove them all"
        )
