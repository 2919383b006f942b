"""nas_tf/arch2vec/quality.py."""

import math

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.arch2vec import quality
from nas_tf.spaces.nasbench101 import NasBench101Space


class StoredDecoder:
    """Decodes any latent matrix into the same logits."""

    def __init__(self, edges, ops):
        self._edges = 10.0 * np.asarray(edges, np.float32) - 5.0
        self._ops = 10.0 * np.eye(5, dtype=np.float32)[np.asarray(ops)]

    def decode(self, latent):
        count = latent.shape[0]
        return (tf.repeat(self._edges[None], count, 0), tf.repeat(self._ops[None], count, 0))


def _chain():
    """Input, 3x3, output and four padding nodes."""
    adjacency = np.zeros((7, 7), np.uint8)
    adjacency[0, 1] = adjacency[1, 2] = 1
    return adjacency, np.array([0, 2, 4, 1, 1, 1, 1])


def _one_hot(codes, nodes=3):
    ops = np.eye(5, dtype=np.uint8)[codes]
    ops[nodes:] = 0
    return ops


def _statistics():
    return quality.LatentStatistics(np.zeros((7, 16), np.float32), np.ones((7, 16), np.float32))


def test_decode_takes_the_upper_triangle():
    edges, ops = quality.decode_latent(StoredDecoder(np.ones((7, 7)), [0] * 7),
                                       np.zeros((2, 7, 16), np.float32))
    np.testing.assert_array_equal(edges[1], np.triu(np.ones((7, 7), bool), 1))
    assert (ops == 0).all()


def test_reconstruction_of_cells_and_of_entries():
    adjacency, codes = _chain()
    decoder = StoredDecoder(adjacency, codes)
    other_edge, padding_edge, other_op, padding_op = (
        adjacency.copy(), adjacency.copy(), codes.copy(), codes.copy())
    other_edge[0, 2] = padding_edge[5, 6] = 1
    other_op[1] = 3
    padding_op[6] = 3  # holds no operation: not looked at
    adjacencies = np.stack([adjacency, other_edge, padding_edge, adjacency, adjacency])
    ops = np.stack([_one_hot(row) for row in (codes, codes, codes, other_op, padding_op)])
    found = quality.reconstruction(decoder, np.zeros((5, 7, 16), np.float32), adjacencies, ops)
    assert found.cells == 2 / 5
    # Two of 5 x 21 pairs are wrong, and one of the 5 x 3 operations that are looked at.
    assert found.entries == pytest.approx(14 / 15)
    edges_alone = quality.reconstruction(
        decoder, np.zeros((3, 7, 16), np.float32), adjacencies[:3], ops[:3]
    )
    assert edges_alone.entries == pytest.approx(1 - 2 / 63)


def test_statistics_are_per_node_and_dimension():
    means = np.array([[[0.0, 4.0]], [[2.0, 4.0]]], np.float32)
    statistics = quality.LatentStatistics.of(means)
    np.testing.assert_array_equal(statistics.mean, [[1.0, 4.0]])
    np.testing.assert_array_equal(statistics.std, [[1.0, 0.0]])


def test_prior_samples_have_the_statistics():
    statistics = quality.LatentStatistics(np.full((7, 16), 3.0, np.float32),
                                          np.full((7, 16), 0.5, np.float32))
    samples = quality.prior_samples(statistics, 10_000, seed=0)
    assert samples.shape == (10_000, 7, 16)
    assert samples.mean() == pytest.approx(3.0, abs=0.01)
    assert samples.std() == pytest.approx(0.5, abs=0.01)
    np.testing.assert_array_equal(samples, quality.prior_samples(statistics, 10_000, seed=0))


def test_one_cell_again_and_again():
    found = quality.prior_quality(StoredDecoder(*_chain()), NasBench101Space(), _statistics(),
                                  count=100)
    assert found == quality.PriorQuality(1.0, 0.01, 1.0, 0.01, 100)


def test_no_valid_cell_has_no_uniqueness():
    found = quality.prior_quality(StoredDecoder(np.zeros((7, 7)), [0] * 7), NasBench101Space(),
                                  _statistics(), count=10)
    assert found.validity == 0.0
    assert math.isnan(found.uniqueness) and math.isnan(found.unique_cells)
