"""Finished studies, put side by side.

Studies are comparable, and stand in one section, where they searched the same table by the same
protocol: space, table (by its content), data set, training epochs, validation accuracy seen, and the
kind of budget. Where budgets of one kind differ, all are judged at the smallest: the longer traces
hold what was reached by then.

Shapes: R runs, Q queries.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf.analysis.comparison_models import join_models
from nas_tf.analysis.curves import StudyCurves
from nas_tf.analysis.finished_study import FinishedStudy, distinct
from nas_tf.analysis.spread import spread


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where studies are compared: after a budget, as `evaluators.budget` understands it.

    Attributes:
        queries: of each run; None where only cost counts.
        cost_sec: of each run's evaluations: the query that reaches it still counts; None where only
            queries count.
    """

    queries: int | None
    cost_sec: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class Outcome:
    """The incumbents of a study's runs at an endpoint; float64 [R] each, NaN where there is none.

    Attributes:
        validation_accuracy: in [0, 1].
        test_accuracy: in [0, 1].
        test_regret: NaN also where the table's best test accuracy is unknown.
    """

    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    test_regret: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Section:
    """Studies that can stand in one table.

    Attributes:
        studies: at least one, the highest mean test accuracy at the endpoint first; those that
            differ in the pre-trained model alone are one.
        outcomes: of the studies, at the endpoint.
        endpoint: the smallest budget of any of them.
        same_budget: whether all of them had that budget.
    """

    studies: tuple[FinishedStudy, ...]
    outcomes: tuple[Outcome, ...]
    endpoint: Endpoint
    same_budget: bool

    @property
    def parts(self) -> tuple[FinishedStudy, ...]:
        """The studies as they were left, each with a label of its own."""
        return tuple(part for study in self.studies for part in study.parts)

    @property
    def summary(self) -> Mapping[str, Any]:
        """The summary of one study, for what all have in common."""
        return self.studies[0].summary


def sections(studies: Sequence[FinishedStudy]) -> tuple[Section, ...]:
    """Groups studies that are comparable, and names those of one section apart.

    A study is named after its strategy, with its directory where several have the same. Studies
    that differ in the pre-trained model alone are joined, see `comparison_models`.

    Args:
        studies: at least one.

    Returns:
        The sections, in the order of their first studies.

    Raises:
        ConfigError: two studies are the same runs of one model.
    """
    groups = {}
    for study in studies:
        groups.setdefault(_protocol(study.summary), []).append(study)
    return tuple(map(_section, groups.values()))


def outcome(curves: StudyCurves, endpoint: Endpoint) -> Outcome:
    """Returns the incumbents of a study when a budget is spent.

    Args:
        curves: of the study.
        endpoint: a budget not above the study's own.
    """
    made = curves.num_queries if endpoint.queries is None else endpoint.queries
    last = np.full(curves.num_runs, min(made, curves.num_queries) - 1)
    if endpoint.cost_sec is not None:
        reached = np.sum(curves.elapsed_sec < endpoint.cost_sec, axis=1)  # the next query is last
        last = np.minimum(last, reached)
    runs = np.arange(curves.num_runs)
    return Outcome(
        validation_accuracy=curves.validation_accuracy[runs, last],
        test_accuracy=curves.test_accuracy[runs, last],
        test_regret=curves.test_regret[runs, last],
    )


def mean_or_nan(values: np.ndarray) -> float:
    """Returns the mean of the values that are numbers; NaN if there are none."""
    return float(spread(values).mean)


def _protocol(summary: Mapping[str, Any]) -> tuple:
    """Returns what comparable studies have in common."""
    names = ("space", "table_num_cells", "dataset", "search_epochs", "report_epochs", "validation",
             "best_test_accuracy")
    table = summary.get("table_checksum") or summary["table"]
    limits = (summary[name] is None for name in ("query_budget", "cost_budget_sec"))
    return (table, *(summary[name] for name in names), summary.get("protocol", ""), *limits)


def _section(studies: list[FinishedStudy]) -> Section:
    budgets = [(s.summary["query_budget"], s.summary["cost_budget_sec"]) for s in studies]
    endpoint = Endpoint(*(None if None in limits else min(limits) for limits in zip(*budgets)))
    joined = distinct(join_models(distinct(studies)))
    pairs = [(study, outcome(study.curves, endpoint)) for study in joined]
    pairs.sort(key=lambda pair: -np.nan_to_num(mean_or_nan(pair[1].test_accuracy), nan=-1.0))
    ranked, outcomes = zip(*pairs)
    return Section(ranked, outcomes, endpoint, same_budget=len(set(budgets)) == 1)
