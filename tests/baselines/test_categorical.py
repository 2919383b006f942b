"""Tests of nas_tf.baselines.categorical, and of what all searches over codes share."""

import numpy as np
import pytest

from nas_tf import core
from nas_tf.baselines import bohb
from nas_tf.baselines import categorical
from nas_tf.baselines import categorical_reinforce
from nas_tf.pools import pool
from nas_tf.spaces import nasbench201
from nas_tf.spaces.nasbench101 import NasBench101Space


@pytest.mark.parametrize("table", [1 << 16, 0])
def test_codes_are_found_in_the_pool(numbered, monkeypatch, table):
    monkeypatch.setattr(categorical, "_MAX_TABLE", table)
    part = numbered[::2]
    encoding = NasBench101Space(5).decisions()
    coded = categorical.CodedPool(pool.Pool(part), encoding, listed=True)
    codes = encoding.encode(numbered).reshape(4, 633, 13)
    expected = np.where(np.arange(2532) % 2, -1, np.arange(2532) // 2)
    np.testing.assert_array_equal(coded.find(codes).ravel(), expected)
    assert coded.find(np.zeros((1, 2, 13), np.int8)).tolist() == [[-1, -1]]


def test_random_numbers_are_those_of_splitmix64():
    """Its first two outputs for seed 0, and any stretch of a longer row."""
    first = [0xE220A8397B1DCDAF >> 11, 0x6E789E6AA1B965F4 >> 11]
    assert (categorical.expand(np.zeros(1), 0, 2) * 2.0**53).tolist() == [first]
    uniform = np.array([0.0, 0.3, 1 - 2.0**-53])
    row = categorical.expand(uniform, 0, 5000)
    np.testing.assert_array_equal(categorical.expand(uniform, 700, 300), row[:, 700:1000])
    assert ((row >= 0) & (row < 1)).all()
    assert np.abs(row.mean(axis=1) - 0.5).max() < 4 * np.sqrt(1 / 12 / 5000)
    assert np.abs(np.corrcoef(row) - np.eye(3)).max() < 4 / np.sqrt(5000)


class Grid:
    """Codes of three decisions with 2, 3 and 2 choices; cell k has the k-th. Some are no cell."""

    num_choices = (2, 3, 2)

    def __init__(self, toy, invalid=()):
        self._toy, self._invalid = toy, list(invalid)

    def encode(self, cells):
        return np.stack(np.unravel_index(cells.keys.astype(int), (2, 3, 2)), -1).astype(np.int8)

    def decode(self, codes):
        places = np.ravel_multi_index(np.moveaxis(codes, -1, 0), (2, 3, 2))
        return self._toy.cells(places.ravel()).reshape(*places.shape), ~np.isin(
            places, self._invalid
        )


class Draws(categorical.CategoricalSearch):
    """Draws codes with the given probabilities."""

    def __init__(self, cells, encoding, seeds, probabilities):
        self.probabilities = np.asarray(probabilities, float)
        super().__init__(cells, encoding, seeds=seeds, stream=99)

    def _propose_coded(self, uniform):
        runs = np.arange(len(self._seeds))
        shape = (len(runs), *self.probabilities.shape)
        return self._draw_new(runs, np.broadcast_to(self.probabilities, shape), uniform)


HALF, THIRDS = [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]


def test_choices_are_drawn_with_their_probabilities(toy):
    search = Draws(toy.cells(range(12)), Grid(toy), range(5000), [HALF, [0.1, 0.2, 0.7], HALF])
    drawn = search.suggest().cells.keys[:, 0].astype(int)
    expected = 5000 * np.ravel(np.array([0.5, 0.5])[:, None, None] * [[0.1], [0.2], [0.7]] * 0.5
                               + np.zeros((2, 3, 2)))
    counts = np.bincount(drawn, minlength=12)
    assert (np.square(counts - expected) / expected).sum() < 31.3  # once in 1,000 times


def test_drawn_again_until_a_new_cell_of_the_pool_turns_up(toy):
    """Cells 3 and 4 are invalid, 5 and 6 not in the pool: the other eight, in any order."""
    cells = toy.cells([0, 1, 2, 3, 4, 7, 8, 9, 10, 11])
    search = Draws(cells, Grid(toy, [3, 4]), range(400), [HALF, THIRDS, HALF])
    trace = toy.run(search, 8, dict.fromkeys(range(12), 0.5))
    assert (np.sort(trace, axis=1) == [0, 1, 2, 7, 8, 9, 10, 11]).all()
    codes = search.state()["codes"]
    np.testing.assert_array_equal(Grid(toy).decode(codes)[0].keys, trace)
    counts = np.bincount(trace[:, 7].astype(int), minlength=12)[[0, 1, 2, 7, 8, 9, 10, 11]]
    assert np.square(counts - 50).sum() / 50 < 24.3  # seven degrees of freedom, 1 in 1,000


def test_any_new_cell_when_none_can_be_drawn(toy):
    """The first decision is always 0: cells 6 to 11 cannot be drawn."""
    search = Draws(toy.cells(range(12)), Grid(toy), range(200), [[1, 0, 0], THIRDS, HALF])
    trace = toy.run(search, 12, dict.fromkeys(range(12), 0.5))
    assert (trace[:, :6] < 6).all() and (trace[:, 6:] >= 6).all()
    assert (np.sort(trace, axis=1) == np.arange(12)).all()
    assert len(np.unique(trace[:, 6])) == 6
    codes = search.state()["codes"]
    assert (codes[:, :6] >= 0).all() and (codes[:, 6:] == -1).all()


# What follows is tested with every strategy.


@pytest.fixture(scope="module")
def benches(cells, accuracy):
    """Pools, encodings and accuracies by key; every seventh cell or so is infeasible."""
    wide = pool.unique_cells(nasbench201.NasBench201Space().enumerate_cells())
    values = 0.5 + 0.05 * (wide.ops == nasbench201.CONV3X3).sum(axis=1)
    values += 0.02 * np.random.default_rng(0).normal(size=len(wide))
    values[::7] = np.nan
    found = dict(zip(wide.keys.tolist(), values.tolist(), strict=True))
    return {
        "101": (cells, NasBench101Space(5).decisions(), accuracy),
        "201": (wide, nasbench201.NasBench201Space().decisions(), found),
    }


def gradient(cells, encoding, seeds):
    return categorical_reinforce.CategoricalReinforce(cells, encoding, seeds=seeds)


def adam(cells, encoding, seeds):
    return categorical_reinforce.CategoricalReinforce(
        cells, encoding, seeds=seeds, learning_rate=0.05, optimizer="adam"
    )


def halving(cells, encoding, seeds):
    return bohb.Bohb(cells, encoding, seeds=seeds, epochs=[4, 12, 36])


@pytest.fixture(params=[(gradient, "101"), (adam, "201"), (halving, "201")],
                ids=["gradient-101", "adam-201", "halving-201"])
def bench(request, benches):
    """Returns a function from seeds to a search, and the accuracies."""
    build, name = request.param
    cells, encoding, found = benches[name]
    return lambda seeds, cells=cells: build(cells, encoding, seeds), cells, found


def assert_same_state(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_a_run_of_a_study_equals_the_run_alone(bench, toy):
    make, _, accuracy = bench
    study, alone = make(range(500, 520)), make([517])
    trace = toy.run(study, 100, accuracy)
    np.testing.assert_array_equal(trace[17:18], toy.run(alone, 100, accuracy))
    state, one = study.state(), alone.state()
    for name in one:
        np.testing.assert_array_equal(state[name][17:18], one[name], err_msg=name)
    assert len(np.unique(trace[:, 0])) > 15


@pytest.mark.parametrize("stop", [0, 10, 64])
def test_resumed_equals_uninterrupted(bench, toy, stop):
    make, _, accuracy = bench
    whole, first, second = make([0, 1, 2]), make([0, 1, 2]), make([0, 1, 2])
    trace = toy.run(whole, 100, accuracy)
    if stop:
        toy.run(first, stop, accuracy)
    first.suggest()  # an unanswered suggestion is simply made again
    second.restore(first.state())
    assert_same_state(second.state(), first.state())
    np.testing.assert_array_equal(toy.run(second, 100 - stop, accuracy), trace[:, stop:])
    assert_same_state(second.state(), whole.state())


def test_suggest_changes_nothing(bench, toy):
    make, _, accuracy = bench
    search = make([0, 1, 2])
    toy.run(search, 30, accuracy)
    before = search.state()
    first, second = search.suggest(), search.suggest()
    assert first.cells.shape == (3, 1) and first.epochs == second.epochs
    np.testing.assert_array_equal(first.cells.keys, second.cells.keys)
    assert_same_state(search.state(), before)


def test_no_cell_is_queried_twice_at_the_same_epochs(bench, toy):
    make, cells, accuracy = bench
    search, asked = make(range(5), cells[:100]), [set() for _ in range(5)]
    with pytest.raises(core.ConfigError, match="all 100 cells of the pool"):
        for _ in range(300):
            suggestion = search.suggest()
            for known, key in zip(asked, suggestion.cells.keys[:, 0].tolist(), strict=True):
                assert (key, suggestion.epochs) not in known
                known.add((key, suggestion.epochs))
            search.update(toy.answer(suggestion, accuracy))
    for known in asked:
        assert {key for key, _ in known} == set(cells[:100].keys.tolist())


def test_all_cells_may_be_infeasible(bench, toy):
    make, cells, accuracy = bench
    trace = toy.run(make(range(3)), 60, dict.fromkeys(accuracy, np.nan))
    assert [len(np.unique(run)) for run in trace] == [60] * 3


def test_a_run_without_budget_does_not_change(bench, toy):
    make, _, accuracy = bench
    search, free = make([0, 1]), make([0, 1])
    toy.run(search, 30, accuracy)
    before = search.state()
    toy.run(search, 30, accuracy, active=[False, True])
    again = make([0, 1])
    again.restore(search.state())
    toy.run(free, 60, accuracy)
    for found in (search.state(), again.state()):
        np.testing.assert_array_equal(found["active"], [False, True])
        for name in ("queried", "accuracy", "codes"):
            np.testing.assert_array_equal(found[name][0, :30], before[name][0])
            np.testing.assert_array_equal(found[name][1], free.state()[name][1])
        assert (found["queried"][0, 30:] == -1).all() and (found["codes"][0, 30:] == -1).all()
    np.testing.assert_array_equal(search.suggest().cells.keys[1], again.suggest().cells.keys[1])


def test_a_run_that_is_over_may_have_used_up_its_pool(bench, toy):
    make, cells, accuracy = bench
    search = make([0, 1], cells[:30])
    toy.run(search, 9, accuracy)
    left = toy.run(search, 15, accuracy, active=[False, True])
    assert len(np.unique(left[1])) > 1


def test_the_order_of_the_pool_does_not_matter(bench, toy):
    make, cells, accuracy = bench
    mixed = cells[np.random.default_rng(1).permutation(len(cells))]
    trace = toy.run(make([3]), 50, accuracy)
    np.testing.assert_array_equal(toy.run(make([3], mixed), 50, accuracy), trace)


def test_feedback_about_other_cells_is_refused(bench, toy):
    make, cells, accuracy = bench
    search = make([0])
    other = cells[cells.keys != search.suggest().cells.keys[0, 0]][np.array([[7]])]
    with pytest.raises(ValueError, match="other cells"):
        search.update(toy.answer(core.Suggestion(other), accuracy))


def test_bad_input(bench):
    make, cells, _ = bench
    with pytest.raises(core.ConfigError, match=r"seeds=\[-1\]"):
        make([-1])
    with pytest.raises(ValueError, match="no cells"):
        make([0], cells[:0])
