"""Figures of what an embedding knows: predictive power, distance, the map.

Figures 2 to 4 of arch2vec (Yan et al., 2020, arXiv:2006.06936). Every function takes one result an
embedding, such as "unsupervised" and "supervised", and reads arrays from its attributes. What is
not a number is left out; where nothing is left, the panel says "no data".

Accuracies are in [0, 1] and shown in per cent.

Shapes: S seeds, T thresholds, K cells, G edit distances.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from nas_tf.analysis.canvas import INK, LINE_COLOURS, new_figure, tidy_axes
from nas_tf.analysis.scales import leave_empty
from nas_tf.analysis.spread import spread
from nas_tf.core import ConfigError

MAX_EMBEDDINGS = 4
MAX_PREDICTIONS = 20_000  # points of a scatter plot; more are one blot
_DASHES = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
_LINES = tuple(zip(LINE_COLOURS, _DASHES, ("o", "s", "^", "D")))
_BOX_COLOUR = "#B3D4EA"
_COLOUR_MAP = "viridis"
_UNKNOWN_COLOUR = "#CCCCCC"
_WHITE = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}

# Inches of a panel, around it, and above and below.
_PANEL = 2.1
_LEFT, _RIGHT, _ABOVE, _BELOW = 0.58, 0.12, 0.3, 0.48


def predictive_figure(results: Mapping[str, Any]) -> Figure:
    """Returns predicted against true accuracies, and the errors above accuracy thresholds.

    One scatter plot an embedding, of one seed; then root mean squared error and Pearson's r, the
    mean over seeds with a band of one standard deviation.

    Args:
        results: label -> arrays `true` and `predicted` [K], `thresholds` [T], `rmse`, `pearson` and
            `counts` (cells above the threshold) [S, T].

    Returns:
        The figure.

    Raises:
        ConfigError: there is no embedding, more than `MAX_EMBEDDINGS`, or shapes do not fit.
    """
    shapes = {"true": "K", "predicted": "K", "thresholds": "T"}
    _check(results, shapes | dict.fromkeys(("rmse", "pearson", "counts"), "ST"))
    figure, panels = _row([*results, "RMSE (percentage points)", "Pearson's r"], below=0.62)
    scatters, (errors, correlations) = panels[:-2], panels[-2:]
    limits = _accuracy_limits(results)
    for axes, (colour, _, _), result in zip(scatters, _LINES, results.values()):
        _draw_predictions(axes, result, colour, limits)
    scatters[0].set_ylabel("predicted accuracy (%)", labelpad=2)
    for axes, name, factor in ((errors, "rmse", 100), (correlations, "pearson", 1)):
        for line, (label, result) in zip(_LINES, results.items()):
            values = factor * np.asarray(getattr(result, name), float)
            _draw_curve(axes, 100 * np.asarray(result.thresholds, float), values, line, label)
        if axes.lines:
            _threshold_axis(axes, results)
        else:
            leave_empty(axes, "no data")
    if errors.lines:
        _curve_legend(errors)
    return figure


def distance_figure(results: Mapping[str, Any]) -> Figure:
    """Returns box plots of L2 distances in the embedding by edit distance, a panel an embedding.

    Args:
        results: label -> `edit_distances` [G], `percentiles` [G, 5] (5, 25, 50, 75, 95 %) and
            `counts` [G] of the L2 distances, and `spearman`, the correlation of both distances.

    Returns:
        The figure.

    Raises:
        ConfigError: there is no embedding, more than `MAX_EMBEDDINGS`, or shapes do not fit.
    """
    _check(results, {"edit_distances": "G", "percentiles": "G5", "counts": "G"})
    figure, panels = _row(list(results), panel=max(_PANEL, 4.2 - 0.9 * len(results)))
    for axes, result in zip(panels, results.values()):
        _draw_boxes(axes, result)
    panels[0].set_ylabel("L2 distance in the embedding")
    return figure


def map_figure(results: Mapping[str, Any]) -> Figure:
    """Returns maps of cells coloured by accuracy, one panel an embedding and one colour bar.

    The colours span the 2nd to 98th percentile of all panels' bulk, so that a few bad cells do not
    take them all; what lies beyond has the last colour, and the bar a pointed end.

    Args:
        results: label -> `points` [K, 2] and `accuracy` [K] (grey where it is no number).

    Returns:
        The figure.

    Raises:
        ConfigError: there is no embedding, more than `MAX_EMBEDDINGS`, or shapes do not fit.
    """
    _check(results, {"points": "K2", "accuracy": "K"})
    figure, panels = _row(list(results), panel=3.0, left=0.1, below=0.12, margin=0.85)
    accuracies = [100 * np.asarray(result.accuracy, float) for result in results.values()]
    drawn = [np.isfinite(np.asarray(result.points, float)).all(axis=1)
             for result in results.values()]
    shown = np.concatenate([values[keep] for values, keep in zip(accuracies, drawn)])
    norm, extend = _colour_limits(shown[np.isfinite(shown)])
    for axes, result, values, keep in zip(panels, results.values(), accuracies, drawn):
        _draw_map(axes, np.asarray(result.points, float)[keep], values[keep], norm)
    if norm is not None:
        width, height = figure.get_size_inches()
        box = panels[-1].get_position()
        bar = figure.add_axes((box.x1 + 0.12 / width, box.y0, 0.13 / width, box.height))
        figure.colorbar(ScalarMappable(norm, _COLOUR_MAP), cax=bar, extend=extend)
        bar.set_ylabel("accuracy (%)", fontsize=9, color=INK)
        bar.tick_params(labelsize=8, colors=INK)
        bar.yaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
    return figure


def _check(results: Mapping[str, Any], shapes: Mapping[str, str]) -> None:
    """Raises ConfigError for a wrong number of embeddings, or arrays whose shapes do not fit."""
    if not 1 <= len(results) <= MAX_EMBEDDINGS:
        raise ConfigError(f"figure: expected 1 to {MAX_EMBEDDINGS} embeddings, got {len(results)}")
    for label, result in results.items():
        sizes = {}
        for name, letters in shapes.items():
            shape = np.shape(getattr(result, name))
            wanted = [
                int(letter) if letter.isdigit() else sizes.setdefault(letter, size)
                for letter, size in zip(letters, shape)
            ]
            if list(shape) != wanted or len(shape) != len(letters):
                expected = ", ".join(
                    f"{letter}={sizes[letter]}" if letter in sizes else letter for letter in letters
                )
                raise ConfigError(
                    f"figure: {name} of {label!r}: expected [{expected}], got {list(shape)}"
                )


def _row(
    titles: list[str],
    *,
    panel: float = _PANEL,
    left: float = _LEFT,
    below: float = _BELOW,
    margin: float = 0.0,
) -> tuple[Figure, list[Axes]]:
    """Returns a figure of panels side by side; the sizes are inches, `margin` is at the right."""
    pitch = left + panel + _RIGHT
    height = (_PANEL if panel < 3 else panel) + _ABOVE + below
    width = pitch * len(titles) + margin
    figure = new_figure(width, height)
    panels = []
    for index, title in enumerate(titles):
        rectangle = ((index * pitch + left) / width, below / height, panel / width,
                     1 - (_ABOVE + below) / height)
        axes = figure.add_axes(rectangle)
        tidy_axes(axes)
        text = axes.set_title(title, fontsize=9, color=INK, pad=5)
        text.set_parse_math(False)
        panels.append(axes)
    return figure, panels


def _bulk(values: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Returns two percentiles of what is within 3 interquartile ranges of the quartiles.

    On NAS-Bench-201 every 25th cell has the accuracy of guessing, so that a percentile alone would
    not keep such cells from setting the scale.
    """
    lower, upper = np.percentile(values, [25.0, 75.0])
    reach = 3.0 * (upper - lower)
    inside = values[(values >= lower - reach) & (values <= upper + reach)]
    start, end = np.percentile(inside, [low, high]).tolist()
    return start, end


def _accuracy_limits(results: Mapping[str, Any]) -> tuple[float, float] | None:
    """Returns limits in per cent for both axes of all scatter plots, or None without data."""
    pairs = [np.stack([r.true, r.predicted]).astype(float) for r in results.values()]
    pairs = 100 * np.concatenate([pair[:, np.isfinite(pair).all(axis=0)] for pair in pairs], axis=1)
    if not pairs.size:
        return None
    low, high = _bulk(pairs, 0.0, 100.0)
    room = max(0.05 * (high - low), 0.1)
    return low - room, high + room


def _draw_predictions(
    axes: Axes, result: Any, colour: str, limits: tuple[float, float] | None
) -> None:
    true, predicted = (100 * np.asarray(x, float) for x in (result.true, result.predicted))
    known = np.isfinite(true) & np.isfinite(predicted)
    if limits is None or not known.any():
        leave_empty(axes, "no data")
        return
    points = np.stack([true[known], predicted[known]], axis=1)
    beyond = np.count_nonzero(((points < limits[0]) | (points > limits[1])).any(axis=1))
    number = len(points)
    points = points[:: -(-number // MAX_PREDICTIONS)]
    alpha = float(np.clip(500 / len(points), 0.1, 0.8))
    axes.scatter(*points.T, s=7, color=colour, alpha=alpha, linewidths=0, rasterized=True)
    axes.plot(limits, limits, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set(xlim=limits, ylim=limits, xlabel="true accuracy (%)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
    note = f"{len(points):,} of " * (len(points) < number) + f"{number:,} cells"
    note += f"\n{beyond:,} outside" if beyond else ""
    axes.text(0.03, 0.97, note, transform=axes.transAxes, va="top", fontsize=7.5, color=INK,
              bbox=_WHITE)


def _draw_curve(
    axes: Axes, thresholds: np.ndarray, values: np.ndarray, line: tuple, label: str
) -> None:
    """Draws mean and sample standard deviation over the seeds [S, T] that have a number."""
    found = spread(values)
    use = (found.count > 0) & np.isfinite(thresholds)
    if not use.any():
        return
    thresholds, mean = thresholds[use], found.mean[use]
    std = np.nan_to_num(found.std[use])  # one number: the band has no width there
    colour, dashes, marker = line
    if len(values) > 1:
        axes.fill_between(thresholds, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)
    axes.plot(thresholds, mean, color=colour, linestyle=dashes, linewidth=1.5, marker=marker,
              markersize=3.5, label=label)


def _threshold_axis(axes: Axes, results: Mapping[str, Any]) -> None:
    """Puts ticks at up to four thresholds, with the mean number of cells above each below it."""
    counts = {}
    for result in results.values():
        mean = np.asarray(result.counts, float).mean(axis=0)
        counts |= dict(zip(np.asarray(result.thresholds, float).tolist(), mean.tolist()))
    known = np.array(sorted(tick for tick in counts if np.isfinite(tick)))
    even = np.linspace(known[0], known[-1], 4)
    ticks = np.unique(known[np.abs(known - even[:, None]).argmin(axis=1)]).tolist()
    labels = [f"{100 * tick:.4g}\n{_short_number(counts[tick])}" for tick in ticks]
    axes.xaxis.set_major_locator(FixedLocator([100 * tick for tick in ticks]))
    axes.xaxis.set_major_formatter(FixedFormatter(labels))
    axes.set_xlabel("true accuracy above (%); cells")


def _curve_legend(axes: Axes) -> None:
    """Names the lines, if there are several, in room made above them; the axis starts at 0."""
    number = len(axes.lines)
    axes.set_ylim(0.0, axes.get_ylim()[1] * (1.0 if number == 1 else 1.0 + 0.12 * number))
    if number > 1:
        legend = axes.legend(loc="upper right", frameon=False, fontsize=7.5, handlelength=2.6)
        for text in legend.get_texts():
            text.set_parse_math(False)


def _short_number(value: float) -> str:
    """Returns 423k, 15.6k, 980; nothing for what is not a number."""
    if not np.isfinite(value):
        return ""
    for unit, suffix in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{suffix}"
    return f"{value:.0f}"


def _draw_boxes(axes: Axes, result: Any) -> None:
    percentiles = np.asarray(result.percentiles, float)
    counts, distances = np.asarray(result.counts), np.asarray(result.edit_distances)
    known = np.isfinite(percentiles).all(axis=1) & (counts > 0)
    if not known.any():
        leave_empty(axes, "no data")
        return
    names = ("whislo", "q1", "med", "q3", "whishi")
    axes.bxp(
        [dict(zip(names, row)) for row in percentiles[known].tolist()], positions=distances[known],
        widths=0.62, showfliers=False, patch_artist=True, manage_ticks=False,
        boxprops={"facecolor": _BOX_COLOUR, "edgecolor": INK, "linewidth": 0.8},
        medianprops={"color": LINE_COLOURS[1], "linewidth": 1.6},
        whiskerprops={"color": INK, "linewidth": 0.8}, capprops={"color": INK, "linewidth": 0.8},
    )
    low, high = distances[known].min(), distances[known].max()
    top = percentiles[known].max()
    axes.set(xlim=(low - 0.8, high + 0.8), ylim=(0.0, 1.22 * top if top > 0 else 1.0))
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=(1, 2, 5, 10)))
    axes.set_xlabel("edit distance")
    spearman = float(result.spearman)
    rho = f"Spearman's ρ = {spearman:.3f}" if np.isfinite(spearman) else "Spearman's ρ: no data"
    note = f"{rho}, {int(counts[known].sum()):,} pairs\nbox: 25–75 %, whiskers: 5–95 %"
    axes.text(0.03, 0.97, note, transform=axes.transAxes, va="top", fontsize=7.5, color=INK,
              linespacing=1.3, bbox=_WHITE, zorder=5)


def _colour_limits(values: np.ndarray) -> tuple[Normalize | None, str]:
    """Returns the scale of colours, and at which ends values lie beyond it; None without values."""
    if not len(values):
        return None, "neither"
    low, high = _bulk(values, 2.0, 98.0)
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    ends = {(False, False): "neither", (True, False): "min", (False, True): "max"}
    beyond = (bool(values.min() < low), bool(values.max() > high))
    return Normalize(low, high), ends.get(beyond, "both")


def _draw_map(axes: Axes, points: np.ndarray, values: np.ndarray, norm: Normalize | None) -> None:
    axes.grid(False)
    axes.spines[:].set_visible(False)
    if not len(points):
        leave_empty(axes, "no data")
        return
    axes.set(xticks=[], yticks=[])
    side = float(np.clip(60_000 / len(points), 3.0, 30.0)) ** 0.5  # points
    style = {"s": side**2, "linewidths": 0, "rasterized": True}
    known = np.isfinite(values)
    if not known.all():
        axes.scatter(*points[~known].T, color=_UNKNOWN_COLOUR, **style)
    if known.any():
        axes.scatter(*points[known].T, c=values[known], cmap=_COLOUR_MAP, norm=norm, **style)
    axes.set_aspect("equal", adjustable="datalim")
