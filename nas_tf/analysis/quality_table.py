"""What pre-trained autoencoders reconstruct and what prior samples decode to, over seeds.

Table 1 of arch2vec (Yan et al., 2020, arXiv:2006.06936): one row a kind of autoencoder, mean and
standard deviation over the seeds of its pre-trainings, the published numbers beside them.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas_tf.analysis.measures import LOOSE, SHORT, STRICT, kind
from nas_tf.analysis.wording import count, markdown_table, mean_std, percent
from nas_tf.core import ConfigError, DataError

KINDS = {
    "gae": "GAE",
    "vgae": "VGAE",
    "no_kl": "arch2vec without KL",
    "arch2vec": "arch2vec",
}

_FIELDS = (
    "reconstruction_accuracy", "validity", "uniqueness", "space", "num_cells", "epochs", "seed",
    "autoencoder", "kl_weight",
)


@dataclasses.dataclass(frozen=True, eq=False)
class QualityRow:
    """Pre-trainings of one kind.

    Attributes:
        kind: one of `KINDS`.
        seeds: of the pre-trainings, ascending, [S].
        epochs: passes each made.
        num_cells: cells each was given.
        values: float64 [S, 3], `measures.LOOSE` as fractions; NaN where undefined or not measured.
        strict: float64 [S, 3], `measures.STRICT` likewise.
    """

    kind: str
    seeds: tuple[int, ...]
    epochs: int
    num_cells: int
    values: np.ndarray
    strict: np.ndarray


def autoencoder_kind(autoencoder: str, kl_weight: float) -> str:
    """Returns the kind, one of `KINDS`, of an autoencoder and its weight of the divergence."""
    return "no_kl" if autoencoder == "arch2vec" and not kl_weight else autoencoder


def read_pretrainings(
    directories: Sequence[str | Path], space: str, flag: str = "inputs"
) -> list[Mapping[str, Any]]:
    """Reads the summaries of finished pre-trainings on one space.

    Args:
        directories: output directories of pre-training jobs.
        space: name of the space they have to be of.
        flag: that named the directories.

    Returns:
        summaries in the order given.

    Raises:
        ConfigError: a directory is given twice, or is no finished pre-training on the space.
        DataError: a summary is damaged.
    """
    if len({Path(directory).resolve() for directory in directories}) < len(directories):
        raise ConfigError(f"--{flag}={','.join(map(str, directories))}: one is given twice")
    summaries = [_read(Path(directory), flag) for directory in directories]
    for directory, summary in zip(directories, summaries, strict=True):
        if summary["space"] != space:
            raise ConfigError(f"--{flag}: {directory} is of {summary['space']}, not of {space}")
    return summaries


def quality_rows(summaries: Sequence[Mapping[str, Any]]) -> list[QualityRow]:
    """Groups pre-trainings by kind, passes and cells, in the order of `KINDS`.

    Args:
        summaries: of pre-training jobs on one space.

    Raises:
        ConfigError: two of a group have the same seed: they would count one result twice.
    """
    groups = {}
    for summary in summaries:
        kind = autoencoder_kind(summary["autoencoder"], summary["kl_weight"])
        key = (list(KINDS).index(kind), summary["epochs"], summary["num_cells"])
        groups.setdefault(key, []).append(summary)
    return [_row(*key, group) for key, group in sorted(groups.items())]


def quality_table(
    rows: Sequence[QualityRow], published: Mapping[str, Sequence[float]], published_cells: int
) -> str:
    """Returns the table as Markdown: every loose measure, then every strict one, so labelled.

    Args:
        rows: of `quality_rows`.
        published: kind -> `measures.LOOSE` as fractions; kinds without numbers may be missing.
        published_cells: cells that these were trained on; they stand beside rows of as many.
    """
    headings = ["", *(f"{SHORT[name]} ({kind(name)}, %)" for name in (*LOOSE, *STRICT))]
    lines = []
    for row in rows:
        numbers = _numbers(row.values, "uniqueness", LOOSE)
        note = f"{KINDS[row.kind]}, {count(row.epochs, 'pass', 'passes')}, " + (
            f"seeds {', '.join(map(str, row.seeds))}"
            if len(row.seeds) > 1
            else f"seed {row.seeds[0]}"
        )
        lines.append([note, *numbers, *_numbers(row.strict, "unique_cells", STRICT)])
        if row.kind in published and row.num_cells == published_cells:
            theirs = [percent(value, 2, unit="") for value in published[row.kind]]
            lines.append([f"{KINDS[row.kind]}, published", *theirs, *["–"] * len(STRICT)])
    return markdown_table(headings, lines)


def _numbers(values: np.ndarray, unique: str, names: Sequence[str]) -> list[str]:
    """Returns a row's numbers [S, 3] as text; without a valid sample there is nothing to count."""
    numbers = [mean_std(column) for column in values.T]
    if not np.isfinite(values[:, names.index(unique)]).any():
        numbers[names.index(unique)] = "no valid cell"
    return numbers


def _row(kind: int, epochs: int, num_cells: int, group: list[Mapping[str, Any]]) -> QualityRow:
    group = sorted(group, key=lambda summary: summary["seed"])
    seeds = tuple(int(summary["seed"]) for summary in group)
    name = list(KINDS)[kind]
    if len(set(seeds)) < len(seeds):
        raise ConfigError(
            f"--inputs: two pre-trainings of {KINDS[name]} have the same seed among "
            f"{', '.join(map(str, seeds))}; leave one out (the model of this job is one of them, "
            "pre-trained here or named with --pretrained)"
        )
    values, strict = (
        np.array([[_number(summary.get(measure)) for measure in measures] for summary in group])
        for measures in (LOOSE, STRICT)
    )
    return QualityRow(name, seeds, epochs, num_cells, values, strict)


def _read(directory: Path, flag: str) -> Mapping[str, Any]:
    path = directory / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"--{flag}: {directory} is no finished pre-training (it has no summary.json)"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: damaged ({error})") from None
    if not isinstance(summary, dict) or summary.get("job") != "pretrain":
        raise ConfigError(
            f"--{flag}: {directory} is not of a pre-training job (--job=pretrain), which the table "
            "of autoencoders needs"
        )
    missing = [name for name in _FIELDS if name not in summary]
    if missing:
        raise DataError(f"{path}: {missing[0]!r} is missing; pre-train again")
    if summary["autoencoder"] not in KINDS:
        raise DataError(f"{path}: unknown autoencoder {summary['autoencoder']!r}")
    return summary


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
