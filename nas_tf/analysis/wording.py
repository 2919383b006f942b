"""Numbers, tables and data sets in words, as a report prints them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf.analysis.spread import by_model, model_means, pooled_std, spread

PUBLISHED_DATASETS = ("cifar10", "cifar100", "imagenet16-120")  # papers have numbers of these
_SYNTHETIC = "synthetic"
_UNKNOWN = "unknown"
_DATASETS = {
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "imagenet16-120": "ImageNet-16-120",
    "digits": "handwritten digits",
    _UNKNOWN: "a data set this table does not name",
}
_NOT_COMPARABLE = "not comparable with published NAS-Bench results"


def markdown_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, text: bool = False
) -> str:
    """Returns a table: the first column to the left, the others to the right unless of text."""
    rule = [":--", *[":--" if text else "--:"] * (len(headings) - 1)]
    lines = [headings, rule, *rows]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in escaped)


def duration(seconds: float) -> str:
    """Returns seconds in words with three digits: 0.42 s, 12.3 min, 4.5 h, 12.0 days."""
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / 86400:,.1f} days"


def percent(value: float | None, digits: int, unit: str = " %") -> str:
    """Returns a fraction in per cent, 94.10 %; a dash where it is missing."""
    return "–" if is_missing(value) else f"{100 * value:.{digits}f}{unit}"


def plus_minus(mean: float | None, std: float | None, unit: str = "") -> str:
    """Returns fractions in per cent, 94.10 ± 0.21; a dash for the deviation of one value."""
    if is_missing(mean):
        return "–"
    return f"{percent(mean, 2, unit='')} ± {percent(std, 2, unit='')}{unit}"


def mean_std(values: np.ndarray) -> str:
    """Returns mean ± sample standard deviation of fractions [R] in per cent, 94.10 ± 0.21.

    What is not finite is left out; the deviation of one value is a dash, none at all is one dash.
    """
    found = spread(values)
    return plus_minus(float(found.mean), float(found.std))


def mean_std_of_models(values: np.ndarray, models: np.ndarray) -> str:
    """Returns mean ± deviation within models, and that between them, 94.10 ± 0.21, models ± 0.05.

    Args:
        values: fractions, float [R].
        models: the model of every run, int [R]; of one model `mean_std` is returned.
    """
    if not np.any(models):
        return mean_std(values)
    groups = by_model(values, models)
    between = percent(float(spread(model_means(groups)).std), 2, unit="")
    mean = plus_minus(float(spread(values).mean), pooled_std(groups))
    return mean if mean == "–" else f"{mean}, models ± {between}"


def trained_for(summary: Mapping[str, Any]) -> str:
    """Returns the training epochs behind a study's accuracies: "108 epochs"."""
    search, report = summary["search_epochs"], summary["report_epochs"]
    if search == report:
        return count(report, "epoch")
    return f"searched after {count(search, 'epoch')}, reported after {report}"


def count(number: float, one: str, many: str = "") -> str:
    """Returns a number and its noun: 1 query, 2,532 cells, 2.5 queries.

    Args:
        number: how many.
        one: the noun's singular.
        many: its plural; the singular and an s when not given.
    """
    digits = f"{number:,}".removesuffix(".0")
    return f"{digits} {one if number == 1 else many or one + 's'}"


def is_missing(value: Any) -> bool:
    """Returns whether a number was not measured: None, or NaN."""
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def escaped(text: str) -> str:
    """Returns a name as Markdown shows it unchanged, whatever signs it holds."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]#~])", r"\\\1", text)


def table_cells(summary: Mapping[str, Any]) -> str:
    """Returns how many cells a table has and what they were trained on."""
    cells, dataset = count(summary["table_num_cells"], "cell"), summary["dataset"]
    if dataset == _SYNTHETIC:
        return f"{cells} with invented accuracies"
    return f"{cells}, trained on {dataset_name(dataset)}"


def dataset_name(dataset: str) -> str:
    """Returns a data set's name as it is written in text."""
    return _DATASETS.get(dataset, dataset)


def disclaimer(dataset: str) -> str:
    """Returns what must not be read into the numbers; nothing where papers have such numbers."""
    if dataset in PUBLISHED_DATASETS:
        return ""
    if dataset == _SYNTHETIC:
        return "**The accuracies in this table are invented: the results below mean nothing.**"
    if dataset == _UNKNOWN:
        return (
            "**This table does not name the data set its networks were trained on: the numbers "
            f"are {_NOT_COMPARABLE}.**"
        )
    return (
        f"**These networks were trained on {dataset_name(dataset)}: the numbers say "
        f"nothing about CIFAR-10 and are {_NOT_COMPARABLE}.**"
    )
