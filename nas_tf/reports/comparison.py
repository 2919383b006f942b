"""Finished studies, put side by side.

Studies are comparable, and stand in one section, where they searched the same table by the same
protocol: space, table (by its content), data set, training epochs, validation accuracy seen, and
the kind of budget. Where budgets of one kind differ, all are judged at the smallest: the longer
traces hold what was reached by then.

Searches in an embedding differ by the pre-trained model as much as by the runs: studies that differ
in it alone are joined into one, which keeps the deviation between models beside that between runs.

Shapes: R runs, Q queries.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nas_tf.analysis.contrasts import Contrast, contrasts
from nas_tf.analysis.curves import StudyCurves
from nas_tf.analysis.spread import spread
from nas_tf.config import SettingError
from nas_tf.reports.finished_study import FinishedStudy, distinct
from nas_tf.reports.notes import Published
from nas_tf.reports.wording import count

PROTOCOL = ("space", "table", "dataset", "search_epochs", "report_epochs", "validation",
            "best_test_accuracy")  # fmt: skip
OUTCOME = ("validation_accuracy", "test_accuracy", "test_regret", "validation_regret")

_WHICH = ("weights", "pretrain_seed")  # of a model; the rest says of which kind it is


class Endpoint(NamedTuple):
    """The budget of each run after which studies are compared, see `evaluators.budget`.

    Attributes:
        queries: None where only cost counts.
        cost_sec: the query that reaches it still counts; None where only queries count.
    """

    queries: int | None
    cost_sec: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class Section:
    """Studies that can stand in one table.

    Attributes:
        studies: at least one, the highest mean accuracy (`accuracy`) at the endpoint first; those
            that differ in the pre-trained model alone are one.
        outcomes: of the studies, at the endpoint, see `outcome`.
        endpoint: the smallest budget of any of them.
        same_budget: whether all of them had that budget.
        reference: index of the study the others are compared with.
        contrasts: with the reference, one a study, see `analysis.contrasts`.
    """

    studies: tuple[FinishedStudy, ...]
    outcomes: tuple[dict[str, np.ndarray], ...]
    endpoint: Endpoint
    same_budget: bool
    reference: int
    contrasts: tuple[Contrast | None, ...]

    @property
    def parts(self) -> tuple[FinishedStudy, ...]:
        """The studies as they were left, each with a label of its own."""
        return tuple(part for study in self.studies for part in study.parts)

    @property
    def accuracy(self) -> str:
        """What studies are judged by: "test_accuracy", or "validation_accuracy" without any."""
        return _judged_by(self.studies)

    @property
    def tested(self) -> bool:
        """Whether there is a test accuracy."""
        return self.accuracy == "test_accuracy"

    @property
    def summary(self) -> Mapping[str, Any]:
        """The summary of one study, for what all have in common."""
        return self.studies[0].summary

    def published(self, study: FinishedStudy) -> Published | None:
        """Returns what was published of a study's strategy by this protocol and budget, if any."""
        return study.notes.after(study.summary, *self.endpoint)


def sections(
    studies: Sequence[FinishedStudy], reference: str | Path | None = None
) -> tuple[Section, ...]:
    """Groups studies that are comparable, in the order of the first of each section.

    A study is named after its strategy, with its directory where several have the same.

    Args:
        studies: at least one.
        reference: directory of the study the others are compared with; the first, which is the
            best, where there is none or it is in another section.

    Raises:
        SettingError: two studies are the same runs of one model.
    """
    groups = {}
    for study in studies:
        groups.setdefault(_protocol(study.summary), []).append(study)
    return tuple(_section(group, reference) for group in groups.values())


def outcome(curves: StudyCurves, endpoint: Endpoint) -> dict[str, np.ndarray]:
    """Returns the incumbents of every run at an endpoint.

    Args:
        curves: of a study.
        endpoint: a budget not above the study's own.

    Returns:
        `OUTCOME` -> float64 [R], fractions; NaN where there is none, a regret also where the
        table's best test accuracy is unknown.
    """
    made = curves.num_queries if endpoint.queries is None else endpoint.queries
    last = np.full(curves.num_runs, min(made, curves.num_queries) - 1)
    if endpoint.cost_sec is not None:
        reached = np.sum(curves.elapsed_sec < endpoint.cost_sec, axis=1)  # the next query is last
        last = np.minimum(last, reached)
    return {name: getattr(curves, name)[np.arange(curves.num_runs), last] for name in OUTCOME}


def _protocol(summary: Mapping[str, Any]) -> tuple:
    """Returns what comparable studies have in common."""
    table = summary.get("table_checksum") or summary["table"]
    names = ("table_num_cells", *(name for name in PROTOCOL if name != "table"))
    limits = (summary[name] is None for name in ("query_budget", "cost_budget_sec"))
    return (table, *(summary[name] for name in names), summary.get("protocol", ""), *limits)


def _section(studies: list[FinishedStudy], reference: str | Path | None) -> Section:
    budgets = [(s.summary["query_budget"], s.summary["cost_budget_sec"]) for s in studies]
    endpoint = Endpoint(*(None if None in limits else min(limits) for limits in zip(*budgets)))
    pairs = [(study, outcome(study.curves, endpoint)) for study in distinct(_join(studies))]
    accuracy = _judged_by(studies)
    means = [spread(found[accuracy]).mean for _, found in pairs]
    order = np.argsort(-np.nan_to_num(means, nan=-1.0), kind="stable")
    ranked, outcomes = zip(*(pairs[index] for index in order))
    wanted = None if reference is None else Path(reference).resolve()
    own = [{part.directory.resolve() for part in study.parts} for study in ranked]
    index = next((number for number, found in enumerate(own) if wanted in found), 0)
    compared = contrasts(
        [found[accuracy] for found in outcomes],
        index,
        [study.seeds for study in ranked],
        [study.run_models for study in ranked],
    )
    same = len(set(budgets)) == 1
    return Section(ranked, outcomes, endpoint, same, index, tuple(compared))


def _judged_by(studies: Sequence[FinishedStudy]) -> str:
    """Returns the accuracy that studies of one table are judged by."""
    names = [study.curves.accuracy for study in studies]
    return "test_accuracy" if "test_accuracy" in names else "validation_accuracy"


def _join(studies: Sequence[FinishedStudy]) -> list[FinishedStudy]:
    """Joins studies that differ in the pre-trained model alone, at the position of their first."""
    groups = {}
    for number, study in enumerate(distinct(studies)):
        groups.setdefault(_kind(study) or number, []).append(study)
    return [_joined(group) if len(group) > 1 else group[0] for group in groups.values()]


def _kind(study: FinishedStudy) -> tuple | None:
    """Returns what studies have in common but for the model; None where it cannot be known.

    The seeds of the runs belong to it: else what differs between models would be the runs as well.
    """
    model = study.summary["model"]
    if not model or model.get("settings") is None or "changed_settings" not in study.summary:
        return None
    changed = sorted(line for name, line in study.changed.items() if name != "pretrain_seed")
    made = sorted((name, repr(value)) for name, value in model.items() if name not in _WHICH)
    return study.summary["strategy"], study.seeds, tuple(changed), tuple(made)


def _joined(studies: Sequence[FinishedStudy]) -> FinishedStudy:
    """Returns studies of one kind as one; those of the same model would be the same runs."""
    seen = {}
    for study in studies:
        before = seen.setdefault(study.models, study)
        if before is not study:
            raise SettingError(
                None, "inputs", study.directory,
                f"other runs than those of {before.directory}: both have the same model and seed "
                f"({study.seeds[0]}) and would count twice",
            )
    first, curves = studies[0], _all_runs([study.curves for study in studies])
    name = first.notes.strategy_label or first.summary["strategy"]
    label = f"{name}, {count(len(studies), 'model')}"
    return dataclasses.replace(first, curves=curves, members=tuple(studies), label=label)


def _all_runs(curves: Sequence[StudyCurves]) -> StudyCurves:
    """Returns the runs of all studies; those of a shorter one keep their last incumbent."""
    longest = max(one.num_queries for one in curves)

    def together(name: str) -> np.ndarray:
        rows = (getattr(one, name) for one in curves)
        padded = (np.pad(r, ((0, 0), (0, longest - r.shape[1])), mode="edge") for r in rows)
        return np.concatenate(list(padded))

    names = ("validation_accuracy", "test_accuracy", "test_regret", "elapsed_sec")
    return dataclasses.replace(curves[0], **{name: together(name) for name in names})
