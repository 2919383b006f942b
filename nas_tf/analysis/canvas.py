"""Figures without a display: made from `matplotlib.figure.Figure`, written atomically.

pyplot is never imported, so no global figure list, interactive backend or user's style is touched.
Sizes are inches; a PNG has 150 dots per inch unless told otherwise.
"""

import io
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nas_tf.core import ConfigError
from nas_tf.storage import atomic_write

# Okabe and Ito (2008): eight colours told apart with every common colour vision deficiency.
# Line colours come first in the order in which they contrast most with white and each other.
LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
INK = "#222222"
GRID = "#DDDDDD"

_METADATA = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def new_figure(width_in: float, height_in: float) -> Figure:
    """Returns an empty white figure of that size (inches) that draws with Agg."""
    figure = Figure(figsize=(width_in, height_in), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def tidy_axes(axes: Axes) -> None:
    """Gives axes the house look: two spines, a light grid behind the data, small ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.grid(True, which="major", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", labelsize=8, colors=INK)
    axes.xaxis.label.set_size(9)
    axes.yaxis.label.set_size(9)


def save_figure(figure: Figure, path: str | Path, *, dpi: int = 150) -> Path:
    """Writes a figure as PNG, SVG or PDF, by the path's suffix.

    The same figure gives the same bytes: no dates, no random identifiers. Text in an SVG is drawn
    as paths, so that it looks the same where the fonts differ.

    Args:
        figure: the figure.
        path: where to; replaced in one step, never half-written.
        dpi: dots per inch of a PNG.

    Returns:
        The path.

    Raises:
        ConfigError: the suffix is none of .png, .svg, .pdf.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in _METADATA:
        raise ConfigError(f"figure {str(path)!r}: expected a name ending in .png, .svg or .pdf")
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "nas_tf", "svg.fonttype": "path"}):
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=_METADATA[kind])
    with atomic_write(path) as handle:
        handle.write(buffer.getvalue())
    return path
