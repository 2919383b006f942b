"""ResNet-18, ResNet-50 and ResNeXt-50: the baselines of the papers' tables.

He et al., 2016, arXiv:1512.03385; Xie et al., 2017, arXiv:1611.05431. As in torchvision: the stride
of a bottleneck stands at its 3x3 convolution, projections are 1x1 with batch norm. For small images
the stem is one 3x3 convolution, neither strided nor pooled.
"""

import dataclasses

import keras
from keras import layers

from nas_tf.core import ConfigError
from nas_tf.layers.pooling import margin
from nas_tf.networks import operations

EXPANSION = 4  # channels that leave a bottleneck, in units of the stage's


@dataclasses.dataclass(frozen=True)
class Variant:
    """A network of the family."""

    blocks: tuple[int, int, int, int]  # of each stage
    bottleneck: bool = True
    groups: int = 1  # of the 3x3 convolution
    widening: int = 1  # of the 3x3 convolution, in units of the stage's channels


VARIANTS = {
    "resnet18": Variant((2, 2, 2, 2), bottleneck=False),
    "resnet50": Variant((3, 4, 6, 3)),
    "resnext50": Variant((3, 4, 6, 3), groups=32, widening=2),  # 32 x 4d
}
STEMS = ("cifar", "imagenet")


def build_network(
    variant: str,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    setting: str = "cifar",
    channels: int = 64,
) -> keras.Model:
    """Builds a baseline.

    Args:
        variant: "resnet18", "resnet50" or "resnext50".
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        setting: "cifar" (a stem for small images) or "imagenet" (7x7 with stride 2, max pooling).
        channels: of the first stage; a multiple of 16 for ResNeXt.

    Returns:
        a model from images float32 [B, height, width, channels] to logits [B, num_classes].

    Raises:
        ConfigError: there is no such variant or setting, or channels cannot be grouped.
    """
    if variant not in VARIANTS:
        raise ConfigError(f"variant={variant!r}: expected one of {', '.join(VARIANTS)}")
    if setting not in STEMS:
        raise ConfigError(f"setting={setting!r}: ResNets have {' and '.join(STEMS)}")
    form = VARIANTS[variant]
    if channels < 1 or channels * form.widening % form.groups:
        multiple = form.groups // form.widening or 1
        raise ConfigError(f"channels={channels}: expected a multiple of {multiple}")
    block = _bottleneck if form.bottleneck else _basic
    images = layers.Input(input_shape, name="images")
    net = _stem(images, channels, setting)
    for stage, repeats in enumerate(form.blocks):
        for number in range(repeats):
            stride = 2 if stage and not number else 1
            name = f"stage{stage + 1}_block{number + 1}"
            net = block(net, channels * 2**stage, stride, form, name)
    return keras.Model(images, operations.classifier(net, num_classes), name=variant)


def _stem(images, channels: int, setting: str):
    if setting == "cifar":
        return _relu(_conv_bn(images, channels, 3, 1, name="stem"), name="stem")
    net = _relu(_conv_bn(images, channels, 7, 2, name="stem"), name="stem")
    return operations.max_pooling(net, stride=2, name="stem_pool")


def _basic(inputs, channels: int, stride: int, form: Variant, name: str):
    del form
    net = _relu(_conv_bn(inputs, channels, 3, stride, name=f"{name}_1"), name=f"{name}_1")
    net = _conv_bn(net, channels, 3, 1, name=f"{name}_2")
    return _joined(inputs, net, stride, name)


def _bottleneck(inputs, channels: int, stride: int, form: Variant, name: str):
    wide = channels * form.widening
    net = _relu(_conv_bn(inputs, wide, 1, 1, name=f"{name}_1"), name=f"{name}_1")
    net = _conv_bn(net, wide, 3, stride, groups=form.groups, name=f"{name}_2")
    net = _relu(net, name=f"{name}_2")
    net = _conv_bn(net, channels * EXPANSION, 1, 1, name=f"{name}_3")
    return _joined(inputs, net, stride, name)


def _joined(inputs, net, stride: int, name: str):
    """Adds a block's input, projected where sizes differ, and rectifies."""
    if stride > 1 or inputs.shape[-1] != net.shape[-1]:
        inputs = _conv_bn(inputs, net.shape[-1], 1, stride, name=f"{name}_project")
    return _relu(operations.total([net, inputs], name=f"{name}_add"), name=name)


def _relu(inputs, *, name: str):
    return operations.relu(inputs, name=f"{name}_relu")


def _conv_bn(inputs, channels: int, size: int, stride: int, *, name: str, groups: int = 1):
    """Convolution with torchvision's padding and initial weights, batch norm."""
    if size == 1:  # as in `operations.convolution`: strided 1x1 kernels are wrong in oneDNN
        inputs, stride = operations.subsample(inputs, stride, name=f"{name}_subsample"), 1
    padding = "same" if stride == 1 else "valid"
    if stride > 1:
        margins = [margin(side, size, stride, size // 2) for side in inputs.shape[1:3]]
        inputs = layers.ZeroPadding2D(margins, name=f"{name}_padding")(inputs)
    kernel = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
    net = layers.Conv2D(
        channels, size, stride, padding, groups=groups, use_bias=False,
        kernel_initializer=kernel, name=f"{name}_conv",
    )(inputs)
    return operations.batch_normalization(net, name=f"{name}_bn")
