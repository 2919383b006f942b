"""CSV files of measured cells, of whatever space: what a search sees and what is reported."""

from collections.abc import Sequence

import numpy as np

from nas_tf import storage
from nas_tf.benchmarks.benchmark import Benchmark
from nas_tf.core import ConfigError, Evaluator
from nas_tf.evaluators import tabular
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables.measured_table import MeasuredTable


def of_measured(
    table: MeasuredTable, space: SearchSpace, *, validation: str, epochs: int | None
) -> Benchmark:
    """Returns the benchmark of a table, whose cells are the pool of a search.

    Args:
        table: of measured cells.
        space: of these.
        validation: what a search sees of several trainings, "random" (one of them) or "mean".
        epochs: training budget, one of the table's; the longest when None.

    Raises:
        ConfigError: the table has no such training budget.
    """
    full = table.budget(epochs)
    budgets = tuple(number for number in table.epochs if number <= full)
    test = table.test_accuracy(full)
    repeats = table.validation_accuracy(full)
    mean = repeats.mean(axis=1)
    seen = mean if validation == "mean" else repeats

    def evaluator(seeds: Sequence[int]) -> Evaluator:
        return tabular.MultiBudgetEvaluator(budgets, lambda number: tabular.from_measured(
            table, seeds=seeds, validation=validation, epochs=number
        ))

    checksum = _checksum(table, budgets)
    return Benchmark(
        space=space,
        name=table.name,
        path=table.path,
        dataset=table.dataset,
        cells=table.cells,
        space_num_cells=len(space.enumerate_cells()) if space.has("enumerate_cells") else None,
        epochs=budgets,
        report_epochs=full,
        validation_accuracy=mean,
        validation="single" if table.num_repeats == 1 else validation,
        measures_again=validation == "random" and table.num_repeats > 1,
        best_test_accuracy=np.nan if test is None else float(test.max()),
        best_validation_accuracy=float(seen.max()) if test is None else np.nan,
        checksum=checksum,
        table_checksum=checksum,
        evaluator=evaluator,
        protocol=_protocol(table, budgets),
        check_costs=lambda cost_sec: _check_costs(table, cost_sec),
    )


def _checksum(table: MeasuredTable, budgets: Sequence[int]) -> str:
    """Returns the SHA-256 of the cells and of all numbers of some budgets."""
    numbers = [
        values[epochs] for values in table.columns.values() for epochs in sorted(values)
        if epochs in budgets
    ]
    return storage.arrays_checksum(table.keys, *numbers)


def _protocol(table: MeasuredTable, budgets: Sequence[int]) -> str:
    """Returns what a search sees and what is reported, in words."""
    trainings = "one training" if table.num_repeats == 1 else f"{table.num_repeats} trainings"
    told = [
        f"{table.num_cells:,} cells, {trainings} of each; a search sees validation accuracy after "
        f"{budgets[-1]} epochs."
    ]
    if table.test_accuracy(budgets[-1]) is None:
        told.append("This table has no test accuracy: regret is of validation accuracy.")
    known = table.columns["training_time_sec"]
    shared = [str(number) for number in budgets if known and number not in known]
    if not known:
        told.append("This table has no training times: costs are zero.")
    if shared:
        told.append(
            f"It has no training times of {', '.join(shared)} epochs: they count in proportion to "
            "those of longer trainings."
        )
    return " ".join(told)


def _check_costs(table: MeasuredTable, cost_budget_sec: float | None) -> None:
    """Raises ConfigError for a budget in seconds where the table has no training times."""
    if cost_budget_sec is not None and not table.columns["training_time_sec"]:
        raise ConfigError(
            f"cost_budget_sec={cost_budget_sec:g}: {table.path or table.name} has no training "
            "times (training_time_sec_...ep); set num_queries instead"
        )
