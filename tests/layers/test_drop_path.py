"""nas_tf/layers/drop_path.py."""

import keras
import numpy as np
import pytest

from nas_tf.layers import noise
from nas_tf.layers.drop_path import Dropout, DropPath


class Ramp:
    """A source of rising numbers, the first of which are below one quarter."""

    def uniform(self, shape):
        count = int(np.prod(shape))
        return keras.ops.reshape((keras.ops.arange(count, dtype="float32")) / count, shape)


@pytest.mark.parametrize(
    "kind, expected",
    [
        # Numbers 0, 1/4, 2/4 and 3/4; at rate 1/4 an image is dropped below 1/4, others times 4/3.
        (DropPath, [[0, 0], [4, 4], [4, 4], [4, 4]]),
        (Dropout, [[0, 0], [4, 4], [4, 4], [4, 4]]),
    ],
)
def test_by_hand(kind, expected):
    layer, x = kind(0.25), np.full((4, 1, 1, 2), 3.0, np.float32)
    np.testing.assert_array_equal(layer(x), x)
    with noise.numbers_from(Ramp()):
        found = np.asarray(layer(x, training=True))[:, 0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_is_drawn():
    """An image at a time, or every value; the mean is kept."""
    x = np.ones((2000, 2, 1, 2), np.float32)
    paths = np.asarray(DropPath(0.4, seed=1)(x, training=True)).reshape(2000, 4)
    assert (paths == paths[:, :1]).all()
    values = np.asarray(Dropout(0.4, seed=1)(x, training=True)).reshape(2000, 4)
    assert not (values == values[:, :1]).all()
    for found in (paths, values):
        np.testing.assert_allclose(np.unique(found), [0, 1 / 0.6], rtol=1e-6)
        assert 0.93 < found.mean() < 1.07


def test_the_rate_can_be_set():
    model = keras.Sequential([keras.Input((2, 2, 1)), DropPath(0.2, name="drop")])
    assert model.trainable_weights == [] and len(model.non_trainable_weights) >= 1
    rate = model.get_layer("drop").rate
    x = np.ones((4, 2, 2, 1), np.float32)
    rate.assign(0.0)
    np.testing.assert_array_equal(model(x, training=True), x)
    rate.assign(0.5)
    with noise.numbers_from(Ramp()):
        found = np.asarray(model(x, training=True))[:, 0, 0, 0]
    np.testing.assert_array_equal(found, [0, 0, 2, 2])


def test_half_precision():
    layer = DropPath(0.3, dtype="mixed_float16")
    found = layer(np.ones((64, 1), np.float32), training=True)
    assert found.dtype == "float16" and layer.rate.dtype == "float32"
    np.testing.assert_allclose(np.unique(np.asarray(found)), [0, 1 / 0.7], rtol=1e-3)


def test_saving_and_loading(tmp_path):
    model = keras.Sequential([keras.Input((2, 2, 1)), DropPath(0.2), Dropout(0.3, seed=4)])
    model.layers[0].rate.assign(0.1)
    model.save(tmp_path / "model.keras")
    one, two = keras.saving.load_model(tmp_path / "model.keras").layers
    np.testing.assert_allclose([one.rate.numpy(), two.rate.numpy()], [0.1, 0.3])
    assert (one.get_config()["rate"], two.get_config()["seed"]) == (0.2, 4)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_impossible_rates(rate):
    with pytest.raises(ValueError, match=f"rate={rate}: expected 0 up to, but not, 1"):
        DropPath(rate)
