"""Networks of DARTS cells, for small images and in the mobile setting of ImageNet.

Liu et al., 2019, arXiv:1806.09055; with equal weights the released PyTorch networks. Every cell
reads the outputs of the two cells before it; two thirds of the way an auxiliary head may stand.

Where 'none' is one of the operations, it is built only if a node were without inputs otherwise, or
an input of the cell without readers: what it adds is zero.

Shapes: B images, of height H, width W and C channels.
"""

from collections.abc import Sequence

from nas_tf.layers import keras_import as keras_import  # before Keras: tells why there is none

import keras
from keras import layers

from nas_tf.core import InvalidArchitectureError
from nas_tf.networks import operations
from nas_tf.spaces.darts_plan import (
    AUXILIARY_WIDTHS, CellPlan, auxiliary_pool, first_channels, plan,
)

Edges = Sequence[tuple[str, int]]


def build_network(
    normal: Edges,
    reduce: Edges,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int | None = None,
    cells: int | None = None,
    auxiliary: bool = False,
    drop_path: float = 0.0,
    setting: str = "cifar",
) -> keras.Model:
    """Builds the classifier of a pair of cells.

    Args:
        normal: the normal cell, eight pairs of an operation and a source (0 and 1 are the cell's
            inputs, 2 to 5 its intermediate nodes), two of every intermediate node.
        reduce: the reduction cell.
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the first cell's nodes; None is the paper's number, 36 or 48.
        cells: number of cells; None is the paper's number, 20 or 14.
        auxiliary: whether the network has the auxiliary head.
        drop_path: first rate of the `DropPath` layers; 0 makes none.
        setting: "cifar", or "imagenet" with its strided stem.

    Returns:
        a model from images float32 [B, height, width, channels] to logits [B, num_classes], with
        the auxiliary head to a list of two such.

    Raises:
        InvalidArchitectureError: a cell has an unknown operation or source.
        ConfigError: no such setting.
    """
    for name, edges in (("normal", normal), ("reduce", reduce)):
        _check(name, edges)
    plans = plan(setting, channels, cells)
    images = layers.Input(input_shape, name="images")
    before, previous = _STEMS[setting](images, first_channels(setting, channels))
    outputs = []
    for number, cell in enumerate(plans, start=1):
        edges = reduce if cell.reduction else normal
        built = _Cell(cell, edges, drop_path, f"cell{number}")(before, previous)
        before, previous = previous, built
        if cell.auxiliary and auxiliary:
            outputs.append(_auxiliary_head(built, num_classes, setting))
    outputs.insert(0, operations.classifier(previous, num_classes))
    return keras.Model(images, outputs if auxiliary else outputs[0], name="darts")


def _check(name: str, edges: Edges) -> None:
    if len(edges) != 8:
        raise InvalidArchitectureError(f"{name}: {len(edges)} edges; expected 8")
    for slot, (op, source) in enumerate(edges):
        if op not in _OPERATIONS:
            known = ", ".join(_OPERATIONS)
            raise InvalidArchitectureError(f"{name}, edge {slot}: {op!r}: expected {known}")
        if not 0 <= source < 2 + slot // 2:
            raise InvalidArchitectureError(
                f"{name}, edge {slot}: source {source}: expected 0 to {1 + slot // 2}"
            )


def _small_stem(images, channels: int):
    """Returns both inputs of the first cell: one convolution of small images."""
    net = operations.convolution(images, 3 * channels, name="stem_conv")
    net = operations.batch_normalization(net, name="stem_bn")
    return net, net


def _strided_stem(images, channels: int):
    """Returns both inputs of the first cell, a quarter and an eighth of the images' sides."""
    net = operations.convolution(images, channels // 2, stride=2, name="stem1_conv")
    net = operations.batch_normalization(net, name="stem1_bn")
    first = operations.relu_conv_bn(net, channels, kernel_size=3, stride=2, name="stem2")
    second = operations.relu_conv_bn(first, channels, kernel_size=3, stride=2, name="stem3")
    return first, second


_STEMS = {"cifar": _small_stem, "imagenet": _strided_stem}


class _Cell:
    """A cell: two inputs brought to one size and width, four nodes of two operations, joined."""

    def __init__(self, cell: CellPlan, edges: Edges, drop_path: float, name: str):
        self._plan, self._edges, self._drop_path, self._name = cell, edges, drop_path, name

    def __call__(self, before, previous):
        tensors = [self._preprocessed(before, 0), self._preprocessed(previous, 1)]
        for node in range(4):
            slots = [slot for slot in (2 * node, 2 * node + 1) if self._is_built(slot)]
            tensors.append(operations.total(
                [self._edge(slot, tensors) for slot in slots], name=f"{self._name}_node{node + 1}"
            ))
        return layers.Concatenate(name=f"{self._name}_concat")(tensors[2:])

    def _preprocessed(self, inputs, number: int):
        name = f"{self._name}_input{number + 1}"
        if number == 0 and self._plan.after_reduction:
            return operations.factorized_reduction(inputs, self._plan.channels, name=name)
        return operations.relu_conv_bn(inputs, self._plan.channels, name=name)

    def _is_built(self, slot: int) -> bool:
        """Tells whether the edge is no 'none', or such a one must stand in for it."""
        op, source = self._edges[slot]
        partner, _ = self._edges[slot ^ 1]
        read = any(other != "none" and origin == source for other, origin in self._edges)
        first = [origin for _, origin in self._edges].index(source) == slot
        return op != "none" or (partner == "none" and slot % 2 == 0) or (
            source < 2 and not read and first
        )

    def _edge(self, slot: int, tensors: list):
        op, source = self._edges[slot]
        stride = 2 if self._plan.reduction and source < 2 else 1
        name = f"{self._name}_node{slot // 2 + 1}_{'ab'[slot % 2]}_{op}"
        net = _OPERATIONS[op](tensors[source], self._plan.channels, stride, name)
        if op == "none" or (op == "skip_connect" and stride == 1):
            return net
        return operations.drop_path(net, self._drop_path, name=f"{name}_drop_path")


def _separable(kernel_size: int):
    def build(inputs, channels: int, stride: int, name: str):
        for number in (1, 2):
            net = operations.relu(inputs, name=f"{name}_relu{number}")
            net = operations.separable_convolution(
                net, channels, kernel_size=kernel_size, stride=stride, name=f"{name}_conv{number}"
            )
            inputs, stride = operations.batch_normalization(net, name=f"{name}_bn{number}"), 1
        return inputs

    return build


def _dilated(kernel_size: int):
    def build(inputs, channels: int, stride: int, name: str):
        net = operations.relu(inputs, name=f"{name}_relu")
        net = operations.separable_convolution(
            net, channels, kernel_size=kernel_size, stride=stride, dilation=2, name=f"{name}_conv"
        )
        return operations.batch_normalization(net, name=f"{name}_bn")

    return build


def _skip(inputs, channels: int, stride: int, name: str):
    return inputs if stride == 1 else operations.factorized_reduction(inputs, channels, name=name)


_OPERATIONS = {
    "none": lambda net, channels, stride, name: operations.zero(net, stride, name=name),
    "max_pool_3x3": lambda net, channels, stride, name: operations.max_pooling(
        net, stride=stride, name=name),
    "avg_pool_3x3": lambda net, channels, stride, name: operations.average_pooling(
        net, stride=stride, name=name),
    "skip_connect": _skip,
    "sep_conv_3x3": _separable(3),
    "sep_conv_5x5": _separable(5),
    "dil_conv_3x3": _dilated(3),
    "dil_conv_5x5": _dilated(5),
}


def _auxiliary_head(inputs, num_classes: int, setting: str):
    """Returns the logits of a small classifier; that of ImageNet lacks the second batch norm."""
    narrow, wide = AUXILIARY_WIDTHS
    net = operations.relu(inputs, name="auxiliary_relu")
    if pool := auxiliary_pool(setting, min(inputs.shape[1:3])):
        net = layers.AveragePooling2D(*pool, name="auxiliary_pool")(net)
    net = operations.convolution(net, narrow, kernel_size=1, name="auxiliary_conv1")
    net = operations.batch_normalization(net, name="auxiliary_bn1")
    net = operations.relu(net, name="auxiliary_relu1")
    net = layers.Conv2D(
        wide, 2, padding="valid" if min(net.shape[1:3]) > 1 else "same", use_bias=False,
        kernel_initializer=operations.fan_in_uniform(), name="auxiliary_conv2",
    )(net)
    if setting == "cifar":
        net = operations.batch_normalization(net, name="auxiliary_bn2")
    net = operations.relu(net, name="auxiliary_relu2")
    return operations.classifier(net, num_classes, name="auxiliary_logits")
