"""Tests of nas_tf.arch2vec.latent_distance."""

import numpy as np
import pytest
from scipy import stats

from nas_tf import graphs
from nas_tf.arch2vec import latent_distance
from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space

SPACES = [NasBench101Space(), NasBench201Space(), DartsSpace(num_cells=10)]
NAMES = [space.name for space in SPACES]


def one_hot_operations(cells):
    """Returns float32 [K, N * 7]: the squared distance is twice the operations that differ."""
    return np.eye(7, dtype=np.float32)[cells.ops].reshape(len(cells), -1)


@pytest.mark.parametrize("space", SPACES, ids=NAMES)
def test_a_walk_takes_one_edit_at_a_time(space):
    walk = latent_distance.random_walk(space, 40, seed=1)
    assert walk.shape == (40,)
    steps = graphs.edit_distance(walk[:-1], walk[1:])
    assert steps.tolist() == [1] * 39
    assert (walk.keys[:-1] != walk.keys[1:]).all()
    valid = space.decode(walk.adjacency, walk.ops)[1]
    assert not valid.any()
    assert len(set(walk.num_nodes.tolist())) == 1
    assert len(np.unique(walk.keys)) > 25


def test_a_walk_through_nasbench101_changes_edges_and_operations():
    walk = latent_distance.random_walk(NasBench101Space(), 60, seed=0)
    assert set(walk.num_nodes.tolist()) == {7}
    changed_op = (walk.ops[:-1] != walk.ops[1:]).any(axis=1)
    assert 5 < changed_op.sum() < 54
    assert len(set(walk.num_edges.tolist())) > 1


def test_all_edits_are_equally_likely():
    """Three vertices at most: of input, one operation and output, with or without a shortcut."""
    space = NasBench101Space(max_vertices=3)
    walk = latent_distance.random_walk(space, 500, seed=0)
    counts = np.unique(walk.keys, return_counts=True)[1]
    assert len(counts) == 6  # 3 operations, shortcut or not; each has 3 neighbours
    np.testing.assert_allclose(counts / 500, 1 / 6, atol=0.08)


def test_the_seed_decides_the_walk():
    one, same, other = (
        latent_distance.random_walk(NasBench101Space(), 10, seed=seed) for seed in (1, 1, 2)
    )
    assert one.ops.tolist() == same.ops.tolist()
    assert one.adjacency.tolist() == same.adjacency.tolist()
    assert one.adjacency.tolist() != other.adjacency.tolist()
    longer = latent_distance.random_walk(NasBench101Space(), 12, seed=1)
    assert longer.ops[:10].tolist() == one.ops.tolist()


def test_impossible_walks():
    with pytest.raises(ConfigError, match="length=0"):
        latent_distance.random_walk(NasBench201Space(), 0, seed=0)
    with pytest.raises(ConfigError, match="a cell of 2 nodes has no neighbour in so small a nas"):
        latent_distance.random_walk(NasBench101Space(max_vertices=2), 5, seed=0)


def test_relation_by_hand():
    """Ten pairs at distance 1, 0.0 to 0.9; nine at 2; both orders of the pairs."""
    edits = np.array([1] * 10 + [2] * 9)
    distances = np.concatenate([np.arange(10) / 10, 2.0 + np.arange(9)])
    for order in (slice(None), slice(None, None, -1)):
        found = latent_distance.relate(edits[order], distances[order])
        assert found.num_pairs == 19
        assert found.edit_distances.tolist() == [1, 2] and found.counts.tolist() == [10, 9]
        expected = [0.045, 0.225, 0.45, 0.675, 0.855]
        np.testing.assert_allclose(found.percentiles[0], expected)
        assert np.isnan(found.percentiles[1]).all()
        assert found.spearman == pytest.approx(stats.spearmanr(edits, distances).statistic)


def test_spearman_by_hand():
    found = latent_distance.relate(np.array([1, 2, 3, 4]), np.array([0.1, 0.2, 0.4, 0.3]))
    assert found.spearman == pytest.approx(0.8)  # 1 - 6 * 2 / (4 * 15)
    assert np.isnan(latent_distance.relate(np.array([2, 2]), np.array([0.1, 0.2])).spearman)
    assert np.isnan(latent_distance.relate(np.array([1, 2]), np.array([0.5, 0.5])).spearman)


def test_all_pairs_agree_with_brute_force():
    walk = latent_distance.random_walk(NasBench201Space(), 30, seed=0)
    embedding = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    found = latent_distance.distance_relation(walk, embedding, seed=0)
    edits, distances = [], []
    for i in range(30):
        for j in range(i):
            edit = int(graphs.edit_distance(walk[i], walk[j]))
            if edit:
                edits.append(edit)
                distances.append(np.linalg.norm(embedding[i].astype(float) - embedding[j]))
    expected = latent_distance.relate(np.array(edits), np.array(distances))
    assert found.num_pairs == len(edits)
    assert found.spearman == pytest.approx(expected.spearman)
    assert found.edit_distances.tolist() == expected.edit_distances.tolist()
    assert found.counts.tolist() == expected.counts.tolist()
    np.testing.assert_allclose(found.percentiles, expected.percentiles)


def test_an_embedding_that_is_the_cell_orders_all_pairs():
    walk = latent_distance.random_walk(NasBench201Space(), 100, seed=0)
    found = latent_distance.distance_relation(walk, one_hot_operations(walk), seed=0)
    assert found.spearman == pytest.approx(1.0)
    enough = found.counts >= latent_distance.MIN_PAIRS
    expected = np.sqrt(2 * found.edit_distances[enough])
    for column in found.percentiles[enough].T:
        np.testing.assert_allclose(column, expected, rtol=1e-6)
    noise = np.random.default_rng(0).normal(size=(100, 8))
    assert abs(latent_distance.distance_relation(walk, noise, seed=0).spearman) < 0.1


def test_a_sample_of_pairs():
    walk = latent_distance.random_walk(NasBench201Space(), 60, seed=0)
    embedding = one_hot_operations(walk)
    one, same, other = (
        latent_distance.distance_relation(walk, embedding, max_pairs=500, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one.counts.tolist() == same.counts.tolist() != other.counts.tolist()
    assert one.num_pairs <= 500 < 60 * 59 // 2
    assert one.counts.sum() == one.num_pairs > 400


@pytest.mark.parametrize("num_cells", [2, 3, 4, 7, 8])
def test_every_pair_is_drawn_once(num_cells):
    rng = np.random.default_rng(0)
    first, second = latent_distance._pairs(num_cells, 100, rng)
    pairs = {frozenset(pair) for pair in zip(first.tolist(), second.tolist())}
    assert len(pairs) == len(first) == num_cells * (num_cells - 1) // 2
    assert all(len(pair) == 2 for pair in pairs)


def test_a_draw_from_many_pairs_has_none_twice():
    first, second = latent_distance._pairs(423_624, 5000, np.random.default_rng(0))
    pairs = {frozenset(pair) for pair in zip(first.tolist(), second.tolist())}
    assert len(pairs) == 5000 and (first != second).all()
    assert max(first.max(), second.max()) < 423_624


def test_cells_of_different_sizes_are_many_edits_apart():
    """input-output against input-conv-output: an edge differs, and where the output is."""
    cells = CellGraphs.from_matrices(
        [[[0, 1], [0, 0]], [[0, 1, 0], [0, 0, 1], [0, 0, 0]]], [[0, 4], [0, 1, 4]], 7
    )
    found = latent_distance.distance_relation(cells, np.array([[0.0], [2.0]]), seed=0)
    assert found.edit_distances.tolist() == [3] and found.counts.tolist() == [1]


def test_bad_input():
    cells = NasBench201Space().enumerate_cells()[:4]
    embedding = np.eye(4, dtype=np.float32)
    with pytest.raises(ConfigError, match="max_pairs=0"):
        latent_distance.distance_relation(cells, embedding, max_pairs=0, seed=0)
    with pytest.raises(ValueError, match=r"shape \(3, 4\) for 4 cells"):
        latent_distance.distance_relation(cells, embedding[1:], seed=0)
    with pytest.raises(ValueError, match="4 cells, 6 pairs: no two cells differ"):
        latent_distance.distance_relation(cells[[1, 1, 1, 1]], embedding, seed=0)
    with pytest.raises(ValueError, match="1 cells, 0 pairs"):
        latent_distance.distance_relation(cells[:1], embedding[:1], seed=0)
    embedding[2, 1] = np.nan
    with pytest.raises(ValueError, match="1 of 4 rows are not finite, the first is row 2"):
        latent_distance.distance_relation(cells, embedding, seed=0)
