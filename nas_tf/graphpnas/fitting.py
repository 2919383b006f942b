"""Fits generators to the graphs of replay buffers, in one compiled program.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 3.3. A step of Adam sees a batch of graphs;
with P the probability of graph b under the generator, its loss is

    -mean_b (up_b log P + down_b log(1 - P))

where the coefficients follow from the rewards: in equation 11 `up` is the standardised reward, in
equation 12 `up` is 1 above the mean reward and `down` is beta below it (`replay`).

The gradient of log(1 - P) is that of log P times -P / (1 - P). Where all graphs are alike, P is
6e-5 in NAS-Bench-201 and 2e-9 in NAS-Bench-101, so that this term hardly does anything. The
released code has 1 - P^(1/D) in its place, where P^(1/D) is the geometric mean of the probabilities
of a graph's D decisions (`root`).

All runs of a block are advanced by the same program, with weights of their own.

Shapes: S runs of a block, G graphs of a buffer with room, E steps, B graphs of a step.
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nas_tf.graphpnas.rows import (
    Generator,
    Graphs,
    Weights,
    graph_log_prob,
)
from nas_tf.training.adam import adam_step, keras_rate


class Adam(NamedTuple):
    """The state of Adam beside the weights.

    Attributes:
        number: int32 [], steps made.
        mu: first moments float32 [S, ...], by the names of the weights.
        nu: second moments, likewise.
    """

    number: tf.Tensor
    mu: Weights
    nu: Weights


class Buffer(NamedTuple):
    """Graphs to learn from.

    Attributes:
        graphs: [S, G].
        up: float32 [S, G], coefficient of log P.
        down: float32 [S, G], coefficient of log(1 - P).
        order: int32 [S, E or more, B], the graphs every step sees.
    """

    graphs: Graphs
    up: np.ndarray
    down: np.ndarray
    order: np.ndarray


def fresh_adam(weights: Weights) -> Adam:
    """Returns the state before the first step."""
    zeros = {name: np.zeros_like(value) for name, value in weights.items()}
    return Adam(np.int32(0), zeros, zeros)


def log1mexp(log_prob: tf.Tensor) -> tf.Tensor:
    """Returns log(1 - exp(x)) for x <= 0 without loss of digits (Maechler, 2012).

    From -1e-7 up, float32's resolution of a probability, x counts as -1e-7 and has no gradient; at
    0 the result would be -infinity.
    """
    log_prob = tf.minimum(log_prob, -1e-7)
    near = log_prob > -np.log(2.0)
    # Each branch gets arguments it is sound for: tf.where passes on NaN gradients of the other.
    expm1 = tf.math.log(-tf.math.expm1(tf.where(near, log_prob, -1.0)))
    log1p = tf.math.log1p(-tf.exp(tf.where(near, -1.0, log_prob)))
    return tf.where(near, expm1, log1p)


def loss(
    generator: Generator, weights: Weights, graphs: Graphs, up, down, root: int = 1
) -> tf.Tensor:
    """Returns every run's mean loss of a batch, float32 [S].

    Args:
        generator: of the graphs.
        weights: float32 [S, ...].
        graphs: [S, B].
        up: float32 [S, B].
        down: float32 [S, B].
        root: D; log(1 - P^(1/D)) stands in the place of log(1 - P).
    """
    log_prob = graph_log_prob(generator, weights, graphs)
    mean = log_prob if root == 1 else log_prob / root
    return -tf.reduce_mean(up * log_prob + down * log1mexp(mean), axis=1)


def clipped(gradients: list[tf.Tensor], norm: float | None) -> list[tf.Tensor]:
    """Scales the gradients [S, ...] of each run down to a global norm of at most `norm`."""
    if norm is None:
        return gradients
    squares = [tf.reduce_sum(tf.square(g), axis=range(1, len(g.shape))) for g in gradients]
    length = tf.sqrt(tf.add_n(squares))
    scale = norm / tf.maximum(length, norm)
    return [g * tf.reshape(scale, [-1] + [1] * (len(g.shape) - 1)) for g in gradients]


@functools.cache
def fit_program(
    generator: Generator,
    learning_rate: float,
    clip_norm: float | None,
    jit_compile: bool = True,
    *,
    root: int = 1,
):
    """Returns the program that makes steps of Adam.

    Its arguments:
        weights: float32 [S, ...] by name.
        adam: goes with the weights.
        buffer: graphs to learn from.
        steps: int32 [], E.
    It returns what `weights` and `adam` have become, and the mean loss of the steps, float32 [S].

    Args:
        generator: of the graphs.
        learning_rate: of Adam.
        clip_norm: bound on the gradient of a run, or None.
        jit_compile: with XLA.
        root: as of `loss`.
    """

    @tf.function(jit_compile=jit_compile, autograph=False)
    def fit(weights, adam, buffer, steps):
        names = sorted(weights)  # in another order sums over weights are rounded otherwise
        graphs = Graphs(*(tf.convert_to_tensor(array) for array in buffer.graphs))

        def step(number, weights, adam, total):
            index = tf.gather(buffer.order, number, axis=1)
            batch = Graphs(*(tf.gather(array, index, batch_dims=1) for array in graphs))
            up = tf.gather(buffer.up, index, batch_dims=1)
            down = tf.gather(buffer.down, index, batch_dims=1)
            with tf.GradientTape() as tape:
                tape.watch(weights)
                losses = loss(generator, weights, batch, up, down, root)
                summed = tf.reduce_sum(losses)
            found = tape.gradient(summed, weights, unconnected_gradients="zero")
            gradients = clipped([found[name] for name in names], clip_norm)
            values = [
                [part[name] for name in names] for part in (weights, adam.mu, adam.nu)
            ]
            rate = keras_rate(learning_rate, adam.number)
            moved = adam_step(values[0], gradients, *values[1:], rate=rate)
            weights, mu, nu = (dict(zip(names, part)) for part in moved)
            return number + 1, weights, Adam(adam.number + 1, mu, nu), total + losses

        start = [tf.constant(0), weights, adam, tf.zeros(tf.shape(buffer.up)[:1])]
        start = tf.nest.map_structure(tf.convert_to_tensor, start)
        _, weights, adam, total = tf.while_loop(lambda number, *_: number < steps, step, start)
        return weights, adam, total / tf.cast(tf.maximum(steps, 1), tf.float32)

    return fit
