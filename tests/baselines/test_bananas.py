"""Tests of nas_tf.baselines.bananas."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf import core
from nas_tf import search_loop
from nas_tf.baselines import bananas
from nas_tf.baselines.bananas import Bananas
from nas_tf.evaluators import tabular
from nas_tf.evaluators.budget import Budget
from nas_tf.spaces.nasbench101 import OP_NAMES, NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.tables.nasbench201 import NasBench201Table
from tests.forked import check, make_two_devices

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "nas_bench_201" / "nas_bench_201.csv.gz"
TINY = {"ensemble_size": 2, "num_layers": 1, "layer_width": 4, "epochs": 2, "path_length": 2}


@pytest.fixture(name="make")
def _make(cells, space):
    """Returns a function from seeds to a search with tiny networks."""
    return lambda seeds, cells=cells, **settings: Bananas(
        cells, space, seeds=seeds, **(TINY | settings)
    )


def run(toy, search, queries, accuracy, active=None):
    """Returns the keys queried, uint64 [R, queries]; the last round is cut short if need be."""
    trace = np.zeros((len(search.state()["active"]), 0), np.uint64)
    while trace.shape[1] < queries:
        cells = search.suggest().cells[:, : queries - trace.shape[1]]
        search.update(toy.answer(core.Suggestion(cells), accuracy, active))
        trace = np.concatenate([trace, cells.keys], axis=1)
    return trace


def assert_same_state(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_a_run_of_a_study_equals_the_run_alone(toy, make, accuracy):
    """In three blocks, the last of them not full."""
    study = make(range(100, 110))
    trace = run(toy, study, 60, accuracy)
    for row in (0, 6, 9):
        alone = make([100 + row])
        np.testing.assert_array_equal(run(toy, alone, 60, accuracy), trace[row : row + 1])
        one, state = alone.state(), study.state()
        for name in one:
            np.testing.assert_array_equal(state[name][row : row + 1], one[name], err_msg=name)


@pytest.mark.parametrize("stop", [0, 10, 30])
def test_resumed_equals_uninterrupted(toy, make, accuracy, stop):
    whole, first, second = make([0, 1, 2]), make([0, 1, 2]), make([0, 1, 2])
    trace = run(toy, whole, 60, accuracy)
    run(toy, first, stop, accuracy)
    first.suggest()  # an unanswered suggestion is simply made again
    second.restore(first.state())
    assert_same_state(second.state(), first.state())
    np.testing.assert_array_equal(run(toy, second, 60 - stop, accuracy), trace[:, stop:])
    assert_same_state(second.state(), whole.state())


def test_suggest_changes_nothing(toy, make, accuracy):
    search = make([0, 1])
    run(toy, search, 20, accuracy)
    before = search.state()
    first, second = search.suggest().cells, search.suggest().cells
    assert first.shape == (2, 10)
    np.testing.assert_array_equal(first.keys, second.keys)
    assert_same_state(search.state(), before)


def test_rounds(toy, make, accuracy):
    """Random cells first, then rounds; a budget may end within one."""
    search, longer = make([0, 1], num_initial=7, round_size=4), make([0, 1], num_initial=7)
    assert search.suggest().cells.shape == (2, 7)
    assert len(set(make(range(30)).suggest().cells.keys[:, 0].tolist())) > 25
    trace = run(toy, search, 7, accuracy)
    assert search.suggest().cells.shape == (2, 4)
    trace = np.concatenate([trace, run(toy, search, 2, accuracy)], axis=1)
    assert search.state()["queried"].shape == (2, 9)
    np.testing.assert_array_equal(run(toy, longer, 9, accuracy), trace)


def test_no_cell_is_queried_twice_until_all_are(toy, make, cells, accuracy):
    """The last round has the five that are left."""
    part = cells[:45]
    search = make(range(5), part)
    trace = run(toy, search, 40, accuracy)
    assert search.suggest().cells.shape == (5, 5)
    trace = np.concatenate([trace, run(toy, search, 5, accuracy)], axis=1)
    assert (np.sort(trace, axis=1) == np.sort(part.keys)).all()
    with pytest.raises(core.ConfigError, match="all 45 cells of the pool"):
        search.suggest()


def test_no_cell_is_queried_twice_when_none_is_feasible(toy, make, cells):
    trace = run(toy, make([0, 1]), 40, dict.fromkeys(cells.keys.tolist(), np.nan))
    assert all(len(set(row)) == 40 for row in trace.tolist())


def test_a_run_without_budget_does_not_change(toy, make, accuracy):
    search, free, again = make([0, 1]), make([0, 1]), make([0, 1])
    run(toy, search, 20, accuracy)
    before = search.state()
    run(toy, search, 20, accuracy, active=[False, True])
    again.restore(search.state())
    run(toy, free, 40, accuracy)
    for found in (search.state(), again.state()):
        np.testing.assert_array_equal(found["active"], [False, True])
        np.testing.assert_array_equal(found["queried"][0, :20], before["queried"][0])
        assert (found["queried"][0, 20:] == -1).all()
        assert np.isnan(found["accuracy"][0, 20:]).all()
        np.testing.assert_array_equal(found["queried"][1], free.state()["queried"][1])
    np.testing.assert_array_equal(search.suggest().cells.keys, again.suggest().cells.keys)


def test_the_order_of_the_pool_does_not_matter(toy, make, cells, accuracy):
    mixed = cells[np.random.default_rng(1).permutation(len(cells))]
    twice = mixed[np.r_[0 : len(mixed), 0:100]]  # and some cells are there twice
    trace = run(toy, make([3]), 30, accuracy)
    np.testing.assert_array_equal(run(toy, make([3], twice), 30, accuracy), trace)


def test_feedback_about_other_cells_is_refused(toy, make, accuracy):
    search, other = make([0]), make([1]).suggest()
    with pytest.raises(ValueError, match="other cells"):
        search.update(toy.answer(other, accuracy))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"blocking_ops": OP_NAMES}, "no other operation is left"),
        ({"seeds": []}, r"seeds=\[\]"),
        ({"seeds": [-1]}, r"seeds=\[-1\]"),
    ],
)
def test_bad_settings(make, settings, message):
    with pytest.raises(core.ConfigError, match=message):
        make(**({"seeds": [0]} | settings))


# A pool whose cells are numbers, in which the ensembles say what the test wants.


class Oracle(Bananas):
    """Its networks predict literal errors of every cell, float32 [E, M]."""

    def predict(self, errors):
        self._features = np.arange(errors.shape[1])[:, None]  # features of a cell: its number

        def program(*arguments):
            candidates = arguments[5].numpy()[..., 0].astype(np.int64)  # [S, C]
            return np.moveaxis(errors[:, candidates], 0, 1)

        self._program = program
        return self


def oracle(toy, edges, size, errors, seeds, **settings):
    space = toy.space(edges)
    space.op_names = ("input", "operation", "output")
    search = Oracle(toy.cells(range(size)), space, seeds=seeds, **(TINY | settings))
    return search.predict(np.asarray(errors, np.float32))


def test_candidates_are_new_neighbours_of_the_best(toy):
    """Cells of a ring, each a little better than the one before; parents are the two best."""
    ring = [(i, (i + 1) % 60) for i in range(60)]
    search = oracle(toy, ring, 60, np.zeros((1, 60)), range(40), num_parents=2, round_size=4)
    trace = run(toy, search, 14, {cell: cell / 100 for cell in range(60)}).astype(np.int64)
    for first, then in zip(trace[:, :10].tolist(), trace[:, 10:].tolist(), strict=True):
        expected = []
        for parent in sorted(first)[:-3:-1]:
            near = sorted([(parent - 1) % 60, (parent + 1) % 60])
            expected += [cell for cell in near if cell not in first + expected]
        assert then[: len(expected)] == expected
        assert len(set(first + then)) == 14  # the others are random, and new


def test_the_neighbours_of_the_best_come_first(toy):
    """Room for three candidates: the hub 9 has more, and the second best is not asked."""
    edges = [(9, i) for i in range(10, 15)] + [(8, i) for i in range(15, 20)]
    search = oracle(
        toy, edges, 100, np.zeros((1, 100)), range(60), num_candidates=3, round_size=3,
        num_initial=60,
    )
    accuracy = dict.fromkeys(range(100), 0.1) | {9: 0.9, 8: 0.8}
    trace = run(toy, search, 63, accuracy).astype(np.int64)
    seen = 0
    for first, then in zip(trace[:, :60].tolist(), trace[:, 60:].tolist(), strict=True):
        near = [cell for cell in range(10, 15) if cell not in first]
        if 9 in first and len(near) >= 3:
            assert then == near[:3]
            seen += 1
    assert seen > 3


def test_candidates_are_taken_by_the_errors_they_draw(toy):
    """Independent Thompson sampling: mean + standard deviation x a normal number each."""
    edges = [(0, i) for i in range(1, 20)]
    errors = np.stack([np.arange(20.0), 3 * np.arange(20.0)])  # mean 2 i, deviation i
    search = oracle(
        toy, edges, 20, errors, range(50), num_initial=1, round_size=19, num_candidates=30
    )
    trace = run(toy, search, 20, {cell: 0.5 for cell in range(20)}).astype(np.int64)
    checked = 0
    for seed, (first, *then) in enumerate(trace.tolist()):
        if first == 0:
            rng = core.generator(seed, core.Stream.BANANAS_MODEL, 1)
            cells = np.arange(1, 20)
            drawn = 2 * cells + cells * rng.standard_normal(30)[:19]
            assert then == cells[np.argsort(drawn)].tolist()
            checked += 1
    assert checked


def test_an_ensemble_that_diverges_is_an_error(toy):
    search = oracle(toy, [(0, 1), (0, 2)], 3, np.full((2, 3), np.nan), [4, 5], num_initial=1)
    run(toy, search, 1, {0: 0.5, 1: 0.4, 2: 0.3})
    with pytest.raises(core.NasError, match=r"run 0 \(seed 4\).*lower learning_rate=0.01"):
        search.suggest()


# What the networks compute.

ENSEMBLE = bananas.Ensemble(
    size=2, layers=2, width=5, epochs=3, batch_size=4, learning_rate=0.01
)


@pytest.fixture(name="training", scope="module")
def _training():
    """Arguments of the program: 6 queries in room for 8, two batches an epoch, 3 candidates."""
    rng = np.random.default_rng(0)
    runs = bananas.RUN_BLOCK
    shape = (runs, 2, bananas.num_weights(7, ENSEMBLE))
    features = (rng.random((runs, 8, 7)) < 0.5).astype(np.float32)
    weight = np.ones((runs, 8), np.float32)
    weight[:, 6:], weight[1, 2] = 0.0, 0.0  # no queries; an infeasible one
    order = np.tile(np.arange(8, dtype=np.int32), (runs, 3, 1))
    order[..., :6] = rng.permuted(order[..., :6], axis=2)
    return {
        "start": rng.random(shape, np.float32),
        "features": features,
        "target": rng.uniform(1.0, 3.0, (runs, 8)).astype(np.float32),
        "weight": weight,
        "order": order,
        "candidates": (rng.random((runs, 3, 7)) < 0.5).astype(np.float32),
        "num_batches": np.int32(2),
    }


def program(training, **changes):
    arguments = [tf.constant(array) for array in (training | changes).values()]
    return bananas.fit_and_predict(ENSEMBLE)(*arguments).numpy()


@pytest.mark.parametrize("row, member", [(0, 0), (0, 1), (3, 1)])
def test_networks_learn_as_keras_does(training, row, member):
    start = tf.constant(training["start"])
    layers = [keras.layers.Dense(5, activation="relu") for _ in range(2)] + [keras.layers.Dense(1)]
    network = keras.Sequential([keras.Input([7]), *layers])
    weights = [array[row, member] for array in bananas.initial_weights(start, 7, ENSEMBLE)]
    network.set_weights([np.squeeze(w, 0) if len(w) == 1 else w for w in map(np.array, weights)])
    optimizer = keras.optimizers.Adam(0.01, beta_1=0.9, beta_2=0.99)
    network.compile(optimizer, loss="mae", run_eagerly=True)
    for epoch in training["order"][row]:
        for batch in (epoch[:4], epoch[4:6]):
            network.train_on_batch(
                training["features"][row, batch], training["target"][row, batch, None]
            )
    expected = network(training["candidates"][row]).numpy()[:, 0]
    np.testing.assert_allclose(program(training)[row, member], expected, atol=2e-5)


def test_initial_weights_are_those_of_glorot(training):
    start = tf.zeros([1, 1, 7 * 5 + 5 * 5 + 5])
    low = bananas.initial_weights(start, 7, ENSEMBLE)
    assert [tuple(array.shape[2:]) for array in low] == [
        (7, 5), (1, 5), (5, 5), (1, 5), (5, 1), (1, 1)
    ]
    bounds = [-(0.5**0.5), 0.0, -(0.6**0.5), 0.0, -1.0, 0.0]
    for array, bound in zip(low, bounds, strict=True):
        np.testing.assert_allclose(array, np.full(array.shape, bound), rtol=1e-6)


def test_infeasible_and_missing_queries_teach_nothing(training):
    """Run 1's query 2 is infeasible; 6 and 7 are no queries. Run 0 does learn from its query 2."""
    target, features = training["target"].copy(), training["features"].copy()
    target[:, [2, 6, 7]] -= 9.0  # below any prediction: the other side of the absolute error
    features[1, [2, 6, 7]] = 1.0
    before, after = program(training), program(training, target=target, features=features)
    np.testing.assert_array_equal(before[1], after[1])
    assert (before[0] != after[0]).any()


def test_runs_and_networks_do_not_touch_each_other(training):
    """Run 2 and network 0 of run 3 give the same whatever the others are."""
    start, target = training["start"].copy(), training["target"].copy()
    start[:2], start[3, 1], target[:2] = 0.25, 0.75, 9.0
    before, after = program(training), program(training, start=start, target=target)
    np.testing.assert_array_equal(before[2], after[2])
    np.testing.assert_array_equal(before[3, 0], after[3, 0])
    assert (before[3, 1] != after[3, 1]).any() and (before[0] != after[0]).any()


def compare_two_devices():
    """Asserts that two devices make the queries that one makes."""
    make_two_devices()
    space = NasBench101Space(max_vertices=4)

    def trace(devices):
        cells = space.enumerate_cells()
        search = Bananas(cells, space, seeds=range(10), devices=devices, **TINY)
        for _ in range(3):
            cells = search.suggest().cells
            accuracy = (cells.keys % np.uint64(97)) / 97.0
            ones = np.ones(cells.shape)
            search.update(core.Feedback(cells, ones > 0, accuracy, ones, ones[:, 0] > 0))
        return search.state()["queried"]

    np.testing.assert_array_equal(trace(["CPU:0", "CPU:1"]), trace([]))


def test_two_devices_give_the_same_trace(tmp_path):
    check(tmp_path, compare_two_devices)


@pytest.mark.skipif(not REAL.exists(), reason="the real NAS-Bench-201 table is absent")
def test_better_than_random_search_on_the_real_table():
    """Random search's mean is 71.70 (2,000 runs of 150 queries); here 24 runs of smaller networks.

    Their mean has a standard error of 0.16.
    """
    table = NasBench201Table.load(REAL)
    seeds = range(24)
    settings = {"path_length": 2, "ensemble_size": 3, "num_layers": 2, "epochs": 50}
    strategy = Bananas(table.cells, NasBench201Space(), seeds=seeds, **settings)
    evaluator = tabular.from_nasbench201(table, "cifar100", seeds=seeds)
    history = search_loop.run_search(strategy, evaluator, Budget(150), num_runs=24).history
    found = 100 * history.test_accuracy[np.arange(24), history.incumbent()[:, -1]]
    assert found.mean() > 72.3
