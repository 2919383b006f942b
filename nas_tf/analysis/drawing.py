"""Drawings of cells for papers and reports: boxes for operations, curves for edges.

Works for any space: operations come in as names with labels and colours. The colours are pale
forms of Okabe and Ito's (2008), which stay apart with every common colour vision deficiency; the
labels say the same again. Sizes are inches at scale 1, where letters have 8 points.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Outline

from nas_tf.analysis.canvas import INK, new_figure
from nas_tf.analysis.layout import BOX_HEIGHT, Layout, layered_layout
from nas_tf.core import ConfigError, InvalidArchitectureError, ceil_div

# Strong enough to tell apart, pale enough for dark text (black text contrast above 7:1 on all).
_INTERIOR_COLOURS = ("#8CCBF2", "#F5BE4F", "#7FCFB4", "#E3B2CE", "#F0E442", "#EE9A66", "#B9B9F0")
_ENDS = ("input", "output", "$c_{k-2}$", "$c_{k-1}$", "$c_k$")
_UNCOLOURED = dict.fromkeys(_ENDS, "#E6E6E6")
_UNCOLOURED["none"] = "#FFFFFF"
MARK_COLOUR = "#C44601"  # of what is new: darker than every box, and always drawn heavier as well
MARK_WIDTH = 2.2  # points, where the rest has 0.9

_LETTER = 0.07  # width of a bold one, generously
_LINE_HEIGHT = 0.16
_MARGINS = np.array((0.4, 0.16))  # of a panel, both sides together


class OperationStyle(NamedTuple):
    """How an operation is shown: the label in its box, and the box's colour (as Matplotlib's)."""

    label: str
    colour: str


@dataclass(frozen=True, eq=False)
class CellPicture:
    """A cell to draw; what changed or is new is heavy and coloured."""

    matrix: np.ndarray  # adjacency [N, N], nonzero for an edge i -> j; acyclic
    operations: Sequence[str]  # the name of each node's, length N
    caption: str = ""  # below; may have several lines
    title: str = ""  # one line above, bold
    numbered: bool = False  # whether every box has its node's number at a corner
    changed_nodes: frozenset[int] = frozenset()
    new_edges: frozenset[tuple[int, int]] = frozenset()


def operation_styles(names: Sequence[str]) -> dict[str, OperationStyle]:
    """Returns a style for each operation of a space.

    Args:
        names: operations as they are shown (`op_labels` of a space), in the space's order; inputs
            and outputs are grey and "none" is white, the others get colours in this order (seven,
            then repeated).
    """
    interior = [name for name in names if name not in _UNCOLOURED]
    colours = _UNCOLOURED | dict(zip(interior, itertools.cycle(_INTERIOR_COLOURS)))
    return {name: OperationStyle(name, colours[name]) for name in names}


def draw_cells(
    pictures: Sequence[CellPicture],
    styles: Mapping[str, OperationStyle],
    *,
    scale: float = 1.0,
    footer_in: float = 0.0,
) -> Figure:
    """Returns a figure of cells in panels of one size, row by row, at most 10.5 inches wide.

    Args:
        pictures: the cells, at least one.
        styles: operation name -> style, see `operation_styles`.
        scale: size of everything, letters too.
        footer_in: height in inches left free at the bottom.

    Raises:
        ConfigError: there is no picture, or an operation has no style.
        InvalidArchitectureError: a matrix is not square or has a cycle, or a cell has more or fewer
            operations than nodes.
    """
    layouts, size = lay_out(pictures, styles)
    columns = min(max(int(10.5 / scale / size[0]), 1), len(pictures))
    rows = ceil_div(len(pictures), columns)
    figure = new_figure(*(scale * size * (columns, rows) + (0, footer_in)))
    width, height = scale * size / figure.get_size_inches()
    for number, (picture, layout) in enumerate(zip(pictures, layouts)):
        row, column = divmod(number, columns)
        axes = figure.add_axes((column * width, 1 - (row + 1) * height, width, height))
        draw_panel(axes, picture, layout, styles, scale=scale)
    return figure


def lay_out(
    pictures: Sequence[CellPicture], styles: Mapping[str, OperationStyle]
) -> tuple[list[Layout], np.ndarray]:
    """Returns layouts with boxes of one width, and the size of a panel that fits each, float64 [2].

    Raises:
        As `draw_cells`.
    """
    if not pictures:
        raise ConfigError("drawing: expected at least one cell, got none")
    names = {name for picture in pictures for name in picture.operations}
    if unknown := sorted(names - set(styles)):
        raise ConfigError(
            f"drawing: no style for operation {unknown[0]!r}; styles are for {sorted(styles)}"
        )
    letters = max((len(styles[name].label.strip("$")) for name in names), default=0)
    box_width = max(0.44, 0.1 + _LETTER * letters)
    layouts, sizes = [], []
    for picture in pictures:
        if len(picture.operations) != len(picture.matrix):
            raise InvalidArchitectureError(
                f"drawing: expected an operation for each of {len(picture.matrix)} nodes, "
                f"got {tuple(picture.operations)!r}"
            )
        layouts.append(layered_layout(picture.matrix, box_width))
        lines = [picture.title, *picture.caption.split("\n")]
        width, height = np.diff(layouts[-1].extent, axis=0)[0]
        # The drawing is in the middle: as much room above it as the caption needs below.
        height += 2 * _LINE_HEIGHT * (len(lines) - 0.5) if any(lines) else 0
        sizes.append((max(width, 0.9 * _LETTER * max(map(len, lines))), height))
    return layouts, np.max(sizes, axis=0) + _MARGINS


def draw_panel(
    axes: Axes,
    picture: CellPicture,
    layout: Layout,
    styles: Mapping[str, OperationStyle],
    *,
    scale: float = 1.0,
) -> None:
    """Draws one cell with title and caption in the middle of axes, in units of `scale` inches."""
    size = axes.get_position().size * axes.figure.get_size_inches() / scale
    (x0, y0), (x1, y1) = layout.extent.mean(axis=0) + np.outer((-0.5, 0.5), size)
    axes.axis("off")
    axes.set(xlim=(x0, x1), ylim=(y0, y1))
    _draw_edges(axes, picture, layout, scale)
    _draw_boxes(axes, picture, layout, styles, scale)
    style = {"fontsize": 8 * scale, "color": INK, "ha": "center", "va": "top"}
    middle, below = (x0 + x1) / 2, layout.extent[0, 1] - 0.08
    axes.text(middle, y1 - 0.08, picture.title, fontweight="bold", **style)
    axes.text(middle, below, picture.caption, linespacing=1.3, **style)


def _draw_edges(axes: Axes, picture: CellPicture, layout: Layout, scale: float) -> None:
    for edge, points in layout.edges.items():
        new = edge in picture.new_edges
        axes.add_patch(
            FancyArrowPatch(
                path=edge_outline(points), arrowstyle="-|>,head_length=4,head_width=1.8",
                linewidth=scale * (MARK_WIDTH if new else 0.9), color=MARK_COLOUR if new else INK,
                mutation_scale=scale, shrinkA=0, shrinkB=0, capstyle="butt", joinstyle="miter",
                zorder=2.5 if new else 2,
            )
        )


def _draw_boxes(
    axes: Axes,
    picture: CellPicture,
    layout: Layout,
    styles: Mapping[str, OperationStyle],
    scale: float,
) -> None:
    half = np.array((layout.box_width, BOX_HEIGHT)) / 2
    for node, (centre, name) in enumerate(zip(layout.centres, picture.operations)):
        changed = node in picture.changed_nodes
        axes.add_patch(
            FancyBboxPatch(
                centre - half, *(2 * half), boxstyle="round,pad=0,rounding_size=0.07",
                facecolor=styles[name].colour, edgecolor=MARK_COLOUR if changed else INK,
                linewidth=scale * (MARK_WIDTH if changed else 0.8), zorder=3,
            )
        )
        axes.text(*centre, styles[name].label, fontsize=8 * scale, color="black", ha="center",
                  va="center_baseline", fontweight="bold" if changed else "normal", zorder=4)
        if picture.numbered:
            axes.text(*(centre + half * (-1, 1)), str(node), fontsize=5.5 * scale, color="white",
                      ha="center", va="center", zorder=5,
                      bbox={"boxstyle": "circle,pad=0.18", "facecolor": INK, "linewidth": 0})


def edge_outline(points: np.ndarray) -> Outline:
    """Returns an edge's curve through way points [P, 2], horizontal at each: cubic Beziers."""
    starts, ends = points[:-1], points[1:]
    reach = (ends - starts) * (0.5, 0.0)
    curves = np.stack([starts + reach, ends - reach, ends], axis=1).reshape(-1, 2)
    codes = [Outline.MOVETO] + [Outline.CURVE4] * len(curves)
    return Outline(np.concatenate([points[:1], curves]), codes)
