"""nas_tf/networks/operations.py against plain NumPy, and by literal values."""

import keras
import numpy as np
import pytest

from nas_tf.networks import operations
from tests import numpy_networks as plain

SQUARE = np.arange(16.0).reshape(1, 4, 4, 1)  # rows 0-3, 4-7, 8-11, 12-15
ODD = np.arange(9.0).reshape(1, 3, 3, 1)


def _built(function, shape, **settings):
    """A model of one operation with uneven weights, and these weights."""
    inputs = keras.Input(shape)
    model = keras.Model(inputs, function(inputs, name="op", **settings))
    return model, plain.randomize(model)


def _computed(function, x, *args, **settings):
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, function(inputs, *args, name="op", **settings))
    for layer in model.layers:  # all kernels are ones
        layer.set_weights([np.ones(weight.shape) for weight in layer.weights])
    return np.asarray(model(x.astype(np.float32)))[0, ..., 0]


# Literal values: kernels of ones sum what a window sees.


@pytest.mark.parametrize(
    "x, stride, expected",
    [
        (SQUARE, 1, [[10, 18, 24, 18], [27, 45, 54, 39], [51, 81, 90, 63], [42, 66, 72, 50]]),
        # Windows begin one pixel before the image: Keras' 'same' would begin in it (45 first).
        (SQUARE, 2, [[10, 24], [51, 90]]),
        (ODD, 2, [[8, 12], [20, 24]]),
    ],
)
def test_convolution_by_hand(x, stride, expected):
    np.testing.assert_allclose(_computed(operations.convolution, x, 1, stride=stride), expected)


def test_pointwise_convolutions_skip_pixels():
    found = _computed(operations.convolution, SQUARE, 1, kernel_size=1, stride=2)
    np.testing.assert_allclose(found, [[0, 2], [8, 10]])


@pytest.mark.parametrize(
    "kernel_size, stride, dilation, expected",
    [
        (3, 1, 1, [[10, 18, 24, 18], [27, 45, 54, 39], [51, 81, 90, 63], [42, 66, 72, 50]]),
        (3, 2, 1, [[10, 24], [51, 90]]),
        (5, 2, 1, [[45, 66], [84, 120]]),
        # Dilated by 2, even pixels see even ones alone: 0, 2, 8 and 10 in all four places.
        (3, 1, 2, [[20, 24, 20, 24], [36, 40, 36, 40], [20, 24, 20, 24], [36, 40, 36, 40]]),
        (3, 2, 2, [[20, 20], [20, 20]]),
        (5, 2, 2, [[20, 20], [20, 20]]),
    ],
)
def test_separable_convolution_by_hand(kernel_size, stride, dilation, expected):
    found = _computed(operations.separable_convolution, SQUARE, 1, kernel_size=kernel_size,
                      stride=stride, dilation=dilation)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(
    "x, stride, expected",
    [
        (SQUARE, 1, [[5, 6, 7, 7], [9, 10, 11, 11], [13, 14, 15, 15], [13, 14, 15, 15]]),
        (SQUARE, 2, [[5, 7], [13, 15]]),
        (ODD, 2, [[4, 5], [7, 8]]),
        # A border of zeros would win against negative pixels.
        (SQUARE - 20, 2, [[-15, -13], [-7, -5]]),
    ],
)
def test_max_pooling_by_hand(x, stride, expected):
    np.testing.assert_allclose(_computed(operations.max_pooling, x, stride=stride), expected)


@pytest.mark.parametrize(
    "x, stride, expected",
    [
        # The corner's window has four pixels: (0 + 1 + 4 + 5) / 4.
        (SQUARE, 1, [[2.5, 3, 4, 4.5], [4.5, 5, 6, 6.5], [8.5, 9, 10, 10.5], [10.5, 11, 12, 12.5]]),
        (SQUARE, 2, [[2.5, 4], [8.5, 10]]),
        (ODD, 2, [[2, 3], [5, 6]]),
    ],
)
def test_average_pooling_by_hand(x, stride, expected):
    found = _computed(operations.average_pooling, x, stride=stride)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "x, expected",
    [
        # Even pixels, then odd ones; batch norm of ones: (x - 1) / sqrt(1 + 1e-5) + 1.
        (SQUARE, [[[0, 5], [2, 7]], [[8, 13], [10, 15]]]),
        (ODD, [[[0, 4], [2, 0]], [[6, 0], [8, 0]]]),  # beyond the image: zero
    ],
)
def test_factorized_reduction_by_hand(x, expected):
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, operations.factorized_reduction(inputs, 2, name="op"))
    for layer in model.layers:
        layer.set_weights([np.ones(weight.shape) for weight in layer.weights])
    expected = (np.array(expected) - 1) / np.sqrt(1 + 1e-5) + 1
    np.testing.assert_allclose(model(x.astype(np.float32))[0], expected, atol=1e-6)


def test_batch_normalization_by_hand():
    inputs = keras.Input((2, 2, 1))
    norm = operations.batch_normalization(inputs, name="op", affine=False)
    model = keras.Model(inputs, norm)
    assert model.trainable_weights == []
    x = np.array([1, 3, 5, 7], np.float32).reshape(1, 2, 2, 1)
    found = np.ravel(model(x, training=True))
    np.testing.assert_allclose(found, np.array([-3, -1, 1, 3]) / np.sqrt(5 + 1e-5), rtol=1e-5)
    mean, variance = model.get_weights()
    np.testing.assert_allclose([mean[0], variance[0]], [0.1 * 4, 0.9 + 0.1 * 5], rtol=1e-5)


@pytest.mark.parametrize("stride, side", [(1, 4), (2, 2)])
def test_zeros(stride, side):
    found = _computed(operations.zero, SQUARE, stride=stride)
    np.testing.assert_array_equal(found, np.zeros((side, side)))


# Uneven weights, more channels, rectangles.

CASES = [
    (operations.convolution, {"channels": 3}, lambda x, w, s: plain.conv(x, *w["op"], s)),
    (operations.convolution, {"channels": 3, "kernel_size": 5},
     lambda x, w, s: plain.conv(x, *w["op"], s)),
    (operations.convolution, {"channels": 3, "kernel_size": 1},
     lambda x, w, s: plain.conv(x, *w["op"], s)),
    (operations.convolution, {"channels": 3, "padding": 0, "use_bias": True},
     lambda x, w, s: plain.conv(x, w["op"][0], s, 0) + w["op"][1]),
    (operations.separable_convolution, {"channels": 3},
     lambda x, w, s: plain.separable(x, *w["op"], s)),
    (operations.separable_convolution, {"channels": 3, "kernel_size": 5},
     lambda x, w, s: plain.separable(x, *w["op"], s)),
    (operations.separable_convolution, {"channels": 3, "dilation": 2},
     lambda x, w, s: plain.separable(x, *w["op"], s, 2)),
    (operations.separable_convolution, {"channels": 3, "kernel_size": 5, "dilation": 2},
     lambda x, w, s: plain.separable(x, *w["op"], s, 2)),
    (operations.max_pooling, {}, lambda x, w, s: plain.max_pool(x, s)),
    (operations.average_pooling, {}, lambda x, w, s: plain.average_pool(x, s)),
    (operations.relu_conv_bn, {"channels": 3}, lambda x, w, s: plain.relu_conv_bn(x, w, "op", s)),
    (operations.relu_conv_bn, {"channels": 3, "kernel_size": 3},
     lambda x, w, s: plain.relu_conv_bn(x, w, "op", s)),
]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("function, settings, expected", CASES)
@pytest.mark.parametrize("shape", [(8, 6, 2), (7, 5, 2)])
def test_equal_plain_numpy(function, settings, expected, stride, shape):
    model, weights = _built(function, shape, stride=stride, **settings)
    x = plain.images((2, *shape))
    wanted = expected(x, weights, stride)
    assert model.output_shape == (None, *wanted.shape[1:])
    np.testing.assert_allclose(model(x), wanted, rtol=1e-4, atol=1e-5)


def test_factorized_reduction_equals_plain_numpy():
    model, weights = _built(operations.factorized_reduction, (8, 6, 4), channels=6)
    x = plain.images((2, 8, 6, 4))
    expected = plain.factorized_reduction(x, weights, "op")
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-5)


def test_strides_that_do_not_go_with_a_dilation():
    with pytest.raises(ValueError, match="dilation=3: expected a multiple of stride=2"):
        operations.separable_convolution(keras.Input((8, 8, 2)), 2, name="op", stride=2, dilation=3)


# Initial weights.


def test_initial_weights_are_bounded_as_in_pytorch():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 16))
    net = operations.separable_convolution(inputs, 16, kernel_size=5, name="separable")
    net = operations.convolution(net, 32, use_bias=True, name="convolution")
    model = keras.Model(inputs, operations.classifier(net, 10))
    bounds = {"depthwise_kernel": 25**-0.5, "pointwise_kernel": 16**-0.5, "kernel": 144**-0.5}
    for layer in model.layers:
        for weight in layer.weights:
            bound = 32**-0.5 if layer.name == "logits" else bounds.get(weight.name, 144**-0.5)
            largest = np.abs(np.asarray(weight)).max()
            assert 0.7 * bound < largest <= bound, (layer.name, weight.name)


def test_half_precision():
    before = keras.config.dtype_policy()
    try:
        for policy in ("mixed_float16", "mixed_bfloat16"):
            keras.config.set_dtype_policy(policy)
            inputs = keras.Input((4, 4, 2))
            net = operations.relu_conv_bn(inputs, 4, kernel_size=3, name="a")
            net = operations.drop_path(net, 0.5, name="drop")
            net = operations.max_pooling(net, stride=2, name="b")
            net = operations.average_pooling(net, stride=2, name="c")
            model = keras.Model(inputs, operations.classifier(net, 3))
            assert model.get_layer("a_bn").output.dtype == policy.removeprefix("mixed_")
            for training in (True, False):
                logits = model(plain.images((3, 4, 4, 2)), training=training)
                assert logits.dtype == "float32" and np.isfinite(logits).all()
    finally:
        keras.config.set_dtype_policy(before)
