"""A distribution over graphs, as TensorFlow Probability knows distributions.

    graphs = GraphDistribution(generator, weights)
    samples = graphs.sample(1000, seed=(0, 1))  # Graphs of int8 [1000, S, N, N] and [1000, S, N]
    graphs.log_prob(samples)                    # float32 [1000, S]

GraphPNAS (Li et al., 2022, arXiv:2211.15155), equation 1: P(A, X) is the product over rows of
P(A_i | rows before) P(X_i | rows before); see `rows`.

Shapes: S runs, each with weights of its own, N nodes, M samples.
"""

import functools
import itertools

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from nas_tf.core import ConfigError
from nas_tf.graphpnas.rows import (
    Generator,
    Graphs,
    Rows,
    Weights,
    graph_log_prob,
    num_uniform,
    row_log_prob,
    sample_graphs,
)
from nas_tf.spaces.graph_form import empty_graphs

tfd = tfp.distributions

_MODE_WIDTH = 64  # prefixes kept
_MAX_ROWS = 1 << 16  # values of a row that beam search compares


class GraphDistribution(tfd.Distribution):
    """P(A, X) of a generator with given weights; its batch shape is [S].

    A value is a `rows.Graphs`; `description.free_edges` says which entries are a choice. A graph
    that has another value elsewhere in a row of `description.rows` has log-probability -10,000 or
    less; a first node that has no row must be all zeros.
    """

    def __init__(
        self,
        generator: Generator,
        weights: Weights,
        *,
        jit_compile: bool = True,
        name: str = "GraphDistribution",
    ):
        """Makes the distribution.

        Args:
            generator: gives rows their logits.
            weights: float32 [S, ...] by name.
            jit_compile: compile sampling and scoring with XLA.
            name: of operations.
        """
        parameters = {
            "generator": generator, "weights": weights, "jit_compile": jit_compile, "name": name
        }
        self._generator = generator
        self._weights = {key: tf.convert_to_tensor(value) for key, value in weights.items()}
        self._draw, self._score = programs(generator, jit_compile)
        super().__init__(
            dtype=Graphs(tf.int8, tf.int8),
            reparameterization_type=Graphs(*(tfd.NOT_REPARAMETERIZED,) * 2),
            validate_args=False,
            allow_nan_stats=True,
            parameters=parameters,
            name=name,
        )

    @property
    def generator(self) -> Generator:
        """The network behind the distribution."""
        return self._generator

    def entropy_estimate(self, num_samples: int, seed) -> tf.Tensor:
        """Returns the mean of -log P over samples, float32 [S], in nats."""
        return -tf.reduce_mean(self.log_prob(self.sample(num_samples, seed=seed)), axis=0)

    def most_probable(self, count: int, *, width: int | None = None) -> tuple[Graphs, np.ndarray]:
        """Finds the most probable graphs by beam search over rows.

        Args:
            count: M, graphs wanted.
            width: prefixes kept after a row, at least `count`; with as many as there are graphs
                the search is exact. Default: 4 `count`.

        Returns:
            graphs [M, S] and their log-probabilities float32 [M, S], most probable first; M is
            smaller where there are fewer graphs.

        Raises:
            ConfigError: a row has too many values to compare, or a number is out of range.
        """
        width = 4 * count if width is None else width
        if not 1 <= count <= width:
            raise ConfigError(f"count={count}, width={width}: expected 1 <= count <= width")
        return _beam(self._generator, self._weights, count, width)

    def _mode(self):
        """Returns the first of `most_probable`: the mode as far as beam search finds it."""
        graphs, _ = self.most_probable(1, width=_MODE_WIDTH)
        return tf.nest.map_structure(lambda array: array[0], graphs)

    def _event_shape(self):
        size = self._generator.description.num_nodes
        return Graphs(tf.TensorShape([size, size]), tf.TensorShape([size]))

    def _event_shape_tensor(self):
        size = self._generator.description.num_nodes
        return Graphs(tf.constant([size, size]), tf.constant([size]))

    def _batch_shape(self):
        return next(iter(self._weights.values())).shape[:1]

    def _batch_shape_tensor(self):
        return tf.shape(next(iter(self._weights.values())))[:1]

    def _default_event_space_bijector(self):
        return None

    def _sample_n(self, n, seed=None):
        description = self._generator.description
        runs, rows = self._batch_shape_tensor()[0], len(description.rows)
        seed = tfp.random.sanitize_seed(seed, salt="graphs")
        shape = [runs, n, rows, num_uniform(description)]
        graphs = self._draw(self._weights, tf.random.stateless_uniform(shape, seed))
        return tf.nest.map_structure(_swap, graphs)

    def _log_prob(self, value):
        description = self._generator.description
        value = Graphs(*value)
        size = description.num_nodes
        lead = tf.broadcast_dynamic_shape(tf.shape(value.labels)[:-1], self._batch_shape_tensor())
        edges = tf.broadcast_to(value.edges, tf.concat([lead, [size, size]], 0))
        labels = tf.broadcast_to(value.labels, tf.concat([lead, [size]], 0))
        flat = Graphs(
            _swap(tf.reshape(edges, [-1, lead[-1], size, size])),
            _swap(tf.reshape(labels, [-1, lead[-1], size])),
        )
        found = self._score(self._weights, flat)
        return tf.reshape(_swap(found), lead)


@functools.cache
def programs(generator: Generator, jit_compile: bool = True):
    """Returns what draws (`rows.sample_graphs`) and scores (`rows.graph_log_prob`) graphs."""
    return tuple(
        tf.function(
            functools.partial(work, generator), jit_compile=jit_compile, autograph=False
        )
        for work in (sample_graphs, graph_log_prob)
    )


def _swap(array: tf.Tensor) -> tf.Tensor:
    """Swaps the first two axes."""
    return tf.transpose(array, [1, 0, *range(2, len(array.shape))])


def _beam(
    generator: Generator, weights: Weights, count: int, width: int
) -> tuple[Graphs, np.ndarray]:
    """Does `GraphDistribution.most_probable`, one run after the other."""
    found = []
    for run in range(next(iter(weights.values())).shape[0]):
        alone = {name: value[run : run + 1] for name, value in weights.items()}
        found.append(_beam_of_run(generator, alone, count, width))
    graphs, scores = zip(*found, strict=True)
    joined = Graphs(*(tf.constant(np.stack(field, axis=1)) for field in zip(*graphs)))
    return joined, np.stack(scores, axis=1)


def _beam_of_run(generator: Generator, weights: Weights, count: int, width: int):
    description = generator.description
    edges, labels = empty_graphs(description, 1)
    scores = np.zeros(1, np.float32)
    for row in description.rows:
        row_edges, row_labels = _row_values(generator, row)
        logits = generator.rows(
            weights, Graphs(tf.constant(edges[None]), tf.constant(labels[None])), tf.constant([row])
        )
        logits = Rows(*(array[0, :, 0][:, None] for array in logits))  # [prefixes, 1, ...]
        gains = row_log_prob(description, logits, row_edges[None], row_labels[None]).numpy()
        total = (scores[:, None] + gains).ravel()
        best = np.argsort(-total, kind="stable")[:width]
        prefix, value = np.divmod(best, len(row_labels))
        edges, labels, scores = edges[prefix], labels[prefix], total[best]
        edges[:, row], labels[:, row] = row_edges[value], row_labels[value]
    return (edges[:count], labels[:count]), scores[:count]


def _row_values(generator: Generator, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns all values of a row: edges int8 [V, N] and labels int8 [V]."""
    description = generator.description
    free = np.flatnonzero(description.free_edges[row])
    choices = [range(description.num_edge_labels)] * len(free)
    labelled = row in description.labelled_nodes
    choices.append(range(description.num_node_labels if labelled else 1))
    number = np.prod([float(len(choice)) for choice in choices])
    if number > _MAX_ROWS:
        raise ConfigError(
            f"row {row} has {number:.3g} values, more than the {_MAX_ROWS} that beam search "
            "compares; sample instead"
        )
    values = np.array(list(itertools.product(*choices)), np.int8)
    edges = np.repeat(empty_graphs(description, 1)[0][:, row], len(values), axis=0)
    edges[:, free] = values[:, :-1]
    return edges, values[:, -1]
