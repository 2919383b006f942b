"""Studies that differ in the pre-trained model alone, joined into one.

Searches in an embedding differ by the model as much as by the runs: what a strategy reaches is said
over the same runs (seeds) of several models, with the deviation between models beside that between
runs.

Shapes: R runs, Q queries.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf.analysis.curves import StudyCurves
from nas_tf.analysis.finished_study import TABLE_PATHS, FinishedStudy
from nas_tf.analysis.wording import count
from nas_tf.core import ConfigError

# Settings that only say which model, and where was read and written. Studies of one section have
# read one table.
_FREE = ("pretrained", "pretrain_seed", "output_dir", "checkpoint_sec", *TABLE_PATHS)
_WHICH = ("weights", "pretrain_seed")  # of a model; the rest says of which kind it is


def join_models(studies: Sequence[FinishedStudy]) -> list[FinishedStudy]:
    """Joins studies that differ in the pre-trained model alone.

    Args:
        studies: of one section.

    Returns:
        Every study, or in the place of the first of several that were joined, these as one.

    Raises:
        ConfigError: two of them are the same runs of one model.
    """
    groups = {}
    for number, study in enumerate(studies):
        groups.setdefault(_kind(study) or number, []).append(study)
    for group in groups.values():
        _check_runs(group)
    return [_joined(group) if len(group) > 1 else group[0] for group in groups.values()]


def _kind(study: FinishedStudy) -> tuple | None:
    """Returns what studies have in common but for the model; None where it cannot be known.

    The seeds of the runs belong to it: else what differs between models would be the runs as well.
    """
    model = study.summary["model"]
    if not model or not study.flags or model.get("settings") is None:
        return None
    flags = sorted(line for name, line in study.flags.items() if name not in _FREE)
    made = sorted((name, repr(value)) for name, value in model.items() if name not in _WHICH)
    return study.summary["strategy"], study.seeds, tuple(flags), tuple(made)


def _joined(studies: Sequence[FinishedStudy]) -> FinishedStudy:
    first = studies[0]
    label = first.notes.strategy_label or first.summary["strategy"]
    joined = dataclasses.replace(
        first,
        summary=_summary(studies),
        curves=_curves([study.curves for study in studies]),
        members=tuple(studies),
    )
    return dataclasses.replace(joined, label=f"{label}, {count(len(joined.models), 'model')}")


def _check_runs(studies: Sequence[FinishedStudy]) -> None:
    """Raises ConfigError where studies of one kind have one model: their runs are the same."""
    seen = {}
    for study in studies:
        before = seen.setdefault(study.models, study)
        if before is not study:
            raise ConfigError(
                f"--inputs: {before.directory} and {study.directory} have runs of the same "
                f"model and seed ({study.seeds[0]}): they would count twice; leave one out"
            )


def _summary(studies: Sequence[FinishedStudy]) -> dict[str, Any]:
    """Returns the first study's summary, with the numbers of all runs."""
    summaries = [study.summary for study in studies]
    runs = np.array([summary["num_runs"] for summary in summaries])
    means = {
        name: float(np.average([summary[name] for summary in summaries], weights=runs))
        for name in ("num_queries_mean", "evaluation_cost_sec_mean")
    }
    return {
        **summaries[0],
        **means,
        "num_runs": int(runs.sum()),
        "num_queries": max(summary["num_queries"] for summary in summaries),
        "wall_sec": sum(summary["wall_sec"] for summary in summaries),
        "incumbent": _incumbent([summary["incumbent"] for summary in summaries], runs),
    }


def _incumbent(points: Sequence[Mapping[str, Any]], runs: np.ndarray) -> dict[str, Any]:
    """Returns means over all runs, and deviations within models; None where any is missing."""
    found = {}
    for name in points[0]:
        values = [point.get(name) for point in points]
        weights = runs - 1 if name.endswith("_std") else runs
        known = None not in values and weights.sum() > 0
        power = 2 if name.endswith("_std") else 1
        squares = np.power([value if known else 0.0 for value in values], power)
        found[name] = float(np.average(squares, weights=weights) ** (1 / power)) if known else None
    return found


def _curves(curves: Sequence[StudyCurves]) -> StudyCurves:
    """Returns all runs; those of a shorter study keep their last incumbent."""
    longest = max(one.num_queries for one in curves)

    def together(name: str) -> np.ndarray:
        values = (getattr(one, name) for one in curves)
        return np.concatenate([
            np.pad(rows, ((0, 0), (0, longest - rows.shape[1])), mode="edge") for rows in values
        ])

    names = ("validation_accuracy", "test_accuracy", "test_regret", "elapsed_sec")
    return StudyCurves(
        **{name: together(name) for name in names},
        best_test_accuracy=curves[0].best_test_accuracy,
    )
