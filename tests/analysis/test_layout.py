"""Tests of nas_tf.analysis.layout: properties that make a drawing readable."""

import itertools

import numpy as np
import pytest

from nas_tf.analysis import layout
from nas_tf.core import InvalidArchitectureError

WIDTH = 0.7
HALF = np.array((WIDTH, layout.BOX_HEIGHT)) / 2


def _random_dags():
    """Every kind of cell: random upper triangular matrices of 2 to 8 nodes, and complete ones."""
    rng = np.random.default_rng(0)
    graphs = [np.triu(np.ones((n, n), int), 1) for n in range(1, 8)]
    for _ in range(25):
        size = int(rng.integers(2, 9))
        graphs.append(np.triu(rng.random((size, size)) < rng.uniform(0.2, 0.7), 1).astype(int))
    return graphs


@pytest.fixture(name="layouts", scope="module")
def _layouts():
    return [(graph, layout.layered_layout(graph, WIDTH)) for graph in _random_dags()]


def test_boxes_do_not_overlap(layouts):
    for _, result in layouts:
        gap = np.abs(result.centres[:, None] - result.centres[None])
        apart = (gap >= 2 * HALF - 1e-9).any(axis=-1)
        assert (apart | np.eye(len(apart), dtype=bool)).all()


def test_every_edge_goes_left_to_right(layouts):
    for graph, result in layouts:
        assert sorted(result.edges) == [tuple(edge) for edge in np.argwhere(graph).tolist()]
        for points in result.edges.values():
            assert (np.diff(points[:, 0]) > 0).all()


def test_edges_begin_and_end_on_their_boxes(layouts):
    for _, result in layouts:
        for (source, target), points in result.edges.items():
            np.testing.assert_allclose(points[0, 0], result.centres[source, 0] + HALF[0])
            np.testing.assert_allclose(points[-1, 0], result.centres[target, 0] - HALF[0])
            assert abs(points[0, 1] - result.centres[source, 1]) < HALF[1]
            assert abs(points[-1, 1] - result.centres[target, 1]) < HALF[1]


def test_no_edge_runs_through_a_box(layouts):
    """An edge is beside the boxes of a layer only where it crosses the layer, level."""
    for _, result in layouts:
        for points in result.edges.values():
            for start, end in itertools.pairwise(points[1:-1].tolist()):
                if end[0] - start[0] < WIDTH - 1e-9:
                    continue  # a gap between layers, where no box is
                same = np.abs(result.centres[:, 0] - (start[0] + end[0]) / 2) < HALF[0]
                assert (np.abs(result.centres[same, 1] - start[1]) > HALF[1]).all()


def test_layers_are_longest_paths():
    chain_with_skip = np.array([[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    result = layout.layered_layout(chain_with_skip, 0.72)
    np.testing.assert_allclose(result.centres[:, 0], [0.0, 1.0, 2.0, 3.0])
    assert result.edges[0, 3].shape == (6, 2)


def test_parallel_branches_are_level_and_even():
    """A box and a bend in each inner layer, 0.36 inches apart, input and output half-way."""
    chain_with_skip = np.array([[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    result = layout.layered_layout(chain_with_skip)
    bends = result.edges[0, 3][1:-1, 1]
    heights = np.array([result.centres[1, 1], result.centres[2, 1], *bends])
    np.testing.assert_allclose(np.abs(heights), 0.18, atol=1e-4)
    assert len(set(np.sign(heights[:2]))) == len(set(np.sign(heights[2:]))) == 1
    np.testing.assert_allclose(result.centres[[0, 3], 1], 0.0, atol=1e-4)


def test_a_planar_graph_is_drawn_without_crossings():
    cell = np.array([
        [0, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 1, 0],
        [0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ])
    result = layout.layered_layout(cell)
    for (one, first), (two, second) in itertools.combinations(result.edges.items(), 2):
        if set(one) & set(two):
            continue
        low = max(first[0, 0], second[0, 0])
        high = min(first[-1, 0], second[-1, 0])
        if low >= high:
            continue
        x = np.linspace(low, high, 200)
        gap = np.interp(x, *first.T) - np.interp(x, *second.T)
        assert (gap > 0).all() or (gap < 0).all(), (one, two)


def test_the_same_graph_gives_the_same_layout():
    graph = _random_dags()[-1]
    one, other = layout.layered_layout(graph), layout.layered_layout(graph)
    np.testing.assert_array_equal(one.centres, other.centres)


def test_bad_matrices_are_refused():
    with pytest.raises(InvalidArchitectureError, match=r"got \(2, 3\)"):
        layout.layered_layout(np.zeros((2, 3)))
    with pytest.raises(InvalidArchitectureError, match="cycle"):
        layout.layered_layout(np.array([[0, 1], [1, 0]]))
