"""What DARTS networks cost, counted without building them.

Counted are trainable parameters, and the multiply-adds of convolutions and of the classifiers.

Shapes: B pairs of cells.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import darts_cells
from nas_tf.spaces.counting import Cost, conv, conv_bn, dense, halved, on_cifar10, separable
from nas_tf.spaces.darts_plan import (
    AUXILIARY_WIDTHS, INTERMEDIATE, STEM_MULTIPLIER, CellPlan, auxiliary_pool, first_channels, plan,
)
from nas_tf.spaces.darts_edges import (
    DIL3X3, DIL5X5, NUM_SLOTS, OP_NAMES, SEP3X3, SEP5X5, SKIP,
)

_KERNELS = {SEP3X3: 3, SEP5X5: 5, DIL3X3: 3, DIL5X5: 5}


def to_arrays(pairs: Sequence[tuple]) -> tuple[np.ndarray, np.ndarray]:
    """Returns operations and sources of architectures as arrays.

    Args:
        pairs: B of (normal, reduce), as `darts.build_network` takes them.

    Returns:
        codes of `spaces.darts`, int64 [B, 2, 8], and sources, int64 [B, 2, 8].
    """
    edges = np.array(
        [[[(OP_NAMES.index(op), source) for op, source in cell] for cell in pair] for pair in pairs]
    ).reshape(len(pairs), 2, NUM_SLOTS, 2)
    return edges[..., 0], edges[..., 1]


def of_cells(cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
    """Returns the same of cells [B], each of which is normal and reduction cell."""
    sources, ops = (array.reshape(len(cells), 1, NUM_SLOTS) for array in darts_cells.to_edges(cells))
    return np.repeat(ops, 2, axis=1), np.repeat(sources, 2, axis=1)


def parameters(
    ops: np.ndarray,
    sources: np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int | None = None,
    cells: int | None = None,
    auxiliary: bool = False,
    setting: str = "cifar",
) -> np.ndarray:
    """Counts the trainable parameters of networks; arguments as in `darts.build_network`.

    Args:
        ops: codes of `spaces.darts` of the edges of normal and reduction cell, integers [B, 2, 8].
        sources: what the edges read, 0 to 5, integers [B, 2, 8].
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the first cell's nodes.
        cells: number of cells.
        auxiliary: whether the auxiliary head counts.
        setting: "cifar" or "imagenet".

    Returns:
        int64 [B].
    """
    width = first_channels(setting, channels)
    total = _stem_parameters(setting, input_shape[-1], width)
    for cell in plan(setting, channels, cells):
        total = total + _cell_parameters(cell, ops, sources)
        if auxiliary and cell.auxiliary:
            inputs = INTERMEDIATE * cell.channels
            total = total + _auxiliary_parameters(setting, inputs, num_classes)
    return total + dense(INTERMEDIATE * cell.channels, num_classes)


def multiply_adds(
    ops: np.ndarray,
    sources: np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int | None = None,
    cells: int | None = None,
    auxiliary: bool = False,
    setting: str = "cifar",
) -> np.ndarray:
    """Counts the multiply-adds of one image, int64 [B]; see `parameters`."""
    width = first_channels(setting, channels)
    total, sides = _stem_multiply_adds(setting, input_shape, width)
    for cell in plan(setting, channels, cells):
        entering = sides
        sides = tuple(map(halved, sides)) if cell.reduction else sides
        total = total + _cell_multiply_adds(cell, ops, sources, entering)
        if auxiliary and cell.auxiliary:
            inputs = INTERMEDIATE * cell.channels
            total = total + _auxiliary_multiply_adds(setting, inputs, num_classes, sides)
    return total + INTERMEDIATE * cell.channels * num_classes


def cost_of(normal: Sequence, reduce: Sequence, **settings) -> Cost:
    """Returns what the network of one pair costs; arguments as in `darts.build_network`."""
    arrays = to_arrays([(normal, reduce)])
    counts = parameters(*arrays, **settings), multiply_adds(*arrays, **settings)
    return Cost(*(int(count[0]) for count in counts))


def costs(cells: CellGraphs) -> Cost:
    """Returns what the paper's networks for CIFAR-10 cost, int64 [...] each of cells [...]."""
    return on_cifar10(cells, of_cells, parameters, multiply_adds)


def _stem_parameters(setting: str, inputs: int, width: int) -> int:
    if setting == "cifar":
        return conv_bn(3, inputs, STEM_MULTIPLIER * width)
    half = width // 2
    return conv_bn(3, inputs, half) + conv_bn(3, half, width) + conv_bn(3, width, width)


def _stem_multiply_adds(setting: str, shape: tuple, width: int) -> tuple[int, tuple[int, int]]:
    """Returns the count and the sides of what leaves the stem."""
    sides, inputs, total = shape[:2], shape[2], 0
    if setting == "cifar":
        return conv(3, inputs, STEM_MULTIPLIER * width) * sides[0] * sides[1], sides
    for outputs in (width // 2, width, width):
        sides = tuple(map(halved, sides))
        total += conv(3, inputs, outputs) * sides[0] * sides[1]
        inputs = outputs
    return total, sides


def _edges(cell: CellPlan, ops: np.ndarray, sources: np.ndarray):
    """Yields kind, kernel size and [B, 8], which edges these are: strided ones apart."""
    ops, sources = np.asarray(ops)[:, int(cell.reduction)], np.asarray(sources)
    strided = cell.reduction & (sources[:, int(cell.reduction)] < 2)
    for op, kernel_size in _KERNELS.items():
        yield op, kernel_size, ops == op, strided
    yield SKIP, 1, (ops == SKIP) & strided, strided


def _cell_parameters(cell: CellPlan, ops: np.ndarray, sources: np.ndarray) -> np.ndarray:
    width = cell.channels
    total = sum(conv_bn(1, inputs, width) for inputs in cell.entering)
    for op, kernel_size, edges, _ in _edges(cell, ops, sources):
        once = conv(1, width, width) if op == SKIP else separable(kernel_size, width, width)
        twice = 2 if op in (SEP3X3, SEP5X5) else 1
        total = total + edges.sum(axis=-1) * twice * (once + 2 * width)
    return total


def _cell_multiply_adds(
    cell: CellPlan, ops: np.ndarray, sources: np.ndarray, entering: tuple[int, int]
) -> np.ndarray:
    """Counts one cell, [B], whose second input has sides `entering`."""
    width, large = cell.channels, entering[0] * entering[1]
    small = halved(entering[0]) * halved(entering[1])
    pixels = small if cell.reduction else large
    total = sum(conv(1, inputs, width) for inputs in cell.entering) * large
    for op, kernel_size, edges, strided in _edges(cell, ops, sources):
        once = conv(1, width, width) if op == SKIP else separable(kernel_size, width, width)
        twice = 2 if op in (SEP3X3, SEP5X5) else 1
        total = total + edges.sum(axis=-1) * twice * once * pixels
    return total


def _auxiliary_parameters(setting: str, inputs: int, num_classes: int) -> int:
    narrow, wide = AUXILIARY_WIDTHS
    return (
        conv_bn(1, inputs, narrow)
        + conv_bn(2, narrow, wide, affine=setting == "cifar")
        + dense(wide, num_classes)
    )


def _auxiliary_multiply_adds(
    setting: str, inputs: int, num_classes: int, sides: tuple[int, int]
) -> int:
    narrow, wide = AUXILIARY_WIDTHS
    if pool := auxiliary_pool(setting, min(sides)):
        sides = tuple((side - pool[0]) // pool[1] + 1 for side in sides)
    last = tuple(side - 1 for side in sides) if min(sides) > 1 else sides
    return (
        conv(1, inputs, narrow) * sides[0] * sides[1]
        + conv(2, narrow, wide) * last[0] * last[1]
        + wide * num_classes
    )
