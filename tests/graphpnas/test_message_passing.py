"""Equations 2 to 10 of GraphPNAS against NumPy, one node and one pair of nodes at a time."""

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.rows import Graphs, Rows, row_log_prob
from nas_tf.spaces.graph_form import GraphDescription

LABELLED = GraphDescription(3, num_edge_labels=3, num_node_labels=2, labelled_nodes=(0, 2))
# Edges 0 -> 1 of label 2 and 1 -> 2 of label 1; node 0 has label 1. Row 2 sees the first alone.
EDGES = np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0]], np.int8)
LABELS = np.array([1, 0, 0], np.int8)
NEW = 2  # the node that joins


def numbers(generator):
    """Returns weights that anybody can write down: sin(k), sin(k + 1), ... in every array."""
    shapes = {n: w.shape for n, w in generator.initial_weights(np.random.default_rng(0)).items()}
    return {
        name: np.sin(np.arange(np.prod(shape)) + number).reshape(shape).astype(np.float32)
        for number, (name, shape) in enumerate(sorted(shapes.items()))
    }


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def relu(value):
    return np.maximum(value, 0)


def perceptron(weights, name, value):
    hidden = relu(value @ weights[f"{name}_hidden"] + weights[f"{name}_hidden_bias"])
    return hidden @ weights[f"{name}_out"] + weights[f"{name}_out_bias"]


def row_of(node):
    """u_i without the position: row of a node, one-hot by labels; the new node has none."""
    one_hot = np.zeros((3, 2))
    for source in range(node if node != NEW else 0):
        if EDGES[node, source]:
            one_hot[source, EDGES[node, source] - 1] = 1
    return one_hot.ravel()


def kind(weights, i, j):
    """What node i knows of the edge along which it hears from node j; None if there is none."""
    if i == j:
        return None
    if NEW in (i, j):
        return weights["forward"][-1] if i == NEW else weights["backward"][-1]
    if EDGES[i, j]:
        return weights["forward"][EDGES[i, j] - 1]
    return weights["backward"][EDGES[j, i] - 1] if EDGES[j, i] else None


def passed(weights, states):
    """Passes messages once: equations 7 to 10."""
    after = np.zeros_like(states)
    for i, state in enumerate(states):
        message = np.zeros_like(state)
        for j, other in enumerate(states):
            edge = kind(weights, i, j)
            if edge is None:
                continue
            hidden = relu((state - other) @ weights["message"] + edge)
            sent = hidden @ weights["message_out"] + weights["message_out_bias"]  # equation 7
            seen = (state - other) @ weights["attention"]
            seen = seen + (row_of(i) - row_of(j)) @ weights["attention_row"]
            seen = seen + weights["attention_position"][i] - weights["attention_position"][j]
            hidden = relu(seen + weights["attention_bias"])
            logit = hidden @ weights["attention_out"][:, 0] + weights["attention_out_bias"][0]
            message += sigmoid(logit) * sent  # equations 8 and 9
        after[i] = gru(weights, message, state)  # equation 10
    return after


def gru(weights, inputs, state):
    given = np.split(inputs @ weights["gru_input"] + weights["gru_input_bias"], 3)
    kept = np.split(state @ weights["gru_state"], 3)
    update, reset = sigmoid(given[0] + kept[0]), sigmoid(given[1] + kept[1])
    candidate = np.tanh(given[2] + reset * (kept[2] + weights["gru_state_bias"]))
    return update * state + (1 - update) * candidate


def last_states(generator, weights):
    """The features of all nodes when row 2 is decided, float64 [3, H]."""
    states = np.zeros((3, generator.hidden))
    for node in range(NEW):
        states[node] = weights["label"][LABELS[node]]
    if generator.features == "rows":
        for node in range(3):
            states[node] += row_of(node) @ weights["row"] + weights["position"][node]
    for step in range(generator.num_steps):
        of = {name[2:]: value for name, value in weights.items() if name[:2] == f"{step}_"}
        states = passed(of, states)
    return states


def computed(generator, weights):
    """The generator's logits of row 2."""
    graphs = Graphs(tf.constant(EDGES[None, None]), tf.constant(LABELS[None, None]))
    given = {name: tf.constant(value[None]) for name, value in weights.items()}
    return generator.rows(given, graphs, tf.constant([NEW]))


def states_of(generator, weights):
    """The generator's features of all nodes when row 2 is decided, float32 [3, H]."""
    graphs = Graphs(tf.constant(EDGES[None, None]), tf.constant(LABELS[None, None]))
    given = {name: tf.constant(value[None]) for name, value in weights.items()}
    new = tf.constant([[0.0, 0.0, 1.0]])
    return generator._states(given, graphs, new, tf.constant([[1.0, 1.0, 0.0]]))[0, 0, 0].numpy()


STATES = {  # worked out by `last_states`
    "rows": [[-0.10632, 0.72168], [-0.41819, -0.26277], [-0.68096, -0.05146]],
    "operations": [[0.09614, 0.14602], [-0.16417, 0.61587], [-0.32013, 0.17838]],
}


@pytest.mark.parametrize("features", STATES)
def test_equations_7_to_10(features):
    """Fails where all attention is 1, or a message goes the other way."""
    generator = GraphGenerator(
        LABELLED, hidden=2, num_components=2, num_steps=2, features=features
    )
    weights = numbers(generator)
    found = states_of(generator, weights)
    np.testing.assert_allclose(found, STATES[features], atol=2e-5)
    np.testing.assert_allclose(found, last_states(generator, weights), atol=2e-5)


@pytest.mark.parametrize("pooling", ["mean", "sum"])
def test_equations_4_to_6(pooling):
    """Logits of row 2: its components pool differences to the two earlier nodes."""
    generator = GraphGenerator(
        LABELLED, hidden=2, num_components=2, num_steps=1, pooling=pooling
    )
    weights = numbers(generator)
    states, found = last_states(generator, weights), computed(generator, weights)
    differences = [states[NEW] - states[node] for node in range(NEW)]
    alpha = np.sum([perceptron(weights, "alpha", value) for value in differences], axis=0)
    np.testing.assert_allclose(
        found.mixture[0, 0, 0], alpha / (2 if pooling == "mean" else 1), atol=2e-5
    )
    for node, value in enumerate(differences):
        theta = perceptron(weights, "theta", value).reshape(2, 3)  # components, labels
        np.testing.assert_allclose(found.edges[0, 0, 0, :, node], theta, atol=2e-5)
    beta = perceptron(weights, "beta", states[NEW])
    np.testing.assert_allclose(found.labels[0, 0, 0], beta, atol=2e-5)


def test_equations_2_and_3():
    """A mixture of edges with weights 1/4 and 3/4, and labels of 1/5 and 4/5."""
    description = GraphDescription(3, num_node_labels=2, labelled_nodes=(2,))
    logit = lambda p: np.log(np.float32(p) / (1 - np.float32(p)))
    edges = [[logit(0.5), logit(0.25), -1e4], [logit(0.75), logit(0.5), -1e4]]
    logits = Rows(
        tf.math.log([0.25, 0.75]), tf.constant(edges, tf.float32), tf.math.log([0.2, 0.8])
    )
    found = row_log_prob(description, logits, np.int8([1, 0, 0]), np.int8(1))
    # 1/4 · 1/2 · 3/4 + 3/4 · 3/4 · 1/2 = 3/8, times 4/5.
    assert float(tf.exp(found)) == pytest.approx(0.3, rel=1e-5)
    assert float(row_log_prob(description, logits, np.int8([1, 0, 1]), np.int8(1))) < -9e3


def test_equation_3_with_labelled_edges():
    logits = Rows(
        tf.math.log([0.25, 0.75]),
        tf.math.log([[[0.5, 0.3, 0.2], [1, 1e-30, 1e-30]], [[0.1, 0.1, 0.8], [1, 1e-30, 1e-30]]]),
        tf.zeros(1),
    )
    description = GraphDescription(2, num_edge_labels=3)
    found = row_log_prob(description, logits, np.int8([2, 0]), np.int8(0))
    assert float(tf.exp(found)) == pytest.approx(0.25 * 0.2 + 0.75 * 0.8, rel=1e-5)
