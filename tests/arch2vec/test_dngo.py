"""Tests of nas_tf.arch2vec.dngo."""

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.arch2vec import dngo

POINTS, DEPTH = 30, 4


def problem(runs=2, points=POINTS, seed=0):
    """Returns weights, inputs with their 1, and standardised targets of a few runs."""
    rng = np.random.default_rng(seed)
    weights = np.stack([dngo.initial_weights(rng, DEPTH) for _ in range(runs)])
    inputs = rng.normal(size=(runs, points, DEPTH)).astype(np.float32)
    targets = np.sin(inputs[..., 0]) + inputs[..., 1]
    targets -= targets.mean(axis=1, keepdims=True)
    targets /= targets.std(axis=1, keepdims=True)
    return weights, dngo.with_one(inputs), targets.astype(np.float32)


def plain_train(weights, inputs, targets, epochs, learning_rate=1e-2):
    """Trains one run's network in float64, layer by layer."""
    weights, inputs = np.asarray(weights, np.float64), np.asarray(inputs, np.float64)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for epoch in range(1, epochs + 1):
        layer = np.tanh(inputs[:, :-1] @ weights[:-2] + weights[-2])
        by_output = 2.0 * (layer @ weights[-1] - targets) / len(targets)
        by_hidden = np.outer(by_output, weights[-1]) * (1.0 - layer**2)
        gradient = np.concatenate([inputs.T @ by_hidden, (by_output @ layer)[None]])
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        step = (first / (1 - 0.9**epoch)) / (np.sqrt(second / (1 - 0.999**epoch)) + 1e-8)
        weights = weights - learning_rate * step
    return weights


def plain_regress(layer, targets):
    """Returns mean, covariance, noise and precision by textbook formulas, float64, one run."""
    layer, targets = np.asarray(layer, np.float64), np.asarray(targets, np.float64)
    found = []
    for ratio in np.logspace(-4, 4, 65):
        mean = np.linalg.solve(layer.T @ layer + ratio * np.eye(128), layer.T @ targets)
        residual = targets - layer @ mean
        beta = len(targets) / (residual @ residual + ratio * mean @ mean)
        found.append((log_evidence(layer, targets, ratio * beta, beta), mean, ratio * beta, beta))
    _, mean, alpha, beta = max(found, key=lambda entry: entry[0])
    covariance = np.linalg.inv(alpha * np.eye(128) + beta * layer.T @ layer)
    return mean, covariance, 1.0 / beta, alpha


def log_evidence(layer, targets, alpha, beta):
    """Returns log N(targets; 0, layer layer^T / alpha + I / beta)."""
    covariance = layer @ layer.T / alpha + np.eye(len(targets)) / beta
    _, determinant = np.linalg.slogdet(covariance)
    return -0.5 * (
        targets @ np.linalg.solve(covariance, targets)
        + determinant
        + len(targets) * np.log(2 * np.pi)
    )


def train(weights, inputs, targets, known=None, epochs=100):
    known = np.ones_like(targets) if known is None else known
    options = {"epochs": epochs, "learning_rate": 1e-2}
    return dngo.train(*(tf.constant(a) for a in (weights, inputs, targets, known)), **options)


def test_initial_weights_lie_within_their_layers_bounds():
    weights = dngo.initial_weights(np.random.default_rng(0), 16)
    assert weights.shape == (18, 128) and weights.dtype == np.float32
    assert 0.24 < np.abs(weights[:-1]).max() <= 0.25
    assert 0.08 < np.abs(weights[-1]).max() <= 128**-0.5


def test_training_equals_a_plain_implementation():
    weights, inputs, targets = problem()
    found = train(weights, inputs, targets, epochs=20).numpy()
    for run in range(2):
        plain = plain_train(weights[run], inputs[run], targets[run], 20)
        np.testing.assert_allclose(found[run], plain, atol=2e-4)


def test_training_fits_the_points():
    weights, inputs, targets = problem()
    weights = train(weights, inputs, targets)
    output = tf.linalg.matvec(dngo.hidden(weights, inputs), weights[:, -1])
    assert np.square(output - targets).mean() < 0.05  # the targets' variance is 1


def test_unknown_points_are_none():
    """Their inputs matter neither to the network nor to the regression."""
    weights, inputs, targets = problem()
    known = np.ones_like(targets)
    known[:, 20:] = 0
    with_gaps = train(weights, inputs, targets * known, known)
    without = train(weights, inputs[:, :20], targets[:, :20])
    np.testing.assert_allclose(with_gaps, without, atol=1e-4)
    layer = dngo.hidden(without, inputs)
    with_gaps = dngo.regress(layer, targets * known, known)
    without = dngo.regress(layer[:, :20], targets[:, :20], known[:, :20])
    for first, second in zip(with_gaps, without):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("points", [3, 30, 200])
def test_regression_equals_textbook_formulas(points):
    weights, inputs, targets = problem(points=points)
    layer = dngo.hidden(train(weights, inputs, targets), inputs)
    found = dngo.regress(layer, targets, np.ones_like(targets))
    for run in range(2):
        mean, covariance, noise, precision = plain_regress(layer[run], targets[run])
        np.testing.assert_allclose(found.noise[run], noise, rtol=1e-4)
        np.testing.assert_allclose(found.precision[run], precision, rtol=1e-4)
        np.testing.assert_allclose(found.mean[run], mean, atol=1e-4)
        root = found.root[run].numpy().astype(np.float64)
        np.testing.assert_allclose(root @ root.T, covariance, rtol=1e-3, atol=1e-5)


def test_regression_finds_the_noise_and_the_weights_scale():
    """Of 4,000 points drawn from the model itself: weights of variance 4, noise of 0.25."""
    rng = np.random.default_rng(0)
    layer = rng.normal(size=(1, 4000, 128)).astype(np.float32)
    targets = layer @ rng.normal(0.0, 2.0, 128) + rng.normal(0.0, 0.5, (1, 4000))
    found = dngo.regress(tf.constant(layer), targets.astype(np.float32), np.ones((1, 4000), "f"))
    assert found.noise.numpy()[0] == pytest.approx(0.25, rel=0.1)
    assert 1.0 / found.precision.numpy()[0] == pytest.approx(4.0, rel=0.4)


@pytest.mark.parametrize("points, value", [(0, 0.0), (1, 0.0), (16, 0.0), (1, 1.0), (2, 1.0)])
def test_few_or_equal_points_give_finite_predictions(points, value):
    """Without any variation the posterior is finite and its deviation positive."""
    weights, inputs, _ = problem(points=16)
    known = np.zeros((2, 16), np.float32)
    known[:, :points] = 1.0
    targets = value * known * np.array([1.0, -1.0] * 8, np.float32)
    weights = train(weights, inputs, targets, known)
    layer = dngo.hidden(weights, inputs)
    posterior = dngo.regress(layer, targets, known)
    assert all(np.isfinite(field).all() for field in posterior)
    mean, root, noise, _ = (field[0] for field in posterior)
    mean, deviation = dngo.predict(layer[0], mean, root, noise)
    assert np.isfinite(mean).all() and (deviation.numpy() > 0).all()


def test_predictions_by_hand():
    """Variance (3 * 2)^2 + (4 * 1)^2 + 12 = 64, so deviation 8; mean 3 * 10 - 4 * 5 = 10."""
    layer, mean = tf.constant([[3.0, 4.0]]), tf.constant([10.0, -5.0])
    found = dngo.predict(layer, mean, tf.constant([[2.0, 0.0], [0.0, 1.0]]), tf.constant(12.0))
    assert [value.numpy().tolist() for value in found] == [[10.0], [8.0]]


@pytest.mark.parametrize(
    "mean, deviation, target, improvement",
    [
        (0.0, 1.0, 0.0, 0.3989422804),
        (1.0, 1.0, 0.0, 1.0833154706),
        (0.0, 1.0, 1.0, 0.0833154706),
        (0.5, 0.25, 1.0, 0.25 * 0.008490702617),
        (9.0, 1.0, 0.0, 9.0),
    ],
)
def test_expected_improvement_by_hand(mean, deviation, target, improvement):
    found = dngo.log_expected_improvement(mean, deviation, target).numpy()
    assert np.exp(found) == pytest.approx(improvement, rel=1e-8)


@pytest.mark.parametrize(
    "z, expected",
    [
        (-5.0, -16.74430116266099),
        (-29.9, -454.72299811949627),
        (-30.1, -460.73628739874304),
        (-40.0, -808.29856835661996),
        (-1000.0, -500014.73445209116),
    ],
)
def test_hopeless_cells_keep_their_order(z, expected):
    """Computed with 60 digits; the improvement itself is 0 in floating point from z = -38 on."""
    found = dngo.log_expected_improvement(np.float64(z), 1.0, 0.0).numpy()
    assert found == pytest.approx(expected, rel=1e-10)


def test_expected_improvement_grows_with_mean_and_deviation():
    z = np.linspace(-60.0, 10.0, 7001)
    assert (np.diff(dngo.log_expected_improvement(z, 1.0, 0.0)) > 0).all()
    deviation = np.geomspace(0.01, 10.0, 500)
    assert (np.diff(dngo.log_expected_improvement(0.0, deviation, 1.0)) > 0).all()


@pytest.mark.parametrize("value, count", [(0.7, 3), (0.1, 7), (0.9415, 5), (0.0, 4)])
def test_equal_accuracies_are_scaled_to_zero(value, count):
    """The mean of three times 0.7 is not quite 0.7."""
    accuracy, known = np.full((1, count), value), np.ones((1, count), bool)
    centre, scale = dngo.centre_and_scale(accuracy, known)
    assert scale.tolist() == [[1.0]]
    np.testing.assert_allclose((accuracy - centre) / scale, 0.0, atol=1e-15)


def test_accuracies_are_scaled_to_mean_0_and_variance_1():
    accuracy = np.array([[0.5, 0.7, np.nan, 0.9], [np.nan] * 4])
    centre, scale = dngo.centre_and_scale(accuracy, np.isfinite(accuracy))
    np.testing.assert_allclose(centre, [[0.7], [0.0]])
    np.testing.assert_allclose(scale, [[np.sqrt(0.08 / 3)], [1.0]])
