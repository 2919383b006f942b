"""Numbers, tables and data sets in words, as a report prints them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PUBLISHED_DATASETS = ("cifar10", "cifar100", "imagenet16-120")  # papers have numbers of these
DASH = "–"  # where there is no number
_DATASETS = {
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "imagenet16-120": "ImageNet-16-120",
    "digits": "handwritten digits",
    "tinyimagenet": "Tiny-ImageNet",
    "imagenet": "ImageNet",
    "folder": "a folder of images",
    "unknown": "a data set this table does not name",
}
_NOT_COMPARABLE = "not comparable with published NAS-Bench results.**"
_DISCLAIMERS = {
    **dict.fromkeys(PUBLISHED_DATASETS, ""),
    "synthetic": "**The accuracies in this table are invented: the results below mean nothing.**",
    "unknown": "**This table does not name the data set its networks were trained on: the numbers "
    f"are {_NOT_COMPARABLE}",
}


def table(rows: Sequence[Mapping[str, str]], *, text: bool = False) -> str:
    """Returns a table in Markdown; nothing without rows.

    Args:
        rows: heading -> entry, the same headings in each. An empty entry is a dash, and a column of
            dashes is left out.
        text: sets all columns to the left, not the first alone.
    """
    if not rows:
        return ""
    names = [name for name in rows[0] if any(row[name] not in ("", DASH) for row in rows)]
    rule = [":--", *[":--" if text else "--:"] * (len(names) - 1)]
    lines = [names, rule, *([row[name] or DASH for name in names] for row in rows)]
    return "\n".join(map(_line, lines))


def facts(values: Mapping[str, str]) -> str:
    """Returns a table of keys and values; what has no value is left out."""
    known = [[key, value] for key, value in values.items() if value not in ("", DASH)]
    return "\n".join(map(_line, [["", ""], [":--", ":--"], *known]))


def duration(seconds: float | None) -> str:
    """Returns seconds with three digits: 0.42 s, 12.3 min, 4.5 h, 12.0 days; "" for None."""
    if is_missing(seconds):
        return ""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / 86400:,.1f} days"


def number(mean: float | None, std: float | None, digits: int) -> str:
    """Returns 2.91 ± 0.13 with so many digits; without a deviation 2.91, without a mean a dash."""
    if is_missing(mean):
        return DASH
    return f"{mean:.{digits}f}" + ("" if is_missing(std) else f" ± {std:.{digits}f}")


def percent(value: float | None, digits: int, unit: str = " %") -> str:
    """Returns a fraction in per cent, 94.10 %; a dash where it is missing."""
    return DASH if is_missing(value) else f"{100 * value:.{digits}f}{unit}"


def plus_minus(
    mean: float | None, std: float | None, between: float | None = None, unit: str = ""
) -> str:
    """Returns fractions in per cent, 94.10 ± 0.21, models ± 0.05; a dash without a mean.

    The deviation is of runs, within models where there are several; that of the models' means is
    `between`. Either is left out where it is missing.
    """
    if is_missing(mean):
        return DASH
    text = number(100 * mean, None if is_missing(std) else 100 * std, 2)
    return text + ("" if is_missing(between) else f", models ± {100 * between:.2f}") + unit


def trained_for(summary: Mapping[str, Any]) -> str:
    """Returns the training epochs behind a study's accuracies: "108 epochs"."""
    search, report = summary["search_epochs"], summary["report_epochs"]
    if search == report:
        return count(report, "epoch")
    return f"searched after {count(search, 'epoch')}, reported after {report}"


def budget(queries: int | None, cost_sec: float | None) -> str:
    """Returns the budget of a run: "150 queries or 12,000 s of evaluation cost"."""
    limits = [] if queries is None else [count(queries, "query", "queries")]
    limits += [] if cost_sec is None else [f"{cost_sec:,.0f} s of evaluation cost"]
    return " or ".join(limits)


def count(number_of: float, one: str, many: str = "") -> str:
    """Returns a number and its noun, "2,532 cells"; its plural ends in s where none is given."""
    return f"{plain(number_of)} {one if number_of == 1 else many or one + 's'}"


def plain(value: float | None, digits: int = 1) -> str:
    """Returns a rounded number without a needless ".0", 2,532 or 2.5; "" where it is missing."""
    return "" if is_missing(value) else f"{round(value, digits):,}".removesuffix(".0")


def is_missing(value: Any) -> bool:
    """Returns whether a number was not measured: None, or NaN."""
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def escaped(text: str) -> str:
    """Returns a name as Markdown shows it unchanged, whatever signs it holds."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#~])", r"\\\1", text)


def table_in_words(summary: Mapping[str, Any]) -> str:
    """Returns a table's name, how many cells it has and how they were trained."""
    cells, dataset = count(summary["table_num_cells"], "cell"), summary["dataset"]
    data = f", trained on {dataset_name(dataset)}"
    data = " with invented accuracies" if dataset == "synthetic" else data
    return f"{escaped(summary['table'])}: {cells}{data}, {trained_for(summary)}"


def neighbours_in_words(summary: Mapping[str, Any]) -> str:
    """Returns what a strategy took for neighbours in a table of a part of a space; else ""."""
    edits = summary.get("settings", {}).get("neighbour_edits")
    measured, every = summary["table_num_cells"], summary.get("space_num_cells") or 0
    if edits is None or measured >= every:
        return ""
    rule = "those in the table alone" if edits == 1 else "of a cell without any, those two edits away"
    return f"{rule} (neighbour_edits={edits}): the table has {measured:,} of {every:,} cells"


def second_looks_in_words(summary: Mapping[str, Any]) -> str:
    """Returns that a strategy has cells measured again; "" where none are."""
    if not (summary.get("measures_again") and summary.get("settings", {}).get("gp_second_looks")):
        return ""
    return (
        "a cell that leads is measured once more, by another training, and counts with the mean of "
        "both; what was shown is not what is reported"
    )


def without_test_accuracy(summary: Mapping[str, Any]) -> str:
    """Returns that a study's table has no test accuracy; "" where it has."""
    return next((note for note in summary.get("notes", ()) if "no test accuracy" in note), "")


def cost(summary: Mapping[str, Any]) -> str:
    """Returns what a study's run spent by its table, or that it has no training times."""
    without = (note for note in summary.get("notes", ()) if "no training times" in note)
    return next(without, "") or duration(summary["evaluation_cost_sec_mean"])


def dataset_name(dataset: str) -> str:
    """Returns a data set's name as it is written in text."""
    return _DATASETS.get(dataset, dataset)


def disclaimer(dataset: str) -> str:
    """Returns what must not be read into the numbers; nothing where papers have such numbers."""
    other = f"**These networks were trained on {dataset_name(dataset)}: the numbers say nothing "
    return _DISCLAIMERS.get(dataset, f"{other}about CIFAR-10 and are {_NOT_COMPARABLE}")


def _line(cells: Sequence[str]) -> str:
    escaped_cells = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped_cells)} |"
