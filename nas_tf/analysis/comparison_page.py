"""Text of a comparison of studies, as Markdown: one section for each benchmark and data set."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nas_tf.analysis.comparison import Section, mean_or_nan
from nas_tf.analysis.comparison_checklist import REFERENCE, checklist
from nas_tf.analysis.comparison_progress import after_fewer_queries
from nas_tf.analysis.comparison_setup import (
    RUNS_CAPTION,
    runs_table,
    settings_that_differ,
    versions,
)
from nas_tf.analysis.comparison_statistics import (
    MANN_WHITNEY,
    WILCOXON,
    Contrast,
    contrasts,
)
from nas_tf.analysis.finished_study import FinishedStudy
from nas_tf.analysis.notes import PublishedAccuracy
from nas_tf.analysis.spread import by_model, model_means, pooled_std, spread
from nas_tf.analysis.wording import (
    count,
    dataset_name,
    disclaimer,
    escaped,
    is_missing,
    markdown_table,
    percent,
    plus_minus,
    table_cells,
    trained_for,
)

LEVEL = 0.05  # of significance

_TESTS = {
    WILCOXON: (
        "pairs of runs with the same seed, by Wilcoxon's signed-rank test (zeros ranked as Pratt "
        "does)"
    ),
    MANN_WHITNEY: "runs as independent samples, by the Mann-Whitney U test",
}
_FIGURES = {
    "regret": (
        "Test regret against queries and against evaluation cost",
        "Test regret of the incumbents against queries (left) and against evaluation cost (right): "
        "means over runs, with the bands the legend names. A run that has ended keeps its last "
        "incumbent. A cost curve begins where every run of its study has a feasible cell and ends "
        "at the median of what its runs spent.",
    ),
    "incumbents": (
        "Validation and test accuracy of the incumbents against queries",
        "Validation accuracy as the searches saw it (left) and mean test accuracy (right) of the "
        "incumbents. The best test accuracy of this table is not known, hence no regret.",
    ),
    "final_regret": (
        "Empirical distribution of the final test regret",
        "Empirical distribution of final test regret: a line is at height y where a share y of the "
        "study's runs ended with at most that regret. Higher and further to the left is better.",
    ),
}

_FIGURE_OF_MODELS = " A study of several models is one line over all of its runs."
_ERROR_OF_MODELS = " Its standard error is that of the runs, given these models."


@dataclasses.dataclass(frozen=True, eq=False)
class SectionPage:
    """What the text of a section needs.

    Attributes:
        section: the studies.
        reference: index of the study the others are compared with.
        contrasts: one a study, as `comparison_statistics.contrasts` returns them.
        figures: name ("regret", "incumbents", "final_regret") -> file name of those drawn.
    """

    section: Section
    reference: int
    contrasts: Sequence[Contrast | None]
    figures: Mapping[str, str]


def section_page(
    group: Section, *, figures: Mapping[str, str], reference: str | Path | None = None
) -> SectionPage:
    """Compares the studies of a section with one of them.

    Args:
        group: the studies.
        figures: as in `SectionPage`.
        reference: directory of the study the others are compared with; the first, which is the
            best, where there is none or it is in another section.
    """
    place = None if reference is None else Path(reference).resolve()
    places = [{part.directory.resolve() for part in study.parts} for study in group.studies]
    index = next((number for number, own in enumerate(places) if place in own), 0)
    accuracies = [outcome.test_accuracy for outcome in group.outcomes]
    seeds = [study.seeds for study in group.studies]
    models = [study.run_models for study in group.studies]
    return SectionPage(group, index, contrasts(accuracies, index, seeds, models), figures)


def comparison_page(pages: Sequence[SectionPage]) -> str:
    """Returns the text of a comparison, Markdown with relative links to figures.

    Args:
        pages: the sections, at least one.
    """
    groups = [page.section for page in pages]
    number = sum(len(group.parts) for group in groups)
    blocks = [
        "# Comparison of studies",
        f"{count(number, 'finished study', 'finished studies')} in {count(len(pages), 'section')}, "
        "one for every table, data set, training budget and protocol. The incumbent of a run is the "
        "cell with the highest validation accuracy it has seen; its test accuracy is the mean over the table's repeats, "
        "and no search sees it. Test regret is the distance to the best mean test accuracy in the "
        "table. Every number here is computed from the studies' traces.",
    ]
    for title, page in zip(_titles(groups), pages):
        blocks += [f"## {title}", *_section(page)]
    blocks += ["## Best practices", _checklist(groups)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _titles(groups: Sequence[Section]) -> list[str]:
    """Returns a title for every section: as much as it takes to tell it from the others.

    Sections that only their protocol tells apart are numbered.
    """
    parts = [_title_parts(group) for group in groups]
    titles = []
    for own in parts:
        lengths = range(1, len(own) + 1)
        clashes = [sum(other[:length] == own[:length] for other in parts) for length in lengths]
        length = next((n for n, same in zip(lengths, clashes) if same == 1), len(own))
        alike = sum(other == own for other in parts[: len(titles)])
        another = (f"protocol {alike + 1}",) if alike else ()
        titles.append(escaped(", ".join((*own[:length], *another))))
    return titles


def _title_parts(group: Section) -> tuple[str, ...]:
    summary = group.summary
    limits = ["queries"] * (summary["query_budget"] is not None)
    limits += ["seconds"] * (summary["cost_budget_sec"] is not None)
    return (
        f"{summary['space']}, {dataset_name(summary['dataset'])}, {trained_for(summary)}",
        f"budget in {' and '.join(limits)}",
        f"{summary['table']} ({summary['table_num_cells']:,} cells)",
        f"{summary['validation']} validation accuracy",
        f"best test accuracy {percent(summary['best_test_accuracy'], 2)}",
    )


def _section(page: SectionPage) -> list[str]:
    group = page.section
    summary = group.summary
    best = "" if is_missing(summary["best_test_accuracy"]) else (
        f"; the best mean test accuracy in it is {percent(summary['best_test_accuracy'], 2)}"
    )
    protocol = f"{escaped(summary['protocol'])} " if summary.get("protocol") else ""
    after = (
        f"The incumbents are compared {_endpoint(group)}."
        if group.same_budget
        else f"**Budgets differ: the incumbents are compared {_endpoint(group)}, the smallest.**"
    )
    blocks = [
        f"Cells were looked up in the table {escaped(summary['table'])} "
        f"({table_cells(summary)}, {trained_for(summary)}){best}. {protocol}{after}",
        disclaimer(summary["dataset"]),
        _results(page),
        _caption(page),
    ]
    several = any(len(study.models) > 1 for study in group.studies)
    for name, file in page.figures.items():
        alternative, caption = _FIGURES[name]
        caption += _FIGURE_OF_MODELS * several
        caption += _ERROR_OF_MODELS * (several and name != "final_regret")
        blocks += [f"![{alternative}]({file})", caption]
    blocks += after_fewer_queries(group)
    blocks += ["### Runs", runs_table(group), RUNS_CAPTION]
    return [*blocks, *settings_that_differ(group), "### Versions", versions(group)]


def _endpoint(group: Section) -> str:
    limits = []
    if group.endpoint.queries is not None:
        limits.append(count(group.endpoint.queries, "query", "queries"))
    if group.endpoint.cost_sec is not None:
        limits.append(f"{group.endpoint.cost_sec:,.0f} s of evaluation cost")
    return f"after {' or '.join(limits)}" + ", whichever came first" * (len(limits) > 1)


def _results(page: SectionPage) -> str:
    group = page.section
    compared = len(group.studies) > 1
    published = any(_published(study, group) for study in group.studies)
    reported = group.same_budget and any(map(_reported, group.studies))
    modelled = any(study.models for study in group.studies)
    headings = ["Study", "Validation accuracy (%)"]
    headings += ["Reported validation (%)"] * reported + ["Test accuracy (%)"]
    headings += ["Between models"] * modelled
    headings += ["Published test (%)"] * published + ["Test regret (%)"]
    headings += ["Difference (points) [95 % CI]", "p (Holm)", "P(better)"] * compared
    rows = []
    for index, (study, outcome) in enumerate(zip(group.studies, group.outcomes)):
        groups = by_model(outcome.test_accuracy, study.run_models)
        test = plus_minus(mean_or_nan(outcome.test_accuracy), pooled_std(groups))
        row = [escaped(study.label), _within(outcome.validation_accuracy, study)]
        row += [_reported(study) or "–"] * reported
        row.append(f"**{test}**" if compared and _is_leading(page, index) else test)
        row += [_between(study, groups)] * modelled
        row += [found.text if (found := _published(study, group)) else "–"] * published
        row.append(percent(mean_or_nan(outcome.test_regret), 3, unit=""))
        rows.append(row + _contrast(page, index) * compared)
    return markdown_table(headings, rows)


def _is_leading(page: SectionPage, index: int) -> bool:
    """Returns whether a study is the best, or could as well be, by the tests against the best."""
    contrast = page.contrasts[index]
    if page.reference != 0 or contrast is None:
        return index == 0 and not np.isnan(mean_or_nan(page.section.outcomes[0].test_accuracy))
    return contrast.adjusted_p >= LEVEL


def _contrast(page: SectionPage, index: int) -> list[str]:
    contrast = page.contrasts[index]
    if index == page.reference:
        return ["reference", "", ""]
    if contrast is None:
        return ["–", "–", "–"]
    difference = f"{100 * contrast.difference:+.2f}"
    if not np.isnan(contrast.low):
        difference += f" [{100 * contrast.low:+.2f}, {100 * contrast.high:+.2f}]"
    difference = difference.replace("-", "−")
    return [difference, _p_value(contrast.adjusted_p), f"{contrast.superiority:.2f}"]


def _p_value(value: float) -> str:
    if np.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _reported(study: FinishedStudy) -> str:
    """Returns the validation accuracy a benchmark reports where its searches see another, or ""."""
    incumbent = study.summary["incumbent"]
    mean, std = (incumbent.get(f"reported_validation_accuracy_{name}") for name in ("mean", "std"))
    if is_missing(mean):
        return ""
    return plus_minus(mean, std)


def _within(values: np.ndarray, study: FinishedStudy) -> str:
    """Returns mean ± the deviation of runs within models."""
    return plus_minus(mean_or_nan(values), pooled_std(by_model(values, study.run_models)))


def _between(study: FinishedStudy, groups: Sequence[np.ndarray]) -> str:
    """Returns the deviation between the models' means, and of how many models it is."""
    if len(study.models) < 2:
        return "one model" if study.models else "no model"
    deviation = percent(float(spread(model_means(groups)).std), 2, unit="")
    return f"± {deviation} ({count(len(groups), 'model')})"


def _published(study: FinishedStudy, group: Section) -> PublishedAccuracy | None:
    """Returns what was published by the protocol and after the budget of a section, if anything."""
    notes, summary = study.notes, study.summary
    return notes.after_queries(summary, group.endpoint.queries) or notes.after_cost(
        summary, group.endpoint.cost_sec
    )


def _caption(page: SectionPage) -> str:
    group = page.section
    sentences = []
    if any(len(outcome.test_accuracy) > 1 for outcome in group.outcomes):
        sentences.append(
            "Mean ± sample standard deviation over runs (of several models: of runs within a "
            "model); of regret, the mean."
        )
    sentences += _model_sentences(group)
    if group.same_budget and any(map(_reported, group.studies)):
        sentences.append(
            "Validation accuracy: as the searches saw it; reported: of the same incumbents, as the "
            "benchmark reports it."
        )
    sources = {found.reference for study in group.studies if (found := _published(study, group))}
    if sources:
        sentences.append(f"Published by this protocol: {escaped('; '.join(sorted(sources)))}.")
    for study, outcome in zip(group.studies, group.outcomes):
        missing = int(np.isnan(outcome.test_accuracy).sum())
        if missing:
            sentences.append(
                f"{escaped(study.label)}: {count(missing, 'run')} without a feasible cell, "
                "left out."
            )
    return " ".join([*sentences, *_test_sentences(page)])


def _model_sentences(group: Section) -> list[str]:
    """Says how many pre-trained models studies were searched with."""
    sentences = []
    if any(len(study.models) > 1 for study in group.studies):
        sentences.append(
            "Between models: standard deviation of the models' means, to which the luck of their "
            "runs adds."
        )
    alone = [escaped(study.label) for study in group.studies if len(study.models) == 1]
    if alone:
        sentences.append(f"One model: {', '.join(alone)}; such runs say nothing of other models.")
    return sentences


def _test_sentences(page: SectionPage) -> list[str]:
    """Says how studies were compared; nothing where there was nothing to compare."""
    if len(page.section.studies) == 1:
        return []
    label = escaped(page.section.studies[page.reference].label)
    chosen = ", the best mean" if page.reference == 0 else ""
    sentences = [
        f"Reference: {label}{chosen}. Difference: mean test accuracy minus the reference's, with "
        "its 95 % confidence interval (Student's t for pairs of runs, Welch's otherwise). "
        "P(better): share of all pairs of runs in which the study's is better than the "
        "reference's, ties counting half (Vargha and Delaney's A; 0.5 is no difference)."
    ]
    tests = dict.fromkeys(c.test for c in page.contrasts if c and c.test)
    if not tests:
        return [*sentences, "No test: it takes two runs of a study at least."]
    several = len(tests) > 1
    how = "; ".join(_names(page, test) * several + _TESTS[test] for test in tests)
    sentences.append(
        f"p: two-sided test on test accuracy of {how}; adjusted for all comparisons with the "
        "reference (Holm)."
    )
    if any(len(study.models) > 1 for study in page.section.studies):
        sentences.append(
            "Where either study has several models, the interval is of the models' means (Welch's; "
            "of the runs where the other has none or one); p and P(better) are of the runs given "
            "these models."
        )
    if page.reference == 0:
        sentences.append(
            f"Bold: the best mean and those not significantly different from it (p ≥ {LEVEL:g})."
        )
    else:
        sentences.append("Bold: the best mean.")
    return sentences


def _names(page: SectionPage, test: str) -> str:
    pairs = zip(page.section.studies, page.contrasts)
    return ", ".join(escaped(s.label) for s, c in pairs if c and c.test == test) + ": "


def _checklist(groups: Sequence[Section]) -> str:
    rows = [[item.practice, item.status, item.evidence] for item in checklist(groups)]
    table = markdown_table(["Practice", "Satisfied", "Why"], rows, text=True)
    return f"What this comparison satisfies of {REFERENCE}.\n\n{table}"
