"""Measuring cells by looking them up in a benchmark table.

A cell is infeasible, with the reason, where the table does not have it or has no validation
accuracy of it (NaN). Whatever else is wrong with a table (a cell twice, per cent, negative costs)
is refused before a search begins.

NAS-Bench-101 (Ying et al., 2019, arXiv:1902.09635), section 4: a search sees the validation
accuracy of one random repeat and pays its training time; test accuracy is the mean of the repeats.
A run that has a cell measured again sees another repeat, and is told the mean of both.

Shapes: M cells in the table, R runs, B suggestions a round.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from nas_tf import core
from nas_tf.evaluators import measurements
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import KeyIndex
from nas_tf.tables import measured_table, nasbench101, nasbench201

VALIDATIONS = ("random", "mean")
NOT_IN_TABLE = "the cell is not in the benchmark table"
NOT_MEASURED = "the table has no validation accuracy of the cell (NaN)"

_FINAL = 1  # index of the last evaluation of a training run in a table's metrics
_DRAWS = 256  # repeats drawn at a time


class TabularEvaluator(core.Evaluator):
    """Looks cells up by key; a cell that is not in the table is infeasible and costs nothing.

    One without a validation accuracy is infeasible too, and costs what its row says.
    """

    def __init__(
        self,
        keys: np.ndarray,
        validation_accuracy: np.ndarray,
        *,
        test_accuracy: np.ndarray,
        cost_sec: np.ndarray,
        seeds: Sequence[int],
        validation: str = "random",
        epochs: int | None = None,
    ):
        """Args of one training budget of a table.

        Args:
            keys: uint64 [M], one a cell, each once.
            validation_accuracy: float [M, repeats] in [0, 1]; NaN where a training has none.
            test_accuracy: float [M] in [0, 1], the mean of the repeats, or [M, repeats], what is
                reported where a search sees that repeat; NaN where there is none.
            cost_sec: float [M, repeats], training seconds from 0 up; NaN counts as 0 where the
                training has no validation accuracy.
            seeds: R seeds of the runs, non-negative.
            validation: "random" is the official protocol: validation accuracy and cost of one
                repeat, drawn from (the run's seed, the query's number) and nothing else; "mean" is
                the mean of the repeats, of the cost as well.
            epochs: training epochs behind these numbers, if known.

        Raises:
            core.ConfigError: `validation` is unknown.
            core.DataError: the table is empty, a cell is there twice, an accuracy is not in [0, 1]
                or a cost no number of seconds; the message has the row, counted from 0.
            ValueError: the arrays do not fit together.
        """
        if validation not in VALIDATIONS:
            raise core.ConfigError(
                f"validation={validation!r}: expected one of {', '.join(VALIDATIONS)}"
            )
        if not len(keys):
            raise core.DataError("the benchmark table is empty: there is nothing to search")
        shape = np.shape(validation_accuracy)
        if shape[:1] != keys.shape or shape != np.shape(cost_sec) or len(shape) != 2:
            raise ValueError(f"accuracy {shape} and cost {np.shape(cost_sec)} of {len(keys)} cells")
        if np.shape(test_accuracy) not in (keys.shape, shape):
            raise ValueError(f"test accuracy {np.shape(test_accuracy)} of {len(keys)} cells")
        measurements.check(keys, validation_accuracy, test_accuracy, cost_sec)
        self._index = KeyIndex(keys)
        self._validation = np.asarray(validation_accuracy, np.float64)
        test = np.asarray(test_accuracy, np.float64)
        self._test = test if test.ndim == 2 else np.broadcast_to(test[:, None], shape)
        self._cost = np.nan_to_num(np.asarray(cost_sec, np.float64))
        self._epochs = epochs
        self._seeds = tuple(int(seed) for seed in seeds)
        self._draws = None
        if validation == "mean":
            self._validation = self._validation.mean(axis=1, keepdims=True)
            self._cost = self._cost.mean(axis=1, keepdims=True)
            self._test = test.reshape(len(keys), -1).mean(axis=1, keepdims=True)

    def check_budget(self, budget: Budget) -> None:
        """Raises ConfigError for a budget in seconds where no cell of the table costs any."""
        cost = budget.cost_budget_sec
        if cost is not None and not self._cost.any():
            raise core.ConfigError(
                f"cost_budget_sec={cost:g}: every training of this table costs 0 s, so that the "
                "budget would never end; set num_queries instead"
            )

    def evaluate(self, suggestion: core.Suggestion, query: int) -> core.Evaluation:
        """Measures cells [R, B]; column b is query number `query + b` of every run.

        Args:
            suggestion: the cells; their `epochs` must be None or the table's.
            query: queries already made in each run.

        Raises:
            core.ConfigError: the suggestion asks for other epochs.
            ValueError: R is not the number of seeds.
        """
        cells = suggestion.cells
        if suggestion.epochs not in (None, self._epochs):
            raise core.ConfigError(
                f"epochs={suggestion.epochs}: this table was opened with epochs={self._epochs}"
            )
        if len(cells.shape) != 2 or cells.shape[0] != len(self._seeds):
            raise ValueError(f"cells of shape {cells.shape} for {len(self._seeds)} runs")
        index, found = self._index.find(cells.keys)
        repeat = self._repeats(query, cells.shape[1])
        first = self._shown_before(suggestion.measured_before, repeat)
        num_repeats = self._validation.shape[1]
        repeat = np.where(repeat == first, (first + 1) % num_repeats, repeat)
        first = np.where(first < 0, repeat, first)
        seen = 0.5 * (self._validation[index, first] + self._validation[index, repeat])
        accuracy = np.where(found, seen, np.nan)
        feasible = ~np.isnan(accuracy)
        test = 0.5 * (self._test[index, first] + self._test[index, repeat])
        return core.Evaluation(
            cells=cells,
            feasible=feasible,
            validation_accuracy=accuracy,
            test_accuracy=np.where(feasible, test, np.nan),
            cost_sec=np.where(found, self._cost[index, repeat], 0.0),
            reason=np.where(feasible, "", np.where(found, NOT_MEASURED, NOT_IN_TABLE)),
        )

    def _shown_before(self, before: np.ndarray | None, repeat: np.ndarray) -> np.ndarray:
        """Returns the repeats shown in earlier queries, int64 [R, B]; -1 where there is none.

        Args:
            before: numbers of these queries, int64 [R, B], or -1; None: nowhere.
            repeat: what to return the shape of.
        """
        shown = np.full(repeat.shape, -1)
        if before is not None:
            for number in np.unique(before[before >= 0]).tolist():
                run, column = np.nonzero(before == number)
                shown[run, column] = self._repeats(number, 1)[run, 0]
        return shown

    def _repeats(self, query: int, batch: int) -> np.ndarray:
        """Returns the repeat shown to every query, int64 [R, batch]."""
        repeats = self._validation.shape[1]
        if repeats == 1:
            return np.zeros((len(self._seeds), batch), np.int64)
        columns = [self._repeat_column(query + b, repeats) for b in range(batch)]
        return np.stack(columns, axis=1)

    def _repeat_column(self, query: int, repeats: int) -> np.ndarray:
        """Returns int64 [R]; the draws of a block of queries are kept until another is needed."""
        block, offset = divmod(query, _DRAWS)
        if self._draws is None or self._draws[0] != block:
            draws = [_draw(seed, block, repeats) for seed in self._seeds]
            self._draws = block, np.stack(draws)
        return self._draws[1][:, offset]


def _draw(seed: int, block: int, repeats: int) -> np.ndarray:
    return core.generator(seed, core.Stream.REPEATS, block).integers(repeats, size=_DRAWS)


class MultiBudgetEvaluator(core.Evaluator):
    """Looks cells up at the epochs that a suggestion asks for."""

    def __init__(self, epochs: Sequence[int], at: Callable[[int], TabularEvaluator]):
        """Args of a table with several training budgets.

        Args:
            epochs: the budgets; the longest is the full one.
            at: epochs -> evaluator of that budget; called when it is first asked for.
        """
        self._epochs = tuple(sorted(epochs))
        self._at = functools.cache(at)

    def check_budget(self, budget: Budget) -> None:
        """Raises ConfigError for a budget in seconds where no full training costs any."""
        self._at(self._epochs[-1]).check_budget(budget)

    def evaluate(self, suggestion: core.Suggestion, query: int) -> core.Evaluation:
        """Measures cells [R, B] at `suggestion.epochs`; None is the full number.

        Raises:
            core.ConfigError: the table has no such epochs.
        """
        full = self._epochs[-1]
        epochs = full if suggestion.epochs is None else suggestion.epochs
        if epochs not in self._epochs:
            choices = ", ".join(map(str, self._epochs))
            raise core.ConfigError(f"epochs={epochs}: the table has {choices}")
        evaluation = self._at(epochs).evaluate(suggestion, query)
        return dataclasses.replace(evaluation, full_budget=epochs == full)


def from_nasbench101(
    table: nasbench101.NasBench101Table,
    *,
    seeds: Sequence[int],
    validation: str = "random",
    epochs: int | None = None,
) -> TabularEvaluator:
    """Opens one training budget of a NAS-Bench-101 table.

    Args:
        table: the table; all of its cells can be queried.
        seeds: R seeds of the runs.
        validation: see `TabularEvaluator`.
        epochs: one of `table.epochs`; None is the longest.

    Raises:
        core.ConfigError: the table has no such `epochs`.
    """
    budget = table.budget(epochs)
    return TabularEvaluator(
        table.keys,
        table.validation_accuracy[:, budget, :, _FINAL],
        test_accuracy=table.test_accuracy[:, budget, :, _FINAL].mean(axis=1, dtype=np.float64),
        cost_sec=table.training_time_sec[:, budget, :, _FINAL],
        seeds=seeds,
        validation=validation,
        epochs=table.epochs[budget],
    )


def from_nasbench201(
    table: nasbench201.NasBench201Table,
    dataset: str,
    *,
    seeds: Sequence[int],
    epochs: int | None = None,
) -> TabularEvaluator:
    """Opens one data set of a NAS-Bench-201 table; see `nasbench201.Protocol`.

    A search sees means over trials, so that nothing is drawn; a query costs 0 s where the table
    has no training times.

    Args:
        table: the table; all of its cells can be queried.
        dataset: one of `table.datasets`.
        seeds: R seeds of the runs.
        epochs: of training behind what a search sees; the protocol's when None.

    Raises:
        core.ConfigError: the table has no such data set.
        core.DataError: the table lacks a column that the protocol needs.
    """
    protocol = table.protocol(dataset, epochs)
    return TabularEvaluator(
        table.keys,
        protocol.search_validation_accuracy[:, None],
        test_accuracy=protocol.test_accuracy,
        cost_sec=protocol.query_cost_sec()[:, None],
        seeds=seeds,
        validation="mean",
        epochs=protocol.search_epochs,
    )


def from_measured(
    table: measured_table.MeasuredTable,
    *,
    seeds: Sequence[int],
    validation: str = "random",
    epochs: int | None = None,
) -> TabularEvaluator:
    """Opens one training budget of a table of measured cells.

    Test accuracy is NaN and a query costs 0 s where the table does not have these.

    Args:
        table: the table; all of its cells can be queried.
        seeds: R seeds of the runs.
        validation: see `TabularEvaluator`.
        epochs: one of `table.epochs`; None is the longest.

    Raises:
        core.ConfigError: the table has no such `epochs`.
    """
    epochs = table.budget(epochs)
    accuracy, test = table.validation_accuracy(epochs), table.test_accuracy(epochs)
    cost_sec = table.training_time_sec(epochs)
    return TabularEvaluator(
        table.keys,
        accuracy,
        test_accuracy=np.full(len(accuracy), np.nan) if test is None else test,
        cost_sec=np.zeros(accuracy.shape) if cost_sec is None else cost_sec,
        seeds=seeds,
        validation=validation,
        epochs=epochs,
    )
