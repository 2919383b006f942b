"""Tests of nas_tf.arch2vec.policy."""

import numpy as np
import tensorflow as tf

from nas_tf.arch2vec import policy

RUNS, LENGTH, DEPTH = 2, 5, 3


def random_tensor(rng, *shape, scale=1.0):
    return tf.constant(rng.normal(size=shape, scale=scale), tf.float32)


def roll_out(lstm, head, inputs):
    """Runs an episode with the code under test; returns the steps, fields [S, T, ...]."""
    hidden = cell = tf.zeros([RUNS, policy.HIDDEN])
    steps = []
    for t in range(inputs.shape[1]):
        steps.append(policy.advance(lstm, inputs[:, t], hidden, cell))
        hidden, cell = steps[-1].hidden, steps[-1].cell
    return policy.Step(*(tf.stack(field, axis=1) for field in zip(*steps)))


def loss_of_one_run(lstm, head, inputs, actions, advantage):
    """REINFORCE loss written out for one run, for a tape to differentiate."""
    hidden = cell = tf.zeros([policy.HIDDEN])
    loss = 0.0
    for t in range(LENGTH):
        gates = tf.linalg.matvec(lstm[:DEPTH], inputs[t], transpose_a=True)
        gates += tf.linalg.matvec(lstm[DEPTH:-1], hidden, transpose_a=True) + lstm[-1]
        size = policy.HIDDEN
        i, f, g, o = (gates[n * size : (n + 1) * size] for n in range(4))
        cell = tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(g)
        hidden = tf.sigmoid(o) * tf.tanh(cell)
        mean = tf.linalg.matvec(head[:-1], hidden, transpose_a=True) + head[-1]
        log_prob = -0.5 * tf.reduce_sum(tf.square(actions[t] - mean))
        log_prob -= 0.5 * DEPTH * np.log(2 * np.pi)
        loss -= log_prob * advantage[t] / LENGTH
    return loss


def test_gradients_match_a_tape():
    rng = np.random.default_rng(0)
    lstm_shape, head_shape = policy.weight_shapes(DEPTH)
    lstm = random_tensor(rng, RUNS, *lstm_shape, scale=0.3)
    head = random_tensor(rng, RUNS, *head_shape, scale=0.3)
    inputs, noise = (random_tensor(rng, RUNS, LENGTH, DEPTH) for _ in range(2))
    advantage = random_tensor(rng, RUNS, LENGTH)
    steps = roll_out(lstm, head, inputs)
    means = tf.stack([policy.mean_action(head, steps.hidden[:, t]) for t in range(LENGTH)], 1)
    found = policy.gradients(lstm, head, steps, noise, advantage)
    for run in range(RUNS):
        weights = lstm[run], head[run]
        with tf.GradientTape() as tape:
            tape.watch(weights)
            actions = (means + noise)[run]
            loss = loss_of_one_run(*weights, inputs[run], actions, advantage[run])
        for mine, expected in zip(found, tape.gradient(loss, weights)):
            np.testing.assert_allclose(mine[run], expected, rtol=1e-3, atol=2e-5)


def test_advance_by_hand():
    """Weights 0 but the candidate's bias: every gate is 1/2 and the candidate tanh(1)."""
    lstm = np.zeros((1, DEPTH + policy.HIDDEN + 1, 4 * policy.HIDDEN), np.float32)
    lstm[0, -1, 2 * policy.HIDDEN : 3 * policy.HIDDEN] = 1.0
    cell = tf.fill([1, policy.HIDDEN], 0.4)
    step = policy.advance(lstm, tf.zeros([1, DEPTH]), tf.zeros_like(cell), cell)
    np.testing.assert_allclose(step.cell, np.full((1, 128), 0.5807971), rtol=1e-6)
    np.testing.assert_allclose(step.hidden, np.full((1, 128), 0.2616223), rtol=1e-6)


def test_advantages_by_hand():
    """Discount 0.8 is the paper's, 0 the released code's."""
    rewards = np.array([[1.0, 0.5, 0.9], [0.6, 0.6, 0.6]])
    found = policy.advantages(rewards, 0.8, 0.6)
    np.testing.assert_allclose(found, [[0.512, 0.14, 0.3], [0, 0, 0]], atol=1e-12)
    released = policy.advantages(rewards, 0.0, 0.6)
    np.testing.assert_allclose(released, [[0.4, -0.1, 0.3], [0, 0, 0]], atol=1e-12)


def test_advantages_are_returns_less_the_discounted_baseline():
    rewards = np.random.default_rng(0).random((4, 16))
    powers = 0.8 ** np.arange(16)
    returns = [[(r[t:] * powers[: 16 - t]).sum() for t in range(16)] for r in rewards]
    baselines = [0.95 * powers[: 16 - t].sum() for t in range(16)]
    found = policy.advantages(rewards, 0.8, 0.95)
    np.testing.assert_allclose(found, np.array(returns) - baselines)


def test_initial_weights_are_uniform_within_the_bound():
    lstm, head = policy.initial_weights(np.random.default_rng(3), 16)
    assert lstm.shape == (145, 512) and head.shape == (129, 16)
    assert lstm.dtype == head.dtype == np.float32
    bound = 0.08838835
    for weights in (lstm, head):
        assert np.abs(weights).max() <= bound
        assert abs(weights.mean()) < 0.003
        np.testing.assert_allclose(weights.std(), bound / np.sqrt(3), rtol=0.05)
    again, _ = policy.initial_weights(np.random.default_rng(3), 16)
    np.testing.assert_array_equal(lstm, again)
