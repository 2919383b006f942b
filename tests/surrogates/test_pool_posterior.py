"""nas_tf/surrogates/pool_posterior.py against predictions computed at once."""

import numpy as np
import pytest

from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.pool_pairs import PoolPairs
from nas_tf.surrogates.pool_posterior import PoolPosterior
from nas_tf.surrogates.prediction import predict

KERNEL = Kernel(("linear", "matern", "matern"))
LOGARITHMS = np.log([0.6, 0.9, 0.4, 0.8, 1.2, 0.05])


@pytest.fixture(name="pool")
def _pool():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(200, size)).astype(np.float32) / size for size in (3, 5, 4)]


def same(posterior, pool, cells, target, logarithms=LOGARITHMS):
    """Compares with what `predict` says of the whole pool."""
    known = [group[cells] for group in pool]
    expected = predict(KERNEL, logarithms, known, target, pool)
    np.testing.assert_allclose(posterior.mean(target), expected.mean, atol=2e-4)
    np.testing.assert_allclose(posterior.variance, expected.variance, atol=2e-4)


def test_one_query_after_the_other_is_all_at_once(pool):
    rng = np.random.default_rng(1)
    cells, target = rng.permutation(200)[:70], rng.normal(size=70)
    posterior = PoolPosterior(PoolPairs(KERNEL, pool))
    posterior.begin(LOGARITHMS, cells[:5])
    for count in (5, 6, 40, 70):
        posterior.follow(cells[:count])
        same(posterior, pool, cells[:count], target[:count])


def test_what_is_out_changes_the_variance_alone_and_may_be_answered_in_any_order(pool):
    rng = np.random.default_rng(2)
    cells, target = rng.permutation(200)[:12], rng.normal(size=12)
    posterior = PoolPosterior(PoolPairs(KERNEL, pool))
    posterior.begin(LOGARITHMS, cells[:4])
    posterior.follow(cells)
    same(posterior, pool, cells, target[:8])
    other = np.concatenate([cells[:8], cells[10:11], cells[8:10], cells[11:]])
    posterior.follow(other)
    same(posterior, pool, other, target[:9])


def test_way_back_is_bit_for_bit_the_way_there(pool):
    cells = np.random.default_rng(3).permutation(200)[:20]
    posterior = PoolPosterior(PoolPairs(KERNEL, pool))
    posterior.begin(LOGARITHMS, cells[:3])
    posterior.follow(cells[:10])
    before = posterior.variance.copy(), posterior.mean(np.arange(10.0))
    posterior.follow(cells)
    posterior.follow(cells[:10])
    np.testing.assert_array_equal(posterior.variance, before[0])
    np.testing.assert_array_equal(posterior.mean(np.arange(10.0)), before[1])


def test_other_hyperparameters_are_another_belief(pool):
    cells, target = np.arange(9), np.linspace(-1, 1, 9)
    posterior = PoolPosterior(PoolPairs(KERNEL, pool))
    posterior.begin(LOGARITHMS, cells)
    posterior.begin(LOGARITHMS + 0.5, cells[:6])
    posterior.follow(cells)
    same(posterior, pool, cells, target, LOGARITHMS + 0.5)
    assert posterior.noise == pytest.approx(0.05 * np.exp(0.5))


def test_nothing_known_is_the_prior(pool):
    posterior = PoolPosterior(PoolPairs(KERNEL, pool))
    assert not posterior.mean(np.zeros(0)).any()
    mean, deviations = KERNEL.prior()
    assert len(mean) == len(deviations) == KERNEL.num_hyperparameters == 6
    expected = KERNEL.diagonal(mean, [(group**2).sum(axis=1) for group in pool])
    np.testing.assert_allclose(posterior.variance, expected, rtol=1e-6)
