"""The policy of arch2vec-RL for a block of runs, each with its own weights.

arch2vec (Yan et al., 2020, arXiv:2006.06936), section 3.3 and appendix: a one-layer LSTM of 128
units reads the embedding of the current cell; a linear layer gives the mean of a Gaussian with
identity covariance. REINFORCE (Williams, 1992) with the Adam of Kingma and Ba (2015,
arXiv:1412.6980), algorithm 1.

Weights are initialised as in PyTorch, uniformly within 1/sqrt(128), and the LSTM has one bias
vector. Biases are the last row of their matrix.

Gradients are written out instead of taken from a tape: a tape would make a gradient of the whole
weight matrix at every step and add them up, where one matrix product at the end will do.

Shapes: S runs in a block, T steps of an episode, D embedding dimensions, H = 128 hidden units.
"""

import typing

import numpy as np
import tensorflow as tf

HIDDEN = 128



class Step(typing.NamedTuple):
    """One step of the LSTM, kept for the backward pass.

    Attributes:
        inputs: float32 [S, D], the current cell's embedding.
        gates: float32 [S, 4 H]: input, forget, candidate, output, after their activations.
        hidden: float32 [S, H], the new hidden state.
        cell: float32 [S, H], the new cell state.
    """

    inputs: tf.Tensor
    gates: tf.Tensor
    hidden: tf.Tensor
    cell: tf.Tensor


def weight_shapes(depth: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns one run's shapes of the LSTM's and the output layer's matrix."""
    return (depth + HIDDEN + 1, 4 * HIDDEN), (HIDDEN + 1, depth)


def initial_weights(rng: np.random.Generator, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws one run's weights, float32, uniformly within 1 / sqrt(H)."""
    bound = np.float32(1.0 / np.sqrt(HIDDEN))
    lstm, head = (
        (2.0 * rng.random(shape, np.float32) - 1.0) * bound for shape in weight_shapes(depth)
    )
    return lstm, head


def advance(lstm: tf.Tensor, inputs: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor) -> Step:
    """Makes one LSTM step.

    Args:
        lstm: float32 [S, D + H + 1, 4 H].
        inputs: float32 [S, D].
        hidden: float32 [S, H].
        cell: float32 [S, H].
    """
    joined = _with_one(tf.concat([inputs, hidden], axis=1))
    before = tf.matmul(joined[:, None], lstm)[:, 0]
    input_gate, forget_gate, candidate, output_gate = tf.split(before, 4, axis=1)
    input_gate, forget_gate = tf.sigmoid(input_gate), tf.sigmoid(forget_gate)
    output_gate = tf.sigmoid(output_gate)
    candidate = tf.tanh(candidate)
    cell = forget_gate * cell + input_gate * candidate
    gates = tf.concat([input_gate, forget_gate, candidate, output_gate], axis=1)
    return Step(inputs, gates, output_gate * tf.tanh(cell), cell)


def mean_action(head: tf.Tensor, hidden: tf.Tensor) -> tf.Tensor:
    """Returns the policy's mean, [S, D], from head [S, H + 1, D] and hidden [S, H]."""
    return tf.matmul(_with_one(hidden)[:, None], head)[:, 0]


def advantages(
    rewards: np.ndarray, discount: float, baseline: float | np.ndarray
) -> np.ndarray:
    """Discounted sum of what later rewards exceed the baseline by.

    A_t = sum over k >= t of discount^(k - t) (r_k - baseline)
        = G_t - baseline (1 + discount + discount^2 + ...)

    The paper sets discount 0.8 and baseline 0.95. A discounted return G_t of accuracies is up to
    five times an accuracy, so the baseline, itself an accuracy, is discounted like the rewards: a
    policy whose cells all score the baseline has advantage 0 at every step. The released code
    computes discounted returns and then overwrites them by the rewards: that is discount 0, where
    A_t = r_t - baseline.

    Args:
        rewards: float [..., T].
        discount: in [0, 1].
        baseline: the accuracy that counts as neither good nor bad, for all or as [..., 1].

    Returns:
        float64 [..., T].
    """
    excess = np.asarray(rewards, np.float64) - baseline
    result = np.zeros_like(excess)
    following = np.zeros(excess.shape[:-1])
    for step in reversed(range(excess.shape[-1])):
        following = excess[..., step] + discount * following
        result[..., step] = following
    return result


def gradients(
    lstm: tf.Tensor,
    head: tf.Tensor,
    steps: Step,
    noise: tf.Tensor,
    advantage: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Differentiates the REINFORCE loss of one episode.

    loss = mean over t of -log N(a_t; mean_t, I) A_t, where a_t = mean_t + noise_t, so that
    d loss / d mean_t = -noise_t A_t / T. The log-probability is the sum over dimensions; the
    released code averages them, which Adam's update does not notice.

    Args:
        lstm: float32 [S, D + H + 1, 4 H].
        head: float32 [S, H + 1, D].
        steps: the episode's steps, each array [S, T, ...]; it started from zero states.
        noise: float32 [S, T, D].
        advantage: float32 [S, T].

    Returns:
        gradients in the shapes of `lstm` and `head`.
    """
    length, depth = noise.shape[1], noise.shape[2]
    by_mean = -noise * advantage[:, :, None] / length
    by_head = tf.matmul(_with_one(steps.hidden), by_mean, transpose_a=True)
    by_hidden = tf.matmul(by_mean, head[:, :HIDDEN], transpose_b=True)  # [S, T, H]
    factors = (tf.unstack(array, axis=1) for array in (by_hidden, *_slopes(steps)))
    later_hidden = later_cell = tf.zeros_like(by_hidden[:, 0])
    by_gates = []  # last step first
    for of_mean, cell_slope, gate_slope, forget_gate in reversed(list(zip(*factors))):
        d_hidden = of_mean + later_hidden
        d_cell = later_cell + d_hidden * cell_slope
        by_gates.append(tf.concat([d_cell, d_cell, d_cell, d_hidden], axis=1) * gate_slope)
        later_cell = d_cell * forget_gate
        d_joined = tf.matmul(by_gates[-1][:, None], lstm, transpose_b=True)[:, 0]
        later_hidden = d_joined[:, depth : depth + HIDDEN]
    joined = _with_one(tf.concat([steps.inputs, _shift(steps.hidden)], axis=2))
    by_lstm = tf.matmul(joined, tf.stack(by_gates[::-1], axis=1), transpose_a=True)
    return by_lstm, by_head


def _slopes(steps: Step) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns what the backward pass multiplies with, each for all steps at once.

    They are d cell / d hidden [S, T, H]; d (cell, cell, cell, hidden) / d gates before their
    activations [S, T, 4 H]; and the forget gate [S, T, H].
    """
    input_gate, forget_gate, candidate, output_gate = tf.split(steps.gates, 4, axis=2)
    squashed = tf.tanh(steps.cell)
    gate_slope = [
        candidate * input_gate * (1.0 - input_gate),
        _shift(steps.cell) * forget_gate * (1.0 - forget_gate),
        input_gate * (1.0 - tf.square(candidate)),
        squashed * output_gate * (1.0 - output_gate),
    ]
    return output_gate * (1.0 - tf.square(squashed)), tf.concat(gate_slope, axis=2), forget_gate


def _with_one(values: tf.Tensor) -> tf.Tensor:
    """Appends a 1 to the last axis: the input of the bias."""
    return tf.concat([values, tf.ones_like(values[..., :1])], axis=-1)


def _shift(values: tf.Tensor) -> tf.Tensor:
    """Returns values [S, T, H] one step earlier, beginning with zeros."""
    return tf.concat([tf.zeros_like(values[:, :1]), values[:, :-1]], axis=1)
