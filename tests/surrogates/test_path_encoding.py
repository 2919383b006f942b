"""Tests of nas_tf.surrogates.path_encoding."""

import itertools

import numpy as np
import pytest

from nas_tf.surrogates import path_encoding
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.spaces import nasbench201
from nas_tf.spaces.nasbench101 import CONV1X1, CONV3X3, INPUT, MAXPOOL3X3, OUTPUT

OPS_101 = (CONV1X1, CONV3X3, MAXPOOL3X3)


def features(cells, ops, max_length):
    """Returns the places of the features that each cell has."""
    encoded = path_encoding.encode(cells, ops, max_length)
    return [np.flatnonzero(row).tolist() for row in encoded]


def plainly(matrix, labels, ops, max_length):
    """Returns the same of one cell, by following every path."""
    lengths = range(max_length + 1)
    sequences = itertools.chain(*(itertools.product(ops, repeat=length) for length in lengths))
    place = {sequence: number for number, sequence in enumerate(sequences)}
    found, last = set(), len(labels) - 1

    def follow(node, sequence):
        if node == last:
            found.add(sequence)
        elif node == 0 or labels[node] in ops:
            sequence += (int(labels[node]),) if node else ()
            for target in np.flatnonzero(matrix[node]):
                follow(target, sequence)

    follow(0, ())
    return sorted(place[sequence] for sequence in found if sequence in place)


def test_numbers_of_paths():
    """The paper's: 364 in NAS-Bench-101, of which the 40 shortest are kept."""
    assert path_encoding.num_paths(3, 5) == 364
    assert path_encoding.num_paths(3, 3) == 40
    assert path_encoding.num_paths(5, 2) == 31
    assert path_encoding.num_paths(4, 0) == 1


def test_the_inception_cell(inception):
    """Its paths are 1x1, 3x3, 3x3-3x3 and max-pool: the last comes at 1 + 3 + 3 * 1 + 1."""
    matrix, ops = inception
    assert features(CellGraphs.from_matrices([matrix], [ops], 7), OPS_101, 5) == [[1, 2, 3, 8]]


def test_a_direct_edge_and_a_detour():
    """Input to output directly, and over max-pool, 1x1: 1 + 3 + 3 * 2 + 0."""
    matrix = [[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    cell = CellGraphs.from_matrices([matrix], [[INPUT, MAXPOOL3X3, CONV1X1, OUTPUT]], 7)
    assert features(cell, OPS_101, 5) == [[0, 10]]
    assert features(cell, OPS_101, 1) == [[0]]
    assert features(cell, OPS_101, 0) == [[0]]


def test_isomorphic_cells_are_encoded_alike():
    """Two branches, numbered either way."""
    matrix = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    labels = [[INPUT, CONV1X1, MAXPOOL3X3, OUTPUT], [INPUT, MAXPOOL3X3, CONV1X1, OUTPUT]]
    cells = CellGraphs.from_matrices([matrix, matrix], labels, 7)
    assert features(cells, OPS_101, 5) == [[1, 3], [1, 3]]


@pytest.mark.parametrize("max_length", [3, 5])
def test_all_cells_of_a_space(cells, monkeypatch, max_length):
    monkeypatch.setattr(path_encoding, "_CHUNK", 1000)  # in chunks that do not fit evenly
    found = features(cells, OPS_101, max_length)
    expected = [plainly(*cells.matrix(i), OPS_101, max_length) for i in range(len(cells))]
    assert found == expected


def test_nasbench201():
    """Paths by edges: 0-3; 0-1, 1-3; 0-2, 2-3; 0-1, 1-2, 2-3."""
    string = (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
        "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
    )
    broken = string.replace("|nor_conv_3x3~0|+", "|none~0|+", 1)  # the edge 0-1
    nothing = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    cells = nasbench201.from_strings(np.array([string, broken, nothing]))
    ops = nasbench201.INTERIOR_OPS[:-1]  # all but 'none'
    # skip: 1 + 3; 3x3 3x3: 5 + 4 + 1; 3x3 skip: 5 + 4 + 3; 3x3 avg skip: 21 + 16 + 8 + 3
    assert features(cells, ops, 3) == [[4, 10, 12, 48], [4, 12], []]
    assert features(cells, ops, 2) == [[4, 10, 12], [4, 12], []]
    # with 'none' an operation like the others, the last of five
    assert features(cells, nasbench201.INTERIOR_OPS, 2)[2] == [5, 30]


def test_all_cells_of_nasbench201():
    cells = nasbench201.NasBench201Space().enumerate_cells()
    ops = nasbench201.INTERIOR_OPS
    encoded = path_encoding.encode(cells, ops, 3)
    assert encoded.shape == (15_625, 156)
    assert (encoded[:, 1:6].sum(axis=1) == 1).all() and (encoded[:, 31:].sum(axis=1) == 1).all()
    for index in range(0, 15_625, 311):
        expected = plainly(*cells.matrix(index), ops, 3)
        assert np.flatnonzero(encoded[index]).tolist() == expected


def test_no_cells(cells):
    assert path_encoding.encode(cells[:0], OPS_101, 2).shape == (0, 13)


@pytest.mark.parametrize("ops, max_length", [((), 2), ((1, 1), 2), ((1, 2), -1)])
def test_bad_input(cells, ops, max_length):
    with pytest.raises(ValueError, match="distinct codes"):
        path_encoding.encode(cells[:3], ops, max_length)


@pytest.mark.parametrize("cells, expected", [
    (lambda: nasbench101.enumerate_cells(5), 3),
    (lambda: nasbench101.enumerate_cells(2), 0),
    (lambda: nasbench201.NasBench201Space().enumerate_cells(), 3),
])
def test_longest_path(cells, expected):
    assert path_encoding.longest_path(cells()) == expected
