"""What NAS-Bench-Macro networks cost, counted without building them.

Counted are trainable parameters, and the multiply-adds of convolutions and of the classifier: the
columns `params` and `flops` of the benchmark.

Shapes: B networks, L = 8 layers.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.counting import Cost, conv, conv_bn, dense, halved, on_cifar10
from nas_tf.spaces.macro_cells import NUM_LAYERS, STAGES, starts_stage, to_layers

EXPANSIONS = (0, 3, 6)  # of the channels inside a block, by its kind; an identity is no block
KERNELS = (1, 3, 5)

_EXPANSIONS, _KERNELS = np.array(EXPANSIONS), np.array(KERNELS)


class Widths(NamedTuple):
    """Channels of a network.

    Attributes:
        stem: of the 3x3 convolution that reads images.
        layers: that leave each layer.
        head: of the 1x1 convolution before the classifier.
    """

    stem: int
    layers: tuple[int, ...]
    head: int


def widths(channels: int = 64) -> Widths:
    """Returns the channels of a network by those of its first stage.

    Raises:
        ConfigError: the stem cannot have half of them.
    """
    if channels < 2 or channels % 2:
        raise ConfigError(f"channels={channels}: expected an even number of at least 2")
    stages = [channels * 2**stage for stage, length in enumerate(STAGES) for _ in range(length)]
    return Widths(channels // 2, tuple(stages), 20 * channels)


def parameters(
    layers: np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int = 64,
) -> np.ndarray:
    """Counts the trainable parameters of networks; arguments as in `networks.macro.build_network`.

    Args:
        layers: kinds, integers 0 to 2 [B, 8].
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the first stage.

    Returns:
        int64 [B].
    """
    wide = widths(channels)
    total = conv_bn(3, input_shape[2], wide.stem) + conv_bn(1, wide.layers[-1], wide.head)
    total += dense(wide.head, num_classes)
    return total + sum(
        weights.before + weights.after + weights.norms for weights in _all_weights(layers, wide)
    )


def multiply_adds(
    layers: np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int = 64,
) -> np.ndarray:
    """Counts the multiply-adds of one image, int64 [B]; see `parameters`."""
    wide, (height, width, colours) = widths(channels), input_shape
    total = conv(3, colours, wide.stem) * height * width + wide.head * num_classes
    for layer, weights in enumerate(_all_weights(layers, wide)):
        total = total + weights.before * height * width
        if starts_stage(layer):
            height, width = halved(height), halved(width)
        total = total + weights.after * height * width
    return total + conv(1, wide.layers[-1], wide.head) * height * width


def costs(cells: CellGraphs) -> Cost:
    """Returns what the benchmark's networks for CIFAR-10 cost, int64 [...] each of cells [...]."""
    return on_cifar10(cells, lambda flat: (to_layers(flat),), parameters, multiply_adds)


class _Weights(NamedTuple):
    """Weights of a layer, int64 [B] each: kernels by the image they are applied to, and norms."""

    before: np.ndarray  # 1x1 to more channels, on the layer's inputs
    after: np.ndarray  # the others, whose outputs have the layer's size
    norms: np.ndarray  # scales and offsets


def _all_weights(layers: np.ndarray, wide: Widths) -> Iterator[_Weights]:
    """Yields the weights of each of the eight layers."""
    kinds, inputs = np.asarray(layers, np.int64), wide.stem
    for layer in range(NUM_LAYERS):
        outputs = wide.layers[layer]
        yield _weights(kinds[:, layer], inputs, outputs, starts_stage(layer))
        inputs = outputs


def _weights(kinds: np.ndarray, inputs: int, outputs: int, first: bool) -> _Weights:
    """Returns the weights of a layer; an identity has some where it is the first of its stage."""
    hidden, block = _EXPANSIONS[kinds] * inputs, kinds > 0
    strided = ~block & first
    after = _KERNELS[kinds] ** 2 * hidden + hidden * outputs + strided * inputs * outputs
    return _Weights(inputs * hidden, after, 2 * (2 * hidden + outputs * (block | strided)))
