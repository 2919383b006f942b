"""The networks of NAS-Bench-Macro: eight layers of MobileNetV2's blocks in three stages.

Su et al., 2021, arXiv:2103.11922; blocks of Sandler et al., 2018, arXiv:1801.04381. A 3x3 stem,
the layers, a 1x1 convolution, the mean over all pixels, a classifier. Every convolution has a batch
norm and, unless it is the last of a block, a ReLU. The first layer of a stage has stride 2; where
what enters a block has the shape of what leaves it, it is added.

Shapes: B networks, L = 8 layers.
"""

from collections.abc import Sequence
from typing import Any

from nas_tf.layers import keras_import as keras_import  # before Keras: tells why there is none

import keras
import numpy as np
from keras import layers

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.networks import operations
from nas_tf.networks.families import Around
from nas_tf.spaces import macro_costs
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.spaces.macro_cells import IDENTITY, KINDS, NUM_LAYERS, STAGES, starts_stage, to_layers


def build_network(
    kinds: Sequence[int],
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int = 64,
) -> keras.Model:
    """Builds the classifier of one architecture; the default is the benchmark's.

    Args:
        kinds: of the eight layers, 0 to 2 by `macro_cells.KINDS`.
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the first stage, even; the stem has half, the next stages two and four times as
            many, the convolution before the classifier twenty times.

    Returns:
        a model from images float32 [B, height, width, channels] to logits [B, num_classes].

    Raises:
        InvalidArchitectureError: there are not eight layers, or one is of no kind.
        ConfigError: the channels are odd.
    """
    _check(kinds)
    wide = macro_costs.widths(channels)
    images = layers.Input(input_shape, name="images")
    net = _conv_bn_relu(images, wide.stem, kernel_size=3, name="stem")
    for layer, (kind, outputs) in enumerate(zip(kinds, wide.layers)):
        net = _layer(net, kind, outputs, first=starts_stage(layer), name=_name(layer))
    net = _conv_bn_relu(net, wide.head, kernel_size=1, name="head")
    return keras.Model(images, operations.classifier(net, num_classes), name="macro")


def _check(kinds: Sequence[int]) -> None:
    if len(kinds) != NUM_LAYERS:
        raise InvalidArchitectureError(f"{len(kinds)} layers: expected {NUM_LAYERS}")
    for kind in kinds:
        if kind not in range(len(KINDS)):
            named = ", ".join(f"{number} {name}" for number, name in enumerate(KINDS))
            raise InvalidArchitectureError(f"layer of kind {kind!r}: expected {named}")


def _name(layer: int) -> str:
    """Returns the name of a layer, from 0: "stage2_block1" and so on."""
    stage = int(np.searchsorted(np.cumsum(STAGES), layer, side="right"))
    return f"stage{stage + 1}_block{layer - sum(STAGES[:stage]) + 1}"


def _layer(inputs, kind: int, outputs: int, *, first: bool, name: str):
    """A block, or an identity; the first layer of a stage halves the image."""
    stride = 2 if first else 1
    if kind != IDENTITY:
        return _inverted_residual(inputs, kind, outputs, stride, name)
    if not first:
        return inputs
    net = operations.convolution(inputs, outputs, kernel_size=1, stride=2, name=f"{name}_conv")
    return operations.batch_normalization(net, name=f"{name}_bn")


def _inverted_residual(inputs, kind: int, outputs: int, stride: int, name: str):
    """1x1 convolution to more channels, depthwise convolution, 1x1 convolution to fewer."""
    hidden, size = macro_costs.EXPANSIONS[kind] * inputs.shape[-1], macro_costs.KERNELS[kind]
    net = _conv_bn_relu(inputs, hidden, kernel_size=1, name=f"{name}_expand")
    net = operations.depthwise_convolution(
        net, kernel_size=size, stride=stride, name=f"{name}_depthwise_conv"
    )
    net = operations.batch_normalization(net, name=f"{name}_depthwise_bn")
    net = operations.relu(net, name=f"{name}_depthwise_relu")
    net = operations.convolution(net, outputs, kernel_size=1, name=f"{name}_project_conv")
    net = operations.batch_normalization(net, name=f"{name}_project_bn")
    same = net.shape == inputs.shape
    return operations.total([inputs, net], name=f"{name}_add") if same else net


def _conv_bn_relu(inputs, channels: int, *, kernel_size: int, name: str):
    net = operations.convolution(inputs, channels, kernel_size=kernel_size, name=f"{name}_conv")
    net = operations.batch_normalization(net, name=f"{name}_bn")
    return operations.relu(net, name=f"{name}_relu")


# How the registry's family takes an architecture.


def _around(around: Around) -> dict[str, Any]:
    return around.images() | around.given(channels="channels")


def _network(architecture: Architecture, around: Around) -> keras.Model:
    return build_network(architecture.layers, **_around(around))


def _parameters(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return macro_costs.parameters(_kinds(of), **_around(around))


def _multiply_adds(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return macro_costs.multiply_adds(_kinds(of), **_around(around))


def _kinds(of: Architecture | CellGraphs) -> np.ndarray:
    return to_layers(of.cells() if isinstance(of, Architecture) else of)


MACRO = _network, _parameters, _multiply_adds
