"""Finished studies, read back from their output directories and put side by side.

Studies are comparable, and stand in one section, where they searched the same table by the same
protocol: space, table, data set, validation accuracy seen, and the kind of budget. Where budgets of
one kind differ, all are judged at the smallest: the longer traces hold what was reached by then.

Shapes: R runs, Q queries.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas_tf.analysis.curves import StudyCurves, study_curves
from nas_tf.analysis.notes import ReportNotes
from nas_tf.core import ConfigError, DataError, History
from nas_tf.storage import read_npz

Describe = Callable[[Mapping[str, Any]], ReportNotes]  # summary -> name and published numbers

_NUMBER, _OPTIONAL = (int, float), (int, float, type(None))
_SUMMARY = {
    "space": str,
    "table": str,
    "table_num_cells": int,
    "dataset": str,
    "strategy": str,
    "seed": int,
    "query_budget": (int, type(None)),
    "cost_budget_sec": _OPTIONAL,
    "validation": str,
    "num_runs": int,
    "num_queries": int,
    "num_queries_mean": _NUMBER,
    "incumbent": dict,
    "best_test_accuracy": _OPTIONAL,
    "evaluation_cost_sec_mean": _NUMBER,
    "wall_sec": _NUMBER,
    "versions": dict,
}
_TRACE = ("key", "validation_accuracy", "test_accuracy", "cost_sec")  # what curves are made of


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FinishedStudy:
    """A study whose job has ended.

    Attributes:
        directory: its output directory, as it was given.
        summary: its `summary.json`.
        curves: of its trace.
        flags: setting -> its line in `config.flags`, "--discount=0.8"; empty without that file.
        notes: its name and published numbers.
        label: its name; within a section, no other study has the same.
    """

    directory: Path
    summary: Mapping[str, Any]
    curves: StudyCurves
    flags: Mapping[str, str]
    notes: ReportNotes
    label: str

    @property
    def seeds(self) -> range:
        """Seeds of the runs; run r of a study is seeded with the study's seed + r."""
        return range(self.summary["seed"], self.summary["seed"] + self.curves.num_runs)


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
        studies: at least one, the highest mean test accuracy at the endpoint first.
        outcomes: of the studies, at the endpoint.
        endpoint: the smallest budget of any of them.
        same_budget: whether all of them had that budget.
    """

    studies: tuple[FinishedStudy, ...]
    outcomes: tuple[Outcome, ...]
    endpoint: Endpoint
    same_budget: bool

    @property
    def summary(self) -> Mapping[str, Any]:
        """The summary of one study, for what all have in common."""
        return self.studies[0].summary


def read_studies(
    inputs: Sequence[str | Path], describe: Describe = lambda summary: ReportNotes()
) -> tuple[FinishedStudy, ...]:
    """Reads finished studies.

    Args:
        inputs: output directories of search jobs, at least one.
        describe: gives a study's name and published numbers, from its summary.

    Returns:
        The studies in the order given.

    Raises:
        ConfigError: there is no input, one is given twice, or is not a finished study's directory.
        DataError: a file of a study is damaged.
    """
    if not inputs:
        raise ConfigError("--inputs: expected the directories of finished studies, got none")
    seen = {}
    for directory in map(Path, inputs):
        before = seen.setdefault(directory.resolve(), directory)
        if before is not directory:
            raise ConfigError(f"--inputs: {directory} is given twice (as {before}); leave one out")
    return tuple(_read_study(directory, describe) for directory in seen.values())


def sections(studies: Sequence[FinishedStudy]) -> tuple[Section, ...]:
    """Groups studies that are comparable, and names those of one section apart.

    A study is named after its strategy, with its directory where several have the same.

    Args:
        studies: at least one.

    Returns:
        The sections, in the order of their first studies.
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


def differing_flags(studies: Sequence[FinishedStudy]) -> list[str]:
    """Returns the settings in which studies differ, except where they wrote and how often.

    Studies without `config.flags` are passed over.
    """
    known = [study.flags for study in studies if study.flags]
    names = dict.fromkeys(name for flags in known for name in flags)
    return [
        name
        for name in names
        if name not in ("output_dir", "checkpoint_sec")
        and len({flags.get(name) for flags in known}) > 1
    ]


def mean_or_nan(values: np.ndarray) -> float:
    """Returns the mean of the values that are numbers; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


def _protocol(summary: Mapping[str, Any]) -> tuple:
    """Returns what comparable studies have in common."""
    names = ("space", "table", "table_num_cells", "dataset", "validation", "best_test_accuracy")
    limits = (summary[name] is None for name in ("query_budget", "cost_budget_sec"))
    return (*(summary[name] for name in names), summary.get("protocol", ""), *limits)


def _section(studies: list[FinishedStudy]) -> Section:
    budgets = [(s.summary["query_budget"], s.summary["cost_budget_sec"]) for s in studies]
    studies = distinct(studies)
    endpoint = Endpoint(*(None if None in limits else min(limits) for limits in zip(*budgets)))
    pairs = [(study, outcome(study.curves, endpoint)) for study in studies]
    pairs.sort(key=lambda pair: -np.nan_to_num(mean_or_nan(pair[1].test_accuracy), nan=-1.0))
    ranked, outcomes = zip(*pairs)
    return Section(ranked, outcomes, endpoint, same_budget=len(set(budgets)) == 1)


def distinct(studies: Sequence[FinishedStudy]) -> list[FinishedStudy]:
    """Returns the studies with labels of their own: where two are equal, with the directory's."""
    for rename in (_with_name, _with_path):
        clashes = Counter(study.label for study in studies)
        studies = [rename(study) if clashes[study.label] > 1 else study for study in studies]
    return list(studies)


def _with_name(study: FinishedStudy) -> FinishedStudy:
    name = study.directory.resolve().name
    return dataclasses.replace(study, label=f"{study.label} ({name})")


def _with_path(study: FinishedStudy) -> FinishedStudy:
    label = study.notes.strategy_label or study.summary["strategy"]
    return dataclasses.replace(study, label=f"{label} ({study.directory})")


def _read_study(directory: Path, describe: Describe) -> FinishedStudy:
    summary = _read_summary(directory)
    best = summary["best_test_accuracy"]
    history = _read_trace(directory / "trace.npz", summary)
    curves = study_curves(history, best_test_accuracy=np.nan if best is None else best)
    final = mean_or_nan(curves.test_accuracy[:, -1])
    stated = summary["incumbent"].get("test_accuracy_mean")
    if not np.isclose(final, np.nan if stated is None else stated, rtol=1e-9, equal_nan=True):
        raise DataError(
            f"{directory}: summary.json and trace.npz are of different studies (mean test accuracy "
            f"{stated} and {final}); run the study again"
        )
    notes = describe(summary)
    return FinishedStudy(
        directory=directory,
        summary=summary,
        curves=curves,
        flags=_read_flags(directory / "config.flags"),
        notes=notes,
        label=notes.strategy_label or summary["strategy"],
    )


def _read_summary(directory: Path) -> dict[str, Any]:
    """Reads `summary.json` and checks that it is a search's."""
    if not directory.is_dir():
        raise ConfigError(f"--inputs: {directory} is not a directory")
    path = directory / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(_unfinished(directory)) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise DataError(f"{path}: damaged ({error}); run the study again") from None
    if not isinstance(summary, dict):
        raise DataError(f"{path}: damaged (not a JSON object); run the study again")
    if summary.get("job") != "search":
        raise ConfigError(
            f"--inputs: {directory} holds a job of another kind (--job={summary.get('job')}); "
            "only studies (--job=search) can be compared"
        )
    for name, kinds in _SUMMARY.items():
        if name not in summary:
            raise DataError(f"{path}: damaged ({name} is missing); run the study again")
        if not isinstance(summary[name], kinds) or isinstance(summary[name], bool):
            raise DataError(f"{path}: damaged ({name} is {summary[name]!r}); run the study again")
    return summary


def _unfinished(directory: Path) -> str:
    """Returns what to say of a directory without a summary."""
    if (directory / "config.flags").exists():
        return (
            f"--inputs: {directory} holds an unfinished job (no summary.json): finish it with "
            f"--flagfile={directory / 'config.flags'}, or leave it out"
        )
    return f"--inputs: {directory} holds no study (no summary.json)"


def _read_trace(path: Path, summary: Mapping[str, Any]) -> History:
    """Reads `trace.npz` and checks it against the summary.

    Raises:
        DataError: it is missing, damaged, of another shape, or holds what cannot be.
    """
    arrays = read_npz(path)
    shape = (summary["num_runs"], summary["num_queries"])
    for name in _TRACE:
        if name not in arrays:
            raise DataError(f"{path}: damaged (no array {name!r}); run the study again")
        if arrays[name].shape != shape or arrays[name].dtype.kind not in "uifb":
            raise DataError(
                f"{path}: {name} is {arrays[name].dtype} {list(arrays[name].shape)}, but "
                f"summary.json says {shape[0]} runs of {shape[1]} queries; run the study again"
            )
    for name in ("validation_accuracy", "test_accuracy"):
        if np.any((arrays[name] < 0) | (arrays[name] > 1)):
            raise DataError(f"{path}: {name} is not in [0, 1] throughout; run the study again")
    if not np.all(np.isfinite(arrays["cost_sec"]) & (arrays["cost_sec"] >= 0)):
        raise DataError(f"{path}: cost_sec is not from 0 up throughout; run the study again")
    return History(**{name: arrays[name] for name in _TRACE})


def _read_flags(path: Path) -> dict[str, str]:
    """Returns setting -> line of a `config.flags`; nothing where there is none."""
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    lines = [line.strip() for line in lines if line.startswith("--")]
    return {_setting(line): line for line in lines}


def _setting(line: str) -> str:
    """Returns a flag's name, "discount" or "standardize"; no switch's own name begins with "no"."""
    name, equals, _ = line.removeprefix("--").partition("=")
    return name if equals else name.removeprefix("no")
