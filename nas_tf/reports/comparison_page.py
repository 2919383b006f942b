"""Text of a comparison of studies, as Markdown: one section for each benchmark and data set."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nas_tf.analysis.contrasts import Contrast
from nas_tf.analysis.curves import query_counts
from nas_tf.reports import captions
from nas_tf.reports.comparison import Endpoint, Section, outcome
from nas_tf.reports.comparison_checklist import checklist
from nas_tf.reports.finished_study import FinishedStudy, Moments
from nas_tf.reports.html_page import page
from nas_tf.reports.wording import (
    budget, cost, count, dataset_name, disclaimer, duration, escaped, facts, neighbours_in_words,
    percent, plain, plus_minus, second_looks_in_words, table, table_in_words, trained_for,
)

LEVEL = 0.05  # of significance

_FIRST = 10  # queries; before, searches have hardly begun
# Settings that are shown elsewhere.
_NOT_SETTINGS = (
    "strategy", "benchmark", "dataset", "seed", "num_runs", "num_queries", "cost_budget_sec",
    "pretrain_seed",
)
_REPORTED = "reported_validation_accuracy"
_PRACTICES = (
    "What this comparison satisfies of the best practices of Lindauer and Hutter (2020, JMLR "
    "21:243), as far as files can tell."
)


def comparison_page(groups: Sequence[Section], figures: Sequence[Mapping[str, str]]) -> str:
    """Returns the text of a comparison, Markdown with relative links to figures.

    Args:
        groups: the sections, at least one.
        figures: of every section, "regret", "incumbents", "final_regret" -> file name, those drawn.
    """
    studies = count(sum(len(g.parts) for g in groups), "finished study", "finished studies")
    blocks = [
        "# Comparison of studies",
        f"{studies} in {count(len(groups), 'section')}, one for every table, data set, training "
        "budget and protocol.",
    ]
    for title, group, drawn in zip(_titles(groups), groups, figures, strict=True):
        blocks += [f"## {title}", *_section(group, drawn)]
    tested = any(group.tested for group in groups)
    blocks += ["## How to read it", captions.comparison(tested)]
    blocks += ["## Best practices", _PRACTICES, table(checklist(groups), text=True)]
    return page(blocks)


def _titles(groups: Sequence[Section]) -> list[str]:
    """Returns a title for every section; equal ones are numbered."""
    titles = []
    for group in groups:
        space, dataset = group.summary["space"], dataset_name(group.summary["dataset"])
        titles.append(escaped(f"{space}, {dataset}, {trained_for(group.summary)}"))
    return [
        f"{title} ({titles[: index + 1].count(title)})" if titles.count(title) > 1 else title
        for index, title in enumerate(titles)
    ]


def _section(group: Section, figures: Mapping[str, str]) -> list[str]:
    summary, several = group.summary, len(group.studies) > 1
    sources = {found.reference for study in group.studies if (found := group.published(study))}
    blocks = [
        disclaimer(summary["dataset"]),
        facts({
            "Table": table_in_words(summary),
            "Best mean test accuracy in it": percent(summary["best_test_accuracy"], 2),
            "Not measured": "; ".join(summary.get("notes", ())),
            "Best validation accuracy in it": percent(summary.get("best_validation_accuracy"), 2),
            "Validation accuracy that searches saw": summary["validation"],
            "Protocol": escaped(summary.get("protocol", "")),
            "Neighbours": _each_once(neighbours_in_words, group.parts),
            "Second looks": _each_once(second_looks_in_words, group.parts),
            "Compared after": budget(*group.endpoint),
            "Budgets": "" if group.same_budget else "**they differ: compared at the smallest**",
            "Reference": escaped(group.studies[group.reference].label) * several,
            "Published": escaped("; ".join(sorted(sources))),
        }),
        table([_result(group, index) for index in range(len(group.studies))]),
    ]
    for name, file in figures.items():
        blocks += [f"![{name.replace('_', ' ')}]({file})", captions.figure(name, group.tested)]
    blocks += [*_after_fewer_queries(group), "### Runs", table(list(map(_run, group.parts)))]
    settings = table([_settings(study) for study in group.parts], text=True)
    if any(_settings(study)["Settings"] for study in group.parts):
        blocks += ["### Settings that are not as they are by default", settings]
    return [*blocks, "### Versions", _versions(group)]


def _each_once(say: Callable[[Mapping], str], parts: Sequence[FinishedStudy]) -> str:
    """Returns what is said of some studies by their summaries."""
    return "; ".join(dict.fromkeys(filter(None, (say(part.summary) for part in parts))))


def _result(group: Section, index: int) -> dict[str, str]:
    """Returns a study's row of the table of results."""
    study, found = group.studies[index], group.outcomes[index]
    moments, known = _moments(study, found), np.isfinite(found[group.accuracy])
    means = {name: plus_minus(one.mean, one.std) for name, one in moments.items()}
    bold = "**" * _is_leading(group, index)
    means[group.accuracy] = f"{bold}{means[group.accuracy]}{bold}"
    published, between = group.published(study), moments[group.accuracy].between
    is_reference = index == group.reference and len(group.studies) > 1
    between = "" if np.isnan(between) else f"± {percent(between, 2, unit='')} "
    return {
        "Study": escaped(study.label),
        "Runs": f"{known.sum():,}" + ("" if known.all() else f" of {known.size:,}"),
        "Validation accuracy (%)": means["validation_accuracy"],
        "Reported validation (%)": _reported(study) if group.same_budget else "",
        "Test accuracy (%)": means["test_accuracy"],
        "Between models": f"{between}({count(len(study.models), 'model')})" * bool(study.models),
        "Published test (%)": published.text if published else "",
        "Test regret (%)": percent(moments["test_regret"].mean, 3, unit=""),
        "Validation regret (%)": _validation_regret(group, moments),
        "Difference (points) [95 % CI]": "reference" * is_reference,
    } | _contrast(group.contrasts[index])


def _moments(study: FinishedStudy, found: Mapping[str, np.ndarray]) -> dict[str, Moments]:
    return {name: study.moments(values) for name, values in found.items()}


def _validation_regret(group: Section, moments: Mapping[str, Moments]) -> str:
    """Returns the regret of a table without test accuracy, else ""."""
    return "" if group.tested else percent(moments["validation_regret"].mean, 3, unit="")


def _is_leading(group: Section, index: int) -> bool:
    """Returns whether a study is the best, or could as well be, by the tests against the best."""
    contrast = group.contrasts[index]
    if len(group.studies) == 1 or not np.isfinite(group.outcomes[0][group.accuracy]).any():
        return False
    if group.reference != 0 or contrast is None:
        return index == 0
    return contrast.adjusted_p >= LEVEL


def _contrast(contrast: Contrast | None) -> dict[str, str]:
    if contrast is None:
        return dict.fromkeys(("p (Holm)", "Test", "P(better)"), "")
    difference = f"{100 * contrast.difference:+.2f}"
    if not np.isnan(contrast.low):
        difference += f" [{100 * contrast.low:+.2f}, {100 * contrast.high:+.2f}]"
    p = contrast.adjusted_p
    return {
        "Difference (points) [95 % CI]": difference.replace("-", "−"),
        "p (Holm)": "" if np.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}",
        "Test": contrast.test.split(" ")[0],
        "P(better)": f"{contrast.superiority:.2f}",
    }


def _reported(study: FinishedStudy) -> str:
    """Returns the validation accuracy a benchmark reports where its searches see another, or ""."""
    points = [part.summary["incumbent"] for part in study.parts]
    if any(point.get(f"{_REPORTED}_mean") is None for point in points):
        return ""
    means, stds = (
        np.array([point.get(f"{_REPORTED}_{of}") for point in points], np.float64)
        for of in ("mean", "std")
    )
    runs = np.array([part.curves.num_runs for part in study.parts])
    within = np.sum((runs - 1) * stds**2) / max(1, np.sum(runs - 1))
    return plus_minus(np.average(means, weights=runs), np.sqrt(within))


def _after_fewer_queries(group: Section) -> list[str]:
    """Returns heading, caption and table; nothing where no query counts less than the last."""
    counts = [n for n in query_counts(group.endpoint.queries or 1).tolist() if n >= _FIRST]
    if len(counts) < 2:
        return []
    rows, any_published = [{"Study": escaped(study.label)} for study in group.studies], False
    for n in counts:
        reached = [outcome(study.curves, Endpoint(n, None)) for study in group.studies]
        found = [s.moments(o[group.accuracy]) for s, o in zip(group.studies, reached)]
        best = int(np.argmax(np.nan_to_num([moments.mean for moments in found])))
        for index, (study, moments) in enumerate(zip(group.studies, found)):
            published = study.notes.after(study.summary, n, group.endpoint.cost_sec)
            any_published |= published is not None
            bold = "**" * (index == best and len(rows) > 1)
            text = f"{bold}{plus_minus(*moments)}{bold}"
            rows[index][f"{n:,}"] = text + (f" ({published.text})" if published else "")
    caption = captions.fewer_queries(group.tested, any_published)
    return ["### After fewer queries", caption, table(rows)]


def _run(study: FinishedStudy) -> dict[str, str]:
    """Returns a study's row of the table of runs."""
    summary, model = study.summary, study.summary["model"]
    weights = model and f"seed {model.get('pretrain_seed', '–')}, {model['weights'][:8]}"
    return {
        "Study": escaped(study.label),
        "Runs": f"{study.curves.num_runs:,}",
        "Seeds": " to ".join(map(str, dict.fromkeys((study.seeds[0], study.seeds[-1])))),
        "Budget": budget(summary["query_budget"], summary["cost_budget_sec"]),
        "Queries": plain(summary["num_queries_mean"]),
        "Cost of a run": cost(summary) if summary["evaluation_cost_sec_mean"] else "",
        "Wall time": duration(summary["wall_sec"]),
        "Search alone": duration(summary.get("search_sec")),
        "Model": weights or "",
        "Directory": escaped(str(study.directory)),
    }


def _settings(study: FinishedStudy) -> dict[str, str]:
    lines = [line for name, line in study.changed.items() if name not in _NOT_SETTINGS]
    return {"Study": escaped(study.label), "Settings": escaped(" ".join(lines))}


def _versions(group: Section) -> str:
    """Returns which versions the studies were made with."""
    studies: dict[str, list[str]] = {}
    for study in group.parts:
        versions = study.summary["versions"]
        text = ", ".join(f"{name} {version}" for name, version in versions.items())
        studies.setdefault(text, []).append(study.label)
    return facts({
        escaped(", ".join(labels)) if len(studies) > 1 else "All studies": escaped(versions)
        for versions, labels in studies.items()
    })
