"""Figures of what an embedding knows: predictive power, distance, the map.

Figures 2 to 4 of arch2vec (Yan et al., 2020, arXiv:2006.06936). Every function takes one result an
embedding, such as "pre-trained" and "supervised", at most `MAX_EMBEDDINGS`; another number raises
ConfigError. What is not a number is left out; where nothing is left, the panel says "no data".
Accuracies are in [0, 1] and shown in per cent.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nas_tf.analysis.canvas import (
    BOX_COLOUR, INK, LINE_COLOURS, LINES, add_accuracy_bar, add_legend, leave_empty, new_panels,
)
from nas_tf.analysis.spread import spread
from nas_tf.arch2vec.latent_distance import DistanceRelation
from nas_tf.arch2vec.latent_map import LatentMap
from nas_tf.arch2vec.predictive_power import PredictivePower
from nas_tf.core import ConfigError

MAX_EMBEDDINGS = 4
_DASHES = ("solid", "dashed", "dotted", "dashdot")


def predictive_figure(results: Mapping[str, PredictivePower]) -> Figure:
    """Returns predicted against true accuracies, and the errors above accuracy thresholds.

    One scatter plot an embedding, of one seed; then root mean squared error and Pearson's r, the
    mean over seeds with a band of one sample standard deviation.
    """
    titles = [*_checked(results), "RMSE (percentage points)", "Pearson's r"]
    figure, panels = new_panels(len(titles), width_in=2.8, height_in=2.9, titles=titles)
    pairs = [100 * np.stack([found.true, found.predicted], axis=1) for found in results.values()]
    pairs = [pair[np.isfinite(pair).all(axis=1)] for pair in pairs]
    low, high = _bulk(np.concatenate(pairs), 0, 100)
    room = max(0.05 * (high - low), 0.1)
    for axes, points, colour in zip(panels, pairs, LINE_COLOURS):
        _draw_predictions(axes, points, colour, (low - room, high + room))
    panels[0].set_ylabel("predicted accuracy (%)")
    for axes, name, factor in zip(panels[-2:], ("rmse", "pearson"), (100, 1)):
        for found, line, dashes in zip(results.values(), LINES, _DASHES):
            curve = factor * getattr(found, name)
            _draw_curve(axes, curve, line | {"linestyle": dashes})
        if axes.lines:
            _name_thresholds(axes, next(iter(results.values())))
        else:
            leave_empty(axes)
    if panels[-2].lines:
        panels[-2].set_ylim(bottom=0.0)
    if len(panels[-2].lines) > 1:
        add_legend(panels[-2], panels[-2].lines, list(results), loc="best")
    return figure


def distance_figure(results: Mapping[str, DistanceRelation]) -> Figure:
    """Returns box plots of L2 distances in the embedding by edit distance, a panel an embedding."""
    figure, panels = new_panels(len(results), width_in=3.2, height_in=2.9, titles=_checked(results))
    for axes, found in zip(panels, results.values()):
        known = np.isfinite(found.percentiles).all(axis=1) & (found.counts > 0)
        if known.any():
            _draw_boxes(axes, found, known)
        else:
            leave_empty(axes)
    panels[0].set_ylabel("L2 distance in the embedding")
    return figure


def map_figure(results: Mapping[str, LatentMap]) -> Figure:
    """Returns maps of cells coloured by accuracy, one panel an embedding and one colour bar.

    The colours span the 2nd to 98th percentile of all panels' bulk, so that a few bad cells do not
    take them all; what lies beyond has the last colour. Cells of unknown accuracy are grey.
    """
    figure, panels = new_panels(len(results), width_in=3.3, height_in=3.3, titles=_checked(results))
    low, high = _bulk(np.concatenate([100 * found.accuracy for found in results.values()]), 2, 98)
    norm = Normalize(low - 0.5, high + 0.5) if high - low < 1e-6 else Normalize(low, high)
    colours = ScalarMappable(norm, colormaps["viridis"].with_extremes(bad="#CCCCCC"))
    for axes, found in zip(panels, results.values()):
        axes.grid(False)
        axes.spines[:].set_visible(False)
        drawn = np.isfinite(found.points).all(axis=1)
        if not drawn.any():
            leave_empty(axes)
            continue
        axes.scatter(
            *found.points[drawn].T, c=100 * found.accuracy[drawn], cmap=colours.cmap, norm=norm,
            plotnonfinite=True, s=float(np.clip(60_000 / drawn.sum(), 3.0, 30.0)), linewidths=0,
            rasterized=True,
        )
        axes.set(xticks=[], yticks=[])
        axes.set_aspect("equal", adjustable="datalim")
    if np.isfinite(np.concatenate([found.accuracy for found in results.values()])).any():
        add_accuracy_bar(figure, colours, panels, extend="both")
    return figure


def _checked(results: Mapping) -> list[str]:
    """Returns the embeddings' names."""
    if not 1 <= len(results) <= MAX_EMBEDDINGS:
        raise ConfigError(f"figure: expected 1 to {MAX_EMBEDDINGS} embeddings, got {len(results)}")
    return list(results)


def _bulk(values: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Returns two percentiles of what is within 3 interquartile ranges of the quartiles.

    On NAS-Bench-201 every 25th cell has the accuracy of guessing, so that a percentile alone would
    not keep such cells from setting the scale.
    """
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 100.0
    lower, upper = np.percentile(values, [25.0, 75.0])
    reach = 3.0 * (upper - lower)
    inside = values[(values >= lower - reach) & (values <= upper + reach)]
    start, end = np.percentile(inside, [low, high]).tolist()
    return start, end


def _draw_predictions(
    axes: Axes, points: np.ndarray, colour: str, limits: tuple[float, float]
) -> None:
    """Draws predicted against true accuracies, per cent [K, 2]."""
    if not len(points):
        leave_empty(axes)
        return
    alpha = float(np.clip(500 / len(points), 0.02, 0.8))
    axes.scatter(*points.T, s=7, color=colour, alpha=alpha, linewidths=0, rasterized=True)
    axes.plot(limits, limits, color=INK, linewidth=0.9, linestyle="dashed")
    axes.set(xlim=limits, ylim=limits, xlabel="true accuracy (%)")
    axes.locator_params(nbins=5, steps=(1, 2, 5, 10))
    beyond = np.count_nonzero(((points < limits[0]) | (points > limits[1])).any(axis=1))
    _note(axes, f"{len(points):,} cells" + f"\n{beyond:,} outside" * bool(beyond))


def _draw_curve(axes: Axes, values: np.ndarray, line: Mapping) -> None:
    """Draws mean and sample standard deviation over the seeds [S, T] that have a number.

    Thresholds are evenly apart: where most cells are good those of interest are close together.
    """
    found = spread(values)
    use = found.count > 0
    if not use.any():
        return
    x, mean = np.flatnonzero(use), found.mean[use]
    std = np.nan_to_num(found.std[use])  # one number: the band has no width there
    if len(values) > 1:
        axes.fill_between(x, mean - std, mean + std, color=line["color"], alpha=0.2, linewidth=0)
    axes.plot(x, mean, marker="o", markersize=3.5, **line)


def _name_thresholds(axes: Axes, found: PredictivePower) -> None:
    """Puts a tick at every threshold, with the mean number of cells above it below."""
    cells = found.counts.mean(axis=0)
    pairs = zip(found.thresholds, cells, strict=True)
    labels = [f"{100 * threshold:.3g}\n{above:,.0f}" for threshold, above in pairs]
    axes.set_xticks(np.arange(len(labels)), labels, fontsize=7.0)
    axes.set_xlabel("true accuracy above (%); cells")


def _draw_boxes(axes: Axes, found: DistanceRelation, known: np.ndarray) -> None:
    names = ("whislo", "q1", "med", "q3", "whishi")
    percentiles, edits = found.percentiles[known], found.edit_distances[known]
    axes.bxp(
        [dict(zip(names, row)) for row in percentiles.tolist()], positions=edits, widths=0.62,
        showfliers=False, patch_artist=True, manage_ticks=False,
        boxprops={"facecolor": BOX_COLOUR}, medianprops={"color": LINE_COLOURS[1]},
    )
    top = 1.3 * percentiles.max() or 1.0  # room for the note
    axes.set(xlim=(edits.min() - 0.8, edits.max() + 0.8), ylim=(0.0, top), xlabel="edit distance")
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=(1, 2, 5, 10)))
    rho = f"{found.spearman:.3f}" if np.isfinite(found.spearman) else "no data"
    pairs = f"{int(found.counts[known].sum()):,} pairs"
    _note(axes, f"Spearman's ρ: {rho}, {pairs}\nbox: 25–75 %, whiskers: 5–95 %")


def _note(axes: Axes, text: str) -> None:
    axes.text(0.03, 0.97, text, transform=axes.transAxes, va="top", fontsize=7.5, color=INK,
              bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5})
