"""nas_tf/surrogates/gaussian_process.py: literal kernels, gradients, and scikit-learn's process."""

import numpy as np
import pytest
from sklearn import gaussian_process
from sklearn.gaussian_process import kernels

from nas_tf.core import ConfigError, NasError
from nas_tf.surrogates.gaussian_process import (
    PRIOR, Kernel, Training, matern, squared_distances, squared_norms,
)
from nas_tf.surrogates.prediction import predict

KERNEL = Kernel(("linear", "matern"))
LOGARITHMS = np.log([0.7, 1.3, 0.49, 0.1])


@pytest.fixture(name="groups")
def _groups():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(12, 3)), rng.normal(size=(12, 4))]


def test_matern_by_hand():
    # t = sqrt(5) * 2 / 1 = 4.47214; (1 + t + t^2 / 3) exp(-t) = 12.138802 * 0.011422
    found = matern(np.array([0.0, 4.0]), 1.0, amplitude=2.0)
    np.testing.assert_allclose(found, [2.0, 2 * 0.13866022], rtol=1e-6)


def test_distances_are_never_negative():
    rows = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32) * 100
    found = squared_distances(rows, rows)
    assert found.min() >= 0 and np.diag(found).max() < 0.1
    np.testing.assert_allclose(squared_norms(np.array([[3.0, 4.0]])), [25.0])


def test_log_posterior_and_prior_are_those_of_the_formulas(groups):
    target = np.random.default_rng(2).normal(size=12)
    reference = kernels.ConstantKernel(0.7) * kernels.DotProduct(0.0)
    first = reference(groups[0])
    second = 1.3 * kernels.Matern(0.7, nu=2.5)(groups[1])
    covariance = first + second + 0.1 * np.eye(12)
    likelihood = 0.5 * target @ np.linalg.solve(covariance, target)
    likelihood += 0.5 * np.linalg.slogdet(covariance)[1]
    names = ("amplitude", "amplitude", "length", "noise")
    away = [(value - PRIOR[n][0]) / PRIOR[n][1] for value, n in zip(LOGARITHMS, names)]
    value, _ = Training(KERNEL, groups).objective(LOGARITHMS, target)
    np.testing.assert_allclose(value, likelihood + 0.5 * np.square(away).sum(), rtol=1e-10)


def test_gradient_is_that_of_differences(groups):
    training, target = Training(KERNEL, groups), np.random.default_rng(3).normal(size=12)
    _, gradient = training.objective(LOGARITHMS, target)
    for index in range(4):
        step = 1e-6 * np.eye(4)[index]
        up, down = (training.objective(LOGARITHMS + s, target)[0] for s in (step, -step))
        np.testing.assert_allclose(gradient[index], (up - down) / 2e-6, rtol=1e-5, atol=1e-7)


def test_a_fit_finds_a_mode_and_lengths_that_made_the_data():
    rng = np.random.default_rng(4)
    points = rng.uniform(-2, 2, (120, 1))
    kernel = Kernel(("matern",))
    made = 1.5 * kernels.Matern(0.8, nu=2.5)(points) + 0.02 * np.eye(120)
    target = np.linalg.cholesky(made) @ rng.normal(size=120)
    training = Training(kernel, [points])
    found = training.fit(target, kernel.prior()[0])
    assert np.abs(training.objective(found, target)[1]).max() < 0.05
    assert 0.4 < np.sqrt(np.exp(found[1])) < 1.6 and 0.01 < np.exp(found[2]) < 0.04


def test_predictions_are_scikit_learns(groups):
    rng = np.random.default_rng(5)
    target, new = rng.normal(size=12), rng.normal(size=(7, 4))
    kernel = kernels.ConstantKernel(1.3) * kernels.Matern(0.7, nu=2.5)
    reference = gaussian_process.GaussianProcessRegressor(kernel, alpha=0.1, optimizer=None)
    mean, deviation = reference.fit(groups[1], target).predict(new, return_std=True)
    found = predict(Kernel(("matern",)), LOGARITHMS[1:], [groups[1]], target, [new])
    np.testing.assert_allclose(found.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(found.variance, deviation**2, rtol=1e-6)


def test_cells_without_an_answer_condition_the_variance_alone(groups):
    target, new = np.random.default_rng(6).normal(size=8), [group[:2] + 0.1 for group in groups]
    known = [group[:8] for group in groups]
    before = predict(KERNEL, LOGARITHMS, known, target, new)
    after = predict(KERNEL, LOGARITHMS, groups, target, new)
    np.testing.assert_allclose(after.mean, before.mean)
    assert (after.variance < before.variance).all()


def test_nothing_known_is_the_prior(groups):
    none = [group[:0] for group in groups]
    found = predict(KERNEL, LOGARITHMS, none, np.zeros(0), groups)
    assert not found.mean.any()
    np.testing.assert_allclose(found.variance, 0.7 * (groups[0] ** 2).sum(1) + 1.3)


def test_what_cannot_be():
    with pytest.raises(ConfigError, match=r"kinds=\('cubic',\): expected some of linear, matern"):
        Kernel(("cubic",))
    training = Training(Kernel(("linear",)), [np.ones((2, 1))])
    with pytest.raises(NasError, match="singular kernel at cell 2 of 2"):
        training.factor(np.array([0.0, -800.0]))  # two equal cells, and no noise
