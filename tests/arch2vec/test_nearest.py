"""Tests of nas_tf.arch2vec.nearest against brute force in float64."""

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.arch2vec import nearest


def brute_force(embedding, points, visited):
    """Nearest unvisited cell; argmin takes the lowest index of ties."""
    found = []
    for point, gone in zip(points, visited):
        differences = point.astype(np.float64) - embedding.astype(np.float64)
        distances = nearest.tree_sum(np.square(differences))
        distances[gone[gone >= 0]] = np.inf
        found.append(distances.argmin() if np.isfinite(distances).any() else len(embedding))
    return np.array(found)


def find(embedding, points, visited):
    pool = nearest.NearestCells(embedding)
    return tf.function(pool.find)(tf.constant(points), tf.constant(visited)).numpy()


@pytest.mark.parametrize("num_cells,depth", [(1, 16), (63, 16), (2532, 16), (700, 5), (40000, 16)])
def test_matches_brute_force(num_cells, depth):
    rng = np.random.default_rng(num_cells)
    embedding = rng.normal(size=(num_cells, depth)).astype(np.float32)
    points = rng.normal(size=(40, depth)).astype(np.float32)
    visited = rng.integers(-1, num_cells, (40, 30)).astype(np.int32)
    expected = brute_force(embedding, points, visited)
    np.testing.assert_array_equal(find(embedding, points, visited), expected)


def test_crowded_neighbourhood_is_left_in_order():
    """Every cell is visited in turn, nearest first, until none is left."""
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(150, 4)).astype(np.float32)
    point = np.tile(rng.normal(size=4).astype(np.float32), (20, 1))
    visited = np.full((20, 151), -1, np.int32)
    program = tf.function(nearest.NearestCells(embedding).find)
    for step in range(151):
        found = program(tf.constant(point), tf.constant(visited)).numpy()
        np.testing.assert_array_equal(found, brute_force(embedding, point, visited))
        visited[:, step] = found if step < 150 else -1
    assert (found == 150).all()


def test_ties_go_to_the_lowest_index():
    rng = np.random.default_rng(1)
    few = rng.integers(-2, 3, (50, 16)).astype(np.float32)
    embedding = few[rng.integers(50, size=20000)]  # 400 copies of each, in all chunks
    points = rng.integers(-2, 3, (20, 16)).astype(np.float32) + np.float32(0.5)
    none = np.full((20, 1), -1, np.int32)
    found = find(embedding, points, none)
    np.testing.assert_array_equal(found, brute_force(embedding, points, none))
    again = find(embedding, points, found[:, None].astype(np.int32))
    np.testing.assert_array_equal(
        again, brute_force(embedding, points, found[:, None])
    )
    assert (again > found).all()


def test_scores_rounded_away_are_measured_exactly():
    """All cells score alike in float32 far from the origin; float64 tells them apart."""
    rng = np.random.default_rng(2)
    embedding = (3000 + rng.normal(size=(3000, 16))).astype(np.float32)
    points = (3000 + rng.normal(size=(20, 16))).astype(np.float32)
    none = np.full((20, 1), -1, np.int32)
    expected = brute_force(embedding, points, none)
    np.testing.assert_array_equal(find(embedding, points, none), expected)


def test_a_point_that_is_not_finite_finds_nothing():
    embedding = np.eye(16, dtype=np.float32)
    points = np.full((20, 16), np.nan, np.float32)
    points[3] = embedding[5]
    found = find(embedding, points, np.full((20, 1), -1, np.int32))
    assert found[3] == 5 and (np.delete(found, 3) == 16).all()


@pytest.mark.parametrize("embedding", [np.zeros((0, 16)), np.zeros(16), [[0.0, np.nan]]])
def test_refuses_what_is_no_embedding(embedding):
    with pytest.raises(ValueError, match="no finite matrix"):
        nearest.NearestCells(np.asarray(embedding))
