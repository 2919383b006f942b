"""`report.md` and `report.html` of a comparison, with figures and TensorBoard's HParams."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.curves import query_counts
from nas_tf.analysis.figures import (
    MAX_LINES, distribution_figure, incumbent_figure, regret_figure, regret_of,
)
from nas_tf.analysis.spread import spread
from nas_tf.analysis.summary import SCHEMA
from nas_tf.analysis.tensorboard import HParamsSession, write_hparams
from nas_tf.config import SettingError
from nas_tf.reports.comparison import OUTCOME, PROTOCOL, Section, outcome, sections
from nas_tf.reports.comparison_page import comparison_page
from nas_tf.reports.finished_study import (
    Describe, FinishedStudy, differing_settings, distinct, read_studies,
)
from nas_tf.reports.html_page import write_page
from nas_tf.reports.notes import ReportNotes

_IDENTITY = ("space", "table", "dataset", "search_epochs", "report_epochs", "strategy", "seed",
             "num_runs", "num_queries")  # fmt: skip


def write_comparison(
    directory: str | Path,
    inputs: Sequence[str | Path],
    *,
    describe: Describe = lambda summary: ReportNotes(),
    reference: str | Path | None = None,
) -> dict[str, Any]:
    """Writes the comparison of finished studies into a job's output directory.

    What is left: `report.md`, `report.html`, for section n of the page `regret_n.png` and
    `final_regret_n.png` (`incumbents_n.png` where no best test accuracy is known), and
    `tensorboard/`, whose HParams dashboard shows the studies side by side.

    Args:
        directory: the output directory; none of the inputs.
        inputs: output directories of search jobs, at least one.
        describe: gives a study's name and published numbers, from its summary.
        reference: one of the inputs, which the others of its section are tested against; the study
            of the highest mean test accuracy where there is none.

    Returns:
        The numbers of the comparison, for the job's `summary.json`.

    Raises:
        SettingError: an input is no finished study, is given twice or is the output directory,
            `reference` is none of the inputs, or studies of one section are too many to be drawn.
        ConfigError: the directory cannot be written.
        DataError: a file of a study is damaged.
    """
    directory = Path(directory)
    studies = read_studies(inputs, describe)
    own = [study.directory.resolve() for study in studies]
    if directory.resolve() in own:
        raise SettingError(None, "output_dir", directory, "another directory than the inputs")
    if reference is not None and Path(reference).resolve() not in own:
        raise SettingError(None, "reference", reference, "one of the inputs")
    groups = sections(studies, reference)
    for group in groups:
        if len(group.studies) > MAX_LINES:
            raise SettingError(
                None, "inputs", f"{len(group.studies)} studies on {group.summary['table']}",
                f"at most {MAX_LINES}, which can be told apart in a figure",
            )
    figures = [_draw(directory, group, number) for number, group in enumerate(groups, start=1)]
    text = comparison_page(groups, figures)
    write_hparams(directory / "tensorboard", _sessions(studies))
    write_page(directory, text)
    return {
        "job": "report",
        "schema": SCHEMA,
        "inputs": [str(study.directory) for study in studies],
        "sections": [_section_numbers(group) for group in groups],
    }


def _draw(directory: Path, group: Section, number: int) -> dict[str, str]:
    """Writes the figures of a section; returns name -> file name."""
    curves = {study.label: study.curves for study in group.studies}
    name = regret_of(curves)
    if name is None:
        figures = {"incumbents": incumbent_figure(curves)}
    else:
        regrets = {s.label: found[name] for s, found in zip(group.studies, group.outcomes)}
        figures = {
            "regret": regret_figure(curves), "final_regret": distribution_figure(regrets, name)
        }
    for name, figure in figures.items():
        save_figure(figure, directory / f"{name}_{number}.png")
    return {name: f"{name}_{number}.png" for name in figures}


def _sessions(studies: Sequence[FinishedStudy]) -> list[HParamsSession]:
    """Returns what TensorBoard shows of every study: the settings that differ, and its curves."""
    found = []
    names = [name for name in differing_settings(studies) if name not in _IDENTITY]
    for study in distinct(studies):
        settings = study.summary["settings"]
        known = {name: settings[name] for name in names if name in settings}
        plain = {
            name: value if isinstance(value, (bool, int, float)) else str(value)
            for name, value in known.items()
        }
        identity = {name: study.summary[name] for name in _IDENTITY}
        found.append(HParamsSession(study.label, identity | plain, _metrics(study)))
    return found


def _metrics(study: FinishedStudy) -> dict[str, dict[int, float]]:
    """Returns metric -> number of queries -> mean over the runs."""
    curves = study.curves
    counts = query_counts(curves.num_queries)
    means = {name: spread(getattr(curves, name)[:, counts - 1]).mean for name in OUTCOME}
    last = curves.num_queries
    cost_sec = curves.elapsed_sec[:, -1].mean()
    return {
        **{
            name: dict(zip(counts.tolist(), mean.tolist()))
            for name, mean in means.items() if np.isfinite(mean).any()
        },
        **({"evaluation_cost_sec": {last: cost_sec}} if cost_sec else {}),
        "wall_sec": {last: study.summary["wall_sec"]},
    }


def _section_numbers(group: Section) -> dict[str, Any]:
    """Returns the numbers of a section, for JSON."""
    return {
        **{name: group.summary[name] for name in PROTOCOL},
        "best_validation_accuracy": group.summary.get("best_validation_accuracy"),
        "notes": list(group.summary.get("notes", ())),
        "num_queries": group.endpoint.queries,
        "cost_budget_sec": group.endpoint.cost_sec,
        "reference": str(group.studies[group.reference].directory),
        "studies": [_study_numbers(group, index) for index in range(len(group.studies))],
    }


def _study_numbers(group: Section, index: int) -> dict[str, Any]:
    """Returns those of all runs, and of each model where a study was searched with any.

    Deviations are of runs within a model, of the sample (n - 1);
    `test_accuracy_between_models_std` and so on are of the models' means, NaN for fewer than two.
    """
    study, contrast = group.studies[index], group.contrasts[index]
    found = {name: study.moments(values) for name, values in group.outcomes[index].items()}
    return {
        "directory": str(study.directory),
        "directories": [str(part.directory) for part in study.parts],
        "label": study.label,
        **_means(study, group.outcomes[index]),
        **{f"{name}_between_models_std": moments.between for name, moments in found.items()},
        "num_runs": study.curves.num_runs,
        "num_models": len(study.models),
        "models": [_model_numbers(group, part) for part in study.parts if part.models],
        **({} if contrast is None else dataclasses.asdict(contrast)),
    }


def _means(study: FinishedStudy, found: Mapping[str, np.ndarray]) -> dict[str, float]:
    moments = {name: study.moments(values) for name, values in found.items()}
    means = {f"{name}_mean": one.mean for name, one in moments.items()}
    return means | {f"{name}_std": one.std for name, one in moments.items()}


def _model_numbers(group: Section, part: FinishedStudy) -> dict[str, Any]:
    """Returns which model a study was searched with, and what its runs reached."""
    model = part.summary["model"]
    return {
        "directory": str(part.directory),
        "pretrain_seed": model.get("pretrain_seed"),
        "weights": model["weights"],
        "num_runs": part.curves.num_runs,
        **_means(part, outcome(part.curves, group.endpoint)),
    }
