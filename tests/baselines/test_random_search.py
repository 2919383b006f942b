"""Tests of nas_tf.baselines.random_search."""

import collections

import numpy as np

from nas_tf.baselines import random_search


def test_every_cell_is_equally_likely_at_every_query(toy):
    """Chi-square over 20 cells: above 43.8 once in 1,000 times."""
    search = random_search.RandomSearch(toy.cells(range(20)), seeds=range(2000))
    trace = toy.run(search, 20, dict.fromkeys(range(20), 0.5)).astype(np.int64)
    for query in (0, 1, 5, 19):
        counts = np.bincount(trace[:, query], minlength=20)
        assert np.square(counts - 100).sum() / 100 < 43.8


def test_every_order_is_equally_likely(toy):
    """Chi-square over the 24 orders of 4 cells: above 49.7 once in 1,000 times."""
    search = random_search.RandomSearch(toy.cells(range(4)), seeds=range(2400))
    trace = toy.run(search, 4, dict.fromkeys(range(4), 0.5))
    counts = np.array(list(collections.Counter(map(tuple, trace.tolist())).values()))
    assert len(counts) == 24
    assert np.square(counts - 100).sum() / 100 < 49.7
