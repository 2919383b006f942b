"""nas_tf/spaces/nasbench101_costs.py: real counts, and networks that were built."""

import csv
import gzip
import pathlib

import keras
import numpy as np
import pytest

from nas_tf.core import InvalidArchitectureError
from nas_tf.networks import layer_table, nasbench101
from nas_tf.spaces import hash_index, nasbench101_costs
from nas_tf.spaces.nasbench101 import NasBench101Space
from tests import numpy_networks as plain

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "nas_bench_101" / "nas_bench_101_sample.csv.gz"
CIFAR10 = {"input_shape": (32, 32, 3), "num_classes": 10}


@pytest.fixture(scope="module")
def counted():
    cells = NasBench101Space().enumerate_cells()
    return cells, nasbench101_costs.parameters(cells, **CIFAR10)


def test_the_whole_space(counted):
    cells, parameters = counted
    assert parameters.dtype == np.int64 and parameters.shape == (423_624,)
    # The least and the most of the benchmark, in its paper's figures 227 thousand and 50 million.
    assert (parameters.min(), parameters.max()) == (227_274, 49_979_274)


@pytest.fixture(scope="module", name="real")
def _real():
    """The cells of the sample's 10,000 hashes, [10000], and their recorded parameters."""
    if not REAL.is_file():
        pytest.skip("../shared/data/nas_bench_101/nas_bench_101_sample.csv.gz is not there")
    with gzip.open(REAL, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    hashes = np.array([row["module_hash"] for row in rows], "S32")
    cells, index, known = hash_index.find_hashes(hashes)
    assert known.all()
    return cells[index], np.array([int(row["trainable_parameters"]) for row in rows])


def test_every_real_count(real):
    """Of the cells of the official hashes, without one exception."""
    cells, recorded = real
    assert len(cells) == 10_000
    np.testing.assert_array_equal(nasbench101_costs.parameters(cells, **CIFAR10), recorded)


def test_real_counts_of_built_networks(real):
    """Thirty networks from the smallest to the largest, as the benchmark trained them."""
    cells, recorded = real
    order = np.argsort(recorded, kind="stable")
    for index in order[np.linspace(0, len(order) - 1, 30).astype(int)]:
        with keras.StatelessScope(initialize_variables=False):  # counts alone are wanted
            model = nasbench101.build_network(*cells.matrix(index), **CIFAR10)
        assert layer_table.parameters(model) == recorded[index]


def test_the_example_of_the_official_readme(inception):
    cost = nasbench101_costs.cost_of(*inception, **CIFAR10)
    assert cost.parameters == 2_694_282


def test_channels_are_those_of_single_cells():
    cells = NasBench101Space().random_cells(np.random.default_rng(0), (200,))
    channels = nasbench101_costs.vertex_channels(cells, 31)
    for index, row in enumerate(channels):
        matrix, _ = cells.matrix(index)
        expected = nasbench101.vertex_channels(matrix, 7, 31)[1:-1]
        np.testing.assert_array_equal(row[1 : len(matrix) - 1], expected)
        assert not row[0] and not row[len(matrix) - 1 :].any()


@pytest.mark.parametrize("settings", [
    {"input_shape": (8, 8, 1), "stem_channels": 7, "num_stacks": 2, "cells_per_stack": 2},
    {"input_shape": (5, 7, 3), "stem_channels": 6, "num_stacks": 3, "cells_per_stack": 1},
])
def test_counts_of_built_networks(settings):
    settings = {"num_classes": 4, **settings}
    cells = NasBench101Space().random_cells(np.random.default_rng(settings["num_stacks"]), (3,))
    built = [plain.counts(nasbench101.build_network(*cells.matrix(index), **settings))
             for index in range(len(cells))]
    assert list(zip(nasbench101_costs.parameters(cells, **settings).tolist(),
                    nasbench101_costs.multiply_adds(cells, **settings).tolist())) == built
    assert nasbench101_costs.cost_of(*cells.matrix(1), **settings) == built[1]


def test_too_few_channels(inception):
    with pytest.raises(InvalidArchitectureError, match="4 vertices feed an output of 2 channels"):
        nasbench101_costs.cost_of(*inception, stem_channels=2, **CIFAR10)
