"""nas_tf/layers/gcn.py."""

import keras
import numpy as np
import tensorflow as tf

from nas_tf.layers.gcn import DenseGCN, normalized

# A path of three nodes and a node alone.
PATH = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], np.float32)


def test_normalized_adjacency_by_hand():
    found = normalized(tf.constant(PATH[None]))[0]
    a, b = 1 / 2, 1 / np.sqrt(6)  # degrees with loops: 2, 3, 2, 1
    expected = [[a, b, 0, 0], [b, 1 / 3, b, 0], [0, b, a, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_equation_in_numpy():
    features = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    adjacency = np.stack([PATH, np.zeros_like(PATH)])
    layer = DenseGCN(5, seed=1)
    layer.build((features.shape, adjacency.shape))
    kernel, bias = layer.get_weights()
    assert kernel.shape == (3, 5) and not bias.any()
    layer.set_weights([kernel, np.arange(5) / 10])
    linear = features @ kernel + np.arange(5) / 10
    expected = np.maximum(normalized(tf.constant(adjacency)).numpy() @ linear, 0)
    np.testing.assert_allclose(layer((features, adjacency)), expected, atol=1e-5)
    np.testing.assert_allclose(expected[1], np.maximum(linear[1], 0), atol=1e-6)
    assert layer.compute_output_shape((features.shape, adjacency.shape)) == (2, 4, 5)


def test_its_config_makes_it_again():
    layer = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(DenseGCN(5, seed=7))
    )
    assert (layer.channels, layer.seed) == (5, 7)
