"""Tests of nas_tf.arch2vec.latent_map."""

import functools

import numpy as np
import pytest
from sklearn.manifold import TSNE

from nas_tf.arch2vec import latent_map as module
from nas_tf.arch2vec.latent_map import area_means, latent_map
from nas_tf.core import ConfigError


def two_clusters(num_cells=300):
    """Returns cells around two far points, float32 [M, 4], and accuracies 0.9 and 0.6, [M]."""
    rng = np.random.default_rng(0)
    second = rng.random(num_cells) < 0.5
    embedding = rng.normal(size=(num_cells, 4)) + 20.0 * second[:, None]
    return embedding.astype(np.float32), np.where(second, 0.6, 0.9)


@pytest.fixture(name="clusters", scope="module")
def _clusters():
    """Returns accuracies and two maps made alike, by a quarter of t-SNE's steps."""
    embedding, accuracy = two_clusters()
    accuracy[::3] = np.nan
    arguments = {"num_cells": 150, "perplexity": 10, "seed": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TSNE", functools.partial(TSNE, max_iter=250))
        return accuracy, [latent_map(embedding, accuracy, **arguments) for _ in range(2)]


def test_area_means_by_hand():
    """Over a 2 x 2 grid: two points share the lower left, the others are alone."""
    points = np.array([[0.0, 0.0], [0.4, 0.9], [2.0, 0.0], [1.0, 2.0]])
    values = np.array([0.2, 0.4, 0.6, 0.8])
    np.testing.assert_allclose(area_means(points, values, grid=2), [0.3, 0.3, 0.6, 0.8])
    np.testing.assert_allclose(area_means(points, values, grid=1), [0.5] * 4)
    np.testing.assert_allclose(area_means(points, values), values)


def test_area_means_of_points_at_one_place():
    assert area_means(np.ones((3, 2)), np.array([1.0, 2.0, 6.0])).tolist() == [3.0] * 3


def test_areas_do_not_depend_on_order_place_or_scale():
    rng = np.random.default_rng(0)
    points, values = rng.normal(size=(500, 2)), rng.random(500)
    expected = area_means(points, values, grid=8)
    assert expected.mean() == pytest.approx(values.mean())
    order = rng.permutation(500)
    np.testing.assert_allclose(area_means(points[order], values[order], grid=8), expected[order])
    np.testing.assert_allclose(area_means(4 * points, values, grid=8), expected)


def test_clusters_stay_apart(clusters):
    accuracy, (found, _) = clusters
    assert found.cells.shape == found.accuracy.shape == (150,)
    assert found.points.shape == (150, 2) and found.points.dtype == np.float32
    assert (np.diff(found.cells) > 0).all()
    assert np.isfinite(accuracy[found.cells]).all()
    own = accuracy[found.cells]
    np.testing.assert_allclose(found.accuracy, own)  # no area has cells of both
    high, low = found.points[own == 0.9], found.points[own == 0.6]
    between = np.linalg.norm(high.mean(axis=0) - low.mean(axis=0))
    within = np.linalg.norm(high - high.mean(axis=0), axis=1).mean()
    assert between > 2 * within


def test_the_seed_decides(clusters):
    accuracy, (one, same) = clusters
    assert one.cells.tolist() == same.cells.tolist()
    assert one.points.tolist() == same.points.tolist()


def test_all_cells_and_other_seeds(monkeypatch):
    class Flat:
        """In place of t-SNE: the first two dimensions."""

        def __init__(self, **settings):
            assert settings["init"] == "pca" and settings["perplexity"] == 5

        def fit_transform(self, embedding):
            return embedding[:, :2]

    monkeypatch.setattr(module, "TSNE", Flat)
    embedding, accuracy = two_clusters(30)
    found = latent_map(embedding, accuracy, num_cells=30, perplexity=5, seed=0)
    assert found.cells.tolist() == list(range(30))
    assert found.points.tolist() == embedding[:, :2].tolist()
    one, other = (
        latent_map(embedding, accuracy, num_cells=15, perplexity=5, seed=seed) for seed in (0, 1)
    )
    assert one.cells.tolist() != other.cells.tolist()


def test_bad_input():
    embedding, accuracy = two_clusters(20)
    accuracy[:4] = np.nan
    with pytest.raises(ConfigError, match="num_cells=17: only 16 of 20 cells have an accuracy"):
        latent_map(embedding, accuracy, num_cells=17, perplexity=5, seed=0)
    for perplexity in (0, 16):
        with pytest.raises(ConfigError, match=f"perplexity={perplexity} with num_cells=16"):
            latent_map(embedding, accuracy, num_cells=16, perplexity=perplexity, seed=0)
    with pytest.raises(ValueError, match=r"shape \(19, 4\) for 20 cells"):
        latent_map(embedding[1:], accuracy, num_cells=10, perplexity=5, seed=0)
    with pytest.raises(ValueError, match=r"accuracy of shape \(20, 1\)"):
        latent_map(embedding, accuracy[:, None], num_cells=10, perplexity=5, seed=0)
    with pytest.raises(ValueError, match="at least two dimensions"):
        latent_map(embedding[:, :1], accuracy, num_cells=10, perplexity=5, seed=0)
