"""Figures of studies: test regret against queries and cost, incumbents, final regrets.

One line a study (so that strategies can be compared in one figure): the mean over its runs, a dark
band of plus and minus one standard error of that mean, and a light band that holds the middle half
of the runs (25 to 75 % quantiles), which is left out where more than three studies would cover each
other. The legend says so. Beyond seven studies, lines are told apart by their dashes as well.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from nas_tf.analysis.canvas import INK, LINE_COLOURS, new_figure, save_figure, tidy_axes
from nas_tf.analysis.curves import Band, StudyCurves, at_costs, band, cost_grid
from nas_tf.analysis.scales import leave_empty, log_axis, scale_regrets
from nas_tf.core import ConfigError

_PANEL = (4.1, 2.65)  # inches, the height without what is below the axes
_WIDTH = 2 * _PANEL[0]
_DASHES = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)))
_LINES = [(colour, dashes) for dashes in _DASHES for colour in LINE_COLOURS]
MAX_LINES = len(_LINES)
_MAX_QUARTILES = 3  # studies whose light bands still leave each other visible
_MARGIN = 3.4  # inches, for a legend at the side
_MAX_LABEL = 44  # characters of a study's name in a legend


def regret_figure(studies: Mapping[str, StudyCurves]) -> Figure:
    """Returns two panels: test regret against queries, and against evaluation cost in seconds.

    The cost panel starts where every run has a feasible cell and ends at the median of the runs'
    total costs; it is a note instead where evaluations cost nothing.

    Args:
        studies: label -> curves; at most `MAX_LINES`.

    Returns:
        The figure.

    Raises:
        ConfigError: there is no study, more than `MAX_LINES`, or one without a known best test
            accuracy.
    """
    _check(studies)
    for label, curves in studies.items():
        if np.isnan(curves.best_test_accuracy):
            raise ConfigError(f"regret figure: no best test accuracy is known for {label!r}")
    many = len(studies) > _MAX_QUARTILES
    bands = {label: _band(curves.test_regret, many) for label, curves in studies.items()}
    figure, (left, right) = _panels(2, legend_rows=_legend_shape(studies)[0])
    for line, (label, curves) in zip(_LINES, studies.items()):
        _draw_band(left, _queries(curves), bands[label], line)
        grid = cost_grid(curves)
        if len(grid):
            regret = at_costs(curves.elapsed_sec, curves.test_regret, grid_sec=grid)
            _draw_band(right, grid, _band(regret, many), line)
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
        studies: label -> curves; at most `MAX_LINES`.

    Returns:
        The figure.

    Raises:
        ConfigError: there is no study, or more than `MAX_LINES`.
    """
    _check(studies)
    figure, panels = _panels(2, legend_rows=_legend_shape(studies)[0])
    for axes, name in zip(panels, ("validation_accuracy", "test_accuracy")):
        many = len(studies) > _MAX_QUARTILES
        bands = [_band(getattr(curves, name), many) for curves in studies.values()]
        for line, curves, curve in zip(_LINES, studies.values(), bands):
            _draw_band(axes, _queries(curves), curve, line)
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


def distribution_figure(regrets: Mapping[str, np.ndarray]) -> Figure:
    """Returns the empirical distribution of the runs' final test regret (arch2vec, figure 6 right).

    The line of a study is at height y where a share y of its runs ended with at most that regret.

    Args:
        regrets: label -> float [R], NaN for a run without a feasible cell, which counts among the
            runs and ends with no regret; at most `MAX_LINES`.

    Returns:
        The figure.

    Raises:
        ConfigError: there is no study, or more than `MAX_LINES`.
    """
    _check(regrets)
    figure, axes = _panel_with_margin(len(regrets))
    finite = np.concatenate([values[np.isfinite(values)] for values in regrets.values()])
    for line, values in zip(_LINES, regrets.values()):
        ended = np.sort(values[np.isfinite(values)])
        _draw_distribution(axes, ended, len(values), line, end=1.15 * finite.max(initial=0.0))
    if len(finite):
        bulk = np.quantile(finite[finite > 0], [0.05, 1.0]) if finite.any() else finite
        scale_regrets(axes, "x", bulk, finite, finite)  # a few lucky runs do not stretch the axis
        axes.set_ylim(0.0, 1.02)
    else:
        leave_empty(axes, "no feasible cell")
    axes.set(xlabel="test regret at the end", ylabel="share of the runs")
    handles = [_handle(line) for line, _ in zip(_LINES, regrets)]
    place = (1 - _MARGIN / _WIDTH, 0.98)
    _add_legend(figure, handles, list(regrets), loc="upper left", bbox_to_anchor=place)
    return figure


def training_figure(losses: Mapping[str, np.ndarray], *, ylabel: str = "loss") -> Figure:
    """Returns one panel of values against training epochs, one line each.

    The axis is logarithmic: a divergence of 100 stands beside a loss that falls to 0.0001.

    Args:
        losses: label -> float [epochs]; at most `MAX_LINES`.
        ylabel: what the values are.

    Returns:
        The figure.

    Raises:
        ConfigError: there is nothing to draw, or more than `MAX_LINES` lines.
    """
    _check(losses)
    figure, (axes,) = _panels(1)
    for (colour, dashes), (label, values) in zip(_LINES, losses.items()):
        epochs = np.arange(1, len(values) + 1)
        style = {"color": colour, "linestyle": dashes, "linewidth": 1.4}
        axes.plot(epochs, values, marker="o", ms=3, label=label, **style)
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
    if not 1 <= len(studies) <= MAX_LINES:
        raise ConfigError(f"figure: expected 1 to {MAX_LINES} lines, got {len(studies)}")


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


def _panel_with_margin(entries: int) -> tuple[Figure, Axes]:
    """Returns a figure of one panel with room for a legend to its right."""
    height = max(_PANEL[1] + 0.42, 0.2 * entries + 0.2)
    figure = new_figure(_WIDTH, height)
    bottom = 0.42 / height
    width = (_WIDTH - _MARGIN - 0.9) / _WIDTH
    axes = figure.add_axes((0.72 / _WIDTH, bottom, width, 1 - bottom - 0.12 / height))
    tidy_axes(axes)
    return figure, axes


def _queries(curves: StudyCurves) -> np.ndarray:
    return np.arange(1, curves.num_queries + 1)


def _band(values: np.ndarray, many: bool) -> Band:
    """Returns mean and spread over runs; among many studies, only how uncertain the mean is."""
    curve = band(values)
    if not many:
        return curve
    low, high = curve.mean - curve.standard_error, curve.mean + curve.standard_error
    return dataclasses.replace(curve, lower=low, upper=high)


def _draw_distribution(
    axes: Axes, regrets: np.ndarray, num_runs: int, line: tuple, *, end: float
) -> None:
    """Draws the share of `num_runs` with at most each of the sorted regrets, as far as `end`."""
    if len(regrets):
        share = np.arange(1, len(regrets) + 1) / num_runs
        x = np.concatenate([regrets[:1], regrets, [end]])
        y = np.concatenate([[0.0], share, share[-1:]])
        colour, dashes = line
        axes.plot(x, y, drawstyle="steps-post", color=colour, linestyle=dashes, linewidth=1.5)


def _draw_band(axes: Axes, x: np.ndarray, curve: Band, line: tuple) -> None:
    """Draws one study's mean and bands as steps; a single point gets a marker."""
    colour, dashes = line
    marker = "o" if len(x) == 1 else None
    if curve.num_runs.max(initial=0) > 1:
        low, high = curve.mean - curve.standard_error, curve.mean + curve.standard_error
        style = {"step": "post", "color": colour, "linewidth": 0}
        axes.fill_between(x, curve.lower, curve.upper, alpha=0.16, **style)
        axes.fill_between(x, low, high, alpha=0.38, **style)
    style = {"color": colour, "linestyle": dashes, "linewidth": 1.5}
    axes.plot(x, curve.mean, drawstyle="steps-post", marker=marker, **style)


def _count_axis(axes: Axes, largest: int) -> None:
    axes.set_xlabel("queries")
    log_axis(axes, 1, largest, label_end=True)


def _cost_axis(axes: Axes) -> None:
    axes.set_xlabel("evaluation cost (s)")
    lines = [line.get_xdata() for line in axes.get_lines()]
    if lines:
        log_axis(axes, min(x[0] for x in lines), max(x[-1] for x in lines))
    else:
        leave_empty(axes, "no feasible cell, or evaluations cost nothing")


def _regret_axis(axes: Axes, bands: list[Band]) -> None:
    """Scales the vertical axis for bands of regret."""
    means, lowest, highest = (_finite(bands, name) for name in ("mean", "lower", "upper"))
    if len(means):
        scale_regrets(axes, "y", means, lowest, highest)
    else:
        leave_empty(axes, "no feasible cell")


def _finite(bands: list[Band], name: str) -> np.ndarray:
    """Returns the values of one field of all bands that are numbers."""
    values = np.concatenate([getattr(curve, name) for curve in bands])
    return values[np.isfinite(values)]


def _accuracy_limits(axes: Axes, bands: list[Band]) -> None:
    """Fits the vertical axis to what the bands span."""
    lowest, highest = _finite(bands, "lower"), _finite(bands, "upper")
    if not len(lowest):
        leave_empty(axes, "no feasible cell")
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


def _legend(figure: Figure, studies: Mapping[str, StudyCurves]) -> None:
    """Puts the legend below the panels: a line a study, then what the bands are."""
    labels = _legend_labels(studies)
    handles = [_handle(line) for line, _ in zip(_LINES, studies)]
    colour = LINE_COLOURS[0] if len(studies) == 1 else "#555555"
    for alpha in (0.45, 0.16)[: len(labels) - len(handles)]:
        handles.append(Patch(color=colour, alpha=alpha, linewidth=0))
    _add_legend(figure, handles, labels, loc="lower center", ncols=_legend_shape(studies)[1])


def _legend_labels(studies: Mapping[str, StudyCurves]) -> list[str]:
    """Returns the entries: runs stand by the bands where all of many studies have as many."""
    runs = [curves.num_runs for curves in studies.values()]
    if max(runs) == 1:
        return [f"{label}: one run" for label in studies]
    if len(studies) > _MAX_QUARTILES and len(set(runs)) == 1:
        return [*studies, f"± standard error ({runs[0]} runs)"]
    labels = [
        f"{label}: mean of {number} runs" if number > 1 else f"{label}: one run"
        for label, number in zip(studies, runs)
    ]
    bands = ["± standard error of the mean", "25–75 % of the runs"]
    return labels + (bands if len(studies) <= _MAX_QUARTILES else bands[:1])


def _legend_shape(studies: Mapping[str, StudyCurves]) -> tuple[int, int]:
    """Returns rows and columns of the legend below the panels."""
    labels = _legend_labels(studies)
    longest = min(max(map(len, labels)), _MAX_LABEL)
    fitting = max(1, int(_WIDTH / (0.5 + 0.062 * longest)))  # inches of an entry
    rows = -(-len(labels) // fitting)
    return rows, -(-len(labels) // rows)


def _handle(line: tuple) -> Line2D:
    colour, dashes = line
    return Line2D([], [], color=colour, linestyle=dashes, linewidth=1.5)


def _add_legend(figure: Figure, handles: list, labels: list[str], **where) -> None:
    """Adds a legend; names are taken as they are, a dollar sign starts no formula."""
    style = {"frameon": False, "fontsize": 8, "borderaxespad": 0.2, "columnspacing": 1.6}
    short = [x if len(x) <= _MAX_LABEL else x[: _MAX_LABEL - 1] + "…" for x in labels]
    legend = figure.legend(handles, short, handlelength=2.2, **style, **where)
    for text in legend.get_texts():
        text.set_parse_math(False)
