"""The moving average of weights that an optimizer keeps (Polyak and Juditsky, 1992)."""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf


@contextlib.contextmanager
def averaged(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Puts averages in the place of weights, if the optimizer keeps any, and back."""
    _swap(model, optimizer)
    try:
        yield
    finally:
        _swap(model, optimizer)


def keep_averages(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    """Leaves averages in the place of weights, if the optimizer keeps any."""
    for weight, average in _pairs(model, optimizer):
        weight.assign(average.value)


def _swap(model, optimizer) -> None:
    for weight, average in _pairs(model, optimizer):
        value = tf.identity(weight.value)
        weight.assign(average.value)
        average.assign(value)


def _pairs(model, optimizer) -> list[tuple]:
    if not optimizer.use_ema:
        return []
    averages = optimizer._model_variables_moving_average
    return list(zip(model.trainable_variables, averages, strict=True))
