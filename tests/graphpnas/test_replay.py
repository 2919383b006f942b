"""What is learned from, and with what weight."""

import numpy as np
import pytest

from nas_tf.core import NasError
from nas_tf.graphpnas.replay import best_cells, buffer_size, coefficients


@pytest.mark.parametrize(
    "queries, keep_top, expected",
    [(5, 30, 5), (100, 30, 30), (100, None, 20), (200, None, 20), (1, None, 1)],
)
def test_size(queries, keep_top, expected):
    shares = (0.3, 0.1)
    found = buffer_size(queries, keep_top=keep_top, shares=shares, total=200)
    assert found == expected


def test_the_best_cells_come_first():
    accuracy = np.array([0.7, np.nan, 0.9, 0.8, 0.9])
    assert best_cells(accuracy, 3).tolist() == [2, 4, 3]
    assert best_cells(accuracy, 9).tolist() == [2, 4, 3, 0]
    assert best_cells(np.array([np.nan]), 3).tolist() == []


def test_equation_12():
    up, down = coefficients(np.array([0.9, 0.8, 0.7, 0.2]), "reweighted", 0.25)
    assert up.tolist() == [1, 1, 1, 0]  # the mean is 0.65
    assert down.tolist() == [0, 0, 0, 0.25]


def test_equation_12_by_the_size_of_rewards():
    up, down = coefficients(np.array([3.0, 1.0, 1.0, 1.0]), "reweighted", 0.5, reward_size=True)
    root = 3**0.5  # the mean is 1.5 and the deviation is the square root of 3/4
    np.testing.assert_allclose(up, [root, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(down, [0, 0.5 / root, 0.5 / root, 0.5 / root], rtol=1e-6)
    assert up.dtype == down.dtype == np.float32


def test_equation_11():
    up, down = coefficients(np.array([3.0, 1.0]), "reinforce", 0.25)
    assert up.tolist() == [1, -1] and not down.any()


def test_ranks():
    up, down = coefficients(np.array([0.9, 0.9, 0.7, 0.8]), "rank", 0.25)
    assert up.tolist() == [1, 1, 0.25, 0.5] and not down.any()


@pytest.mark.parametrize("objective", ["reweighted", "reinforce", "rank"])
@pytest.mark.parametrize("rewards", [[0.5], [0.93, 0.93, 0.93]])
def test_equal_rewards_have_no_spread(objective, rewards):
    up, down = coefficients(np.array(rewards), objective, 0.25)
    assert up.tolist() == [1] * len(rewards) and not down.any()


def test_bad_input():
    with pytest.raises(NasError, match=r"rewards \[nan\]: expected finite"):
        coefficients(np.array([0.5, np.nan]), "rank", 0.1)
