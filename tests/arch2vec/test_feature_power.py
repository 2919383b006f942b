"""nas_tf/arch2vec/feature_power.py: what cells are known by without an embedding."""

import numpy as np
import pytest

from nas_tf.arch2vec.feature_power import described
from nas_tf.arch2vec.predictive_power import predictive_power
from nas_tf.spaces.nasbench101 import NasBench101Space

SPACE = NasBench101Space(max_vertices=5)
CELLS = SPACE.enumerate_cells()  # 2,532
KNOWN = described(SPACE, CELLS)


def power(name, accuracy):
    """Returns Pearson's r of predictions of all cells that were not learned from."""
    vectors, learner = KNOWN[name]
    found = predictive_power(
        vectors, accuracy, num_train=100, seeds=[0], thresholds=(-np.inf,), learner=learner
    )
    return found.pearson[0, 0], found.rmse[0, 0]


@pytest.mark.parametrize("name", ["path counts", "features"])
def test_what_follows_from_operations_is_predicted(name):
    convolutions = (CELLS.ops == 2).sum(axis=1)
    accuracy = 0.8 + 0.03 * convolutions + 0.01 * (CELLS.ops == 1).sum(axis=1)
    correlation, rmse = power(name, accuracy)
    assert correlation > 0.85 and rmse < 0.5 * accuracy.std()


def test_features_know_edges_that_path_counts_do_not():
    accuracy = 0.8 + 0.02 * CELLS.num_edges
    assert power("features", accuracy)[1] < 0.5 * power("path counts", accuracy)[1]


@pytest.mark.parametrize("name", ["path counts", "features"])
def test_chance_is_not_predicted(name):
    accuracy = np.random.default_rng(1).normal(0.9, 0.02, len(CELLS))
    correlation, rmse = power(name, accuracy)
    assert not abs(correlation) > 0.1 and rmse > 0.95 * accuracy.std()


def test_vectors_are_comparable_with_a_standardised_embedding():
    vectors = KNOWN["path counts"].vectors
    assert vectors.dtype == np.float32 and len(vectors) == len(CELLS)
    assert (vectors.astype(np.float64) ** 2).mean() == pytest.approx(1.0, rel=1e-4)
