"""Finished jobs, read back from their output directories; the one reader of what jobs leave.

Shapes: R runs, Q queries.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nas_tf.analysis.curves import StudyCurves, study_curves
from nas_tf.analysis.spread import by_model, model_means, pooled_std, spread
from nas_tf.analysis.summary import SCHEMA
from nas_tf.config import SettingError
from nas_tf.core import DataError, History
from nas_tf.graphs import KEYS_VERSION
from nas_tf.reports.notes import ReportNotes
from nas_tf.storage import read_npz

Describe = Callable[[Mapping[str, Any]], ReportNotes]  # summary -> name and published numbers

_NUMBER, _OPTIONAL = (int, float), (int, float, type(None))
_SUMMARY = {
    "space": str, "table": str, "table_num_cells": int, "dataset": str, "epochs": list,
    "search_epochs": int, "report_epochs": int, "strategy": str, "seed": int,
    "query_budget": (int, type(None)), "cost_budget_sec": _OPTIONAL, "validation": str,
    "num_runs": int, "num_queries": int, "num_queries_mean": _NUMBER, "incumbent": dict,
    "best_test_accuracy": _OPTIONAL, "evaluation_cost_sec_mean": _NUMBER, "wall_sec": _NUMBER,
    "versions": dict, "model": (dict, type(None)),
}  # fmt: skip
_TRACE = ("key", "validation_accuracy", "test_accuracy", "cost_sec")  # what curves are made of


class Moments(NamedTuple):
    """Of a value over the runs of a study that have one; NaN where there are too few."""

    mean: float
    std: float  # of runs within a model, the sample's (n - 1)
    between: float  # of the models' means, likewise


@dataclasses.dataclass(frozen=True, eq=False)
class FinishedStudy:
    """A study whose job has ended.

    Attributes:
        directory: its output directory, as it was given.
        summary: its `summary.json`; that of the first member where there are any.
        curves: of its trace, or of all members' runs.
        flags: lines of `config.flags`, "--discount=0.8"; none without that file.
        notes: its name and published numbers.
        label: its name; within a section, no other study has the same.
        members: the studies this one was joined from, which differ in the pre-trained model alone;
            none where it is one study as it was left.
    """

    directory: Path
    summary: Mapping[str, Any]
    curves: StudyCurves
    flags: tuple[str, ...]
    notes: ReportNotes
    label: str
    members: tuple["FinishedStudy", ...] = ()

    @property
    def parts(self) -> tuple["FinishedStudy", ...]:
        """The studies as they were left: the members, or this one."""
        return self.members or (self,)

    @property
    def changed(self) -> dict[str, str]:
        """Settings that decide its result and are not as they are by default: name -> line."""
        return {_setting(line): line for line in self.summary.get("changed_settings", ())}

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the runs; run r of a study is seeded with the study's seed + r."""
        return tuple(
            part.summary["seed"] + run for part in self.parts for run in range(part.curves.num_runs)
        )

    @property
    def models(self) -> tuple[str, ...]:
        """Checksums of the pre-trained models it was searched with; none where it needs none."""
        known = (part.summary["model"] for part in self.parts)
        return tuple(dict.fromkeys(model["weights"] for model in known if model))

    @property
    def run_models(self) -> np.ndarray:
        """The model of every run, by its index in `models`, int64 [R]; zeros without any."""
        models = self.models
        indices = [models.index(p.summary["model"]["weights"]) if models else 0 for p in self.parts]
        return np.repeat(indices, [part.curves.num_runs for part in self.parts])

    def moments(self, values: np.ndarray) -> Moments:
        """Returns mean and deviations of a value of every run, float [R]."""
        groups = by_model(values, self.run_models)
        between = spread(model_means(groups)).std
        return Moments(spread(values).mean, pooled_std(groups), between)


def read_studies(
    inputs: Sequence[str | Path], describe: Describe = lambda summary: ReportNotes()
) -> tuple[FinishedStudy, ...]:
    """Reads finished studies, in the order given.

    Args:
        inputs: output directories of search jobs, at least one.
        describe: gives a study's name and published numbers, from its summary.

    Raises:
        SettingError: there is no input, one is given twice, or is not a finished study's directory.
        DataError: a file of a study is damaged.
    """
    if not inputs:
        raise SettingError(None, "inputs", "", "directories of finished studies")
    seen = {}
    for directory in map(Path, inputs):
        before = seen.setdefault(directory.resolve(), directory)
        if before is not directory:
            raise SettingError(None, "inputs", directory, f"none twice (it is {before})")
    return tuple(_read_study(directory, describe) for directory in seen.values())


def read_summary(
    directory: str | Path, *, job: str | None = None, name: str = "inputs"
) -> dict[str, Any]:
    """Reads the `summary.json` of a finished job.

    Args:
        directory: its output directory.
        job: the kind of job it must be of; None takes any.
        name: of the setting that held the directory.

    Raises:
        SettingError: the directory is of no finished job, or of one of another kind.
        DataError: the file is damaged, or of a newer version.
    """
    directory = Path(directory)
    path = directory / "summary.json"
    kind = f"a finished job (--job={job})" if job else "a finished job"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        config = directory / "config.flags"
        mend = f": finish it with --flagfile={config}" if config.exists() else ""
        expected = f"the directory of {kind}; it has no summary.json{mend}"
        raise SettingError(None, name, directory, expected) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: damaged ({error}); run the job again") from None
    if not isinstance(summary, dict):
        raise DataError(f"{path}: damaged (not a JSON object); run the job again")
    schema = summary.get("schema", 1)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise DataError(f"{path}: of a newer version (schema {schema}, known up to {SCHEMA})")
    if job and summary.get("job") != job:
        raise SettingError(None, name, directory, f"{kind}, not --job={summary.get('job')}")
    return summary


def read_history(directory: str | Path, summary: Mapping[str, Any]) -> History:
    """Reads `trace.npz` of a finished study and checks it against its summary.

    Raises:
        DataError: it is missing, damaged, of another shape, or holds what cannot be.
    """
    path = Path(directory) / "trace.npz"
    arrays = read_npz(path)
    shape = (summary["num_runs"], summary["num_queries"])
    for name in _TRACE:
        fault = _fault(name, arrays.get(name), shape)
        if fault:
            raise DataError(f"{path}: {fault}; run the study again")
    _check_keys(path.parent, arrays.get("keys_version"))
    return History.from_arrays({"partial": np.zeros(shape, bool), **arrays})


def differing_settings(studies: Sequence[FinishedStudy]) -> list[str]:
    """Returns names of the changed settings that studies do not have in common."""
    names = dict.fromkeys(name for study in studies for name in study.changed)
    return [name for name in names if len({s.changed.get(name) for s in studies}) > 1]


def distinct(studies: Sequence[FinishedStudy]) -> list[FinishedStudy]:
    """Returns the studies with labels of their own: where two are equal, with the directory's."""
    found = list(studies)
    names = [study.directory.resolve().name for study in studies]
    for apart in (names, [study.directory for study in studies]):
        clashes = Counter(study.label for study in found)
        labels = [
            f"{study.label} ({own})" if clashes[now.label] > 1 else now.label
            for study, now, own in zip(studies, found, apart)
        ]
        found = [dataclasses.replace(now, label=label) for now, label in zip(found, labels)]
    return found


def _read_study(directory: Path, describe: Describe) -> FinishedStudy:
    summary = read_summary(directory, job="search")
    _check(directory, summary)
    curves = study_curves(
        read_history(directory, summary),
        best_test_accuracy=summary["best_test_accuracy"],
        best_validation_accuracy=summary.get("best_validation_accuracy"),
    )
    final = spread(curves.test_accuracy[:, -1]).mean
    stated = summary["incumbent"].get("test_accuracy_mean")
    if not np.isclose(final, np.nan if stated is None else stated, rtol=1e-9, equal_nan=True):
        raise DataError(
            f"{directory}: summary.json and trace.npz are of different studies (mean test accuracy "
            f"{stated} and {final}); run the study again"
        )
    notes, flags = describe(summary), _read_flags(directory / "config.flags")
    label = notes.strategy_label or summary["strategy"]
    return FinishedStudy(directory, summary, curves, flags, notes, label)


def _check(directory: Path, summary: Mapping[str, Any]) -> None:
    """Raises DataError for a summary that lacks what a search leaves."""
    _check_keys(directory, summary.get("keys_version"))
    for name, kinds in _SUMMARY.items():
        value = summary.get(name)
        if name not in summary or not isinstance(value, kinds) or isinstance(value, bool):
            found = f"is {value!r}" if name in summary else "is missing"
            raise DataError(
                f"{directory / 'summary.json'}: damaged ({name} {found}); run the study again"
            )


def _check_keys(directory: Path, version: Any) -> None:
    """Raises DataError for a study whose cells have other keys than ours."""
    version = 1 if version is None else version  # the first had no number
    if version != KEYS_VERSION:
        raise DataError(
            f"{directory} holds a study of another version (keys {version}, this one's are "
            f"{KEYS_VERSION}): run it again"
        )


def _fault(name: str, values: np.ndarray | None, shape: tuple[int, int]) -> str:
    """Returns what is wrong with an array of a trace; "" for nothing."""
    if values is None:
        return f"damaged (no array {name!r})"
    if values.shape != shape or values.dtype.kind not in "uifb":
        found = f"{name} is {values.dtype} {list(values.shape)}"
        return f"{found}, but summary.json says {shape[0]} runs of {shape[1]} queries"
    if name == "cost_sec":
        fits = np.isfinite(values) & (values >= 0)
        return "" if np.all(fits) else "cost_sec is not from 0 up throughout"
    outside = name != "key" and np.any((values < 0) | (values > 1))
    return f"{name} is not in [0, 1] throughout" if outside else ""


def _read_flags(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return tuple(line.strip() for line in lines if line.startswith("--"))


def _setting(line: str) -> str:
    """Returns a flag's name, "discount" or "standardize"; no switch's own name begins with "no"."""
    name, equals, _ = line.strip().removeprefix("--").partition("=")
    return name if equals else name.removeprefix("no")
