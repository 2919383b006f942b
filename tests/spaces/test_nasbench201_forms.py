"""nas_tf/spaces/nasbench201_forms.py."""

import numpy as np
import pytest

from nas_tf.core import InvalidArchitectureError
from nas_tf.spaces import nasbench201
from nas_tf.spaces.nasbench201_forms import (
    NUMBERINGS,
    from_nats_matrices,
    from_op_indices,
    from_value,
    to_op_indices,
)

# Every operation on an edge of its own; the last edge has the first operation again.
STRING = (
    "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|"
)
NASLIB = [2, 0, 3, 1, 4, 2]  # edges 0-1, 0-2, 0-3, 1-2, 1-3, 2-3
NATS_BENCH = [3, 1, 0, 2, 4, 3]  # edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3
MATRIX = [[0, 0, 0, 0], [3, 0, 0, 0], [1, 0, 0, 0], [2, 4, 3, 0]]  # `str2matrix`
GENOTYPE = [
    [["nor_conv_3x3", 0]],
    [["skip_connect", 0], ["none", 1]],
    [["nor_conv_1x1", 0], ["avg_pool_3x3", 1], ["nor_conv_3x3", 2]],
]  # `str2lists`


@pytest.fixture(scope="module")
def everything():
    return nasbench201.NasBench201Space().enumerate_cells()


@pytest.mark.parametrize("numbering, numbers", [("naslib", NASLIB), ("nats_bench", NATS_BENCH)])
def test_numbers_worked_by_hand(numbering, numbers):
    cells = from_op_indices(np.array([numbers]), numbering)
    assert nasbench201.to_strings(cells).tolist() == [STRING]
    assert to_op_indices(cells, numbering).tolist() == [numbers]


@pytest.mark.parametrize("numbering", NUMBERINGS)
def test_numbers_of_all_cells_and_back(everything, numbering):
    numbers = to_op_indices(everything, numbering)
    assert len(np.unique(numbers, axis=0)) == 15_625
    found = from_op_indices(numbers, numbering)
    np.testing.assert_array_equal(found.keys, everything.keys)


def test_naslib_numbers_follow_its_own_reading_of_the_strings(everything):
    """NASLib: of edge (u, v), counted from 1, the operation of part u of node v of the string."""
    names = ["skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"]
    strings = nasbench201.to_strings(everything[::50]).tolist()
    nodes = [[part[1:-1].split("|") for part in text.split("+")] for text in strings]
    edges = ((1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))
    expected = [[names.index(node[v - 2][u - 1].split("~")[0]) for u, v in edges] for node in nodes]
    assert to_op_indices(everything[::50], "naslib").tolist() == expected


def test_matrices_of_all_cells(everything):
    edges = nasbench201.to_edges(everything)
    found = from_nats_matrices(edges.swapaxes(-1, -2).astype(float))
    np.testing.assert_array_equal(found.keys, everything.keys)
    assert nasbench201.to_strings(from_nats_matrices(np.array(MATRIX))) == STRING


@pytest.mark.parametrize(
    "value",
    [STRING, STRING + "\n", f"Structure(4 nodes with {STRING})", NASLIB, tuple(NASLIB),
     "2,0,3,1,4,2", "2 0 3 1 4 2", MATRIX, np.array(MATRIX, float).tolist(), GENOTYPE,
     {"arch_str": STRING, "accuracy": 3}, {"op_indices": NASLIB}],
)
def test_values(value):
    cell = from_value(value)
    assert cell.shape == () and nasbench201.to_strings(cell) == STRING


def test_the_numbering_is_said():
    assert nasbench201.to_strings(from_value(NATS_BENCH, "nats_bench")) == STRING
    assert nasbench201.to_strings(from_value(NATS_BENCH, "naslib")) != STRING
    with pytest.raises(ValueError, match="numbering='nasbench': expected naslib or nats_bench"):
        from_value(NASLIB, "nasbench")


@pytest.mark.parametrize(
    "value, message",
    [
        ([1, 2, 3], "operation indices [1, 2, 3]: expected six whole numbers, one an edge"),
        ([0, 0, 0, 0, 0, 5], "operation index 5: expected 0 to 4, skip_connect, none, "
         "nor_conv_3x3, nor_conv_1x1, avg_pool_3x3 (naslib)"),
        (np.triu(np.ones((4, 4), int), 1).tolist(), "expected NATS-Bench's, with the operation from"),
        ([[0, 1], [1, 0]], "expected six operation indices or a 4 x 4 matrix"),
        ([], "'' is no NAS-Bench-201 cell: "),
        (None, "None is no NAS-Bench-201 cell: expected its string, six operation indices, a 4 x 4"),
        (1.5, "1.5 is no NAS-Bench-201 cell: "),
        ({}, "fields (none): expected arch_str or op_indices"),
        ({"matrix": 3}, "fields matrix: expected arch_str or op_indices"),
        ([GENOTYPE[0], GENOTYPE[1][::-1], GENOTYPE[2]], "the edges of node 2 are in another order"),
    ],
)
def test_values_that_are_no_cells(value, message):
    with pytest.raises(InvalidArchitectureError) as error:
        from_value(value)
    assert message in str(error.value)
