"""The same weights bit for bit from every process, on CPU."""

import keras
import tensorflow as tf


def make_deterministic(seed: int | None = None) -> None:
    """Makes TensorFlow's programs repeatable, those of branched networks included.

    Call it before any program is compiled. `enable_op_determinism` alone is enough for chains of
    layers. Sums of three or more tensors, and gradients of a tensor used several times, still vary
    in the last bit, because the graph optimizer orders them anew in every process.

    Args:
        seed: of Python's, NumPy's and Keras' global generators; None leaves them alone.
    """
    if seed is not None:
        keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
