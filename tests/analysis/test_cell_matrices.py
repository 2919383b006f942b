"""Tests of nas_tf.analysis.cell_matrices: matrices beside drawings, and walks with marks."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from nas_tf.analysis import cell_matrices, drawing
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.layout import layered_layout
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs, edit_distance
from nas_tf.spaces import darts, nasbench101, nasbench201

NAMES = nasbench101.OP_NAMES
CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
SKIP = [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
DIAMOND = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
PICTURE = drawing.CellPicture(
    np.array(DIAMOND), (NAMES[0], NAMES[1], NAMES[3], NAMES[4]), "test 93.1 %", "Cell 1"
)
SPACES = [nasbench101.NasBench101Space(), nasbench201.NasBench201Space(), darts.DartsSpace()]


def _texts(axes):
    return [text.get_text() for text in axes.texts]


def _walk(matrices, ops):
    return CellGraphs.from_matrices(matrices, ops, 7)


def _mutations(space, count):
    rng = np.random.default_rng(1)
    cells = [space.random_cells(rng, (1,))]
    while len(cells) < count:
        cells.append(space.mutate(cells[-1], rng))
    return CellGraphs.concatenate(cells)


def test_matrices_show_edges_operations_and_padding():
    figure = cell_matrices.draw_cell_with_matrices(PICTURE, NAMES, max_nodes=7)
    sheet, panel = figure.axes
    entries = [patch for patch in sheet.patches if isinstance(patch, Rectangle)]
    assert len(entries) == 7 * 7 + 7 * 5
    texts = _texts(sheet)
    assert texts.count("adjacency matrix") == texts.count("operation matrix") == 1
    assert "Cell 1" in texts and "max-pool" in texts
    colours = [to_hex(patch.get_facecolor()) for patch in entries]
    adjacency = np.array(colours[:49]).reshape(7, 7)
    ones = adjacency == cell_matrices._ONE_COLOUR.lower()
    np.testing.assert_array_equal(np.argwhere(ones), np.argwhere(np.array(DIAMOND)))
    assert (adjacency[4:] == cell_matrices._PADDING_COLOUR.lower()).all()
    styles = drawing.operation_styles(NAMES)
    one_hot = np.array(colours[49:]).reshape(7, 5)
    assert [one_hot[node, NAMES.index(op)] for node, op in enumerate(PICTURE.operations)] == [
        styles[op].colour.lower() for op in PICTURE.operations
    ]
    assert _texts(panel)[:8] == ["input", "0", "1×1", "1", "max-pool", "2", "output", "3"]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_nothing_is_cut_or_covered_in_any_space(space):
    cells = space.random_cells(np.random.default_rng(0), (1,))
    matrix, ops = cells.matrix(0)
    names = [space.op_names[code] for code in ops]
    picture = drawing.CellPicture(matrix, names, "a caption", "a title")
    figure = cell_matrices.draw_cell_with_matrices(
        picture, space.op_names, max_nodes=space.max_nodes
    )
    assert figure.get_size_inches()[0] <= 10.5
    figure.canvas.draw()
    width, height = figure.bbox.size
    texts = [text for axes in figure.axes for text in axes.texts if text.get_text()]
    extents = [text.get_window_extent() for text in texts]
    for extent in extents:
        assert 0 <= extent.x0 and extent.x1 <= width and 0 <= extent.y0 and extent.y1 <= height
    for first in range(len(extents)):
        assert extents[first].count_overlaps(extents[first + 1 :]) == 0, texts[first]
    right = max(box.get_window_extent().x1 for box in figure.axes[1].patches)
    entries = [patch.get_window_extent() for patch in figure.axes[0].patches]
    assert right < min(entry.x0 for entry in entries)
    panel = figure.axes[1]
    assert sum(isinstance(patch, FancyArrowPatch) for patch in panel.patches) == matrix.sum()


def test_two_inputs_share_the_first_layer():
    cells = darts.DartsSpace().random_cells(np.random.default_rng(0), (5,))
    for index in range(5):
        centres = layered_layout(cells.adjacency[index]).centres
        first = centres[:, 0] == centres[:, 0].min()
        np.testing.assert_array_equal(np.flatnonzero(first), [0, 1])
        assert centres[0, 1] != centres[1, 1]
        assert centres[:, 0].argmax() == 10


def test_operations_of_each_space_have_their_own_colours():
    for space in SPACES:
        styles = drawing.operation_styles(space.op_names)
        ends = len(space.op_names) - len({style.colour for style in styles.values()})
        assert ends == (2 if space.name == "darts" else 1)  # the inputs and outputs share grey
        assert len({style.label for style in styles.values()}) == len(space.op_names)


def test_a_walk_marks_what_is_new():
    walk = _walk(
        [CHAIN, CHAIN, SKIP, SKIP, CHAIN], [[0, 1, 4], [0, 2, 4], [0, 2, 4], [0, 2, 4], [0, 3, 4]]
    )
    pictures = cell_matrices.walk_pictures(walk, NAMES)
    assert [picture.title for picture in pictures] == ["1", "2", "3", "4", "5"]
    assert [picture.caption for picture in pictures] == [
        "start",
        "edit distance 1: 1 operation",
        "edit distance 1: 1 edge new",
        "edit distance 0",
        "edit distance 2: 1 operation, 1 edge gone",
    ]
    assert [set(picture.changed_nodes) for picture in pictures] == [set(), {1}, set(), set(), {1}]
    new_edges = [set(picture.new_edges) for picture in pictures]
    assert new_edges == [set(), set(), {(0, 2)}, set(), set()]


def test_nodes_that_come_and_go_count_as_operations():
    walk = _walk([CHAIN, DIAMOND, CHAIN], [[0, 1, 4], [0, 1, 2, 4], [0, 1, 4]])
    _, grown, shrunk = cell_matrices.walk_pictures(walk, NAMES)
    assert grown.caption == "edit distance 6: 2 operations, 3 edges new, 1 gone"
    assert shrunk.caption == "edit distance 6: 2 operations, 1 edge new, 3 gone"
    assert (set(grown.changed_nodes), set(shrunk.changed_nodes)) == ({2, 3}, {2})
    np.testing.assert_array_equal(edit_distance(walk[1:], walk[:-1]), [6, 6])


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_marks_are_coloured_and_heavier(space):
    walk = _mutations(space, 4)
    figure = cell_matrices.draw_walk(walk, space.op_names, notes=["90 %", "91 %", "92 %", "93 %"])
    assert len(figure.axes) == 4
    pictures = cell_matrices.walk_pictures(walk, space.op_names)
    assert any(picture.changed_nodes or picture.new_edges for picture in pictures)
    for axes, picture, note in zip(figure.axes, pictures, ("90 %", "91 %", "92 %", "93 %")):
        for kind, number in (
            (FancyBboxPatch, len(picture.changed_nodes)), (FancyArrowPatch, len(picture.new_edges))
        ):
            patches = [patch for patch in axes.patches if isinstance(patch, kind)]
            marked = [
                patch for patch in patches
                if to_hex(patch.get_edgecolor()) == drawing.MARK_COLOUR.lower()
            ]
            assert len(marked) == number
            plain = [patch.get_linewidth() for patch in patches if patch not in marked]
            assert all(patch.get_linewidth() > 2 * max(plain, default=0) for patch in marked)
        bold = [text for text in axes.texts if text.get_fontweight() == "bold"]
        assert len(bold) == len(picture.changed_nodes) + 1  # and the title
        assert _texts(axes)[-1] == f"{picture.caption}\n{note}"
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["operation differs from the cell before", "new edge"]


def test_labels_of_a_walk_lie_inside_boxes_and_above_the_legend():
    figure = cell_matrices.draw_walk(_mutations(SPACES[2], 4), SPACES[2].op_names)
    assert figure.get_size_inches()[0] <= 10.5
    figure.canvas.draw()
    legend = figure.legends[0].get_window_extent()
    for axes in figure.axes:
        boxes = [p.get_window_extent() for p in axes.patches if isinstance(p, FancyBboxPatch)]
        for box, text in zip(boxes, axes.texts):
            extent = text.get_window_extent()
            assert box.x0 < extent.x0 and extent.x1 < box.x1
        for text in axes.texts:
            assert text.get_window_extent().y0 >= legend.y1


def test_one_cell_is_a_walk_without_a_legend():
    figure = cell_matrices.draw_walk(_walk([CHAIN], [[0, 1, 4]]), NAMES)
    assert len(figure.axes) == 1
    assert not figure.legends


def test_png_and_svg_are_written_and_repeat(tmp_path):
    walk = _walk([CHAIN, SKIP], [[0, 1, 4], [0, 2, 4]])
    for name, start in (("cell.png", b"\x89PNG"), ("cell.svg", b"<?xml")):
        for draw in (
            lambda: cell_matrices.draw_cell_with_matrices(PICTURE, NAMES),
            lambda: cell_matrices.draw_walk(walk, NAMES),
        ):
            first = save_figure(draw(), tmp_path / name).read_bytes()
            assert first.startswith(start)
            assert first == save_figure(draw(), tmp_path / name).read_bytes()


def test_bad_cells_are_refused():
    draw = cell_matrices.draw_cell_with_matrices
    with pytest.raises(ConfigError, match="a cell of 4 nodes does not fit max_nodes=3"):
        draw(PICTURE, NAMES, max_nodes=3)
    with pytest.raises(ConfigError, match="operation 'maxpool3x3' is none of the space's"):
        draw(PICTURE, NAMES[:3] + NAMES[4:])
    with pytest.raises(InvalidArchitectureError, match="the cell has no nodes"):
        draw(drawing.CellPicture(np.zeros((0, 0)), ()), NAMES)
    with pytest.raises(InvalidArchitectureError, match="each of 4 nodes"):
        draw(drawing.CellPicture(np.array(DIAMOND), ("input", "output")), NAMES)


def test_bad_walks_are_refused():
    walk = _walk([CHAIN, CHAIN], [[0, 1, 4], [0, 2, 4]])
    with pytest.raises(ConfigError, match=r"walk: expected cells \[K\], K >= 1, got \[0\]"):
        cell_matrices.draw_walk(walk[:0], NAMES)
    with pytest.raises(ConfigError, match=r"got \[\]"):
        cell_matrices.draw_walk(walk[0], NAMES)
    with pytest.raises(ConfigError, match="a note for each of 2 cells, got 1"):
        cell_matrices.draw_walk(walk, NAMES, notes=["one"])
    with pytest.raises(ConfigError, match="cell 1 has operation 4 at node 2; there are 4 op"):
        cell_matrices.draw_walk(walk, NAMES[:4])
    empty = CellGraphs(walk.adjacency, walk.ops, np.array([3, 0], np.int8))
    with pytest.raises(InvalidArchitectureError, match="cell 2 has no nodes"):
        cell_matrices.draw_walk(empty, NAMES)
