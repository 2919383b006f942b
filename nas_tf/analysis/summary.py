"""`summary.json` of a job: what was run and what came out, as plain numbers under stable names.

Scripts depend on the names; they are added to, never changed. Accuracies are fractions in [0, 1].
Standard deviations are the sample's over runs (n - 1), None for one run. `schema` is `SCHEMA`; a
summary without it is of schema 1.
"""

import contextlib
import dataclasses
import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np

from nas_tf.analysis.curves import StudyCurves, query_counts, study_curves
from nas_tf.analysis.measures import LOOSE, STRICT
from nas_tf.analysis.spread import spread
from nas_tf.core import DataError, History
from nas_tf.graphs import KEYS_VERSION, CellGraphs, find

SCHEMA = 1  # of `summary.json`: counted up where a name changes its meaning
NO_TEST_ACCURACY = "this table has no test accuracy"
NO_TIMES = "this table has no training times"
LIBRARIES = (
    "nas_tf", "tensorflow", "keras", "numpy", "spektral", "tensorflow-probability", "keras-tuner"
)
_QUALITY = (
    "reconstruction_accuracy", "validity", "uniqueness", "num_cells", "graphs_per_sec", "epochs"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyDescription:
    """What was run."""

    space: str
    table: str  # name of the benchmark table
    table_path: str  # the file it came from
    table_num_cells: int
    dataset: str  # what the table's networks were trained on
    strategy: str
    seed: int
    query_budget: int | None  # of a run; None where only cost limits it
    epochs: list[int]  # training budgets that cells could be measured at, ascending
    search_epochs: int  # behind the validation accuracy that makes an incumbent
    report_epochs: int  # behind the test accuracy that is reported
    cost_budget_sec: float | None = None  # of a run; None where only queries limit it
    space_num_cells: int | None = None  # where the table may have a part of the space's cells
    measures_again: bool = False  # by another training
    validation: str = "random"  # the accuracy a search saw: one repeat, or "mean" of them
    protocol: str = ""  # in words, where a benchmark has its own
    table_checksum: str = ""  # SHA-256 of its content, whatever its name
    # Of the pre-trained model: `pretrain_seed`, `weights` (SHA-256), `num_cells`, `epochs` and
    # `settings`; None where none was used.
    model: Mapping[str, Any] | None = None
    # Every value that decides the result, by the name of its flag; no paths.
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    changed_settings: list[str] = dataclasses.field(default_factory=list)  # as flagfiles have them
    job: str = "search"


def search_summary(
    description: StudyDescription,
    history: History,
    *,
    best_test_accuracy: float,
    best_validation_accuracy: float = np.nan,
    wall_sec: float,
    versions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns the summary of a search, for JSON.

    `incumbent` and each entry of `curve` (by number of queries) are of `curve_points`;
    `evaluation_cost_sec_mean` is what one run's evaluations cost, a mean over runs; `num_queries`
    is the number made by the longest run; `notes` say what was not measured.

    Args:
        description: what was run.
        history: every query, [R, Q].
        best_test_accuracy: the table's best mean test accuracy.
        best_validation_accuracy: the highest that a search can see, of a table without test
            accuracy.
        wall_sec: seconds since the job was last started.
        versions: library -> version; those installed by default.

    Raises:
        DataError: the history's arrays do not fit each other.
    """
    curves = study_curves(
        history,
        best_test_accuracy=best_test_accuracy,
        best_validation_accuracy=best_validation_accuracy,
    )
    points = curve_points(curves)
    runs, queries = np.shape(history.key)
    made = np.count_nonzero(history.key, axis=1)  # keys are 0 after a run's end
    asked = np.arange(queries) < made[:, None]
    infeasible = np.isnan(history.validation_accuracy) & asked & ~history.partial
    return {
        **dataclasses.asdict(description),
        "schema": SCHEMA,
        "keys_version": KEYS_VERSION,
        "num_runs": runs,
        "num_queries": queries,
        "num_queries_mean": float(made.mean()),
        "incumbent": points[str(queries)],
        "curve": points,
        "best_test_accuracy": _number(best_test_accuracy),
        "best_validation_accuracy": _number(best_validation_accuracy),
        "notes": _not_measured(curves),
        "evaluation_cost_sec_mean": float(curves.elapsed_sec[:, -1].mean()),
        "infeasible_fraction": float(infeasible.sum() / asked.sum()) if asked.any() else None,
        "wall_sec": float(wall_sec),
        "versions": dict(versions or library_versions()),
    }


def _not_measured(curves: StudyCurves) -> list[str]:
    """Returns what was not measured, in words."""
    of_table = np.isfinite(curves.best_validation_accuracy)
    feasible = np.isfinite(curves.validation_accuracy).any()
    notes = []
    if not curves.tested and (of_table or feasible):
        notes.append(NO_TEST_ACCURACY if of_table else "no test accuracy was measured")
    if feasible and not curves.elapsed_sec.any():
        notes.append(NO_TIMES)
    return notes


def reported_validation(
    history: History, cells: CellGraphs, accuracy: np.ndarray
) -> dict[str, float | None]:
    """Returns how good the last incumbents are by another validation accuracy than was searched.

    Mean and deviation over the runs with an incumbent; None as in `curve_points`.

    Args:
        history: every query, [R, Q].
        cells: batch [M] that holds every cell queried.
        accuracy: float64 [M] in [0, 1].
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
) -> dict[str, Any]:
    """Returns the summary of a pre-training job, for JSON.

    `loose_measures` and `strict_measures` name which numbers count as which, see `measures`.

    Args:
        quality: `reconstruction_accuracy`, `validity`, `uniqueness` (fractions), `num_cells`,
            `graphs_per_sec`, `epochs`, and whatever else was measured.
        space: name of the search space.
        seed: of the job.
        wall_sec: seconds since the job was last started.
        table: `name`, `path` and `num_cells` of the table whose cells were trained on; None where
            they were the whole space.

    Raises:
        DataError: one of the six is missing.
    """
    missing = [name for name in _QUALITY if name not in quality]
    if missing:
        raise DataError(f"pre-training summary: {missing[0]!r} is missing among {sorted(quality)}")
    table = table or dict.fromkeys(("name", "path", "num_cells"))
    return {
        "job": "pretrain",
        "schema": SCHEMA,
        "space": space,
        "table": table["name"],
        "table_path": table["path"],
        "table_num_cells": _number(table["num_cells"]),
        **{name: _number(value) for name, value in quality.items()},
        "loose_measures": list(LOOSE),
        "strict_measures": list(STRICT),
        "seed": int(seed),
        "wall_sec": float(wall_sec),
        "versions": library_versions(),
    }


def curve_points(curves: StudyCurves) -> dict[str, dict[str, float | None]]:
    """Returns the means over runs at each reported number of queries.

    Returns:
        "1", "2", "5", ... -> the incumbent's `validation_accuracy_mean`,
        `validation_accuracy_std`, `test_accuracy_mean`, `test_accuracy_std` and `test_regret_mean`
        (`validation_regret_mean` where there is no test accuracy) after so many queries: None where no run has a feasible cell, a deviation also where only
        one has.
    """
    counts = query_counts(curves.num_queries)
    columns = {}
    for name in ("validation_accuracy", "test_accuracy"):
        found = spread(getattr(curves, name)[:, counts - 1])
        columns |= {f"{name}_mean": found.mean, f"{name}_std": found.std}
    for name in {"test_regret": None, curves.regret or "test_regret": None}:
        columns[f"{name}_mean"] = spread(getattr(curves, name)[:, counts - 1]).mean
    return {
        str(count): {name: _number(values[index]) for name, values in columns.items()}
        for index, count in enumerate(counts)
    }


def library_versions() -> dict[str, str]:
    """Returns the versions of Python and of those `LIBRARIES` that are installed."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _number(value: Any) -> Any:
    """Returns a plain int, float or None (for what is not finite); other values as they are."""
    if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0:
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
