"""Tests of nas_tf.pools.pool."""

import numpy as np
import pytest

from nas_tf.pools import pool


def test_unique_cells_are_in_the_order_of_their_keys(toy):
    assert pool.unique_cells(toy.cells([5, 9, 3, 5, 3])).keys.tolist() == [3, 5, 9]


def test_each_architecture_once_keeps_the_order(toy):
    cells, index = pool.each_once(toy.cells([5, 9, 3, 5, 3]))
    assert cells.keys.tolist() == [5, 9, 3] and index.tolist() == [0, 1, 2]
    cells, index = pool.each_once(toy.cells([5, 5, 9, 3]))
    assert cells.keys.tolist() == [5, 9, 3] and index.tolist() == [0, 2, 3]
    alone = toy.cells([5, 9])
    assert pool.each_once(alone)[0] is alone


def test_neighbours_of_a_small_graph(toy):
    """0 - 1 - 2 - 30, 4 alone; 30 is not in the pool."""
    space = toy.space([(0, 1), (2, 1), (2, 30)])
    small = pool.Pool(toy.cells([4, 1, 2, 0, 1]), space, neighbour_edits=1)
    np.testing.assert_array_equal(small.neighbours(np.array([3])), [[-1]])
    found = small.neighbours(np.array([1, 0, 3, 2, 1]))
    np.testing.assert_array_equal(found, [[0, 2], [1, -1], [-1, -1], [1, -1], [0, 2]])
    assert small.neighbours(np.zeros(0, np.int64)).shape == (0, 1)
    assert space.asked == [4, 0, 1, 2]  # each once


def test_neighbours_of_all_cells_of_a_space(space, cells):
    """In a pool of every other cell; in one call and in calls of any size."""
    part = pool.unique_cells(cells[::2])
    neighbours = pool.Pool(part, space).neighbours
    near, origin = space.neighbours(part)
    inside = np.isin(near.keys, part.keys)
    expected = set(zip(origin[inside].tolist(), near.keys[inside].tolist(), strict=True))
    found = neighbours(np.arange(len(part)))
    row, column = np.nonzero(found >= 0)
    pairs = list(zip(row.tolist(), part.keys[found[row, column]].tolist(), strict=True))
    assert len(pairs) == len(expected) and set(pairs) == expected
    other = pool.Pool(part, space)
    for index in np.array_split(np.random.default_rng(0).permutation(len(part)), 9):
        again = other.neighbours(index)
        np.testing.assert_array_equal(again, found[index, : again.shape[1]])


@pytest.fixture
def queried():
    """Three runs over 5 cells: run 0 has queried 3 and 1, run 1 nothing, run 2 cell 0."""
    books = pool.Queried(3)
    books.add(np.array([2, 0]), np.array([0, 3]))
    books.answer(np.array([0, 2]), np.array([3, 0]), np.array([0.3, 0.2]))
    books.add(np.array([0]), np.array([1]))
    return books


def test_queried_cells_are_found(queried):
    known, accuracy = queried.find(np.array([0, 2]), np.array([[3, 1, 0, -1], [3, -1, 0, 4]]))
    np.testing.assert_array_equal(known, [[True, True, False, False], [False, False, True, False]])
    no = np.nan  # cell 1 of run 0 is out
    np.testing.assert_array_equal(accuracy, [[0.3, no, no, no], [no, no, 0.2, no]])
    np.testing.assert_array_equal(queried.num_left(5), [3, 5, 4])
    copied = queried.copy()
    copied.answer(np.array([0]), np.array([1]), np.array([np.nan]))
    assert copied.find(np.array([0]), np.array([[1]]))[1].tolist() == [[-np.inf]]
    assert np.isnan(queried.find(np.array([0]), np.array([[1]]))[1]).all()


def test_books_by_architecture():
    """Indices 0 and 3, and 1 and 4, are one architecture each."""
    books = pool.Queried(2, lambda index: index % 3)
    books.add(np.array([0, 1]), np.array([4, 0]))
    books.answer(np.array([1]), np.array([3]), np.array([0.5]))
    asked, accuracy = books.find(np.array([0, 1]), np.array([[1, 4, 2, 3], [0, 3, 1, -1]]))
    assert asked.tolist() == [[True, True, False, False], [True, True, False, False]]
    np.testing.assert_array_equal(accuracy[1], [0.5, 0.5, np.nan, np.nan])


def test_nothing_is_found_before_the_first_query():
    known, accuracy = pool.Queried(2).find(np.array([1]), np.array([[0, 4]]))
    assert not known.any() and np.isnan(accuracy).all()


@pytest.mark.parametrize(
    "uniform, cells",
    [(0.0, [0, 0, 1]), (0.34, [2, 1, 2]), (0.5, [2, 2, 3]), (0.99, [4, 4, 4])],
)
def test_cells_are_drawn_among_those_left(queried, uniform, cells):
    """Left are 0, 2, 4 in run 0, all in run 1 and 1, 2, 3, 4 in run 2."""
    assert queried.draw(np.full(3, uniform), 5).tolist() == cells


def test_a_run_with_nothing_left_gets_some_cell():
    books = pool.Queried(2)
    books.add(np.array([0]), np.array([0]))
    assert books.draw(np.array([0.7, 0.7]), 1).tolist() == [0, 0]


def test_choose():
    allowed = np.array([[0, 1, 0, 1, 1]] * 3 + [[0, 0, 0, 0, 0]], bool)
    assert pool.choose(allowed, np.array([0.0, 0.34, 0.99, 0.5])).tolist() == [1, 3, 4, 0]
