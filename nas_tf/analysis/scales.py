"""Axes of figures: logarithmic, with ticks at 1, 2, 5, 10, ... and plain numbers."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from nas_tf.analysis.canvas import INK


def log_axis(axes: Axes, low: float, high: float, *, label_end: bool = False) -> None:
    """Makes the horizontal axis logarithmic, with ticks at 1, 2, 5, 10, ... where it is short."""
    axes.set_xscale("log")
    end = [high] if label_end else []
    if high <= low:
        low, high = low / 2, high * 2
    axes.set_xlim(low, high)
    below = end[0] / 1.55 if end else high
    ticks = _round_numbers(low, high, dense=high / low < 2000)
    kept = [tick for tick in ticks if low <= tick <= below]
    axes.xaxis.set_major_locator(FixedLocator([*kept, *end]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(_plain_number))
    axes.xaxis.set_minor_formatter(NullFormatter())


def scale_regrets(
    axes: Axes, which: str, means: np.ndarray, lowest: np.ndarray, highest: np.ndarray
) -> None:
    """Makes an axis of regrets logarithmic; linear near zero where a curve or band reaches it.

    Args:
        axes: to be changed.
        which: "x" or "y".
        means: float [G], at least one; the finite points of the lines.
        lowest: float [H], at least one; where bands begin.
        highest: float [H], where they end.
    """
    axis = getattr(axes, f"{which}axis")
    axis.set_major_formatter(FuncFormatter(_plain_number))
    top = max(highest.max(), means.max())
    positive = means[means > 0]
    if not len(positive):
        axes.set(**{f"{which}lim": (-0.0005, 0.01)})
        return
    least = positive.min()
    threshold = max(tick for tick in _round_numbers(least, least) if tick <= least)
    if means.min() <= 0 or lowest.min() < 0.5 * threshold:
        options = {"value": "symlog", "linthresh": threshold, "linscale": 0.35}
        limits = (0.0, 1.15 * top)
        ticks = [0.0, *(tick for tick in _round_numbers(threshold, top) if tick >= threshold)]
    else:
        options = {"value": "log"}
        limits = (0.9 * min(lowest.min(), positive.min()), 1.15 * top)
        ticks = _round_numbers(0.1 * threshold, top)
    getattr(axes, f"set_{which}scale")(**options)
    axes.set(**{f"{which}lim": limits})
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(FixedLocator([]))
    axis.set_major_formatter(FuncFormatter(_plain_number))


def leave_empty(axes: Axes, reason: str) -> None:
    """Writes the reason why there is nothing to draw."""
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, reason, transform=axes.transAxes, ha="center", fontsize=9, color=INK)


def _round_numbers(low: float, high: float, *, dense: bool = True) -> list[float]:
    """Returns 1, 2 and 5 (only 1 if not dense) times the powers of ten that span a range."""
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    digits = (1, 2, 5) if dense else (1,)
    return [digit * 10.0**exponent for exponent in exponents for digit in digits]


def _plain_number(value: float, _: int) -> str:
    """Returns 0.002, 50, 20k, 3M."""
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{suffix}"
    return f"{value:g}"
