"""nas_tf/surrogates/acquisition.py: values worked out by hand, and by drawing."""

import numpy as np
import pytest

from nas_tf.surrogates.acquisition import acquisition, expected_improvement


def test_expected_improvement_by_hand():
    # z = 0: s phi(0); z = 1, s = 2: 2 (0.8413447 + 0.2419707)
    found = expected_improvement(np.array([0.0, 2.0]), np.array([1.0, 2.0]), 0.0)
    np.testing.assert_allclose(found, [0.3989423, 2.1666308], rtol=1e-6)


def test_expected_improvement_is_the_mean_of_improvements():
    draws = np.random.default_rng(0).normal(0.3, 0.7, 400_000)
    found = expected_improvement(np.array([0.3]), np.array([0.7]), 0.9)
    assert found[0] == pytest.approx(np.maximum(draws - 0.9, 0).mean(), rel=0.02)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_finite_positive_and_monotone_at_the_extremes(kind):
    mean = np.linspace(-8, 8, 65).astype(kind)
    found = expected_improvement(mean, np.full(65, 0.5, kind), 0.0)
    assert found.dtype == kind and np.isfinite(found).all() and (np.diff(found) >= -1e-7).all()
    wide = expected_improvement(np.full(9, -1, kind), np.linspace(0.1, 2, 9).astype(kind), 0.0)
    assert (np.diff(wide) > 0).all()


def test_the_others():
    mean, deviation = np.array([0.0, 1.0]), np.array([1.0, 0.2])
    assert acquisition("upper_bound", mean, deviation, 5.0, None).tolist() == [2.0, 1.4]
    noise = np.array([0.5, -1.0])
    assert acquisition("thompson", mean, deviation, 5.0, noise).tolist() == [0.5, 0.8]
