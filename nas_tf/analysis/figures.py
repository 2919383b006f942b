"""Figures of studies: test regret against queries and cost, and the incumbents' accuracies.

One line a study (so that strategies can be compared in one figure): the mean over its runs, a dark
band of plus and minus one standard error of that mean, and a light band that holds the middle half
of the runs (25 to 75 % quantiles). The legend says so.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from nas_tf.analysis.canvas import INK, LINE_COLOURS, new_figure, save_figure, tidy_axes
from nas_tf.analysis.curves import Band, StudyCurves, at_costs, band, cost_grid
from nas_tf.core import ConfigError

_PANEL = (4.1, 2.65)  # inches, the height without what is below the axes


def regret_figure(studies: Mapping[str, StudyCurves]) -> Figure:
    """Returns two panels: test regret against queries, and against evaluation cost in seconds.

    The cost panel starts where every run has a feasible cell and ends at the median of the runs'
    total costs; it is a note instead where evaluations cost nothing.

    Args:
        studies: label -> curves; at most seven.

    Returns:
        The figure.

    Raises:
        ConfigError: there is no study, more than seven, or one without a known best test accuracy.
    """
    _check(studies)
    for label, curves in studies.items():
        if np.isnan(curves.best_test_accuracy):
            raise ConfigError(f"regret figure: no best test accuracy is known for {label!r}")
    bands = {label: band(curves.test_regret) for label, curves in studies.items()}
    figure, (left, right) = _panels(2, legend_rows=_legend_rows(studies))
    for colour, (label, curves) in zip(LINE_COLOURS, studies.items()):
        _draw_band(left, _queries(curves), bands[label], colour)
        grid = cost_grid(curves)
        if len(grid):
            regret = at_costs(curves.elapsed_sec, curves.test_regret, grid_sec=grid)
            _draw_band(right, grid, band(regret), colour)
    _count_axis(left, max(curves.num_queries for curves in studies.values()))
    _cost_axis(right)
    for axes in (left, right) if right.lines else (left,):
        _regret_axis(axes, list(bands.values()))
    left.set_ylabel("test regret")
    _legend(figure, studies)
    return figure


def incumbent_figure(studies: Mapping[str, StudyCurves]) -> Figure:
    """Returns two panels: validation and test accuracy of the incumbent (per cent) against queries.

    Args:
        studies: label -> curves; at most seven.

    Returns:
        The figure.

    Raises:
        ConfigError: there is no study, or more than seven.
    """
    _check(studies)
    figure, panels = _panels(2, legend_rows=_legend_rows(studies))
    for axes, name in zip(panels, ("validation_accuracy", "test_accuracy")):
        bands = [band(getattr(curves, name)) for curves in studies.values()]
        for colour, curves, curve in zip(LINE_COLOURS, studies.values(), bands):
            _draw_band(axes, _queries(curves), curve, colour)
        _count_axis(axes, max(curves.num_queries for curves in studies.values()))
        axes.set_ylabel(f"incumbent {name.replace('_', ' ')} (%)")
        axes.yaxis.set_major_locator(MaxNLocator(7, steps=(1, 2, 5, 10)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}"))
        _accuracy_limits(axes, bands)
    best = {c.best_test_accuracy for c in studies.values() if not np.isnan(c.best_test_accuracy)}
    if len(best) == 1 and any(curve.num_runs.any() for curve in bands):
        _mark_best(panels[1], best.pop())
    _legend(figure, studies)
    return figure


def training_figure(losses: Mapping[str, np.ndarray], *, ylabel: str = "loss") -> Figure:
    """Returns one panel of values against training epochs, one line each.

    The axis is logarithmic: a divergence of 100 stands beside a loss that falls to 0.0001.

    Args:
        losses: label -> float [epochs]; at most seven.
        ylabel: what the values are.

    Returns:
        The figure.

    Raises:
        ConfigError: there is nothing to draw, or more than seven lines.
    """
    _check(losses)
    figure, (axes,) = _panels(1)
    for colour, (label, values) in zip(LINE_COLOURS, losses.items()):
        epochs = np.arange(1, len(values) + 1)
        axes.plot(epochs, values, color=colour, linewidth=1.4, marker="o", ms=3, label=label)
    axes.set(xlabel="epoch", ylabel=ylabel)
    axes.set_yscale("log")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, fontsize=8)
    return figure


def save_study_figures(
    directory: str | Path, studies: Mapping[str, StudyCurves]
) -> dict[str, Path]:
    """Writes the figures of a study as PNG.

    Args:
        directory: where to.
        studies: label -> curves.

    Returns:
        "regret" and "incumbents" -> path of the file; "regret" only where the table's best test
        accuracy is known for every study.
    """
    directory = Path(directory)
    paths = {}
    if not any(np.isnan(curves.best_test_accuracy) for curves in studies.values()):
        paths["regret"] = save_figure(regret_figure(studies), directory / "regret.png")
    paths["incumbents"] = save_figure(incumbent_figure(studies), directory / "incumbents.png")
    return paths


def _check(studies: Mapping) -> None:
    if not 1 <= len(studies) <= len(LINE_COLOURS):
        raise ConfigError(f"figure: expected 1 to {len(LINE_COLOURS)} lines, got {len(studies)}")


def _panels(count: int, *, legend_rows: int = 0) -> tuple[Figure, list[Axes]]:
    """Returns a figure with panels side by side and room for a legend below."""
    below = 0.42 + 0.12 * bool(legend_rows) + 0.2 * legend_rows
    width, height = count * _PANEL[0], _PANEL[1] + below
    figure = new_figure(width, height)
    bottom = below / height
    panels = []
    for index in range(count):
        left = (index * _PANEL[0] + 0.72) / width
        rectangle = (left, bottom, (_PANEL[0] - 0.88) / width, 1 - bottom - 0.12 / height)
        panels.append(figure.add_axes(rectangle))
        tidy_axes(panels[-1])
    return figure, panels


def _queries(curves: StudyCurves) -> np.ndarray:
    return np.arange(1, curves.num_queries + 1)


def _draw_band(axes: Axes, x: np.ndarray, curve: Band, colour: str) -> None:
    """Draws one study's mean and bands as steps; a single point gets a marker."""
    marker = "o" if len(x) == 1 else None
    if curve.num_runs.max(initial=0) > 1:
        low, high = curve.mean - curve.standard_error, curve.mean + curve.standard_error
        style = {"step": "post", "color": colour, "linewidth": 0}
        axes.fill_between(x, curve.lower, curve.upper, alpha=0.16, **style)
        axes.fill_between(x, low, high, alpha=0.38, **style)
    axes.plot(x, curve.mean, drawstyle="steps-post", color=colour, linewidth=1.5, marker=marker)


def _count_axis(axes: Axes, largest: int) -> None:
    axes.set_xlabel("queries")
    _log_axis(axes, 1, largest, label_end=True)


def _cost_axis(axes: Axes) -> None:
    axes.set_xlabel("evaluation cost (s)")
    lines = [line.get_xdata() for line in axes.get_lines()]
    if lines:
        _log_axis(axes, min(x[0] for x in lines), max(x[-1] for x in lines))
    else:
        _leave_empty(axes, "no feasible cell, or evaluations cost nothing")


def _leave_empty(axes: Axes, reason: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, reason, transform=axes.transAxes, ha="center", fontsize=9, color=INK)


def _log_axis(axes: Axes, low: float, high: float, *, label_end: bool = False) -> None:
    """Makes the horizontal axis logarithmic, with ticks at 1, 2, 5, 10, ... where it is short."""
    axes.set_xscale("log")
    end = [high] if label_end else []
    if high <= low:
        low, high = low / 2, high * 2
    axes.set_xlim(low, high)
    below = end[0] / 1.35 if end else high
    ticks = _round_numbers(low, high, dense=high / low < 2000)
    kept = [tick for tick in ticks if low <= tick <= below]
    axes.xaxis.set_major_locator(FixedLocator([*kept, *end]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(_plain_number))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _round_numbers(low: float, high: float, *, dense: bool = True) -> list[float]:
    """Returns 1, 2 and 5 (only 1 if not dense) times the powers of ten that span a range."""
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    digits = (1, 2, 5) if dense else (1,)
    return [digit * 10.0**exponent for exponent in exponents for digit in digits]


def _regret_axis(axes: Axes, bands: list[Band]) -> None:
    """Makes the vertical axis logarithmic; linear near zero where a curve or band reaches it."""
    means, lowest, highest = (
        _finite(bands, name) for name in ("mean", "lower", "upper")
    )
    top = max(highest.max(initial=1e-6), means.max(initial=1e-6))
    positive = means[means > 0]
    axes.yaxis.set_major_formatter(FuncFormatter(_plain_number))
    if not len(means):
        _leave_empty(axes, "no feasible cell")
        return
    if not len(positive):
        axes.set_ylim(-0.0005, 0.01)
        return
    threshold = 10.0 ** np.floor(np.log10(positive.min()))
    ticks = _round_numbers(threshold, top)
    if means.min() <= 0 or lowest.min() < 0.5 * threshold:
        axes.set_yscale("symlog", linthresh=threshold, linscale=0.35)
        axes.set_ylim(0.0, 1.15 * top)
        ticks = [0.0, *(tick for tick in ticks if tick >= threshold)]
    else:
        axes.set_yscale("log")
        axes.set_ylim(0.9 * min(lowest.min(), positive.min()), 1.15 * top)
        ticks = _round_numbers(0.1 * threshold, top)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_minor_locator(FixedLocator([]))
    axes.yaxis.set_major_formatter(FuncFormatter(_plain_number))


def _finite(bands: list[Band], name: str) -> np.ndarray:
    """Returns the values of one field of all bands that are numbers."""
    values = np.concatenate([getattr(curve, name) for curve in bands])
    return values[np.isfinite(values)]


def _accuracy_limits(axes: Axes, bands: list[Band]) -> None:
    """Fits the vertical axis to what the bands span."""
    lowest, highest = _finite(bands, "lower"), _finite(bands, "upper")
    if not len(lowest):
        _leave_empty(axes, "no feasible cell")
        return
    low, high = lowest.min(), highest.max()
    room = max(0.04 * (high - low), 1e-3)
    axes.set_ylim(low - room, high + room)


def _mark_best(axes: Axes, best: float) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(low, max(high, best + 0.08 * (best - low)))
    axes.axhline(best, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.text(0.02, best, "best in the table", transform=axes.get_yaxis_transform(), va="bottom",
              fontsize=7.5, color=INK)


def _legend_rows(studies: Mapping[str, StudyCurves]) -> int:
    entries = len(studies) + 2 * any(curves.num_runs > 1 for curves in studies.values())
    return 1 if entries <= 3 else 2


def _legend(figure: Figure, studies: Mapping[str, StudyCurves]) -> None:
    """Puts the legend below the panels: a line a study, then what the bands are."""
    handles, labels = [], []
    for colour, (label, curves) in zip(LINE_COLOURS, studies.items()):
        handles.append(Line2D([], [], color=colour, linewidth=1.5))
        runs = f"mean of {curves.num_runs} runs" if curves.num_runs > 1 else "one run"
        labels.append(f"{label}: {runs}")
    if max(curves.num_runs for curves in studies.values()) > 1:
        colour = LINE_COLOURS[0] if len(studies) == 1 else "#555555"
        handles += [Patch(color=colour, alpha=alpha, linewidth=0) for alpha in (0.45, 0.16)]
        labels += ["± standard error of the mean", "25–75 % of the runs"]
    rows = _legend_rows(studies)
    figure.legend(
        handles,
        labels,
        loc="lower center",
        ncols=-(-len(handles) // rows),
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
        handlelength=1.8,
        columnspacing=1.6,
    )


def _plain_number(value: float, _: int) -> str:
    """Returns 0.002, 50, 20k, 3M."""
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{suffix}"
    return f"{value:g}"
