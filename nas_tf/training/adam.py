"""Adam (Kingma and Ba, 2015, arXiv:1412.6980) for many small networks at a time.

`adam_step` is for weights that a compiled program holds as plain tensors, `adam_in_place` for large
ones in variables. `mu` and `nu` are the moving averages of gradients and of their squares.

Where epsilon stands differs by 1 / sqrt(1 - beta_2^t): algorithm 1 of the paper adds it to the root
of the corrected second moment, Keras to that of the plain one ("epsilon hat").

Shapes: T steps.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # of the paper


def adam_step(
    weights: Sequence[tf.Tensor],
    gradients: Sequence[tf.Tensor],
    mu: Sequence[tf.Tensor],
    nu: Sequence[tf.Tensor],
    *,
    rate: tf.Tensor,
    beta_1: float = BETA_1,
    beta_2: float = BETA_2,
    epsilon: float | tf.Tensor = 1e-7,
) -> tuple[list[tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
    """Makes one step.

    Args:
        weights: float32 tensors of any shapes; networks may be stacked along leading axes.
        gradients: of the loss, in the shapes of `weights`.
        mu: first moments, zeros before the first step.
        nu: second moments, likewise.
        rate: step size, corrected for the moments' start at 0: `keras_rate` or one of
            `paper_schedule`.
        beta_1: decay of the first moments.
        beta_2: decay of the second moments.
        epsilon: beside the root of a second moment; Keras has 1e-7.

    Returns:
        the new weights, `mu` and `nu`.
    """
    mu = [m + (1.0 - beta_1) * (g - m) for m, g in zip(mu, gradients, strict=True)]
    nu = [v + (1.0 - beta_2) * (g * g - v) for v, g in zip(nu, gradients, strict=True)]
    weights = [
        w - rate * m / (tf.sqrt(v) + epsilon) for w, m, v in zip(weights, mu, nu, strict=True)
    ]
    return weights, mu, nu


def keras_rate(
    learning_rate: float, number: tf.Tensor, beta_1: float = BETA_1, beta_2: float = BETA_2
) -> tf.Tensor:
    """Returns the corrected step size after `number` steps, int32 scalar, as Keras has it."""
    power = tf.cast(number + 1, tf.float32)
    rate = tf.sqrt(1.0 - tf.pow(beta_2, power)) / (1.0 - tf.pow(beta_1, power))
    return rate * learning_rate


def paper_schedule(learning_rate: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the corrected step sizes and epsilons of algorithm 1, float32 [T] each."""
    corrections = np.stack([adam_corrections(step + 1) for step in range(steps)])
    rates = learning_rate * np.sqrt(1.0 - corrections[:, 1]) / (1.0 - corrections[:, 0])
    return rates, corrections[:, 2]


def adam_corrections(update: int) -> np.ndarray:
    """Returns beta_1^t, beta_2^t and the scaled epsilon of update t = 1, 2, ..., float32 [3].

    TensorFlow's fused kernel adds epsilon before the bias correction of the second moment;
    epsilon scaled by sqrt(1 - beta_2^t) makes that algorithm 1 of the paper.
    """
    power = BETA_2**update
    return np.array([BETA_1**update, power, EPSILON * np.sqrt(1.0 - power)], np.float32)


def adam_in_place(
    variables: Sequence[tf.Variable],
    gradient: tf.Tensor,
    *,
    learning_rate: float,
    corrections: tf.Tensor,
    active: tf.Tensor,
) -> None:
    """Makes a step in variables, for the active runs only, by TensorFlow's fused kernel.

    Args:
        variables: weights, `mu` and `nu`, each [..., A, B].
        gradient: [..., A, B].
        learning_rate: step size.
        corrections: float32 [3], from `adam_corrections`.
        active: bool [...].
    """
    if tf.reduce_all(active):
        _apply_adam(variables, gradient, learning_rate, corrections)
    elif tf.reduce_any(active):
        before = [variable.read_value() for variable in variables]
        _apply_adam(variables, gradient, learning_rate, corrections)
        for variable, old in zip(variables, before):
            variable.assign(tf.where(active[..., None, None], variable, old))


def _apply_adam(variables, gradient, learning_rate, corrections) -> None:
    weights, mu, nu = variables
    tf.raw_ops.ResourceApplyAdam(
        var=weights.handle,
        m=mu.handle,
        v=nu.handle,
        beta1_power=corrections[0],
        beta2_power=corrections[1],
        lr=learning_rate,
        beta1=BETA_1,
        beta2=BETA_2,
        epsilon=corrections[2],
        grad=gradient,
    )
