"""Tests of nas_tf.arch2vec.bayesian."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from nas_tf import core
from nas_tf import search_loop
from nas_tf.arch2vec import bayesian
from nas_tf.arch2vec import dngo
from nas_tf.arch2vec import pools
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from tests.arch2vec import test_dngo
from tests.forked import check, make_two_devices

NUM_CELLS, DEPTH = 200, 6
QUERIES = 16 + 3 * 5


def pool(num_cells=NUM_CELLS):
    """Returns an embedding, cells whose key is their index, and accuracies."""
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(num_cells, DEPTH)).astype(np.float32)
    cells = CellGraphs(
        np.zeros((num_cells, 2, 2), np.uint8),
        np.zeros((num_cells, 2), np.int8),
        np.full(num_cells, 2, np.int8),
    ).with_keys(np.arange(num_cells, dtype=np.uint64))
    distance = np.sqrt(np.square(embedding - 1.0).sum(axis=1))
    return embedding, cells, 1.0 - distance / 20.0


EMBEDDING, CELLS, ACCURACY = pool()


def make(seeds, **options):
    return bayesian.BayesianSearch(EMBEDDING, CELLS, seeds=seeds, **options)


def answer(suggestion, active=None, accuracy=ACCURACY):
    keys = suggestion.cells.keys.astype(np.int64)
    return core.Feedback(
        cells=suggestion.cells,
        feasible=np.isfinite(accuracy[keys]),
        validation_accuracy=accuracy[keys],
        cost_sec=np.ones(keys.shape),
        active=np.ones(len(keys), bool) if active is None else np.asarray(active),
    )


def run(search, queries, **options):
    """Returns the next cells queried, int64 [R, queries]."""
    trace = np.zeros((len(search.state()["active"]), 0), np.int64)
    while trace.shape[1] < queries:
        suggestion = search.suggest()
        trace = np.concatenate([trace, suggestion.cells.keys.astype(np.int64)], axis=1)
        search.update(answer(suggestion, **options))
    assert trace.shape[1] == queries
    return trace


def assert_same_state(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def reference(seed, queries, target, accuracy):
    """arch2vec-BO for one run, plainly and in float64: only its random numbers are shared."""
    rng = core.generator(seed, core.Stream.SURROGATE_START)
    trace = rng.choice(NUM_CELLS, 16, replace=False).tolist()
    while len(trace) < queries:
        points = [cell for cell in trace if np.isfinite(accuracy[cell])]
        values = accuracy[points]
        rng = core.generator(seed, core.Stream.SURROGATE_WEIGHTS, len(trace))
        inputs = np.concatenate([EMBEDDING, np.ones((NUM_CELLS, 1))], axis=1)
        scaled = (values - values.mean()) / values.std()
        weights = dngo.initial_weights(rng, DEPTH)
        weights = test_dngo.plain_train(weights, inputs[points], scaled, 100)
        layer = np.tanh(inputs @ weights[:-1])
        mean, covariance, noise, _ = test_dngo.plain_regress(layer[points], scaled)
        deviation = np.sqrt(noise + np.einsum("ch,hk,ck->c", layer, covariance, layer))
        goal = values.max() if target is None else target
        gain = layer @ mean - (goal - values.mean()) / values.std()
        z = gain / deviation
        improvement = deviation * stats.norm.pdf(z) + gain * stats.norm.cdf(z)
        improvement[trace] = -np.inf
        trace += np.argsort(-improvement, kind="stable")[:5].tolist()
    return trace


@pytest.fixture(scope="module")
def study():
    """Returns the trace of 23 runs, in two blocks, the states after every round and the search."""
    search = make(range(100, 123))
    states = [search.state()]
    trace = run(search, 16)
    for _ in range(3):
        states.append(search.state())
        trace = np.concatenate([trace, run(search, 5)], axis=1)
    return trace, [*states, search.state()], search


@pytest.mark.parametrize("target", [0.95, None])
def test_trace_equals_a_plain_implementation(target, monkeypatch):
    """Every seventh cell is infeasible; the pool takes several chunks, the last not full."""
    monkeypatch.setattr(pools, "_CHUNK", 48)
    accuracy = np.where(np.arange(NUM_CELLS) % 7, ACCURACY, np.nan)
    found = run(make([3, 4], target=target), 26, accuracy=accuracy)
    assert found[0].tolist() == reference(3, 26, target, accuracy)
    assert found[1].tolist() == reference(4, 26, target, accuracy)


def test_a_run_of_a_study_equals_the_run_alone(study):
    """Run 7 sits in the middle of the first block, run 21 in the second."""
    trace, states, _ = study
    alone = make([107])
    np.testing.assert_array_equal(trace[7:8], run(alone, QUERIES))
    for name, value in alone.state().items():
        np.testing.assert_array_equal(states[-1][name][7:8], value, err_msg=name)
    np.testing.assert_array_equal(trace[[21]], run(make([121]), QUERIES))


def test_resumed_equals_uninterrupted(study):
    trace, states, _ = study
    search = make(range(100, 123))
    for number in (2, 1):  # the second time it goes back
        search.restore(states[number])
        search.suggest()  # an unanswered suggestion is simply made again
        made = states[number]["queried"].shape[1]
        search.restore(search.state())
        np.testing.assert_array_equal(run(search, QUERIES - made), trace[:, made:])
        assert_same_state(search.state(), states[-1])


def test_suggest_changes_nothing(study):
    _, states, search = study
    search.restore(states[1])
    first, second = search.suggest().cells, search.suggest().cells
    np.testing.assert_array_equal(first.keys, second.keys)
    assert_same_state(search.state(), states[1])


def test_the_loop_may_cut_a_suggestion(study):
    """A budget of 10 queries takes 10 of the 16 random cells; the others come next."""
    search = make(range(100, 123))
    suggestion = search.suggest()
    search.update(answer(dataclasses.replace(suggestion, cells=suggestion.cells[:, :10])))
    assert search.state()["queried"].shape == (23, 10)
    np.testing.assert_array_equal(search.suggest().cells.keys, study[0][:, 10:16])


def test_no_cell_is_queried_twice_until_all_are():
    """Also by a run whose cells are all infeasible, and with each cell twice in the pool."""
    embedding, cells, accuracy = pool(28)
    twice = np.concatenate([np.arange(28), np.arange(28)])
    search = bayesian.BayesianSearch(embedding[twice], cells[twice], seeds=[0, 1])
    trace = run(search, 28, accuracy=np.where(np.arange(28) < 0, accuracy, np.nan))
    assert (np.sort(trace, axis=1) == np.arange(28)).all()
    assert search.state()["queried"].shape == (2, 28)
    with pytest.raises(core.ConfigError, match="all 28 cells of the pool"):
        search.suggest()


def test_a_pool_smaller_than_the_first_design():
    embedding, cells, accuracy = pool(3)
    search = bayesian.BayesianSearch(embedding, cells, seeds=[0])
    assert sorted(run(search, 3, accuracy=accuracy)[0]) == [0, 1, 2]


def test_first_cells_are_random():
    first = make(range(60)).suggest().cells.keys
    assert first.shape == (60, 16)
    assert len(set(first[:, 0].tolist())) > 45
    assert all(len(set(row)) == 16 for row in first.tolist())


def test_a_run_without_budget_does_not_change(study):
    trace, states, search = study
    search.restore(states[2])
    active = np.arange(23) != 5
    run(search, 10, active=active)
    after = search.state()
    np.testing.assert_array_equal(after["queried"][active], trace[active])
    assert (after["queried"][5, 21:] == -1).all()
    np.testing.assert_array_equal(after["queried"][5, :21], trace[5, :21])
    assert np.isnan(after["accuracy"][5, 21:]).all()


def test_feedback_holds_no_test_accuracy():
    assert "test_accuracy" not in {field.name for field in dataclasses.fields(core.Feedback)}


def test_feedback_about_other_cells_is_refused():
    search = make([0])
    other = core.Suggestion(CELLS[(search.suggest().cells.keys.astype(int) + 1) % NUM_CELLS])
    with pytest.raises(ValueError, match="other cells"):
        search.update(answer(other))


def test_it_learns(study):
    """Ten cells chosen after 21 beat random ones by six standard errors."""
    late = ACCURACY[study[0][:, 21:]]
    assert late.mean() > ACCURACY.mean() + 6 * ACCURACY.std() / late.size**0.5


@pytest.mark.parametrize("seeds", [[-1], []])
def test_bad_seeds(seeds):
    with pytest.raises(core.ConfigError, match=rf"seeds=\[{', '.join(map(str, seeds))}\]"):
        bayesian.BayesianSearch(EMBEDDING, CELLS, seeds=seeds)


def test_embedding_and_cells_must_fit():
    with pytest.raises(ValueError, match="embedding of shape"):
        bayesian.BayesianSearch(EMBEDDING[:-1], CELLS, seeds=[0])
    with pytest.raises(ValueError, match="not finite"):
        bayesian.BayesianSearch(np.full_like(EMBEDDING, np.nan), CELLS, seeds=[0])


class TableStub(core.Evaluator):
    """Evaluates by `ACCURACY`; interrupts the search at a given query."""

    def __init__(self, stop=None):
        self.stop = stop

    def evaluate(self, suggestion, query):
        if query == self.stop:
            raise KeyboardInterrupt
        found = answer(suggestion)
        return core.Evaluation(
            cells=found.cells,
            feasible=found.feasible,
            validation_accuracy=found.validation_accuracy,
            test_accuracy=found.validation_accuracy,
            cost_sec=found.cost_sec,
            reason=np.full(found.feasible.shape, ""),
        )


def test_a_search_resumes_from_its_file(tmp_path, study):
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=0)
    options = {"num_runs": 23, "checkpoint": checkpoint}
    trace, states, search = study
    search.restore(states[0])
    with pytest.raises(KeyboardInterrupt):
        search_loop.run_search(search, TableStub(21), Budget(num_queries=24), **options)
    search = make(range(100, 123))
    result = search_loop.run_search(search, TableStub(), Budget(num_queries=24), **options)
    np.testing.assert_array_equal(result.history.key, trace[:, :24])


def save_trace_of_two_devices(path):
    """Writes the queries of 23 runs."""
    make_two_devices()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    np.save(path, run(make(range(100, 123), devices=strategy.extended.worker_devices), 21))


def test_two_devices_give_the_same_trace(tmp_path, study):
    path = tmp_path / "trace.npy"
    check(tmp_path, save_trace_of_two_devices, path)
    np.testing.assert_array_equal(np.load(path), study[0][:, :21])
