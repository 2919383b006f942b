"""nas_tf/layers/gin.py."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.layers.gin import DenseGIN, kernel_seeds


def _graph():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 4, 3)).astype(np.float32)
    adjacency = np.zeros((2, 4, 4), np.float32)
    adjacency[:, 0, 1] = adjacency[:, 1, 2] = adjacency[0, 1, 3] = 1
    return features, adjacency + adjacency.transpose(0, 2, 1)


def _built(**settings):
    layer = DenseGIN(5, seed=1, **settings)
    layer.build(((None, 4, 3), (None, 4, 4)))
    return layer


def test_equation_in_numpy():
    features, adjacency = _graph()
    layer = _built(mlp_depth=2)
    layer.eps.assign([0.5])
    expected = 1.5 * features + adjacency @ features
    for kernel in (weight for weight in layer.trainable_weights if weight.name == "kernel"):
        expected = expected @ kernel.numpy()
        mean, variance = expected.mean(axis=(0, 1)), expected.var(axis=(0, 1))
        expected = np.maximum((expected - mean) / np.sqrt(variance + 1e-5), 0)
    result = layer((features, adjacency), training=True)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_linear_then_batchnorm_then_relu():
    layer = _built(mlp_depth=2)
    kinds = [type(part).__name__ for part in layer.mlp.layers]
    assert kinds == ["Dense", "BatchNormalization", "ReLU"] * 2
    assert not any(weight.name == "bias" for weight in layer.weights)


def test_epsilon_is_trained_or_fixed():
    assert any(weight.name == "eps" for weight in _built().trainable_weights)
    fixed = _built(epsilon=0.25)
    assert fixed.eps == 0.25
    assert not any(weight.name == "eps" for weight in fixed.weights)


@pytest.mark.parametrize("start, alike", [(0.0, True), (3.0, False)])
def test_joined_nodes_with_the_same_neighbours_are_alike_where_epsilon_is_zero(start, alike):
    triangle = np.ones((1, 3, 3), np.float32) - np.eye(3, dtype=np.float32)
    features = np.eye(3, dtype=np.float32)[None]
    layer = DenseGIN(4, epsilon_start=start, seed=0)
    layer.build((features.shape, triangle.shape))
    first, second, _ = layer((features, triangle)).numpy()[0]
    assert np.allclose(first, second) == alike


def test_padding_positions_enter_the_statistics():
    features, adjacency = _graph()
    layer = _built(mlp_depth=1)
    alone = layer((features, adjacency), training=True).numpy()
    padded = layer((np.pad(features, ((0, 0), (0, 2), (0, 0))),
                    np.pad(adjacency, ((0, 0), (0, 2), (0, 2)))), training=True).numpy()
    assert np.abs(alone - padded[:, :4]).max() > 1e-3


def test_works_inside_a_subclassed_model_and_under_xla():
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.gin = DenseGIN(5, seed=0)

        def call(self, inputs, training=None):
            return self.gin(inputs, training=training)

    model = Model()
    inputs = tuple(map(tf.constant, _graph()))
    eager = model(inputs)
    compiled = tf.function(lambda *pair: model(pair), jit_compile=True)(*inputs)
    np.testing.assert_allclose(eager, compiled, atol=1e-6)
    assert len(model.trainable_weights) == 7


def test_save_and_load(tmp_path):
    features, adjacency = _graph()
    inputs = keras.Input((4, 3)), keras.Input((4, 4))
    model = keras.Model(inputs, DenseGIN(5, mlp_depth=3, epsilon=0.5)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model([features, adjacency]), loaded([features, adjacency]))
    assert loaded.layers[-1].get_config() == model.layers[-1].get_config()


def test_seed_decides_the_weights():
    first, second = _built(), _built()
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(set(kernel_seeds(0, 8))) == 8


def test_depth_must_be_positive():
    with pytest.raises(ValueError, match="received 0"):
        DenseGIN(5, mlp_depth=0)
