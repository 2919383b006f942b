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
from nas_tf.analysis.layout import BoxSize, Layout, layered_layout
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

_FONT_SIZE = 8.0
_CAPTION_SIZE = 8.0
_LINE_HEIGHT = 0.155  # inches a caption's line takes
_CHARACTER_WIDTH = 0.063  # inches, of the font above, generously
_MARGIN = 0.08
_PANEL_GAP = 0.45


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
    """Returns a figure of cells side by side, all to one scale, in several rows if too wide.

    Args:
        pictures: the cells, at least one.
        styles: operation name -> style; by default made from the names in order of appearance.
        max_width_in: width in inches above which a new row starts.

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
    size = BoxSize(width=max(0.44, 0.1 + longest * _CHARACTER_WIDTH))
    layouts = [layered_layout(cell.matrix, size) for cell in pictures]
    extents = [_extent(*pair) for pair in zip(pictures, layouts)]
    places, (width, height) = _arrange(extents, max_width_in)
    figure = new_figure(width, height)
    for picture, layout, place in zip(pictures, layouts, places):
        axes = figure.add_axes(tuple(np.array(place) / (width, height, width, height)))
        _draw_panel(axes, picture, layout, styles)
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
    """Returns a panel's width and height in inches, with room for title and caption."""
    x0, x1, y0, y1 = layout.extent
    lines = picture.caption.split("\n") if picture.caption else []
    text_width = max((len(line) for line in (*lines, picture.title)), default=0) * _CHARACTER_WIDTH
    text_height = _text_height(len(lines)) + _text_height(1 if picture.title else 0)
    return max(x1 - x0, text_width) + 2 * _MARGIN, y1 - y0 + text_height + 2 * _MARGIN


def _text_height(lines: int) -> float:
    return lines * _LINE_HEIGHT + 0.08 if lines else 0.0


def _arrange(
    extents: Sequence[tuple[float, float]], max_width_in: float
) -> tuple[list[tuple[float, float, float, float]], tuple[float, float]]:
    """Returns (left, bottom, width, height) of each panel and the (width, height) of the figure."""
    rows: list[list[int]] = [[]]
    used = 0.0
    for index, (width, _) in enumerate(extents):
        if rows[-1] and used + _PANEL_GAP + width > max_width_in:
            rows.append([])
        used = (used + _PANEL_GAP if rows[-1] else 0.0) + width
        rows[-1].append(index)
    widths = [sum(extents[i][0] for i in row) + _PANEL_GAP * (len(row) - 1) for row in rows]
    heights = [max(extents[i][1] for i in row) for row in rows]
    total_width, total_height = max(widths), sum(heights) + 0.2 * (len(rows) - 1)
    places, top = [], total_height
    for row, row_width, row_height in zip(rows, widths, heights):
        left = (total_width - row_width) / 2
        for index in row:
            places.append((left, top - row_height, extents[index][0], row_height))
            left += extents[index][0] + _PANEL_GAP
        top -= row_height + 0.2
    return places, (total_width, total_height)


def _draw_panel(
    axes: Axes, picture: CellPicture, layout: Layout, styles: Mapping[str, OperationStyle]
) -> None:
    """Draws one cell into axes whose data unit becomes an inch."""
    width, height = axes.get_position().size * axes.figure.get_size_inches()
    x0, x1, y0, y1 = layout.extent
    lines = picture.caption.count("\n") + 1 if picture.caption else 0
    below, above = _text_height(lines), _text_height(1 if picture.title else 0)
    middle = (x0 + x1) / 2
    floor = (y0 + y1) / 2 - (height - below - above) / 2 - below
    axes.set(xlim=(middle - width / 2, middle + width / 2), ylim=(floor, floor + height))
    axes.axis("off")
    for points in layout.edges.values():
        axes.add_patch(_edge_patch(points))
    for centre, operation in zip(layout.centres, picture.operations):
        _draw_box(axes, centre, layout.size, styles[operation])
    if picture.title:
        axes.text(middle, floor + height - _MARGIN, picture.title, ha="center", va="top",
                  fontsize=_CAPTION_SIZE, fontweight="bold", color=INK)
    if picture.caption:
        axes.text(middle, floor + below, picture.caption, ha="center", va="top",
                  fontsize=_CAPTION_SIZE, color=INK, linespacing=1.3)


def _draw_box(axes: Axes, centre: np.ndarray, size: BoxSize, style: OperationStyle) -> None:
    axes.add_patch(
        FancyBboxPatch(
            centre - (size.width / 2, size.height / 2),
            size.width,
            size.height,
            boxstyle="round,pad=0,rounding_size=0.07",
            facecolor=style.colour,
            edgecolor=INK,
            linewidth=0.8,
            zorder=3,
        )
    )
    place = {"ha": "center", "va": "center_baseline", "zorder": 4}
    axes.text(*centre, style.label, fontsize=_FONT_SIZE, color="black", **place)


def edge_outline(points: np.ndarray) -> Outline:
    """Returns the curve of an edge: an S in each gap between layers, straight across each layer.

    Args:
        points: way points of `Layout.edges`, float64 [P, 2], P even.

    Returns:
        A path of lines and cubic Bezier curves, horizontal at every way point.
    """
    vertices, codes = [points[0]], [Outline.MOVETO]
    for index in range(1, len(points)):
        start, end = points[index - 1], points[index]
        if index % 2 == 0:
            vertices.append(end)
            codes.append(Outline.LINETO)
            continue
        reach = 0.5 * (end[0] - start[0])
        vertices += [start + (reach, 0.0), end - (reach, 0.0), end]
        codes += [Outline.CURVE4] * 3
    return Outline(np.array(vertices), codes)


def _edge_patch(points: np.ndarray) -> FancyArrowPatch:
    return FancyArrowPatch(
        path=edge_outline(points), arrowstyle="-|>,head_length=4,head_width=1.8", linewidth=0.9,
        color=INK, shrinkA=0, shrinkB=0, capstyle="butt", joinstyle="miter", zorder=2,
    )
