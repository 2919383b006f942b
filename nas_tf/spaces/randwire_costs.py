"""Plan and costs of RandWire networks, without building them.

Xie et al., 2019, arXiv:1904.01569; sizes as in GraphPNAS (Li et al., 2022, arXiv:2211.15155),
appendix D. A node is a ReLU - separable 3x3 - batch-norm triplet. A node that no other feeds takes
a stage's input, and there the stage's stride stands; the nodes that feed no other are averaged.

Shapes: B networks, S graphs of a network (1, or 3: one for each image size), N nodes, L stages.
"""

import dataclasses

import numpy as np

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import counting

HEAD_CHANNELS = 1280


@dataclasses.dataclass(frozen=True)
class Stage:
    """A graph at work: its nodes' channels, its entry nodes' stride, which of three graphs."""

    channels: int
    stride: int
    graph: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """The network around the graphs: channels of the stem's two convolutions, stages."""

    stem: tuple[int, int]
    stages: tuple[Stage, ...]


_BASE = Plan((32, 64), (Stage(64, 2, 0), Stage(128, 2, 1), Stage(256, 2, 2)))
_LARGE = Plan(
    (48, 96), (Stage(192, 2, 0), Stage(288, 2, 1), Stage(384, 1, 1), Stage(586, 2, 2))
)
PLANS = {"base": _BASE, "cifar": _BASE, "large": _LARGE}


def plan(setting: str = "base", channels: int | None = None) -> Plan:
    """Returns the network around the graphs.

    Args:
        setting: "base" (or "cifar", the same) or "large".
        channels: of the first stage; the others keep their ratio to it. None: the paper's.

    Raises:
        ConfigError: there is no such setting, or fewer than two channels.
    """
    if setting not in PLANS:
        raise ConfigError(f"setting={setting!r}: RandWire has {sorted(PLANS)}")
    usual = PLANS[setting]
    if channels is None:
        return usual
    if channels < 2:
        raise ConfigError(f"channels={channels}: expected at least 2")
    first = usual.stages[0].channels
    scaled = [round(channels * wide / first) for wide in usual.stem]
    stages = (
        dataclasses.replace(stage, channels=round(channels * stage.channels / first))
        for stage in usual.stages
    )
    return Plan((max(scaled[0], 1), max(scaled[1], 1)), tuple(stages))


def fully_connected(num_nodes: int = 32) -> np.ndarray:
    """Returns the graph with every possible edge, uint8 [1, N, N]: a baseline of the tables."""
    return np.triu(np.ones((1, num_nodes, num_nodes), np.uint8), 1)


def check_graphs(graphs: np.ndarray) -> np.ndarray:
    """Returns adjacency matrices as bool [..., S, N, N].

    Args:
        graphs: upper triangular adjacency [..., S, N, N] of 0 and 1; S is 1 or 3.

    Raises:
        InvalidArchitectureError: they are no such graphs.
    """
    array = np.asarray(graphs)
    if array.ndim < 3 or array.shape[-3] not in (1, 3) or array.shape[-1] != array.shape[-2]:
        raise InvalidArchitectureError(
            f"RandWire: expected 1 or 3 adjacency matrices [N, N], got shape {array.shape}"
        )
    if not array.shape[-1]:
        raise InvalidArchitectureError("RandWire: a graph without nodes")
    if not np.isin(array, (0, 1)).all() or np.tril(array).any():
        raise InvalidArchitectureError(
            "RandWire: expected adjacency of 0 and 1, strictly upper triangular"
        )
    return array.astype(bool)


def parameters(
    graphs: np.ndarray,
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int,
    setting: str = "base",
    channels: int | None = None,
    separable_stem: bool = True,
) -> np.ndarray:
    """Returns the trainable parameters of networks, int64 [B].

    Args:
        graphs: upper triangular adjacency [B, S, N, N].
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        setting: "base" or "large".
        channels: of the first stage; None is the paper's number.
        separable_stem: whether the second convolution is separable, see `networks.randwire`.
    """
    around = plan(setting, channels)
    first, second = around.stem
    total = counting.conv_bn(3, input_shape[2], first)
    total += _second_weights(first, second, separable_stem) + 2 * second
    total = np.full(len(graphs), total, np.int64)
    edges, entries, nodes = _counts(graphs)
    entering = second
    for stage in around.stages:
        which = stage.graph % edges.shape[1]
        at_entry = counting.separable(3, entering, stage.channels)
        inside = counting.separable(3, stage.channels, stage.channels)
        total += entries[:, which] * at_entry + (nodes - entries[:, which]) * inside
        total += edges[:, which] + entries[:, which] + nodes * 2 * stage.channels
        entering = stage.channels
    head = counting.conv_bn(1, entering, HEAD_CHANNELS)
    return total + head + counting.dense(HEAD_CHANNELS, num_classes)


def multiply_adds(
    graphs: np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    setting: str = "base",
    channels: int | None = None,
    separable_stem: bool = True,
) -> np.ndarray:
    """Returns the multiply-adds of convolutions and classifier for one image, int64 [B].

    Args:
        graphs: upper triangular adjacency [B, S, N, N].
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        setting: "base" or "large".
        channels: of the first stage; None is the paper's number.
        separable_stem: whether the second convolution is separable.
    """
    around = plan(setting, channels)
    first, second = around.stem
    size = _halved(input_shape[:2])
    total = counting.conv(3, input_shape[2], first) * np.prod(size)
    size = _halved(size)
    total += _second_weights(first, second, separable_stem) * np.prod(size)
    total = np.full(len(graphs), total, np.int64)
    _, entries, nodes = _counts(graphs)
    entering = second
    for stage in around.stages:
        size = _halved(size) if stage.stride == 2 else size
        count = entries[:, stage.graph % entries.shape[1]]
        at_entry = counting.separable(3, entering, stage.channels)
        inside = counting.separable(3, stage.channels, stage.channels)
        total += (count * at_entry + (nodes - count) * inside) * np.prod(size)
        entering = stage.channels
    return total + entering * HEAD_CHANNELS * np.prod(size) + HEAD_CHANNELS * num_classes


def costs(cells: CellGraphs) -> counting.Cost:
    """Returns what base networks for CIFAR-10 cost, int64 [...] each of cells [...]."""
    return counting.on_cifar10(cells, of_cells, parameters, multiply_adds)


def of_cells(cells: CellGraphs) -> tuple[np.ndarray]:
    """Returns adjacency uint8 [B, 1, N, N]: each of cells [B] stands for all stages."""
    return (cells.adjacency[:, None],)


def _counts(graphs: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns edges and entry nodes, int64 [B, S] each, and N."""
    array = check_graphs(graphs)
    edges = array.sum(axis=(-2, -1), dtype=np.int64)
    return edges, (~array.any(axis=-2)).sum(axis=-1, dtype=np.int64), array.shape[-1]


def _second_weights(first: int, second: int, is_separable: bool) -> int:
    """Returns the kernels of the stem's second convolution."""
    return (counting.separable if is_separable else counting.conv)(3, first, second)


def _halved(size) -> tuple[int, int]:
    return counting.halved(size[0]), counting.halved(size[1])
