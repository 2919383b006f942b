"""Operations of cells with PyTorch's padding, batch norm and initial weights.

The networks of NAS-Bench-201 (Dong and Yang, 2020, arXiv:2001.00326) and DARTS (Liu et al., 2019,
arXiv:1806.09055) are made of these; with equal weights they compute what the released PyTorch code
does. Layers are Keras' own wherever these do. Where a stride is 2 they do not pad as PyTorch does,
which adds `padding` pixels at every side.

Every function takes a tensor of a functional model, images [B, H, W, C], and returns another; the
names of its layers begin with `name`.
"""

from nas_tf.layers import keras_import as keras_import  # before Keras: tells why there is none

import keras
from keras import layers

from nas_tf.layers.drop_path import DropPath
from nas_tf.layers.normalization import FusedBatchNormalization
from nas_tf.layers.pooling import AveragePooling, MaxPooling, margin
from nas_tf.layers.slicing import WithoutFirstPixels

MOMENTUM = 0.9  # PyTorch's 0.1 in Keras' terms
EPSILON = 1e-5


def fan_in_uniform() -> keras.initializers.Initializer:
    """Returns PyTorch's initialiser of kernels: uniform within 1 / sqrt(fan-in) of 0."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def bounded_uniform(fan_in: int) -> keras.initializers.Initializer:
    """Returns the same for kernels whose shape does not tell their fan-in, and for biases."""
    return keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5)


def batch_normalization(
    inputs, *, name: str, affine: bool = True, momentum: float = MOMENTUM,
    epsilon: float = EPSILON,
):
    """Batch normalisation.

    Args:
        inputs: images [B, H, W, C].
        name: of the layer.
        affine: whether it has a scale and an offset.
        momentum: how slowly the moving statistics follow.
        epsilon: added to the variance.
    """
    return FusedBatchNormalization(
        momentum, epsilon, center=affine, scale=affine, name=name
    )(inputs)


def relu(inputs, *, name: str):
    """Rectifies; tensors that several operations read are best rectified once."""
    return layers.ReLU(name=name)(inputs)


def convolution(
    inputs, channels: int, *, name: str, kernel_size: int = 3, stride: int = 1,
    padding: int | None = None, use_bias: bool = False,
):
    """A convolution as `torch.nn.Conv2d`.

    Args:
        inputs: images [B, H, W, C].
        channels: that leave it.
        name: of the layer.
        kernel_size: odd, height and width of the kernel.
        stride: of both axes.
        padding: zeros at every side; None is half the kernel.
        use_bias: whether a bias is added.
    """
    if kernel_size == 1 and not padding:
        # oneDNN's gradient of a strided 1x1 kernel writes outside its memory, of an even side.
        inputs, stride = subsample(inputs, stride, name=f"{name}_subsample"), 1
    inputs, keras_padding = _padded(inputs, kernel_size, stride, padding, name)
    return layers.Conv2D(
        channels,
        kernel_size,
        stride,
        keras_padding,
        use_bias=use_bias,
        kernel_initializer=fan_in_uniform(),
        bias_initializer=bounded_uniform(kernel_size**2 * inputs.shape[-1]),
        name=name,
    )(inputs)


def separable_convolution(
    inputs, channels: int, *, name: str, kernel_size: int = 3, stride: int = 1,
    dilation: int = 1, use_bias: bool = False,
):
    """A depthwise convolution and a 1x1 one, padded by half the (dilated) kernel.

    Args:
        inputs: images [B, H, W, C].
        channels: that leave it.
        name: of the layer.
        kernel_size: odd, height and width of the depthwise kernel.
        stride: of the depthwise convolution.
        dilation: of the depthwise convolution; a multiple of the stride, or 1.
        use_bias: whether the 1x1 convolution has a bias.

    Raises:
        ValueError: stride and dilation do not go together.
    """
    if dilation > 1 and dilation % stride:
        raise ValueError(f"dilation={dilation}: expected a multiple of stride={stride}, or 1")
    if dilation > 1 and stride > 1:
        # All that such a kernel sees lies on every stride-th pixel.
        inputs = subsample(inputs, stride, name=f"{name}_subsample")
        dilation, stride = dilation // stride, 1
    inputs, padding = _padded(inputs, kernel_size, stride, None, name)
    return layers.SeparableConv2D(
        channels,
        kernel_size,
        stride,
        padding,
        dilation_rate=dilation,
        use_bias=use_bias,
        depthwise_initializer=bounded_uniform(kernel_size**2),
        pointwise_initializer=fan_in_uniform(),
        bias_initializer=bounded_uniform(inputs.shape[-1]),
        name=name,
    )(inputs)


def depthwise_convolution(inputs, *, name: str, kernel_size: int = 3, stride: int = 1):
    """A convolution of every channel by itself, as `torch.nn.Conv2d` with that many groups.

    Args:
        inputs: images [B, H, W, C].
        name: of the layer.
        kernel_size: odd, height and width of the kernel.
        stride: of both axes.
    """
    inputs, padding = _padded(inputs, kernel_size, stride, None, name)
    return layers.DepthwiseConv2D(
        kernel_size,
        stride,
        padding,
        use_bias=False,
        depthwise_initializer=bounded_uniform(kernel_size**2),
        name=name,
    )(inputs)


def _padded(inputs, kernel_size: int, stride: int, padding: int | None, name: str):
    """Returns the inputs, padded if Keras' paddings do not do, and the padding that then does."""
    half = kernel_size // 2
    padding = half if padding is None else padding
    if padding == 0:
        return inputs, "valid"
    if padding == half and stride == 1:
        return inputs, "same"
    margins = tuple(margin(side, kernel_size, stride, padding) for side in inputs.shape[1:3])
    return layers.ZeroPadding2D(margins, name=f"{name}_padding")(inputs), "valid"


def subsample(inputs, stride: int, *, name: str):
    """Keeps every stride-th pixel of both axes, the first one included."""
    return inputs if stride == 1 else layers.AveragePooling2D(1, stride, name=name)(inputs)


def max_pooling(inputs, *, name: str, pool_size: int = 3, stride: int = 1):
    """Max pooling, padded by half a window of minus infinity."""
    if stride == 1:
        return layers.MaxPooling2D(pool_size, 1, "same", name=name)(inputs)
    return MaxPooling(pool_size, stride, pool_size // 2, name=name)(inputs)


def average_pooling(inputs, *, name: str, pool_size: int = 3, stride: int = 1):
    """Average pooling, padded by half a window that does not count."""
    if stride == 1:
        return layers.AveragePooling2D(pool_size, 1, "same", name=name)(inputs)
    return AveragePooling(pool_size, stride, pool_size // 2, name=name)(inputs)


def zero(inputs, stride: int = 1, *, name: str):
    """Zeros of the shape of an operation's outputs, through which nothing is learned."""
    inputs = subsample(inputs, stride, name=f"{name}_subsample")
    return layers.Rescaling(0.0, name=name)(inputs)


def relu_conv_bn(
    inputs, channels: int, *, name: str, kernel_size: int = 1, stride: int = 1,
    affine: bool = True,
):
    """ReLU, convolution, batch normalisation; see `convolution`."""
    net = relu(inputs, name=f"{name}_relu")
    net = convolution(
        net, channels, kernel_size=kernel_size, stride=stride, name=f"{name}_conv"
    )
    return batch_normalization(net, affine=affine, name=f"{name}_bn")


def factorized_reduction(inputs, channels: int, *, name: str, affine: bool = True):
    """Halves images: ReLU, two 1x1 convolutions of stride 2, joined, batch normalisation.

    The second convolution reads the image moved by one pixel to the top left. An odd side, which
    the released code refuses, gets a zero pixel after its last one.
    """
    net = relu(inputs, name=f"{name}_relu")
    moved, odd = net, tuple((0, side % 2) for side in inputs.shape[1:3])
    if any(after for _, after in odd):
        moved = layers.ZeroPadding2D(odd, name=f"{name}_padding")(moved)
    moved = WithoutFirstPixels(name=f"{name}_shift")(moved)
    halves = (channels - channels // 2, channels // 2)
    net = layers.Concatenate(name=f"{name}_concat")([
        convolution(half, width, kernel_size=1, stride=2, name=f"{name}_conv{number}")
        for number, (half, width) in enumerate(zip((net, moved), halves), start=1)
    ])
    return batch_normalization(net, affine=affine, name=f"{name}_bn")


def drop_path(inputs, rate: float, *, name: str):
    """Drops the tensor of single images in training, with a rate above zero."""
    return DropPath(rate, name=name)(inputs) if rate else inputs


def total(tensors: list, *, name: str):
    """Adds tensors of one shape, at least one."""
    return tensors[0] if len(tensors) == 1 else layers.Add(name=name)(tensors)


def classifier(images, num_classes: int, *, name: str = "logits"):
    """Mean over all pixels and a dense layer, `torch.nn.Linear`, to raw float32 logits."""
    features = layers.GlobalAveragePooling2D(name=f"{name}_pool")(images)
    return dense(features, num_classes, name=name)


def dense(features, units: int, *, name: str):
    """A dense layer [B, F] -> [B, units] with PyTorch's initial weights, in float32."""
    return layers.Dense(
        units,
        kernel_initializer=fan_in_uniform(),
        bias_initializer=bounded_uniform(features.shape[-1]),
        dtype="float32",
        name=name,
    )(features)
