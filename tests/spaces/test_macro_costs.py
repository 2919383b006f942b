"""nas_tf/spaces/macro_costs.py: counts by hand, and every one of the benchmark's."""

import csv
import gzip
import pathlib

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.spaces.macro import MacroSpace
from nas_tf.spaces.macro_costs import multiply_adds, parameters, widths

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "nas_bench_macro" / "nas_bench_macro.csv.gz"
CIFAR10 = {"input_shape": (32, 32, 3), "num_classes": 10}


def _layers(*codes):
    return np.array([list(map(int, code)) for code in codes])


def test_identities_counted_by_hand():
    stem, head = 27 * 32 + 2 * 32, 256 * 1280 + 2 * 1280
    strided = (32 * 64 + 2 * 64) + (64 * 128 + 2 * 128) + (128 * 256 + 2 * 256)
    assert stem + strided + head + 1280 * 10 + 10 == 387_882
    work = 27 * 32 * 1024 + 2048 * 256 + 8192 * 64 + 32_768 * 16 + 256 * 1280 * 16 + 12_800
    assert work == 7_713_280
    layers = _layers("00000000")
    assert parameters(layers, **CIFAR10).tolist() == [387_882]
    assert multiply_adds(layers, **CIFAR10).tolist() == [7_713_280]


def test_a_block_counted_by_hand():
    """The first layer as a block of expansion 6: 32 -> 192 channels on 32 x 32, 5x5 to 16 x 16."""
    block = (32 * 192 + 2 * 192) + (25 * 192 + 2 * 192) + (192 * 64 + 2 * 64)
    assert parameters(_layers("20000000"), **CIFAR10).tolist() == [387_882 - 2176 + block]
    work = 32 * 192 * 1024 + (25 * 192 + 192 * 64) * 256
    assert multiply_adds(_layers("20000000"), **CIFAR10).tolist() == [7_713_280 - 2048 * 256 + work]


def test_numbers_of_the_benchmark():
    """Rows of its table: the best network, all blocks small, all large."""
    layers = _layers("22212202", "11111111", "22222222", "00000001")
    assert parameters(layers, **CIFAR10).tolist() == [1_985_514, 1_588_874, 2_932_586, 791_594]
    assert multiply_adds(layers, **CIFAR10).tolist() == [
        85_164_544, 53_246_464, 105_660_928, 14_115_328,
    ]


def test_every_number_of_the_benchmark():
    if not REAL.is_file():
        pytest.skip("../shared/data/nas_bench_macro/nas_bench_macro.csv.gz is not there")
    with gzip.open(REAL, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    layers = _layers(*(row["architecture"] for row in rows))
    assert len(rows) == 6561
    found = parameters(layers, **CIFAR10), multiply_adds(layers, **CIFAR10)
    for counts, column in zip(found, ("params", "flops")):
        assert counts.dtype == np.int64
        np.testing.assert_array_equal(counts, [int(row[column]) for row in rows])


def test_cells_of_any_shape_cost_what_their_codes_do():
    cells = MacroSpace().from_value("22212202")
    cost = MacroSpace().costs(cells.reshape(1, 1))
    assert cost.parameters.tolist() == [[1_985_514]] and cost.multiply_adds.shape == (1, 1)


def test_channels():
    assert widths() == (32, (64, 64, 128, 128, 128, 256, 256, 256), 1280)
    assert widths(8) == (4, (8, 8, 16, 16, 16, 32, 32, 32), 160)
    with pytest.raises(ConfigError, match="channels=7: expected an even number of at least 2"):
        widths(7)
