"""nas_tf/spaces/nasbench101_text.py."""

import numpy as np
import pytest

from nas_tf.core import InvalidArchitectureError
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench101_text import from_specs, from_value, to_specs

CONV = "conv3x3-bn-relu"
CHAIN = {"matrix": [[0, 1, 0], [0, 0, 1], [0, 0, 0]], "ops": ["input", CONV, "output"]}


def with_dead_nodes(count):
    """Returns the chain with nodes that lead nowhere before its output."""
    size = 3 + count
    matrix = np.zeros((size, size), int)
    matrix[0, 1] = matrix[1, -1] = 1
    matrix[0, 2:-1] = 1
    return {"matrix": matrix.tolist(), "ops": ["input", CONV, *["maxpool3x3"] * count, "output"]}


def test_a_cell_worked_by_hand():
    cell = from_value(CHAIN)
    assert cell.shape == () and int(cell.num_nodes) == 3
    assert cell.ops.tolist() == [0, 2, 4, -1, -1, -1, -1]
    assert cell.adjacency[:3, :3].tolist() == CHAIN["matrix"] and cell.adjacency.sum() == 2


def test_all_cells_of_up_to_5_nodes_and_back():
    cells = NasBench101Space(5).enumerate_cells()
    found = from_specs(to_specs(cells))
    for name in ("adjacency", "ops", "num_nodes", "keys"):
        np.testing.assert_array_equal(getattr(found, name), getattr(cells, name))


def test_the_first_cell_of_the_released_files():
    bits = "0100110001000000010010000010000001000000010000000"
    matrix = np.array(list(bits), int).reshape(7, 7).tolist()
    ops = ["input", CONV, "maxpool3x3", CONV, CONV, "conv1x1-bn-relu", "output"]
    for spec in (
        {"matrix": matrix, "ops": ops, "log_prob": -3},
        {"module_adjacency": matrix, "module_operations": ops},
        {"matrix": matrix, "operations": ops},
        [matrix, ops],
    ):
        hashed = NasBench101Space().md5_hashes(from_specs([spec]))
        assert hashed.tolist() == ["00005c142e6f48ac74fdcf73e3439874"]


@pytest.mark.parametrize("count", [1, 4, 9])
def test_dead_nodes_are_pruned(count):
    assert from_value(with_dead_nodes(count)).keys == from_value(CHAIN).keys


def test_no_cells():
    assert from_specs([]).shape == (0,) and to_specs(from_specs([])) == []


def spec(**fields):
    return CHAIN | fields


FULL = np.triu(np.ones((5, 5), int), 1).tolist()
LONG = np.eye(9, k=1, dtype=int).tolist()


@pytest.mark.parametrize(
    "value, message",
    [
        (spec(ops=["input", "conv5x5", "output"]), "operation 'conv5x5' of node 1: expected input, "
         "conv1x1-bn-relu, conv3x3-bn-relu, maxpool3x3, output"),
        (spec(ops=["input", "output"]), "matrix [[0, 1, 0], [0, 0, 1], [0, 0, 0]] for 2 operations: "
         "expected as many rows and columns"),
        (spec(matrix=[[0, 1], [0]]), "matrix [[0, 1], [0]] for 3 operations"),
        (spec(matrix=[[0, 2, 0], [0, 0, 1], [0, 0, 0]]), "expected zeros and ones"),
        (spec(matrix=[["0", "1", "0"]] * 3), "expected zeros and ones"),
        (spec(matrix=[[0, 1, 0], [1, 0, 1], [0, 0, 0]]),
         "outside NAS-Bench-101: an edge leads to the same or an earlier node"),
        (spec(matrix=[[0, 1, 0], [0, 0, 0], [0, 0, 0]]),
         "outside NAS-Bench-101: no path leads from input to output"),
        (spec(ops=["output", CONV, "output"]),
         "outside NAS-Bench-101: the first node is not 'input'"),
        (spec(ops=["input", CONV, CONV]), "outside NAS-Bench-101: the last node with an incoming"),
        (spec(ops=["input", "output", "output"]), "outside NAS-Bench-101: an interior node is not"),
        ({"matrix": FULL, "ops": ["input", CONV, CONV, CONV, "output"]},
         "outside NAS-Bench-101: too many edges"),
        ({"matrix": LONG, "ops": ["input", *[CONV] * 7, "output"]},
         "outside NAS-Bench-101: too many vertices"),
        ({"matrix": FULL}, "fields matrix: expected matrix and ops"),
        ([1, 2, 3], "[1, 2, 3]: expected {"),
        ("|none~0|", "'|none~0|': expected {"),
        (spec(ops="input,output"), "expected {"),
    ],
)
def test_what_is_no_cell(value, message):
    with pytest.raises(InvalidArchitectureError) as error:
        from_value(value)
    assert message in str(error.value)
