"""nas_tf/spaces/nasbench201_costs.py: published extremes, and networks that were built."""

import numpy as np
import pytest

from nas_tf.spaces import nasbench201_costs as costs
from nas_tf.networks.nasbench201 import build_network
from nas_tf.spaces.nasbench201 import CONV1X1, NONE, OP_NAMES, NasBench201Space
from tests import numpy_networks as plain

CIFAR10 = {"input_shape": (32, 32, 3), "num_classes": 10}


def test_the_whole_space():
    codes = NasBench201Space().enumerate_cells().ops[:, 1:7]
    parameters = costs.parameters(codes, **CIFAR10)
    multiply_adds = costs.multiply_adds(codes, **CIFAR10)
    assert parameters.dtype == multiply_adds.dtype == np.int64 and parameters.shape == (15_625,)
    # The benchmark's own extremes are 0.073306 to 1.531546 M and 7.78305 to 220.11969 M: it counts
    # the ten biases of the classifier among the multiply-adds.
    assert (parameters.min(), parameters.max()) == (73_306, 1_531_546)
    assert (multiply_adds.min() + 10, multiply_adds.max() + 10) == (7_783_050, 220_119_690)


@pytest.mark.parametrize("settings", [
    {"input_shape": (8, 8, 1), "num_classes": 5, "channels": 3, "cells": 2},
    {"input_shape": (7, 9, 3), "num_classes": 2, "channels": 4, "cells": 1},
])
def test_counts_of_built_networks(settings):
    codes = np.random.default_rng(settings["cells"]).integers(CONV1X1, NONE + 1, (3, 6))
    built = [plain.counts(build_network([OP_NAMES[op] for op in row], **settings)) for row in codes]
    assert list(map(tuple, zip(costs.parameters(codes, **settings),
                               costs.multiply_adds(codes, **settings)))) == built
    assert costs.cost_of([OP_NAMES[op] for op in codes[2]], **settings) == built[2]
