"""Tests of nas_tf.arch2vec.supervised."""

import numpy as np
import pytest
import tensorflow as tf

from nas_tf import core
from nas_tf.arch2vec import predictor
from nas_tf.arch2vec.bayesian import BayesianSearch
from nas_tf.arch2vec.embedding import standardized
from nas_tf.arch2vec.reinforce import ReinforceSearch
from nas_tf.arch2vec.supervised import SupervisedSearch
from nas_tf.spaces.nasbench101 import NasBench101Space
from tests.forked import check, make_two_devices

SPACE = NasBench101Space(max_vertices=4)
CELLS = SPACE.enumerate_cells()
ACCURACY = 0.5 + 0.02 * CELLS.num_edges + 0.05 * (CELLS.ops == 1).sum(axis=1)
BY_KEY = dict(zip(CELLS.keys.tolist(), range(len(CELLS)), strict=True))


def make_training(**options):
    model = predictor.AccuracyPredictor(SPACE.max_nodes, len(SPACE.op_names))
    return predictor.PredictorTraining(model, SPACE, CELLS, learning_rate=5e-3, **options)


@pytest.fixture(scope="module")
def training():
    return make_training()


class Recorder:
    """Stands in for a training: notes what it is given; embeddings are seed and cell."""

    num_cells, depth = len(CELLS), 2

    def __init__(self):
        self.calls = []

    def embed(self, seeds, batches, targets, finish):
        for number, seed in enumerate(seeds):
            run_seed, stream, _ = seed.entropy
            self.calls.append((run_seed, stream, batches[number], targets[number]))
            finish(number, np.stack([np.full(91, run_seed), np.arange(91)], axis=1, dtype=float))


def reinforce(training, seeds, devices=(), **options):
    return SupervisedSearch(
        lambda pool: ReinforceSearch(
            pool, CELLS, seeds=seeds, baseline=0.6, episode_length=5, devices=devices
        ),
        CELLS,
        training,
        seeds=seeds,
        **{"first": 1, "period": 8, "steps": 3, "finish": standardized} | options,
    )


def bayesian(training, seeds, devices=(), **options):
    return SupervisedSearch(
        lambda pool: BayesianSearch(
            pool, CELLS, seeds=seeds, num_initial=10, batch_size=3, epochs=10, devices=devices
        ),
        CELLS,
        training,
        seeds=seeds,
        **{"first": 10, "period": 8, "steps": 3, "finish": standardized} | options,
    )


def advance(search, queries, active=None, accuracy=ACCURACY):
    """Returns the next cells queried, int64 [R, queries]."""
    columns = []
    while sum(column.shape[1] for column in columns) < queries:
        suggestion = search.suggest()
        index = np.vectorize(BY_KEY.get)(suggestion.cells.keys)
        columns.append(index)
        search.update(
            core.Feedback(
                cells=suggestion.cells,
                feasible=np.isfinite(accuracy[index]),
                validation_accuracy=accuracy[index],
                cost_sec=np.ones(index.shape),
                active=np.ones(len(index), bool) if active is None else np.array(active),
            )
        )
    return np.concatenate(columns, axis=1)


@pytest.mark.parametrize("make", [reinforce, bayesian])
def test_encoders_are_trained_when_they_are_due(make):
    recorder = Recorder()
    seeds = [3, 8]
    search = make(recorder, seeds)
    first = 1 if make is reinforce else 10
    seen = []
    while len(seen) < 9:
        advance(search, 1 if make is reinforce else 3 if search.state()["queried"].size else 10)
        calls = len(recorder.calls)
        search.suggest()
        search.suggest()
        made = search.state()["queried"].shape[1]
        seen += [(made, seed) for seed, *_ in recorder.calls[calls:]]
    if first == 1:
        assert seen[:6] == [(1, 3), (1, 8), (5, 3), (8, 8), (13, 3), (16, 8)]
    else:  # after 10, 13, 16, ... queries; 13, 21, ... and 16, 24, ... are due
        assert seen[:6] == [(10, 3), (10, 8), (13, 3), (16, 8), (22, 3), (25, 8)]
    assert {stream for _, stream, *_ in recorder.calls} == {core.Stream.ENCODER_WEIGHTS}


def test_a_training_sees_the_queries_so_far_and_their_scaled_accuracies():
    """Every seventh cell is infeasible."""
    accuracy = np.where(np.arange(91) % 7, ACCURACY, np.nan)
    recorder = Recorder()
    search = reinforce(recorder, [0], steps=10)
    advance(search, 17, accuracy=accuracy)
    search.suggest()
    queried = search.state()["queried"][0, :16]  # what was due after 16 queries
    _, _, batches, targets = recorder.calls[-1]
    assert batches.shape == targets.shape == (10, 32)
    known = queried[np.isfinite(accuracy[queried])]
    assert set(batches.ravel()) == set(known) and len(known) < 16
    values = accuracy[known]
    expected = (accuracy[batches] - values.mean()) / values.std()
    np.testing.assert_allclose(targets, expected, atol=1e-5)
    counts = np.unique(batches, return_counts=True)[1]
    assert counts.max() - counts.min() <= 1  # whole passes, but for the last


class Books:
    """Stands in for a search of which the queries are known."""

    def __init__(self, queried, accuracy):
        self.queried, self.accuracy = queried, accuracy
        self.active = np.ones(len(queried), bool)

    def redraft(self):
        pass


def test_batches_depend_on_seed_and_queries():
    """Two runs whose queries the test makes equal, after 8 and after 16."""
    orders = {}
    for seed in (16, 32):  # due at the same times
        recorder = Recorder()
        search = reinforce(recorder, [seed])
        for count in (8, 16):
            queried = np.arange(count, dtype=np.int32)
            search._search = Books(queried[None], ACCURACY[queried][None])
            search._train(np.array([count]))
            orders[seed, count] = recorder.calls[-1][2]
    first = orders[16, 16]
    assert not np.array_equal(first, orders[32, 16])
    assert set(orders[16, 8].ravel()) == set(range(8)) and set(first.ravel()) == set(range(16))
    assert not np.array_equal(first % 8, orders[16, 8])


def test_without_a_feasible_cell_the_targets_are_zero():
    recorder = Recorder()
    advance(reinforce(recorder, [0]), 9, accuracy=np.full(91, np.nan))
    assert len(recorder.calls) == 2
    assert not any(targets.any() for *_, targets in recorder.calls)


def test_the_search_reads_what_finish_makes_of_the_embedding():
    seen = []

    def finish(embedding):
        seen.append(embedding)
        return 2.0 * embedding

    search = reinforce(Recorder(), [4], finish=finish)
    advance(search, 2)
    assert seen[0][5].tolist() == [4.0, 5.0]
    pool = search._embeddings
    assert pool.of(np.array([[5, 90]])).tolist() == [[[8.0, 10.0], [8.0, 180.0]]]


def test_a_run_that_is_over_trains_no_encoder():
    recorder = Recorder()
    search = reinforce(recorder, [0, 1])
    advance(search, 4)
    calls = len(recorder.calls)
    advance(search, 20, active=[True, False])
    assert {seed for seed, *_ in recorder.calls[calls:]} == {0}


@pytest.mark.parametrize("make", [reinforce, bayesian])
def test_a_resumed_study_equals_an_uninterrupted_one(training, make):
    search = make(training, [5, 6])
    advance(search, 19)
    state = search.state()
    before = advance(search, 12)
    again = make(training, [5, 6])
    again.restore(state)
    np.testing.assert_array_equal(advance(again, 12), before)
    for name, array in search.state().items():
        np.testing.assert_array_equal(again.state()[name], array, err_msg=name)
    again.restore(state)  # back to where its encoders have seen less than now
    np.testing.assert_array_equal(advance(again, 12), before)


@pytest.mark.parametrize("make", [reinforce, bayesian])
def test_a_run_of_a_study_equals_the_run_alone(training, make):
    together = advance(make(training, range(100, 122)), 22)
    assert all(len(set(row)) == 22 for row in together.tolist())
    for run in (3, 21):
        alone = advance(make(training, [100 + run]), 22)
        np.testing.assert_array_equal(alone[0], together[run])


def test_it_finds_the_best_cell_sooner_than_chance(training):
    """One cell of 91 is the best: 22 random ones hold it in one run of four."""
    assert (ACCURACY == ACCURACY.max()).sum() == 1
    trace = advance(bayesian(training, range(12), steps=40), 22)
    assert (ACCURACY[trace].max(axis=1) == ACCURACY.max()).mean() >= 0.75


def test_cells_must_differ():
    with pytest.raises(ValueError, match="182 cells with 91 different keys"):
        SupervisedSearch(
            lambda pool: None, CELLS[np.tile(np.arange(91), 2)], Recorder(), seeds=[0], first=1
        )


def test_a_diverged_encoder_is_named():
    class Diverged(Recorder):
        def embed(self, seeds, batches, targets, finish):
            finish(0, np.full((91, 2), np.nan))

    search = reinforce(Diverged(), [77])
    with pytest.raises(core.NasError, match=r"run 0 \(seed 77\): .*lower learning_rate"):
        advance(search, 2)


def save_traces_of_two_devices(path, seeds):
    """Writes the queries of both searches."""
    make_two_devices()
    devices = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).extended.worker_devices
    training = make_training(devices=devices)
    traces = [
        advance(make(training, seeds, devices=devices), queries)
        for make, queries in ((reinforce, 11), (bayesian, 16))
    ]
    np.savez(path, *traces)


def test_two_devices_give_the_same_traces(training, tmp_path):
    path, seeds = tmp_path / "traces.npz", range(100, 121)
    check(tmp_path, save_traces_of_two_devices, path, seeds)
    traces = np.load(path)
    np.testing.assert_array_equal(traces["arr_0"], advance(reinforce(training, seeds), 11))
    np.testing.assert_array_equal(traces["arr_1"], advance(bayesian(training, seeds), 16))
