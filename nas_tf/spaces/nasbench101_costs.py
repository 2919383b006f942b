"""What NAS-Bench-101 networks cost, counted without building them.

Counted are trainable parameters, as in the benchmark, and the multiply-adds of convolutions and of
the classifier.

Shapes: B cells, N nodes a cell is padded to.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.counting import Cost, dense, halved, on_cifar10
from nas_tf.spaces.nasbench101_cells import CONV1X1, CONV3X3

_CHUNK = 1 << 14  # cells counted at a time, so that the working set stays in cache


def vertex_channels(cells: CellGraphs, outputs: int) -> np.ndarray:
    """Returns the channels of interior nodes (section 2.3 of the paper), 0 of all others.

    The output's channels are divided among the nodes that feed it, the first ones taking what is
    left over; every other node has as many as the widest node it feeds.

    Args:
        cells: pruned cells [B].
        outputs: channels leaving a cell.

    Returns:
        int64 [B, N].

    Raises:
        InvalidArchitectureError: more nodes feed an output than it has channels.
    """
    nodes = np.arange(cells.max_nodes)
    last = cells.num_nodes[:, None].astype(np.int64) - 1
    interior = (nodes > 0) & (nodes < last)
    feeding = _last_column(cells).astype(bool) & interior
    count = feeding.sum(axis=-1, keepdims=True)
    if (count > outputs).any():
        raise InvalidArchitectureError(
            f"{count.max()} vertices feed an output of {outputs} channels"
        )
    share, rest = np.divmod(outputs, np.maximum(count, 1))
    channels = np.where(feeding, share + (np.cumsum(feeding, axis=-1) <= rest), 0)
    for node in nodes[-2:0:-1]:
        widest = (cells.adjacency[:, node] * channels).max(axis=-1)
        others = interior[:, node] & ~feeding[:, node]
        channels[:, node] = np.where(others, widest, channels[:, node])
    return channels


def parameters(
    cells: CellGraphs,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    stem_channels: int = 128,
    num_stacks: int = 3,
    cells_per_stack: int = 3,
) -> np.ndarray:
    """Counts the trainable parameters of networks; arguments as in `nasbench101.build_network`.

    Args:
        cells: pruned cells [B].
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        stem_channels: channels of the first stack.
        num_stacks: stacks; the image is halved between them.
        cells_per_stack: equal cells in a stack.

    Returns:
        int64 [B].

    Raises:
        InvalidArchitectureError: a cell cannot be built with so few channels.
    """
    fixed = 9 * input_shape[-1] * stem_channels + 2 * stem_channels
    fixed += dense(stem_channels * 2 ** (num_stacks - 1), num_classes)
    stacks = [stem_channels * 2**stack for stack in range(num_stacks)]
    return fixed + _over_chunks(cells, lambda part: sum(
        times * sum(_cell(part, inputs, outputs))
        for outputs in stacks
        for inputs, times in _entering(outputs, stem_channels, cells_per_stack)
    ))


def multiply_adds(
    cells: CellGraphs,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    stem_channels: int = 128,
    num_stacks: int = 3,
    cells_per_stack: int = 3,
) -> np.ndarray:
    """Counts the multiply-adds of one image, int64 [B]; see `parameters`."""
    height, width, channels = input_shape
    fixed = 9 * channels * stem_channels * height * width
    fixed += stem_channels * 2 ** (num_stacks - 1) * num_classes
    stacks = []
    for stack in range(num_stacks):
        stacks.append((stem_channels * 2**stack, height * width))
        height, width = halved(height), halved(width)
    return fixed + _over_chunks(cells, lambda part: sum(
        times * pixels * _cell(part, inputs, outputs)[0]
        for outputs, pixels in stacks
        for inputs, times in _entering(outputs, stem_channels, cells_per_stack)
    ))


def cost_of(matrix: np.ndarray, ops: Sequence[int], **settings) -> Cost:
    """Returns what the network of one cell costs; arguments as in `nasbench101.build_network`."""
    cells = CellGraphs.from_matrices([matrix], [ops], len(ops))
    counts = parameters(cells, **settings), multiply_adds(cells, **settings)
    return Cost(*(int(count[0]) for count in counts))


def costs(cells: CellGraphs) -> Cost:
    """Returns what the paper's networks for CIFAR-10 cost, int64 [...] each of cells [...]."""
    return on_cifar10(cells, lambda flat: (flat,), parameters, multiply_adds)


def _over_chunks(cells: CellGraphs, count) -> np.ndarray:
    starts = range(0, len(cells), _CHUNK)
    parts = [count(cells[start : start + _CHUNK]) for start in starts]
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _entering(outputs: int, stem_channels: int, cells: int) -> Iterator[tuple[int, int]]:
    """Yields channels entering a stack's cells, and how many cells these are."""
    yield (outputs if outputs == stem_channels else outputs // 2), 1
    yield outputs, cells - 1


def _cell(cells: CellGraphs, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the weights of a cell's convolutions and of its batch norms, int64 [B] each."""
    channels = vertex_channels(cells, outputs)
    kernel = np.select([cells.ops == CONV1X1, cells.ops == CONV3X3], [1, 9], 0)
    projected = channels * cells.adjacency[:, 0]
    straight = outputs * _last_column(cells)[:, 0].astype(np.int64)  # from input to output
    convolutions = (kernel * channels**2 + inputs * projected).sum(axis=-1) + inputs * straight
    normalised = (channels * (kernel > 0) + projected).sum(axis=-1) + straight
    return convolutions, 2 * normalised


def _last_column(cells: CellGraphs) -> np.ndarray:
    """Returns which nodes feed the output, 0 or 1 [B, N]."""
    last = cells.num_nodes[:, None, None].astype(np.int64) - 1
    return np.take_along_axis(cells.adjacency, last, axis=-1)[..., 0]
