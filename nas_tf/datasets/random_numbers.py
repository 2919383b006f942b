"""Stateless random numbers of (key, image): what was drawn before changes nothing.

TensorFlow's stateless generators take one seed for a whole tensor. Here every image of a batch has
a stream of its own: SplitMix64 (Steele, Lea and Flood, 2014, "Fast splittable pseudorandom number
generators"), started from a mix of the key and the image's number. Number j of an image is
mix(start + (j + 1) * 0x9E3779B97F4A7C15), its upper 24 bits as a fraction.

Shapes: b images, k numbers.
"""

import numpy as np
import tensorflow as tf

from nas_tf import core

_GOLDEN = 0x9E3779B97F4A7C15
_FACTORS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def key_of(seed: int, epoch: int) -> int:
    """Returns the key of a pass over the images, an unsigned number of 64 bits."""
    sequence = core.seed_sequence(seed, core.Stream.AUGMENTATION, epoch)
    return int(sequence.generate_state(1, "uint64")[0])


def uniform(key: tf.Tensor, images: tf.Tensor, count: int) -> tf.Tensor:
    """Returns float32 [b, count] in [0, 1): row i is of image i, whatever else is in the batch.

    Args:
        key: uint64, of the pass.
        images: int64 [b], numbers of the images, at least 0.
        count: numbers an image; the first ones do not depend on it.
    """
    start = _mix(key + _mix((tf.cast(images, tf.uint64) + 1) * tf.constant(_GOLDEN, tf.uint64)))
    steps = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    bits = tf.bitwise.right_shift(_mix(start[:, None] + steps), tf.constant(40, tf.uint64))
    return tf.cast(bits, tf.float32) * 2.0**-24


def _mix(state: tf.Tensor) -> tf.Tensor:
    """Returns SplitMix64's finaliser of unsigned numbers of 64 bits."""
    for bits, factor in _FACTORS:
        state = _shifted(state, bits) * tf.constant(factor, tf.uint64)
    return _shifted(state, 31)


def _shifted(state: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(
        state, tf.bitwise.right_shift(state, tf.constant(bits, tf.uint64))
    )
