"""The books of a search: every query of every run, and what they come to.

Shapes: R runs, B suggestions a round, Q queries a run.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from nas_tf import core
from nas_tf.graphs import CellGraphs


class Budget(Protocol):
    """What each run may spend; `evaluators.budget.Budget` is one."""

    num_queries: int | None

    def active(self, num_queries: int, cost_sec: np.ndarray) -> np.ndarray:
        """Returns bool [R]: the run may make another query."""

    def batch_size(self, num_queries: int, suggested: int) -> int:
        """Returns how many of `suggested` cells a run may still query."""


class Record:
    """The books of a search.

    Attributes:
        columns: arrays [R], one a query, for every array of the history.
        search_sec: wall-clock seconds spent so far.
        settled: the strategy has learned from these queries, no more and no fewer.
    """

    def __init__(self, num_runs: int, keep_cells: bool = False):
        """Opens the books of `num_runs` runs; `keep_cells`: the cells themselves are history."""
        self.columns = {name: [] for name in core.HISTORY_COLUMNS}
        self._cells: list[CellGraphs] | None = [] if keep_cells else None  # [R, B] each
        self.search_sec = 0.0
        self.settled = True
        self._spent_sec = np.zeros(num_runs)
        self._best_validation = np.full(num_runs, -np.inf)
        self._best_test = np.full(num_runs, np.nan)
        self._best_key = np.zeros(num_runs, np.uint64)

    @property
    def num_queries(self) -> int:
        """Queries made by each run."""
        return len(self.columns["key"])

    def active(self, budget: Budget) -> np.ndarray:
        """Returns bool [R]: the run may make another query."""
        return budget.active(self.num_queries, self._spent_sec)

    def add(self, evaluation: core.Evaluation, budget: Budget) -> None:
        """Appends the answers [R, B] of every run up to the one that spends its budget.

        Accuracies at fewer than the full epochs are the strategy's affair: they are not recorded,
        so that they are nobody's incumbent. Their cost is.
        """
        before = self.num_queries
        for key, validation, test, cost in zip(
            evaluation.cells.keys.T,
            evaluation.validation_accuracy.T,
            evaluation.test_accuracy.T,
            evaluation.cost_sec.T,
        ):
            active = self.active(budget)
            if not active.any():
                break
            counts = active & evaluation.full_budget
            self.add_column(
                key=np.where(active, key, np.uint64(0)),
                validation_accuracy=np.where(counts, validation, np.nan),
                test_accuracy=np.where(counts, test, np.nan),
                cost_sec=np.where(active, cost, 0.0),
                partial=active & (not evaluation.full_budget),
            )
        if self._cells is not None:
            self._cells.append(evaluation.cells[:, : self.num_queries - before])

    def restore(self, history: Mapping[str, np.ndarray], search_sec: float) -> None:
        """Goes on from `core.History.arrays` of an earlier one."""
        columns = [list(history[name].T) for name in self.columns]
        for values in zip(*columns, strict=True):
            self.add_column(**dict(zip(self.columns, values)))
        cells = core.History.from_arrays(history).cells
        if self._cells is not None and cells is not None:
            self._cells = [cells]
        self.search_sec = search_sec

    def history(self) -> core.History:
        """Returns every query, [R, Q]."""
        columns = {name: np.stack(c, axis=1) for name, c in self.columns.items()}
        return core.History(**columns, cells=_beside(self._cells) if self._cells else None)

    def summary(self) -> dict[str, float]:
        """Returns means over the runs, or over those that have the number in question."""
        return {
            "incumbent_validation_accuracy": _mean(self._best_validation),
            "incumbent_test_accuracy": _mean(self._best_test),
            "validation_accuracy": _mean(self.columns["validation_accuracy"][-1]),
            "cost_sec": _mean(self._spent_sec),
        }

    def add_column(self, **column: np.ndarray) -> None:
        """Appends one query of every run, arrays [R] by the names of `core.HISTORY_COLUMNS`."""
        for name, values in column.items():
            self.columns[name].append(values)
        measured = ~np.isnan(column["validation_accuracy"])
        better = column["validation_accuracy"] > self._best_validation
        self._take_incumbents(np.flatnonzero(better), column)
        again = measured & ~better & (column["key"] == self._best_key)
        self._find_incumbents(np.flatnonzero(again))
        self._spent_sec = self._spent_sec + column["cost_sec"]

    def _take_incumbents(self, runs: np.ndarray, column: Mapping[str, np.ndarray]) -> None:
        """Notes one query, arrays [R] by name, as the incumbents of runs, int [K]."""
        self._best_validation[runs] = column["validation_accuracy"][runs]
        self._best_test[runs] = column["test_accuracy"][runs]
        self._best_key[runs] = column["key"][runs]

    def _find_incumbents(self, runs: np.ndarray) -> None:
        """Looks for the incumbents of runs, int [K], that measured theirs again, and no better."""
        if not len(runs):
            return
        columns = {
            name: np.stack([values[runs] for values in queries], axis=1)
            for name, queries in self.columns.items()
        }
        last = core.History(**columns).incumbent()[:, -1]
        for place, run in enumerate(runs.tolist()):
            shown = {name: values[place, last[place]] for name, values in columns.items()}
            self._best_validation[run] = shown["validation_accuracy"]
            self._best_test[run], self._best_key[run] = shown["test_accuracy"], shown["key"]


def _beside(batches: Sequence[CellGraphs]) -> CellGraphs:
    """Returns batches [R, B] side by side, [R, Q]."""
    names = ("adjacency", "ops", "num_nodes")
    parts = (np.concatenate([getattr(b, name) for b in batches], axis=1) for name in names)
    return CellGraphs(*parts).with_keys(np.concatenate([b.keys for b in batches], axis=1))


def _mean(values: np.ndarray) -> float:
    """Averages the finite values; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
