"""nas_tf/layers/weighted_sum.py: the sum by hand, its weights and its gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.layers.weighted_sum import WeightedSum


def _images(*values):
    return [np.full((1, 1, 2, 1), value, np.float32) for value in values]


def test_weights_start_at_a_half():
    outputs = WeightedSum()(_images(1.0, 4.0))
    np.testing.assert_array_equal(outputs, np.full((1, 1, 2, 1), 2.5))


def test_a_sigmoid_keeps_weights_positive():
    layer = WeightedSum()
    layer(_images(0.0, 0.0, 0.0))
    layer.logits.assign([np.log(3), 0.0, -1e9])  # 0.75, 0.5, 0
    outputs = layer(_images(4.0, 2.0, 100.0))
    np.testing.assert_allclose(outputs, np.full((1, 1, 2, 1), 4.0), rtol=1e-6)


def test_one_input_has_a_weight_too():
    layer = WeightedSum()
    assert layer(_images(6.0))[0, 0, 0, 0] == 3.0
    assert layer.count_params() == 1


def test_gradients_reach_every_weight():
    layer, images = WeightedSum(), [tf.constant(image) for image in _images(1.0, 4.0)]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(images))
    gradient = tape.gradient(total, layer.trainable_variables[0].value)
    # Two pixels, sigmoid'(0) = 1/4.
    np.testing.assert_allclose(gradient, [0.5, 2.0])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_stays_half(policy):
    layer = WeightedSum(dtype=policy)
    outputs = layer(_images(1.0, 4.0))
    assert keras.backend.standardize_dtype(outputs.dtype) == policy.removeprefix("mixed_")
    assert layer.logits.dtype == "float32"


def test_it_is_known_to_keras():
    layer = WeightedSum(name="join")
    assert keras.saving.get_registered_object("nas_tf>WeightedSum") is WeightedSum
    assert WeightedSum.from_config(layer.get_config()).name == "join"
    assert layer.compute_output_shape([(None, 4, 4, 2)] * 3) == (None, 4, 4, 2)
