"""nas_tf/networks/nasbench201.py: counts worked by hand, a whole network in plain NumPy."""

import keras
import numpy as np
import pytest

import nas_tf.layers as registered
from nas_tf.core import InvalidArchitectureError
from nas_tf.networks.nasbench201 import build_network
from nas_tf.spaces.nasbench201 import EDGE_OPS, EDGES
from tests import numpy_networks as plain

FIVE = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect", "none", "nor_conv_3x3")
SMALL = {"input_shape": (8, 8, 3), "num_classes": 3, "channels": 4, "cells": 1}


def _ops(text):
    return [op.split("~")[0] for op in text.replace("+", "").split("|") if op]


def test_published_counts():
    """|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|... on CIFAR-10."""
    stem = 9 * 3 * 16 + 2 * 16  # a convolution and its batch norm
    blocks = [  # two 3x3 and the 1x1 of the shortcut, which has no batch norm
        9 * 16 * 32 + 2 * 32 + 9 * 32 * 32 + 2 * 32 + 16 * 32,
        9 * 32 * 64 + 2 * 64 + 9 * 64 * 64 + 2 * 64 + 32 * 64,
    ]
    head = 2 * 64 + 64 * 10 + 10
    skips = stem + sum(blocks) + head
    assert (stem, blocks, head, skips) == (464, [14_464, 57_600], 778, 73_306)
    convolutions = [9 * width * width + 2 * width for width in (16, 32, 64)]
    assert convolutions == [2_336, 9_280, 36_992]
    expected = skips + 5 * 5 * sum(convolutions)  # five of them in each of five cells
    assert expected == 1_288_506
    text = ("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|"
            "+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|")
    for ops, parameters in ((_ops(text), expected), (["skip_connect"] * 6, skips)):
        model = build_network(ops, input_shape=(32, 32, 3), num_classes=10)
        assert plain.counts(model)[0] == parameters


# Against plain NumPy.


def _edge(op, x, weights, name):
    if op == "none":
        return 0 * x
    if op == "skip_connect":
        return x
    return plain.average_pool(x) if op == "avg_pool_3x3" else plain.relu_conv_bn(x, weights, name)


def _cell(x, weights, ops, stack):
    nodes = [x]
    for node in (1, 2, 3):
        nodes.append(sum(
            _edge(op, nodes[source], weights, f"stack{stack}_cell1_edge{node}{source}_{op}")
            for op, (source, target) in zip(ops, EDGES)
            if target == node
        ))
    return nodes[3]


def _network(x, weights, ops):
    net = plain.batch_norm(plain.conv(x, *weights["stem_conv"]), weights["stem_bn"])
    for stack in (1, 2, 3):
        if stack > 1:
            name = f"reduction{stack - 1}"
            main = plain.relu_conv_bn(net, weights, f"{name}_a", stride=2)
            main = plain.relu_conv_bn(main, weights, f"{name}_b")
            means = plain.windows(net, 2, 2, 0, 0.0).mean(axis=(3, 4))
            net = main + plain.conv(means, *weights[f"{name}_shortcut"])
        net = _cell(net, weights, ops, stack)
    return plain.classify(plain.relu(plain.batch_norm(net, weights["last_bn"])), weights)


@pytest.mark.parametrize(
    "ops",
    [
        FIVE,
        # Nothing enters node 2, and nothing leaves node 1.
        ("nor_conv_1x1", "none", "none", "avg_pool_3x3", "none", "nor_conv_3x3"),
        ("none",) * 6,
    ],
)
def test_a_network_equals_plain_numpy(ops):
    model = build_network(ops, **SMALL)
    weights, x = plain.randomize(model), plain.images((2, 8, 8, 3))
    found = model(x, training=False)
    np.testing.assert_allclose(found, _network(x, weights, ops), rtol=1e-4, atol=1e-4)


def test_dead_operations_are_there_too():
    """The released network has them, and its published parameters count them."""
    ops = ["nor_conv_3x3", "skip_connect", "none", "skip_connect", "none", "nor_conv_1x1"]
    model = build_network(ops, **SMALL)
    convolutions = [layer.name for layer in model.layers if layer.name.endswith("_conv")]
    assert [name for name in convolutions if name.startswith("stack1")] == [
        "stack1_cell1_edge10_nor_conv_3x3_conv", "stack1_cell1_edge32_nor_conv_1x1_conv"
    ]
    zeros = [layer.name for layer in model.layers if layer.name.endswith("_none")]
    assert zeros == [f"stack{stack}_cell1_edge31_none" for stack in (1, 2, 3)]


def test_odd_images():
    model = build_network(FIVE, **SMALL | {"input_shape": (7, 5, 1)})
    assert model.get_layer("last_relu").output.shape == (None, 2, 2, 16)
    assert np.isfinite(model(plain.images((2, 7, 5, 1)), training=True)).all()


def test_saving_and_loading(tmp_path):
    model, x = build_network(FIVE, **SMALL), plain.images((2, 8, 8, 3))
    plain.randomize(model)
    model.save(tmp_path / "model.keras")
    assert registered  # all layers are known
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(x), model(x))


@pytest.mark.parametrize(
    "ops, message",
    [
        (FIVE[:5], "5 operations: expected 6"),
        (("conv", *FIVE[1:]), f"operation 'conv': expected {', '.join(EDGE_OPS)}"),
    ],
)
def test_what_is_no_cell(ops, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        build_network(ops, **SMALL)
