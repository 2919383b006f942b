"""Cells as arch2vec reads them and as it walks past them.

A cell's drawing beside its adjacency and its one-hot operation matrix, and the cells of a walk
through the embedding with what changes from one to the next marked (Yan et al., 2020,
arXiv:2006.06936, figures 5, 7-9 and 11-13).

Shapes: K cells of a walk, V nodes of a cell, N rows of a matrix (V and padding), D operations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from nas_tf.analysis.canvas import INK, new_figure
from nas_tf.analysis.drawing import (
    MARK_COLOUR, MARK_WIDTH, CellPicture, OperationStyle, draw_cells, draw_panel, num_letters,
    operation_styles, plan_cells,
)
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs, edit_distance

# Inches.
_SIDE = 0.2  # of an entry of a matrix
_GAP = 0.22  # before a matrix
_MARGIN = 0.1
_NUMBERS = 0.2  # the row numbers of a matrix
_TITLE = 0.24
_LETTER = 0.062  # of the font below
_FONT_SIZE = 7.0  # points, of entries and labels

_ONE_COLOUR = "#3B4A5A"  # of an edge in the adjacency matrix
_ZERO_COLOUR = "#8C8C8C"
_LINE_COLOUR = "#BBBBBB"
_PADDING_COLOUR = "#F0F0F0"
_LEAST_SCALE = 0.6  # of a drawing beside matrices: below it the letters are too small

_WALK_SCALE = 0.72
_LEGEND_HEIGHT = 0.32


@dataclass(frozen=True, eq=False)
class _Grid:
    """A matrix to draw: 0-1 [N, C], names of its C columns, and the colour of a 1 in each."""

    title: str
    values: np.ndarray
    columns: Sequence[str]
    colours: Sequence[str]

    @property
    def width(self) -> float:
        return _GAP + _NUMBERS + _SIDE * len(self.columns)

    @property
    def header(self) -> float:
        """Height above the entries: the title, and the columns' names, upright if long."""
        longest = max(map(num_letters, self.columns))
        return _TITLE + (0.08 + _LETTER * longest if self.upright else 0.16)

    @property
    def upright(self) -> bool:
        return max(map(num_letters, self.columns)) > 2


def draw_cell_with_matrices(
    picture: CellPicture,
    op_names: Sequence[str],
    *,
    max_nodes: int | None = None,
    styles: Mapping[str, OperationStyle] | None = None,
    max_width_in: float = 10.5,
) -> Figure:
    """Returns a cell's drawing, its nodes numbered, beside the two matrices an encoder reads.

    Args:
        picture: the cell of V nodes; its title goes above the drawing, its caption below.
        op_names: D operations of the space, in the order of the matrix's columns.
        max_nodes: N; rows after the last node are shown as padding. By default there are none.
        styles: operation name -> style; by default that of `op_names`.
        max_width_in: width in inches to which the drawing is made smaller, to 60 % at most.

    Returns:
        The figure, just large enough; save it with `canvas.save_figure`.

    Raises:
        ConfigError: an operation is not in `op_names`, or the cell does not fit `max_nodes`.
        InvalidArchitectureError: the cell has no nodes, its matrix is not square or has a cycle, or
            it has more or fewer operations than nodes.
    """
    styles = styles or operation_styles(op_names)
    _check_cell(picture, op_names, max_nodes)
    (plan,) = plan_cells([replace(picture, title="", numbered=True)], styles)
    grids = _grids(picture, op_names, styles, max_nodes or len(picture.operations))
    beside = sum(grid.width for grid in grids) + _MARGIN
    scale = float(np.clip((max_width_in - beside) / plan.size[0], _LEAST_SCALE, 1.0))
    drawing = scale * plan.size
    drawing[0] = max(drawing[0], 0.1 * len(picture.title))
    header, entries = max(grid.header for grid in grids), _SIDE * len(grids[0].values)
    total = np.array((
        drawing[0] + beside, _MARGIN + _TITLE + max(drawing[1], header - _TITLE + entries + _MARGIN)
    ))
    figure, axes = _sheet(*total)
    # The drawing is level with the matrices' entries as far as its height allows.
    top = total[1] - _MARGIN - header
    floor = np.clip(top - (entries + drawing[1]) / 2, 0.0, total[1] - _MARGIN - _TITLE - drawing[1])
    panel = figure.add_axes((0, floor / total[1], drawing[0] / total[0], drawing[1] / total[1]))
    draw_panel(panel, plan, styles, scale=scale)
    _title(axes, drawing[0] / 2, picture.title)
    left = drawing[0]
    for grid in grids:
        _draw_grid(axes, grid, left + _GAP + _NUMBERS, top, len(picture.operations))
        left += grid.width
    return figure


def draw_walk(
    cells: CellGraphs,
    op_names: Sequence[str],
    *,
    notes: Sequence[str] | None = None,
    styles: Mapping[str, OperationStyle] | None = None,
    max_width_in: float = 10.5,
    scale: float = _WALK_SCALE,
) -> Figure:
    """Returns the cells of a walk in reading order, what is new in each marked.

    Args:
        cells: batch [K] in the order of the walk.
        op_names: D names of the operation codes.
        notes: K lines, each below its cell.
        styles: operation name -> style; by default that of `op_names`.
        max_width_in: width in inches above which there are more rows.
        scale: size of everything; letters have 8 points at 1.

    Returns:
        The figure, just large enough; save it with `canvas.save_figure`.

    Raises:
        ConfigError: there is no cell, there are more or fewer notes than cells, or an operation
            has no name.
        InvalidArchitectureError: a cell has no nodes or has a cycle.
    """
    pictures = walk_pictures(cells, op_names, notes=notes)
    styles = styles or operation_styles(op_names)
    footer = _LEGEND_HEIGHT if len(pictures) > 1 else 0.0
    figure = draw_cells(
        pictures, styles, max_width_in=max_width_in, scale=scale, footer_in=footer
    )
    if footer:
        changed = Patch(facecolor="white", edgecolor=MARK_COLOUR, linewidth=MARK_WIDTH)
        new = Line2D([], [], color=MARK_COLOUR, linewidth=MARK_WIDTH)
        figure.legend(
            [changed, new], ["operation differs from the cell before", "new edge"],
            loc="lower center", ncols=2, frameon=False, fontsize=8, borderaxespad=0.3,
        )
    return figure


def walk_pictures(
    cells: CellGraphs, op_names: Sequence[str], *, notes: Sequence[str] | None = None
) -> list[CellPicture]:
    """Returns the pictures of a walk: nodes and edges compared by position with the cell before.

    The caption is the edit distance (`graphs.edit_distance`) and what it consists of. A node that
    was there before and is not now counts as an operation, and cannot be marked.

    Args:
        cells: batch [K].
        op_names: D names of the operation codes.
        notes: K lines, each below its cell.

    Raises:
        As `draw_walk`.
    """
    _check_walk(cells, op_names, notes)
    distances = edit_distance(cells[1:], cells[:-1])
    pictures = []
    for index in range(len(cells)):
        matrix, ops = cells.matrix(index)
        caption, changed, new_edges = "start", np.empty(0, int), np.empty((0, 2), int)
        if index:
            edges, before = cells.adjacency[index] != 0, cells.adjacency[index - 1] != 0
            differs = cells.ops[index] != cells.ops[index - 1]
            changed, new_edges = np.flatnonzero(differs[: len(ops)]), np.argwhere(edges & ~before)
            counts = (distances[index - 1], differs.sum(), len(new_edges), (before & ~edges).sum())
            caption = _distance_line(*map(int, counts))
        caption += "" if notes is None else f"\n{notes[index]}"
        pictures.append(
            CellPicture(
                matrix, [op_names[code] for code in ops], caption, str(index + 1),
                changed_nodes=frozenset(changed.tolist()),
                new_edges=frozenset(map(tuple, new_edges.tolist())),
            )
        )
    return pictures


def _distance_line(distance: int, num_ops: int, num_new: int, num_gone: int) -> str:
    """Returns "edit distance 4: 2 operations, 1 edge new, 1 gone"."""
    parts = []
    if num_ops:
        parts.append(f"{num_ops} operation{'s' * (num_ops > 1)}")
    if num_new:
        parts.append(f"{num_new} edge{'s' * (num_new > 1)} new")
    if num_gone:
        edges = "" if num_new else f" edge{'s' * (num_gone > 1)}"
        parts.append(f"{num_gone}{edges} gone")
    return f"edit distance {distance}" + (": " if parts else "") + ", ".join(parts)


def _check_walk(cells: CellGraphs, op_names: Sequence[str], notes: Sequence[str] | None) -> None:
    if len(cells.shape) != 1 or not len(cells):
        raise ConfigError(f"walk: expected cells [K], K >= 1, got {list(cells.shape)}")
    if notes is not None and len(notes) != len(cells):
        raise ConfigError(f"walk: expected a note for each of {len(cells)} cells, got {len(notes)}")
    used = np.arange(cells.max_nodes) < cells.num_nodes[:, None]
    wrong = used & ((cells.ops < 0) | (cells.ops >= len(op_names)))
    if wrong.any():
        cell, node = np.argwhere(wrong)[0]
        raise ConfigError(
            f"walk: cell {cell + 1} has operation {cells.ops[cell, node]} at node {node}; "
            f"there are {len(op_names)} operations"
        )
    if not used.any(axis=1).all():
        raise InvalidArchitectureError(f"walk: cell {np.argmin(used.any(axis=1)) + 1} has no nodes")


def _check_cell(picture: CellPicture, op_names: Sequence[str], max_nodes: int | None) -> None:
    size = len(picture.operations)
    if not size:
        raise InvalidArchitectureError("drawing: the cell has no nodes")
    if max_nodes is not None and max_nodes < size:
        raise ConfigError(f"drawing: a cell of {size} nodes does not fit max_nodes={max_nodes}")
    unknown = [name for name in picture.operations if name not in op_names]
    if unknown:
        raise ConfigError(
            f"drawing: operation {unknown[0]!r} is none of the space's: {list(op_names)}"
        )


def _grids(
    picture: CellPicture, op_names: Sequence[str], styles: Mapping[str, OperationStyle], rows: int
) -> list[_Grid]:
    """Returns the adjacency matrix [N, N] and the operation matrix [N, D]."""
    size = len(picture.operations)
    adjacency = np.zeros((rows, rows), bool)
    adjacency[:size, :size] = np.asarray(picture.matrix) != 0
    one_hot = np.zeros((rows, len(op_names)), bool)
    one_hot[:size] = np.array(picture.operations)[:, None] == np.array(op_names)
    numbers = [str(number) for number in range(rows)]
    labels = [styles[name].label for name in op_names]
    colours = [styles[name].colour for name in op_names]
    return [
        _Grid("adjacency matrix", adjacency, numbers, [_ONE_COLOUR] * rows),
        _Grid("operation matrix", one_hot, labels, colours),
    ]


def _sheet(width: float, height: float) -> tuple[Figure, Axes]:
    """Returns a figure and axes that cover it, whose data unit is an inch."""
    figure = new_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.axis("off")
    return figure, axes


def _title(axes: Axes, x: float, text: str) -> None:
    axes.text(x, axes.get_ylim()[1] - _MARGIN, text, ha="center", va="top", color=INK,
              fontsize=_FONT_SIZE + 1, fontweight="bold")


def _draw_grid(axes: Axes, grid: _Grid, left: float, top: float, num_nodes: int) -> None:
    """Draws a matrix whose upper left corner is (left, top), in axes of inches."""
    middle = {"ha": "center", "va": "center_baseline", "fontsize": _FONT_SIZE}
    for row, values in enumerate(grid.values):
        y = top - _SIDE * (row + 1)
        padding = row >= num_nodes
        for column, value in enumerate(values):
            x = left + _SIDE * column
            colour = grid.colours[column] if value else _PADDING_COLOUR if padding else "white"
            line = (INK, 0.8, 2) if value else (_LINE_COLOUR, 0.5, 1)
            style = dict(zip(("edgecolor", "linewidth", "zorder"), line))
            axes.add_patch(Rectangle((x, y), _SIDE, _SIDE, facecolor=colour, **style))
            ink = "white" if colour == _ONE_COLOUR else "black" if value else _ZERO_COLOUR
            axes.text(x + _SIDE / 2, y + _SIDE / 2, str(int(value)), color=ink, **middle)
        axes.text(left - 0.06, y + _SIDE / 2, str(row), color=_ZERO_COLOUR if padding else INK,
                  ha="right", va="center_baseline", fontsize=_FONT_SIZE)
    for column, label in enumerate(grid.columns):
        axes.text(left + _SIDE * (column + 0.5), top + 0.05, label, ha="center", va="bottom",
                  fontsize=_FONT_SIZE, color=INK, rotation=90 if grid.upright else 0)
    _title(axes, left + _SIDE * len(grid.columns) / 2, grid.title)
