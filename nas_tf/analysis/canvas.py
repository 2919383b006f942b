"""Figures without a display: made from `matplotlib.figure.Figure`, written atomically.

pyplot is never imported, so no global figure list, interactive backend or user's style is touched.
Sizes are inches; a PNG has 150 dots per inch.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from nas_tf.core import ConfigError
from nas_tf.storage import atomic_write

# Okabe and Ito (2008): eight colours told apart with every common colour vision deficiency.
# Line colours come first in the order in which they contrast most with white and each other.
LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)))
LINES = tuple(  # beyond seven, lines differ in their dashes as well
    {"color": colour, "linestyle": dashes, "linewidth": 1.5}
    for dashes in DASHES
    for colour in LINE_COLOURS
)
INK = "#222222"
BOX_COLOUR = "#B3D4EA"

MAX_LABEL = 44  # characters of a name in a legend
_METADATA = {  # no dates, no versions
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def new_figure(width_in: float, height_in: float, **options) -> Figure:
    """Returns an empty white figure of that size (inches) that draws with Agg."""
    figure = Figure(figsize=(width_in, height_in), facecolor="white", **options)
    FigureCanvasAgg(figure)
    return figure


def new_panels(
    count: int, *, width_in: float = 4.1, height_in: float = 3.0, titles: Sequence[str] = ()
) -> tuple[Figure, list[Axes]]:
    """Returns a figure of panels side by side, laid out by Matplotlib.

    Args:
        count: of the panels.
        width_in: of each, in inches.
        height_in: of all.
        titles: above the first panels, taken as they are.
    """
    figure = new_figure(count * width_in, height_in, layout="constrained")
    panels = list(figure.subplots(1, count, squeeze=False)[0])
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(which="both", labelsize=8)
        axes.xaxis.label.set_size(9)
        axes.yaxis.label.set_size(9)
    for axes, title in zip(panels, titles):
        axes.set_title(title, fontsize=9).set_parse_math(False)
    return figure, panels


def add_legend(owner: Figure | Axes, handles: Sequence, labels: Sequence[str], **where) -> None:
    """Adds a legend; names are shortened, and a dollar sign in them starts no formula."""
    short = [x if len(x) <= MAX_LABEL else x[: MAX_LABEL - 1] + "…" for x in labels]
    legend = owner.legend(handles, short, frameon=False, fontsize=8, **where)
    for text in legend.get_texts():
        text.set_parse_math(False)


def add_accuracy_bar(figure: Figure, colours, panels: Sequence[Axes], **options) -> None:
    """Adds a colour bar of accuracies beside panels."""
    bar = figure.colorbar(colours, ax=panels, **options)
    bar.set_label("accuracy (%)", size=9)
    bar.ax.tick_params(labelsize=8)


def leave_empty(axes: Axes, reason: str = "no data") -> None:
    """Writes the reason why there is nothing to draw."""
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, reason, transform=axes.transAxes, ha="center", fontsize=9, color=INK)


def log_scale(
    axes: Axes, which: str, low: float, high: float, *, least: float = 0.0, end: bool = False
) -> None:
    """Makes an axis logarithmic with ticks at 1, 2, 5, 10, ..., and some room at its upper end.

    Args:
        axes: to be changed.
        which: "x" or "y".
        low: where the axis begins; at 0 with some room, so that nothing is drawn on the frame.
        high: the largest value; positive.
        least: where `low` is 0, the axis is linear up to about there.
        end: `high` has a tick of its own.
    """
    least = low or least
    ticks = LogLocator(subs=(1, 2, 5) if high / least <= 2000 else (1,)).tick_values(least, high)
    least = low or ticks[ticks <= least].max()
    room = max(high / least, 4.0) ** 0.04
    options = {} if low else {"linthresh": least, "linscale": 0.35}
    getattr(axes, f"set_{which}scale")("log" if low else "symlog", **options)
    axes.set(**{f"{which}lim": (low or -0.1 * least, high * room)})
    ticks = ticks[(ticks >= least) & (ticks <= (high / 1.55 if end else high * room))]
    axis = getattr(axes, f"{which}axis")
    axis.set_ticks([0.0] * (not low) + ticks.tolist() + [high] * end)
    axis.set_ticks([], minor=True)
    axis.set_major_formatter(lambda value, unused_place: short_number(value))


def short_number(value: float) -> str:
    """Returns a number as a tick shows it: 0.02, 5000, 20k, 1M."""
    if abs(value) < 1e4:
        return f"{value:g}"
    return f"{value / 1e3:g}k" if abs(value) < 1e6 else f"{value / 1e6:g}M"


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Writes a figure as PNG or SVG, by the path's suffix, in one step; returns the path.

    The same figure gives the same bytes: no dates, no random identifiers. Text in an SVG is drawn
    as paths, so that it looks the same where the fonts differ.

    Raises:
        ConfigError: the suffix is neither .png nor .svg.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in _METADATA:
        raise ConfigError(f"figure {str(path)!r}: expected a name ending in .png or .svg")
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "nas_tf", "svg.fonttype": "path"}):
        figure.savefig(buffer, format=kind, dpi=150, metadata=_METADATA[kind])
    with atomic_write(path) as handle:
        handle.write(buffer.getvalue())
    return path
