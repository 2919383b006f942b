"""nas_tf/training/optimizers.py against the steps of PyTorch's documentation, in NumPy."""

import keras
import numpy as np
import pytest

from nas_tf.training.optimizers import make_optimizer
from nas_tf.training.settings import Training

GRADIENTS = [np.array([[0.5], [-1.0]]), np.array([[0.25], [2.0]]), np.array([[-1.0], [0.5]])]
RATES = [0.1, 0.1, 0.01]  # it changes: the momentum must not hold it
START = np.array([[1.0], [-2.0]])


def run(**settings):
    """Weights [2, 1] after three steps, and a bias with zero gradients."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.set_weights([START, np.array([4.0])])
    optimizer = make_optimizer(Training(learning_rate=0.1, **settings), model)
    for rate, gradient in zip(RATES, GRADIENTS):
        optimizer.learning_rate = rate
        gradients = [keras.ops.convert_to_tensor(gradient, "float32"), keras.ops.zeros(1)]
        optimizer.apply(gradients, model.trainable_variables)
    return model.get_weights()


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_sgd_is_pytorchs(nesterov, decay):
    weights, buffer = START.copy(), 0.0
    for rate, gradient in zip(RATES, GRADIENTS):
        gradient = gradient + decay * weights
        buffer = 0.9 * buffer + gradient
        weights = weights - rate * (gradient + 0.9 * buffer if nesterov else buffer)
    found = run(nesterov=nesterov, weight_decay=decay)[0]
    np.testing.assert_allclose(found, weights, rtol=1e-6)


def test_sgd_by_hand():
    """Momentum 0.5, no decay, first weight: buffers 0.5, 0.5, -0.75; 1 - 0.05 - 0.05 + 0.0075."""
    assert run(momentum=0.5, weight_decay=0.0)[0][0, 0] == pytest.approx(0.9075, rel=1e-6)


def test_decay_beside_the_gradient():
    """Without momentum: w (1 - 0.2 rate) - rate g."""
    weights = START.copy()
    for rate, gradient in zip(RATES, GRADIENTS):
        weights = weights * (1 - 0.2 * rate) - rate * gradient
    found = run(momentum=0.0, weight_decay=0.2, decoupled=True)[0]
    np.testing.assert_allclose(found, weights, rtol=1e-6)


@pytest.mark.parametrize("decoupled", [False, True])
def test_biases_are_spared_on_request(decoupled):
    kept = run(momentum=0.0, weight_decay=0.2, decay_all=False, decoupled=decoupled)
    assert kept[1][0] == 4.0
    decayed = run(momentum=0.0, weight_decay=0.2, decoupled=decoupled)
    assert decayed[1][0] == pytest.approx(4 * 0.98 * 0.98 * 0.998)
    np.testing.assert_array_equal(kept[0], decayed[0])


def test_adam_adds_decay_to_the_gradient():
    weights, first, second = START.copy(), 0.0, 0.0
    for step, (rate, gradient) in enumerate(zip(RATES, GRADIENTS), start=1):
        gradient = gradient + 0.2 * weights
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9**step), second / (1 - 0.999**step)
        weights = weights - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    found = run(optimizer="adam", weight_decay=0.2)[0]
    np.testing.assert_allclose(found, weights, rtol=1e-5)


def test_rmsprop_has_epsilon_under_the_root():
    """As TensorFlow 1: NAS-Bench-101 has decay 0.9, momentum 0.9, epsilon 1."""
    weights, square, step = START.copy(), 0.0, 0.0
    for rate, gradient in zip(RATES, GRADIENTS):
        gradient = gradient + 1e-4 * weights
        square = 0.9 * square + 0.1 * gradient**2
        step = 0.9 * step + rate * gradient / np.sqrt(square + 1.0)
        weights = weights - step
    found = run(optimizer="rmsprop", weight_decay=1e-4, epsilon=1.0)[0]
    np.testing.assert_allclose(found, weights, rtol=1e-5)
