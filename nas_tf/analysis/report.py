"""`report.md` of a search: what was run, what came out, how to repeat it.

Markdown as GitHub renders it, with figures beside it under relative names. Written last and in one
step, so that a report that is there is complete.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_tf.analysis.best_cells import BestCell, best_cells, cell_pictures
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.curves import study_curves
from nas_tf.analysis.drawing import draw_cells, operation_styles
from nas_tf.analysis.figures import save_study_figures
from nas_tf.core import History
from nas_tf.graphs import CellGraphs
from nas_tf.storage import atomic_write

_VALIDATION = {
    "random": "one randomly drawn repeat's validation accuracy of each cell it asked for",
    "mean": "the mean validation accuracy over the repeats of each cell it asked for",
}
_QUALITY_ROWS = (
    ("reconstruction_accuracy", "Reconstruction (cells held out, decoded without any error)"),
    ("validity", "Validity (prior samples that decode to a valid cell)"),
    ("uniqueness", "Uniqueness (distinct cells among the valid)"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportNotes:
    """What a report says beyond the study's own numbers.

    Attributes:
        title: first heading.
        strategy_label: the strategy's name in figures and text; the summary's when empty.
        published: number of queries -> published mean test accuracy in [0, 1], for a column beside
            ours; shown only where the summary's dataset is `published_dataset`.
        published_source: the paper and table of those numbers.
        published_dataset: what the published networks were trained on.
        published_pretraining_source: the paper and table of the published pre-training.
        pretraining: the pre-training's summary, for its table; none when None.
        published_pretraining: fractions under the same names as in `pretraining`, for a column.
        remarks: paragraphs to add below the results.
    """

    title: str = "Architecture search"
    strategy_label: str = ""
    published: Mapping[int, float] = dataclasses.field(default_factory=dict)
    published_source: str = ""
    published_dataset: str = "cifar10"
    pretraining: Mapping[str, Any] | None = None
    published_pretraining: Mapping[str, float] = dataclasses.field(default_factory=dict)
    published_pretraining_source: str = ""
    remarks: Sequence[str] = ()


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
        directory: the output directory.
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
    text = search_report(summary, best=best, figures=tuple(figures), notes=notes)
    path = directory / "report.md"
    with atomic_write(path) as handle:
        handle.write(text.encode("utf-8"))
    return path


def search_report(
    summary: Mapping[str, Any],
    *,
    best: Sequence[BestCell],
    figures: Sequence[str] = ("regret", "incumbents"),
    notes: ReportNotes = ReportNotes(),
) -> str:
    """Returns the text of `report.md`.

    Args:
        summary: as `summary.search_summary` returns it.
        best: the best cells, drawn in `best_cells.png` where there are any.
        figures: which of "regret" and "incumbents" were drawn.
        notes: title, published numbers, pre-training.

    Returns:
        Markdown.
    """
    sections = [
        f"# {notes.title}",
        _what_was_run(summary, notes),
        _headline(summary),
        "## Results",
        _results_table(summary, notes),
        _table_caption(summary, notes),
        *notes.remarks,
        *_figure_section(summary, figures),
        *_best_section(best, summary),
        *_pretraining_section(notes),
        "## How to repeat it",
        "```\npython -m nas_tf.main --flagfile=config.flags\n```",
        "`config.flags` beside this report holds every setting; add `--output_dir=DIRECTORY` to "
        "keep this one as it is. The numbers are in `summary.json`, every query of every run in "
        "`trace.npz`.",
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
        f"({summary['table_num_cells']:,} cells trained on {summary['dataset']}{path}). "
        f"A search saw {seen}, and no test accuracy. {_budget(summary)} "
        "The incumbent is the cell with the highest validation accuracy a run has seen; its test "
        "accuracy is the mean over the table's repeats. Test regret is the distance to the best "
        f"mean test accuracy in the table{_best_in_table(summary)}."
    )


def _budget(summary: Mapping[str, Any]) -> str:
    limits = []
    if summary["query_budget"] is not None:
        limits.append(f"{summary['query_budget']:,} queries")
    if summary["cost_budget_sec"] is not None:
        limits.append(f"{summary['cost_budget_sec']:,.0f} s of evaluation cost")
    text = f"Each run had a budget of {' or '.join(limits)}" if limits else "There was no budget"
    whichever = ", whichever ended first" if len(limits) > 1 else ""
    spent = (
        f"; on average a run made {summary['num_queries_mean']:,.1f} queries that cost "
        f"{duration(summary['evaluation_cost_sec_mean'])} of training time by the table."
    )
    return text + whichever + spent


def _best_in_table(summary: Mapping[str, Any]) -> str:
    best = summary["best_test_accuracy"]
    return "" if best is None else f" ({100 * best:.2f} %)"


def _headline(summary: Mapping[str, Any]) -> str:
    point = summary["incumbent"]
    if point["test_accuracy_mean"] is None:
        return "**No run found a feasible cell.**"
    many = summary["num_runs"] > 1
    spread = f" (mean ± standard deviation over {summary['num_runs']:,} runs)" if many else ""
    regret = point["test_regret_mean"]
    tail = "" if regret is None else f", a {'mean ' * many}test regret of **{_percent(regret, 3)}**"
    return (
        f"After {summary['num_queries']:,} queries the incumbent reaches "
        f"**{_mean_std(point, 'test_accuracy', summary)}** test accuracy{spread}{tail}."
    )


def _results_table(summary: Mapping[str, Any], notes: ReportNotes) -> str:
    published = _published(summary, notes)
    headings = ["Queries", "Validation accuracy (%)", "Test accuracy (%)", "Test regret (%)"]
    rows = []
    for count, point in summary["curve"].items():
        row = [
            f"{int(count):,}",
            _mean_std(point, "validation_accuracy", summary, unit=""),
            _mean_std(point, "test_accuracy", summary, unit=""),
            _percent(point["test_regret_mean"], 3, unit=""),
        ]
        if published:
            row.append(_percent(published.get(int(count)), 2, unit=""))
        rows.append(row)
    return markdown_table([*headings, "Published test (%)"] if published else headings, rows)


def _table_caption(summary: Mapping[str, Any], notes: ReportNotes) -> str:
    spread = " Mean ± standard deviation over runs." if summary["num_runs"] > 1 else ""
    sentences = [f"Of the incumbent after so many queries.{spread}"]
    if _published(summary, notes):
        source = f" ({notes.published_source})" if notes.published_source else ""
        sentences.append(f"Published: mean test accuracy{source}.")
    if summary["dataset"].lower().replace("-", "") != "cifar10":
        sentences.append(
            f"**These networks were trained on {summary['dataset']}: the numbers say nothing about "
            "CIFAR-10 and are not comparable with published NAS-Bench results.**"
        )
    return " ".join(sentences)


def _published(summary: Mapping[str, Any], notes: ReportNotes) -> dict[int, float]:
    """Returns the published numbers that may stand beside ours: same data, a count we report."""
    if summary["dataset"] != notes.published_dataset:
        return {}
    reported = summary["curve"]
    return {count: value for count, value in notes.published.items() if str(count) in reported}


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
            _percent(cell.validation_accuracy, 2, unit=""),
            _percent(cell.test_accuracy, 2, unit=""),
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
        "The distinct cells of highest validation accuracy (the mean of what the runs saw).",
        "![The best cells](best_cells.png)",
        markdown_table(headings, rows),
        "The same drawing for papers: [best_cells.svg](best_cells.svg).",
    ]


def _pretraining_section(notes: ReportNotes) -> list[str]:
    quality = notes.pretraining
    if quality is None:
        return []
    published, source = notes.published_pretraining, notes.published_pretraining_source
    rows = []
    for name, title in _QUALITY_ROWS:
        if name in quality:
            row = [title, _percent(quality[name], 2, unit="")]
            rows.append([*row, _percent(published.get(name), 2, unit="")] if published else row)
    facts = [
        f"{quality['num_cells']:,} cells" if quality.get("num_cells") is not None else "",
        f"{quality['epochs']} epochs" if quality.get("epochs") is not None else "",
        f"seed {quality['seed']}" if quality.get("seed") is not None else "",
    ]
    if quality.get("graphs_per_sec"):
        facts.append(f"{quality['graphs_per_sec']:,.0f} graphs per second")
    headings = ["", "Here (%)", "Published (%)"] if published else ["", "Here (%)"]
    return [
        "## Pre-training",
        f"The embedding was learned without any accuracy: {', '.join(filter(None, facts))}.",
        markdown_table(headings, rows),
        f"Published: {source}." if published and source else "",
    ]


def _times(summary: Mapping[str, Any]) -> str:
    return (
        f"Wall time of the job: {duration(summary['wall_sec'])}. Evaluation cost of one run by the "
        f"table: {duration(summary['evaluation_cost_sec_mean'])} (mean)."
    )


def _versions(versions: Mapping[str, str]) -> str:
    return "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "."


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table: the first column to the left, the others to the right."""
    rule = [":--", *["--:"] * (len(headings) - 1)]
    lines = [headings, rule, *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def duration(seconds: float) -> str:
    """Returns seconds in words with three digits: 0.42 s, 12.3 min, 4.5 h, 12.0 days."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / 86400:,.1f} days"


def _mean_std(
    point: Mapping[str, Any], name: str, summary: Mapping[str, Any], unit: str = " %"
) -> str:
    mean = point[f"{name}_mean"]
    if mean is None:
        return "–"
    if summary["num_runs"] == 1:
        return f"{100 * mean:.2f}{unit}"
    return f"{100 * mean:.2f} ± {100 * point[f'{name}_std']:.2f}{unit}"


def _percent(value: float | None, digits: int, unit: str = " %") -> str:
    return "–" if value is None else f"{100 * value:.{digits}f}{unit}"
