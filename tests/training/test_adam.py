"""Tests of nas_tf.training.adam."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.training.adam import adam_corrections, adam_in_place, adam_step, keras_rate
from nas_tf.training.adam import paper_schedule


def test_steps_equal_those_of_keras():
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 2), (5,))]
    variables = [keras.Variable(value) for value in start]
    optimizer = keras.optimizers.Adam(0.02, beta_1=0.8, beta_2=0.95, epsilon=1e-3)
    weights = [tf.constant(value) for value in start]
    mu = nu = [tf.zeros_like(value) for value in weights]
    for number in range(5):
        gradients = [tf.constant(rng.normal(size=w.shape).astype(np.float32)) for w in weights]
        optimizer.apply(gradients, variables)
        weights, mu, nu = adam_step(
            weights,
            gradients,
            mu,
            nu,
            rate=keras_rate(0.02, tf.constant(number), 0.8, 0.95),
            beta_1=0.8,
            beta_2=0.95,
            epsilon=1e-3,
        )
    for found, variable, before in zip(weights, variables, start, strict=True):
        np.testing.assert_allclose(found, variable.numpy(), rtol=1e-5)
        assert np.abs(found - before).max() > 0.03


def test_the_first_step_is_the_learning_rate_against_the_gradient():
    zeros = [tf.zeros([2])]
    weights, _, _ = adam_step(
        [tf.constant([1.0, 1.0])],
        [tf.constant([3.0, -0.01])],
        zeros,
        zeros,
        rate=keras_rate(0.1, tf.constant(0)),
    )
    np.testing.assert_allclose(weights[0], [0.9, 1.1], atol=2e-4)


def test_both_forms_are_one():
    """Plain tensors with the paper's schedule, and variables in place."""
    rates, epsilons = paper_schedule(0.01, 4)
    variables = adam_variables()
    weights, mu, nu = ([variable.read_value()] for variable in variables)
    for step, value in enumerate((0.5, -2.0, 1e-9, 0.1)):
        gradient = tf.fill([2, 1, 2], value)
        weights, mu, nu = adam_step(
            weights, [gradient], mu, nu, rate=rates[step], epsilon=epsilons[step]
        )
        adam_in_place(
            variables,
            gradient,
            learning_rate=0.01,
            corrections=tf.constant(adam_corrections(step + 1)),
            active=tf.constant([True, True]),
        )
        for found, variable in zip((weights, mu, nu), variables):
            np.testing.assert_allclose(found[0], variable.numpy(), rtol=2e-5)


def adam_variables():
    return [tf.Variable(tf.ones([2, 1, 2]) * value) for value in (1.0, 0.0, 0.0)]


@pytest.mark.parametrize("compiled", [False, True])
def test_adam_is_algorithm_1(compiled):
    variables = adam_variables()
    step = tf.function(adam_in_place) if compiled else adam_in_place
    weights, first, second = np.ones((2, 1, 2)), 0.0, 0.0
    for update, value in enumerate((0.5, -2.0, 1e-9), start=1):
        gradient = np.full((2, 1, 2), value)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9**update), np.sqrt(second / (1 - 0.999**update))
        weights = weights - 0.01 * corrected[0] / (corrected[1] + 1e-8)
        step(
            variables,
            tf.constant(gradient, tf.float32),
            learning_rate=0.01,
            corrections=tf.constant(adam_corrections(update)),
            active=tf.constant([True, True]),
        )
        np.testing.assert_allclose(variables[0].numpy(), weights, rtol=1e-6)


def test_first_adam_step_by_hand():
    variables = adam_variables()
    adam_in_place(
        variables,
        tf.fill([2, 1, 2], 1e-8),
        learning_rate=0.01,
        corrections=tf.constant(adam_corrections(1)),
        active=tf.constant([True, True]),
    )
    np.testing.assert_allclose(variables[0].numpy(), np.full((2, 1, 2), 0.995), rtol=1e-4)


@pytest.mark.parametrize("active", [[True, False], [False, False]])
def test_adam_leaves_inactive_runs_alone(active):
    variables = adam_variables()
    tf.function(adam_in_place)(
        variables,
        tf.fill([2, 1, 2], 0.5),
        learning_rate=0.01,
        corrections=tf.constant(adam_corrections(1)),
        active=tf.constant(active),
    )
    for variable, start in zip(variables, (1.0, 0.0, 0.0)):
        changed = (variable.numpy() != start).all(axis=(1, 2))
        np.testing.assert_array_equal(changed, active)
        assert (variable.numpy()[~changed] == np.float32(start)).all()
