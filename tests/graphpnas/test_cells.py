"""Cells as graphs."""

import numpy as np
import pytest

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphpnas.cells import ENAS_MACRO, RANDWIRE, NasBench101Form, NasBench201Form
from nas_tf.graphpnas.explorer import Explorer
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.nasbench101 import CONV1X1, CONV3X3, INPUT, OUTPUT, NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space, to_strings


def test_every_small_cell_of_nasbench101_survives():
    cells = NasBench101Space(max_vertices=5).enumerate_cells()
    edges, labels = NasBench101Form().graphs(cells)
    again, valid = NasBench101Form().cells(edges, labels)
    assert valid.all()
    np.testing.assert_array_equal(again.keys, cells.keys)


def test_a_pool_of_smaller_cells_has_smaller_graphs():
    cells = NasBench101Space(max_vertices=4).enumerate_cells()
    form = NasBench101Form.of_pool(cells)
    assert form.description.num_nodes == 4
    again, valid = form.cells(*form.graphs(cells))
    assert valid.all()
    np.testing.assert_array_equal(again.keys, cells.keys)
    with pytest.raises(InvalidArchitectureError, match="a cell has 5 vertices"):
        form.graphs(NasBench101Space(max_vertices=5).enumerate_cells())
    with pytest.raises(ConfigError, match="num_nodes=8: expected 2 to 7"):
        NasBench101Form(8)
    with pytest.raises(ConfigError, match="num_nodes=5: expected 4"):
        NasBench201Form(5)


def test_a_smaller_cell_has_its_output_last():
    cell = CellGraphs.from_matrices(
        [[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]],
        [[INPUT, CONV3X3, CONV1X1, OUTPUT]],
        7,
    )
    edges, labels = NasBench101Form().graphs(cell)
    found = {(int(source), int(target)) for target, source in zip(*np.nonzero(edges[0]))}
    assert found == {(0, 1), (0, 2), (1, 6), (2, 6)}
    assert labels[0].tolist() == [0, 1, 0, 0, 0, 0, 0]


def test_graphs_that_are_no_cell_of_nasbench101():
    edges = np.zeros((3, 7, 7), np.int8)
    edges[1, 6, 0] = 1  # a cell of two nodes
    edges[2] = np.tri(7, k=-1)  # 21 edges
    cells, valid = NasBench101Form().cells(edges, np.zeros((3, 7), np.int8))
    assert valid.tolist() == [False, True, False]
    assert cells.num_nodes[1] == 2


def test_every_cell_of_nasbench201_is_a_graph():
    cells = NasBench201Space().enumerate_cells()
    form = NasBench201Form()
    edges, labels = form.graphs(cells)
    again, valid = form.cells(edges, labels)
    assert valid.all()
    np.testing.assert_array_equal(again.keys, cells.keys)
    assert np.exp(form.description.log_num_graphs) == pytest.approx(15_625)
    one = to_strings(cells) == "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
    assert edges[one][0].tolist() == [[0, 0, 0, 0], [3, 0, 0, 0], [0, 1, 0, 0], [0, 0, 4, 0]]


def test_random_graphs_of_nasbench101_are_mostly_cells():
    explorer = Explorer(NasBench101Form().description)
    edges, labels = explorer.sample(np.random.default_rng(0), 2000)
    _, valid = NasBench101Form().cells(edges, labels)
    assert 0.4 < valid.mean() < 0.95


def test_spaces_of_networks():
    assert RANDWIRE.num_decisions == 32 * 31 // 2 and len(RANDWIRE.rows) == 31
    # Twelve operations, and every skip connection but those between neighbours.
    assert ENAS_MACRO.num_decisions == 12 + 11 * 10 // 2
