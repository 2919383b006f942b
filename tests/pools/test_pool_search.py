"""Tests of what all searches over a pool share: each runs with every one of them."""

import numpy as np
import pytest

from nas_tf import core
from nas_tf import search_loop
from nas_tf.baselines import evolution
from nas_tf.baselines import local_search
from nas_tf.baselines import random_search
from nas_tf.evaluators.budget import Budget
from nas_tf.evaluators.tabular import TabularEvaluator


def random_cells(cells, space, seeds):
    return random_search.RandomSearch(cells, seeds=seeds)


def evolving(cells, space, seeds):
    return evolution.RegularizedEvolution(
        cells, space, seeds=seeds, population_size=20, tournament_size=5
    )


def climbing(cells, space, seeds):
    return local_search.LocalSearch(cells, space, seeds=seeds)


def climbing_at_once(cells, space, seeds):
    return local_search.LocalSearch(cells, space, seeds=seeds, full_neighbourhood=False)


@pytest.fixture(params=[random_cells, evolving, climbing, climbing_at_once])
def make(request, cells, space):
    """Returns a function from seeds to a search over the cells of at most 5 vertices."""
    return lambda seeds, cells=cells: request.param(cells, space, seeds)


def assert_same_state(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_a_run_of_a_study_equals_the_run_alone(make, toy, accuracy):
    study, alone = make(range(100, 130)), make([117])
    trace = toy.run(study, 120, accuracy)
    np.testing.assert_array_equal(trace[17:18], toy.run(alone, 120, accuracy))
    state, one = study.state(), alone.state()
    for name in one:
        np.testing.assert_array_equal(state[name][17:18], one[name], err_msg=name)


@pytest.mark.parametrize("stop", [0, 1, 33, 64, 90])
def test_resumed_equals_uninterrupted(make, toy, accuracy, stop):
    whole, first, second = make([0, 1, 2]), make([0, 1, 2]), make([0, 1, 2])
    trace = toy.run(whole, 120, accuracy)
    if stop:
        toy.run(first, stop, accuracy)
    first.suggest()  # an unanswered suggestion is simply made again
    second.restore(first.state())
    assert_same_state(second.state(), first.state())
    np.testing.assert_array_equal(toy.run(second, 120 - stop, accuracy), trace[:, stop:])
    assert_same_state(second.state(), whole.state())


def test_suggest_changes_nothing(make, toy, accuracy):
    search = make([0, 1, 2])
    toy.run(search, 30, accuracy)
    before = search.state()
    first, second = search.suggest().cells, search.suggest().cells
    assert first.shape == (3, 1)
    np.testing.assert_array_equal(first.keys, second.keys)
    assert_same_state(search.state(), before)


def test_no_cell_is_queried_twice_until_all_are(make, toy, cells, accuracy):
    part = cells[:150]
    search = make(range(5), part)
    trace = toy.run(search, 150, accuracy)
    assert (np.sort(trace, axis=1) == np.sort(part.keys)).all()
    with pytest.raises(core.ConfigError, match="all 150 cells of the pool"):
        search.suggest()


def test_no_cell_is_queried_twice_when_none_is_feasible(make, toy, cells):
    trace = toy.run(make(range(5), cells[:60]), 60, dict.fromkeys(cells.keys.tolist(), np.nan))
    assert (np.sort(trace, axis=1) == np.sort(cells[:60].keys)).all()


def test_a_run_without_budget_does_not_change(make, toy, accuracy):
    search, free = make([0, 1]), make([0, 1])
    toy.run(search, 40, accuracy)
    before = search.state()
    toy.run(search, 60, accuracy, active=[False, True])
    again = make([0, 1])
    again.restore(search.state())
    toy.run(free, 100, accuracy)
    for found in (search.state(), again.state()):
        np.testing.assert_array_equal(found["active"], [False, True])
        np.testing.assert_array_equal(found["queried"][0, :40], before["queried"][0])
        assert (found["queried"][0, 40:] == -1).all()
        assert np.isnan(found["accuracy"][0, 40:]).all()
        np.testing.assert_array_equal(found["queried"][1], free.state()["queried"][1])
    np.testing.assert_array_equal(search.suggest().cells.keys, again.suggest().cells.keys)


def test_a_run_that_is_over_may_have_used_up_its_pool(make, toy, cells, accuracy):
    search = make([0, 1], cells[:10])
    toy.run(search, 4, accuracy, active=[False, True])
    toy.run(search, 6, accuracy)
    assert (search.state()["queried"][0] == -1).all()
    with pytest.raises(core.ConfigError, match="all 10 cells"):
        search.suggest()


def test_first_cells_are_random(make):
    first = make(range(60)).suggest().cells.keys[:, 0]
    assert len(set(first.tolist())) > 45


def test_the_order_of_the_pool_does_not_matter(make, toy, cells, accuracy):
    mixed = cells[np.random.default_rng(1).permutation(len(cells))]
    twice = mixed[np.r_[0 : len(mixed), 0:100]]  # and some cells are there twice
    trace = toy.run(make([3]), 50, accuracy)
    np.testing.assert_array_equal(toy.run(make([3], twice), 50, accuracy), trace)


def test_feedback_about_other_cells_is_refused(make, toy, accuracy, cells):
    search = make([0])
    other = cells[cells.keys != search.suggest().cells.keys[0, 0]][np.array([[7]])]
    with pytest.raises(ValueError, match="other cells"):
        search.update(toy.answer(core.Suggestion(other), accuracy))


def test_bad_input(make, cells):
    with pytest.raises(core.ConfigError, match=r"seeds=\[-1\]"):
        make([-1])
    with pytest.raises(core.ConfigError, match=r"seeds=\[\]"):
        make([])
    with pytest.raises(ValueError, match="no cells"):
        make([0], cells[:0])


class Interrupted(TabularEvaluator):
    """Interrupts the search at query 70."""

    def evaluate(self, suggestion, query):
        if query == 70:
            raise KeyboardInterrupt
        return super().evaluate(suggestion, query)


def test_a_search_resumes_from_its_file(make, cells, accuracy, tmp_path):
    values = np.array(list(accuracy.values()))
    table = np.flatnonzero(~np.isnan(values))  # what is not in it is infeasible
    args = cells.keys[table], values[table, None]
    options = {"test_accuracy": values[table], "cost_sec": args[1], "seeds": [0, 1]}
    evaluator, broken = TabularEvaluator(*args, **options), Interrupted(*args, **options)
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=0)
    budget = Budget(num_queries=100)
    whole = search_loop.run_search(make([0, 1]), evaluator, budget, num_runs=2)
    settings = {"num_runs": 2, "checkpoint": checkpoint}
    with pytest.raises(KeyboardInterrupt):
        search_loop.run_search(make([0, 1]), broken, budget, **settings)
    resumed = search_loop.run_search(make([0, 1]), evaluator, budget, **settings)
    np.testing.assert_array_equal(resumed.history.key, whole.history.key)
