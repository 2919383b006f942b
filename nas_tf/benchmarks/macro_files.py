"""NAS-Bench-Macro: a CSV file (Su et al., 2021, arXiv:2103.11922).

The table has test accuracies of several trainings and no validation accuracy. So a search sees the
accuracy of one training, drawn from the run's seed and the query's number, and what is reported is
the mean of the others: no training both chooses and judges a network.

Shapes: M networks, R trainings.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from nas_tf import storage
from nas_tf.benchmarks.benchmark import Benchmark, BenchmarkRecipe
from nas_tf.config import NOT_EMPTY, setting
from nas_tf.core import ConfigError, Evaluator
from nas_tf.evaluators.tabular import TabularEvaluator
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables.macro_table import MacroTable


@dataclasses.dataclass(frozen=True)
class Macro(BenchmarkRecipe):
    """NAS-Bench-Macro."""

    name = "macro"
    spaces = ("macro",)

    path: str | None = setting(
        None,
        "NAS-Bench-Macro measurements: a CSV file, plain or gzip-compressed, with the columns "
        "architecture and test_acc_1, test_acc_2, ... in per cent.",
        NOT_EMPTY,
        flag="macro_table",
        path=True,
        by_content=True,
    )

    def table(self) -> MacroTable:
        """See `BenchmarkRecipe.table`."""
        if self.path is None:
            raise ConfigError(
                "--macro_table=none: no table was given; name a CSV file (its columns are in "
                "docs/tables.md)"
            )
        return MacroTable.load(self.path)

    def open(self, space: SearchSpace) -> Benchmark:
        """See `BenchmarkRecipe.open`."""
        return of_table(self.table(), space)


def of_table(table: MacroTable, space: SearchSpace) -> Benchmark:
    """Returns the benchmark of a table."""
    seen = table.test_accuracy
    mean, reported, costs = seen.mean(axis=1), others(seen), np.zeros(seen.shape)

    def evaluator(seeds: Sequence[int]) -> Evaluator:
        return TabularEvaluator(
            table.cells.keys, seen, test_accuracy=reported, cost_sec=costs, seeds=seeds,
            epochs=table.epochs,
        )

    checksum = storage.arrays_checksum(table.cells.keys, seen)
    return Benchmark(
        space=space,
        name=table.name,
        path=table.path,
        dataset=table.dataset,
        cells=table.cells,
        epochs=(table.epochs,),
        report_epochs=table.epochs,
        validation_accuracy=mean,
        validation="random",
        best_test_accuracy=float(mean.max()),
        checksum=checksum,
        table_checksum=checksum,
        evaluator=evaluator,
        protocol=_protocol(seen.shape[1]),
    )


def others(accuracy: np.ndarray) -> np.ndarray:
    """Returns, beside every training [M, R], the mean of the network's other ones, [M, R]."""
    return (accuracy.sum(axis=1, keepdims=True) - accuracy) / (accuracy.shape[1] - 1)


def _protocol(trainings: int) -> str:
    """Returns what a search sees and what is reported, in words."""
    rest = "the other one" if trainings == 2 else f"the mean of the other {trainings - 1}"
    return (
        f"The table has test accuracies of {trainings} trainings a network and no validation "
        "accuracy: as validation accuracy a search sees one of them, drawn from the run's seed and "
        f"the query's number; as test accuracy {rest} is reported. Regret is the distance to the "
        f"best mean of all {trainings}, which a lucky run may exceed. The table has no training "
        "times, so that costs are zero."
    )
