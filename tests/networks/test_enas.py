"""nas_tf/networks/enas.py: both forms against plain NumPy, structure, saving, bad input."""

import keras
import numpy as np
import pytest

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.networks import enas
from nas_tf.spaces.enas_costs import OPERATIONS
from nas_tf.networks.layer_table import layer_table
from tests.networks import numpy_layers as plain

# Every operation at both sides of a reduction; sources before and behind both reductions.
OPS = ("avg_pool_3x3", "sep_conv_3x3", "conv_5x5", "sep_conv_5x5", "conv_3x3", "max_pool_3x3")
SKIPS = ((), (1,), (0, 1), (0, 0, 1), (1, 0, 1, 0), (1, 1, 0, 0, 1))
SMALL = {"input_shape": (10, 12, 3), "num_classes": 5, "channels": 6}


@pytest.fixture(scope="module", params=["nni", "enas"])
def network(request):
    """Six layers, reductions after the second and the fourth, with fixed weights."""
    model = enas.build_network(OPS, SKIPS, form=request.param, **SMALL)
    return request.param, model, plain.fill(model)


class _Plain:
    """The network in plain NumPy."""

    def __init__(self, form, weights):
        self.form, self.weights = form, weights

    def logits(self, images):
        net = self.conv(images, "stem_conv")
        tensors = [self.norm(net, "stem_bn")]
        for number, (op, row) in enumerate(zip(OPS, SKIPS), 1):
            sources = [tensors[source] for source, read in enumerate(row) if read]
            layer = self.nni if self.form == "nni" else self.enas
            tensors.append(layer(tensors[-1], sources, op, f"layer{number}"))
            if number in (2, 4):
                tensors = [
                    self.reduced(tensor, f"reduction{number}", source)
                    for source, tensor in enumerate(tensors)
                ]
        features = tensors[-1].mean(axis=(1, 2))
        return features @ self.weights["logits/kernel"] + self.weights.get("logits/bias", 0.0)

    def nni(self, inputs, sources, op, name):
        net = plain.relu(self.norm(self.conv(inputs, f"{name}_in_conv"), f"{name}_in_bn"))
        net = self.norm(self.operation(net, op, f"{name}_{op}"), f"{name}_{op}_bn")
        net = net if "pool" in op else plain.relu(net)
        return self.norm(sum(sources, net), f"{name}_bn")

    def enas(self, inputs, sources, op, name):
        net = self.norm(self.conv(plain.relu(inputs), f"{name}_in_conv"), f"{name}_in_bn")
        if "pool" in op:
            net = self.operation(net, op, f"{name}_{op}")
        else:
            net = self.operation(plain.relu(net), op, f"{name}_{op}")
            net = self.norm(net, f"{name}_{op}_bn")
        if name == "layer1":
            return net
        net = plain.relu(np.concatenate([*sources, net], axis=-1))
        return self.norm(self.conv(net, f"{name}_out_conv"), f"{name}_out_bn")

    def reduced(self, tensor, name, source):
        name = name if self.form == "nni" else f"{name}_from{source}"
        if tensor is None or f"{name}_conv1/kernel" not in self.weights:
            return None  # no later layer reads it
        shifted = np.pad(tensor, ((0, 0), (0, 1), (0, 1), (0, 0)))[:, 1:, 1:]
        halves = [
            x[:, ::2, ::2] @ self.weights[f"{name}_conv{half}/kernel"][0, 0]
            for half, x in ((1, tensor), (2, shifted))
        ]
        return self.norm(np.concatenate(halves, axis=-1), f"{name}_bn")

    def operation(self, inputs, op, name):
        if "pool" in op:
            return {"avg": plain.mean_pool, "max": plain.max_pool}[op[:3]](inputs)
        if op.startswith("sep"):
            kernels = (self.weights[f"{name}/{part}_kernel"] for part in ("depthwise", "pointwise"))
            return plain.separable(inputs, *kernels)
        return self.conv(inputs, name)

    def conv(self, inputs, name):
        bias = self.weights.get(f"{name}/bias", 0.0)
        return plain.conv(inputs, self.weights[f"{name}/kernel"], bias=bias)

    def norm(self, inputs, name):
        return plain.batch_norm(inputs, self.weights, name)


EXPECTED = {
    "nni": [-62.96489, 84.11345, -19.89063, -122.38762, -113.08439],
    "enas": [-3.124043, -2.763205, 5.113138, 3.698256, 3.846874],
}


def test_the_network_computes_what_plain_numpy_does(network):
    form, model, weights = network
    images = plain.images(2, 10, 12, 3)
    logits = _Plain(form, weights).logits(images)
    np.testing.assert_allclose(model(images), logits, rtol=1e-4, atol=1e-4)
    # The numbers that PyTorch's layers gave as well.
    np.testing.assert_allclose(logits[0], EXPECTED[form], rtol=1e-4)


def test_a_saved_network_is_read_again(network, tmp_path):
    _, model, _ = network
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    images = plain.images(2, 10, 12, 3)
    np.testing.assert_array_equal(again(images), model(images))


def test_norms_and_biases_are_those_of_the_form(network):
    form, _, weights = network
    scaled = {path.split("/")[0] for path in weights if path.endswith("gamma")}
    biased = {path.split("/")[0] for path in weights if path.endswith("bias")}
    if form == "nni":
        assert scaled == {"stem_bn"}
        assert biased == {"layer3_conv_5x5", "layer5_conv_3x3", "logits"}
    else:
        assert {"stem_bn", "layer3_in_bn", "layer3_out_bn", "reduction2_from0_bn"} < scaled
        assert not biased and "layer1_out_bn" not in scaled


def test_images_are_halved_after_the_fourth_and_eighth_of_twelve_layers():
    ops, skips = OPERATIONS * 2, [[0] * layer for layer in range(12)]
    settings = {"input_shape": (32, 32, 3), "num_classes": 10}
    table = layer_table(enas.build_network(ops, skips, **settings))
    sides = {row.name: row.output for row in table.rows}
    assert [sides[f"layer{layer}_bn"] for layer in (1, 4, 5, 8, 9, 12)] == [
        (32, 32, 24), (32, 32, 24), (16, 16, 24), (16, 16, 24), (8, 8, 24), (8, 8, 24),
    ]
    own = layer_table(enas.build_network(ops, skips, form="enas", **settings))
    assert {row.name: row.output for row in own.rows}["layer12_out_bn"] == (8, 8, 96)


def test_one_reduction_serves_all_tensors_in_nni_s_form():
    skips = [[1] * layer for layer in range(6)]
    model = enas.build_network(OPS, skips, **SMALL)
    rows = {row.name: row for row in layer_table(model).rows}
    # Stem and two layers, then stem and four; 6 -> 3 channels on 5 x 6 and on 3 x 3 pixels.
    assert rows["reduction2_conv1"].multiply_adds == 3 * 6 * 3 * 30
    assert rows["reduction4_conv2"].multiply_adds == 5 * 6 * 3 * 9
    assert rows["reduction4_conv2"].parameters == 18


@pytest.mark.parametrize("form", ["nni", "enas"])
def test_it_trains_in_mixed_precision_on_tiny_grey_images(form):
    settings = {"input_shape": (8, 8, 1), "num_classes": 3, "channels": 4, "form": form}
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = enas.build_network(OPS[:3], SKIPS[:3], dropout=0.1, **settings)
    finally:
        keras.config.set_dtype_policy("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=True)
    before = model.get_layer("stem_conv").kernel.numpy()
    model.train_on_batch(plain.images(4, 8, 8, 1), np.array([0, 1, 2, 0]))
    assert np.abs(before - model.get_layer("stem_conv").kernel.numpy()).max() > 0


def test_codes_are_names(network):
    form, model, _ = network
    codes = [OPERATIONS.index(name) for name in OPS]
    again = enas.build_network(codes, SKIPS, form=form, **SMALL)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize(
    "ops, skips, message",
    [
        (("conv_7x7", *OPS[1:]), SKIPS, "operation 'conv_7x7'; expected one of conv_3x3, "),
        ((6, 0, 0), SKIPS[:3], "operation code 6, expected 0 to 5"),
        (OPS, SKIPS[:5], "6 operations, 5 skips"),
        (OPS[:2], SKIPS[:2], "2 layers, expected at least 3"),
        (OPS[:3], ((), (1,), (1,)), r"skips of layer 2: expected 2 of 0 and 1, got \(1,\)"),
        (OPS[:3], ((), (2,), (1, 0)), r"skips of layer 1: expected 1 of 0 and 1, got \(2,\)"),
        (OPS[:3], ((), (1, 1), (1, 0)), "skips of layer 1"),
    ],
)
def test_what_is_no_architecture_is_refused(ops, skips, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        enas.build_network(ops, skips, **SMALL)


def test_unknown_settings_are_refused():
    with pytest.raises(ConfigError, match="form='macro': expected one of nni, enas"):
        enas.build_network(OPS, SKIPS, **SMALL, form="macro")
    with pytest.raises(ConfigError, match="channels=25: expected an even number"):
        enas.build_network(OPS, SKIPS, **SMALL | {"channels": 25})
