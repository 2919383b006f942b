"""nas_tf/networks/randwire.py: structure, and the numbers that a plain NumPy network computes."""

import keras
import numpy as np
import pytest

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.networks import randwire
from nas_tf.spaces import randwire_costs
from nas_tf.networks.layer_table import layer_table
from tests.networks import numpy_layers as plain

# Nodes 0 and 2 take the stage's input; node 3 adds these two; nodes 1 and 3 are averaged.
GRAPH = np.array([[0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
CHAIN = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
SMALL = {"input_shape": (16, 16, 3), "num_classes": 5, "channels": 4}


@pytest.fixture(scope="module")
def network():
    """Three graphs around 4, 8 and 16 channels, with fixed weights."""
    model = randwire.build_network([GRAPH, CHAIN, GRAPH], **SMALL)
    return model, plain.fill(model, gain=2.0)


def _stage(weights, inputs, graph, name):
    """One stage in plain NumPy."""
    outputs = []
    for node in range(len(graph)):
        sources = [outputs[source] for source in range(node) if graph[source, node]]
        stride, sources = (1, sources) if sources else (2, [inputs])
        logits = weights[f"{name}_node{node}_sum/logits"]
        net = sum(x / (1 + np.exp(-logit)) for x, logit in zip(sources, logits, strict=True))
        conv = f"{name}_node{node}_conv"
        net = plain.separable(
            plain.relu(net), weights[f"{conv}/depthwise_kernel"],
            weights[f"{conv}/pointwise_kernel"], stride,
        )
        outputs.append(plain.batch_norm(net, weights, f"{name}_node{node}_bn"))
    return np.mean([outputs[node] for node in range(len(graph)) if not graph[node].any()], axis=0)


def test_the_network_computes_what_plain_numpy_does(network):
    model, weights = network
    images = plain.images(2, 16, 16, 3)
    net = plain.conv(images, weights["stem1_conv/kernel"], 2)
    net = plain.relu(plain.batch_norm(net, weights, "stem1_bn"))
    kernels = weights["stem2_conv/depthwise_kernel"], weights["stem2_conv/pointwise_kernel"]
    net = plain.batch_norm(plain.separable(net, *kernels, 2), weights, "stem2_bn")
    for number, graph in enumerate((GRAPH, CHAIN, GRAPH), 1):
        net = _stage(weights, net, graph, f"stage{number}")
    net = plain.conv(plain.relu(net), weights["head_conv/kernel"])
    net = plain.batch_norm(net, weights, "head_bn").mean(axis=(1, 2))
    logits = net @ weights["logits/kernel"] + weights["logits/bias"]
    np.testing.assert_allclose(model(images), logits, rtol=1e-4, atol=1e-3)
    # The numbers that PyTorch's layers gave as well.
    expected = [2.05724, -92.20491, -19.03599, -42.90377, 36.92609]
    np.testing.assert_allclose(logits[0], expected, atol=1e-4)


def test_strides_stand_at_entry_nodes(network):
    model, _ = network
    # 16 -> 8 -> 4 in the stem, then a half in each stage, rounded up.
    shapes = {row.name: row.output for row in layer_table(model).rows}
    assert shapes["stem2_bn"] == (4, 4, 4)
    assert {shapes[f"stage1_node{node}_bn"] for node in range(4)} == {(2, 2, 4)}
    assert shapes["stage2_node3_bn"] == (1, 1, 8)
    assert shapes["stage3_mean"] == (1, 1, 16)
    padded = {name for name in shapes if name.endswith("padding")}
    assert padded == {
        "stem1_conv_padding", "stem2_conv_padding", "stage1_node0_conv_padding",
        "stage1_node2_conv_padding", "stage2_node0_conv_padding", "stage3_node0_conv_padding",
        "stage3_node2_conv_padding",
    }


def test_the_large_network_has_two_stages_of_one_size():
    model = randwire.build_network(
        [CHAIN], input_shape=(64, 64, 1), num_classes=2, setting="large", channels=12
    )
    rows = {row.name: row for row in layer_table(model).rows}
    outputs = [rows[f"stage{stage}_node3_bn"].output for stage in (1, 2, 3, 4)]
    # 192, 288, 384 and 586 channels, each a sixteenth.
    assert outputs == [(8, 8, 12), (4, 4, 18), (4, 4, 24), (2, 2, 37)]
    assert rows["stem2_bn"].output == (16, 16, 6)


def test_a_saved_network_is_read_again(network, tmp_path):
    model, _ = network
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    images = plain.images(2, 16, 16, 3)
    np.testing.assert_array_equal(again(images), model(images))


def test_it_trains_in_mixed_precision_on_tiny_grey_images():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = randwire.build_network(
            [GRAPH], input_shape=(8, 8, 1), num_classes=3, channels=4, dropout=0.2
        )
    finally:
        keras.config.set_dtype_policy("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=True)
    before = model.get_layer("stage1_node3_sum").logits.numpy()
    model.train_on_batch(plain.images(4, 8, 8, 1), np.array([0, 1, 2, 0]))
    assert model.outputs[0].dtype == "float32"
    assert np.ptp(before) == 0 and np.ptp(model.get_layer("stage1_node3_sum").logits.numpy()) > 0


@pytest.mark.parametrize(
    "graphs, message",
    [
        (np.ones((1, 3, 3)), "strictly upper triangular"),
        (np.triu(np.full((1, 3, 3), 2), 1), "of 0 and 1"),
        (np.zeros((2, 3, 3)), r"expected 1 or 3 adjacency matrices \[N, N\], got shape"),
        (np.zeros((1, 0, 0)), "a graph without nodes"),
    ],
)
def test_what_is_no_graph_is_refused(graphs, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        randwire.build_network(graphs, **SMALL)


def test_unknown_settings_are_refused():
    with pytest.raises(ConfigError, match="setting='huge'"):
        randwire.build_network([GRAPH], **SMALL, setting="huge")
    with pytest.raises(ConfigError, match="channels=1"):
        randwire_costs.plan("base", 1)
