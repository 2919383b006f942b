"""Accuracy against what networks cost, of everything that a study saw, with the Pareto front.

A network is on the front if no other one is at least as accurate and costs less, or costs as much
and is more accurate.

Shapes: K cells.
"""

import dataclasses

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from nas_tf.analysis.canvas import LINE_COLOURS, add_legend, log_scale, new_panels

_MILLION = 1e6
_WIDE = 3.0  # of errors: ratio of the highest to the lowest above which the axis is logarithmic
_POINTS = 4000  # a scatter of more has smaller, fainter points
_FRONT = {"color": LINE_COLOURS[1], "linewidth": 1.3, "marker": "o", "markersize": 3.5}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class CostsSeen:
    """What cells cost, and how accurate they were.

    Attributes:
        parameters: int64 [K], trainable ones.
        multiply_adds: int64 [K], of one image.
        validation_accuracy: float64 [K] in [0, 1], mean over the runs that queried the cell.
    """

    parameters: np.ndarray
    multiply_adds: np.ndarray
    validation_accuracy: np.ndarray


def pareto_front(cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Returns the indices of the front, by ascending cost and accuracy, int64.

    Args:
        cost: [K], the less the better.
        accuracy: [K], the more the better. Of cells equal in both the first is on the front.
    """
    order = np.lexsort((np.arange(len(cost)), -accuracy, cost))
    best = np.maximum.accumulate(accuracy[order])
    better = np.ones(len(order), bool)
    better[1:] = accuracy[order][1:] > best[:-1]
    return order[better]


def cost_figure(seen: CostsSeen) -> Figure:
    """Returns validation accuracy against parameters and against multiply-adds, in millions.

    Args:
        seen: one cell at least.
    """
    count = len(seen.validation_accuracy)
    figure, panels = new_panels(2, height_in=3.3)
    dots = {"linestyle": "none", "marker": "o", "markeredgewidth": 0, "color": LINE_COLOURS[0],
            "markersize": 2.2 if count > _POINTS else 3.2, "alpha": 0.25 if count > _POINTS else 0.45}
    for axes, name in zip(panels, ("parameters", "multiply_adds")):
        _draw(axes, getattr(seen, name) / _MILLION, seen.validation_accuracy, dots)
        axes.set_xlabel(f"{name.replace('_', '-')} (millions)")
        axes.set_ylabel("validation accuracy (%)")
    handles = [Line2D([], [], **dots), Line2D([], [], **_FRONT)]
    labels = [f"{count:,} network{'s' * (count > 1)} seen", "Pareto front"]
    add_legend(figure, handles, labels, loc="outside lower center", ncols=2)
    return figure


def _draw(axes: Axes, cost: np.ndarray, accuracy: np.ndarray, dots: dict) -> None:
    """Draws cells and their front; errors, which the axis shows as accuracies."""
    front = pareto_front(cost, accuracy)
    axes.plot(cost, 1 - accuracy, rasterized=True, **dots)
    # Up to the cost of the next one, the last one's accuracy is what can be had.
    axes.plot(cost[front], 1 - accuracy[front], drawstyle="steps-post", **_FRONT)
    log_scale(axes, "x", 0.92 * cost.min(), cost.max())
    _scale_errors(axes, 1 - accuracy)


def _scale_errors(axes: Axes, errors: np.ndarray) -> None:
    """Turns an axis of errors upside down, labelled by accuracies; logarithmic where it is wide."""
    low, high = errors.min(), errors.max()
    if low > 0 and high / low > _WIDE:
        axes.set_yscale("log")
        axes.set_ylim(high * 1.08, low / 1.08)
        subs = (1, 2, 5) if high / low > 20 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8)
        axes.yaxis.set_major_locator(LogLocator(subs=subs))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        room = max(0.05 * (high - low), 1e-3)  # at least: ticks have two decimals of a per cent
        axes.set_ylim(high + room, low - room)
        axes.yaxis.set_major_locator(MaxNLocator(7, steps=(1, 2, 5, 10)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{100 * (1 - error):.4g}"))
