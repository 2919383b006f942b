"""Figures of studies: regret against queries and cost, incumbents, final regrets.

One line a study (so that strategies can be compared in one figure): the mean over its runs, a dark
band of plus and minus one standard error of that mean, and a light band that holds the middle half
of the runs (25 to 75 % quantiles), which is left out where more than three studies would cover each
other. The legend says so. Beyond seven studies, lines are told apart by their dashes as well.

Every figure takes a mapping of labels and raises ConfigError where it is empty or has more than
`MAX_LINES`. Shapes: R runs, G points of a curve.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nas_tf.analysis.canvas import (
    INK, LINES, MAX_LABEL, add_legend, leave_empty, log_scale, new_panels, save_figure,
)
from nas_tf.analysis.curves import StudyCurves, at_costs, cost_grid
from nas_tf.analysis.spread import spread
from nas_tf.core import ConfigError, ceil_div

MAX_LINES = len(LINES)

_MAX_QUARTILES = 3  # studies whose light bands still leave each other visible
_NOTHING = "no feasible cell"


def regret_figure(studies: Mapping[str, StudyCurves]) -> Figure:
    """Returns regret against queries and, where evaluations cost anything, against their cost.

    It is of test accuracy, or of validation accuracy where there is no other. The cost panel starts where every run has a feasible cell and ends at the median of the runs'
    total costs.

    Raises:
        ConfigError: regrets are not known, or not of the same accuracy, for every study.
    """
    _check(studies)
    for label, curves in studies.items():
        if curves.regret is None:
            raise ConfigError(f"regret figure: no best test accuracy is known for {label!r}")
    name = regret_of(studies)
    if name is None:
        raise ConfigError("regret figure: some studies have no test accuracy, others have")
    grids = [cost_grid(curves) for curves in studies.values()]
    costs = np.concatenate(grids)
    figure, panels = _new_panels(studies, 1 + bool(len(costs)))
    _draw_by_query(panels[0], studies, name)
    panels[0].set_ylabel(name.replace("_", " "))
    if len(costs):
        for line, curves, grid in zip(LINES, studies.values(), grids):
            regret = at_costs(curves.elapsed_sec, getattr(curves, name), grid_sec=grid)
            _draw_band(panels[1], grid, regret, line, len(studies))
        log_scale(panels[1], "x", costs.min(), costs.max())
        panels[1].set_xlabel("evaluation cost (s)")
    means = np.concatenate([line.get_ydata() for line in panels[0].lines])
    least = means[means > 0].min(initial=np.inf)
    for axes in panels:
        _scale_regrets(axes, "y", *panels[0].dataLim.intervaly, least=least)
    return figure


def study_figure(studies: Mapping[str, StudyCurves]) -> Figure:
    """Returns the regret of studies; their incumbents where it is not known of all of them."""
    known = bool(studies) and regret_of(studies) is not None
    return regret_figure(studies) if known else incumbent_figure(studies)


def regret_of(studies: Mapping[str, StudyCurves]) -> str | None:
    """Returns the regret that all studies have, see `StudyCurves.regret`; None where it differs."""
    names = {curves.regret for curves in studies.values()}
    return names.pop() if len(names) == 1 else None


def incumbent_figure(studies: Mapping[str, StudyCurves]) -> Figure:
    """Returns validation and, where known, test accuracy of the incumbent against queries."""
    _check(studies)
    tested = any(curves.tested for curves in studies.values())
    names = ("validation_accuracy", "test_accuracy")[: 1 + tested]
    figure, panels = _new_panels(studies, len(names))
    for axes, name in zip(panels, names):
        _draw_by_query(axes, studies, name)
        axes.set_ylabel(f"incumbent {name.replace('_', ' ')} (%)")
        axes.yaxis.set_major_locator(MaxNLocator(7, steps=(1, 2, 5, 10)))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=""))
        if not np.isfinite(axes.dataLim.y1):
            leave_empty(axes, _NOTHING)
    best = {getattr(curves, f"best_{names[-1]}") for curves in studies.values()}
    if len(best) == 1 and np.isfinite([*best, panels[-1].dataLim.y1]).all():
        _draw_best(panels[-1], *best)
    return figure


def distribution_figure(regrets: Mapping[str, np.ndarray], name: str = "test_regret") -> Figure:
    """Returns the empirical distribution of the runs' final regret (arch2vec, figure 6 right).

    The line of a study is at height y where a share y of its runs ended with at most that regret.

    Args:
        regrets: label -> float [R], NaN for a run without a feasible cell, which counts among the
            runs and ends with no regret.
        name: which regret it is, see `StudyCurves.regret`.
    """
    _check(regrets)
    figure, (axes,) = new_panels(1, width_in=8.2, height_in=max(3.0, 0.2 * len(regrets) + 0.2))
    finite = np.concatenate(list(regrets.values()))
    finite = finite[np.isfinite(finite)]
    for line, values in zip(LINES, regrets.values()):
        axes.ecdf(np.nan_to_num(values, nan=1e9), **line)  # beyond the end of the axis
    label = f"{name.replace('_', ' ')} at the end"
    axes.set(xlabel=label, ylabel="share of the runs", ylim=(0.0, 1.02))
    # A few lucky runs do not stretch the axis.
    least = np.quantile(finite[finite > 0], 0.05) if finite.any() else 0.0
    ends = finite.min(initial=np.inf), finite.max(initial=-np.inf)
    _scale_regrets(axes, "x", *ends, least=least)
    handles = [Line2D([], [], **line) for line, _ in zip(LINES, regrets)]
    add_legend(figure, handles, list(regrets), loc="outside right upper")
    return figure


def training_figure(losses: Mapping[str, np.ndarray]) -> Figure:
    """Returns one panel of losses, float [epochs] each, against training epochs.

    The axis is logarithmic: a divergence of 100 stands beside a loss that falls to 0.0001.
    """
    _check(losses)
    figure, (axes,) = new_panels(1)
    for line, values in zip(LINES, losses.values()):
        axes.plot(np.arange(1, len(values) + 1), values, marker="o", markersize=3, **line)
    axes.set(xlabel="epoch", ylabel="loss", yscale="log")
    axes.xaxis.get_major_locator().set_params(integer=True)
    add_legend(axes, axes.lines, list(losses))
    return figure


def save_study_figures(
    directory: str | Path, studies: Mapping[str, StudyCurves]
) -> dict[str, Path]:
    """Writes `regret.png`, where the best accuracy is known, and `incumbents.png`.

    Returns:
        "regret" and "incumbents" -> path of the file.
    """
    figures = {"regret": regret_figure, "incumbents": incumbent_figure}
    if regret_of(studies) is None:
        del figures["regret"]
    return {
        name: save_figure(draw(studies), Path(directory) / f"{name}.png")
        for name, draw in figures.items()
    }


def _draw_best(axes: Axes, value: float) -> None:
    """Draws the best accuracy of a table."""
    axes.axhline(value, color=INK, linewidth=0.8, linestyle="dashed")
    axes.annotate("best in the table", (0.02, value), xycoords=("axes fraction", "data"),
                  va="bottom", fontsize=7.5, color=INK)


def _check(studies: Mapping) -> None:
    if not 1 <= len(studies) <= MAX_LINES:
        raise ConfigError(f"figure: expected 1 to {MAX_LINES} lines, got {len(studies)}")


def _draw_by_query(axes: Axes, studies: Mapping[str, StudyCurves], name: str) -> None:
    for line, curves in zip(LINES, studies.values()):
        queries = np.arange(1, curves.num_queries + 1)
        _draw_band(axes, queries, getattr(curves, name), line, len(studies))
    log_scale(axes, "x", 1, max(curves.num_queries for curves in studies.values()), end=True)
    axes.set_xlabel("queries")


def _draw_band(
    axes: Axes, x: np.ndarray, values: np.ndarray, line: Mapping, num_studies: int
) -> None:
    """Draws mean and bands of values [R, G] as steps; a single point gets a marker."""
    found = spread(values)
    known = found.count > 0
    x, mean, values = x[known], found.mean[known], values[:, known]
    if len(x) and len(values) > 1:
        style = {"step": "post", "color": line["color"], "linewidth": 0}
        error = np.nan_to_num(found.std[known]) / np.sqrt(found.count[known])
        axes.fill_between(x, mean - error, mean + error, alpha=0.38, **style)
        if num_studies <= _MAX_QUARTILES:
            lower, upper = np.nanquantile(values, (0.25, 0.75), axis=0)
            axes.fill_between(x, lower, upper, alpha=0.16, **style)
    axes.plot(x, mean, drawstyle="steps-post", marker="o" if len(x) == 1 else None, **line)


def _scale_regrets(
    axes: Axes, which: str, lowest: float, highest: float, *, least: float
) -> None:
    """Makes an axis of regrets logarithmic; linear near zero where a curve or band reaches it.

    `least` is the smallest positive value that is to be read.
    """
    if not np.isfinite(highest):
        leave_empty(axes, _NOTHING)
    elif highest <= 0:
        axes.set(**{f"{which}lim": (-0.0005, 0.01)})
    elif lowest < 0.5 * least:
        log_scale(axes, which, 0.0, highest, least=least)
    else:
        log_scale(axes, which, 0.9 * lowest, highest)


def _new_panels(studies: Mapping[str, StudyCurves], count: int) -> tuple[Figure, list[Axes]]:
    """Returns panels with a legend: a line a study with its runs, then what the bands are.

    It stands below several panels, and beside a single one.
    """
    runs = [curves.num_runs for curves in studies.values()]
    labels = [f"{label} ({number} run{'s' * (number > 1)})" for label, number in zip(studies, runs)]
    handles = [Line2D([], [], **line) for line, _ in zip(LINES, studies)]
    if max(runs) > 1:
        labels.append("mean ± standard error")
        handles.append(Patch(color="#555555", alpha=0.45, linewidth=0))
        if len(studies) <= _MAX_QUARTILES:
            labels.append("25–75 % of the runs")
            handles.append(Patch(color="#555555", alpha=0.16, linewidth=0))
    if count == 1:
        figure, panels = new_panels(1, width_in=6.6, height_in=3.4)
        add_legend(figure, handles, labels, loc="outside right upper")
        return figure, panels
    longest = min(max(map(len, labels)), MAX_LABEL)
    columns = max(1, int(4.1 * count / (0.5 + 0.062 * longest)))  # inches of a legend's entry
    figure, panels = new_panels(count, height_in=2.8 + 0.2 * ceil_div(len(labels), columns))
    add_legend(figure, handles, labels, loc="outside lower center", ncols=columns)
    return figure, panels
