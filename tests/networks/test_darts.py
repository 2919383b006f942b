"""nas_tf/networks/darts.py: published counts, a whole network in plain NumPy, odd architectures."""

import keras
import numpy as np
import pytest

import nas_tf.layers as registered
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.layers.drop_path import DropPath
from nas_tf.networks import darts
from nas_tf.spaces import darts_costs
from tests import numpy_networks as plain

# Liu et al., 2019: DARTS_V2, found with the second-order approximation.
NORMAL = [("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1),
          ("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)]
REDUCE = [("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1),
          ("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)]
# Every operation, strided and not, 'none' beside others and in pairs.
MIXED_NORMAL = [("none", 0), ("dil_conv_5x5", 1), ("sep_conv_5x5", 2), ("avg_pool_3x3", 1),
                ("max_pool_3x3", 3), ("none", 2), ("none", 1), ("none", 4)]
MIXED_REDUCE = [("dil_conv_5x5", 0), ("avg_pool_3x3", 1), ("sep_conv_5x5", 0), ("skip_connect", 1),
                ("dil_conv_3x3", 1), ("none", 0), ("sep_conv_3x3", 1), ("dil_conv_5x5", 4)]
SMALL = {"input_shape": (8, 8, 3), "num_classes": 3, "channels": 4, "cells": 3}


def _auxiliary(model) -> int:
    return sum(
        int(np.prod(weight.shape))
        for layer in model.layers
        for weight in layer.trainable_weights
        if layer.name.startswith("auxiliary")
    )


# Counts.


@pytest.mark.parametrize(
    "setting, side, num_classes, bare, whole, multiply_adds",
    [
        ("cifar", 32, 10, 3_349_342, 3_825_768, 528_359_040),
        ("imagenet", 224, 1000, 4_718_752, 5_979_528, 529_911_552),
    ],
)
def test_published_counts(setting, side, num_classes, bare, whole, multiply_adds):
    shape = {"input_shape": (side, side, 3), "num_classes": num_classes, "setting": setting}
    assert darts_costs.cost_of(NORMAL, REDUCE, **shape) == (bare, multiply_adds)
    assert darts_costs.cost_of(NORMAL, REDUCE, auxiliary=True, **shape).parameters == whole
    model = darts.build_network(NORMAL, REDUCE, auxiliary=True, **shape)
    assert plain.counts(model)[0] == whole and whole - _auxiliary(model) == bare
    assert model.output_shape == [(None, num_classes)] * 2


# Against plain NumPy.


def _operation(op, x, weights, stride, name):
    if op == "none":
        return 0 * x[:, ::stride, ::stride]
    if op == "skip_connect":
        return x if stride == 1 else plain.factorized_reduction(x, weights, name)
    if op.endswith("pool_3x3"):
        return (plain.max_pool if op.startswith("max") else plain.average_pool)(x, stride)
    if op.startswith("dil"):
        net = plain.separable(plain.relu(x), *weights[f"{name}_conv"], stride, 2)
        return plain.batch_norm(net, weights[f"{name}_bn"])
    for number, step in ((1, stride), (2, 1)):
        net = plain.separable(plain.relu(x), *weights[f"{name}_conv{number}"], step)
        x = plain.batch_norm(net, weights[f"{name}_bn{number}"])
    return x


def _network(x, weights, normal, reduce):
    """Three cells of which the last two halve the image."""
    net = plain.batch_norm(plain.conv(x, *weights["stem_conv"]), weights["stem_bn"])
    before, previous = net, net
    for number, edges in ((1, normal), (2, reduce), (3, reduce)):
        name = f"cell{number}"
        preprocess = plain.factorized_reduction if number == 3 else plain.relu_conv_bn
        nodes = [preprocess(before, weights, f"{name}_input1"),
                 plain.relu_conv_bn(previous, weights, f"{name}_input2")]
        for slot in range(0, 8, 2):
            nodes.append(sum(
                _operation(op, nodes[source], weights, 2 if number > 1 and source < 2 else 1,
                           f"{name}_node{slot // 2 + 1}_{side}_{op}")
                for side, (op, source) in zip("ab", edges[slot : slot + 2])
            ))
        before, previous = previous, np.concatenate(nodes[2:], axis=-1)
    return previous, plain.classify(previous, weights)


@pytest.fixture(scope="module", params=[(NORMAL, REDUCE), (MIXED_NORMAL, MIXED_REDUCE)])
def network(request):
    model = darts.build_network(*request.param, drop_path=0.3, auxiliary=True, **SMALL)
    return request.param, model, plain.randomize(model)


def test_a_network_equals_plain_numpy(network):
    pair, model, weights = network
    x = plain.images((2, 8, 8, 3))
    cell, logits = _network(x, weights, *pair)
    assert cell.shape == (2, 2, 2, 64)
    found, auxiliary = model(x, training=False)
    np.testing.assert_allclose(found, logits, rtol=1e-4, atol=1e-4)
    # The auxiliary head: no pool, for the image is small; 2x2 pixels become one.
    net = plain.conv(plain.relu(cell), *weights["auxiliary_conv1"])
    net = plain.relu(plain.batch_norm(net, weights["auxiliary_bn1"]))
    net = plain.conv(net, *weights["auxiliary_conv2"], padding=0)
    net = plain.relu(plain.batch_norm(net, weights["auxiliary_bn2"]))
    expected = plain.classify(net, weights, "auxiliary_logits")
    np.testing.assert_allclose(auxiliary, expected, rtol=1e-4, atol=1e-4)


def test_paths_are_dropped_but_identities(network):
    (normal, reduce), model, _ = network
    dropped = {layer.name for layer in model.layers if isinstance(layer, DropPath)}
    expected = {
        f"cell{number}_node{slot // 2 + 1}_{'ab'[slot % 2]}_{op}_drop_path"
        for number, edges in ((1, normal), (2, reduce), (3, reduce))
        for slot, (op, source) in enumerate(edges)
        if op != "none" and (op != "skip_connect" or (number > 1 and source < 2))
    }
    assert dropped == expected
    x = plain.images((2, 8, 8, 3))
    logits = model(x, training=True)[0]
    assert np.isfinite(logits).all() and np.ptp(logits) > 0


def test_saving_and_loading(network, tmp_path):
    model, x = network[1], plain.images((2, 8, 8, 3))
    model.save(tmp_path / "model.keras")
    assert registered  # all layers are known
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one, other in zip(loaded(x), model(x), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_strided_stem():
    """Against the same in NumPy: 32 x 32 pixels become 8 x 8 and 4 x 4."""
    model = darts.build_network(NORMAL, REDUCE, input_shape=(32, 32, 3), num_classes=3, channels=4,
                                cells=1, setting="imagenet")
    weights, x = plain.randomize(model), plain.images((1, 32, 32, 3))
    net = plain.conv(x, *weights["stem1_conv"], stride=2)
    net = plain.batch_norm(net, weights["stem1_bn"])
    first = plain.relu_conv_bn(net, weights, "stem2", stride=2)
    second = plain.relu_conv_bn(first, weights, "stem3", stride=2)
    outputs = [model.get_layer(name).output for name in ("stem2_bn", "stem3_bn", "cell1_input1_bn")]
    found = keras.Model(model.input, outputs)(x)
    assert found[2].shape == (1, 4, 4, 8)  # the first input is halved to the second's size
    expected = [first, second, plain.factorized_reduction(first, weights, "cell1_input1")]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_cells_of_nothing_but_zeros():
    zeros = [("none", 0), ("none", 1)] * 4
    model = darts.build_network(zeros, zeros, **SMALL)
    weights = plain.randomize(model)
    found = model(plain.images((2, 8, 8, 3)), training=False)
    np.testing.assert_allclose(found, np.tile(weights["logits"][1], (2, 1)), rtol=1e-6)
    shape = {name: SMALL[name] for name in SMALL}
    assert plain.counts(model) == darts_costs.cost_of(zeros, zeros, **shape)


@pytest.mark.parametrize(
    "normal, message",
    [
        (NORMAL[:-1], "normal: 7 edges; expected 8"),
        ([("conv", 0), *NORMAL[1:]], "normal, edge 0: 'conv': expected none, max_pool_3x3, "),
        ([*NORMAL[:3], ("none", 3), *NORMAL[4:]], "normal, edge 3: source 3: expected 0 to 2"),
    ],
)
def test_what_is_no_cell(normal, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        darts.build_network(normal, REDUCE, **SMALL)


def test_an_unknown_setting():
    with pytest.raises(ConfigError, match="setting='large': expected 'cifar' or 'imagenet'"):
        darts.build_network(NORMAL, REDUCE, setting="large", **SMALL)
