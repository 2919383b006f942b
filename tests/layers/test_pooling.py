"""nas_tf/layers/pooling.py against plain NumPy; literal values are in the operations' tests."""

import keras
import numpy as np
import pytest

from nas_tf.layers.pooling import AveragePooling, MaxPooling, margin
from tests import numpy_networks as plain


@pytest.mark.parametrize("shape", [(2, 8, 6, 3), (1, 7, 5, 2), (1, 1, 2, 1)])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("size, padding", [(3, 1), (2, 1), (5, 2), (1, 0)])
def test_pooling(shape, strides, size, padding):
    x = plain.images(shape)
    most = plain.windows(x, size, strides, padding, -np.inf).max(axis=(3, 4))
    mean = np.nanmean(plain.windows(x, size, strides, padding, np.nan), axis=(3, 4))
    for layer, expected in ((MaxPooling, most), (AveragePooling, mean)):
        built = layer(size, strides, padding)
        assert built.compute_output_shape((None, *shape[1:])) == (None, *expected.shape[1:])
        np.testing.assert_allclose(built(x), expected, rtol=1e-5, atol=1e-6)


def test_sizes_may_be_unknown():
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, [MaxPooling(3, 2, 1)(inputs), AveragePooling(3, 2, 1)(inputs)])
    assert model.output_shape == [(None, None, None, 1)] * 2
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    most, mean = model(x)
    np.testing.assert_array_equal(most[0, ..., 0], [[5, 7], [13, 15]])
    np.testing.assert_allclose(mean[0, ..., 0], [[2.5, 4], [8.5, 10]], rtol=1e-6)


@pytest.mark.parametrize(
    "side, window, stride, padding, expected",
    [(8, 3, 2, 1, (1, 0)), (7, 3, 2, 1, (1, 1)), (8, 5, 2, 2, (2, 1)), (8, 3, 1, 1, (1, 1)),
     (None, 3, 2, 1, (1, 1)), (8, 1, 2, 0, (0, 0))],
)
def test_margins(side, window, stride, padding, expected):
    assert margin(side, window, stride, padding) == expected


def test_half_precision():
    x = plain.images((1, 4, 4, 1))
    for layer in (MaxPooling, AveragePooling):
        found = layer(3, 2, 1, dtype="mixed_float16")(x)
        assert found.dtype == "float16" and np.isfinite(found).all()


def test_saving_and_loading(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 1)), MaxPooling(3, 2, 1), AveragePooling(2, 2, 1)])
    model.save(tmp_path / "model.keras")
    loaded, x = keras.saving.load_model(tmp_path / "model.keras"), plain.images((2, 8, 8, 1))
    np.testing.assert_array_equal(loaded(x), model(x))


def test_too_much_padding():
    with pytest.raises(ValueError, match="padding=2: expected at most half of pool_size=3"):
        MaxPooling(3, 1, 2)
