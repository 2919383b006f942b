"""ENAS' macro space: a chain of layers, each one operation, with skip connections.

ENAS (Pham et al., 2018, arXiv:1802.03268, section 3.2), in two forms. Both halve the image after
two layers, the fourth and the eighth of twelve: all tensors so far, that of the stem too.

"nni" is the network of NNI 1.6, which GraphPNAS (Li et al., 2022, arXiv:2211.15155) searched: every
layer is 1x1 convolution - batch norm - ReLU, then its operation, batch norm, and ReLU if it is a
convolution; the sources of skip connections are added and the sum is normalised. Only the stem's
norm has a scale and an offset; plain 3x3 and 5x5 convolutions have a bias. One factorised reduction
without ReLU serves all tensors at a halving. All layers have the same channels. (What no later
layer reads is not reduced here: in NNI it moves the shared norm's running statistics all the same.)

"enas" is the network of ENAS' released code for fixed architectures: pre-activated 1x1 and k x k
convolutions, sources concatenated with the layer and mixed by a 1x1 convolution (from the second
layer on also where there are none), a reduction of its own for every tensor, twice the channels
after each, no bias in the classifier. That code builds separable convolutions as plain ones and
cannot build pools; here they are what they are called.

Shapes: L layers (the paper's 12).
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers

from nas_tf.core import InvalidArchitectureError
from nas_tf.layers.drop_path import Dropout
from nas_tf.layers.normalization import FusedBatchNormalization
from nas_tf.layers.slicing import WithoutFirstPixels
from nas_tf.networks import operations
from nas_tf.spaces.enas_costs import (
    OPERATIONS,
    layer_channels,
    operation_codes,
    reductions,
    skip_matrix,
)


def build_network(
    ops: Sequence[str],
    skips: Sequence[Sequence[int]],
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int = 24,
    form: str = "nni",
    dropout: float = 0.0,
) -> keras.Model:
    """Builds the classifier of one architecture.

    Args:
        ops: names of `enas_costs.OPERATIONS`, one a layer, or their codes.
        skips: 0 or 1 for every possible source of a layer; layer k, counted from 0, has k of them,
            the stem first.
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the stem and, in NNI's form, of every layer; even.
        form: "nni" or "enas".
        dropout: share of features dropped before the classifier; NNI's default is none.

    Returns:
        a model from images float32 [B, height, width, channels] to logits [B, num_classes].

    Raises:
        InvalidArchitectureError: operations or skip connections are none of the space.
        ConfigError: there is no such form, or the channels are odd.
    """
    names = [OPERATIONS[code] for code in operation_codes(ops)]
    matrix, widths = skip_matrix(skips), layer_channels(len(names), channels, form)
    if len(matrix) != len(names):
        raise InvalidArchitectureError(f"ENAS: {len(names)} operations, {len(matrix)} skips")
    images = layers.Input(input_shape, name="images")
    net = operations.convolution(images, channels, name="stem_conv")
    tensors = [operations.batch_normalization(net, name="stem_bn")]
    for layer, (op, wide) in enumerate(zip(names, widths)):
        sources = [tensors[source] for source in np.flatnonzero(matrix[layer])]
        tensors.append(_LAYERS[form](tensors[-1], sources, op, wide, f"layer{layer + 1}"))
        if layer in reductions(len(names)):
            read = [*matrix[layer + 1 :, : layer + 1].any(axis=0), True]
            name = f"reduction{layer + 1}"
            tensors = _reduced(tensors, read, widths[layer + 1], form, name)
    net = layers.GlobalAveragePooling2D(name="head_pool")(tensors[-1])
    if dropout:
        net = Dropout(dropout, name="dropout")(net)
    return keras.Model(images, _classifier(net, num_classes, form), name=f"enas_{form}")


def _nni_layer(inputs, sources: list, op: str, wide: int, name: str):
    """1x1 convolution, operation, sum with the sources, batch norm."""
    net = operations.convolution(inputs, wide, kernel_size=1, name=f"{name}_in_conv")
    net = operations.batch_normalization(net, affine=False, name=f"{name}_in_bn")
    net = operations.relu(net, name=f"{name}_in_relu")
    net = _operation(net, op, wide, name, use_bias=True)
    net = operations.batch_normalization(net, affine=False, name=f"{name}_{op}_bn")
    if op not in _POOLS:
        net = operations.relu(net, name=f"{name}_{op}_relu")
    net = operations.total([net, *sources], name=f"{name}_add")
    return operations.batch_normalization(net, affine=False, name=f"{name}_bn")


def _enas_layer(inputs, sources: list, op: str, wide: int, name: str):
    """1x1 convolution, operation, 1x1 convolution over sources and outcome."""
    net = operations.relu_conv_bn(inputs, wide, name=f"{name}_in")
    if op in _POOLS:
        net = _operation(net, op, wide, name)
    else:
        net = operations.relu(net, name=f"{name}_{op}_relu")
        net = _operation(net, op, wide, name)
        net = operations.batch_normalization(net, name=f"{name}_{op}_bn")
    if name == "layer1":
        return net
    if sources:
        net = layers.Concatenate(name=f"{name}_concat")([*sources, net])
    return operations.relu_conv_bn(net, wide, name=f"{name}_out")


_LAYERS: dict[str, Callable] = {"nni": _nni_layer, "enas": _enas_layer}
_POOLS = {"avg_pool_3x3": operations.average_pooling, "max_pool_3x3": operations.max_pooling}


def _operation(inputs, op: str, wide: int, name: str, *, use_bias: bool = False):
    """One of the six operations, without norm; a bias is for plain convolutions alone."""
    name = f"{name}_{op}"
    if op in _POOLS:
        return _POOLS[op](inputs, name=name)
    size = int(op[-1])
    if op.startswith("sep"):
        return operations.separable_convolution(inputs, wide, kernel_size=size, name=name)
    return operations.convolution(inputs, wide, kernel_size=size, use_bias=use_bias, name=name)


def _reduced(tensors: list, read: Sequence[bool], wide: int, form: str, name: str) -> list:
    """Returns the tensors halved; None for those that no later layer reads."""
    sides, halved = tensors[-1].shape[1:3], [None] * len(tensors)
    shared = _Reduction(wide, sides, name, affine=False) if form == "nni" else None
    for source in np.flatnonzero(read):
        own = f"{name}_from{source}"
        reduce = shared or _Reduction(wide, sides, own, affine=True)
        halved[source] = reduce(tensors[source])
    return halved


class _Reduction:
    """A factorised reduction without ReLU, whose layers serve every tensor it is called with.

    Two 1x1 convolutions of stride 2, the second on the image moved by one pixel to the top left,
    are joined and normalised. An odd side gets a zero after its last pixel.
    """

    def __init__(self, wide: int, sides: tuple[int, int], name: str, *, affine: bool):
        kernel = {"use_bias": False, "kernel_initializer": operations.fan_in_uniform()}
        names = [f"{name}_conv{half}" for half in (1, 2)]
        self._convs = [layers.Conv2D(wide // 2, 1, name=own, **kernel) for own in names]
        # As `operations.convolution` does: strided 1x1 kernels are wrong in oneDNN.
        self._halves = [layers.AveragePooling2D(1, 2, name=f"{own}_subsample") for own in names]
        self._shift = WithoutFirstPixels(name=f"{name}_shift")
        odd = [(0, side % 2) for side in sides]
        self._pad = None
        if any(after for _, after in odd):
            self._pad = layers.ZeroPadding2D(odd, name=f"{name}_padding")
        self._concat = layers.Concatenate(name=f"{name}_concat")
        self._norm = FusedBatchNormalization(center=affine, scale=affine, name=f"{name}_bn")

    def __call__(self, tensor):
        moved = self._shift(self._pad(tensor) if self._pad else tensor)
        parts = zip(self._convs, self._halves, (tensor, moved))
        return self._norm(self._concat([conv(halve(part)) for conv, halve, part in parts]))


def _classifier(features, num_classes: int, form: str):
    if form == "nni":
        return operations.dense(features, num_classes, name="logits")
    kernel = {"use_bias": False, "kernel_initializer": operations.fan_in_uniform()}
    return layers.Dense(num_classes, dtype="float32", name="logits", **kernel)(features)
