"""nas_tf/networks/resnet.py: published counts, and the numbers that plain NumPy computes."""

import keras
import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.networks import resnet
from nas_tf.networks.layer_table import layer_table
from tests.networks import numpy_layers as plain


def _grouped(inputs, kernel, stride):
    """A convolution in groups."""
    wide = kernel.shape[2]
    groups = inputs.shape[-1] // wide
    parts = [
        plain.conv(inputs[..., group * wide : (group + 1) * wide], part, stride)
        for group, part in enumerate(np.split(kernel, groups, axis=-1))
    ]
    return np.concatenate(parts, axis=-1)


def _logits(weights, images, blocks, pooled):
    """A whole network in plain NumPy; what its blocks hold is read from the weights."""

    def conv_bn(inputs, name, stride=1):
        net = _grouped(inputs, weights[f"{name}_conv/kernel"], stride)
        return plain.batch_norm(net, weights, f"{name}_bn")

    net = plain.relu(conv_bn(images, "stem", 2 if pooled else 1))
    net = plain.max_pool(net, 2) if pooled else net
    for stage, count in enumerate(blocks, 1):
        for number in range(1, count + 1):
            name, stride = f"stage{stage}_block{number}", 2 if stage > 1 and number == 1 else 1
            if f"{name}_3_conv/kernel" in weights:
                inner = plain.relu(conv_bn(net, f"{name}_1"))
                inner = plain.relu(conv_bn(inner, f"{name}_2", stride))
                inner = conv_bn(inner, f"{name}_3")
            else:
                inner = plain.relu(conv_bn(net, f"{name}_1", stride))
                inner = conv_bn(inner, f"{name}_2")
            if f"{name}_project_conv/kernel" in weights:
                net = conv_bn(net, f"{name}_project", stride)
            net = plain.relu(net + inner)
    return net.mean(axis=(1, 2)) @ weights["logits/kernel"] + weights["logits/bias"]


# Short networks, so that the tests are.
BASIC = resnet.Variant((1, 1, 2, 1), bottleneck=False)
GROUPED = resnet.Variant((1, 1, 1, 1), groups=32, widening=2)


@pytest.mark.parametrize(
    "variant, parameters, multiply_adds",
    [
        ("resnet18", 11_689_512, 1_814_073_344),
        ("resnet50", 25_557_032, 4_089_184_256),
        ("resnext50", 25_028_904, 4_230_479_872),
    ],
)
def test_published_counts_on_imagenet(variant, parameters, multiply_adds):
    model = resnet.build_network(
        variant, input_shape=(224, 224, 3), num_classes=1000, setting="imagenet"
    )
    table = layer_table(model)
    assert (table.parameters, table.multiply_adds) == (parameters, multiply_adds)


@pytest.mark.parametrize(
    "form, setting, expected",
    [
        (BASIC, "imagenet", [0.8883605, 0.8527928, -0.4987077]),
        (GROUPED, "cifar", [0.4484373, -0.0945659, -1.0819326]),
    ],
)
def test_networks_compute_what_plain_numpy_does(monkeypatch, form, setting, expected):
    monkeypatch.setitem(resnet.VARIANTS, "short", form)
    model = resnet.build_network(
        "short", input_shape=(20, 20, 3), num_classes=3, setting=setting, channels=16
    )
    weights, images = plain.fill(model, gain=0.7), plain.images(1, 20, 20, 3)
    logits = _logits(weights, images, form.blocks, setting == "imagenet")
    np.testing.assert_allclose(model(images), logits, rtol=1e-4)
    # The numbers that PyTorch's layers gave as well.
    np.testing.assert_allclose(logits[0], expected, rtol=1e-5)


def test_small_images_keep_their_size_in_the_stem(monkeypatch, tmp_path):
    monkeypatch.setitem(resnet.VARIANTS, "short", BASIC)
    model = resnet.build_network("short", input_shape=(8, 8, 1), num_classes=4, channels=8)
    shapes = {row.name: row.output for row in layer_table(model).rows}
    assert shapes["stage1_block1_relu"] == (8, 8, 8)
    assert shapes["stage4_block1_relu"] == (1, 1, 64)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    images = plain.images(2, 8, 8, 1)
    np.testing.assert_array_equal(again(images), model(images))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"variant": "resnet34"}, "variant='resnet34': expected one of resnet18, resnet50"),
        ({"variant": "resnet18", "setting": "large"}, "setting='large'"),
        ({"variant": "resnext50", "channels": 24}, "channels=24: expected a multiple of 16"),
    ],
)
def test_unknown_settings_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        resnet.build_network(**settings, input_shape=(8, 8, 3), num_classes=2)
