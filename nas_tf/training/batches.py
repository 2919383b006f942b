"""Random batches of a few examples."""

import numpy as np

from nas_tf.core import ceil_div


def shuffled_batches(
    rng: np.random.Generator, examples: np.ndarray, steps: int, batch_size: int
) -> np.ndarray:
    """Returns examples, int [steps, batch_size]: passes over them, each in a random order.

    Args:
        rng: source of randomness.
        examples: int [K], at least one.
        steps: batches.
        batch_size: examples a batch.
    """
    size = steps * batch_size
    passes = np.tile(examples, (ceil_div(size, len(examples)), 1))
    return rng.permuted(passes, axis=1).ravel()[:size].reshape(steps, batch_size)
