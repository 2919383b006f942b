"""nas_tf/layers/pixel_scaling.py: Keras' rescaling with a word on images of another size."""

import keras
import numpy as np

from nas_tf.layers.pixel_scaling import PixelScaling


def test_it_rescales_and_keeps_what_it_knows():
    layer = PixelScaling([0.5, 2.0], [1.0, -1.0], centre=True)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    for one in (layer, again):
        np.testing.assert_allclose(one(np.array([[2.0, 3.0]])), [[2.0, 5.0]])
        assert one.centre is True
    assert PixelScaling(1.0).centre is False
