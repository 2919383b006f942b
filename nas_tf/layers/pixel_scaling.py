"""The first layer of a trained network: normalises pixels, and knows how images come to its size."""

import keras


@keras.saving.register_keras_serializable("nas_tf")
class PixelScaling(keras.layers.Rescaling):
    """`scale * pixels + offset`, with a word on images of another size than the network takes.

    Args:
        scale: float [C].
        offset: float [C].
        centre: the middle square of an image is cut before it is resized, as ImageNet is
            evaluated; otherwise it is stretched. Whoever reads files heeds it, this layer does not.
        **kwargs: of a Keras layer.
    """

    def __init__(self, scale, offset=0.0, centre: bool = False, **kwargs):
        super().__init__(scale, offset, **kwargs)
        self.centre = bool(centre)

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "centre": self.centre}
