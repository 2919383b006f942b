"""Tests of nas_tf.training.adam."""

import keras
import numpy as np
import tensorflow as tf

from nas_tf.training.adam import adam_step


def test_steps_equal_those_of_keras():
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 2), (5,))]
    variables = [keras.Variable(value) for value in start]
    optimizer = keras.optimizers.Adam(0.02, beta_1=0.8, beta_2=0.95, epsilon=1e-3)
    weights = [tf.constant(value) for value in start]
    first = second = [tf.zeros_like(value) for value in weights]
    for number in range(5):
        gradients = [tf.constant(rng.normal(size=w.shape).astype(np.float32)) for w in weights]
        optimizer.apply(gradients, variables)
        weights, first, second = adam_step(
            weights,
            gradients,
            first,
            second,
            tf.constant(number),
            learning_rate=0.02,
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
        tf.constant(0),
        learning_rate=0.1,
    )
    np.testing.assert_allclose(weights[0], [0.9, 1.1], atol=2e-4)
