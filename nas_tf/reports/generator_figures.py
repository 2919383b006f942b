"""Figures of what a generator of graphs has learned.

Figure 3 of GraphPNAS (Li et al., 2022, arXiv:2211.15155), and beside it how the samples' accuracies
move over a search. Accuracies are in [0, 1] and shown in per cent.

Shapes: F fits, R runs, K samples.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from nas_tf.analysis.canvas import (
    BOX_COLOUR, INK, LINE_COLOURS, add_accuracy_bar, leave_empty, new_panels,
)
from nas_tf.core import Stream, generator

_SHARES = {"valid": "valid", "unique": "different among the valid", "new": "valid and new"}
_QUERIES = "queries the generator has learned from"


def accuracy_figure(samples: Mapping[str, np.ndarray]) -> Figure:
    """Returns box plots of accuracies: whiskers from 5 to 95 %, the median in the box.

    Args:
        samples: label, such as "random" or "50" queries -> accuracies float [K]; what is not a
            number is left out.
    """
    figure, (axes,) = new_panels(1, width_in=1.2 + 0.75 * max(len(samples), 3), height_in=2.8)
    known = [100 * values[np.isfinite(values)] for values in samples.values()]
    if not any(map(len, known)):
        leave_empty(axes)
        return figure
    boxes = axes.boxplot(
        known, tick_labels=list(samples), whis=(5, 95), showfliers=False, widths=0.6,
        patch_artist=True, boxprops={"facecolor": BOX_COLOUR}, medianprops={"color": INK},
    )["boxes"]
    boxes[0].set_facecolor("#DDDDDD")
    axes.set(xlabel=_QUERIES, ylabel="accuracy of samples (%)")
    return figure


def shares_figure(queries: np.ndarray, shares: Mapping[str, np.ndarray]) -> Figure:
    """Returns shares of what was drawn against queries: the mean over runs, and their middle half.

    Args:
        queries: int [F], seen before a fit.
        shares: "valid", "unique" and "new" -> float [F, R], NaN where undefined.
    """
    figure, (axes,) = new_panels(1, width_in=4.6, height_in=2.8)
    if not len(queries):
        leave_empty(axes, "the generator was never fitted")
        return figure
    for (name, label), colour in zip(_SHARES.items(), LINE_COLOURS):
        values = 100 * np.asarray(shares[name], float)
        known = np.isfinite(values).any(axis=1)  # nothing valid has no different ones
        if known.any():
            low, high = np.nanpercentile(values[known], (25, 75), axis=1)
            axes.plot(queries[known], np.nanmean(values[known], axis=1), color=colour, label=label)
            axes.fill_between(queries[known], low, high, color=colour, alpha=0.2, linewidth=0)
    axes.set(ylim=(0, 103), xlabel=_QUERIES, ylabel="share of samples (%)")
    axes.legend(fontsize=8, frameon=False)
    return figure


def structure_figure(panels: Mapping[str, Sequence[np.ndarray]]) -> Figure:
    """Returns average path length against clustering coefficient, coloured by accuracy.

    Args:
        panels: title -> path lengths, clustering coefficients and accuracies, float [K] each.
            Points that coincide are moved apart a little.
    """
    figure, axes = new_panels(len(panels), width_in=3.0, height_in=2.9, titles=list(panels))
    known = 100 * np.concatenate([np.asarray(values[2], float) for values in panels.values()])
    known = known[np.isfinite(known)]
    colours = ScalarMappable(Normalize(*(np.percentile(known, (2, 98)) if len(known) else (0, 1))))
    rng = generator(0, Stream.FIGURES)
    for panel, (lengths, clustering, accuracy) in zip(axes, panels.values()):
        moved = (lengths, clustering) + rng.normal(scale=0.008, size=(2, len(lengths)))
        panel.scatter(
            *moved, c=100 * np.asarray(accuracy, float), s=8, norm=colours.norm,
            cmap=colours.cmap, linewidths=0, alpha=0.8,
        )
        panel.set_xlabel("average path length")
    for panel in axes[1:]:
        panel.sharex(axes[0])
        panel.sharey(axes[0])
    axes[0].autoscale()
    axes[0].set_ylabel("clustering coefficient")
    add_accuracy_bar(figure, colours, axes)
    return figure
