"""Random numbers of layers, from a source that the trainer may set.

A training that is killed and goes on, or runs on other devices, must draw the same numbers for the
same images. Whoever knows step and images (the trainer) therefore hands layers their source;
without one a layer draws from a Keras generator of its own, as Keras' layers do.
"""

import contextlib
import threading
from typing import Any, Protocol

import keras

_LOCAL = threading.local()  # replicas of a `tf.distribute` strategy are traced in threads


class Source(Protocol):
    """What gives layers their random numbers."""

    def uniform(self, shape: tuple) -> Any:
        """Returns float32 of shape [b, ...], uniform in [0, 1): b examples, new at every call."""


@contextlib.contextmanager
def numbers_from(source: Source):
    """Lets layers that are called in this thread draw from a source."""
    previous = getattr(_LOCAL, "source", None)
    _LOCAL.source = source
    try:
        yield
    finally:
        _LOCAL.source = previous


def uniform(shape: tuple, generator: keras.random.SeedGenerator):
    """Returns float32 of shape [b, ...], uniform in [0, 1).

    Args:
        shape: b examples first, which may be a scalar tensor.
        generator: the calling layer's own, drawn from where no source is set.
    """
    source = getattr(_LOCAL, "source", None)
    if source is not None:
        return source.uniform(shape)
    return keras.random.uniform(shape, dtype="float32", seed=generator)
