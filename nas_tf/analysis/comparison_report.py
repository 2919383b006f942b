"""`report.md` and `report.html` of a comparison, with figures and TensorBoard's HParams."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.comparison import Outcome, Section, mean_or_nan, outcome, sections
from nas_tf.analysis.comparison_page import SectionPage, comparison_page, section_page
from nas_tf.analysis.comparison_statistics import Contrast
from nas_tf.analysis.curves import query_counts
from nas_tf.analysis.figures import MAX_LINES, distribution_figure, incumbent_figure, regret_figure
from nas_tf.analysis.finished_study import (
    Describe,
    FinishedStudy,
    differing_flags,
    distinct,
    read_studies,
)
from nas_tf.analysis.html_page import write_page
from nas_tf.analysis.notes import ReportNotes
from nas_tf.analysis.spread import by_model, model_means, pooled_std, spread
from nas_tf.analysis.tensorboard import HParamsSession, write_hparams
from nas_tf.core import ConfigError

_IDENTITY = ("space", "table", "dataset", "search_epochs", "report_epochs", "strategy", "seed",
             "num_runs", "num_queries")


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
        ConfigError: an input is no finished study, is given twice or is the output directory,
            `reference` is none of the inputs, studies of one section are too many to be drawn, or
            the directory cannot be written.
        DataError: a file of a study is damaged.
    """
    directory = Path(directory)
    studies = read_studies(inputs, describe)
    _check_places(directory, studies, reference)
    groups = sections(studies)
    _check_numbers(groups)
    pages = [
        section_page(group, figures=_draw(directory, group, number), reference=reference)
        for number, group in enumerate(groups, start=1)
    ]
    text = comparison_page(pages)
    write_hparams(directory / "tensorboard", _sessions(studies))
    write_page(directory, text)
    return {
        "job": "report",
        "inputs": [str(study.directory) for study in studies],
        "sections": [_section_numbers(page) for page in pages],
    }


def _check_places(
    directory: Path, studies: Sequence[FinishedStudy], reference: str | Path | None
) -> None:
    places = [study.directory.resolve() for study in studies]
    if directory.resolve() in places:
        raise ConfigError(f"--output_dir={directory}: is one of --inputs; choose another directory")
    if reference is not None and Path(reference).resolve() not in places:
        raise ConfigError(f"--reference={reference}: is none of --inputs")


def _check_numbers(groups: Sequence[Section]) -> None:
    for group in groups:
        if len(group.studies) > MAX_LINES:
            raise ConfigError(
                f"--inputs: {len(group.studies)} studies on {group.summary['table']}, at most "
                f"{MAX_LINES} can be told apart in a figure; compare fewer at a time"
            )


def _draw(directory: Path, group: Section, number: int) -> dict[str, str]:
    """Writes the figures of a section; returns name -> file name."""
    curves = {study.label: study.curves for study in group.studies}
    if group.summary["best_test_accuracy"] is None:
        figures = {"incumbents": incumbent_figure(curves)}
    else:
        regrets = {s.label: o.test_regret for s, o in zip(group.studies, group.outcomes)}
        figures = {"regret": regret_figure(curves), "final_regret": distribution_figure(regrets)}
    names = {name: f"{name}_{number}.png" for name in figures}
    for name, figure in figures.items():
        save_figure(figure, directory / names[name])
    return names


def _sessions(studies: Sequence[FinishedStudy]) -> list[HParamsSession]:
    """Returns what TensorBoard shows of every study: the settings that differ, and its curves."""
    studies = distinct(studies)
    names = [name for name in differing_flags(studies) if name not in _IDENTITY]
    return [
        HParamsSession(
            name=study.label,
            hyperparameters={name: study.summary[name] for name in _IDENTITY}
            | {name: _value(study.flags[name]) for name in names if name in study.flags},
            metrics=_metrics(study),
        )
        for study in studies
    ]


def _metrics(study: FinishedStudy) -> dict[str, dict[int, float]]:
    """Returns metric -> number of queries -> mean over the runs."""
    curves = study.curves
    means = {
        name: {
            int(queries): mean_or_nan(getattr(curves, name)[:, queries - 1])
            for queries in query_counts(curves.num_queries)
        }
        for name in ("test_accuracy", "test_regret", "validation_accuracy")
    }
    means["evaluation_cost_sec"] = {curves.num_queries: float(curves.elapsed_sec[:, -1].mean())}
    means["wall_sec"] = {curves.num_queries: float(study.summary["wall_sec"])}
    return means


def _value(flag: str) -> bool | float | str:
    """Returns the value in a line of `config.flags`: a switch, a number or a text."""
    _, equals, text = flag.partition("=")
    if not equals:
        return not flag.startswith("--no")
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _section_numbers(page: SectionPage) -> dict[str, Any]:
    """Returns the numbers of a section, plain enough for JSON."""
    group = page.section
    names = ("space", "table", "dataset", "search_epochs", "report_epochs", "validation",
             "best_test_accuracy")
    return {
        **{name: group.summary[name] for name in names},
        "num_queries": group.endpoint.queries,
        "cost_budget_sec": group.endpoint.cost_sec,
        "reference": str(group.studies[page.reference].directory),
        "studies": [_study_numbers(page, index) for index in range(len(group.studies))],
    }


def _study_numbers(page: SectionPage, index: int) -> dict[str, Any]:
    """Returns those of all runs, and of each model where a study was searched with any.

    Deviations are of runs within a model; `test_accuracy_between_models_std` and so on are of the
    models' means, null for fewer than two.
    """
    study, found = page.section.studies[index], page.section.outcomes[index]
    return {
        "directory": str(study.directory),
        "directories": [str(part.directory) for part in study.parts],
        "label": study.label,
        **_outcome_numbers(found, study.run_models),
        "num_runs": study.curves.num_runs,
        "num_models": len(study.models),
        "models": [_model_numbers(page, part) for part in study.parts if part.models],
        **_contrast(page.contrasts[index]),
    }


def _outcome_numbers(found: Outcome, models: np.ndarray) -> dict[str, float | None]:
    numbers = {}
    for name, values in vars(found).items():
        groups = by_model(values, models)
        numbers[f"{name}_mean"] = mean_or_nan(values)
        numbers[f"{name}_std"] = _or_none(pooled_std(groups))
        between = float(spread(model_means(groups)).std)
        numbers[f"{name}_between_models_std"] = _or_none(between)
    return numbers


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _model_numbers(page: SectionPage, part: FinishedStudy) -> dict[str, Any]:
    """Returns which model a study was searched with, and what its runs reached."""
    model = part.summary["model"]
    numbers = _outcome_numbers(outcome(part.curves, page.section.endpoint), part.run_models)
    return {
        "directory": str(part.directory),
        "pretrain_seed": model.get("pretrain_seed"),
        "weights": model["weights"],
        "num_runs": part.curves.num_runs,
        **{name: value for name, value in numbers.items() if "between" not in name},
    }


def _contrast(contrast: Contrast | None) -> Mapping[str, Any]:
    """Returns the comparison with the reference; nothing for the reference itself."""
    return {} if contrast is None else vars(contrast)
