"""Tests of nas_tf.analysis.best_cells."""

import numpy as np
import pytest

from nas_tf.analysis.best_cells import BestCell, best_cells, cell_pictures
from nas_tf.core import DataError, History
from nas_tf.graphs import CellGraphs

NAN = np.nan


def _history():
    return History(
        key=np.array([[7, 5, 9], [9, 7, 0]], np.uint64),
        validation_accuracy=np.array([[0.90, NAN, 0.92], [0.94, 0.80, NAN]]),
        test_accuracy=np.array([[0.89, NAN, 0.91], [0.91, 0.87, NAN]]),
        cost_sec=np.zeros((2, 3)),
    )


def test_cells_are_ranked_by_their_mean_over_runs():
    first, second = best_cells(_history())
    assert (first.key, first.num_runs, first.num_incumbent) == (9, 2, 2)
    assert first.validation_accuracy == pytest.approx(0.93)
    assert first.test_accuracy == pytest.approx(0.91)
    assert (second.key, second.num_runs, second.num_incumbent) == (7, 2, 0)
    assert second.validation_accuracy == pytest.approx(0.85)
    assert best_cells(_history(), count=1) == [first]


def test_a_cell_asked_for_twice_in_a_run_counts_once():
    history = History(
        key=np.array([[7, 7]], np.uint64),
        validation_accuracy=np.array([[0.5, 0.7]]),
        test_accuracy=np.array([[0.5, 0.7]]),
        cost_sec=np.zeros((1, 2)),
    )
    assert best_cells(history) == [BestCell(7, 0.5, 0.5, 1, 1)]


def test_nothing_feasible_gives_nothing():
    history = _history()
    history.validation_accuracy[:] = NAN
    assert best_cells(history) == []


def test_pictures_have_the_cells_matrix_and_operations():
    cells = CellGraphs.from_matrices(
        [np.array([[0, 1], [0, 0]]), np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]])],
        [[0, 2], [0, 1, 2]],
        max_nodes=3,
    )
    best = [BestCell(int(cells.keys[1]), 0.95055, 0.94318, 12, 3)]
    (picture,) = cell_pictures(best, cells, op_names=("input", "conv", "output"), num_runs=500)
    assert picture.matrix.tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert list(picture.operations) == ["input", "conv", "output"]
    assert picture.caption == "validation 95.06 %, test 94.32 %\nqueried by 12 of 500 runs"
    with pytest.raises(DataError, match="0x0000000000000001 is not among 2 cells"):
        cell_pictures([BestCell(1, 0.5, 0.5, 1, 1)], cells, op_names=("a", "b", "c"), num_runs=1)
