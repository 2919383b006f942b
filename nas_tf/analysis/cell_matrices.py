"""Cells as arch2vec reads them and as it walks past them.

A cell's drawing beside its adjacency and its one-hot operation matrix, and the cells of a walk
through the embedding with what changes from one to the next marked (Yan et al., 2020,
arXiv:2006.06936, figures 5, 7-9 and 11-13).

Shapes: K cells of a walk, V nodes of a cell, N rows of a matrix (V and padding), D operations.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nas_tf.analysis.canvas import INK, new_figure
from nas_tf.analysis.drawing import (
    MARK_COLOUR, MARK_WIDTH, CellPicture, OperationStyle, draw_cells, draw_panel, lay_out,
    operation_styles,
)
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs, edit_distance

_SIDE = 0.21  # inches of a matrix's entry
_ONE_COLOUR = "#3B4A5A"  # of an edge in the adjacency matrix
_PADDING_COLOUR = "#F0F0F0"
_WALK_SCALE = 0.72


def draw_cell_with_matrices(
    picture: CellPicture, op_names: Sequence[str], *, max_nodes: int | None = None
) -> Figure:
    """Returns a cell's drawing, its nodes numbered, beside the two matrices an encoder reads.

    To keep to 10.5 inches, the drawing becomes smaller, to 60 % at most.

    Args:
        picture: the cell of V nodes.
        op_names: D operations of the space, in the order of the matrix's columns.
        max_nodes: N; rows after the last node are shown as padding. By default there are none.

    Raises:
        ConfigError: an operation is not in `op_names`, or the cell does not fit `max_nodes`.
        InvalidArchitectureError: the cell has no nodes, its matrix is not square or has a cycle, or
            it has more or fewer operations than nodes.
    """
    size, styles = len(picture.operations), operation_styles(op_names)
    rows = max_nodes or size
    if not size:
        raise InvalidArchitectureError("drawing: the cell has no nodes")
    if rows < size:
        raise ConfigError(f"drawing: a cell of {size} nodes does not fit max_nodes={max_nodes}")
    picture = replace(picture, numbered=True)
    (layout,), panel = lay_out([picture], styles)
    beside = _SIDE * (rows + len(op_names)) + 0.9
    scale = float(np.clip((10.5 - beside) / panel[0], 0.6, 1.0))
    width, height = scale * panel
    figure = new_figure(width + beside, max(height, _SIDE * rows + 1.15), layout="constrained")
    left = width / (width + beside)
    draw_panel(figure.add_axes((0, 0, left, 1)), picture, layout, styles, scale=scale)
    figure.get_layout_engine().set(rect=(left, 0, 1 - left, 1))  # of the matrices
    adjacency_axes, operation_axes = figure.subplots(1, 2, width_ratios=(rows, len(op_names)))
    adjacency = np.pad(np.asarray(picture.matrix) != 0, (0, rows - size))
    edges = [OperationStyle(str(node), _ONE_COLOUR) for node in range(rows)]
    _draw_matrix(adjacency_axes, "adjacency matrix", adjacency, edges, size)
    one_hot = np.array(picture.operations)[:, None] == np.array(op_names)
    one_hot = np.pad(one_hot, ((0, rows - size), (0, 0)))
    _draw_matrix(operation_axes, "operation matrix", one_hot, list(styles.values()), size)
    return figure


def draw_walk(cells: CellGraphs, op_names: Sequence[str]) -> Figure:
    """Returns the cells of a walk in reading order, what is new in each marked.

    Args:
        cells: batch [K] in the order of the walk.
        op_names: D names of the operation codes.

    Raises:
        ConfigError: there is no cell.
        InvalidArchitectureError: a cell has a cycle.
    """
    pictures, styles = walk_pictures(cells, op_names), operation_styles(op_names)
    if len(pictures) < 2:
        return draw_cells(pictures, styles, scale=_WALK_SCALE)
    figure = draw_cells(pictures, styles, scale=_WALK_SCALE, footer_in=0.32)
    changed = Patch(facecolor="white", edgecolor=MARK_COLOUR, linewidth=MARK_WIDTH)
    new = Line2D([], [], color=MARK_COLOUR, linewidth=MARK_WIDTH)
    figure.legend(
        [changed, new], ["operation differs from the cell before", "new edge"],
        loc="lower center", ncols=2, frameon=False, fontsize=8, borderaxespad=0.3,
    )
    return figure


def walk_pictures(cells: CellGraphs, op_names: Sequence[str]) -> list[CellPicture]:
    """Returns the pictures of a walk: nodes and edges compared by position with the cell before.

    The caption is the edit distance (`graphs.edit_distance`) and what it consists of. A node that
    was there before and is not now counts as an operation, and cannot be marked.
    """
    distances = edit_distance(cells[1:], cells[:-1])
    pictures = []
    for index in range(len(cells)):
        matrix, ops = cells.matrix(index)
        picture = CellPicture(matrix, [op_names[code] for code in ops], "start", str(index + 1))
        if index:
            edges, before = cells.adjacency[index] != 0, cells.adjacency[index - 1] != 0
            differs, new = cells.ops[index] != cells.ops[index - 1], np.argwhere(edges & ~before)
            caption = (
                f"edit distance {distances[index - 1]}\noperations {differs.sum()}, "
                f"new edges {len(new)}, lost edges {(before & ~edges).sum()}"
            )
            picture = replace(
                picture, caption=caption,
                changed_nodes=frozenset(np.flatnonzero(differs[: len(ops)]).tolist()),
                new_edges=frozenset(map(tuple, new.tolist())),
            )
        pictures.append(picture)
    return pictures


def _draw_matrix(
    axes: Axes, title: str, values: np.ndarray, columns: Sequence[OperationStyle], num_nodes: int
) -> None:
    """Draws a matrix, bool [N, C], of C columns, a 1 in its column's colour."""
    labels, colours = zip(*columns)
    shown = np.ones((*values.shape, 3))
    shown[num_nodes:] = to_rgb(_PADDING_COLOUR)
    axes.imshow(np.where(values[..., None], to_rgba_array(colours)[:, :3], shown))
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if colours[column] == _ONE_COLOUR else "black"
        axes.text(column, row, str(int(value)), ha="center", va="center_baseline", fontsize=7,
                  color=ink if value else "#8C8C8C")
    axes.set_xticks(range(len(labels)), labels, rotation=90 if max(map(len, labels)) > 2 else 0)
    axes.set_yticks(range(len(values)))
    axes.set_xticks(np.arange(-0.5, len(labels)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(values)), minor=True)
    axes.grid(which="minor", color="#BBBBBB", linewidth=0.5)
    axes.spines[:].set_color("#BBBBBB")
    axes.tick_params(which="both", length=0, labelsize=7, labelcolor=INK, top=True, labeltop=True,
                     labelbottom=False, pad=2)
    axes.set_title(title, fontsize=8, fontweight="bold", color=INK)
