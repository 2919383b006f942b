"""nas_tf/layers/slicing.py."""

import keras
import numpy as np

from nas_tf.layers.slicing import FirstChannels, WithoutFirstPixels
from tests import numpy_networks as plain


def test_cuts():
    x = plain.images((2, 4, 3, 5))
    np.testing.assert_array_equal(FirstChannels(2)(x), x[..., :2])
    np.testing.assert_array_equal(FirstChannels(3)(x[:, 0, 0]), x[:, 0, 0, :3])
    np.testing.assert_array_equal(WithoutFirstPixels()(x), x[:, 1:, 1:])


def test_models_of_any_size(tmp_path):
    inputs = keras.Input((None, 3, 5))
    model = keras.Model(inputs, FirstChannels(2)(WithoutFirstPixels()(inputs)))
    assert model.output_shape == (None, None, 2, 2)
    model.save(tmp_path / "model.keras")
    loaded, x = keras.saving.load_model(tmp_path / "model.keras"), plain.images((2, 4, 3, 5))
    for one in (model, loaded):
        np.testing.assert_array_equal(one(x), x[:, 1:, 1:, :2])
        np.testing.assert_array_equal(one.predict(x, verbose=0), x[:, 1:, 1:, :2])
