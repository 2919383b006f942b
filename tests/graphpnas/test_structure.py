"""Clustering and path lengths by hand."""

import numpy as np
import pytest

from nas_tf.graphpnas.structure import clustering_and_path_length


def test_by_hand():
    edges = np.zeros((4, 5, 5), bool)
    edges[0, [1, 2, 2], [0, 0, 1]] = True  # a triangle, two nodes apart from it
    edges[1, [1, 2, 3, 4], [0, 1, 2, 3]] = True  # a path of five nodes
    edges[2] = edges[0].T
    clustering, lengths = clustering_and_path_length(edges)
    np.testing.assert_allclose(clustering, [1, 0, 1, np.nan])
    np.testing.assert_allclose(lengths, [1, 2, 1, np.nan])  # (4 x 1 + 3 x 2 + 2 x 3 + 4) / 10


def test_no_graphs():
    clustering, lengths = clustering_and_path_length(np.zeros((0, 3, 3), bool))
    assert clustering.shape == lengths.shape == (0,)
    assert clustering.mean() != pytest.approx(0)
