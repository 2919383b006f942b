"""nas_tf/tables/cell_query.py."""

import numpy as np
import pytest

from nas_tf import tables
from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench201
from nas_tf.spaces.nasbench101 import CONV3X3, INPUT, MAXPOOL3X3, OUTPUT, NasBench101Space
from nas_tf.tables.nasbench101 import NasBench101Table
from nas_tf.tables.nasbench201 import NasBench201Table

NOT_THERE = "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|none~1|none~2|"


def test_a_table_of_two_cells(two_cells):
    cells = CellGraphs.concatenate(
        [two_cells.cells[[1]], nasbench201.from_strings(np.array([NOT_THERE])), two_cells.cells]
    )
    found = tables.query(two_cells, cells)
    assert found["found"].tolist() == [True, False, True, True]
    assert found["note"].tolist() == ["", "the cell is not in the table memory", "", ""]
    assert found["key"].tolist() == cells.keys.tolist()
    assert found["arch_str"].tolist()[1] == NOT_THERE and "arch_index" not in found
    np.testing.assert_array_equal(found["cifar10_validation_accuracy_12ep"], [0.2, np.nan, 0.1, 0.2])
    np.testing.assert_array_equal(found["cifar10_cost_sec_200ep"], [80.0, np.nan, 70.0, 80.0])
    assert list(found)[4:] == [
        "cifar10_validation_accuracy_12ep", "cifar10_validation_accuracy_200ep",
        "cifar10_test_accuracy_200ep", "cifar10_cost_sec_12ep", "cifar10_cost_sec_200ep",
        "cifar100_validation_accuracy_200ep", "cifar100_test_accuracy_200ep",
        "imagenet16-120_validation_accuracy_12ep",
    ]


def test_one_data_set(two_cells):
    found = tables.query(two_cells, two_cells.cells, "CIFAR100")
    assert list(found)[4:] == [
        "cifar100_validation_accuracy_200ep", "cifar100_test_accuracy_200ep"
    ]
    with pytest.raises(ConfigError, match="^dataset=svhn"):
        tables.query(two_cells, two_cells.cells, "svhn")


def test_cells_outside_nasbench201(two_cells):
    cells = two_cells.cells[[0, 1]]
    ops = cells.ops.copy()
    ops[0, -1] = 3
    found = tables.query(two_cells, CellGraphs(cells.adjacency, ops, cells.num_nodes))
    assert found["found"].tolist() == [False, True]
    assert found["note"][0] == "outside the space: the last node is not 'output'"
    assert found["arch_str"][0] == "" and found["key"][0] == 0


def test_all_cells_of_a_file_by_index(measurements):
    table = NasBench201Table.load(measurements)
    numbered = NasBench201Table(cells=table.cells, columns=table.columns, numbered=True)
    order = np.random.default_rng(0).permutation(15_625)
    found = tables.query(numbered, table.cells[order])
    assert found["arch_index"].tolist() == order.tolist() and found["found"].all()
    np.testing.assert_array_equal(
        found["cifar100_cost_sec_200ep"], table.columns["cifar100_cost_sec_200ep"][order]
    )


def test_nasbench101(synthetic):
    table = NasBench101Table.load(synthetic)
    cells = NasBench101Space(5).enumerate_cells()[[90, 91, 2]]  # 91 in the table
    found = tables.query(table, cells)
    assert found["found"].tolist() == [True, False, True]
    assert found["note"].tolist() == ["", "the cell is not in the table synthetic", ""]
    assert found["module_hash"].tolist() == NasBench101Space().md5_hashes(cells).tolist()
    assert found["trainable_parameters"].tolist() == [
        int(table.trainable_parameters[90]), None, int(table.trainable_parameters[2])
    ]
    final = table.test_accuracy[[90, 2], 1, :, 1]
    np.testing.assert_array_equal(found["test_accuracy_108ep"][[0, 2]], final.mean(axis=1))
    np.testing.assert_array_equal(found["test_accuracy_108ep_3"][[0, 2]], final[:, 2])
    assert np.isnan(found["training_time_sec_4ep_1"][1])
    assert len(found) == 5 + 2 * 4 * (1 + 3)


def test_every_cell_of_a_table_is_found(synthetic):
    table = NasBench101Table.load(synthetic)
    found = tables.query(table, table.cells)
    assert found["found"].all() and (found["module_hash"].astype("S32") == table.hashes).all()
    np.testing.assert_array_equal(
        found["validation_accuracy_4ep"], table.validation_accuracy[:, 0, :, 1].mean(axis=1)
    )


def test_dead_nodes_and_padding_do_not_matter(synthetic):
    table = NasBench101Table.load(synthetic)
    chain = [[0, 1, 0], [0, 0, 1], [0, 0, 0]], [INPUT, CONV3X3, OUTPUT]
    dead = (
        [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]],
        [INPUT, CONV3X3, MAXPOOL3X3, OUTPUT],
    )
    loose = [[0, 0, 0], [0, 0, 1], [0, 0, 0]], chain[1]
    for size in (4, 7, 9):
        cells = CellGraphs.from_matrices(*zip(chain, dead, loose), size)
        found = tables.query(table, cells)
        assert found["found"].tolist() == [True, True, False]
        assert found["module_hash"][0] == found["module_hash"][1] != ""
        assert found["note"][2] == "outside the space: no path leads from input to output"


def test_no_cells(two_cells):
    found = tables.query(two_cells, two_cells.cells[:0])
    assert {len(values) for values in found.values()} == {0}


def test_other_tables():
    with pytest.raises(TypeError, match="dict: expected a NAS-Bench-101 or NAS-Bench-201 table"):
        tables.query({}, None)
