"""nas_tf/layers/normalization.py against the Keras layer it stands for."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.layers import normalization
from nas_tf.layers.normalization import FusedBatchNormalization

SETTINGS = {"momentum": 0.8, "epsilon": 1e-2}


def _images(shape, seed=0):
    return np.random.default_rng(seed).normal(2.0, 3.0, shape).astype(np.float32)


def _layers(channels, **settings):
    """Both layers with equal, uneven weights."""
    rng = np.random.default_rng(1)
    layers = [FusedBatchNormalization(**SETTINGS, **settings),
              keras.layers.BatchNormalization(**SETTINGS, **settings)]
    weights = [rng.normal(size=channels) for _ in range(3)] + [rng.random(channels) + 0.5]
    for layer in layers:
        layer.build((None, None, None, channels))
        layer.set_weights(weights)
    return layers


def _step(layer, images, training):
    """Outputs and the gradients of an uneven function of them."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = layer(images, training=training)
        slopes = tf.cast(tf.reshape(tf.range(tf.size(outputs)) % 7, tf.shape(outputs)), tf.float32)
        loss = tf.reduce_sum(outputs * slopes + tf.square(outputs))
    return outputs, tape.gradient(loss, [images, layer.gamma, layer.beta])


@pytest.mark.parametrize("shape", [(4, 5, 6, 3), (1, 1, 2, 3), (16, 1, 1, 3)])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("compiled", [True, False])
def test_equals_the_keras_layer(shape, training, compiled):
    fused, plain = _layers(shape[-1])
    for seed in range(3):  # moving statistics move on
        images = tf.constant(_images(shape, seed))
        step = tf.function(_step) if compiled else _step
        outputs, gradients = step(fused, images, training)
        expected, expected_gradients = step(plain, images, training)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
        for one, other in zip(gradients, expected_gradients, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)
        for one, other in zip(fused.get_weights(), plain.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_statistics_by_hand():
    """Mean 2 and variance 1 of the values 1 and 3."""
    layer = FusedBatchNormalization(momentum=0.75, epsilon=1.0)
    images = np.array([1, 3], np.float32).reshape(1, 1, 2, 1)
    outputs = layer(images, training=True)
    np.testing.assert_allclose(np.ravel(outputs), [-(0.5**0.5), 0.5**0.5], rtol=1e-6)
    np.testing.assert_allclose(layer.moving_mean, [0.5])
    np.testing.assert_allclose(layer.moving_variance, [1.0])
    outputs = layer(images, training=False)
    np.testing.assert_allclose(np.ravel(outputs), [0.5**1.5, 2.5 * 0.5**0.5], rtol=1e-6)


def test_the_size_of_the_batch_may_be_unknown():
    fused, plain = _layers(3)
    images = _images((6, 4, 4, 3))
    for layer in (fused, plain):
        call = tf.function(
            lambda batch, layer=layer: layer(batch, training=True),
            input_signature=[tf.TensorSpec([None, None, None, 3])],
        )
        call(images)
    for one, other in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_frozen_layer_only_applies_its_statistics():
    fused, plain = _layers(3)
    fused.trainable = plain.trainable = False
    images, before = _images((2, 4, 4, 3)), fused.get_weights()
    np.testing.assert_allclose(
        fused(images, training=True), plain(images, training=True), rtol=1e-4, atol=1e-5
    )
    for one, other in zip(fused.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("settings", [{"scale": False}, {"center": False},
                                      {"scale": False, "center": False}])
def test_without_scale_or_offset(settings):
    layers = [kind(**SETTINGS, **settings)
              for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)]
    images = tf.constant(_images((4, 3, 3, 2)))
    for training in (True, False):
        fused, plain = (layer(images, training=training) for layer in layers)
        np.testing.assert_allclose(fused, plain, rtol=1e-4, atol=1e-5)
    assert len(layers[0].weights) == len(layers[1].weights) < 4


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision(precision):
    """Outputs are rounded, statistics are not."""
    fused, plain = _layers(3, dtype=f"mixed_{precision}")
    images = tf.cast(_images((4, 5, 6, 3)), precision)
    for training in (True, False):
        outputs, expected = (layer(images, training=training) for layer in (fused, plain))
        assert outputs.dtype == precision
        np.testing.assert_allclose(
            tf.cast(outputs, "float32"), tf.cast(expected, "float32"), rtol=2e-2, atol=2e-2
        )
    for one, other in zip(fused.get_weights(), plain.get_weights(), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_on_another_backend_it_is_the_keras_layer(monkeypatch):
    monkeypatch.setattr(normalization, "tf", None)
    fused, plain = _layers(3)
    assert not fused.synchronized
    images = _images((4, 5, 6, 3))
    for training in (True, False):
        outputs, expected = (layer(images, training=training) for layer in (fused, plain))
        np.testing.assert_array_equal(outputs, expected)


def test_saving_and_loading(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 3)), FusedBatchNormalization(momentum=0.7)])
    model(_images((8, 4, 4, 3)), training=True)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    layer = loaded.layers[-1]
    assert type(layer) is FusedBatchNormalization
    assert (layer.momentum, layer.epsilon, layer.synchronized) == (0.7, 1e-5, True)
    images = _images((2, 4, 4, 3), seed=5)
    np.testing.assert_array_equal(loaded(images), model(images))
    assert np.any(layer.moving_mean.numpy())
