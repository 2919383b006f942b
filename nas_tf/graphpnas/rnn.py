"""The baseline generator: a recurrent controller over the same decisions.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 4, compares its generator with the controller
of ENAS (Pham et al., 2018, arXiv:1802.03268). Here stacked LSTM layers take one step for every row
and are fed the row before it: the mean over its edges and its label, embedded. Edges of a row are
drawn independently, so that the mixture has one component. Logits are 2.5 tanh(logits / 5), as in
ENAS, which keeps the controller from becoming certain early.

Shapes: S runs, B graphs, N nodes, T rows, H hidden units, L labels of an edge, C labels of a node.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from nas_tf.graphpnas.rows import Graphs, Rows, Weights, glorot, masked
from nas_tf.spaces.graph_form import GraphDescription

_LIMIT, _TEMPERATURE = 2.5, 5.0


@dataclasses.dataclass(frozen=True)
class RecurrentGenerator:
    """The controller of one space (a `rows.Generator`); it holds no weights.

    The recipe (`strategies.rnn_generator`), or who loads a file, checks its sizes.

    Attributes:
        description: of the graphs.
        hidden: H, units of each layer.
        num_layers: LSTM layers.
    """

    description: GraphDescription
    hidden: int = 128
    num_layers: int = 2

    def initial_weights(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draws kernels Glorot uniform; biases are 0."""
        size, hidden = self.description.num_nodes, self.hidden
        row = size * (self.description.num_edge_labels - 1)
        weights = {
            "start": glorot(rng, 1, hidden),
            "edges_in": glorot(rng, row, hidden),
            "label_in": glorot(rng, self.description.num_node_labels, hidden),
            "position": glorot(rng, size, hidden),
            "edges_out": glorot(rng, hidden, size * self.description.num_edge_logits),
            "label_out": glorot(rng, hidden, self.description.num_node_labels),
        }
        for layer in range(self.num_layers):
            weights[f"{layer}_lstm"] = glorot(rng, 2 * hidden, 4 * hidden)
            weights[f"{layer}_lstm_bias"] = np.zeros((1, 4 * hidden), np.float32)
        return weights

    def rows(self, weights: Weights, graphs: Graphs, rows: tf.Tensor) -> Rows:
        """Returns the logits of rows [S, B, T]; see `rows.Generator`.

        All rows of the graphs given are stepped through, whichever are asked for.
        """
        num_labels, known = self.description.num_edge_labels, graphs.labels.shape[-1]
        there = tf.one_hot(tf.cast(graphs.edges, tf.int32) - 1, num_labels - 1)
        width = known * (num_labels - 1)
        there = tf.reshape(there, tf.concat([tf.shape(there)[:3], [width]], 0))
        count = tf.maximum(tf.reduce_sum(there, axis=-1, keepdims=True), 1.0)
        decided = tf.einsum("sbnf,sfh->sbnh", there / count, weights["edges_in"][:, :width])
        labels = tf.one_hot(tf.cast(graphs.labels, tf.int32), self.description.num_node_labels)
        decided += tf.einsum("sbnc,sch->sbnh", labels, weights["label_in"])
        zeros = tf.zeros(tf.concat([tf.shape(labels)[:2], [self.hidden]], 0))
        inputs = zeros + weights["start"]
        states, outputs = [(zeros, zeros)] * self.num_layers, []
        for row in [row for row in self.description.rows if row < known]:
            states = self._advance(weights, inputs + weights["position"][:, row, None], states)
            outputs.append(states[-1][0])
            inputs = decided[:, :, row]
        outputs = tf.gather(tf.stack(outputs, axis=2), rows - self.description.rows[0], axis=2)
        edges = tf.einsum("sbth,sho->sbto", outputs, weights["edges_out"])
        labels = tf.einsum("sbth,sho->sbto", outputs, weights["label_out"])
        edges, labels = (_LIMIT * tf.tanh(logits / _TEMPERATURE) for logits in (edges, labels))
        shape = tf.shape(edges)[:3]
        parts = [1, self.description.num_nodes]
        if self.description.num_edge_logits > 1:
            parts.append(self.description.num_edge_logits)
        edges = tf.reshape(edges, tf.concat([shape, parts], 0))
        mixture = tf.zeros(tf.concat([shape, [1]], 0))
        return masked(self.description, Rows(mixture, edges, labels), rows)

    def _advance(self, weights: Weights, inputs: tf.Tensor, states: list) -> list:
        """Takes one step of all layers: new (hidden, cell) states, [S, B, H] each."""
        after = []
        for layer, (hidden, cell) in enumerate(states):
            joined = tf.concat([inputs, hidden], axis=-1)
            gates = tf.matmul(joined, weights[f"{layer}_lstm"]) + weights[f"{layer}_lstm_bias"]
            input_gate, forget_gate, output_gate, candidate = tf.split(gates, 4, axis=-1)
            cell = tf.sigmoid(forget_gate) * cell + tf.sigmoid(input_gate) * tf.tanh(candidate)
            inputs = tf.sigmoid(output_gate) * tf.tanh(cell)
            after.append((inputs, cell))
        return after
