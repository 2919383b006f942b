"""nas_tf/surrogates/path_counts.py: sequences listed one by one."""

import collections

import numpy as np

from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.surrogates import path_encoding
from nas_tf.surrogates.live_graphs import live_graphs
from nas_tf.surrogates.path_counts import (
    NUM_SHARED, longest_sequence, path_counts, sequence_table,
)

SPACE = NasBench101Space()
KINDS = SPACE.operation_kinds


def sequences(cells, index):
    """Returns how often each sequence of operations leads from input to output."""
    matrix, ops = cells.matrix(index)
    found = collections.Counter()

    def walk(node, before):
        if node == len(ops) - 1:
            found[before] += 1
            return
        own = (int(ops[node]),) if node else ()
        for target in np.flatnonzero(matrix[node]):
            walk(target, before + own)

    walk(0, ())
    return found


def number(sequence):
    """Returns the number of a sequence of codes 1 to 3."""
    position = 0
    for code in sequence:
        position = 3 * position + code - 1
    return path_encoding.num_paths(3, len(sequence) - 1) + position


def test_counts_are_those_of_paths_listed_one_by_one():
    cells = SPACE.random_cells(np.random.default_rng(1), (40,))
    live = live_graphs(cells, KINDS)
    assert longest_sequence(live, KINDS) == max(
        len(sequence) for index in range(40) for sequence in sequences(cells, index)
    )
    table = sequence_table(3, 5)
    counts = path_counts(live, KINDS, table)
    assert counts.shape == (40, 364)
    for index in range(40):
        expected = np.zeros(364)
        for sequence, count in sequences(cells, index).items():
            expected[number(sequence)] = count
        np.testing.assert_array_equal(counts[index], expected)
    seen = path_encoding.encode(cells, (1, 2, 3), 5)
    np.testing.assert_array_equal(counts > 0, seen)


def test_shared_numbers_keep_every_path():
    cells = SPACE.random_cells(np.random.default_rng(2), (20,))
    live = live_graphs(cells, KINDS)
    table = sequence_table(3, 6)
    assert table.shape == (3, NUM_SHARED)
    assert (np.sort(table, axis=1) == np.arange(NUM_SHARED)).all()
    exact = path_counts(live, KINDS, sequence_table(3, 5))
    np.testing.assert_array_equal(path_counts(live, KINDS, table).sum(1), exact.sum(1))


def test_the_table_ends_with_the_longest_sequence():
    assert sequence_table(2, 2).tolist() == [[1, 3, 5, -1, -1, -1, -1], [2, 4, 6, -1, -1, -1, -1]]
    assert sequence_table(0, 3).shape == (0, 1)
