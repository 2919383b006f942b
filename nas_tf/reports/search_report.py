"""`report.md` of a search: what was run, what came out, how to repeat it.

Markdown as GitHub renders it, with figures beside it under relative names. Written last and in one
step, so that a report that is there is complete.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_tf.analysis.best_cells import BestCell, best_cells, cell_pictures, cells_seen
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.cost_front import CostsSeen, cost_figure
from nas_tf.analysis.curves import study_curves
from nas_tf.analysis.drawing import draw_cells, operation_styles
from nas_tf.analysis.figures import save_study_figures
from nas_tf.core import History
from nas_tf.graphs import CellGraphs, find
from nas_tf.reports import captions
from nas_tf.reports.autoencoders import HOW_TO_READ, quality_table, row_of_model
from nas_tf.reports.html_page import page, save_pictures
from nas_tf.reports.notes import Published, ReportNotes
from nas_tf.reports.wording import (
    budget, cost, disclaimer, duration, facts, neighbours_in_words, percent, plain, plus_minus,
    second_looks_in_words, table, table_in_words, without_test_accuracy,
)
from nas_tf.spaces.counting import Cost
from nas_tf.storage import atomic_write

_VALIDATION = {
    "random": "validation accuracy of one randomly drawn repeat",
    "mean": "mean validation accuracy over the repeats",
    "single": "validation accuracy of its one training",
}
_BEST_CELLS = """## Best cells

Highest validation accuracy, a mean over the runs that queried the cell. For papers: \
[best_cells.svg](best_cells.svg).

![The best cells](best_cells.png)"""
_PRETRAINING = "## Pre-training\n\nThe embedding was learned without any accuracy."
_REPEAT = """## How to repeat it

```
python -m nas_tf.main {flagfile} --output_dir=ANOTHER_DIRECTORY
```

`config.flags` holds every setting, with absolute paths; this directory holds a finished job. \
Numbers: `summary.json`; every query of every run: `trace.npz`."""

_MADE_IN_PYTHON = """\
## How it ran

Made in Python. Numbers: `summary.json`; every query of every run: `trace.npz`."""


def write_search_report(
    directory: str | Path,
    summary: Mapping[str, Any],
    *,
    history: History,
    cells: CellGraphs,
    op_names: tuple[str, ...],
    notes: ReportNotes = ReportNotes(),
    costs: Callable[[CellGraphs], Cost] | None = None,
) -> Path:
    """Writes `report.md` and its figures into a job's output directory.

    The figures are `regret.png`, `incumbents.png`, `costs.png` where costs are known, and
    `best_cells.png` and `.svg`.

    Args:
        directory: the output directory, as the job was given it.
        summary: as `analysis.summary.search_summary` returns it.
        history: every query, [R, Q].
        cells: a batch [M] that holds every cell queried, such as the table's.
        op_names: names of the operation codes.
        notes: title, published numbers, pre-training.
        costs: tells what the networks of cells [K] cost; None where nobody knows.

    Returns:
        The path of `report.md`.

    Raises:
        ConfigError: the directory cannot be written.
        DataError: a best cell is not among `cells`.
    """
    directory = Path(directory)
    curves = study_curves(
        history,
        best_test_accuracy=summary["best_test_accuracy"],
        best_validation_accuracy=summary.get("best_validation_accuracy"),
    )
    figures = save_study_figures(directory, {notes.strategy_label or summary["strategy"]: curves})
    best = best_cells(history)
    if best and costs is not None:
        seen = _costs_seen(history, cells, costs)
        figures |= {"costs": save_figure(cost_figure(seen), directory / "costs.png")}
    if best:
        pictures = cell_pictures(best, cells, op_names=op_names, num_runs=summary["num_runs"])
        save_pictures(directory, {"best_cells": draw_cells(pictures, operation_styles(op_names))})
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
    """Returns the text of `report.md`, see `write_search_report`.

    Args:
        summary: of the study.
        directory: the job's output directory, for the command that repeats it.
        best: the best cells, drawn in `best_cells.png` where there are any.
        figures: which of "regret", "incumbents" and "costs" were drawn.
        notes: title, published numbers, pre-training.
    """
    config, tested = Path(directory) / "config.flags", not without_test_accuracy(summary)
    repeat = _REPEAT.format(flagfile=shlex.quote(f"--flagfile={config}"))
    return page([
        f"# {notes.title}",
        disclaimer(summary["dataset"]),
        facts(_what_was_run(summary, notes)),
        "## Results",
        _results(summary, notes),
        captions.incumbent(tested),
        *(f"## {n.title()}\n\n![{n}]({n}.png)\n\n{captions.figure(n, tested)}" for n in figures),
        *_best_section(best, summary["num_runs"]),
        *_pretraining_section(notes.pretraining, summary["space"]),
        repeat if config.exists() else _MADE_IN_PYTHON,
        facts(_how_it_ran(summary)),
    ])


def _costs_seen(
    history: History, cells: CellGraphs, costs: Callable[[CellGraphs], Cost]
) -> CostsSeen:
    """Returns what every cell that was seen costs; `cells` [M] hold all of them."""
    seen = cells_seen(history)
    index, found = find(seen.key, cells.keys)
    cost = costs(cells[index[found]])
    return CostsSeen(
        parameters=cost.parameters,
        multiply_adds=cost.multiply_adds,
        validation_accuracy=seen.validation_accuracy[found],
    )


def _what_was_run(summary: Mapping[str, Any], notes: ReportNotes) -> dict[str, str]:
    """Returns the study in keys and values, its final incumbents first."""
    *shorter, full = map(str, summary["epochs"])
    found, limits = summary["incumbent"], (summary["query_budget"], summary["cost_budget_sec"])
    by_cost = None if summary["query_budget"] else notes.after(summary, *limits)
    published = [by_cost, *_published(summary, notes)]
    path = f", `{summary['table_path']}`" if summary["table_path"] else ""
    trained = summary["validation"] == "single" and not summary["table_path"]
    tested = found["test_accuracy_mean"] is not None
    without_test = without_test_accuracy(summary)
    feasible = found["validation_accuracy_mean"] is not None
    return {
        "Test accuracy": without_test or _mean_std(found, "test_accuracy", " %"),
        "Validation accuracy": "" if tested else _mean_std(found, "validation_accuracy", " %"),
        "Test regret": percent(found["test_regret_mean"], 3),
        "Validation regret": percent(found.get("validation_regret_mean"), 3),
        "Feasible cells": "" if feasible else "no run found any",
        "Strategy": notes.strategy_label or summary["strategy"],
        "Space": summary["space"],
        "Runs": f"{summary['num_runs']:,}, seeded from {summary['seed']}",
        "Measured by" if trained else "Table": table_in_words(summary) + path,
        "Best mean test accuracy in it": percent(summary["best_test_accuracy"], 2),
        "Best validation accuracy in it": percent(summary.get("best_validation_accuracy"), 2),
        "What a search saw": _VALIDATION.get(summary["validation"], summary["validation"]),
        "Protocol": summary.get("protocol", ""),
        "Neighbours": neighbours_in_words(summary),
        "Second looks": second_looks_in_words(summary),
        "Cells measured after": f"{', '.join(shorter)} or {full} epochs" if shorter else "",
        "Incumbents are measured after": f"{full} epochs" if shorter else "",
        "Budget of a run": budget(*limits),
        "Queries a run made": plain(summary["num_queries_mean"]),
        "Cost of them" if trained else "Cost of them, by the table": cost(summary),
        "Incumbent's reported validation accuracy": _mean_std(
            found, "reported_validation_accuracy", " %"
        ),
        "Pre-trained model": "one for all runs" if summary.get("model") else "",
        "Published by this protocol": f"{by_cost.text} % test accuracy" if by_cost else "",
        "Published": "; ".join(dict.fromkeys(one.reference for one in published if one)),
    }


def _results(summary: Mapping[str, Any], notes: ReportNotes) -> str:
    return table([
        {
            "Queries": f"{int(number):,}",
            "Validation accuracy (%)": _mean_std(point, "validation_accuracy"),
            "Test accuracy (%)": _mean_std(point, "test_accuracy"),
            "Test regret (%)": percent(point["test_regret_mean"], 3, unit=""),
            "Validation regret (%)": percent(point.get("validation_regret_mean"), 3, unit=""),
            "Published test (%)": published.text if published else "",
        }
        for (number, point), published in zip(summary["curve"].items(), _published(summary, notes))
    ])


def _published(summary: Mapping[str, Any], notes: ReportNotes) -> list[Published | None]:
    """Returns what was published by this study's protocol after each of its counts of queries."""
    cost_sec = summary["cost_budget_sec"]
    return [notes.after(summary, int(number), cost_sec) for number in summary["curve"]]


def _best_section(best: Sequence[BestCell], num_runs: int) -> list[str]:
    rows = [
        {
            "": str(rank),
            "Key": f"`{cell.key:016x}`",
            "Validation (%)": percent(cell.validation_accuracy, 2, unit=""),
            "Test (%)": percent(cell.test_accuracy, 2, unit=""),
            "Runs that queried it": f"{cell.num_runs:,} of {num_runs:,}",
            "Runs that ended with it": f"{cell.num_incumbent:,}",
        }
        for rank, cell in enumerate(best, start=1)
    ]
    return [_BEST_CELLS, table(rows)] if rows else []


def _pretraining_section(quality: Mapping[str, Any] | None, space: str) -> list[str]:
    if quality is None:
        return []
    cells, speed = plain(quality.get("num_cells")), plain(quality.get("graphs_per_sec"), 0)
    return [
        _PRETRAINING,
        quality_table([row_of_model(quality)], space),
        HOW_TO_READ,
        facts({"Cells": cells, "Graphs per second": speed}),
    ]


def _how_it_ran(summary: Mapping[str, Any]) -> dict[str, str]:
    """Returns settings, times and versions; only the search's time is over all starts."""
    changed = summary.get("changed_settings") or ()
    versions = (f"{name} {version}" for name, version in summary["versions"].items())
    return {
        "Settings that are not as they are by default": ", ".join(f"`{line}`" for line in changed),
        "Wall time of the job since its last start": duration(summary["wall_sec"]),
        "Search alone, over all starts": duration(summary.get("search_sec")),
        "Versions": ", ".join(versions),
    }


def _mean_std(point: Mapping[str, Any], name: str, unit: str = "") -> str:
    return plus_minus(point.get(f"{name}_mean"), point.get(f"{name}_std"), unit=unit)
