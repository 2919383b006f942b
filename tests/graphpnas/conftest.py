"""Small generators with weights of two runs, on descriptions of every kind."""

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.spaces.graph_form import GraphDescription
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.rnn import RecurrentGenerator

RUNS = 2
DESCRIPTIONS = {
    "edges": GraphDescription(4),
    "labelled nodes": GraphDescription(
        4, num_node_labels=3, labelled_nodes=(1, 3), fixed_edges=((0, 1), (1, 2))
    ),
    "labelled edges": GraphDescription(
        3, num_edge_labels=3, num_node_labels=2, labelled_nodes=(0, 2)
    ),
}
NETWORKS = {
    "gnn": lambda description: GraphGenerator(
        description, hidden=8, num_components=3, num_steps=2
    ),
    "rnn": lambda description: RecurrentGenerator(description, hidden=8),
}


CASES = [
    *(("gnn", name) for name in DESCRIPTIONS), ("rnn", "labelled nodes"), ("rnn", "labelled edges"),
]


@pytest.fixture(scope="session", params=CASES, ids=" ".join)
def case(request):
    """Names of a network and of a space."""
    return request.param


@pytest.fixture(scope="session")
def description(case):
    """A space of at most 144 graphs."""
    return DESCRIPTIONS[case[1]]


@pytest.fixture(scope="session")
def generator(case, description):
    """A network for it."""
    return NETWORKS[case[0]](description)


@pytest.fixture(scope="session")
def weights(generator):
    """Weights of two runs, large enough that probabilities differ much."""
    return weights_of(generator)


def weights_of(generator, scale=3.0, runs=RUNS):
    """Returns random weights of runs, biases included."""
    drawn = [generator.initial_weights(np.random.default_rng(run)) for run in range(runs)]
    noise = np.random.default_rng(9)
    return {
        name: tf.constant(
            scale * np.stack([one[name] for one in drawn])
            + 0.3 * noise.standard_normal((runs, *drawn[0][name].shape)).astype(np.float32)
        )
        for name in drawn[0]
    }
