"""Tests of nas_tf.analysis.cell_matrices: matrices beside drawings, and walks with marks."""

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from nas_tf.analysis import cell_matrices, drawing
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs, edit_distance
from nas_tf.spaces import darts, nasbench101, nasbench201

NAMES = nasbench101.NasBench101Space.op_labels
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


def test_matrices_show_edges_operations_and_padding():
    figure = cell_matrices.draw_cell_with_matrices(PICTURE, NAMES, max_nodes=7)
    panel, *sheets = figure.axes
    assert [axes.get_title() for axes in sheets] == ["adjacency matrix", "operation matrix"]
    names = [label.get_text() for label in sheets[1].get_xticklabels()]
    assert names == ["input", "1×1", "3×3", "max-pool", "output"]
    adjacency, one_hot = (axes.images[0].get_array() for axes in sheets)
    assert adjacency.shape == (7, 7, 3) and one_hot.shape == (7, 5, 3)
    ones = (adjacency == to_rgb(cell_matrices._ONE_COLOUR)).all(axis=-1)
    np.testing.assert_array_equal(np.argwhere(ones), np.argwhere(np.array(DIAMOND)))
    assert (adjacency[4:] == to_rgb(cell_matrices._PADDING_COLOUR)).all()
    assert _texts(sheets[0]).count("1") == 4 and len(_texts(sheets[0])) == 49
    styles = drawing.operation_styles(NAMES)
    for node, operation in enumerate(PICTURE.operations):
        shown = one_hot[node, NAMES.index(operation)]
        np.testing.assert_allclose(shown, to_rgb(styles[operation].colour))
    assert _texts(panel)[:8] == ["input", "0", "1×1", "1", "max-pool", "2", "output", "3"]
    assert _texts(panel)[8:] == ["Cell 1", "test 93.1 %"]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_nothing_is_cut_or_covered_in_any_space(space):
    matrix, ops = space.random_cells(np.random.default_rng(0), (1,)).matrix(0)
    names = [space.op_names[code] for code in ops]
    figure = cell_matrices.draw_cell_with_matrices(
        drawing.CellPicture(matrix, names, "a caption", "a title"), space.op_names,
        max_nodes=space.max_nodes,
    )
    assert figure.get_size_inches()[0] <= 10.5
    figure.canvas.draw()
    texts = [text for axes in figure.axes for text in axes.texts if text.get_text()]
    extents = [text.get_window_extent() for text in texts]
    for number, extent in enumerate(extents):
        assert figure.bbox.contains(*extent.min) and figure.bbox.contains(*extent.max)
        assert extent.count_overlaps(extents[number + 1 :]) == 0, texts[number]
    panel, *sheets = figure.axes
    right = max(box.get_window_extent().x1 for box in panel.patches)
    for extent in (axes.get_tightbbox() for axes in sheets):
        assert figure.bbox.contains(*extent.min) and figure.bbox.contains(*extent.max)
        assert right < extent.x0
        right = extent.x1
    assert sum(isinstance(patch, FancyArrowPatch) for patch in panel.patches) == matrix.sum()


def test_operations_of_each_space_have_their_own_colours():
    for space in SPACES:
        styles = drawing.operation_styles(space.op_labels)
        ends = len(space.op_names) - len({style.colour for style in styles.values()})
        assert ends == (2 if space.name == "darts" else 1)  # the inputs and outputs share grey
        assert len({style.label for style in styles.values()}) == len(space.op_names)


def test_a_walk_marks_what_is_new_and_counts_nodes_that_come_and_go_as_operations():
    walk = _walk(
        [CHAIN, CHAIN, SKIP, SKIP, DIAMOND, CHAIN],
        [[0, 1, 4], [0, 2, 4], [0, 2, 4], [0, 2, 4], [0, 2, 2, 4], [0, 2, 4]],
    )
    pictures = cell_matrices.walk_pictures(walk, NAMES)
    assert [picture.title for picture in pictures] == ["1", "2", "3", "4", "5", "6"]
    assert [picture.caption for picture in pictures] == [
        "start",
        "edit distance 1\noperations 1, new edges 0, lost edges 0",
        "edit distance 1\noperations 0, new edges 1, lost edges 0",
        "edit distance 0\noperations 0, new edges 0, lost edges 0",
        "edit distance 5\noperations 2, new edges 2, lost edges 1",
        "edit distance 6\noperations 2, new edges 1, lost edges 3",
    ]
    assert edit_distance(walk[1:], walk[:-1]).tolist() == [1, 1, 0, 5, 6]
    changed = [set(picture.changed_nodes) for picture in pictures]
    assert changed == [set(), {1}, set(), set(), {2, 3}, {2}]
    new = [set(picture.new_edges) for picture in pictures]
    assert new == [set(), set(), {(0, 2)}, set(), {(1, 3), (2, 3)}, {(1, 2)}]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_marks_are_coloured_and_heavier_and_above_the_legend(space):
    rng = np.random.default_rng(1)
    cells = [space.random_cells(rng, (1,))]
    while len(cells) < 4:
        cells.append(space.mutate(cells[-1], rng))
    walk = CellGraphs.concatenate(cells)
    figure = cell_matrices.draw_walk(walk, space.op_names)
    figure.canvas.draw()
    (legend,) = figure.legends
    entries = [text.get_text() for text in legend.get_texts()]
    assert entries == ["operation differs from the cell before", "new edge"]
    pictures = cell_matrices.walk_pictures(walk, space.op_names)
    assert any(picture.changed_nodes or picture.new_edges for picture in pictures)
    for axes, picture in zip(figure.axes, pictures, strict=True):
        for kind, number in (
            (FancyBboxPatch, len(picture.changed_nodes)), (FancyArrowPatch, len(picture.new_edges))
        ):
            patches = {True: [], False: []}
            for patch in axes.patches:
                if isinstance(patch, kind):
                    marked = to_hex(patch.get_edgecolor()) == drawing.MARK_COLOUR.lower()
                    patches[marked].append(patch.get_linewidth())
            assert len(patches[True]) == number
            assert all(width > 2 * max(patches[False], default=0) for width in patches[True])
        bold = [text for text in axes.texts if text.get_fontweight() == "bold"]
        assert len(bold) == len(picture.changed_nodes) + 1  # and the title
        bottom = min(text.get_window_extent().y0 for text in axes.texts)
        assert bottom >= legend.get_window_extent().y1


def test_one_cell_is_a_walk_without_a_legend_and_none_is_no_walk():
    walk = _walk([CHAIN], [[0, 1, 4]])
    assert not cell_matrices.draw_walk(walk, NAMES).legends
    with pytest.raises(ConfigError, match="at least one cell"):
        cell_matrices.draw_walk(walk[:0], NAMES)


def test_bad_cells_are_refused():
    draw = cell_matrices.draw_cell_with_matrices
    with pytest.raises(ConfigError, match="a cell of 4 nodes does not fit max_nodes=3"):
        draw(PICTURE, NAMES, max_nodes=3)
    with pytest.raises(ConfigError, match="no style for operation 'max-pool'"):
        draw(PICTURE, NAMES[:3] + NAMES[4:])
    with pytest.raises(InvalidArchitectureError, match="the cell has no nodes"):
        draw(drawing.CellPicture(np.zeros((0, 0)), ()), NAMES)
