"""Pooling with PyTorch's padding.

Keras' 'same' pads an even image on the far side alone where the stride is 2, PyTorch on both. At
stride 1 the two agree, and Keras' layers do.

Shapes: B images, of height H, width W and C channels.
"""

import keras
from keras import ops


def margin(side: int | None, window: int, stride: int, padding: int) -> tuple[int, int]:
    """Returns the pixels to add before and after a side, so that windows are PyTorch's.

    What PyTorch adds after the last window is left out: nothing reads it.
    """
    rest = 0 if side is None else (side + 2 * padding - window) % stride
    return padding, max(padding - rest, 0)


class _Pooling(keras.layers.Layer):
    """Pools square windows.

    Args:
        pool_size: height and width of the window.
        strides: between windows, of both axes.
        padding: pixels added at every side; no window lies in them wholly.
        **kwargs: as in `keras.layers.Layer`.

    Raises:
        ValueError: the padding is over half a window.
    """

    def __init__(self, pool_size: int, strides: int, padding: int, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= 2 * padding <= pool_size:
            raise ValueError(f"padding={padding}: expected at most half of pool_size={pool_size}")
        self.pool_size, self.strides, self.padding = pool_size, strides, padding

    def compute_output_shape(self, input_shape):
        """Returns [B, H', W', C]."""
        batch, *sides, channels = input_shape
        return (batch, *map(self._windows, sides), channels)

    def get_config(self):
        """What `from_config` needs."""
        settings = {"pool_size": self.pool_size, "strides": self.strides, "padding": self.padding}
        return {**super().get_config(), **settings}

    def _windows(self, side: int | None) -> int | None:
        return side and (side + 2 * self.padding - self.pool_size) // self.strides + 1

    def _padded(self, images, value: float):
        margins = (margin(side, self.pool_size, self.strides, self.padding)
                   for side in images.shape[1:3])
        return ops.pad(images, ((0, 0), *margins, (0, 0)), constant_values=value)


@keras.saving.register_keras_serializable("nas_tf")
class MaxPooling(_Pooling):
    """`torch.nn.MaxPool2d`: the border counts as minus infinity; see `_Pooling`."""

    def call(self, inputs):
        """Pools images [B, H, W, C]."""
        padded = self._padded(inputs, float("-inf"))
        return ops.max_pool(padded, self.pool_size, self.strides, data_format="channels_last")


@keras.saving.register_keras_serializable("nas_tf")
class AveragePooling(_Pooling):
    """`torch.nn.AvgPool2d(count_include_pad=False)`: means of what is inside; see `_Pooling`."""

    def call(self, inputs):
        """Pools images [B, H, W, C]."""
        _, height, width, _ = ops.shape(inputs)
        inside = self._means(ops.ones((1, height, width, 1), inputs.dtype))
        return self._means(inputs) / inside

    def _means(self, images):
        return ops.average_pool(
            self._padded(images, 0.0), self.pool_size, self.strides, data_format="channels_last"
        )
