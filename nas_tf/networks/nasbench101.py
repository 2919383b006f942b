"""The NAS-Bench-101 network around a cell.

Ying et al., 2019, arXiv:1902.09635, section 2: a stem, stacks of equal cells with down-sampling
between them, global average pooling and a dense layer. Channels double where the image shrinks.
With equal weights it is the network of the official model builder, on TensorFlow 1, whose initial
weights (truncated normal, variance 1 / fan-in) it has too.
"""

from collections.abc import Sequence

from nas_tf.layers import keras_import as keras_import  # before Keras: tells why there is none

import keras
import numpy as np
from keras import layers

from nas_tf.core import InvalidArchitectureError
from nas_tf.layers.slicing import FirstChannels
from nas_tf.networks import operations
from nas_tf.spaces.nasbench101 import CONV1X1, CONV3X3, MAXPOOL3X3


def build_network(
    matrix: np.ndarray,
    ops: Sequence[int],
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    stem_channels: int = 128,
    num_stacks: int = 3,
    cells_per_stack: int = 3,
    batch_norm_momentum: float = 0.997,
) -> keras.Model:
    """Builds the classifier of one cell; the defaults are the benchmark's.

    Args:
        matrix: pruned upper-triangular adjacency [V, V].
        ops: V operation codes of `spaces.nasbench101`.
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        stem_channels: channels of the first stack.
        num_stacks: stacks; the image is halved between them.
        cells_per_stack: equal cells in a stack.
        batch_norm_momentum: how slowly the moving statistics follow.

    Returns:
        a model from images float32 [B, height, width, channels] to logits [B, num_classes].

    Raises:
        InvalidArchitectureError: the cell has an operation or a channel count that cannot be built.
    """
    block = _Block(batch_norm_momentum)
    images = layers.Input(input_shape, name="images")
    net = block.conv_bn_relu(images, 3, stem_channels, "stem")
    channels = stem_channels
    for stack in range(1, num_stacks + 1):
        if stack > 1:
            net = layers.MaxPooling2D(2, 2, padding="same", name=f"downsample{stack - 1}")(net)
            channels *= 2
        for cell in range(1, cells_per_stack + 1):
            name = f"stack{stack}_cell{cell}"
            net = _cell(block, net, np.asarray(matrix), ops, channels, name)
    features = layers.GlobalAveragePooling2D(name="logits_pool")(net)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(features)
    return keras.Model(images, logits, name="nasbench101")


def vertex_channels(matrix: np.ndarray, input_channels: int, output_channels: int) -> list[int]:
    """Returns the channels of every vertex (section 2.3 of the paper).

    The output's channels are divided among the vertices that feed it, the first ones taking what
    is left over; every other vertex has as many as the widest vertex it feeds.

    Args:
        matrix: pruned adjacency [V, V].
        input_channels: channels entering the cell.
        output_channels: channels leaving it.

    Raises:
        InvalidArchitectureError: more vertices feed the output than it has channels.
    """
    size = len(matrix)
    channels = [input_channels] + [0] * (size - 2) + [output_channels]
    feeding = [v for v in range(1, size - 1) if matrix[v, -1]]
    if len(feeding) > output_channels:
        raise InvalidArchitectureError(
            f"{len(feeding)} vertices feed an output of {output_channels} channels"
        )
    for rank, vertex in enumerate(feeding):
        share, rest = divmod(output_channels, len(feeding))
        channels[vertex] = share + (rank < rest)
    for vertex in range(size - 3, 0, -1):
        if not matrix[vertex, -1]:
            fed = [channels[v] for v in range(vertex + 1, size - 1) if matrix[vertex, v]]
            channels[vertex] = max(fed)
    return channels


class _Block:
    """Layer factory with the network's normalisation settings."""

    def __init__(self, batch_norm_momentum: float):
        self._momentum = batch_norm_momentum

    def conv_bn_relu(self, inputs, kernel_size: int, channels: int, name: str):
        """Convolution, batch normalisation, ReLU."""
        net = layers.Conv2D(
            channels, kernel_size, padding="same", use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(), name=f"{name}_conv",
        )(inputs)
        net = operations.batch_normalization(net, momentum=self._momentum, name=f"{name}_bn")
        return operations.relu(net, name=f"{name}_relu")

    def operation(self, op: int, inputs, channels: int, name: str):
        """One vertex's operation."""
        if op == MAXPOOL3X3:
            return operations.max_pooling(inputs, name=f"{name}_maxpool3x3")
        if op in (CONV1X1, CONV3X3):
            size = 1 if op == CONV1X1 else 3
            return self.conv_bn_relu(inputs, size, channels, f"{name}_{size}x{size}")
        raise InvalidArchitectureError(f"operation code {op} is no interior operation")


def _cell(block: _Block, inputs, matrix: np.ndarray, ops: Sequence[int], channels: int, name: str):
    """One cell: inner edges are cut to size and added, the input is projected, outputs joined."""
    size = len(matrix)
    widths = vertex_channels(matrix, inputs.shape[-1], channels)
    tensors = [inputs]
    for vertex in range(1, size - 1):
        place = f"{name}_vertex{vertex}"
        entering = [
            _cut(tensors[source], widths[vertex], f"{place}_from{source}")
            for source in range(1, vertex)
            if matrix[source, vertex]
        ]
        if matrix[0, vertex]:
            projected = block.conv_bn_relu(inputs, 1, widths[vertex], f"{place}_projection")
            entering.append(projected)
        net = operations.total(entering, name=f"{place}_sum")
        tensors.append(block.operation(ops[vertex], net, widths[vertex], place))
    leaving = [tensors[v] for v in range(1, size - 1) if matrix[v, -1]]
    if not leaving:
        return block.conv_bn_relu(inputs, 1, channels, f"{name}_projection")
    outputs = leaving[0]
    if len(leaving) > 1:
        outputs = layers.Concatenate(name=f"{name}_concat")(leaving)
    if matrix[0, -1]:
        projected = block.conv_bn_relu(inputs, 1, channels, f"{name}_projection")
        outputs = layers.Add(name=f"{name}_sum")([outputs, projected])
    return outputs


def _cut(tensor, channels: int, name: str):
    """Returns the first channels of a tensor."""
    if tensor.shape[-1] == channels:
        return tensor
    return FirstChannels(channels, name=name)(tensor)
