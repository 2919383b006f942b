"""Cutting tensors.

TensorFlow's gradient of `x[..., :n]`, which Keras' cropping uses too, takes ten to twenty times as
long on a CPU as that of a slice by start and size.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable("nas_tf")
class FirstChannels(keras.layers.Layer):
    """The first channels of [..., C].

    Args:
        channels: how many.
        **kwargs: as in `keras.layers.Layer`.
    """

    def __init__(self, channels: int, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels

    def call(self, inputs):
        """Returns [..., channels]."""
        start = [0] * len(inputs.shape)
        return ops.slice(inputs, start, (*ops.shape(inputs)[:-1], self.channels))

    def compute_output_shape(self, input_shape):
        """Returns [..., channels]."""
        return (*input_shape[:-1], self.channels)

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "channels": self.channels}


@keras.saving.register_keras_serializable("nas_tf")
class WithoutFirstPixels(keras.layers.Layer):
    """Images [B, H, W, C] without their first row and their first column."""

    def call(self, inputs):
        """Returns [B, H - 1, W - 1, C]."""
        batch, height, width, channels = ops.shape(inputs)
        return ops.slice(inputs, (0, 1, 1, 0), (batch, height - 1, width - 1, channels))

    def compute_output_shape(self, input_shape):
        """Returns [B, H - 1, W - 1, C]."""
        batch, height, width, channels = input_shape
        return (batch, height and height - 1, width and width - 1, channels)
