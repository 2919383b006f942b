"""The graph neural network that generates graphs, one row after the other.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 3.2, after GRAN (Liao et al., 2019,
arXiv:1910.00760). To decide row i, node i joins the graph of the nodes before it by an edge to
every one of them. Features h then pass along edges in S steps, in both directions:

    m_ij = f([h_i - h_j, edge_ij]),    a_ij = sigmoid(g([h_i, u_i] - [h_j, u_j]))
    h_i <- GRU(h_i, sum_j a_ij m_ij)

(equations 7 to 10), where u_i is the row of node i, one-hot, with its position, and edge_ij says
which way an edge leads and what its label is. From the last features follow the logits of the row:

    alpha_i = mean_j MLP(h_i - h_j),    theta_ij = MLP(h_i - h_j),    beta_i = MLP(h_i)

What the paper leaves open:
- f, g and the MLPs have one hidden layer of H ReLU units; steps do not share weights; the
  attention is one number an edge.
- A node begins with a linear map of its row, its label and its position, a new one with that of
  its position (as GRAN and the released code, which have no labels there). The paper's initial
  features are one-hot operations: `features="operations"` is a linear map of the label alone, and
  of nothing for a new node. Where nodes have no labels all nodes then begin alike.
- An edge that is not there (label 0) carries no message; that of the new node has a label of its
  own, so that a network tells it from the others.

The last layers of f are linear and are applied after the sum over neighbours, which is the same and
leaves only element-wise work for pairs of nodes.

Cost: about 20 H^2 S FLOP a node, row and graph forward, three times that in training.

Shapes: S runs, B graphs, N nodes, T rows, H hidden units, K components, L labels of an edge, C
labels of a node, F features of a row.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from nas_tf.graphpnas.rows import Graphs, Rows, Weights, glorot, masked
from nas_tf.spaces.graph_form import GraphDescription

POOLINGS = ("mean", "sum")
FEATURES = ("rows", "operations")


@dataclasses.dataclass(frozen=True)
class GraphGenerator:
    """The network of one space (a `rows.Generator`), of the paper's size; it holds no weights.

    The recipe (`strategies.graphpnas`), or who loads a file, checks its sizes.

    Attributes:
        description: of the graphs.
        hidden: H.
        num_components: K.
        num_steps: S, of message passing.
        pooling: of alpha over earlier nodes, one of `POOLINGS`; the sum is the paper's.
        features: what nodes begin with, one of `FEATURES`.
    """

    description: GraphDescription
    hidden: int = 128
    num_components: int = 10
    num_steps: int = 7
    pooling: str = "mean"
    features: str = "rows"

    def initial_weights(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draws kernels Glorot uniform; biases are 0."""
        size, hidden = self.description.num_nodes, self.hidden
        row = size * (self.description.num_edge_labels - 1)
        shapes = {"label": (self.description.num_node_labels, hidden)}
        if self.features == "rows":
            shapes = {"row": (row, hidden)} | shapes | {"position": (size, hidden)}
        for step in range(self.num_steps):
            shapes |= {f"{step}_{name}": shape for name, shape in self._step_shapes(row).items()}
        outputs = {
            "alpha": self.num_components,
            "theta": self.num_components * self.description.num_edge_logits,
            "beta": self.description.num_node_labels,
        }
        for name, count in outputs.items():
            shapes |= {f"{name}_hidden": (hidden, hidden), f"{name}_hidden_bias": (hidden,)}
            shapes |= {f"{name}_out": (hidden, count), f"{name}_out_bias": (count,)}
        return {
            name: glorot(rng, *shape) if len(shape) > 1 else np.zeros(shape, np.float32)
            for name, shape in shapes.items()
        }

    def _step_shapes(self, row: int) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of the weights of one step; `row` is F."""
        hidden, num_kinds = self.hidden, self.description.num_edge_labels
        return {
            "message": (hidden, hidden),
            "forward": (num_kinds, hidden),  # the last is of the new node's edges
            "backward": (num_kinds, hidden),
            "message_out": (hidden, hidden),
            "message_out_bias": (hidden,),
            "attention": (hidden, hidden),
            "attention_row": (row, hidden),
            "attention_position": (self.description.num_nodes, hidden),
            "attention_bias": (hidden,),
            "attention_out": (hidden, 1),
            "attention_out_bias": (1,),
            "gru_input": (hidden, 3 * hidden),
            "gru_input_bias": (3 * hidden,),
            "gru_state": (hidden, 3 * hidden),
            "gru_state_bias": (hidden,),
        }

    def rows(self, weights: Weights, graphs: Graphs, rows: tf.Tensor) -> Rows:
        """Returns the logits of rows [S, B, T]; see `rows.Generator`."""
        nodes = tf.range(graphs.labels.shape[-1])
        new = tf.cast(nodes == rows[:, None], tf.float32)  # [T, N]
        earlier = tf.cast(nodes < rows[:, None], tf.float32)
        states = self._states(weights, graphs, new, earlier)  # [S, B, T, N, H]
        own = tf.reduce_sum(states * new[..., None], axis=3)
        difference = own[..., None, :] - states
        theta = _perceptron(weights, "theta", difference)
        parts = [self.num_components, self.description.num_edge_logits]
        theta = tf.reshape(theta, tf.concat([tf.shape(theta)[:4], parts], 0))
        theta = tf.einsum("sbtnkl->sbtknl", theta)
        if self.description.num_edge_logits == 1:
            theta = theta[..., 0]
        alpha = _perceptron(weights, "alpha", difference)
        alpha = tf.reduce_sum(alpha * earlier[..., None], axis=3)
        if self.pooling == "mean":
            alpha /= tf.maximum(tf.reduce_sum(earlier, axis=1), 1.0)[:, None]
        beta = _perceptron(weights, "beta", own)
        return masked(self.description, Rows(alpha, theta, beta), rows)

    def _states(self, weights: Weights, graphs: Graphs, new, earlier) -> tf.Tensor:
        """Returns the last features of nodes, [S, B, T, N, H].

        Args:
            weights: float32 [S, ...].
            graphs: [S, B].
            new: float32 [T, N], 1 at the node that joins.
            earlier: float32 [T, N], 1 at the nodes before it.
        """
        size, num_labels = graphs.labels.shape[-1], self.description.num_edge_labels
        there = tf.one_hot(tf.cast(graphs.edges, tf.int32) - 1, num_labels - 1)  # [S, B, N, N, L-1]
        width = size * (num_labels - 1)
        row = tf.reshape(there, tf.concat([tf.shape(there)[:3], [width]], 0))
        label = tf.one_hot(tf.cast(graphs.labels, tf.int32), self.description.num_node_labels)
        known = _dense(label, weights["label"])
        if self.features == "rows":
            known += _dense(row, weights["row"][:, :width])
        states = known[:, :, None] * earlier[..., None]
        if self.features == "rows":
            states += (new + earlier)[..., None] * weights["position"][:, None, None, :size]
        pairs = _Pairs(there, new, earlier)
        for step in range(self.num_steps):
            of = {name: weights[f"{step}_{name}"] for name in self._step_shapes(0)}
            seen = _dense(row, of["attention_row"][:, :width])[:, :, None] * earlier[..., None]
            seen += _wide(of["attention_position"][:, :size], 5)
            states = _step(of, states, seen, pairs)
        return states


class _Pairs:
    """Which pairs of nodes exchange messages, and along what kind of edge.

    Attributes:
        joined: float32 [S, B, T, N, N]; [i, j] is 1 where node i hears from node j.
    """

    def __init__(self, there: tf.Tensor, new: tf.Tensor, earlier: tf.Tensor):
        """Args: there: float32 [S, B, N, N, L - 1], labels of edges; new, earlier: [T, N]."""
        self._there = there
        self._both = earlier[:, :, None] * earlier[:, None, :]  # [T, N, N]
        self._to_new = new[:, :, None] * earlier[:, None, :]
        self._from_new = earlier[:, :, None] * new[:, None, :]
        edges = tf.reduce_sum(there, axis=-1)[:, :, None]
        edges += tf.linalg.matrix_transpose(edges)
        self.joined = edges * self._both + self._to_new + self._from_new

    def features(self, forward: tf.Tensor, backward: tf.Tensor) -> tf.Tensor:
        """Returns what the kinds of edges add, [S, B, T, N, N, H]; both are float32 [S, L, H]."""
        backwards = tf.einsum("sbijl->sbjil", self._there)
        known = _dense(self._there, forward[:, :-1]) + _dense(backwards, backward[:, :-1])
        to_new, from_new = forward[:, -1], backward[:, -1]
        return (
            known[:, :, None] * self._both[..., None]
            + to_new[:, None, None, None, None] * self._to_new[..., None]
            + from_new[:, None, None, None, None] * self._from_new[..., None]
        )


def _step(weights: Weights, states: tf.Tensor, seen: tf.Tensor, pairs: _Pairs) -> tf.Tensor:
    """Passes messages once (equations 7 to 10).

    Args:
        weights: of the step, by names without its number.
        states: features, float32 [S, B, T, N, H].
        seen: what the attention makes of the u_i, likewise.
        pairs: of nodes that hear from each other.

    Returns:
        new features.
    """
    sent = _dense(states, weights["message"])
    seen += _dense(states, weights["attention"])
    difference = seen[..., :, None, :] - seen[..., None, :, :]
    hidden = tf.nn.relu(difference + _wide(weights["attention_bias"], 6))
    attention = tf.reduce_sum(hidden * _wide(weights["attention_out"][..., 0], 6), axis=-1)
    attention = tf.sigmoid(attention + _wide(weights["attention_out_bias"][:, 0], 5))
    attention *= pairs.joined
    kinds = pairs.features(weights["forward"], weights["backward"])
    hidden = tf.nn.relu(sent[..., :, None, :] - sent[..., None, :, :] + kinds)
    message = tf.reduce_sum(hidden * attention[..., None], axis=-2)
    message = _dense(message, weights["message_out"])
    message += tf.reduce_sum(attention, axis=-1)[..., None] * _wide(weights["message_out_bias"], 5)
    return _gru(weights, message, states)


def _gru(weights: Weights, inputs: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
    """Returns the new state of a gated recurrent unit (Cho et al., 2014), as Keras' `GRUCell`."""
    inputs = _dense(inputs, weights["gru_input"]) + _wide(weights["gru_input_bias"], 5)
    update, reset, candidate = tf.split(inputs, 3, axis=-1)
    keep = tf.split(_dense(states, weights["gru_state"]), 3, axis=-1)
    update, reset = tf.sigmoid(update + keep[0]), tf.sigmoid(reset + keep[1])
    candidate = tf.tanh(candidate + reset * (keep[2] + _wide(weights["gru_state_bias"], 5)))
    return update * states + (1.0 - update) * candidate


def _perceptron(weights: Weights, name: str, inputs: tf.Tensor) -> tf.Tensor:
    """Applies a network of one hidden layer of ReLU units to [S, ..., H]."""
    rank = len(inputs.shape)
    hidden = _dense(inputs, weights[f"{name}_hidden"]) + _wide(weights[f"{name}_hidden_bias"], rank)
    out = _dense(tf.nn.relu(hidden), weights[f"{name}_out"])
    return out + _wide(weights[f"{name}_out_bias"], rank)


def _dense(inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Multiplies [S, ..., F] by the kernels of runs, [S, F, G]."""
    shape = tf.shape(inputs)
    flat = tf.reshape(inputs, [shape[0], -1, inputs.shape[-1]])
    product = tf.matmul(flat, kernel)
    return tf.reshape(product, tf.concat([shape[:-1], [kernel.shape[-1]]], 0))


def _wide(vectors: tf.Tensor, rank: int) -> tf.Tensor:
    """Gives arrays [S, ...] of runs the rank of what they are added to, by axes after the first."""
    ones = [1] * (rank - len(vectors.shape))
    return tf.reshape(vectors, [tf.shape(vectors)[0], *ones, *vectors.shape[1:]])
