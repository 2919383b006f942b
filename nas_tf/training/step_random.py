"""Random numbers of a training step that depend on neither replicas nor restarts.

Shapes: b examples of a global batch on one replica, in one of its parts.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

_DRAWS_A_STEP = 64
_BLOCK = 1 << 40  # apart from any step: where the draws go on after the first 64


class StepRandom:
    """Random numbers of one training step: the same on any number of replicas.

    Every draw is made for the global batch from (seed, step, number of the draw); a replica keeps
    its own rows. A global batch may also be gone through in parts: every part keeps its own.

    Args:
        seed: of the training.
        step: of the training, counted over all its passes.
        replica: which one this is.
        replicas: how many there are.
        part: which part of the replica's rows this is.
        parts: how many there are.
    """

    def __init__(
        self,
        seed: tf.Tensor | int,
        step: tf.Tensor | int,
        replica: tf.Tensor | int,
        replicas: int,
        *,
        part: tf.Tensor | int = 0,
        parts: int = 1,
    ):
        self._seed = seed
        self._first = tf.cast(step, tf.int32) * _DRAWS_A_STEP
        self._place = replica * parts + part
        self._places = replicas * parts
        self._draws = 0

    def normal(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns float32 standard normal numbers of shape [b, ...]."""
        return self._draw(tf.random.stateless_normal, shape)

    def uniform(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns float32 numbers in [0, 1) of shape [b, ...]."""
        return self._draw(tf.random.stateless_uniform, shape)

    def _draw(self, sampler: Callable, shape: Sequence[int]) -> tf.Tensor:
        seed = self._next_seed()
        rows, rest = shape[0], list(shape[1:])
        # Named, because XLA takes 20 times as long to choose it itself. Its numbers are others.
        numbers = sampler([rows * self._places, *rest], seed=seed, alg="philox")
        if self._places == 1:
            return numbers
        return tf.slice(numbers, [self._place * rows] + [0] * len(rest), [rows, *rest])

    def _next_seed(self) -> tf.Tensor:
        block, draw = divmod(self._draws, _DRAWS_A_STEP)
        self._draws += 1
        if not block:
            return tf.stack([tf.cast(self._seed, tf.int32), self._first + draw])
        low = tf.cast(self._first + draw, tf.int64) + block * _BLOCK
        return tf.stack([tf.cast(self._seed, tf.int64), low])
