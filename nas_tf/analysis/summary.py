"""`summary.json` of a job: what was run and what came out, as plain numbers under stable names.

Scripts depend on the names; they are added to, never changed. Accuracies are fractions in [0, 1].
Standard deviations are the sample's over runs (n - 1), None for one run.
"""

import dataclasses
import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np

from nas_tf.analysis.curves import Band, StudyCurves, band, query_counts, study_curves
from nas_tf.analysis.measures import LOOSE, STRICT
from nas_tf.analysis.spread import spread
from nas_tf.core import DataError, History
from nas_tf.graphs import KEYS_VERSION, CellGraphs, find

LIBRARIES = (
    "nas_tf", "tensorflow", "keras", "numpy", "spektral", "tensorflow-probability", "keras-tuner"
)
_QUALITY = (
    "reconstruction_accuracy", "validity", "uniqueness", "num_cells", "graphs_per_sec", "epochs"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyDescription:
    """What was run.

    Attributes:
        space: name of the search space.
        table: name of the benchmark table.
        table_path: the file the table came from.
        table_num_cells: how many cells it holds.
        table_checksum: SHA-256 of its content; tables of one content are one, whatever their names.
        dataset: what its networks were trained on.
        strategy: name of the search strategy.
        seed: of the study.
        query_budget: the budget of a run in queries; None where only cost limits it.
        cost_budget_sec: the budget of a run in seconds of evaluation cost; None where only queries
            limit it.
        validation: the validation accuracy a search saw: "random" (one repeat) or "mean" (of them).
        epochs: training budgets that cells could be measured at, ascending; at least one.
        search_epochs: training epochs behind the validation accuracy that makes an incumbent.
        report_epochs: training epochs behind the test accuracy that is reported.
        protocol: what a search saw and what is reported, in words, where a benchmark has its own.
        model: the pre-trained model: `pretrain_seed`, `weights` (SHA-256), `num_cells`, `epochs` and
            `settings` of its pre-training; None where none was used.
        settings: every value that decides the result, by the name of its flag; no paths.
        changed_settings: those that are not as they are by default, as a flagfile has them.
        job: name of the job.
    """

    space: str
    table: str
    table_path: str
    table_num_cells: int
    dataset: str
    strategy: str
    seed: int
    query_budget: int | None
    epochs: list[int]
    search_epochs: int
    report_epochs: int
    cost_budget_sec: float | None = None
    validation: str = "random"
    protocol: str = ""
    table_checksum: str = ""
    model: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    changed_settings: list[str] = dataclasses.field(default_factory=list)
    job: str = "search"


def search_summary(
    description: StudyDescription,
    history: History,
    *,
    best_test_accuracy: float,
    wall_sec: float,
    versions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns the summary of a search.

    Args:
        description: what was run.
        history: every query, [R, Q].
        best_test_accuracy: the table's best mean test accuracy.
        wall_sec: seconds since the job was last started.
        versions: library -> version; those installed by default.

    Returns:
        A dict for JSON. `incumbent` and each entry of `curve` (by number of queries, a string) hold
        `validation_accuracy_mean`, `validation_accuracy_std`, `test_accuracy_mean`,
        `test_accuracy_std` and `test_regret_mean`: None where no run has a feasible cell, a
        deviation also where only one has.
        `evaluation_cost_sec_mean` is what one run's evaluations cost, a mean over runs.
        `num_queries` is the number made by the longest run.

    Raises:
        DataError: the history's arrays do not fit each other.
    """
    curves = study_curves(history, best_test_accuracy=best_test_accuracy)
    points = curve_points(curves)
    runs, queries = np.shape(history.key)
    made = _queries_made(history)
    return {
        **dataclasses.asdict(description),
        "keys_version": KEYS_VERSION,
        "num_runs": runs,
        "num_queries": queries,
        "num_queries_mean": float(made.mean()),
        "incumbent": points[str(queries)],
        "curve": points,
        "best_test_accuracy": _number(best_test_accuracy),
        "evaluation_cost_sec_mean": float(curves.elapsed_sec[:, -1].mean()),
        "infeasible_fraction": _infeasible_fraction(history, made),
        "wall_sec": float(wall_sec),
        "versions": dict(versions or library_versions()),
    }


def reported_validation(
    history: History, cells: CellGraphs, accuracy: np.ndarray
) -> dict[str, float | None]:
    """Returns how good the last incumbents are by another validation accuracy than was searched.

    Args:
        history: every query, [R, Q].
        cells: batch [M] that holds every cell queried.
        accuracy: float64 [M] in [0, 1].

    Returns:
        `reported_validation_accuracy_mean` and `reported_validation_accuracy_std` over the runs
        with an incumbent; None where no run has one, the deviation also where one run has.
    """
    runs, last = np.arange(len(history.key)), history.incumbent()[:, -1]
    keys = history.key[runs, last][~np.isnan(history.validation_accuracy[runs, last])]
    found = spread(accuracy[find(keys, cells.keys)[0]])
    return {
        "reported_validation_accuracy_mean": _number(found.mean),
        "reported_validation_accuracy_std": _number(found.std),
    }


def pretrain_summary(
    quality: Mapping[str, float],
    *,
    space: str,
    seed: int,
    wall_sec: float,
    table: Mapping[str, Any] | None,
    versions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns the summary of a pre-training job.

    Args:
        quality: `reconstruction_accuracy`, `validity`, `uniqueness` (fractions), `num_cells`,
            `graphs_per_sec`, `epochs`, and whatever else was measured.
        space: name of the search space.
        seed: of the job.
        wall_sec: seconds since the job was last started.
        table: `name`, `path` and `num_cells` of the table whose cells were trained on; None where
            they were the whole space.
        versions: library -> version; those installed by default.

    Returns:
        A dict for JSON; `table`, `table_path` and `table_num_cells` are None for the whole space.
        `loose_measures` and `strict_measures` name which numbers count as which, see `measures`.

    Raises:
        DataError: one of the six is missing.
    """
    missing = [name for name in _QUALITY if name not in quality]
    if missing:
        raise DataError(f"pre-training summary: {missing[0]!r} is missing among {sorted(quality)}")
    plain = {name: _number(value) for name, value in quality.items()}
    return {
        "job": "pretrain",
        "space": space,
        "table": None if table is None else table["name"],
        "table_path": None if table is None else table["path"],
        "table_num_cells": None if table is None else int(table["num_cells"]),
        **plain,
        "loose_measures": list(LOOSE),
        "strict_measures": list(STRICT),
        "seed": int(seed),
        "wall_sec": float(wall_sec),
        "versions": dict(versions or library_versions()),
    }


def curve_points(curves: StudyCurves) -> dict[str, dict[str, float | None]]:
    """Returns the means over runs at each reported number of queries.

    Args:
        curves: of a study.

    Returns:
        "1", "2", "5", ... -> the incumbent's means and standard deviations after so many queries.
    """
    counts = query_counts(curves.num_queries)
    columns = counts - 1
    validation, test, regret = (
        band(values[:, columns])
        for values in (curves.validation_accuracy, curves.test_accuracy, curves.test_regret)
    )
    return {str(n): _point(validation, test, regret, i) for i, n in enumerate(counts)}


def library_versions() -> dict[str, str]:
    """Returns the versions of Python and of those `LIBRARIES` that are installed."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _point(validation: Band, test: Band, regret: Band, index: int) -> dict[str, float | None]:
    return {
        "validation_accuracy_mean": _number(validation.mean[index]),
        "validation_accuracy_std": _number(validation.std[index]),
        "test_accuracy_mean": _number(test.mean[index]),
        "test_accuracy_std": _number(test.std[index]),
        "test_regret_mean": _number(regret.mean[index]),
    }


def _number(value: Any) -> Any:
    """Returns a plain int, float or None (for what is not finite); other values as they are."""
    if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _queries_made(history: History) -> np.ndarray:
    """Returns how many queries each run made, int64 [R]; keys are 0 after a run's end."""
    return np.count_nonzero(history.key, axis=1)


def _infeasible_fraction(history: History, made: np.ndarray) -> float | None:
    asked = np.arange(history.key.shape[1]) < made[:, None]
    infeasible = np.isnan(history.validation_accuracy) & asked & ~history.partial
    return float(infeasible.sum() / asked.sum()) if asked.any() else None
