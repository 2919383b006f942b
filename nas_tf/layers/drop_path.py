"""Drop path and dropout on random numbers that the trainer may give.

Larsson et al.: "FractalNet" (ICLR 2017, arXiv:1605.07648); in this form, one draw an image, in the
released code of DARTS (Liu et al., 2019, arXiv:1806.09055) and NASNet.

Shapes: B images, of height H, width W and C channels.
"""

import keras
from keras import ops

from nas_tf.layers import noise


class _Dropping(keras.layers.Layer):
    """Takes values away in training and scales up what stays, so that the mean is kept.

    Args:
        rate: probability of being dropped, in [0, 1); a non-trainable scalar weight, which a
            callback may set anew every epoch.
        seed: of the layer's own random numbers.
        **kwargs: as in `keras.layers.Layer`.

    Raises:
        ValueError: the rate is out of range.
    """

    def __init__(self, rate: float, *, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate={rate}: expected 0 up to, but not, 1")
        self.first_rate, self.seed = float(rate), seed
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        """Makes the weight `rate`."""
        del input_shape
        start = keras.initializers.Constant(self.first_rate)
        self.rate = self.add_weight(
            shape=(), initializer=start, trainable=False, autocast=False, name="rate"
        )
        self.built = True

    def call(self, inputs, training=None):
        """Returns inputs, in training with some of them dropped."""
        if not training:
            return inputs
        kept = 1.0 - ops.convert_to_tensor(self.rate)
        drawn = noise.uniform(self._noise_shape(inputs), self.generator)
        factor = ops.floor(kept + drawn) / kept  # 1 with probability `kept`
        return inputs * ops.cast(factor, inputs.dtype)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the inputs."""
        return input_shape

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "rate": self.first_rate, "seed": self.seed}

    def _noise_shape(self, inputs) -> tuple:
        raise NotImplementedError


@keras.saving.register_keras_serializable("nas_tf")
class DropPath(_Dropping):
    """Drops the whole of an image's features [B, ...]; see `_Dropping` for the arguments."""

    def _noise_shape(self, inputs) -> tuple:
        return (ops.shape(inputs)[0], *[1] * (len(inputs.shape) - 1))


@keras.saving.register_keras_serializable("nas_tf")
class Dropout(_Dropping):
    """Drops single features of [B, ...]; see `_Dropping` for the arguments."""

    def _noise_shape(self, inputs) -> tuple:
        return tuple(ops.shape(inputs))
