"""Finished studies, read back from their output directories.

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
from nas_tf.analysis.spread import spread
from nas_tf.core import ConfigError, DataError, History
from nas_tf.graphs import KEYS_VERSION
from nas_tf.storage import read_npz

Describe = Callable[[Mapping[str, Any]], ReportNotes]  # summary -> name and published numbers

TABLE_PATHS = ("nasbench101_records", "nasbench201_table")  # settings that say where a table is

_NUMBER, _OPTIONAL = (int, float), (int, float, type(None))
_SUMMARY = {
    "space": str,
    "table": str,
    "table_num_cells": int,
    "dataset": str,
    "epochs": list,
    "search_epochs": int,
    "report_epochs": int,
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
    "model": (dict, type(None)),
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
        members: the studies this one was joined from, which differ in the pre-trained model alone;
            none where it is one study as it was left.
    """

    directory: Path
    summary: Mapping[str, Any]
    curves: StudyCurves
    flags: Mapping[str, str]
    notes: ReportNotes
    label: str
    members: tuple["FinishedStudy", ...] = ()

    @property
    def parts(self) -> tuple["FinishedStudy", ...]:
        """The studies as they were left: the members, or this one."""
        return self.members or (self,)

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
        """The model of every run, by its place in `models`, int64 [R]; zeros without any."""
        places = [
            self.models.index(part.summary["model"]["weights"]) if self.models else 0
            for part in self.parts
        ]
        return np.repeat(places, [part.curves.num_runs for part in self.parts])


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


def distinct(studies: Sequence[FinishedStudy]) -> list[FinishedStudy]:
    """Returns the studies with labels of their own: where two are equal, with the directory's."""
    found = list(studies)
    names = [study.directory.resolve().name for study in studies]
    for places in (names, [study.directory for study in studies]):
        clashes = Counter(study.label for study in found)
        found = [
            dataclasses.replace(now, label=f"{study.label} ({place})")
            if clashes[now.label] > 1
            else now
            for study, now, place in zip(studies, found, places)
        ]
    return found


def _read_study(directory: Path, describe: Describe) -> FinishedStudy:
    summary = _read_summary(directory)
    best = summary["best_test_accuracy"]
    history = _read_trace(directory / "trace.npz", summary)
    curves = study_curves(history, best_test_accuracy=np.nan if best is None else best)
    final = float(spread(curves.test_accuracy[:, -1]).mean)
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
    _check_version(directory, summary.get("keys_version"))
    for name, kinds in _SUMMARY.items():
        if name not in summary:
            raise DataError(f"{path}: damaged ({name} is missing); run the study again")
        if not isinstance(summary[name], kinds) or isinstance(summary[name], bool):
            raise DataError(f"{path}: damaged ({name} is {summary[name]!r}); run the study again")
    return summary


def _check_version(directory: Path, version: Any) -> None:
    """Raises DataError for a study whose cells have other keys than ours."""
    version = 1 if version is None else version  # the first had no number
    if version != KEYS_VERSION:
        raise DataError(
            f"{directory} holds a study of another version (keys {version}, this one's are "
            f"{KEYS_VERSION}): run it again"
        )


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
    _check_version(path.parent, arrays.get("keys_version"))
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
