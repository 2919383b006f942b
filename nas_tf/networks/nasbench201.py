"""The NAS-Bench-201 network around a cell.

Dong and Yang, 2020, arXiv:2001.00326, section 2.1; with equal weights the released PyTorch network.
Three stacks of equal cells, a residual block of stride 2 before the second and the third.

An edge of 'none' adds zero. It is built only where a node had no way in or out without it, so that
all that the released network has, dead or alive, is there.

Shapes: B images, of height H, width W and C channels.
"""

from collections.abc import Sequence

from nas_tf.layers import keras_import as keras_import  # before Keras: tells why there is none

import keras
from keras import layers

from nas_tf.core import InvalidArchitectureError
from nas_tf.networks import operations
from nas_tf.spaces.nasbench201 import EDGE_OPS, EDGES

NUM_STACKS = 3
_OUTPUT = 3  # the last node


def build_network(
    ops: Sequence[str],
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int = 16,
    cells: int = 5,
) -> keras.Model:
    """Builds the classifier of one cell; the defaults are the benchmark's.

    Args:
        ops: names of six operations, on the edges 1<-0, 2<-0, 2<-1, 3<-0, 3<-1, 3<-2.
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the first stack; the next ones double them.
        cells: equal cells in a stack.

    Returns:
        a model from images float32 [B, height, width, channels] to logits [B, num_classes].

    Raises:
        InvalidArchitectureError: an operation is unknown, or there are not six.
    """
    _check(ops)
    images = layers.Input(input_shape, name="images")
    net = operations.convolution(images, channels, name="stem_conv")
    net = operations.batch_normalization(net, name="stem_bn")
    for stack in range(1, NUM_STACKS + 1):
        if stack > 1:
            channels *= 2
            net = _residual_block(net, channels, f"reduction{stack - 1}")
        for cell in range(1, cells + 1):
            net = _cell(net, ops, channels, f"stack{stack}_cell{cell}")
    net = operations.relu(operations.batch_normalization(net, name="last_bn"), name="last_relu")
    return keras.Model(images, operations.classifier(net, num_classes), name="nasbench201")


def _check(ops: Sequence[str]) -> None:
    if len(ops) != len(EDGES):
        raise InvalidArchitectureError(f"{len(ops)} operations: expected {len(EDGES)}")
    for op in ops:
        if op not in EDGE_OPS:
            raise InvalidArchitectureError(f"operation {op!r}: expected {', '.join(EDGE_OPS)}")


def _residual_block(inputs, channels: int, name: str):
    """A basic block of ResNet, of stride 2; its shortcut averages 2x2 pixels first."""
    net = operations.relu_conv_bn(inputs, channels, kernel_size=3, stride=2, name=f"{name}_a")
    net = operations.relu_conv_bn(net, channels, kernel_size=3, name=f"{name}_b")
    shortcut = layers.AveragePooling2D(2, 2, "same", name=f"{name}_pool")(inputs)
    shortcut = operations.convolution(shortcut, channels, kernel_size=1, name=f"{name}_shortcut")
    return operations.total([shortcut, net], name=f"{name}_sum")


def _cell(inputs, ops: Sequence[str], channels: int, name: str):
    """Every node is the sum of what the edges that lead to it make of earlier nodes."""
    tensors, kept = [inputs], _kept(ops)
    for node in range(1, _OUTPUT + 1):
        entering = [
            _edge(tensors[source], ops[edge], channels, f"{name}_edge{node}{source}_{ops[edge]}")
            for edge, (source, target) in enumerate(EDGES)
            if target == node and edge in kept
        ]
        tensors.append(operations.total(entering, name=f"{name}_node{node}"))
    return tensors[-1]


def _kept(ops: Sequence[str]) -> set[int]:
    """Returns the edges that are built: all but 'none', unless a node needs one."""
    kept = {edge for edge, op in enumerate(ops) if op != "none"}
    for node in range(1, _OUTPUT + 1):
        entering = {edge for edge, (_, target) in enumerate(EDGES) if target == node}
        kept |= set() if kept & entering else {min(entering)}
    for node in range(1, _OUTPUT):
        leaving = {edge for edge, (source, _) in enumerate(EDGES) if source == node}
        kept |= set() if kept & leaving else {max(leaving)}
    return kept


def _edge(inputs, op: str, channels: int, name: str):
    if op == "skip_connect":
        return inputs
    if op == "none":
        return operations.zero(inputs, name=name)
    if op == "avg_pool_3x3":
        return operations.average_pooling(inputs, name=name)
    kernel_size = 1 if op == "nor_conv_1x1" else 3
    return operations.relu_conv_bn(inputs, channels, kernel_size=kernel_size, name=name)
