"""Tests of nas_tf.arch2vec.reinforce and policy_blocks."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from nas_tf import core
from nas_tf import search_loop
from nas_tf.arch2vec import policy
from nas_tf.arch2vec import reinforce
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from tests.forked import check, make_two_devices

NUM_CELLS = 300


def pool(num_cells=NUM_CELLS):
    """Returns an embedding, cells whose key is their index, and accuracies."""
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(num_cells, 16), scale=2.0).astype(np.float32)
    cells = CellGraphs(
        np.zeros((num_cells, 2, 2), np.uint8),
        np.zeros((num_cells, 2), np.int8),
        np.full(num_cells, 2, np.int8),
    ).with_keys(np.arange(num_cells, dtype=np.uint64))
    distance = np.sqrt(np.square(embedding - 1.0).sum(axis=1))
    return embedding, cells, 1.0 - distance / 20.0


EMBEDDING, CELLS, ACCURACY = pool()


def make(seeds, **options):
    return reinforce.ReinforceSearch(EMBEDDING, CELLS, seeds=seeds, baseline=0.5, **options)


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
    """Returns the cells queried, int64 [R, queries]."""
    trace = []
    for _ in range(queries):
        suggestion = search.suggest()
        trace.append(suggestion.cells.keys[:, 0].astype(np.int64))
        search.update(answer(suggestion, **options))
    return np.stack(trace, axis=1)


def assert_same_state(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def sigmoid(values):
    return 1.0 / (1.0 + np.exp(-values))


def reference(seed, queries, discount):
    """arch2vec-RL for one run, plainly, in float64 and with gradients by differences of sums.

    Shares with the code under test only its random numbers.
    """
    rng = core.generator(seed, core.Stream.EMBEDDING_START)
    trace = [int(rng.integers(NUM_CELLS))]
    weights = [w.astype(np.float64) for w in policy.initial_weights(rng, 16)]
    moments = [[np.zeros_like(w), np.zeros_like(w)] for w in weights]
    episode = 0
    while len(trace) < queries:
        noise = core.generator(seed, core.Stream.EMBEDDING_NOISE, episode)
        noise = noise.standard_normal((16, 16), np.float32).astype(np.float64)
        h = c = np.zeros(128)
        tape = []
        for t in range(16):
            x = np.concatenate([EMBEDDING[trace[-1]].astype(np.float64), h, [1.0]])
            i, f, g, o = np.split(x @ weights[0], 4)
            i, f, g, o, old = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o), c
            c = f * c + i * g
            h = o * np.tanh(c)
            y = np.concatenate([h, [1.0]])
            distance = np.square(y @ weights[1] + noise[t] - EMBEDDING).sum(axis=1)
            distance[trace] = np.inf
            trace.append(int(distance.argmin()))
            tape.append((x, i, f, g, o, old, c, y))
        excess = ACCURACY[trace[-16:]] - 0.5
        grads, dh, dc = [np.zeros_like(w) for w in weights], np.zeros(128), np.zeros(128)
        for t in reversed(range(16)):
            x, i, f, g, o, old, c, y = tape[t]
            gain = sum(discount ** (k - t) * excess[k] for k in range(t, 16))
            dmean = -noise[t] * gain / 16
            grads[1] += np.outer(y, dmean)
            dh = dh + weights[1][:128] @ dmean
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            before = [dc * g * i * (1 - i), dc * old * f * (1 - f), dc * i * (1 - g**2)]
            before = np.concatenate([*before, dh * np.tanh(c) * o * (1 - o)])
            grads[0] += np.outer(x, before)
            dh, dc = (weights[0] @ before)[16:144], dc * f
        episode += 1
        for n, gradient in enumerate(grads):
            moments[n][0] = 0.9 * moments[n][0] + 0.1 * gradient
            moments[n][1] = 0.999 * moments[n][1] + 0.001 * gradient**2
            first = moments[n][0] / (1 - 0.9**episode)
            second = moments[n][1] / (1 - 0.999**episode)
            weights[n] = weights[n] - 0.01 * first / (np.sqrt(second) + 1e-8)
    return trace[:queries]


@pytest.mark.parametrize("discount", [0.8, 0.0])
def test_trace_equals_a_plain_implementation(discount):
    """Discount 0.8 is the paper's; 0 is what the released code does."""
    found = run(make([3, 4], discount=discount), 1 + 3 * 16)
    assert found[0].tolist() == reference(3, 49, discount)
    assert found[1].tolist() == reference(4, 49, discount)


def test_a_run_of_a_study_equals_the_run_alone():
    """43 runs fill three blocks; run 27 sits in the middle of the second."""
    study, alone = make(range(100, 143)), make([127])
    trace = run(study, 40)
    np.testing.assert_array_equal(trace[27:28], run(alone, 40))
    one = alone.state()
    for name, value in study.state().items():
        if name == "num_updates":
            continue
        axis = 1 if name.startswith("step_") or name == "rewards" else 0
        np.testing.assert_array_equal(value.take([27], axis=axis), one[name], err_msg=name)


@pytest.fixture(scope="module")
def uninterrupted():
    """Returns the trace of two runs over 40 queries and the state after them."""
    search = make([0, 1])
    return run(search, 40), search.state()


@pytest.mark.parametrize("stop", [0, 9, 17])
def test_resumed_equals_uninterrupted(stop, uninterrupted):
    first, second = make([0, 1]), make([0, 1])
    before = run(first, stop) if stop else np.zeros((2, 0), np.int64)
    first.suggest()  # an unanswered suggestion is simply made again
    second.restore(first.state())
    found = np.concatenate([before, run(second, 40 - stop)], axis=1)
    np.testing.assert_array_equal(found, uninterrupted[0])
    assert_same_state(second.state(), uninterrupted[1])


def test_suggest_changes_nothing():
    search = make([0, 1, 2])
    run(search, 5)
    before = search.state()
    first, second = search.suggest().cells, search.suggest().cells
    np.testing.assert_array_equal(first.keys, second.keys)
    assert_same_state(search.state(), before)


def test_no_cell_is_queried_twice_until_all_are():
    embedding, cells, accuracy = pool(70)
    search = reinforce.ReinforceSearch(embedding, cells, seeds=[0, 1], baseline=0.5)
    trace = run(search, 70, accuracy=accuracy)
    assert (np.sort(trace, axis=1) == np.arange(70)).all()
    with pytest.raises(core.ConfigError, match="all 70 cells of the pool"):
        search.suggest()


def test_first_cells_are_random():
    first = make(range(60)).suggest().cells.keys[:, 0]
    assert len(set(first.tolist())) > 45
    assert make([59]).suggest().cells.keys[0, 0] == first[59]


def test_hidden_state_starts_at_zero_in_every_episode():
    search = make([0])
    trace = run(search, 18)  # the second episode has made one step
    state = search.state()
    assert state["step_hidden"].shape == (1, 1, 128)
    zeros = np.zeros((1, 128), np.float32)
    step = policy.advance(state["lstm"], EMBEDDING[trace[:, 16]], zeros, zeros)
    np.testing.assert_allclose(state["step_hidden"][0], step.hidden, rtol=1e-5, atol=1e-6)


def test_a_run_without_budget_does_not_change():
    search, free = make([0, 1]), make([0, 1])
    run(search, 20)
    before = search.state()
    run(search, 30, active=[False, True])
    run(free, 50)
    after = search.state()
    for name in ("lstm", "lstm_mu", "lstm_nu", "head"):
        np.testing.assert_array_equal(after[name][0], before[name][0])
        np.testing.assert_array_equal(after[name][1], free.state()[name][1])
    assert (after["queried"][0, 20:] == -1).all()
    np.testing.assert_array_equal(after["queried"][1], free.state()["queried"][1])


def test_an_infeasible_cell_is_worth_zero():
    search = make([0])
    run(search, 5, accuracy=np.full(NUM_CELLS, np.nan))
    run(search, 12, accuracy=np.full(NUM_CELLS, np.nan))
    assert search.state()["total"].tolist() == [0.0] and search.state()["num_updates"] == 1
    run(search, 20, accuracy=np.full(NUM_CELLS, np.nan))
    assert np.isfinite(search.state()["lstm"]).all()


def test_feedback_holds_no_test_accuracy():
    assert "test_accuracy" not in {field.name for field in dataclasses.fields(core.Feedback)}


def test_feedback_about_other_cells_is_refused():
    search = make([0])
    suggestion = search.suggest()
    other = (int(suggestion.cells.keys[0, 0]) + 1) % NUM_CELLS
    with pytest.raises(ValueError, match="other cells"):
        search.update(answer(core.Suggestion(CELLS[np.array([[other]])])))


def test_it_learns():
    """On a smooth landscape the cells of late queries beat random ones clearly."""
    embedding, cells, accuracy = pool(5000)
    search = reinforce.ReinforceSearch(embedding, cells, seeds=range(20), baseline=0.6)
    late = accuracy[run(search, 150, accuracy=accuracy)[:, 100:]]
    assert late.mean() > accuracy.mean() + accuracy.std()


@pytest.mark.parametrize("seeds", [[-1], []])
def test_bad_seeds(seeds):
    with pytest.raises(core.ConfigError, match=rf"seeds=\[{', '.join(map(str, seeds))}\]"):
        reinforce.ReinforceSearch(EMBEDDING, CELLS, seeds=seeds)


def test_embedding_and_cells_must_fit():
    with pytest.raises(ValueError, match="embedding of shape"):
        reinforce.ReinforceSearch(EMBEDDING[:-1], CELLS, seeds=[0])


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


def test_a_search_resumes_from_its_file(tmp_path, uninterrupted):
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=0)
    options = {"num_runs": 2, "checkpoint": checkpoint}
    with pytest.raises(KeyboardInterrupt):
        search_loop.run_search(make([0, 1]), TableStub(21), Budget(num_queries=40), **options)
    result = search_loop.run_search(make([0, 1]), TableStub(), Budget(num_queries=40), **options)
    np.testing.assert_array_equal(result.history.key, uninterrupted[0])


def compare_two_devices():
    """Asserts that two devices make the queries that one makes."""
    make_two_devices()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    trace = run(make(range(41), devices=strategy.extended.worker_devices), 20)
    np.testing.assert_array_equal(trace, run(make(range(41)), 20))
    np.testing.assert_array_equal(trace[:1], run(make([0], devices=["CPU:0", "CPU:1"]), 20))


def test_two_devices_give_the_same_trace(tmp_path):
    check(tmp_path, compare_two_devices)
