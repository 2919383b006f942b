"""Tests of nas_tf.analysis.drawing and canvas."""

import xml.etree.ElementTree

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nas_tf.analysis import canvas, drawing
from nas_tf.core import ConfigError, InvalidArchitectureError

NAMES = ("input", "1×1", "3×3", "max-pool", "output")
STYLES = drawing.operation_styles(NAMES)
DIAMOND = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
PICTURE = drawing.CellPicture(
    DIAMOND, ("input", "1×1", "max-pool", "output"), "validation 94.92 %", "Cell 1"
)


def _boxes(axes):
    return [p.get_window_extent() for p in axes.patches if isinstance(p, FancyBboxPatch)]


def test_styles_are_short_and_distinct():
    assert [STYLES[name].label for name in NAMES] == ["input", "1×1", "3×3", "max-pool", "output"]
    assert len({STYLES[name].colour for name in NAMES[1:-1]}) == 3
    assert STYLES["input"].colour == STYLES["output"].colour
    others = drawing.operation_styles(("skip", *(f"op{i}" for i in range(9))))
    assert len(others) == 10 and others["skip"].label == "skip"


def test_a_cell_has_a_box_a_node_and_an_arrow_an_edge():
    (axes,) = drawing.draw_cells([PICTURE], STYLES).axes
    assert len(_boxes(axes)) == 4
    assert sum(isinstance(patch, FancyArrowPatch) for patch in axes.patches) == 4
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["input", "1×1", "max-pool", "output", "Cell 1", "validation 94.92 %"]


def test_everything_lies_inside_the_figure_and_labels_inside_their_boxes():
    figure = drawing.draw_cells([PICTURE] * 3, STYLES)
    figure.canvas.draw()
    for axes in figure.axes:
        extents = [text.get_window_extent() for text in axes.texts]
        assert all(figure.bbox.contains(*corner) for e in extents for corner in (e.min, e.max))
        for box, extent in zip(_boxes(axes), extents):
            assert box.contains(*extent.min) and box.contains(*extent.max)
    first, second, _ = map(_boxes, figure.axes)
    between = min(box.x0 for box in second) - max(box.x1 for box in first)
    assert between / figure.dpi > 0.35  # inches; 0.28 within a cell


def test_many_cells_continue_in_a_second_row():
    figure = drawing.draw_cells([PICTURE] * 6, STYLES)
    assert figure.get_size_inches()[0] <= 10.5
    rows = [round(axes.get_position().y0, 6) for axes in figure.axes]
    assert rows == sorted(rows, reverse=True) and len(set(rows)) == 2
    lefts = [axes.get_position().x0 for axes in figure.axes]
    assert lefts[0] == lefts[rows.count(rows[0])] == 0.0


def test_png_and_svg_are_written_and_repeat(tmp_path):
    for name, start in (("cell.png", b"\x89PNG"), ("cell.svg", b"<?xml")):
        first, again = (
            canvas.save_figure(drawing.draw_cells([PICTURE], STYLES), tmp_path / name).read_bytes()
            for _ in range(2)
        )
        assert first.startswith(start) and first == again
    xml.etree.ElementTree.parse(tmp_path / "cell.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cell.png", "cell.svg"]


def test_an_edge_is_level_at_its_way_points():
    outline = drawing.edge_outline(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 1.0]]))
    expected = [[0, 0], [0.5, 0], [0.5, 1], [1, 1], [1.5, 1], [1.5, 1], [2, 1]]
    np.testing.assert_allclose(outline.vertices, expected)
    assert outline.codes.tolist() == [1] + [4] * 6


def test_bad_input_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least one cell"):
        drawing.draw_cells([], {})
    with pytest.raises(InvalidArchitectureError, match="each of 4 nodes"):
        drawing.draw_cells([drawing.CellPicture(DIAMOND, ("input", "output"))], STYLES)
    with pytest.raises(ConfigError, match="no style for operation 'max-pool'"):
        drawing.draw_cells([PICTURE], drawing.operation_styles(NAMES[:3] + NAMES[4:]))
    with pytest.raises(ConfigError, match="cell.gif"):
        canvas.save_figure(drawing.draw_cells([PICTURE], STYLES), tmp_path / "cell.gif")
