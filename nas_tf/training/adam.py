"""Adam for weights that a compiled program holds as plain tensors."""

from collections.abc import Sequence

import tensorflow as tf


def adam_step(
    weights: Sequence[tf.Tensor],
    gradients: Sequence[tf.Tensor],
    first: Sequence[tf.Tensor],
    second: Sequence[tf.Tensor],
    number: tf.Tensor,
    *,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> tuple[list[tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
    """Makes one step of Adam (Kingma and Ba, 2015, arXiv:1412.6980) as Keras does.

    Epsilon is added before the second moment is corrected for its bias ("epsilon hat").

    Args:
        weights: float32 tensors of any shapes; networks may be stacked along leading axes.
        gradients: of the loss, in the shapes of `weights`.
        first: moments, zeros before the first step.
        second: likewise.
        number: int32 scalar, steps made before this one.
        learning_rate: step size.
        beta_1: decay of the first moments.
        beta_2: decay of the second moments.
        epsilon: beside the root of a second moment.

    Returns:
        the new weights, first and second moments.
    """
    power = tf.cast(number + 1, tf.float32)
    rate = tf.sqrt(1.0 - tf.pow(beta_2, power)) / (1.0 - tf.pow(beta_1, power))
    rate *= learning_rate
    first = [m + (1.0 - beta_1) * (g - m) for m, g in zip(first, gradients, strict=True)]
    second = [v + (1.0 - beta_2) * (g * g - v) for v, g in zip(second, gradients, strict=True)]
    weights = [
        w - rate * m / (tf.sqrt(v) + epsilon)
        for w, m, v in zip(weights, first, second, strict=True)
    ]
    return weights, first, second
