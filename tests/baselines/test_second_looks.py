"""nas_tf/baselines/second_looks.py: what counts of cells that were asked for twice, by hand."""

import numpy as np
import pytest

from nas_tf.baselines.second_looks import Seen, as_of

NAN = float("nan")
CELLS = np.array([4, 7, 4, 9, 7, 2, 9])  # the last two are out
ACCURACY = np.array([0.9, 0.8, 0.7, 0.6, 0.5])


def test_the_last_answer_counts():
    seen = Seen.of(CELLS, ACCURACY)
    assert seen.cells.tolist() == [4, 7, 9, 2] and seen.times.tolist() == [2, 2, 2, 1]
    assert seen.accuracy.tolist() == [0.7, 0.5, 0.6]


@pytest.mark.parametrize("size, expected", [(1, [0.9]), (2, [0.9, 0.8]), (3, [0.7, 0.8, 0.6])])
def test_what_was_known_when_a_cell_came(size, expected):
    assert as_of(CELLS, ACCURACY, size).tolist() == expected


@pytest.mark.parametrize("cells, accuracy, expected", [
    ([4, 7], [0.8, 0.9], 7),
    ([4, 7, 7], [0.8, 0.9, 0.85], None),  # looked at already
    ([4, 7, 7], [0.8, 0.9, 0.7], 4),  # it fell behind
    ([4, 7, 7], [0.8, 0.9], None),  # the second look is out
    ([4, 7], [0.8, 0.8], 4),  # the first of equals
    ([4, 7], [NAN, 0.1], 7),
    ([4], [NAN], None),
    ([4], [], None),
], ids=str)
def test_which_cell_is_doubted(cells, accuracy, expected):
    assert Seen.of(np.array(cells), np.array(accuracy)).doubted() == expected
