"""`report.md` of a search: what was run, what came out, how to repeat it.

Markdown as GitHub renders it, with figures beside it under relative names. Written last and in one
step, so that a report that is there is complete.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_tf.analysis.best_cells import BestCell, best_cells, cell_pictures
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.curves import study_curves
from nas_tf.analysis.drawing import draw_cells, operation_styles
from nas_tf.analysis.figures import save_study_figures
from nas_tf.analysis.measures import LONG, LOOSE, SHORT, STRICT, kind
from nas_tf.analysis.notes import PublishedAccuracy, ReportNotes
from nas_tf.analysis.wording import (
    count,
    disclaimer,
    duration,
    is_missing,
    markdown_table,
    percent,
    plus_minus,
    table_cells,
)
from nas_tf.core import History
from nas_tf.graphs import CellGraphs
from nas_tf.storage import atomic_write

_VALIDATION = {
    "random": "one randomly drawn repeat's validation accuracy of each cell it asked for",
    "mean": "the mean validation accuracy over the repeats of each cell it asked for",
}


def write_search_report(
    directory: str | Path,
    summary: Mapping[str, Any],
    *,
    history: History,
    cells: CellGraphs,
    op_names: tuple[str, ...],
    notes: ReportNotes = ReportNotes(),
) -> Path:
    """Writes `report.md` and its figures into a job's output directory.

    The figures are `regret.png`, `incumbents.png`, and `best_cells.png` and `.svg`.

    Args:
        directory: the output directory, as the job was given it.
        summary: as `summary.search_summary` returns it.
        history: every query, [R, Q].
        cells: a batch [M] that holds every cell queried, such as the table's.
        op_names: names of the operation codes.
        notes: title, published numbers, pre-training.

    Returns:
        The path of `report.md`.

    Raises:
        ConfigError: the directory cannot be written.
        DataError: a best cell is not among `cells`.
    """
    directory = Path(directory)
    best_test_accuracy = summary["best_test_accuracy"]
    best_test_accuracy = float("nan") if best_test_accuracy is None else best_test_accuracy
    curves = study_curves(history, best_test_accuracy=best_test_accuracy)
    label = notes.strategy_label or summary["strategy"]
    figures = save_study_figures(directory, {label: curves})
    best = best_cells(history)
    if best:
        pictures = cell_pictures(best, cells, op_names=op_names, num_runs=summary["num_runs"])
        drawing = draw_cells(pictures, operation_styles(op_names))
        for suffix in ("png", "svg"):
            save_figure(drawing, directory / f"best_cells.{suffix}")
    text = search_report(
        summary, directory=directory, best=best, figures=tuple(figures), notes=notes
    )
    path = directory / "report.md"
    with atomic_write(path) as handle:
        handle.write(text.encode("utf-8"))
    return path


def search_report(
    summary: Mapping[str, Any],
    *,
    directory: str | Path,
    best: Sequence[BestCell],
    figures: Sequence[str] = ("regret", "incumbents"),
    notes: ReportNotes = ReportNotes(),
) -> str:
    """Returns the text of `report.md`.

    Args:
        summary: as `summary.search_summary` returns it.
        directory: the job's output directory, for the command that repeats it.
        best: the best cells, drawn in `best_cells.png` where there are any.
        figures: which of "regret" and "incumbents" were drawn.
        notes: title, published numbers, pre-training.

    Returns:
        Markdown.
    """
    sections = [
        f"# {notes.title}",
        _what_was_run(summary, notes),
        disclaimer(summary["dataset"]),
        _headline(summary),
        _reported_validation(summary),
        _published_after_cost(summary, notes),
        "## Results",
        _results_table(summary, notes),
        _table_caption(summary, notes),
        *_figure_section(summary, figures),
        *_best_section(best, summary),
        *_pretraining_section(notes),
        *_settings_section(summary),
        *_repeat_section(Path(directory)),
        _times(summary),
        _versions(summary["versions"]),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _what_was_run(summary: Mapping[str, Any], notes: ReportNotes) -> str:
    label = notes.strategy_label or summary["strategy"]
    runs = summary["num_runs"]
    many = f"{runs:,} independent runs (study seed {summary['seed']})"
    one = f"one run (seed {summary['seed']})"
    path = f", read from `{summary['table_path']}`" if summary["table_path"] else ""
    seen = _VALIDATION.get(summary["validation"], f"validation accuracy ({summary['validation']})")
    return (
        f"**{label}** searched the **{summary['space']}** space in {many if runs > 1 else one}. "
        f"Cells were evaluated by looking them up in the table **{summary['table']}** "
        f"({table_cells(summary)}{path}). A search saw {seen}, and no test accuracy. "
        f"{_protocol(summary)}{_budget(summary)} The incumbent is the cell with the highest "
        "validation accuracy a run has seen; its test accuracy is the mean over the table's "
        "repeats. Test regret is the distance to the best mean test accuracy in the table"
        f"{_best_in_table(summary)}."
    )


def _budget(summary: Mapping[str, Any]) -> str:
    limits = []
    if summary["query_budget"] is not None:
        limits.append(count(summary["query_budget"], "query", "queries"))
    if summary["cost_budget_sec"] is not None:
        limits.append(f"{summary['cost_budget_sec']:,.0f} s of evaluation cost")
    many = summary["num_runs"] > 1
    run = "Each run" if many else "The run"
    text = f"{run} had {'a budget of ' + ' or '.join(limits) if limits else 'no budget'}"
    whichever = ", whichever was spent first" if len(limits) > 1 else ""
    made = count(round(summary["num_queries_mean"], 1), "query", "queries")
    cost = duration(summary["evaluation_cost_sec_mean"])
    made = f"; {'on average a run' if many else 'it'} made {made}, which cost {cost}"
    return f"{text}{whichever}{made} of training time by the table."


def _protocol(summary: Mapping[str, Any]) -> str:
    text = f"{summary['protocol']} " if summary.get("protocol") else (
        f"It saw accuracy after {count(summary['search_epochs'], 'epoch')} of training; reported "
        f"is test accuracy after {summary['report_epochs']}. "
    )
    *shorter, full = summary["epochs"]
    if shorter:
        shorter = " and ".join(map(str, shorter))
        text += (f"Cells were also measured after {shorter} epochs: that is a query as well, but "
                 f"only a cell measured after {full} can be the incumbent. ")
    return text


def _best_in_table(summary: Mapping[str, Any]) -> str:
    best = summary["best_test_accuracy"]
    return "" if best is None else f" ({100 * best:.2f} %)"


def _headline(summary: Mapping[str, Any]) -> str:
    point = summary["incumbent"]
    if point["test_accuracy_mean"] is None:
        return "**No run found a feasible cell.**"
    many = summary["num_runs"] > 1
    spread = f" (mean ± sample standard deviation over {summary['num_runs']:,} runs)" if many else ""
    regret = point["test_regret_mean"]
    tail = "" if regret is None else f", a {'mean ' * many}test regret of **{percent(regret, 3)}**"
    up_to = "up to " if summary["num_queries_mean"] < summary["num_queries"] else ""
    return (
        f"After {up_to}{count(summary['num_queries'], 'query', 'queries')} the incumbent reaches "
        f"**{_mean_std(point, 'test_accuracy', ' %')}** test accuracy{spread}{tail}."
    )


def _reported_validation(summary: Mapping[str, Any]) -> str:
    if summary["incumbent"].get("reported_validation_accuracy_mean") is None:
        return ""
    accuracy = _mean_std(summary["incumbent"], "reported_validation_accuracy", " %")
    return f"By the accuracy that is reported, the incumbent's validation accuracy is {accuracy}."


def _published_after_cost(summary: Mapping[str, Any], notes: ReportNotes) -> str:
    """Says what was published of runs with the same budget in seconds, if anything was."""
    found = notes.after_cost(summary, summary["cost_budget_sec"])
    return "" if found is None else (
        f"Published by this protocol: {found.text} % test accuracy ({found.reference})."
    )


def _results_table(summary: Mapping[str, Any], notes: ReportNotes) -> str:
    published = _published(summary, notes)
    headings = ["Queries", "Validation accuracy (%)", "Test accuracy (%)", "Test regret (%)"]
    rows = []
    for number, point in summary["curve"].items():
        row = [
            f"{int(number):,}",
            _mean_std(point, "validation_accuracy"),
            _mean_std(point, "test_accuracy"),
            percent(point["test_regret_mean"], 3, unit=""),
        ]
        if published:
            row.append(published[number].text if number in published else "–")
        rows.append(row)
    return markdown_table([*headings, "Published test (%)"] if published else headings, rows)


def _table_caption(summary: Mapping[str, Any], notes: ReportNotes) -> str:
    many = summary["num_runs"] > 1
    spread = (
        ", mean ± sample standard deviation over the runs (of regret, the mean)" if many else
        "; one run has no deviation"
    )
    sentences = [f"The incumbent after so many queries{spread}."]
    if summary.get("model"):
        sentences.append("All runs were searched with one pre-trained model.")
    published = _published(summary, notes).values()
    if published:
        sources = "; ".join(dict.fromkeys(found.reference for found in published))
        sentences.append(f"Published by this protocol: mean test accuracy ({sources}).")
    return " ".join(sentences)


def _published(
    summary: Mapping[str, Any], notes: ReportNotes
) -> dict[str, PublishedAccuracy]:
    """Returns what was published by this study's protocol, by the counts of queries we report."""
    found = {number: notes.after_queries(summary, int(number)) for number in summary["curve"]}
    return {number: value for number, value in found.items() if value is not None}


def _figure_section(summary: Mapping[str, Any], figures: Sequence[str]) -> list[str]:
    sections = []
    bands = (
        " The line is the mean over runs, the dark band one standard error of that mean, the light "
        "band holds the middle half of the runs." if summary["num_runs"] > 1 else ""
    )
    if "regret" in figures:
        sections += [
            "## Regret",
            "![Test regret against queries and against evaluation cost](regret.png)",
            f"Test regret against queries (left) and against evaluation cost (right).{bands} A run "
            "that has ended keeps its last incumbent. The cost axis begins where every run has its "
            "first feasible cell and ends at the median of what runs spent.",
        ]
    if "incumbents" in figures:
        sections += [
            "## Incumbents",
            "![Validation and test accuracy of the incumbent against queries](incumbents.png)",
            "Validation accuracy as the search saw it (left) and mean test accuracy (right) of the "
            "incumbent. The best of many noisy validation accuracies is optimistic; test accuracy "
            "played no part in any choice.",
        ]
    return sections


def _best_section(best: Sequence[BestCell], summary: Mapping[str, Any]) -> list[str]:
    if not best:
        return []
    rows = [
        [
            str(rank),
            f"`{cell.key:016x}`",
            percent(cell.validation_accuracy, 2, unit=""),
            percent(cell.test_accuracy, 2, unit=""),
            f"{cell.num_runs:,} of {summary['num_runs']:,}",
            f"{cell.num_incumbent:,}",
        ]
        for rank, cell in enumerate(best, start=1)
    ]
    headings = [
        "", "Key", "Validation (%)", "Test (%)", "Runs that queried it", "Runs that ended with it"
    ]
    return [
        "## Best cells",
        "The cells of highest validation accuracy (a mean over the runs that queried the cell).",
        "![The best cells](best_cells.png)",
        markdown_table(headings, rows),
        "The same drawing for papers: [best_cells.svg](best_cells.svg).",
    ]


def _pretraining_section(notes: ReportNotes) -> list[str]:
    quality = notes.pretraining
    if quality is None:
        return []
    published, source = _published_pretraining(notes), notes.published_pretraining_source
    rows = []
    for name in (name for pair in zip(LOOSE, STRICT) for name in pair):
        if name in quality:
            title = f"{SHORT[name].capitalize()} ({kind(name)}: {LONG[name]})"
            row = [title, percent(quality[name], 2, unit="")]
            rows.append([*row, percent(published.get(name), 2, unit="")] if published else row)
    facts = ", ".join(_pretraining_facts(quality))
    headings = ["", "Here (%)", "Published (%)"] if published else ["", "Here (%)"]
    return [
        "## Pre-training",
        f"The embedding was learned without any accuracy{': ' * bool(facts)}{facts}.",
        markdown_table(headings, rows) if rows else "",
        f"Published: {source}." if published and source else "",
    ]


def _published_pretraining(notes: ReportNotes) -> Mapping[str, float]:
    """Returns the published qualities where our model saw as many cells."""
    same = notes.pretraining.get("num_cells") == notes.published_pretraining_cells
    return notes.published_pretraining if same else {}


def _pretraining_facts(quality: Mapping[str, Any]) -> list[str]:
    """Returns those that were measured; a number may be absent, None or NaN."""
    known = {name: value for name, value in quality.items() if not is_missing(value)}
    facts = []
    if "num_cells" in known:
        facts.append(count(known["num_cells"], "cell"))
    if "epochs" in known:
        facts.append(count(known["epochs"], "epoch"))
    if "seed" in known:
        facts.append(f"seed {known['seed']}")
    if "graphs_per_sec" in known:
        facts.append(count(round(known["graphs_per_sec"]), "graph") + " per second")
    return facts


def _settings_section(summary: Mapping[str, Any]) -> list[str]:
    """Returns the settings that decide the result and are not as they are by default."""
    changed = summary.get("changed_settings")
    if not changed:
        return []
    return [
        "## Settings",
        f"Not as they are by default: {', '.join(f'`{line}`' for line in changed)}. All that decide "
        "the result are in `summary.json`.",
    ]


def _repeat_section(directory: Path) -> list[str]:
    flagfile = shlex.quote(f"--flagfile={directory / 'config.flags'}")
    return [
        "## How to repeat it",
        f"```\npython -m nas_tf.main {flagfile} --output_dir=ANOTHER_DIRECTORY\n```",
        "`config.flags` holds every setting, with absolute paths; another output directory is needed because this one "
        "holds a finished job. The numbers are in `summary.json`, every query of every run in "
        "`trace.npz`.",
    ]


def _times(summary: Mapping[str, Any]) -> str:
    """Returns the times; only that of the search includes what was before an interruption."""
    text = f"Wall time of the job since its last start: {duration(summary['wall_sec'])}."
    if is_missing(summary.get("search_sec")):
        return text
    return f"{text} Search alone, over all starts: {duration(summary['search_sec'])}."


def _versions(versions: Mapping[str, str]) -> str:
    return "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "."


def _mean_std(point: Mapping[str, Any], name: str, unit: str = "") -> str:
    return plus_minus(point[f"{name}_mean"], point[f"{name}_std"], unit)
