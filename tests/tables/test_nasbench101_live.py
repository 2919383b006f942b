"""nas_tf/tables/nasbench101_live.py: tables of live objects of the official package."""

import copy
import types

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.spaces.nasbench101 import CONV3X3, INPUT, OUTPUT
from nas_tf.tables.nasbench101 import NASBench, NasBench101Table
from nas_tf.tables.nasbench101_rows import METRICS

EDGE, CHAIN = "043721b9c7fe8c5fad811d47d83132ec", "b49ac8c578b4561d79ac7087988f1c61"


def _training(start):
    """Returns a repeat whose eight numbers are `start`, `start` + 1/16, ..."""
    names = [
        f"{time}_{name}"
        for time in ("halfway", "final")
        for name in ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    ]
    return {name: start + index / 16 for index, name in enumerate(names)}


@pytest.fixture
def official():
    """Two cells as the official package has them: uint8 arrays, 4 and 108 epochs, two repeats."""
    return types.SimpleNamespace(
        fixed_statistics={
            CHAIN: {
                "module_adjacency": np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], np.uint8),
                "module_operations": ["input", "conv3x3-bn-relu", "output"],
                "trainable_parameters": 2_000,
            },
            EDGE: {
                "module_adjacency": np.array([[0, 1], [0, 0]], np.uint8),
                "module_operations": ["input", "output"],
                "trainable_parameters": 1_000,
            },
        },
        computed_statistics={
            CHAIN: {108: [_training(0.5), _training(0.25)], 4: [_training(0.0), _training(0.125)]},
            EDGE: {4: [_training(0.0), _training(0.0)], 108: [_training(0.0), _training(0.375)]},
        },
    )


def test_a_table_of_two_cells(official):
    table = NasBench101Table.from_api(official, name="mine")
    assert (table.name, table.path, table.epochs) == ("mine", "", (4, 108))
    assert table.hashes.tolist() == [CHAIN.encode(), EDGE.encode()]
    assert table.cells.ops[0].tolist() == [INPUT, CONV3X3, OUTPUT, -1, -1, -1, -1]
    assert table.cells.num_nodes.tolist() == [3, 2]
    assert table.trainable_parameters.tolist() == [2_000, 1_000]
    assert table.training_time_sec[0].tolist() == [
        [[0.0, 0.25], [0.125, 0.375]], [[0.5, 0.75], [0.25, 0.5]]
    ]
    assert table.train_accuracy[1, 1].tolist() == [[0.0625, 0.3125], [0.4375, 0.6875]]
    assert table.validation_accuracy[1, 1].tolist() == [[0.125, 0.375], [0.5, 0.75]]
    assert table.test_accuracy[1, 1].tolist() == [[0.1875, 0.4375], [0.5625, 0.8125]]
    assert table.index_of_hash(EDGE) == 1 and table.dataset == "unknown"


def test_the_table_behind_our_own_interface_comes_back(synthetic):
    table = NasBench101Table.load(synthetic)
    nasbench = NASBench(table)
    assert nasbench.table is table
    again = NasBench101Table.from_api(nasbench)
    assert again.epochs == table.epochs
    for name in ("keys", "hashes", "trainable_parameters", *METRICS):
        np.testing.assert_array_equal(getattr(again, name), getattr(table, name))
        assert getattr(again, name).dtype == getattr(table, name).dtype
    for name in ("adjacency", "ops", "num_nodes"):
        np.testing.assert_array_equal(getattr(again.cells, name), getattr(table.cells, name))


def test_hashes_are_those_of_the_cells(official):
    fixed, computed = official.fixed_statistics, official.computed_statistics
    for statistics in (fixed, computed):
        statistics["0" * 32] = statistics.pop(EDGE)
    with pytest.raises(DataError, match=f"^hash {'0' * 32}: its cell's is {EDGE}$"):
        NasBench101Table.from_api(official)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda fixed, computed: computed[EDGE][4].pop(),
         f"hash {EDGE}: 1 trainings of 4 epochs, 2 trainings of 108 epochs; the first cell has "
         "2 trainings of 4 epochs, 2 trainings of 108 epochs"),
        (lambda fixed, computed: computed[EDGE].pop(4),
         f"hash {EDGE}: 2 trainings of 108 epochs; the first cell has 2 trainings of 4 epochs, "),
        (lambda fixed, computed: fixed[EDGE].update(module_operations=["input", "sigmoid"]),
         f"hash {EDGE}: a cell outside the space, ['input', 'sigmoid']"),
        (lambda fixed, computed: fixed[EDGE].update(module_operations=["output", "input"]),
         f"hash {EDGE}: a cell outside the space, the last node"),
        (lambda fixed, computed: fixed[EDGE].update(fixed[CHAIN]),
         f"hash {EDGE}: the same cell as {CHAIN}"),
        (lambda fixed, computed: fixed.clear(), "fixed_statistics: no cells"),
    ],
)
def test_what_is_no_table(official, change, message):
    copied = copy.deepcopy(official)
    change(copied.fixed_statistics, copied.computed_statistics)
    with pytest.raises(DataError) as error:
        NasBench101Table.from_api(copied)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)
