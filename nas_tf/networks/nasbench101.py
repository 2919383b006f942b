"""The NAS-Bench-101 network around a cell.

Ying et al., 2019, arXiv:1902.09635, section 2: a stem, stacks of equal cells with down-sampling
between them, global average pooling and a dense layer. Channels double where the image shrinks.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from nas_tf.core import InvalidArchitectureError
from nas_tf.layers.normalization import FusedBatchNormalization
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
    images = layers.Input(input_shape)
    net = block.conv_bn_relu(images, 3, stem_channels)
    channels = stem_channels
    for stack in range(num_stacks):
        if stack:
            net = layers.MaxPooling2D(2, 2, padding="same")(net)
            channels *= 2
        for _ in range(cells_per_stack):
            net = _cell(block, net, np.asarray(matrix), ops, channels)
    logits = layers.Dense(num_classes)(layers.GlobalAveragePooling2D()(net))
    return keras.Model(images, logits)


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

    def conv_bn_relu(self, inputs, kernel_size: int, channels: int):
        """Convolution, batch normalisation, ReLU."""
        net = layers.Conv2D(
            channels, kernel_size, padding="same", use_bias=False, kernel_initializer="he_normal"
        )(inputs)
        net = FusedBatchNormalization(momentum=self._momentum)(net)
        return layers.ReLU()(net)

    def operation(self, op: int, inputs, channels: int):
        """One vertex's operation."""
        if op == MAXPOOL3X3:
            return layers.MaxPooling2D(3, 1, padding="same")(inputs)
        if op in (CONV1X1, CONV3X3):
            return self.conv_bn_relu(inputs, 1 if op == CONV1X1 else 3, channels)
        raise InvalidArchitectureError(f"operation code {op} is no interior operation")


def _cell(block: _Block, inputs, matrix: np.ndarray, ops: Sequence[int], channels: int):
    """One cell: inner edges are cut to size and added, the input is projected, outputs joined."""
    size = len(matrix)
    widths = vertex_channels(matrix, inputs.shape[-1], channels)
    tensors = [inputs]
    for vertex in range(1, size - 1):
        entering = [
            tensors[source][..., : widths[vertex]]
            if widths[source] > widths[vertex]
            else tensors[source]
            for source in range(1, vertex)
            if matrix[source, vertex]
        ]
        if matrix[0, vertex]:
            entering.append(block.conv_bn_relu(inputs, 1, widths[vertex]))
        tensors.append(block.operation(ops[vertex], _sum(entering), widths[vertex]))
    leaving = [tensors[v] for v in range(1, size - 1) if matrix[v, -1]]
    if not leaving:
        return block.conv_bn_relu(inputs, 1, channels)
    outputs = leaving[0] if len(leaving) == 1 else layers.Concatenate()(leaving)
    if matrix[0, -1]:
        outputs = _sum([outputs, block.conv_bn_relu(inputs, 1, channels)])
    return outputs


def _sum(tensors: list):
    return tensors[0] if len(tensors) == 1 else layers.Add()(tensors)
