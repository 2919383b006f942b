"""Tests of nas_tf.arch2vec.smoothness."""

import numpy as np
import pytest

from nas_tf import graphs
from nas_tf.arch2vec import smoothness
from nas_tf.core import ConfigError
from nas_tf.spaces.nasbench201 import NasBench201Space, indices

CELLS = NasBench201Space().enumerate_cells()


def operations_embedding():
    """Returns the one-hot operations of all cells, float32 [15,625, 30], with a faint order."""
    one_hot = NasBench201Space().encode(CELLS)[1][:, 1:-1, 1:-1].reshape(len(CELLS), -1)
    return one_hot + np.linspace(0, 1e-3, one_hot.shape[1], dtype=np.float32) * one_hot


def brute_force(embedding, start, length):
    walk = [start]
    while len(walk) < length:
        difference = embedding.astype(np.float64) - embedding[walk[-1]]
        distances = np.square(difference).sum(axis=1)
        distances[walk] = np.inf
        walk.append(int(np.argmin(distances)))
    return walk


def test_a_walk_by_hand():
    embedding = np.array([[0.0], [1.0], [-0.5], [3.0], [1.25]], np.float32)
    assert smoothness.greedy_walks(embedding, [0], 5)[0].tolist() == [0, 2, 1, 4, 3]
    assert smoothness.greedy_walks(embedding, [3], 3)[0].tolist() == [3, 4, 1]
    assert smoothness.greedy_walks(embedding, [3], 1)[0].tolist() == [3]


def test_the_lowest_index_of_equally_near_cells():
    embedding = np.array([[0, 0], [0, 1], [1, 0], [0, -1], [0, 0]], np.float32)
    assert smoothness.greedy_walks(embedding, [0], 5)[0].tolist() == [0, 4, 1, 2, 3]
    same = np.ones((1000, 3), np.float32)
    assert smoothness.greedy_walks(same, [700], 4)[0].tolist() == [700, 0, 1, 2]


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_walks_agree_with_brute_force(offset, monkeypatch):
    """Far from the origin, rounding of products would be larger than what distances differ by."""
    rng = np.random.default_rng(1)
    embedding = rng.normal(size=(1000, 4)).astype(np.float32)
    embedding[:, 0] = offset + embedding[:, 0].round()
    embedding[500:] = embedding[:500]
    expected = [brute_force(embedding, start, 25) for start in (0, 7, 999)]
    for chunk in (7, 64, 1 << 12):
        monkeypatch.setattr(smoothness, "_CHUNK", chunk)
        for start, walk in zip((0, 7, 999), expected):
            found = smoothness.greedy_walks(embedding, [start], 25)[0]
            assert found.dtype == np.int64 and found.tolist() == walk


def test_a_walk_visits_all_cells_once():
    embedding = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    walk = smoothness.greedy_walks(embedding, [5], 200)[0]
    assert sorted(walk.tolist()) == list(range(200))


def test_smooth_and_meaningless_embeddings():
    embedding = operations_embedding()
    smooth = smoothness.walk_smoothness(CELLS, embedding, num_walks=5, length=30, seed=0)
    assert smooth.walks.shape == (5, 30) and smooth.edit_distances.shape == (5, 29)
    assert all(len(set(walk)) == 30 for walk in smooth.walks.tolist())
    assert smooth.walk_means.tolist() == [1.0] * 5  # 24 neighbours at one edit: never a dead end
    assert smooth.random_mean == pytest.approx(4.8, abs=0.05)  # 6 operations, 4 of 5 differ
    shuffled = np.random.default_rng(0).permutation(embedding)
    random = smoothness.walk_smoothness(CELLS, shuffled, num_walks=5, length=30, seed=0)
    assert random.walk_means.mean() == pytest.approx(4.8, abs=0.3)
    assert random.random_mean == smooth.random_mean


def test_each_walk_is_the_greedy_walk_from_its_start():
    embedding = operations_embedding()
    found = smoothness.walk_smoothness(CELLS, embedding, num_walks=4, length=12, seed=3)
    for walk in found.walks:
        alone = smoothness.greedy_walks(embedding, [int(walk[0])], 12)[0]
        assert alone.tolist() == walk.tolist()
    edits = graphs.edit_distance(CELLS[found.walks[:, 3]], CELLS[found.walks[:, 4]])
    assert found.edit_distances[:, 3].tolist() == edits.tolist()


def test_means_by_hand():
    """Three cells in a row: 'none' everywhere, one operation other, two others."""
    ops = np.full((3, 8), 5, np.int8)
    ops[:, 0], ops[:, -1] = 0, 6
    ops[1:, 1] = 1
    ops[2, 2:4] = 1
    cells = CELLS[[0, 0, 0]]
    cells = graphs.CellGraphs(cells.adjacency, ops, cells.num_nodes)
    assert (np.diff(indices(cells)) != 0).all()
    embedding = np.array([[0.0], [1.0], [3.0]], np.float32)
    found = smoothness.walk_smoothness(cells, embedding, num_walks=3, length=3, seed=0)
    rows = sorted(zip(found.walks.tolist(), found.edit_distances.tolist()))
    assert rows == [([0, 1, 2], [1, 2]), ([1, 0, 2], [1, 3]), ([2, 1, 0], [2, 1])]
    assert sorted(found.walk_means) == [1.5, 1.5, 2.0]
    assert found.random_mean == pytest.approx(2.0, abs=0.05)  # of 1, 2 and 3


def test_the_seed_decides():
    embedding = operations_embedding()
    one, same, other = (
        smoothness.walk_smoothness(CELLS, embedding, num_walks=3, length=4, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one.walks.tolist() == same.walks.tolist() and one.random_mean == same.random_mean
    assert one.walks[:, 0].tolist() != other.walks[:, 0].tolist()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"length": 11}, "length=11: expected 2 to 10"),
        ({"length": 1}, "length=1: expected 2 to 10"),
        ({"num_walks": 0}, "num_walks=0: expected 1 to 10"),
        ({"num_walks": 11}, "num_walks=11: expected 1 to 10"),
    ],
)
def test_impossible_walks(changes, message):
    settings = {"num_walks": 2, "length": 4, "seed": 0} | changes
    with pytest.raises(ConfigError, match=message):
        smoothness.walk_smoothness(CELLS[:10], np.eye(10, dtype=np.float32), **settings)


def test_impossible_lengths_and_embeddings():
    embedding = np.eye(10, dtype=np.float32)
    with pytest.raises(ConfigError, match="length=11: expected 1 to 10"):
        smoothness.greedy_walks(embedding, [0], 11)[0]
    with pytest.raises(ValueError, match=r"shape \(9, 10\) for 10 cells"):
        smoothness.walk_smoothness(CELLS[:10], embedding[1:], length=2, seed=0)
    with pytest.raises(ValueError, match=r"shape \(0, 4\) for 0 cells"):
        smoothness.greedy_walks(np.zeros((0, 4)), [0], 1)
