"""What measures the cells of a search: the recipe of a benchmark, and a benchmark that is open."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from nas_tf.config import Component
from nas_tf.core import ConfigError, Evaluator
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Benchmark:
    """What measures cells, whatever space they are of.

    Attributes:
        space: of the cells.
        name: of the table, or of what is trained.
        dataset: what networks are trained on: "cifar10", "digits" (the embedded table), "synthetic"
            (invented numbers) or "unknown".
        evaluator: seeds of the runs -> evaluator.
        epochs: training budgets that a search may ask for, ascending; the last is the full one,
            which makes an incumbent.
        report_epochs: training epochs behind the test accuracy.
        cells: [M], those measured; None where they cannot be listed.
        path: file it came from; "" without one.
        space_num_cells: how many the space has, where a table may have a part of them; None where
            it has them all, or they cannot be counted.
        validation_accuracy: float64 [M], mean of the repeats at the full budget; None without
            `cells`.
        validation: what of the repeats a search sees, "random" or "mean"; "single" where there is
            one training only.
        measures_again: a cell that is measured again is shown by another training.
        best_test_accuracy: the highest mean test accuracy there is; NaN where it is not known.
        best_validation_accuracy: the highest validation accuracy that a search can see; NaN where
            regret is of test accuracy, or it is not known.
        checksum: SHA-256 of the cells and of every number a search can see.
        table_checksum: SHA-256 of the cells and of what is seen and reported at the full budget,
            the same for every strategy.
        protocol: what a search sees and what is reported, in words; "" where the rest says it.
        reported_validation_accuracy: float64 [M], of the training budget that is reported where
            a search sees another; None where it sees that.
        several: opens it for a strategy that measures cells at several training budgets; None
            where it is open so.
        check_costs: raises ConfigError for a budget in seconds that it has no costs for.
    """

    space: SearchSpace
    name: str
    dataset: str
    evaluator: Callable[[Sequence[int]], Evaluator]
    epochs: tuple[int, ...]
    report_epochs: int
    cells: CellGraphs | None = None
    path: str = ""
    space_num_cells: int | None = None
    validation_accuracy: np.ndarray | None = None
    validation: str = "mean"
    measures_again: bool = False
    best_test_accuracy: float = math.nan
    best_validation_accuracy: float = math.nan
    checksum: str = ""
    table_checksum: str = ""
    protocol: str = ""
    reported_validation_accuracy: np.ndarray | None = None
    several: Callable[[], "Benchmark"] | None = None
    check_costs: Callable[[float | None], None] | None = None

    def __repr__(self) -> str:
        cells = "cells measured one by one" if self.cells is None else f"{len(self.cells):,} cells"
        return f"<{self.name}: {cells} of {self.space.title}, {self.dataset}>"

    def for_strategy(self, several_epochs: bool) -> "Benchmark":
        """Returns the benchmark as a strategy needs it."""
        return self.several() if several_epochs and self.several else self

    def limited(self, budget: Budget) -> Budget:
        """Returns the budget of every run, which ends at the latest with the last cell.

        Raises:
            ConfigError: there are not so many cells, or no costs for a budget in seconds.
        """
        if self.cells is not None:
            most = len(self.cells)
            if budget.num_queries is None:
                budget = dataclasses.replace(budget, num_queries=most)
            elif budget.num_queries > most:
                raise ConfigError(
                    f"num_queries={budget.num_queries}: {self.name} has only {most} cells"
                )
        if self.check_costs:
            self.check_costs(budget.cost_budget_sec)
        self.evaluator([0]).check_budget(budget)
        return budget


@dataclasses.dataclass(frozen=True)
class BenchmarkRecipe(Component):
    """Base of recipes, which say where a benchmark is and how it is read.

    Attributes:
        name: the word of `--benchmark`.
        spaces: names of the spaces whose cells it measures.
        chosen_by: settings whose flags choose it where `--benchmark` is left out; none chooses it
            where nothing chooses another of the same space.
        follows: it may follow from a space where nobody names it; what trains networks may not.
        parts: components that it is made of, by the names of its fields.
    """

    name: ClassVar[str] = ""
    spaces: ClassVar[tuple[str, ...]] = ()
    chosen_by: ClassVar[tuple[str, ...]] = ()
    follows: ClassVar[bool] = True
    parts: ClassVar[dict[str, type[Component]]] = {}
    read_by: ClassVar[str] = "benchmark"

    def table(self) -> Any:
        """Returns the table as it is, for who looks cells up and searches nothing."""
        raise NotImplementedError

    def dataset_of(self, table: Any) -> str:
        """Returns what the networks of `table()` were trained on, or "all" for several."""
        return table.dataset

    def open(self, space: SearchSpace) -> Benchmark:
        """Opens the benchmark.

        Raises:
            DataError: its file is missing or damaged.
            ConfigError: no file was given, or it has no such training budget or data set.
        """
        raise NotImplementedError
