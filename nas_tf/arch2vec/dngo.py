"""DNGO: a neural network whose last layer is Bayesian, for a block of runs with data of their own.

Snoek et al. (2015), Scalable Bayesian Optimization Using Deep Neural Networks, arXiv:1502.05700,
with the network of arch2vec (Yan et al., 2020, arXiv:2006.06936, section 4.2): one hidden layer of
128 tanh units, trained from scratch for 100 epochs with Adam at 1e-2. Then Bayesian linear
regression on the hidden layer replaces the output layer (equations 4-7).

An epoch is one step on all of a run's points: these are at most a few hundred, and mini-batches of
ten would mean ten times as many steps, each too small to keep a processor busy.

The precisions alpha of the weights and beta of the noise maximise the evidence (MacKay, 1992,
Bayesian Interpolation). For a given ratio alpha / beta the best beta is known in closed form, so
that one search along the ratio remains. It is made on a grid over the eigenvalues of the hidden
layer's Gram matrix: nothing can diverge, however few points there are.

Neither the network nor the regression has an output bias: targets have mean 0.

Shapes: S runs, N points, C cells, D inputs, H = 128 hidden units, G ratios of the grid.
"""

import typing

import numpy as np
import tensorflow as tf

from nas_tf.training.adam import adam_step, paper_schedule

HIDDEN = 128

_RATIOS = np.logspace(-4, 4, 65)  # of alpha to beta, where targets have variance 1
_SMALLEST_NOISE = 1e-6  # variance, likewise; without it equal targets would leave no deviation
_ROUNDING = 1e-12  # of a mean, relative
_TAIL = -30.0  # below, an expansion replaces erfc, which ends at -38


class Regression(typing.NamedTuple):
    """Posterior of the Bayesian linear regression on the hidden layer.

    Attributes:
        mean: float32 [S, H], m of equation 5.
        root: float32 [S, H, H], a square root of the posterior covariance: root root^T.
        noise: float32 [S], variance 1 / beta.
        precision: float32 [S], alpha.
    """

    mean: tf.Tensor
    root: tf.Tensor
    noise: tf.Tensor
    precision: tf.Tensor


def initial_weights(rng: np.random.Generator, depth: int) -> np.ndarray:
    """Draws a run's weights, float32 [D + 2, H], uniformly within 1 / sqrt(inputs of the layer).

    Rows are the inputs, the hidden layer's bias and, last, the output layer.
    """
    bounds = np.full((depth + 2, 1), 1.0 / np.sqrt(depth), np.float32)
    bounds[-1] = 1.0 / np.sqrt(HIDDEN)
    return (2.0 * rng.random((depth + 2, HIDDEN), np.float32) - 1.0) * bounds


def with_one(inputs):
    """Appends a 1 to the last axis of an array: the input of the bias."""
    return np.concatenate([inputs, np.ones_like(inputs[..., :1])], axis=-1)


def centre_and_scale(accuracy: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and deviation of every run's known accuracies, [R, 1]; 1 where it would be 0."""
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    centre = np.where(known, accuracy, 0.0).sum(axis=1, keepdims=True) / count
    square = np.where(known, np.square(accuracy - centre), 0.0).sum(axis=1, keepdims=True) / count
    scale = np.sqrt(square)  # of equal accuracies it is what rounding leaves
    return centre, np.where(scale > _ROUNDING * np.abs(centre), scale, 1.0)


def train(
    weights: tf.Tensor,
    inputs: tf.Tensor,
    targets: tf.Tensor,
    known: tf.Tensor,
    *,
    epochs: int,
    learning_rate: float,
) -> tf.Tensor:
    """Fits every run's network to its points by Adam on the mean squared error.

    The gradient is written out: a tape in a loop would keep every epoch's hidden layer.

    Args:
        weights: float32 [S, D + 2, H], from `initial_weights`.
        inputs: float32 [S, N, D + 1], the last one 1.
        targets: float32 [S, N], 0 where not known.
        known: float32 [S, N], 1 for points and 0 for none.
        epochs: steps on all points.
        learning_rate: of Adam.

    Returns:
        float32 [S, D + 2, H].
    """
    rates, epsilons = map(tf.constant, paper_schedule(learning_rate, epochs))
    share = 2.0 * known / tf.maximum(tf.reduce_sum(known, axis=1, keepdims=True), 1.0)
    mu = nu = tf.zeros_like(weights)
    for epoch in tf.range(epochs):
        gradient = _gradient(weights, inputs, targets, share)
        (weights,), (mu,), (nu,) = adam_step(
            [weights], [gradient], [mu], [nu], rate=rates[epoch], epsilon=epsilons[epoch]
        )
    return weights


def _gradient(weights, inputs, targets, share) -> tf.Tensor:
    """Returns d loss / d weights, [S, D + 2, H]; `share` [S, N] is 2 / points, 0 for none."""
    output = weights[:, -1]  # [S, H]
    layer = hidden(weights, inputs)
    by_output = (share * (tf.linalg.matvec(layer, output) - targets))[:, :, None]  # [S, N, 1]
    # The hidden layer's 1 - layer^2 and its output weights are drawn out of the sum over points.
    moved = inputs * by_output
    by_hidden = tf.reduce_sum(moved, axis=1)[:, :, None]
    by_hidden -= tf.matmul(moved, tf.square(layer), transpose_a=True)
    of_output = tf.matmul(by_output, layer, transpose_a=True)
    return tf.concat([by_hidden * output[:, None], of_output], axis=1)


def hidden(weights: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
    """Returns the hidden layer [..., N, H] for weights [..., D + 2, H], inputs [..., N, D + 1]."""
    return tf.tanh(tf.matmul(inputs, weights[..., :-1, :]))


def regress(layer: tf.Tensor, targets: tf.Tensor, known: tf.Tensor) -> Regression:
    """Fits Bayesian linear regressions, hyperparameters by evidence maximisation. In float64.

    With s = alpha / beta, eigenvalues l of layer^T layer and z the targets in its eigenbasis, the
    misfit E(s) = beta-free part of the posterior's exponent = |y|^2 - sum z^2 / (l + s), and the
    log evidence at its best beta = n / E(s) is, but for a constant,

        (H log s - sum log(l + s) - n log(E(s) / n)) / 2.

    Args:
        layer: float32 [S, N, H].
        targets: float32 [S, N], mean 0 and variance 1, 0 where not known.
        known: float32 [S, N], 1 for points and 0 for none.

    Returns:
        the posterior; for a run without points it is the prior at one of the grid's ends.
    """
    layer = tf.cast(layer * known[:, :, None], tf.float64)
    targets = tf.cast(targets, tf.float64)
    count = tf.maximum(tf.reduce_sum(tf.cast(known, tf.float64), axis=1), 1.0)
    values, vectors = tf.linalg.eigh(tf.matmul(layer, layer, transpose_a=True))
    values = tf.maximum(values, 0.0)
    moments = tf.linalg.matvec(layer, targets, transpose_a=True)
    moments = tf.linalg.matvec(vectors, moments, transpose_a=True)  # [S, H]
    shifted = values[:, None] + _RATIOS[:, None]  # [S, G, H]
    misfit = tf.reduce_sum(tf.square(targets), axis=1)[:, None]
    misfit -= tf.reduce_sum(tf.square(moments)[:, None] / shifted, axis=2)
    noise = tf.maximum(misfit / count[:, None], _SMALLEST_NOISE)  # [S, G]
    evidence = HIDDEN * np.log(_RATIOS) - tf.reduce_sum(tf.math.log(shifted), axis=2)
    evidence -= count[:, None] * tf.math.log(noise)
    best = tf.argmax(evidence, axis=1)
    noise = tf.gather(noise, best, batch_dims=1)
    shifted = tf.gather(shifted, best, batch_dims=1)
    found = Regression(
        mean=tf.linalg.matvec(vectors, moments / shifted),
        root=vectors * tf.sqrt(noise[:, None] / shifted)[:, None],
        noise=noise,
        precision=tf.gather(_RATIOS, best) / noise,
    )
    return Regression(*(tf.cast(field, tf.float32) for field in found))


def predict(layer, mean, root, noise) -> tuple[tf.Tensor, tf.Tensor]:
    """Predicts with one run's regression (equations 4 and 7).

    Args:
        layer: float32 [C, H], the cells' hidden layer.
        mean: float32 [H].
        root: float32 [H, H].
        noise: float32 [].

    Returns:
        float32 [C] means and standard deviations. (The code released with arch2vec takes the
        variance for the deviation.)
    """
    variance = tf.reduce_sum(tf.square(tf.matmul(layer, root)), axis=1) + noise
    return tf.linalg.matvec(layer, mean), tf.sqrt(variance)


def log_expected_improvement(mean, deviation, target) -> tf.Tensor:
    """Logarithm of E[max(0, f - target)], f ~ N(mean, deviation^2).

    log(deviation) + log h(z), h(z) = phi(z) + z Phi(z), z = (mean - target) / deviation. Its order
    is that of the improvement itself, also where that would be rounded to 0 for every cell (Ament
    et al., 2023, arXiv:2310.20708).

    Args:
        mean: float [C].
        deviation: float [C], positive.
        target: float [].

    Returns:
        float64 [C].
    """
    mean, deviation, target = (tf.cast(v, tf.float64) for v in (mean, deviation, target))
    z = (mean - target) / deviation
    near = tf.maximum(z, _TAIL)
    density = tf.exp(-0.5 * tf.square(near)) / np.sqrt(2.0 * np.pi)
    near = tf.math.log(density + 0.5 * near * tf.math.erfc(-near * np.sqrt(0.5)))
    inverse = tf.square(1.0 / tf.minimum(z, _TAIL))
    series = inverse * (3.0 - inverse * (15.0 - 105.0 * inverse))
    far = tf.math.log(inverse) + tf.math.log1p(-series)
    far -= 0.5 * tf.square(z) + 0.5 * np.log(2.0 * np.pi)
    return tf.math.log(deviation) + tf.where(z < _TAIL, far, near)
