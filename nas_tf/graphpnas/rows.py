"""Probabilities of the rows of graphs: mixtures of independent edges, and labels of nodes.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), equations 1 to 6. Given the rows before it,

    P(A_i) = sum_k alpha_ik prod_j theta_ikj,    P(X_i) = beta_i

where theta_ikj is a Bernoulli distribution, or with labelled edges a categorical one. What is no
choice has logits that leave a probability of exactly 0 or 1: `BIG` in float32.

Shapes: S runs, B graphs, N nodes, T rows, K components of a mixture, L labels of an edge (2 has one
logit), C labels of a node.
"""

import itertools
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from nas_tf.spaces.graph_form import GraphDescription

tfd = tfp.distributions

_STRETCHES = 3  # of rows: more of them save work on small graphs, and take longer to compile
BIG = 1e4  # a logit beyond which float32 knows 0 and 1 alone

Weights = dict[str, tf.Tensor]


class Graphs(NamedTuple):
    """Graphs as a generator decides them.

    Attributes:
        edges: int8 [..., N, N], labels; [i, j] is the edge from node j to node i, 0 is none.
        labels: int8 [..., N], of nodes.
    """

    edges: tf.Tensor
    labels: tf.Tensor


class Rows(NamedTuple):
    """Logits of rows.

    Attributes:
        mixture: float32 [..., K].
        edges: float32 [..., K, N], of the edge being there; with labels [..., K, N, L].
        labels: float32 [..., C].
    """

    mixture: tf.Tensor
    edges: tf.Tensor
    labels: tf.Tensor


class Generator(Protocol):
    """A network that gives rows their logits, for many runs with weights of their own at once.

    It is a frozen dataclass: equal ones share compiled programs.

    Attributes:
        description: of the graphs.
    """

    description: GraphDescription

    def initial_weights(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draws the weights of one run, float32 without the axis of runs."""

    def rows(self, weights: Weights, graphs: Graphs, rows: tf.Tensor) -> Rows:
        """Returns the logits of rows.

        Args:
            weights: float32 [S, ...].
            graphs: [S, B]; of each, a row sees the rows before it alone. Only their first nodes, a
                number known when the program is made, may be given: all up to the last of `rows`.
            rows: int32 [T], nodes.

        Returns:
            logits, [S, B, T].
        """


def glorot(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draws a kernel, float32 [..., inputs, outputs], Glorot uniform."""
    bound = np.float32(np.sqrt(6.0 / (shape[-2] + shape[-1])))
    return (2.0 * rng.random(shape, np.float32) - 1.0) * bound


def masked(description: GraphDescription, logits: Rows, rows: tf.Tensor) -> Rows:
    """Replaces the logits of what is no choice.

    Args:
        description: of the graphs.
        logits: [S, B, T]; of edges from the first nodes alone.
        rows: int32 [T], nodes.
    """
    size, num_labels = description.num_nodes, description.num_edge_labels
    later = [[0, 0]] * 4 + [[0, size - logits.edges.shape[4]]]
    later += [[0, 0]] * (len(logits.edges.shape) - 5)
    logits = logits._replace(edges=tf.pad(logits.edges, later))
    fixed = np.zeros((size, size), np.int64)
    for source, target in description.fixed_edges:
        fixed[target, source] = 1
    free = tf.gather(description.free_edges, rows)  # [T, N]
    if num_labels == 2:
        given = tf.gather((2.0 * fixed - 1.0).astype(np.float32) * BIG, rows)
        edges = tf.where(free[:, None], logits.edges, given[:, None])
    else:
        given = _certain(fixed, num_labels)
        edges = tf.where(free[:, None, :, None], logits.edges, tf.gather(given, rows)[:, None])
    labelled = np.isin(np.arange(size), description.labelled_nodes)
    given = _certain(np.zeros(size, np.int64), description.num_node_labels)
    labels = tf.where(tf.gather(labelled, rows)[:, None], logits.labels, tf.gather(given, rows))
    return Rows(logits.mixture, edges, labels)


def _certain(labels: np.ndarray, count: int) -> np.ndarray:
    """Returns the logits float32 [..., count] of labels [...] that are no choice."""
    return np.where(labels[..., None] == np.arange(count), 0.0, -BIG).astype(np.float32)


def row_log_prob(description: GraphDescription, logits: Rows, edges, labels) -> tf.Tensor:
    """Returns the log-probability of rows, float32 [...].

    Args:
        description: of the graphs.
        logits: [...].
        edges: int8 [..., N].
        labels: int8 [...].
    """
    if description.num_edge_labels == 2:
        components = tfd.Bernoulli(logits=logits.edges, dtype=tf.int32)
    else:
        components = tfd.Categorical(logits=logits.edges)
    row = tfd.MixtureSameFamily(
        tfd.Categorical(logits=logits.mixture), tfd.Independent(components, 1)
    )
    node = tfd.Categorical(logits=logits.labels)
    return row.log_prob(tf.cast(edges, tf.int32)) + node.log_prob(tf.cast(labels, tf.int32))


def graph_log_prob(generator: Generator, weights: Weights, graphs: Graphs) -> tf.Tensor:
    """Returns the log-probability of graphs [S, B], float32; all rows are scored in one pass."""
    rows = tf.constant(generator.description.rows)
    logits = generator.rows(weights, graphs, rows)
    edges = tf.gather(graphs.edges, rows, axis=-2)
    labels = tf.gather(graphs.labels, rows, axis=-1)
    return tf.reduce_sum(row_log_prob(generator.description, logits, edges, labels), axis=-1)


def num_uniform(description: GraphDescription) -> int:
    """Returns how many random numbers a row needs: its component, its edges and its label."""
    return description.num_nodes + 2


def sample_graphs(
    generator: Generator,
    weights: Weights,
    uniform: tf.Tensor,
    temperature: tf.Tensor | None = None,
) -> Graphs:
    """Draws graphs row by row.

    Rows come in `_STRETCHES`: one loop each, over graphs of no more nodes than its last row needs.

    Args:
        generator: gives logits.
        weights: float32 [S, ...].
        uniform: float32 [S, B, T, `num_uniform`] in [0, 1): the same numbers give the same graphs.
        temperature: float32 [B] that logits are divided by; None is 1.

    Returns:
        graphs [S, B].
    """
    count = len(generator.description.rows)
    rows = tf.constant(generator.description.rows)
    bounds = sorted({round(count * part / _STRETCHES) for part in range(_STRETCHES + 1)})
    none = tf.zeros_like(uniform[..., 0], tf.int8)[..., :0]  # [S, B, 0]: graphs without nodes
    graphs = Graphs(none[..., None][..., :0], none)

    def draw(number, graphs):
        logits = generator.rows(weights, graphs, rows[number][None])
        logits = Rows(*(array[:, :, 0] for array in logits))
        if temperature is not None:
            logits = Rows(*(
                array / tf.reshape(temperature, [-1] + [1] * (len(array.shape) - 2))
                for array in logits
            ))
        new = draw_rows(generator.description, logits, uniform[:, :, number])
        return number + 1, _with_row(graphs, rows[number], new)

    for first, end in itertools.pairwise(bounds):
        graphs = _grown(graphs, generator.description.rows[end - 1] + 1)
        _, graphs = tf.while_loop(
            lambda number, _, end=end: number < end, draw, (first, graphs),
            maximum_iterations=end - first,
        )
    return graphs


def _grown(graphs: Graphs, size: int) -> Graphs:
    """Gives graphs [S, B] nodes without edges, up to `size`."""
    more = [[0, 0], [0, 0], [0, size - graphs.labels.shape[-1]]]
    return Graphs(tf.pad(graphs.edges, [*more, more[-1]]), tf.pad(graphs.labels, more))


def _with_row(graphs: Graphs, row: tf.Tensor, new: Graphs) -> Graphs:
    """Returns graphs [S, B] with their row `row` replaced: edges [S, B, N] and labels [S, B]."""
    size = graphs.labels.shape[-1]
    here = tf.range(size) == row
    return Graphs(
        tf.where(here[:, None], new.edges[:, :, None, :size], graphs.edges),
        tf.where(here, new.labels[:, :, None], graphs.labels),
    )


def draw_rows(description: GraphDescription, logits: Rows, uniform: tf.Tensor) -> Graphs:
    """Draws rows by inverting cumulative probabilities.

    Args:
        description: of the graphs.
        logits: [...].
        uniform: float32 [..., `num_uniform`].

    Returns:
        edges int8 [..., N] and labels int8 [...].
    """
    component = _invert(logits.mixture, uniform[..., 0])
    batch_dims = len(component.shape)
    chosen = tf.gather(logits.edges, component, axis=batch_dims, batch_dims=batch_dims)
    if description.num_edge_labels == 2:
        edges = tf.cast(uniform[..., 1:-1] < tf.sigmoid(chosen), tf.int8)
    else:
        edges = tf.cast(_invert(chosen, uniform[..., 1:-1]), tf.int8)
    return Graphs(edges, tf.cast(_invert(logits.labels, uniform[..., -1]), tf.int8))


def _invert(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Returns the choice int32 [...] of logits [..., choices] that numbers [...] in [0, 1) make."""
    cumulative = tf.cumsum(tf.nn.softmax(logits), axis=-1)[..., :-1]
    return tf.reduce_sum(tf.cast(uniform[..., None] >= cumulative, tf.int32), axis=-1)
