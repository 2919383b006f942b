"""Tests of nas_tf.analysis.layout: properties that make a drawing readable."""

import itertools

import numpy as np
import pytest

from nas_tf.analysis import layout
from nas_tf.core import InvalidArchitectureError

WIDTH = 0.7
HALF = np.array((WIDTH, layout.BOX_HEIGHT)) / 2
CHAIN_WITH_SKIP = np.array([[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])


@pytest.fixture(name="layouts", scope="module")
def _layouts():
    """Of complete graphs and of random upper triangular matrices of 2 to 8 nodes."""
    rng = np.random.default_rng(0)
    graphs = [np.triu(np.ones((n, n), int), 1) for n in range(1, 7)]
    for _ in range(20):
        size = int(rng.integers(2, 9))
        graphs.append(np.triu(rng.random((size, size)) < rng.uniform(0.2, 0.7), 1).astype(int))
    return [(graph, layout.layered_layout(graph, WIDTH)) for graph in graphs]


def test_boxes_do_not_overlap(layouts):
    for _, result in layouts:
        gap = np.abs(result.centres[:, None] - result.centres[None])
        apart = (gap >= 2 * HALF - 1e-9).any(axis=-1)
        assert (apart | np.eye(len(apart), dtype=bool)).all()
        assert (result.extent[0] <= result.centres - HALF).all()
        assert (result.extent[1] >= result.centres + HALF).all()


def test_edges_lead_from_box_to_box_and_to_the_right(layouts):
    for graph, result in layouts:
        assert sorted(result.edges) == [tuple(edge) for edge in np.argwhere(graph).tolist()]
        for (source, target), points in result.edges.items():
            assert (np.diff(points[:, 0]) > 0).all()
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


def test_parallel_branches_are_level_and_as_near_as_room_allows():
    """Layers are longest paths; a box and a bend are 0.36 inches apart, the ends half-way."""
    result = layout.layered_layout(CHAIN_WITH_SKIP, 0.72)
    np.testing.assert_allclose(result.centres[:, 0], [0.0, 1.0, 2.0, 3.0])
    assert result.edges[0, 3].shape == (6, 2)
    middle = result.centres[0, 1]
    boxes, bends = result.centres[1:3, 1] - middle, result.edges[0, 3][1:-1, 1] - middle
    np.testing.assert_allclose(np.abs([*boxes, *bends]), 0.18, atol=1e-3)
    np.testing.assert_allclose(bends, -boxes[0], atol=1e-3)
    np.testing.assert_allclose(result.centres[3, 1], middle, atol=1e-3)


def test_a_planar_graph_is_drawn_without_crossings():
    cell = np.zeros((7, 7), int)
    cell[[0, 1, 1, 1, 2, 3, 3, 4, 5], [1, 2, 3, 5, 3, 4, 6, 5, 6]] = 1
    result = layout.layered_layout(cell)
    for (one, first), (two, second) in itertools.combinations(result.edges.items(), 2):
        low, high = max(first[0, 0], second[0, 0]), min(first[-1, 0], second[-1, 0])
        if low < high and not set(one) & set(two):
            x = np.linspace(low, high, 200)
            gap = np.interp(x, *first.T) - np.interp(x, *second.T)
            assert (gap > 0).all() or (gap < 0).all(), (one, two)


def test_the_same_graph_gives_the_same_layout():
    one, other = (layout.layered_layout(CHAIN_WITH_SKIP) for _ in range(2))
    np.testing.assert_array_equal(one.centres, other.centres)


def test_bad_matrices_are_refused():
    with pytest.raises(InvalidArchitectureError, match=r"got \(2, 3\)"):
        layout.layered_layout(np.zeros((2, 3)))
    with pytest.raises(InvalidArchitectureError, match="cycle"):
        layout.layered_layout(np.array([[0, 1], [1, 0]]))
