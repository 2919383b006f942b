"""nas_tf/spaces/nasbench101_encodings.py."""

import numpy as np
import pytest

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.nasbench101 import (
    CONV1X1, CONV3X3, INPUT, MAXPOOL3X3, OUTPUT, NasBench101Space,
)
from nas_tf.spaces.nasbench101_encodings import NasBench101Decisions, NasBench101GraphForm


@pytest.fixture(name="cells", scope="module")
def _cells():
    return NasBench101Space(max_vertices=5).enumerate_cells()


# Decisions.


def test_one_decision_an_edge_and_one_an_operation():
    assert NasBench101Space().decisions().num_choices == (2,) * 21 + (3,) * 5
    assert NasBench101Space(max_vertices=2).decisions().num_choices == (2,)


def test_the_decisions_of_a_pool_have_its_largest_cell(cells):
    assert NasBench101Space().decisions(cells).num_choices == (2,) * 10 + (3,) * 3


def test_a_space_of_fewer_edges_has_fewer_valid_codes():
    codes = NasBench101Decisions(4).encode(NasBench101Space(4).enumerate_cells())
    edges = codes[:, :6].sum(axis=1)
    valid = NasBench101Space(4, max_edges=3).decisions().decode(codes)[1]
    np.testing.assert_array_equal(valid, edges <= 3)
    assert 0 < valid.sum() < len(codes)


@pytest.mark.parametrize("size", [5, 6, 7])
def test_every_nasbench101_cell_comes_back(cells, size):
    encoding = NasBench101Decisions(size)
    codes = encoding.encode(cells)
    decoded, valid = encoding.decode(codes)
    assert codes.shape == (2532, len(encoding.num_choices)) and codes.dtype == np.int8
    assert ((codes >= 0) & (codes < encoding.num_choices)).all()
    assert valid.all()
    np.testing.assert_array_equal(decoded.keys, cells.keys)
    grid = encoding.encode(cells[:6].reshape(2, 3))
    np.testing.assert_array_equal(grid.reshape(6, -1), codes[:6])


def test_a_nasbench101_code():
    """in -> 3x3 -> pool -> out and in -> out: the output moves from node 3 to node 4."""
    matrix = [[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    cells = CellGraphs.from_matrices([matrix], [[INPUT, CONV3X3, MAXPOOL3X3, OUTPUT]], 7)
    codes = NasBench101Decisions(5).encode(cells)
    edges = [1, 0, 0, 1] + [1, 0, 0] + [0, 1] + [0]  # of nodes 0, 1, 2 and 3
    assert codes.tolist() == [edges + [1, 2, 0]]


def test_what_lies_on_no_path_is_pruned():
    encoding = NasBench101Decisions(4)  # edges 01 02 03 12 13 23
    codes = np.array([[1, 0, 0, 0, 1, 1, 0, 2], [1, 1, 0, 0, 1, 0, 0, 1]], np.int8)
    cells, valid = encoding.decode(codes)
    plain = CellGraphs.from_matrices([np.eye(3, k=1)], [[INPUT, CONV1X1, OUTPUT]], 7)
    assert valid.all()
    assert (cells.keys == plain.keys).all()


def test_codes_that_are_no_cell():
    encoding = NasBench101Decisions()
    no_path, too_many = np.zeros(26, np.int8), np.r_[np.ones(21), np.zeros(5)].astype(np.int8)
    assert encoding.decode(np.stack([no_path, too_many]))[1].tolist() == [False, False]


def test_nine_edges_are_not_too_many():
    full = np.r_[np.ones(10), np.zeros(3)].astype(np.int8)  # all ten edges of five nodes
    nine = full.copy()
    nine[3] = 0  # that from input to output
    valid = NasBench101Decisions(5).decode(np.stack([full, nine]))[1]
    assert valid.tolist() == [False, True]


def test_bad_cells_and_sizes(cells):
    with pytest.raises(InvalidArchitectureError, match="5 vertices, the encoding 4"):
        NasBench101Decisions(4).encode(cells)
    for size in (1, 8):
        with pytest.raises(ConfigError, match=f"max_vertices={size}: expected 2 to 7"):
            NasBench101Decisions(size)


# Graphs.


def test_every_small_cell_of_nasbench101_survives(cells):
    edges, labels = NasBench101GraphForm().graphs(cells)
    again, valid = NasBench101GraphForm().cells(edges, labels)
    assert valid.all()
    np.testing.assert_array_equal(again.keys, cells.keys)


def test_a_pool_of_smaller_cells_has_smaller_graphs():
    cells = NasBench101Space(max_vertices=4).enumerate_cells()
    form = NasBench101Space().graph_form(cells)
    assert form.description.num_nodes == 4
    again, valid = form.cells(*form.graphs(cells))
    assert valid.all()
    np.testing.assert_array_equal(again.keys, cells.keys)
    with pytest.raises(InvalidArchitectureError, match="a cell has 5 vertices"):
        form.graphs(NasBench101Space(max_vertices=5).enumerate_cells())
    with pytest.raises(ConfigError, match="max_vertices=8: expected 2 to 7"):
        NasBench101GraphForm(8)


def test_a_smaller_cell_has_its_output_last():
    cell = CellGraphs.from_matrices(
        [[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]],
        [[INPUT, CONV3X3, CONV1X1, OUTPUT]],
        7,
    )
    edges, labels = NasBench101GraphForm().graphs(cell)
    found = {(int(source), int(target)) for target, source in zip(*np.nonzero(edges[0]))}
    assert found == {(0, 1), (0, 2), (1, 6), (2, 6)}
    assert labels[0].tolist() == [0, 1, 0, 0, 0, 0, 0]


def test_graphs_that_are_no_cell_of_nasbench101():
    edges = np.zeros((3, 7, 7), np.int8)
    edges[1, 6, 0] = 1  # a cell of two nodes
    edges[2] = np.tri(7, k=-1)  # 21 edges
    cells, valid = NasBench101GraphForm().cells(edges, np.zeros((3, 7), np.int8))
    assert valid.tolist() == [False, True, False]
    assert cells.num_nodes[1] == 2


def test_graphs_of_fewer_nodes_are_read_as_well(cells):
    small = NasBench101GraphForm(5)
    again, valid = NasBench101Space().graph_form().cells(*small.graphs(cells))
    assert valid.all()
    np.testing.assert_array_equal(again.keys, cells.keys)
