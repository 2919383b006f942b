"""Figures of what a generator of graphs has learned.

Figure 3 of GraphPNAS (Li et al., 2022, arXiv:2211.15155), and beside it how the samples' accuracies
move over a search. Accuracies are in [0, 1] and shown in per cent.

Shapes: F fits, R runs, K samples.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from nas_tf.core import Stream, generator
from nas_tf.analysis.canvas import INK, LINE_COLOURS, new_figure, tidy_axes
from nas_tf.analysis.scales import leave_empty

_BOX_COLOUR = "#B3D4EA"
_SHARES = {"valid": "valid", "unique": "different among the valid", "new": "valid and new"}


def accuracy_figure(samples: Mapping[str, np.ndarray]) -> Figure:
    """Returns box plots of accuracies: whiskers from 5 to 95 %, the median in the box.

    Args:
        samples: label, such as "random" or "50" queries -> accuracies float [K]; what is not a
            number is left out.
    """
    figure = new_figure(1.2 + 0.75 * max(len(samples), 3), 2.8)
    axes = figure.add_axes((0.16, 0.17, 0.82, 0.78))
    tidy_axes(axes)
    known = [100 * values[np.isfinite(values)] for values in samples.values()]
    if not any(len(values) for values in known):
        leave_empty(axes, "no data")
        return figure
    boxes = axes.boxplot(
        known, whis=(5, 95), showfliers=False, widths=0.6, patch_artist=True,
        medianprops={"color": INK, "linewidth": 1.6},
    )
    for number, box in enumerate(boxes["boxes"]):
        box.set(facecolor="#DDDDDD" if number == 0 else _BOX_COLOUR, edgecolor=INK)
    axes.set_xticks(range(1, len(samples) + 1), list(samples))
    axes.set_xlabel("queries the generator has learned from")
    axes.set_ylabel("accuracy of samples (%)")
    return figure


def shares_figure(queries: np.ndarray, shares: Mapping[str, np.ndarray]) -> Figure:
    """Returns shares of what was drawn against queries: the mean over runs, and their middle half.

    Args:
        queries: int [F], seen before a fit.
        shares: "valid", "unique" and "new" -> float [F, R], NaN where undefined.
    """
    figure = new_figure(4.6, 2.8)
    axes = figure.add_axes((0.13, 0.17, 0.85, 0.78))
    tidy_axes(axes)
    if not len(queries):
        leave_empty(axes, "the generator was never fitted")
        return figure
    for (name, label), colour in zip(_SHARES.items(), LINE_COLOURS):
        values = 100 * np.asarray(shares[name], float)
        known = np.isfinite(values).any(axis=1)  # nothing valid has no different ones
        if not known.any():
            continue
        low, high = np.nanpercentile(values[known], (25, 75), axis=1)
        mean = np.nanmean(values[known], axis=1)
        axes.plot(queries[known], mean, color=colour, label=label)
        axes.fill_between(queries[known], low, high, color=colour, alpha=0.2, linewidth=0)
    axes.set_ylim(0, 103)
    axes.set_xlabel("queries the generator has learned from")
    axes.set_ylabel("share of samples (%)")
    axes.legend(fontsize=8, frameon=False)
    return figure


def structure_figure(panels: Mapping[str, Sequence[np.ndarray]]) -> Figure:
    """Returns average path length against clustering coefficient, coloured by accuracy.

    Args:
        panels: title -> path lengths, clustering coefficients and accuracies, float [K] each. Points
            that coincide are moved apart a little.
    """
    figure = new_figure(1.0 + 2.7 * len(panels) + 0.6, 2.9)
    total = figure.get_size_inches()[0]
    known = [np.asarray(values[2], float) for values in panels.values()]
    known = np.concatenate([values[np.isfinite(values)] for values in known])
    limits = 100 * np.percentile(known, (2, 98)) if len(known) else (0, 1)
    rng, points, first = generator(0, Stream.FIGURES), None, None
    for number, (title, (lengths, clustering, accuracy)) in enumerate(panels.items()):
        axes = figure.add_axes(
            ((0.75 + 2.7 * number) / total, 0.17, 2.35 / total, 0.72), sharex=first, sharey=first
        )
        first = first or axes
        tidy_axes(axes)
        axes.set_title(title, fontsize=9)
        moved = rng.normal(scale=0.008, size=(2, len(lengths)))
        points = axes.scatter(
            np.asarray(lengths) + moved[0], np.asarray(clustering) + moved[1],
            c=100 * np.asarray(accuracy, float), s=8, vmin=limits[0], vmax=limits[1],
            cmap="viridis", linewidths=0, alpha=0.8,
        )
        axes.set_xlabel("average path length")
        if number:
            axes.tick_params(labelleft=False)
    first.set_ylabel("clustering coefficient")
    place = figure.add_axes(((0.75 + 2.7 * len(panels) - 0.2) / total, 0.17, 0.1 / total, 0.72))
    bar = figure.colorbar(points, cax=place)
    bar.set_label("accuracy (%)", size=8)
    bar.ax.tick_params(labelsize=8)
    return figure
