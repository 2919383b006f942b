"""Tests of parts in which classes keep their shares."""

import numpy as np
import pytest

from nas_tf.datasets import splits


def test_quotas_by_hand():
    # Exact shares 2.5, 1.75, 0.75 of 5: floors 2, 1, 0 -> at least one; then one more each.
    assert splits.quotas(np.array([10, 7, 3]), 5).tolist() == [2, 2, 1]
    assert splits.quotas(np.array([50, 50]), 25).tolist() == [13, 12]
    assert splits.quotas(np.array([1000, 1, 1]), 3).tolist() == [1, 1, 1]
    assert splits.quotas(np.array([4, 6]), 10).tolist() == [4, 6]


def test_quotas_add_up_and_stay_near():
    rng = np.random.default_rng(0)
    for _ in range(200):
        counts = rng.integers(1, 40, rng.integers(1, 12))
        wanted = int(rng.integers(len(counts), counts.sum() + 1))
        found = splits.quotas(counts, wanted)
        assert found.sum() == wanted
        assert (found >= 1).all() and (found <= counts).all()


def test_a_tenth_of_every_class():
    labels = np.repeat(np.arange(5), [100, 50, 200, 10, 40])
    chosen = splits.choose(labels, 0.1, np.random.default_rng(1))
    assert np.bincount(labels[chosen]).tolist() == [10, 5, 20, 1, 4]
    again = splits.choose(labels, 0.1, np.random.default_rng(1))
    np.testing.assert_array_equal(chosen, again)
    assert not np.array_equal(chosen, splits.choose(labels, 0.1, np.random.default_rng(2)))


def test_a_number_of_images_is_a_number():
    labels = np.repeat([0, 1], [30, 10])
    assert splits.choose(labels, 8, np.random.default_rng(0)).sum() == 8
    assert splits.choose(labels, 1, np.random.default_rng(0)).sum() == 2  # one a class


def test_every_class_keeps_one():
    labels = np.repeat([0, 1], [2, 90])
    chosen = splits.choose(labels, 0.99, np.random.default_rng(0), spare=True)
    assert np.bincount(labels[~chosen]).tolist() == [1, 1]


def test_a_class_of_one_cannot_be_cut():
    with pytest.raises(splits.SmallClassError) as raised:
        splits.choose(np.array([0, 0, 4]), 0.5, np.random.default_rng(0), spare=True)
    assert (raised.value.label, raised.value.count) == (4, 1)
