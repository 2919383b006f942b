"""Tests of nas_tf.arch2vec.predictive_power."""

import warnings

import numpy as np
import pytest

from nas_tf.arch2vec import predictive_power as module
from nas_tf.arch2vec.predictive_power import predictive_power
from nas_tf.core import ConfigError

NAN = np.nan


def smooth_accuracy(num_cells=300, seed=0):
    """Returns an embedding, float32 [M, 3], and accuracies that change smoothly in it, [M]."""
    embedding = np.random.default_rng(seed).normal(size=(num_cells, 3)).astype(np.float32)
    accuracy = 0.85 + 0.04 * np.sin(embedding[:, 0]) + 0.02 * embedding[:, 1] * embedding[:, 2]
    return embedding, accuracy.astype(np.float64)


@pytest.fixture(name="predict")
def _predict(monkeypatch):
    """Returns a function that has cells 4 on predicted as told, in place of a process."""

    def replace(predicted):
        def fixed(unused_embedding, accuracy, *unused):
            return np.arange(4, len(accuracy)), np.asarray(predicted, np.float64)

        monkeypatch.setattr(module, "_predict", fixed)

    return replace


def test_a_smooth_function_is_predicted():
    embedding, accuracy = smooth_accuracy()
    found = predictive_power(
        embedding, accuracy, num_train=80, seeds=range(2), thresholds=(-np.inf, 0.85, 0.9)
    )
    assert found.rmse.shape == found.pearson.shape == found.counts.shape == (2, 3)
    assert (found.counts[:, 0] == 220).all() and (np.diff(found.counts, axis=1) < 0).all()
    assert (found.rmse[:, 0] < 0.015).all() and (found.pearson[:, 0] > 0.95).all()


def test_a_permuted_accuracy_is_not_predicted():
    embedding, accuracy = smooth_accuracy()
    accuracy = np.random.default_rng(5).permutation(accuracy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # parameters end at their bounds, which is no news
        found = predictive_power(
            embedding, accuracy, num_train=80, seeds=(0,), thresholds=(-np.inf,)
        )
    assert (found.rmse > 0.8 * accuracy.std()).all()
    assert (np.nan_to_num(np.abs(found.pearson)) < 0.25).all()


def test_errors_by_hand(predict):
    accuracy = np.array([0.5] * 4 + [0.6, 0.7, 0.8, 0.9])
    predict([0.6, 0.9, 0.8, 0.7])
    found = predictive_power(
        np.eye(8), accuracy, num_train=4, seeds=[3], thresholds=(0.0, 0.6, 0.75, 0.9)
    )
    assert found.thresholds.tolist() == [0.0, 0.6, 0.75, 0.9]
    assert found.counts.tolist() == [[4, 3, 2, 0]]  # above, not at, a threshold
    expected = [np.sqrt(0.08 / 4), np.sqrt(0.08 / 3), np.sqrt(0.04 / 2), NAN]
    np.testing.assert_allclose(found.rmse, [expected])
    np.testing.assert_allclose(found.pearson, [[0.2, -1.0, NAN, NAN]], atol=1e-12)
    assert found.cells.tolist() == [4, 5, 6, 7]
    assert found.true.tolist() == [0.6, 0.7, 0.8, 0.9]
    assert found.predicted.tolist() == [0.6, 0.9, 0.8, 0.7]


def test_equal_numbers_have_no_correlation(predict):
    predict([0.1] * 6)
    accuracy = np.array([0.5] * 4 + [0.3, 0.3, 0.3, 0.3, 0.3, 0.4])
    found = predictive_power(np.eye(10), accuracy, num_train=4, seeds=[0], thresholds=(0.0,))
    assert np.isnan(found.pearson).all()
    predict(np.arange(6) / 10)
    accuracy[:] = 0.3
    found = predictive_power(np.eye(10), accuracy, num_train=4, seeds=[0], thresholds=(0.0,))
    assert np.isnan(found.pearson).all() and np.isfinite(found.rmse).all()


def test_chunks_and_seeds_do_not_depend_on_each_other(monkeypatch):
    embedding, accuracy = smooth_accuracy(200)
    settings = {"num_train": 40, "thresholds": (0.8,)}
    both = predictive_power(embedding, accuracy, seeds=(7, 8), **settings)
    again = predictive_power(embedding, accuracy, seeds=[7], **settings)
    assert both.rmse[0].tolist() == again.rmse[0].tolist()
    assert both.predicted.tolist() == again.predicted.tolist()
    monkeypatch.setattr(module, "_CHUNK_ENTRIES", 40 * 9)
    alone = predictive_power(embedding, accuracy, seeds=[8], **settings)
    np.testing.assert_allclose(alone.rmse[0], both.rmse[1], rtol=1e-9)
    assert alone.counts[0].tolist() == both.counts[1].tolist()
    assert both.rmse[0, 0] != both.rmse[1, 0]


def test_points_are_test_cells_of_the_first_seed(monkeypatch):
    monkeypatch.setattr(module, "MAX_POINTS", 50)
    embedding, accuracy = smooth_accuracy(200)
    found = predictive_power(embedding, accuracy, num_train=40, seeds=[1])
    assert found.cells.shape == found.true.shape == found.predicted.shape == (50,)
    assert (np.diff(found.cells) > 0).all()
    assert found.true.tolist() == accuracy[found.cells].tolist()
    assert np.corrcoef(found.true, found.predicted)[0, 1] > 0.9


def test_points_are_all_test_cells_where_these_are_few(predict):
    predict(np.arange(6) / 10)
    found = predictive_power(np.eye(10), np.arange(10) / 10, num_train=4, seeds=[1])
    assert found.cells.tolist() == [4, 5, 6, 7, 8, 9]


def test_accuracies_that_are_all_the_same():
    embedding, accuracy = smooth_accuracy(60)
    found = predictive_power(embedding, np.full_like(accuracy, 0.9), num_train=20, seeds=[0])
    np.testing.assert_allclose(found.rmse, 0.0, atol=1e-6)
    assert np.isnan(found.pearson).all()


def test_impossible_settings():
    embedding, accuracy = smooth_accuracy(21)
    for num_train in (1, 20):
        with pytest.raises(ConfigError, match=f"num_train={num_train} of 21 cells: at least 2"):
            predictive_power(embedding, accuracy, num_train=num_train)
    assert predictive_power(embedding, accuracy, num_train=19, seeds=[0]).counts[0, 0] <= 2
    with pytest.raises(ConfigError, match=r"seeds=\[\]"):
        predictive_power(embedding, accuracy, num_train=9, seeds=[])
    with pytest.raises(ConfigError, match=r"thresholds=\[\]"):
        predictive_power(embedding, accuracy, num_train=9, thresholds=())


def test_bad_arrays():
    embedding, accuracy = smooth_accuracy(21)
    with pytest.raises(ValueError, match=r"embedding of shape \(20, 3\) for 21 cells"):
        predictive_power(embedding[1:], accuracy, num_train=9)
    with pytest.raises(ValueError, match=r"accuracy of shape \(21, 1\)"):
        predictive_power(embedding, accuracy[:, None], num_train=9)
    accuracy[[3, 5]] = NAN
    with pytest.raises(ValueError, match="2 of 21 are not finite; leave out the cells"):
        predictive_power(embedding, accuracy, num_train=9)
