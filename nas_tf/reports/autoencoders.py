"""What pre-trained autoencoders reconstruct and what prior samples decode to, over seeds.

Table 1 of arch2vec (Yan et al., 2020, arXiv:2006.06936): a row for each kind of autoencoder.

Shapes: S seeds.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas_tf.analysis.measures import LONG, LOOSE, SHORT, STRICT, kind
from nas_tf.analysis.spread import spread
from nas_tf.reports.arch2vec_numbers import AUTOENCODERS, AUTOENCODERS_SOURCE, CELLS
from nas_tf.config import SettingError
from nas_tf.core import ConfigError, DataError
from nas_tf.reports.finished_study import read_summary
from nas_tf.reports.wording import is_missing, percent, plain, plus_minus, table

HOW_TO_READ = f"""Loose, as the released code of arch2vec counts: \
{"; ".join(f"{SHORT[name]}: {LONG[name]}" for name in LOOSE)}. Strict, of whole cells: \
{"; ".join(f"{SHORT[name]}: {LONG[name]}" for name in STRICT)}. Entries: the lower of operations \
and edges. Samples: 10,000 of the prior. Mean ± sample standard deviation (n − 1) over seeds. \
Published: {AUTOENCODERS_SOURCE}, the loose ones."""
KINDS = {"gae": "GAE", "vgae": "VGAE", "no_kl": "arch2vec without KL", "arch2vec": "arch2vec"}
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
        epochs: passes each made; None where it was not kept.
        num_cells: cells each was given; likewise.
        values: measure -> float64 [S], of `measures.LOOSE` and `STRICT`, fractions; NaN where
            undefined or not measured.
    """

    kind: str
    seeds: tuple[int, ...]
    epochs: int | None
    num_cells: int | None
    values: Mapping[str, np.ndarray]


def autoencoder_kind(autoencoder: str, kl_weight: float) -> str:
    """Returns the kind, one of `KINDS`, of an autoencoder and its weight of the divergence."""
    return "no_kl" if autoencoder == "arch2vec" and not kl_weight else autoencoder


def read_pretrainings(
    directories: Sequence[str | Path], space: str, name: str = "inputs"
) -> list[Mapping[str, Any]]:
    """Reads the summaries of finished pre-trainings on one space, in the order given.

    Args:
        directories: output directories of pre-training jobs.
        space: name of the space they have to be of.
        name: of the setting that held the directories.

    Raises:
        SettingError: a directory is given twice, or is no finished pre-training on the space.
        DataError: a summary is damaged.
    """
    if len({Path(directory).resolve() for directory in directories}) < len(directories):
        raise SettingError(None, name, ",".join(map(str, directories)), "none of them twice")
    summaries = [read_summary(directory, job="pretrain", name=name) for directory in directories]
    for directory, summary in zip(directories, summaries):
        missing = [field for field in _FIELDS if field not in summary]
        if missing:
            raise DataError(f"{directory}/summary.json: {missing[0]!r} is missing; pre-train again")
        if summary["autoencoder"] not in KINDS:
            raise DataError(f"{directory}: unknown autoencoder {summary['autoencoder']!r}")
        if summary["space"] != space:
            raise SettingError(None, name, directory, f"one of {space}, not of {summary['space']}")
    return summaries


def quality_rows(summaries: Sequence[Mapping[str, Any]]) -> list[QualityRow]:
    """Groups pre-trainings by kind, passes and cells, in the order of `KINDS`.

    Args:
        summaries: of pre-training jobs on one space.

    Raises:
        ConfigError: two of a group have the same seed: they would count one result twice.
    """
    groups = {}
    for summary in sorted(summaries, key=lambda summary: summary["seed"]):
        made = autoencoder_kind(summary["autoencoder"], summary["kl_weight"])
        key = (list(KINDS).index(made), summary["epochs"], summary["num_cells"])
        groups.setdefault(key, []).append(summary)
    rows = [_row(list(KINDS)[key[0]], group) for key, group in sorted(groups.items())]
    for row in rows:
        if len(set(row.seeds)) < len(row.seeds):
            raise ConfigError(
                f"two pre-trainings of {KINDS[row.kind]} have the same seed among "
                f"{', '.join(map(str, row.seeds))}; leave one out (the model that is analysed is "
                "one of them)"
            )
    return rows


def row_of_model(quality: Mapping[str, Any]) -> QualityRow:
    """Returns the row of one model, by what is kept with it; arch2vec's where it does not say."""
    settings = quality.get("settings") or {}
    made = settings.get("autoencoder", "arch2vec"), settings.get("kl_weight", 1.0)
    return _row(autoencoder_kind(*made), [quality])


def quality_table(rows: Sequence[QualityRow], space: str) -> str:
    """Returns the table as Markdown: every loose measure, then every strict one, so labelled.

    Published numbers stand below the rows that were trained on as many cells of the space.
    """
    published = AUTOENCODERS.get(space, {})
    lines = []
    for row in rows:
        name, seeds = KINDS[row.kind], ", ".join(map(str, row.seeds))
        measured = {one: _text(one, row.values) for one in row.values}
        lines.append(_line(name, plain(row.epochs), seeds, measured))
        if row.kind in published and row.num_cells == CELLS.get(space):
            theirs = (percent(value, 2, unit="") for value in published[row.kind])
            lines.append(_line(f"{name}, published", "", "", dict(zip(LOOSE, theirs))))
    return table(lines)


def _row(made: str, group: Sequence[Mapping[str, Any]]) -> QualityRow:
    seeds = tuple(int(one["seed"]) for one in group if not is_missing(one.get("seed")))
    values = {n: np.array([one.get(n) for one in group], np.float64) for n in (*LOOSE, *STRICT)}
    return QualityRow(made, seeds, group[0].get("epochs"), group[0].get("num_cells"), values)


def _line(name: str, passes: str, seeds: str, values: Mapping[str, str]) -> dict[str, str]:
    headings = {one: f"{SHORT[one]} ({kind(one)}, %)" for one in (*LOOSE, *STRICT)}
    measures = {heading: values.get(one, "") for one, heading in headings.items()}
    return {"": name, "Passes": passes, "Seeds": seeds} | measures


def _text(name: str, values: Mapping[str, np.ndarray]) -> str:
    """Returns a measure as text; without a valid sample nothing can be unique."""
    valid = {"uniqueness": "validity", "unique_cells": "cell_validity"}.get(name)
    if valid and not np.isfinite(values[name]).any() and np.all(values[valid] == 0):
        return "no valid cell"
    found = spread(values[name])
    return plus_minus(found.mean, found.std)
