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
    "nor_conv_1x1": "1×1",
    "nor_conv_3x3": "3×3",
    "avg_pool_3x3": "avg-pool",
    "max_pool_3x3": "max-pool",
    "skip_connect": "skip",
    "sep_conv_3x3": "sep 3×3",
    "sep_conv_5x5": "sep 5×5",
    "dil_conv_3x3": "dil 3×3",
    "dil_conv_5x5": "dil 5×5",
    "c_k-2": "$c_{k-2}$",
    "c_k-1": "$c_{k-1}$",
    "c_k": "$c_k$",
}
# Strong enough to tell apart, pale enough for dark text (black text contrast above 7:1 on all).
_INTERIOR_COLOURS = ("#8CCBF2", "#F5BE4F", "#7FCFB4", "#E3B2CE", "#F0E442", "#EE9A66", "#B9B9F0")
_TERMINAL_COLOUR = "#E6E6E6"
_TERMINALS = ("input", "output", "c_k-2", "c_k-1", "c_k")
_UNCOLOURED = dict.fromkeys(_TERMINALS, _TERMINAL_COLOUR) | {"none": "#FFFFFF"}
MARK_COLOUR = "#C44601"  # of what is new: darker than every box, and always drawn heavier as well
MARK_WIDTH = 2.2  # points, where the rest has 0.9

_FONT_SIZE = 8.0  # points
_LINE_HEIGHT = 0.155  # inches a caption's line takes
_CHARACTER_WIDTH = 0.063  # inches, of the font above, generously
_BOLD_WIDTH = 0.07
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
        numbered: whether every box has its node's number at a corner.
        changed_nodes: nodes with a heavy coloured outline and a bold label.
        new_edges: edges (i, j) drawn heavy and coloured.
    """

    matrix: np.ndarray
    operations: Sequence[str]
    caption: str = ""
    title: str = ""
    numbered: bool = False
    changed_nodes: frozenset[int] = frozenset()
    new_edges: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, eq=False)
class CellPlan:
    """A cell with its layout.

    Attributes:
        picture: the cell.
        layout: where its boxes and edges go.
        box_width: in inches.
        size: width and height in inches, float64 [2], that it needs with title and caption.
    """

    picture: CellPicture
    layout: Layout
    box_width: float
    size: np.ndarray


def operation_styles(names: Sequence[str]) -> dict[str, OperationStyle]:
    """Returns a style for each operation of a space.

    Args:
        names: operation names in the space's order; inputs and outputs are grey and "none" is
            white, the others get colours in this order (seven, then repeated). Names in
            `SHORT_LABELS` are shown short.

    Returns:
        Name -> style.
    """
    interior = [name for name in names if name not in _UNCOLOURED]
    colours = _UNCOLOURED | dict(zip(interior, itertools.cycle(_INTERIOR_COLOURS)))
    return {name: OperationStyle(SHORT_LABELS.get(name, name), colours[name]) for name in names}


def draw_cell(picture: CellPicture, styles: Mapping[str, OperationStyle] | None = None) -> Figure:
    """Returns a figure of one cell; see `draw_cells`."""
    return draw_cells([picture], styles)


def draw_cells(
    pictures: Sequence[CellPicture],
    styles: Mapping[str, OperationStyle] | None = None,
    *,
    max_width_in: float = 10.5,
    scale: float = 1.0,
    footer_in: float = 0.0,
) -> Figure:
    """Returns a figure of cells side by side, all to one scale, in rows of equal length.

    Args:
        pictures: the cells, at least one.
        styles: operation name -> style; by default made from the names in order of appearance.
        max_width_in: width in inches above which there are more rows.
        scale: size of everything, letters too; they have 8 points at 1.
        footer_in: height in inches left free at the bottom.

    Returns:
        The figure, just large enough; save it with `canvas.save_figure`.

    Raises:
        ConfigError: there is no picture, or an operation has no style.
        InvalidArchitectureError: a matrix is not square or has a cycle, or a cell has more or fewer
            operations than nodes.
    """
    if styles is None:
        styles = operation_styles(list(dict.fromkeys(op for c in pictures for op in c.operations)))
    plans = plan_cells(pictures, styles)
    figure, panels = _panels([scale * plan.size for plan in plans], max_width_in, footer_in)
    for axes, plan in zip(panels, plans):
        draw_panel(axes, plan, styles, scale=scale)
    return figure


def plan_cells(
    pictures: Sequence[CellPicture], styles: Mapping[str, OperationStyle]
) -> list[CellPlan]:
    """Returns the layouts of cells whose boxes are all of one width, that of the longest label.

    Raises:
        As `draw_cells`.
    """
    if not pictures:
        raise ConfigError("drawing: expected at least one cell, got none")
    _check_operations(pictures, styles)
    longest = max(num_letters(styles[op].label) for cell in pictures for op in cell.operations)
    width = _BOLD_WIDTH if any(cell.changed_nodes for cell in pictures) else _CHARACTER_WIDTH
    box_width = max(0.44, 0.1 + longest * width)
    plans = []
    for cell in pictures:
        layout = layered_layout(cell.matrix, box_width)
        plans.append(CellPlan(cell, layout, box_width, _size(cell, layout)))
    return plans


def num_letters(label: str) -> int:
    """Returns how many letters of a label are seen: of "$c_{k-2}$", four."""
    return len(label) - (sum(map(label.count, "${}_")) if label.startswith("$") else 0)


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


def _size(picture: CellPicture, layout: Layout) -> np.ndarray:
    """Returns the width and height in inches, float64 [2], of a panel with title and caption."""
    x0, x1, y0, y1 = layout.extent
    lines = [picture.title, *picture.caption.split("\n")]
    text_width = _CHARACTER_WIDTH * max(len(line) for line in lines)
    text_height = _text_height(picture.title) + _text_height(picture.caption)
    width, height = max(x1 - x0, text_width), y1 - y0 + text_height
    return np.array((width + 2 * _SIDE_MARGIN, height + 2 * _MARGIN))


def _panels(
    extents: Sequence[np.ndarray], max_width_in: float, footer_in: float
) -> tuple[Figure, list[Axes]]:
    """Returns a figure and, row by row, an axes for each (width, height), at least that large."""
    for columns in range(len(extents), 0, -1):
        widths = [max(width for width, _ in extents[i::columns]) for i in range(columns)]
        if sum(widths) <= max_width_in:
            break
    starts = range(0, len(extents), columns)
    heights = [max(height for _, height in extents[i : i + columns]) for i in starts]
    figure = new_figure(sum(widths), sum(heights) + footer_in)
    grid = figure.add_gridspec(
        len(heights), columns, width_ratios=widths, height_ratios=heights,
        left=0, right=1, bottom=footer_in / (sum(heights) + footer_in), top=1, wspace=0, hspace=0,
    )
    return figure, [figure.add_subplot(grid[index]) for index in range(len(extents))]


def _text_height(text: str) -> float:
    return _LINE_HEIGHT * (text.count("\n") + 1) + _MARGIN if text else 0.0


def draw_panel(
    axes: Axes, plan: CellPlan, styles: Mapping[str, OperationStyle], *, scale: float = 1.0
) -> None:
    """Draws one cell with title and caption in the middle of axes.

    Args:
        axes: become data units of `scale` inches; should be at least `scale` times `plan.size`.
        plan: the cell, of `plan_cells`.
        styles: operation name -> style.
        scale: size of everything, letters too.
    """
    picture = plan.picture
    across, up = axes.get_position().size * axes.figure.get_size_inches() / scale
    x0, x1, y0, y1 = plan.layout.extent
    left = (x0 + x1 - across) / 2
    below, above = _text_height(picture.caption), _text_height(picture.title)
    floor = (y0 + y1 - up + above - below) / 2
    axes.axis("off")
    axes.set(xlim=(left, left + across), ylim=(floor, floor + up))
    _draw_edges(axes, plan, scale)
    _draw_boxes(axes, plan, styles, scale)
    middle, style = (x0 + x1) / 2, {"fontsize": scale * _FONT_SIZE, "color": INK, "ha": "center"}
    axes.text(middle, floor + up - _MARGIN, picture.title, va="top", fontweight="bold", **style)
    axes.text(middle, floor + below, picture.caption, va="top", linespacing=1.3, **style)


def _draw_edges(axes: Axes, plan: CellPlan, scale: float) -> None:
    for edge, points in plan.layout.edges.items():
        new = edge in plan.picture.new_edges
        axes.add_patch(
            FancyArrowPatch(
                path=edge_outline(points), arrowstyle="-|>,head_length=4,head_width=1.8",
                linewidth=scale * (MARK_WIDTH if new else 0.9), color=MARK_COLOUR if new else INK,
                mutation_scale=scale, shrinkA=0, shrinkB=0, capstyle="butt", joinstyle="miter",
                zorder=2.5 if new else 2,
            )
        )


def _draw_boxes(
    axes: Axes, plan: CellPlan, styles: Mapping[str, OperationStyle], scale: float
) -> None:
    picture, width = plan.picture, plan.box_width
    for node, (centre, operation) in enumerate(zip(plan.layout.centres, picture.operations)):
        changed = node in picture.changed_nodes
        corner = centre - (width / 2, BOX_HEIGHT / 2)
        axes.add_patch(
            FancyBboxPatch(
                corner, width, BOX_HEIGHT, boxstyle="round,pad=0,rounding_size=0.07",
                facecolor=styles[operation].colour, edgecolor=MARK_COLOUR if changed else INK,
                linewidth=scale * (MARK_WIDTH if changed else 0.8), zorder=3,
            )
        )
        axes.text(*centre, styles[operation].label, fontsize=scale * _FONT_SIZE, color="black",
                  fontweight="bold" if changed else "normal", ha="center", va="center_baseline",
                  zorder=4)
        if picture.numbered:
            axes.text(corner[0], corner[1] + BOX_HEIGHT, str(node), fontsize=scale * 5.5,
                      color="white", ha="center", va="center", zorder=5,
                      bbox={"boxstyle": "circle,pad=0.18", "facecolor": INK, "linewidth": 0})


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
