"""Drawings of cells for papers and reports: boxes for operations, curves for edges.

Works for any space: operations come in as names with labels and colours. The colours are pale
forms of Okabe and Ito's (2008), which stay apart with every common colour vision deficiency; the
labels say the same again.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Outline

from nas_tf.analysis.canvas import INK, new_figure
from nas_tf.analysis.layout import BOX_HEIGHT, Layout, layered_layout
from nas_tf.core import ConfigError, InvalidArchitectureError

SHORT_LABELS = {
    "conv1x1-bn-relu": "1×1",
    "conv3x3-bn-relu": "3×3",
    "maxpool3x3": "max-pool",
}
# Strong enough to tell apart, pale enough for dark text (black text contrast above 7:1 on all).
_INTERIOR_COLOURS = ("#8CCBF2", "#F5BE4F", "#7FCFB4", "#E3B2CE", "#F0E442", "#EE9A66", "#B9B9F0")
_TERMINAL_COLOUR = "#E6E6E6"
_TERMINALS = ("input", "output")

_FONT_SIZE = 8.0  # points
_LINE_HEIGHT = 0.155  # inches a caption's line takes
_CHARACTER_WIDTH = 0.063  # inches, of the font above, generously
_MARGIN = 0.08  # above and below
_SIDE_MARGIN = 0.2


@dataclass(frozen=True)
class OperationStyle:
    """How an operation is shown: the label in its box, and the box's colour (as Matplotlib's)."""

    label: str
    colour: str


@dataclass(frozen=True, eq=False)
class CellPicture:
    """A cell to draw.

    Attributes:
        matrix: adjacency [N, N], nonzero for an edge i -> j; acyclic.
        operations: the name of each node's operation, length N.
        caption: text below; may have several lines.
        title: one line above, bold.
    """

    matrix: np.ndarray
    operations: Sequence[str]
    caption: str = ""
    title: str = ""


def operation_styles(names: Sequence[str]) -> dict[str, OperationStyle]:
    """Returns a style for each operation of a space.

    Args:
        names: operation names in the space's order; "input" and "output" are grey, the others get
            colours in this order (seven, then repeated). Names in `SHORT_LABELS` are shown short.

    Returns:
        Name -> style.
    """
    interior = [name for name in names if name not in _TERMINALS]
    colours = dict(zip(interior, itertools.cycle(_INTERIOR_COLOURS)))
    return {
        name: OperationStyle(SHORT_LABELS.get(name, name), colours.get(name, _TERMINAL_COLOUR))
        for name in names
    }


def draw_cell(picture: CellPicture, styles: Mapping[str, OperationStyle] | None = None) -> Figure:
    """Returns a figure of one cell; see `draw_cells`."""
    return draw_cells([picture], styles)


def draw_cells(
    pictures: Sequence[CellPicture],
    styles: Mapping[str, OperationStyle] | None = None,
    *,
    max_width_in: float = 10.5,
) -> Figure:
    """Returns a figure of cells side by side, all to one scale, in rows of equal length.

    Args:
        pictures: the cells, at least one.
        styles: operation name -> style; by default made from the names in order of appearance.
        max_width_in: width in inches above which there are more rows.

    Returns:
        The figure, just large enough; save it with `canvas.save_figure`.

    Raises:
        ConfigError: there is no picture, or an operation has no style.
        InvalidArchitectureError: a matrix is not square or has a cycle, or a cell has more or fewer
            operations than nodes.
    """
    if not pictures:
        raise ConfigError("drawing: expected at least one cell, got none")
    if styles is None:
        styles = operation_styles(list(dict.fromkeys(op for c in pictures for op in c.operations)))
    _check_operations(pictures, styles)
    longest = max(len(styles[op].label) for cell in pictures for op in cell.operations)
    box_width = max(0.44, 0.1 + longest * _CHARACTER_WIDTH)
    layouts = [layered_layout(cell.matrix, box_width) for cell in pictures]
    figure, panels = _panels([_extent(*pair) for pair in zip(pictures, layouts)], max_width_in)
    for axes, picture, layout in zip(panels, pictures, layouts):
        _draw_panel(axes, picture, layout, box_width, styles)
    return figure


def _check_operations(
    pictures: Sequence[CellPicture], styles: Mapping[str, OperationStyle]
) -> None:
    for cell in pictures:
        if len(cell.operations) != len(cell.matrix):
            raise InvalidArchitectureError(
                f"drawing: expected an operation for each of {len(cell.matrix)} nodes, "
                f"got {tuple(cell.operations)!r}"
            )
        unknown = sorted(set(cell.operations) - set(styles))
        if unknown:
            raise ConfigError(
                f"drawing: no style for operation {unknown[0]!r}; styles are for {sorted(styles)}"
            )


def _extent(picture: CellPicture, layout: Layout) -> tuple[float, float]:
    """Returns the width and height in inches of a panel with title, graph and caption."""
    x0, x1, y0, y1 = layout.extent
    lines = [picture.title, *picture.caption.split("\n")]
    text_width = _CHARACTER_WIDTH * max(len(line) for line in lines)
    text_height = _text_height(picture.title) + _text_height(picture.caption)
    return max(x1 - x0, text_width) + 2 * _SIDE_MARGIN, y1 - y0 + text_height + 2 * _MARGIN


def _panels(
    extents: Sequence[tuple[float, float]], max_width_in: float
) -> tuple[Figure, list[Axes]]:
    """Returns a figure and, row by row, an axes for each (width, height), at least that large."""
    for columns in range(len(extents), 0, -1):
        widths = [max(width for width, _ in extents[i::columns]) for i in range(columns)]
        if sum(widths) <= max_width_in:
            break
    starts = range(0, len(extents), columns)
    heights = [max(height for _, height in extents[i : i + columns]) for i in starts]
    figure = new_figure(sum(widths), sum(heights))
    grid = figure.add_gridspec(
        len(heights), columns, width_ratios=widths, height_ratios=heights,
        left=0, right=1, bottom=0, top=1, wspace=0, hspace=0,
    )
    return figure, [figure.add_subplot(grid[index]) for index in range(len(extents))]


def _text_height(text: str) -> float:
    return _LINE_HEIGHT * (text.count("\n") + 1) + _MARGIN if text else 0.0


def _draw_panel(
    axes: Axes,
    picture: CellPicture,
    layout: Layout,
    box_width: float,
    styles: Mapping[str, OperationStyle],
) -> None:
    """Draws one cell into axes whose data unit becomes an inch."""
    width, height = axes.get_position().size * axes.figure.get_size_inches()
    x0, x1, y0, y1 = layout.extent
    left = (x0 + x1 - width) / 2
    below, above = _text_height(picture.caption), _text_height(picture.title)
    floor = (y0 + y1 - height + above - below) / 2
    axes.axis("off")
    axes.set(xlim=(left, left + width), ylim=(floor, floor + height))
    for points in layout.edges.values():
        axes.add_patch(
            FancyArrowPatch(
                path=edge_outline(points), arrowstyle="-|>,head_length=4,head_width=1.8",
                linewidth=0.9, color=INK, shrinkA=0, shrinkB=0, capstyle="butt", joinstyle="miter",
                zorder=2,
            )
        )
    for centre, operation in zip(layout.centres, picture.operations):
        axes.add_patch(
            FancyBboxPatch(
                centre - (box_width / 2, BOX_HEIGHT / 2), box_width, BOX_HEIGHT,
                boxstyle="round,pad=0,rounding_size=0.07", facecolor=styles[operation].colour,
                edgecolor=INK, linewidth=0.8, zorder=3,
            )
        )
        axes.text(*centre, styles[operation].label, fontsize=_FONT_SIZE, color="black",
                  ha="center", va="center_baseline", zorder=4)
    middle = (x0 + x1) / 2
    axes.text(middle, floor + height - _MARGIN, picture.title, ha="center", va="top",
              fontsize=_FONT_SIZE, fontweight="bold", color=INK)
    axes.text(middle, floor + below, picture.caption, ha="center", va="top",
              fontsize=_FONT_SIZE, color=INK, linespacing=1.3)


def edge_outline(points: np.ndarray) -> Outline:
    """Returns the curve of an edge: an S in each gap between layers, straight across each layer.

    Args:
        points: way points of `Layout.edges`, float64 [P, 2].

    Returns:
        A path of cubic Bezier curves, horizontal at every way point.
    """
    starts, ends = points[:-1], points[1:]
    reach = (ends - starts) * (0.5, 0.0)
    curves = np.stack([starts + reach, ends - reach, ends], axis=1).reshape(-1, 2)
    codes = [Outline.MOVETO] + [Outline.CURVE4] * len(curves)
    return Outline(np.concatenate([points[:1], curves]), codes)
