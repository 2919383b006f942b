"""nas_tf/surrogates/live_graphs.py, cell_summaries.py: numbers worked out by hand."""

import numpy as np
import pytest

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.darts_cells import from_edges
from nas_tf.spaces.darts_edges import DIL3X3, SEP5X5, SKIP
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space, from_strings
from nas_tf.spaces.randwire import RandWireSpace
from nas_tf.surrogates.cell_summaries import FOUR, path_statistics, summaries, summary_names
from nas_tf.surrogates.live_graphs import live_graphs


def one(space, cells, names=None):
    """Returns the summary of one cell by name."""
    names = names or summary_names(space)
    return dict(zip(names, summaries(space, cells, names)[0].tolist(), strict=True))


def test_a_cell_with_a_dead_edge_and_skips():
    # 0-1 is a skip, 1-3 a 3x3, 0-2 a 1x1 that leads nowhere (2-3 is 'none'), 0-3 a pool.
    cell = from_strings([
        "|skip_connect~0|+|nor_conv_1x1~0|none~1|+|avg_pool_3x3~0|nor_conv_3x3~1|none~2|"
    ])
    space = NasBench201Space()
    found = one(space, cell)
    sizes = 73306 + 5 * (9 * (16**2 + 32**2 + 64**2) + 2 * 112)  # the dead 1x1 does not count
    assert found == {
        "count_nor_conv_1x1": 0, "count_nor_conv_3x3": 1, "count_avg_pool_3x3": 1,
        "count_skip_connect": 1, "edges": 5, "nodes": 3, "paths": 2, "longest_path": 1,
        "shortest_path": 1, "mean_path": 1, "largest_field": 3, "mean_field": 3, "bare_path": 0,
        "parameters": sizes, "log_parameters": np.log(sizes),
    }


def test_fields_and_lengths_differ_from_path_to_path():
    # input - 3x3 - 3x3 - output, input - 1x1 - output, input - output.
    matrix = [[0, 1, 0, 1, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5]
    cells = CellGraphs.from_matrices([matrix], [[0, 2, 2, 1, 4]], 7)
    found = one(NasBench101Space(), cells)
    wanted = {"paths": 3, "longest_path": 2, "shortest_path": 0, "mean_path": 1,
              "largest_field": 5, "mean_field": 7 / 3, "bare_path": 1, "edges": 6, "nodes": 3}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)


def test_a_cell_that_connects_nothing_is_all_zero():
    cell = from_strings(["|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"])
    found = one(NasBench201Space(), cell)
    assert {name for name, value in found.items() if value} == {"parameters", "log_parameters"}
    assert found["parameters"] == 73306


def test_four_numbers_and_their_order():
    cell = from_strings(["|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|"
                         "nor_conv_3x3~1|nor_conv_3x3~2|"])
    assert summaries(NasBench201Space(), cell, FOUR).tolist() == [[1288506, 3, 0, 1.75]]


def test_two_inputs_and_operations_that_reach_twice_as_far():
    space = DartsSpace(num_cells=50)
    cells = space.enumerate_cells()
    live = live_graphs(cells, space.operation_kinds)
    assert (live.begins.sum(axis=1) <= 2).all() and live.begins.any()
    ops = np.full((1, 4, 2), SKIP)
    ops[0, 0] = SEP5X5, DIL3X3
    found = one(space, from_edges(np.tile([0, 1], (1, 4, 1)), ops))
    assert (found["paths"], found["largest_field"], found["shortest_path"]) == (8, 9, 0)
    assert found["mean_field"] == 1 + (8 + 4) / 8


def test_graphs_without_ends_begin_where_nothing_enters():
    space = RandWireSpace()
    cells = space.random_cells(np.random.default_rng(0), (3,))
    live = live_graphs(cells, space.operation_kinds)
    assert (live.begins == ~cells.adjacency.any(axis=1)).all()
    statistics = path_statistics(live, np.ones(live.ops.shape))
    edges, paths = cells.adjacency.astype(float), np.zeros(3)
    for length in range(32):  # paths of so many edges
        between = np.linalg.matrix_power(edges, length)
        paths += np.einsum("mi,mij,mj->m", live.begins, between, live.ends)
    np.testing.assert_allclose(statistics.count, paths)


def test_isomorphic_cells_have_one_summary():
    space = NasBench101Space()
    first = CellGraphs.from_matrices(
        [[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0] * 4]], [[0, 1, 2, 4]], 7)
    second = CellGraphs(first.adjacency, first.ops[:, [0, 2, 1, 3, 4, 5, 6]], first.num_nodes)
    np.testing.assert_array_equal(summaries(space, first), summaries(space, second))
