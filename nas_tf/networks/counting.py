"""Parameters and multiply-adds of layers, for costs that are counted without building a network.

Multiply-adds are those of convolutions and dense layers, as papers count them: what batch norm,
pools, activations and sums take is left out, and so are additions of biases. All arguments may be
arrays of integers.
"""

from typing import NamedTuple


class Cost(NamedTuple):
    """What a network costs.

    Attributes:
        parameters: trainable parameters.
        multiply_adds: of one image.
    """

    parameters: int
    multiply_adds: int


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
