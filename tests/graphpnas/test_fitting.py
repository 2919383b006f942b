"""Fitting generators to graphs."""

import math

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.spaces.graph_form import GraphDescription, all_graphs
from nas_tf.graphpnas.fitting import Buffer, clipped, fit_program, fresh_adam, log1mexp, loss
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.rnn import RecurrentGenerator
from nas_tf.graphpnas.rows import Graphs, graph_log_prob

GENERATOR = GraphGenerator(GraphDescription(3), hidden=8, num_components=2, num_steps=2)


def weights_of(seeds):
    drawn = [GENERATOR.initial_weights(np.random.default_rng(seed)) for seed in seeds]
    return {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}


def buffer_of(runs, up, down):
    """Returns a buffer of all eight graphs, and 40 batches of two."""
    graphs = Graphs(*(np.stack([array] * runs) for array in all_graphs(GENERATOR.description)))
    order = np.random.default_rng(0).permuted(np.tile(np.arange(8), (10, 1)), axis=1)
    order = np.stack([order.reshape(40, 2)] * runs).astype(np.int32)
    return Buffer(graphs, *(np.tile(np.float32(c), (runs, 1)) for c in (up, down)), order)


@pytest.fixture(scope="module")
def fitting():
    return fit_program(GENERATOR, 1e-2, 1.0, jit_compile=False)


@pytest.mark.parametrize(
    "value, expected",
    [(-1e-3, math.log(-math.expm1(-1e-3))), (-0.5, math.log(1 - math.exp(-0.5))),
     (-20.0, -math.exp(-20.0)), (-200.0, 0.0)],
)
def test_log1mexp(value, expected):
    argument = tf.constant(value)
    with tf.GradientTape() as tape:
        tape.watch(argument)
        found = log1mexp(argument)
    assert float(found) == pytest.approx(expected, rel=1e-4, abs=1e-12)
    slope = -math.exp(value) / -math.expm1(value)
    assert float(tape.gradient(found, argument)) == pytest.approx(slope, rel=1e-3, abs=1e-30)


def test_log1mexp_of_certainty_is_finite():
    assert math.isfinite(float(log1mexp(tf.constant(0.0))))


def test_loss_of_literal_coefficients():
    weights = weights_of([0])
    graphs = Graphs(*(array[None] for array in all_graphs(GENERATOR.description)))
    log_prob = graph_log_prob(GENERATOR, weights, graphs).numpy()[0].astype(np.float64)
    up, down = np.float32([1, 0, 2, 0, 0, 0, 0, 0]), np.float32([0, 3, 0, 0, 0, 0, 0, 0])
    expected = -(log_prob[0] + 2 * log_prob[2] + 3 * np.log1p(-np.exp(log_prob[1]))) / 8
    assert float(loss(GENERATOR, weights, graphs, up[None], down[None])[0]) == pytest.approx(
        expected, rel=1e-4
    )


def test_loss_of_the_mean_decision():
    """Graphs of three decisions: 1 - P^(1/3) in the place of 1 - P, which P is too small for."""
    weights = weights_of([0])
    graphs = Graphs(*(array[None] for array in all_graphs(GENERATOR.description)))
    log_prob = graph_log_prob(GENERATOR, weights, graphs).numpy()[0].astype(np.float64)
    up, down = np.zeros((1, 8), np.float32), np.float32([[0, 3, 0, 0, 0, 0, 0, 0]])
    expected = -3 * np.log1p(-np.exp(log_prob[1] / 3)) / 8
    assert GENERATOR.description.num_decisions == 3
    found = loss(GENERATOR, weights, graphs, up, down, root=3)
    assert float(found[0]) == pytest.approx(expected, rel=1e-4)
    assert float(found[0]) > 2 * float(loss(GENERATOR, weights, graphs, up, down)[0])


def test_good_graphs_become_likelier_and_bad_ones_rarer(fitting):
    up = [1, 1, 0, 0, 0, 0, 0, 0]
    down = [0, 0, 0, 0, 0, 0, 0, 1]
    weights, buffer = weights_of([0]), buffer_of(1, up, down)
    before = np.exp(graph_log_prob(GENERATOR, weights, buffer.graphs).numpy()[0])
    after, adam, _ = fitting(weights, fresh_adam(weights), buffer, tf.constant(40))
    after = np.exp(graph_log_prob(GENERATOR, after, buffer.graphs).numpy()[0])
    assert after[:2].sum() > 0.6 > before[:2].sum()
    assert after[7] < 0.5 * before[7]
    assert int(adam.number) == 40


def test_fitting_in_parts_equals_fitting_at_once(fitting):
    weights, buffer = weights_of([0]), buffer_of(1, np.ones(8), np.zeros(8))
    once, adam, _ = fitting(weights, fresh_adam(weights), buffer, tf.constant(10))
    half, state, _ = fitting(weights, fresh_adam(weights), buffer, tf.constant(6))
    rest = buffer._replace(order=np.roll(buffer.order, -6, axis=1))
    twice, state, _ = fitting(half, state, rest, tf.constant(4))
    for name in once:
        np.testing.assert_array_equal(once[name], twice[name])
        np.testing.assert_array_equal(adam.nu[name], state.nu[name])


@pytest.mark.parametrize("small", [
    RecurrentGenerator(GENERATOR.description, hidden=4, num_layers=1),
    GraphGenerator(GENERATOR.description, hidden=4, num_components=2, num_steps=1),
], ids=["rnn", "gnn"])
def test_with_xla_and_without(small):
    drawn = small.initial_weights(np.random.default_rng(0))
    weights, buffer = {n: v[None] for n, v in drawn.items()}, buffer_of(1, np.ones(8), np.zeros(8))
    found = [
        fit_program(small, 1e-2, 1.0, jit)(weights, fresh_adam(weights), buffer, tf.constant(5))
        for jit in (True, False)
    ]
    for name in weights:
        np.testing.assert_allclose(found[0][0][name], found[1][0][name], atol=1e-4)


def test_nothing_to_learn_leaves_the_weights_alone(fitting):
    weights, buffer = weights_of([0]), buffer_of(1, np.zeros(8), np.zeros(8))
    after, _, losses = fitting(weights, fresh_adam(weights), buffer, tf.constant(3))
    assert float(losses[0]) == 0.0
    for name in weights:
        np.testing.assert_array_equal(after[name], weights[name])


def test_gradients_are_clipped_for_each_run_alone():
    gradients = [tf.constant([[3.0, 0.0], [0.3, 0.0]]), tf.constant([[[4.0]], [[0.4]]])]
    first, second = clipped(gradients, 1.0)
    np.testing.assert_allclose(first, [[0.6, 0.0], [0.3, 0.0]], rtol=1e-6)
    np.testing.assert_allclose(second, [[[0.8]], [[0.4]]], rtol=1e-6)
    assert clipped(gradients, None) is gradients
