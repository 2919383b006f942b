"""nas_tf/networks/nasbench101.py: channels and parameters worked by hand, and published counts."""

import keras
import numpy as np
import pytest

from nas_tf.core import InvalidArchitectureError
from nas_tf.layers.slicing import FirstChannels
from nas_tf.networks.nasbench101 import build_network, vertex_channels
from nas_tf.spaces.nasbench101 import (
    CONV1X1,
    CONV3X3,
    INPUT,
    MAXPOOL3X3,
    OUTPUT,
    NasBench101Space,
)
from tests import numpy_networks as plain

EDGE = [[0, 1], [0, 0]]
CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


@pytest.fixture(autouse=True)
def _clear():
    yield
    keras.backend.clear_session()


def _matrix(size, *edges):
    matrix = np.zeros((size, size), int)
    for source, target in edges:
        matrix[source, target] = 1
    return matrix


def _build(matrix, ops, **settings):
    small = {"input_shape": (8, 8, 1), "num_classes": 3, "stem_channels": 4, "num_stacks": 1,
             "cells_per_stack": 1}
    return build_network(np.array(matrix), ops, **small | settings)


def _parameters(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


# Channels.


@pytest.mark.parametrize(
    "matrix, inputs, outputs, expected",
    [
        (EDGE, 16, 32, [16, 32]),
        (CHAIN, 16, 32, [16, 32, 32]),
        # Three vertices share 16 channels; the first one takes what is left over.
        (_matrix(5, (0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)), 8, 16, [8, 6, 5, 5, 16]),
        # 17 = 6 + 6 + 5.
        (_matrix(5, (0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)), 8, 17, [8, 6, 6, 5, 17]),
        # The edge from input to output has no part in the division.
        (_matrix(4, (0, 1), (0, 2), (0, 3), (1, 3), (2, 3)), 8, 9, [8, 5, 4, 9]),
        # Vertex 1 feeds 2 and 3 (5 and 4 channels): it has as many as the wider.
        (_matrix(5, (0, 1), (1, 2), (1, 3), (2, 4), (3, 4)), 8, 9, [8, 5, 5, 4, 9]),
        # Vertex 1 feeds the output too, which alone decides: 9 = 3 + 3 + 3.
        (_matrix(5, (0, 1), (1, 2), (1, 3), (1, 4), (2, 4), (3, 4)), 8, 9, [8, 3, 3, 3, 9]),
        # A chain before the last vertex is as wide as that.
        (_matrix(5, (0, 1), (1, 2), (2, 3), (3, 4)), 8, 9, [8, 9, 9, 9, 9]),
        # Vertex 2 feeds vertex 3 alone; vertex 1 feeds vertex 2 and the output.
        (_matrix(5, (0, 1), (1, 2), (2, 3), (1, 4), (3, 4)), 8, 9, [8, 5, 4, 4, 9]),
    ],
)
def test_channels_by_hand(matrix, inputs, outputs, expected):
    assert vertex_channels(np.array(matrix), inputs, outputs) == expected


def test_channels_of_the_official_example(inception):
    matrix, _ = inception
    assert vertex_channels(np.array(matrix), 128, 128) == [128, 32, 32, 32, 32, 32, 128]


def test_channels_never_grow_on_the_way_and_add_up_at_the_output():
    cells = NasBench101Space().random_cells(np.random.default_rng(0), (300,))
    for index in range(len(cells)):
        matrix, _ = cells.matrix(index)
        channels = vertex_channels(matrix, 7, 31)
        inner = matrix[1:-1, 1:-1]
        for source, target in np.argwhere(inner):
            assert channels[source + 1] >= channels[target + 1] > 0
            assert channels[source + 1] - channels[target + 1] <= 1  # what is cut off, if anything
        if matrix[1:-1, -1].any():
            assert sum(np.array(channels)[1:-1][matrix[1:-1, -1] > 0]) == 31


def test_too_few_channels():
    wide = _matrix(5, (0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4))
    with pytest.raises(InvalidArchitectureError, match="3 vertices feed an output of 2 channels"):
        vertex_channels(wide, 8, 2)
    with pytest.raises(InvalidArchitectureError):
        _build(wide, [INPUT, CONV1X1, CONV1X1, CONV1X1, OUTPUT], stem_channels=2)


# Parameters.


@pytest.mark.parametrize(
    "matrix, ops, settings, expected",
    [
        # Stem 9*1*4 + 2*4 = 44, dense 4*3 + 3 = 15; a projection from 4 to 4 is 16 + 8 = 24.
        (EDGE, [INPUT, OUTPUT], {}, 44 + 24 + 15),
        (CHAIN, [INPUT, CONV1X1, OUTPUT], {}, 44 + 24 + (16 + 8) + 15),
        (CHAIN, [INPUT, CONV3X3, OUTPUT], {}, 44 + 24 + (144 + 8) + 15),
        (CHAIN, [INPUT, MAXPOOL3X3, OUTPUT], {}, 44 + 24 + 15),
        # A second cell of a stack is as large as the first.
        (EDGE, [INPUT, OUTPUT], {"cells_per_stack": 3}, 44 + 3 * 24 + 15),
        # A second stack doubles the channels: projection 4*8 + 16, 3x3 9*8*8 + 16, dense 8*3 + 3.
        (CHAIN, [INPUT, CONV3X3, OUTPUT], {"num_stacks": 2},
         44 + 24 + (144 + 8) + (32 + 16) + (576 + 16) + 27),
        # 4 = 2 + 1 + 1 channels; the input is projected to each and, for its own edge, to 4.
        (_matrix(5, (0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (0, 4)),
         [INPUT, CONV1X1, CONV3X3, MAXPOOL3X3, OUTPUT], {},
         44 + (8 + 4) + (4 + 4) + (4 + 2) + (9 + 2) + (4 + 2) + 24 + 15),
        # Vertex 1 has 3 channels of 5; the 3x3 of vertex 3 sees the 2 it shares with vertex 2.
        (_matrix(5, (0, 1), (1, 2), (1, 3), (2, 4), (3, 4)),
         [INPUT, CONV1X1, CONV1X1, CONV3X3, OUTPUT], {"stem_channels": 5},
         (45 + 10) + (15 + 6) + (9 + 6) + (9 + 6) + (36 + 4) + 18),
    ],
)
def test_parameters_by_hand(matrix, ops, settings, expected):
    assert _parameters(_build(matrix, ops, **settings)) == expected


def test_published_parameters(inception):
    # The Inception-like cell of the official README; the count is in the official notebook.
    assert _cifar10_parameters(*inception) == 2_694_282


def _cifar10_parameters(matrix, ops):
    model = build_network(np.array(matrix), ops, input_shape=(32, 32, 3), num_classes=10)
    assert model.output_shape == (None, 10)
    return _parameters(model)


# Networks.


def test_every_small_cell_builds():
    cells = NasBench101Space(max_vertices=4).enumerate_cells()
    images = np.random.default_rng(0).random((2, 4, 4, 1), dtype=np.float32)
    counts = []
    for index in range(len(cells)):
        model = _build(*cells.matrix(index), input_shape=(4, 4, 1), stem_channels=5)
        assert model.output_shape == (None, 3)
        counts.append(_parameters(model))
        if index % 15 == 14:
            assert np.isfinite(model(images, training=True)).all()
    assert len(counts) == 91 and counts[0] == (45 + 10) + (25 + 10) + 18
    # The least: vertex 1 pools 3 channels for vertex 2, which pools 2 of them; 5 = 3 + 2.
    assert min(counts) == (45 + 10) + (15 + 6) + 18


def test_images_are_halved_between_stacks():
    model = _build(EDGE, [INPUT, OUTPUT], num_stacks=3)
    pooled = model.get_layer("logits_pool")
    assert tuple(pooled.input.shape) == (None, 2, 2, 16)
    odd = _build(EDGE, [INPUT, OUTPUT], num_stacks=2, input_shape=(5, 7, 2))
    pooled = odd.get_layer("logits_pool")
    assert tuple(pooled.input.shape) == (None, 3, 4, 8)


def _block(x, weights, name):
    net = plain.conv(x, *weights[f"{name}_conv"])
    return plain.relu(plain.batch_norm(net, weights[f"{name}_bn"]))


def test_a_network_equals_plain_numpy():
    """Two stacks of a cell that cuts channels (3 to 2), projects, joins and adds."""
    matrix = _matrix(6, (0, 1), (0, 3), (0, 5), (1, 2), (1, 3), (2, 5), (3, 4), (4, 5))
    model = _build(matrix, [INPUT, CONV3X3, CONV1X1, MAXPOOL3X3, CONV3X3, OUTPUT],
                   stem_channels=5, num_stacks=2)
    weights, x = plain.randomize(model), plain.images((2, 8, 8, 1))
    net = _block(x, weights, "stem")
    for cell in ("stack1_cell1", "stack2_cell1"):
        if cell == "stack2_cell1":
            net = plain.windows(net, 2, 2, 0, 0.0).max(axis=(3, 4))
        projected = _block(net, weights, f"{cell}_vertex1_projection")
        one = _block(projected, weights, f"{cell}_vertex1_3x3")
        two = _block(one, weights, f"{cell}_vertex2_1x1")
        narrow = _block(net, weights, f"{cell}_vertex3_projection")
        three = plain.max_pool(one[..., : narrow.shape[-1]] + narrow)
        four = _block(three, weights, f"{cell}_vertex4_3x3")
        net = np.concatenate([two, four], axis=-1) + _block(net, weights, f"{cell}_projection")
    cuts = [layer.channels for layer in model.layers if isinstance(layer, FirstChannels)]
    assert net.shape == (2, 4, 4, 10) and cuts == [2]  # 5 = 3 + 2, 10 = 5 + 5
    expected = plain.classify(net, weights)
    np.testing.assert_allclose(model(x, training=False), expected, rtol=1e-4, atol=1e-4)


def test_one_cell_computed_by_hand():
    """Images of one pixel: a 3x3 has its centre alone, max-pool does nothing.

    Vertex 1 (1x1) feeds 2 (max-pool) and the output; the input feeds 1, 2 and the output.
    """
    matrix = _matrix(4, (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    model = _build(matrix, [INPUT, CONV1X1, MAXPOOL3X3, OUTPUT], input_shape=(1, 1, 1),
                   stem_channels=3, num_classes=2)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    kernels = {layer.name: layer for layer in model.layers if layer.weights}
    stem, *rest = [layer for layer in kernels.values() if isinstance(layer, keras.layers.Conv2D)]
    norms = [layer for layer in kernels.values()
             if isinstance(layer, keras.layers.BatchNormalization)]
    assert [layer.filters for layer in rest] == [2, 2, 1, 3]  # 3 = 2 + 1 channels

    def block(values, convolution, norm):
        kernel = convolution.kernel.numpy()
        kernel = kernel[kernel.shape[0] // 2, kernel.shape[1] // 2]
        scaled = values @ kernel / np.sqrt(1 + norm.epsilon)
        return np.maximum(scaled * norm.gamma.numpy() + norm.beta.numpy(), 0)

    image = np.array([[1.5]])
    net = block(image, stem, norms[0])
    first = block(block(net, rest[0], norms[1]), rest[1], norms[2])
    second = first[:, :1] + block(net, rest[2], norms[3])
    outputs = np.concatenate([first, second], axis=1) + block(net, rest[3], norms[4])
    dense = model.layers[-1]
    expected = outputs @ dense.kernel.numpy() + dense.bias.numpy()
    assert np.count_nonzero(outputs) >= 2
    found = model(image.reshape(1, 1, 1, 1).astype(np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op", [INPUT, OUTPUT, 7, -1])
def test_unknown_operations(op):
    with pytest.raises(InvalidArchitectureError, match=f"operation code {op} is no interior"):
        _build(CHAIN, [INPUT, op, OUTPUT])


def test_networks_can_be_saved(tmp_path):
    matrix = _matrix(5, (0, 1), (1, 2), (1, 3), (2, 4), (3, 4))
    model = _build(matrix, [INPUT, CONV1X1, CONV3X3, MAXPOOL3X3, OUTPUT], stem_channels=5)
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    images = np.random.default_rng(0).random((2, 8, 8, 1), dtype=np.float32)
    np.testing.assert_array_equal(loaded(images), model(images))
