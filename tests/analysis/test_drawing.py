"""Tests of nas_tf.analysis.drawing and canvas."""

import xml.etree.ElementTree

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nas_tf.analysis import canvas, drawing
from nas_tf.core import ConfigError, InvalidArchitectureError

NAMES = ("input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "output")
DIAMOND = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
PICTURE = drawing.CellPicture(
    DIAMOND, ("input", "conv1x1-bn-relu", "maxpool3x3", "output"), "validation 94.92 %", "Cell 1"
)


def test_styles_are_short_and_distinct():
    styles = drawing.operation_styles(NAMES)
    assert [styles[name].label for name in NAMES] == ["input", "1×1", "3×3", "max-pool", "output"]
    assert len({styles[name].colour for name in NAMES[1:-1]}) == 3
    assert styles["input"].colour == styles["output"].colour


def test_unknown_operations_of_other_spaces_keep_their_names():
    styles = drawing.operation_styles(("skip", *(f"op{i}" for i in range(9))))
    assert styles["skip"].label == "skip"
    assert len(styles) == 10


def test_a_cell_has_a_box_a_node_and_an_arrow_an_edge():
    figure = drawing.draw_cell(PICTURE, drawing.operation_styles(NAMES))
    patches = figure.axes[0].patches
    assert sum(isinstance(patch, FancyBboxPatch) for patch in patches) == 4
    assert sum(isinstance(patch, FancyArrowPatch) for patch in patches) == 4
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(texts) == sorted(
        ["input", "1×1", "max-pool", "output", "validation 94.92 %", "Cell 1"]
    )


def test_everything_lies_inside_the_figure_and_labels_inside_their_boxes():
    figure = drawing.draw_cells([PICTURE] * 3, drawing.operation_styles(NAMES))
    figure.canvas.draw()
    width, height = figure.bbox.size
    for axes in figure.axes:
        boxes = [p.get_window_extent() for p in axes.patches if isinstance(p, FancyBboxPatch)]
        for text in axes.texts:
            extent = text.get_window_extent()
            assert 0 <= extent.x0 and extent.x1 <= width
            assert 0 <= extent.y0 and extent.y1 <= height
        for box, text in zip(boxes, axes.texts):
            extent = text.get_window_extent()
            assert box.x0 < extent.x0 and extent.x1 < box.x1
            assert box.y0 < extent.y0 and extent.y1 < box.y1


def test_a_wide_panel_continues_in_a_second_row():
    styles = drawing.operation_styles(NAMES)
    one = drawing.draw_cells([PICTURE] * 2, styles)
    two = drawing.draw_cells([PICTURE] * 2, styles, max_width_in=3.0)
    assert two.get_size_inches()[0] < one.get_size_inches()[0]
    assert two.get_size_inches()[1] > one.get_size_inches()[1]
    lefts = [axes.get_position().x0 for axes in two.axes]
    assert lefts[0] == lefts[1]


def test_cells_side_by_side_are_further_apart_than_boxes_of_one_cell():
    figure = drawing.draw_cells([PICTURE] * 2, drawing.operation_styles(NAMES))
    figure.canvas.draw()
    one, other = (
        [p.get_window_extent() for p in axes.patches if isinstance(p, FancyBboxPatch)]
        for axes in figure.axes
    )
    between = min(box.x0 for box in other) - max(box.x1 for box in one)
    assert between / figure.dpi > 0.35  # inches; 0.28 within a cell


def test_png_and_svg_are_written_and_repeat(tmp_path):
    for name, start in (("cell.png", b"\x89PNG"), ("cell.svg", b"<?xml")):
        first = canvas.save_figure(drawing.draw_cell(PICTURE), tmp_path / name).read_bytes()
        again = canvas.save_figure(drawing.draw_cell(PICTURE), tmp_path / name).read_bytes()
        assert first.startswith(start)
        assert first == again
    root = xml.etree.ElementTree.parse(tmp_path / "cell.svg").getroot()
    assert root.tag.endswith("svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cell.png", "cell.svg"]


def test_an_edge_is_level_at_its_way_points():
    points = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 1.0], [3.0, 0.0]])
    outline = drawing.edge_outline(points)
    np.testing.assert_allclose(
        outline.vertices,
        [[0, 0], [0.5, 0], [0.5, 1], [1, 1], [1.5, 1], [1.5, 1], [2, 1]]
        + [[2.5, 1], [2.5, 0], [3, 0]],
    )
    assert outline.codes.tolist() == [1] + [4] * 9


def test_bad_input_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least one cell"):
        drawing.draw_cells([])
    with pytest.raises(InvalidArchitectureError, match="each of 4 nodes"):
        drawing.draw_cell(drawing.CellPicture(DIAMOND, ("input", "output")))
    with pytest.raises(ConfigError, match="no style for operation 'maxpool3x3'"):
        drawing.draw_cell(PICTURE, drawing.operation_styles(NAMES[:3] + NAMES[4:]))
    with pytest.raises(ConfigError, match="cell.gif"):
        canvas.save_figure(drawing.draw_cell(PICTURE), tmp_path / "cell.gif")
