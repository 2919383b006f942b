"""RandWire: a stem, stages that are random graphs of separable convolutions, a head.

Xie et al., 2019, arXiv:1904.01569, with the sizes of GraphPNAS (Li et al., 2022,
arXiv:2211.15155, appendix D). A node adds its inputs with weights that a sigmoid keeps positive,
and is a ReLU - separable 3x3 - batch-norm triplet. Nodes that no other feeds take the stage's
input, each edge from it having a weight too, and halve the image; the stage's output is the mean of
the nodes that feed no other. One graph serves all stages, or (NAGO: Ru et al., 2020,
arXiv:2004.01395) each image size has one of its own.

GraphPNAS's counts fit a stem whose second convolution is separable; in Xie et al. it is plain
(`separable_stem=False`): WS(4, 0.75) graphs with 78 channels then have their 583 M multiply-adds.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from nas_tf.layers.drop_path import Dropout
from nas_tf.layers.weighted_sum import WeightedSum
from nas_tf.networks import operations
from nas_tf.spaces.randwire_costs import HEAD_CHANNELS, Stage, check_graphs, plan


def build_network(
    graphs: Sequence | np.ndarray,
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    setting: str = "base",
    channels: int | None = None,
    separable_stem: bool = True,
    dropout: float = 0.0,
) -> keras.Model:
    """Builds the classifier of one graph, or of one for each of three image sizes.

    Args:
        graphs: strictly upper triangular adjacency [S, N, N] of 0 and 1; S is 1 or 3. In the large
            network the second of three graphs serves the two stages of one image size.
        input_shape: height, width and channels of an image.
        num_classes: units of the last layer.
        setting: "base" (32, 64; 64, 128, 256 channels; "cifar" is the same) or "large" (48, 96;
            192, 288, 384, 586).
        channels: of the first stage; the others keep their ratio to it. None: the paper's.
        separable_stem: whether the second convolution of the stem is separable.
        dropout: share of features dropped before the classifier.

    Returns:
        a model from images float32 [B, height, width, channels] to logits [B, num_classes].

    Raises:
        InvalidArchitectureError: the graphs are no such graphs.
        ConfigError: there is no such setting.
    """
    adjacency, around = check_graphs(np.asarray(graphs)), plan(setting, channels)
    images = layers.Input(input_shape, name="images")
    net = _stem(images, around.stem, separable_stem)
    for number, stage in enumerate(around.stages, 1):
        net = _stage(net, adjacency[stage.graph % len(adjacency)], stage, f"stage{number}")
    net = operations.relu_conv_bn(net, HEAD_CHANNELS, name="head")
    net = layers.GlobalAveragePooling2D(name="head_pool")(net)
    if dropout:
        net = Dropout(dropout, name="dropout")(net)
    return keras.Model(images, operations.dense(net, num_classes, name="logits"), name="randwire")


def _stem(images, channels: tuple[int, int], separable: bool):
    """Two strided convolutions; the image has a quarter of its height and width after them."""
    convolve = operations.separable_convolution if separable else operations.convolution
    net = operations.convolution(images, channels[0], stride=2, name="stem1_conv")
    net = operations.batch_normalization(net, name="stem1_bn")
    net = operations.relu(net, name="stem2_relu")
    net = convolve(net, channels[1], stride=2, name="stem2_conv")
    return operations.batch_normalization(net, name="stem2_bn")


def _stage(inputs, adjacency: np.ndarray, stage: Stage, name: str):
    """One graph at work; adjacency is bool [N, N]."""
    outputs = []
    for node, feeding in enumerate(adjacency.T):
        sources = [outputs[source] for source in np.flatnonzero(feeding)]
        outputs.append(_node(sources or [inputs], stage, f"{name}_node{node}", not sources))
    leaving = [outputs[node] for node in np.flatnonzero(~adjacency.any(axis=1))]
    return leaving[0] if len(leaving) == 1 else layers.Average(name=f"{name}_mean")(leaving)


def _node(sources: list, stage: Stage, name: str, entry: bool):
    net = WeightedSum(name=f"{name}_sum")(sources)
    net = operations.relu(net, name=f"{name}_relu")
    stride = stage.stride if entry else 1
    net = operations.separable_convolution(net, stage.channels, stride=stride, name=f"{name}_conv")
    return operations.batch_normalization(net, name=f"{name}_bn")
