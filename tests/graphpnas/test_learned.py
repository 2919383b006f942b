"""Tests of nas_tf.graphpnas.learned."""

import numpy as np

from nas_tf.graphpnas.diagnostics import Diagnostics
from nas_tf.graphpnas.learned import NUM_RANDOM, learned

POOL = {"accuracy": np.array([0.5, 0.6, 0.7]), "edges": np.ones((3, 2, 2), bool), "seed": 0}


def _learned(fits):
    diagnostics = Diagnostics()
    for fit in range(fits):
        indices = np.array([[fit % 3, -1], [2, 2]])
        diagnostics.add(15 + fit, indices, np.zeros(indices.shape, bool))
    return learned(diagnostics, num_runs=2, **POOL)


def test_fits_that_are_looked_at():
    many = _learned(85)
    assert many.seen[many.steps()].tolist() == [15, 43, 71, 99]
    samples = many.samples()
    assert list(samples) == ["random", "15", "43", "71", "99"]
    assert samples["43"].tolist() == [1, 2, 2]  # what is no cell is left out
    assert len(samples["random"]) == NUM_RANDOM and set(samples["random"]) == {0, 1, 2}


def test_a_generator_that_was_never_fitted():
    assert list(_learned(0).samples()) == ["random"]


def test_wiring_is_of_different_cells():
    lengths, clustering, accuracy = _learned(1).wiring(np.array([2, 0, 2]))
    assert accuracy.tolist() == [0.5, 0.7] and len(lengths) == len(clustering) == 2
