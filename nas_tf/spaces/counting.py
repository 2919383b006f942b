"""Parameters and multiply-adds of layers, for costs that are counted without building a network.

Multiply-adds are those of convolutions and dense layers, as papers count them: what batch norm,
pools, activations and sums take is left out, and so are additions of biases. All arguments may be
arrays of integers.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nas_tf.graphs import CellGraphs

CIFAR10: dict[str, Any] = {"input_shape": (32, 32, 3), "num_classes": 10}


class Cost(NamedTuple):
    """What a network costs, or what each of many does.

    Attributes:
        parameters: trainable parameters, an integer or int64 [...].
        multiply_adds: of one image, likewise.
    """

    parameters: int | np.ndarray
    multiply_adds: int | np.ndarray


def on_cifar10(
    cells: CellGraphs,
    arguments: Callable[[CellGraphs], tuple],
    parameters: Callable[..., np.ndarray],
    multiply_adds: Callable[..., np.ndarray],
) -> Cost:
    """Returns what the papers' networks for CIFAR-10 cost.

    Args:
        cells: [...].
        arguments: makes of cells [B] what the two counts take.
        parameters: counts trainable parameters, int64 [B].
        multiply_adds: counts those of an image, int64 [B].

    Returns:
        int64 [...] each.
    """
    arrays = arguments(cells.reshape(-1))
    counts = (count(*arrays, **CIFAR10) for count in (parameters, multiply_adds))
    return Cost(*(np.asarray(count, np.int64).reshape(cells.shape) for count in counts))


def conv_bn(kernel_size: int, inputs, outputs, *, affine: bool = True):
    """Returns the parameters of a convolution without bias and of the batch norm after it."""
    return conv(kernel_size, inputs, outputs) + 2 * affine * outputs


def conv(kernel_size: int, inputs, outputs):
    """Returns the parameters of a convolution, and its multiply-adds for every pixel it makes."""
    return kernel_size**2 * inputs * outputs


def separable(kernel_size: int, inputs, outputs):
    """Returns the same of a depthwise convolution and a 1x1 one."""
    return kernel_size**2 * inputs + inputs * outputs


def dense(inputs, outputs):
    """Returns the parameters of a dense layer with bias."""
    return inputs * outputs + outputs


def halved(side: int) -> int:
    """Returns the side of an image that a padded layer of stride 2 makes."""
    return (side + 1) // 2
