"""Numbers in words and tables, as a report prints them."""

from collections.abc import Sequence
from typing import Any

import numpy as np


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


def percent(value: float | None, digits: int, unit: str = " %") -> str:
    """Returns a fraction in per cent, 94.10 %; a dash where it is missing."""
    return "–" if is_missing(value) else f"{100 * value:.{digits}f}{unit}"


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
