"""nas_tf/spaces/darts_costs.py against networks that were built."""

import numpy as np
import pytest

from nas_tf.networks import darts
from nas_tf.spaces import darts_costs
from nas_tf.spaces import darts as space
from nas_tf.spaces.darts_edges import OP_NAMES, random_edges
from tests import numpy_networks as plain


def _random_pairs(count, seed):
    """Returns codes [count, 2, 8] and sources [count, 2, 8], and the same as pairs of cells."""
    sources, ops = random_edges(np.random.default_rng(seed), (count, 2))
    sources, ops = sources.reshape(count, 2, 8), ops.reshape(count, 2, 8)
    pairs = [
        tuple([(OP_NAMES[op], int(source)) for op, source in zip(*cell)] for cell in zip(*pair))
        for pair in zip(ops, sources)
    ]
    return ops, sources, pairs


@pytest.mark.parametrize(
    "settings",
    [
        {"input_shape": (8, 8, 1), "channels": 4, "cells": 3},
        {"input_shape": (13, 10, 3), "channels": 6, "cells": 2, "auxiliary": True},
        {"input_shape": (64, 48, 3), "channels": 4, "cells": 4, "setting": "imagenet",
         "auxiliary": True},
        {"input_shape": (32, 32, 3), "channels": 2, "cells": 1, "auxiliary": True},
    ],
)
def test_counts_of_built_networks(settings):
    settings = {"num_classes": 7, **settings}
    ops, sources, pairs = _random_pairs(2, len(settings) + settings["channels"])
    built = np.array([plain.counts(darts.build_network(*pair, **settings)) for pair in pairs])
    found = np.stack([darts_costs.parameters(ops, sources, **settings),
                      darts_costs.multiply_adds(ops, sources, **settings)], axis=1)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, built)
    assert darts_costs.cost_of(*pairs[1], **settings) == tuple(built[1])


def test_arrays_of_pairs():
    ops, sources, pairs = _random_pairs(5, 0)
    for found, expected in zip(darts_costs.to_arrays(pairs), (ops, sources), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_size_of_the_space_on_imagenet():
    """arch2vec drops cells of 600 million multiply-adds or more; most are below."""
    sources, ops = random_edges(np.random.default_rng(0), (1000,))
    both = [np.repeat(array.reshape(1000, 1, 8), 2, axis=1) for array in (ops, sources)]
    counts = darts_costs.multiply_adds(
        *both, input_shape=(224, 224, 3), num_classes=1000, setting="imagenet"
    )
    assert counts.shape == (1000,) and 0.5 < (counts < 600e6).mean() < 1.0
    none = np.full((1, 2, 8), space.NONE)
    least = darts_costs.multiply_adds(
        none, both[1][:1], input_shape=(224, 224, 3), num_classes=1000, setting="imagenet"
    )
    assert counts.min() > least[0] > 0
