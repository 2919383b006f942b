"""nas_tf/baselines/gaussian_process.py: a plain search, answers in any order, exact resume."""

import numpy as np
import pytest

from nas_tf import core
from nas_tf.baselines.gaussian_process import GaussianProcessSearch
from nas_tf.surrogates.acquisition import expected_improvement
from nas_tf.surrogates.cell_features import LISTED, CellFeatures
from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.hyperparameters import Hyperparameters, normal_scores
from nas_tf.surrogates.prediction import predict

GROUPS = tuple(LISTED)


@pytest.fixture(name="make", scope="module")
def _make(numbered, space):
    """Returns a function from seeds to a search over every fifth cell."""
    return lambda seeds, **settings: GaussianProcessSearch(
        numbered[::5], space, seeds=seeds, **settings
    )


def reference(features, accuracy, first):
    """The search of one run, plainly: every query looks at all cells, computed at once."""
    kernel = Kernel(("linear", "matern", "matern"))
    queried, belief = list(first), Hyperparameters(kernel)
    while len(queried) < 24:
        cells, known = np.array(queried), np.array([accuracy[cell] for cell in queried])
        belief.learn(lambda index: [group[index] for group in features], cells, known)
        found = predict(
            kernel, belief.logarithms, [group[cells] for group in features],
            normal_scores(known), features,
        )
        deviation = np.sqrt(found.variance + np.exp(belief.logarithms[-1]))
        promise = expected_improvement(found.mean, deviation, found.mean[cells].max())
        promise[cells] = -np.inf
        queried.append(int(np.argmax(promise)))
    return queried


def test_trace_equals_a_plain_implementation(toy, space, numbered, make, accuracy):
    cells = numbered[::5]
    values = [accuracy[key] for key in cells.keys.tolist()]
    trace = np.searchsorted(cells.keys, toy.run(make([3, 4]), 24, accuracy))
    features = [group.astype(float) for group in CellFeatures(space, cells, GROUPS)(cells)]
    for run in trace:
        assert run.tolist() == reference(features, values, run[:3])


def test_a_run_is_the_run_alone_and_seeds_differ_in_the_first_cells(toy, make, accuracy):
    together = toy.run(make([5, 6]), 12, accuracy)
    assert toy.run(make([6]), 12, accuracy).tolist() == together[1:].tolist()
    assert set(together[0, :3].tolist()) != set(together[1, :3].tolist())


def test_it_finds_the_best_cell_long_before_chance(toy, make, numbered, accuracy):
    """Accuracies are smooth over cells: random search would find it in every tenth run."""
    keys = numbered.keys[::5].tolist()
    known = {key: 0.7 if np.isnan(accuracy[key]) else accuracy[key] for key in keys}
    trace = toy.run(make(range(10)), 50, known)
    assert (trace == max(known, key=known.get)).any(axis=1).sum() >= 5
    assert all(len(set(run)) == 50 for run in trace.tolist())


@pytest.mark.parametrize("settings", [{}, {"round_size": 4}, {"acquisition_name": "thompson"}])
def test_a_restored_search_goes_on_bit_for_bit(toy, make, accuracy, settings):
    whole = toy.run(make([7], **settings), 30, accuracy)
    search = make([7], **settings)
    begun = toy.run(search, 13, accuracy)
    state = {name: np.array(value) for name, value in search.state().items()}
    other = make([7], **settings)
    other.restore(state)
    rest = toy.run(other, 17, accuracy)
    assert np.concatenate([begun, rest], axis=1).tolist() == whole.tolist()


def noisy(toy, search, queries, accuracy):
    """Runs a search whose second looks are told less than the first; returns keys [R, queries],
    and what was said to have been measured before."""
    trace, before = [], []
    for number in range(queries):
        suggestion = search.suggest()
        again = suggestion.measured_before
        assert search.num_asked == number
        trace.append(suggestion.cells.keys[:, 0])
        before.append(again[:, 0])
        answer = toy.answer(suggestion, accuracy)
        worse = answer.validation_accuracy - 0.05 * (again >= 0)
        search.update(core.Feedback(**{**vars(answer), "validation_accuracy": worse}))
    return np.stack(trace, axis=1), np.stack(before, axis=1)


def test_a_second_look_at_every_cell_that_leads(toy, make, accuracy):
    """Once the random cells are known, whoever leads by what was told last is looked at again."""
    trace, before = noisy(toy, make([12, 13], second_looks=True), 30, accuracy)
    for keys, again in zip(trace.tolist(), before.tolist()):
        last, times = {}, {}
        for number, (key, first) in enumerate(zip(keys, again)):
            leader = max(last, key=last.get) if last else None
            doubted = number >= 3 and leader is not None and times[leader] == 1
            assert (key == leader) == doubted and (first >= 0) == doubted
            if doubted:
                assert first == keys.index(key)
            value = accuracy[key] - 0.05 * doubted
            times[key] = times.get(key, 0) + 1
            if not np.isnan(value):
                last[key] = value
        assert max(times.values()) == 2


def test_second_looks_are_restored_bit_for_bit(toy, make, accuracy):
    undisturbed = make([14], second_looks=True)
    whole, _ = noisy(toy, undisturbed, 40, accuracy)
    for killed_at in (9, 23):
        search = make([14], second_looks=True)
        begun, _ = noisy(toy, search, killed_at, accuracy)
        other = make([14], second_looks=True)
        other.restore({name: np.array(value) for name, value in search.state().items()})
        rest = []
        for _ in range(40 - killed_at):
            suggestion = other.suggest()
            rest.append(suggestion.cells.keys[:, 0])
            answer = toy.answer(suggestion, accuracy)
            worse = answer.validation_accuracy - 0.05 * (suggestion.measured_before >= 0)
            other.update(core.Feedback(**{**vars(answer), "validation_accuracy": worse}))
        assert np.concatenate([begun, np.stack(rest, axis=1)], axis=1).tolist() == whole.tolist()
        # Fitted to what was known then, not to what second looks have told since.
        beliefs = [search._runs[0]._hyperparameters for search in (other, undisturbed)]  # pylint: disable=protected-access
        assert beliefs[0].logarithms.tolist() == beliefs[1].logarithms.tolist()


def test_what_is_out_for_a_second_look_is_not_looked_at_a_third_time(toy, make, accuracy):
    search = make([15], second_looks=True)
    noisy(toy, search, 3, accuracy)
    suggestion = search.suggest(4)
    assert (suggestion.measured_before[0] >= 0).tolist() == [True, False, False, False]
    assert len(set(suggestion.cells.keys[0].tolist())) == 4


def test_answers_in_any_order(toy, make, accuracy):
    """What is out is not asked for again; a late answer is learned from like any other."""
    search = make([8])
    first = search.suggest(6)
    search.take(first)
    assert len(set(first.cells.keys[0].tolist())) == 6
    for number in (4, 1, 5, 0, 3):
        answer = toy.answer(core.Suggestion(first.cells[:, [number]]), accuracy)
        search.update(core.Feedback(**{**vars(answer), "numbers": np.array([number])}))
    cells, known = search.known()
    keys = search._pool.cells.keys  # pylint: disable=protected-access
    assert keys[cells[0]].tolist() == first.cells.keys[0, [4, 1, 5, 0, 3, 2]].tolist()
    assert known.shape == (1, 5)
    later = search.suggest(3)
    assert not set(later.cells.keys[0].tolist()) & set(first.cells.keys[0].tolist())


def test_a_round_spreads_out(toy, make, accuracy):
    """Cells of a round are no neighbours in belief: each conditions the variance of the next."""
    search = make([9], round_size=5)
    toy.run(search, 3, accuracy)
    drawn = search.suggest()
    assert drawn.cells.shape == (1, 5) and len(set(drawn.cells.keys[0].tolist())) == 5


def test_settings_reach_the_search(toy, make, accuracy):
    plain = toy.run(make([10]), 20, accuracy).tolist()
    for settings in (
        {"kinds": {"paths": "matern"}}, {"kinds": {"summaries": "matern"}},
        {"summaries": ("parameters",)}, {"target": "standardized"}, {"num_candidates": 20},
        {"acquisition_name": "upper_bound"}, {"num_initial": 8}, {"round_size": 3},
    ):
        assert toy.run(make([10], **settings), 20, accuracy).tolist() != plain, settings


def test_only_infeasible_cells_are_survived(toy, make, numbered):
    trace = toy.run(make([11]), 10, dict.fromkeys(numbered.keys.tolist(), np.nan))
    assert len(set(trace[0].tolist())) == 10


def test_a_used_up_pool_says_so(toy, space, numbered, accuracy):
    search = GaussianProcessSearch(numbered[:6], space, seeds=[0])
    assert sorted(toy.run(search, 6, accuracy)[0].tolist()) == sorted(numbered.keys[:6].tolist())
    with pytest.raises(core.ConfigError, match="all 6 cells of the pool have been queried"):
        search.suggest()
