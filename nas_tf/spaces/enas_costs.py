"""ENAS macro architectures as arrays, and the costs of their networks without building them.

ENAS (Pham et al., 2018, arXiv:1802.03268), section 3.2: every layer has one of six operations on
the layer before it and skip connections from any layers before that one. Layer k, counted from 0,
has k possible skip connections: from the stem (0) and from layers 0 to k - 2 (1 to k - 1).

Shapes: B networks, L layers (the paper's 12).
"""

from collections.abc import Sequence

import numpy as np

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import counting
from nas_tf.spaces.enas_cells import LAYER_OPS, to_layers

OPERATIONS = LAYER_OPS  # in the order of ENAS' and NNI's codes
FORMS = ("nni", "enas")
_KERNELS = np.array((3, 3, 5, 5, 0, 0))
_SEPARABLE = np.array((False, True, False, True, False, False))
_POOLS = np.array((False, False, False, False, True, True))


def operation_codes(ops: Sequence[str] | Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns operations as codes, int64 of the same shape.

    Args:
        ops: names, or codes that index `OPERATIONS`.

    Raises:
        InvalidArchitectureError: there is no such operation.
    """
    array = np.asarray(ops)
    if array.dtype.kind in "US":
        if unknown := sorted(set(array.ravel().tolist()) - set(OPERATIONS)):
            raise InvalidArchitectureError(
                f"ENAS: operation {unknown[0]!r}; expected one of {', '.join(OPERATIONS)}"
            )
        array = np.vectorize(OPERATIONS.index, otypes=[np.int64])(array)
    wrong = array[(array < 0) | (array >= len(OPERATIONS))]
    if wrong.size:
        raise InvalidArchitectureError(f"ENAS: operation code {wrong[0]}, expected 0 to 5")
    return array.astype(np.int64)


def skip_matrix(skips: Sequence[Sequence[int]] | np.ndarray) -> np.ndarray:
    """Returns one network's skip connections, uint8 [L, L - 1]; 1 at [k, i]: from source i to k.

    Args:
        skips: a row of 0 and 1 a layer; row k has k of them, or is filled up with zeros.

    Raises:
        InvalidArchitectureError: there are others.
    """
    matrix = np.zeros((len(skips), max(len(skips) - 1, 0)), np.uint8)
    for layer, row in enumerate(skips):
        bits = np.asarray(row, np.int64)
        if len(bits) < layer or not np.isin(bits, (0, 1)).all() or bits[layer:].any():
            raise InvalidArchitectureError(
                f"ENAS: skips of layer {layer}: expected {layer} of 0 and 1, got {tuple(row)}"
            )
        matrix[layer, :layer] = bits[:layer]
    return matrix


def reductions(num_layers: int) -> tuple[int, int]:
    """Returns the layers, counted from 0, after which the image is halved: 3 and 7 of 12.

    Raises:
        InvalidArchitectureError: there are fewer than three layers.
    """
    if num_layers < 3:
        raise InvalidArchitectureError(f"ENAS: {num_layers} layers, expected at least 3")
    return num_layers // 3 - 1, 2 * (num_layers // 3) - 1


def layer_channels(num_layers: int, channels: int, form: str = "nni") -> list[int]:
    """Returns the channels of every layer; in ENAS' own form they double at a reduction.

    Raises:
        ConfigError: there is no such form, or a number of channels that cannot be halved.
    """
    if form not in FORMS:
        raise ConfigError(f"form={form!r}: expected one of {', '.join(FORMS)}")
    if channels < 2 or channels % 2:
        raise ConfigError(f"channels={channels}: expected an even number of at least 2")
    halvings = reductions(num_layers)
    passed = [sum(layer > where for where in halvings) for layer in range(num_layers)]
    return [channels * 2 ** (count if form == "enas" else 0) for count in passed]


def parameters(
    ops: np.ndarray,
    skips: np.ndarray,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int,
    channels: int = 24,
    form: str = "nni",
) -> np.ndarray:
    """Returns the trainable parameters of networks, int64 [B].

    Args:
        ops: names or codes [B, L].
        skips: 0 or 1 [B, L, L - 1]; they cost something in ENAS' own form alone.
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the stem and, in NNI's form, of every layer.
        form: "nni" or "enas".
    """
    codes, widths = operation_codes(ops), layer_channels(np.shape(ops)[-1], channels, form)
    stem = counting.conv_bn(3, input_shape[2], channels)
    total = np.full(len(codes), stem, np.int64)
    for layer, wide in enumerate(widths):
        code = codes[:, layer]
        total += _operation_weights(wide)[code]
        if form == "nni":
            total += wide * (_KERNELS[code] > 0) * ~_SEPARABLE[code]  # biases
            continue
        total += 2 * wide * (2 - _POOLS[code])  # scales and offsets
        total += (_joined(skips, layer) * wide + 2) * wide * (layer > 0)
    for where in reductions(len(widths)):
        wide = widths[where + 1]
        shared = widths[where] * wide
        total += shared if form == "nni" else _read(skips, where) * (shared + 2 * wide)
    return total + (widths[-1] + (form == "nni")) * num_classes


def multiply_adds(
    ops: np.ndarray,
    skips: np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    channels: int = 24,
    form: str = "nni",
) -> np.ndarray:
    """Returns the multiply-adds of convolutions and classifier for one image, int64 [B].

    Args:
        ops: names or codes [B, L].
        skips: 0 or 1 [B, L, L - 1].
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        channels: of the stem and, in NNI's form, of every layer.
        form: "nni" or "enas".
    """
    codes, widths = operation_codes(ops), layer_channels(np.shape(ops)[-1], channels, form)
    halvings = reductions(len(widths))
    size = np.array(input_shape[:2], np.int64)
    stem = counting.conv(3, input_shape[2], channels)
    total = np.full(len(codes), stem * size.prod(), np.int64)
    for layer, wide in enumerate(widths):
        each = _operation_weights(wide)[codes[:, layer]]
        if form == "enas" and layer:
            each = each + _joined(skips, layer) * wide**2
        total += each * size.prod()
        if layer in halvings:
            size = counting.halved(size)
            total += _read(skips, layer) * wide * widths[layer + 1] * size.prod()
    return total + widths[-1] * num_classes


def costs(cells: CellGraphs) -> counting.Cost:
    """Returns what networks of 24 channels for CIFAR-10 cost, int64 [...] each of cells [...]."""
    return counting.on_cifar10(cells, of_cells, parameters, multiply_adds)


def of_cells(cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
    """Returns operation codes [B, L] and skip bits uint8 [B, L, L - 1] of cells [B]."""
    ops, bits = to_layers(cells)
    layers = ops.shape[-1]
    skips = np.zeros((len(ops), layers, layers - 1), np.uint8)
    rows, columns = np.tril_indices(layers, -1)
    skips[:, rows, columns] = bits
    return ops, skips


def channels_for(
    target: int, ops: Sequence[str], skips: Sequence[Sequence[int]], **settings
) -> int:
    """Returns the even number of channels with which a network comes nearest to a size.

    Args:
        target: trainable parameters.
        ops: L names or codes.
        skips: rows as of `skip_matrix`.
        **settings: the other arguments of `parameters`.
    """
    batch = operation_codes(ops)[None], skip_matrix(skips)[None]

    def distance(channels: int) -> int:
        return abs(int(parameters(*batch, channels=channels, **settings)[0]) - target)

    # Sizes grow with the square of the channels: the root of the ratio is near.
    unit = int(parameters(*batch, channels=1000, **settings)[0]) / 1e6
    guess = 2 * round((target / unit) ** 0.5 / 2)
    return min(range(max(guess - 100, 2), guess + 100, 2), key=distance)


def _operation_weights(wide: int) -> np.ndarray:
    """Returns kernels of the 1x1 convolution and of the operation for each of them, int64 [6]."""
    plain = counting.conv(_KERNELS, wide, wide)
    separable = counting.separable(_KERNELS, wide, wide)
    return counting.conv(1, wide, wide) + np.where(_SEPARABLE, separable, plain)


def _joined(skips: np.ndarray, layer: int) -> np.ndarray:
    """Returns how many tensors a layer of ENAS' own form concatenates, int64 [B]."""
    return 1 + np.asarray(skips, np.int64)[:, layer, :layer].sum(axis=-1)


def _read(skips: np.ndarray, where: int) -> np.ndarray:
    """Returns how many tensors that exist after a layer are read by later ones, int64 [B]."""
    later = np.asarray(skips)[:, where + 1 :, : where + 1]
    return 1 + later.any(axis=1).sum(axis=-1, dtype=np.int64)
