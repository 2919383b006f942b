"""What NAS-Bench-201 networks cost, counted without building them.

Counted are trainable parameters, and the multiply-adds of convolutions and of the classifier; an
operation whose result 'none' throws away counts, as in the benchmark.

Shapes: B cells.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.counting import Cost, conv, conv_bn, dense, halved, on_cifar10
from nas_tf.spaces.nasbench201_cells import CONV1X1, CONV3X3, OP_NAMES

_NUM_STACKS = 3


def parameters(
    ops: np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int = 16,
    cells: int = 5,
) -> np.ndarray:
    """Counts the trainable parameters of networks; arguments as in `nasbench201.build_network`.

    Args:
        ops: codes of `spaces.nasbench201`, integers [B, 6].
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the first stack.
        cells: equal cells in a stack.

    Returns:
        int64 [B].
    """
    widths = _widths(channels)
    fixed = conv_bn(3, input_shape[-1], channels) + 2 * widths[-1] + dense(widths[-1], num_classes)
    for inputs, width in zip(widths, widths[1:]):
        block = conv_bn(3, inputs, width) + conv_bn(3, width, width) + conv(1, inputs, width)
        fixed += block
    ones, threes = _convolutions(ops)
    return fixed + cells * sum(
        ones * conv_bn(1, width, width) + threes * conv_bn(3, width, width) for width in widths
    )


def multiply_adds(
    ops: np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int = 16,
    cells: int = 5,
) -> np.ndarray:
    """Counts the multiply-adds of one image, int64 [B]; see `parameters`."""
    height, width, input_channels = input_shape
    widths = _widths(channels)
    ones, threes = _convolutions(ops)
    total = conv(3, input_channels, channels) * height * width + widths[-1] * num_classes
    for stack, outputs in enumerate(widths):
        if stack:
            height, width = halved(height), halved(width)
            inputs = widths[stack - 1]
            block = conv(3, inputs, outputs) + conv(3, outputs, outputs) + conv(1, inputs, outputs)
            total = total + block * height * width
        cell = ones * conv(1, outputs, outputs) + threes * conv(3, outputs, outputs)
        total = total + cells * cell * height * width
    return total


def cost_of(ops: Sequence[str], **settings) -> Cost:
    """Returns what the network of one cell costs; arguments as in `nasbench201.build_network`."""
    codes = np.array([[OP_NAMES.index(op) for op in ops]])
    return Cost(int(parameters(codes, **settings)[0]), int(multiply_adds(codes, **settings)[0]))


def costs(cells: CellGraphs) -> Cost:
    """Returns what the paper's networks for CIFAR-10 cost, int64 [...] each of cells [...]."""
    return on_cifar10(cells, lambda flat: (edge_ops(flat),), parameters, multiply_adds)


def edge_ops(cells: CellGraphs) -> np.ndarray:
    """Returns the operation codes of the six edges of cells [B], int8 [B, 6]."""
    return cells.ops[:, 1:-1]


def _widths(channels: int) -> list[int]:
    return [channels * 2**stack for stack in range(_NUM_STACKS)]


def _convolutions(ops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how many 1x1 and 3x3 convolutions cells have, int64 [B] each."""
    ops = np.asarray(ops)
    return (ops == CONV1X1).sum(axis=-1), (ops == CONV3X3).sum(axis=-1)
