"""nas_tf/pools/two_edits.py, and what a pool that is a part of a space makes of it."""

import numpy as np

from nas_tf.pools.pool import Pool
from nas_tf.pools.two_edits import TwoEdits
from nas_tf.spaces.choices import ChoiceSpace

SPACE = ChoiceSpace("grid", {"a": (0, 1, 2), "b": (0, 1, 2), "c": (0, 1, 2)})
EVERY = SPACE.enumerate_cells()  # number 9 a + 3 b + c


def _numbers(pool, index):
    """Returns the numbers in the space of a pool's cells; -1 of -1."""
    keys = EVERY.keys.tolist()
    return [keys.index(key) for key in pool.cells.keys[index[index >= 0]].tolist()]


def test_cells_with_a_neighbour_in_common():
    part = EVERY[[0, 4, 13, 26, 1]]  # 000 011 111 222 001
    found, origin = TwoEdits(part, SPACE).of(np.array([0, 3, 4]))
    # Two edits in a choice of three lead to the third option as well: 001 is two from 000.
    pairs = set(zip(origin.tolist(), found.tolist()))
    assert pairs == {(0, 1), (0, 4), (2, 0), (2, 1), (2, 2)}
    assert origin.tolist() == sorted(origin.tolist())


def test_a_cell_without_neighbours_has_those_two_edits_away():
    part = EVERY[[0, 4, 13, 26]]  # 000 011 111 222
    pool = Pool(part, SPACE)
    place = {number: int(pool.find(EVERY[[number]])[0]) for number in (0, 4, 13, 26)}
    near = pool.neighbours(np.array([place[0], place[4], place[26]]))
    assert _numbers(pool, near[0]) == [4]  # two edits away, and nothing is nearer
    assert _numbers(pool, near[1]) == [13]  # one edit away: 000, two away, is none then
    assert _numbers(pool, near[2]) == []
    closest = Pool(part, SPACE, neighbour_edits=1).neighbours(np.array([place[0], place[4]]))
    assert _numbers(pool, closest[0]) == [] and _numbers(pool, closest[1]) == [13]


def test_a_whole_space_knows_no_difference(monkeypatch):
    monkeypatch.setattr(TwoEdits, "__init__", None)  # is not made
    index = np.arange(27)
    pools = [Pool(EVERY, SPACE, neighbour_edits=edits).neighbours(index) for edits in (1, 2)]
    np.testing.assert_array_equal(*pools)
    assert (pools[0] >= 0).sum() == 27 * 6
