"""nas_tf/networks/macro.py: against plain NumPy, costs of built models, structure, bad input."""

import keras
import numpy as np
import pytest

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.networks import layer_table, macro
from nas_tf.spaces import macro_costs
from nas_tf.spaces.macro import MacroSpace
from tests.networks import numpy_layers as plain

# Both blocks with and without a stride, identities of both sorts, an odd side.
KINDS = (1, 2, 0, 1, 0, 2, 0, 1)
SMALL = {"input_shape": (10, 13, 3), "num_classes": 5, "channels": 4}


@pytest.fixture(scope="module")
def network():
    model = macro.build_network(KINDS, **SMALL)
    return model, plain.fill(model)


def _logits(images, weights):
    """The network in plain NumPy."""
    def conv(net, name, stride=1, after=plain.relu):
        net = plain.conv(net, weights[f"{name}_conv/kernel"], stride=stride)
        return after(plain.batch_norm(net, weights, f"{name}_bn"))

    def as_it_is(net):
        return net

    def block(net, name, stride):
        wide = conv(net, f"{name}_expand")
        kernel = weights[f"{name}_depthwise_conv/kernel"]
        seen = plain.windows(wide, len(kernel), stride, len(kernel) // 2)
        wide = np.einsum("bhwijc,ijcm->bhwc", seen, kernel)
        wide = plain.relu(plain.batch_norm(wide, weights, f"{name}_depthwise_bn"))
        out = conv(wide, f"{name}_project", after=as_it_is)
        return net + out if stride == 1 else out

    net = conv(images, "stem")
    for name, stride in (("stage1_block1", 2), ("stage1_block2", 1)):
        net = block(net, name, stride)
    net = conv(net, "stage2_block1", stride=2, after=as_it_is)
    for name, stride in (("stage2_block2", 1), ("stage3_block1", 2), ("stage3_block3", 1)):
        net = block(net, name, stride)
    net = conv(net, "head").mean(axis=(1, 2))
    return net @ weights["logits/kernel"] + weights["logits/bias"]


def test_the_network_computes_what_plain_numpy_does(network):
    model, weights = network
    images = plain.images(2, 10, 13, 3)
    logits = _logits(images, weights)
    assert logits.std() > 0.1
    np.testing.assert_allclose(model(images), logits, rtol=1e-4, atol=1e-4)


def test_identities_inside_a_stage_are_not_built(network):
    names = {layer.name for layer in network[0].layers}
    assert "stage2_block1_conv" in names and "stage2_block1_relu" not in names
    assert not [name for name in names if name.startswith(("stage2_block3", "stage3_block2"))]
    assert {"stage1_block2_add", "stage2_block2_add", "stage3_block3_add"} <= names
    assert not {"stage1_block1_add", "stage3_block1_add"} & names


def test_costs_of_built_networks():
    """Twenty networks of the space as the benchmark trained them, the smallest and largest too."""
    space = MacroSpace()
    cells = space.enumerate_cells()[np.linspace(0, 3968, 20).astype(int)]
    cost = space.costs(cells)
    assert cost.parameters.min() == 387_882 and cost.parameters.max() == 2_932_586
    for index, one in enumerate(space.architectures(cells)):
        with keras.StatelessScope(initialize_variables=False):  # counts alone are wanted
            model = macro.build_network(one.layers, input_shape=(32, 32, 3), num_classes=10)
        table = layer_table.layer_table(model)
        assert table.parameters == cost.parameters[index], one.text()
        assert table.multiply_adds == cost.multiply_adds[index], one.text()


def test_costs_of_other_images_and_channels():
    layers = np.array([KINDS])
    settings = {"input_shape": (10, 13, 1), "num_classes": 3, "channels": 6}
    table = layer_table.layer_table(macro.build_network(KINDS, **settings))
    assert macro_costs.parameters(layers, **settings).tolist() == [table.parameters]
    assert macro_costs.multiply_adds(layers, **settings).tolist() == [table.multiply_adds]


def test_sides_and_channels():
    model = macro.build_network((0,) * 8, input_shape=(32, 32, 3), num_classes=10)
    sides = {row.name: row.output for row in layer_table.layer_table(model).rows}
    assert [sides[name] for name in (
        "stem_relu", "stage1_block1_bn", "stage2_block1_bn", "stage3_block1_bn", "head_relu",
    )] == [(32, 32, 32), (16, 16, 64), (8, 8, 128), (4, 4, 256), (4, 4, 1280)]


def test_a_saved_network_is_read_again(network, tmp_path):
    model, _ = network
    model.save(tmp_path / "model.keras")
    images = plain.images(2, 10, 13, 3)
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(images), model(images))


@pytest.mark.parametrize("kinds, message", [
    ((1, 2), "2 layers: expected 8"),
    ((1, 2, 3, 0, 0, 0, 0, 0), "layer of kind 3: expected 0 identity, 1 mb3_3x3, 2 mb6_5x5"),
])
def test_what_is_no_architecture_is_refused(kinds, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        macro.build_network(kinds, **SMALL)


def test_odd_channels_are_refused():
    with pytest.raises(ConfigError, match="channels=5: expected an even number of at least 2"):
        macro.build_network(KINDS, **SMALL | {"channels": 5})
