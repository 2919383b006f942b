"""The search with a generator."""

import numpy as np
import pytest

from nas_tf import storage
from nas_tf.graphpnas.explorer import Exploration, Explorer
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.learning import Learning
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.spaces.nasbench201 import CONV3X3, NasBench201Space

FORM = NasBench201Space().graph_form()
GENERATOR = GraphGenerator(FORM.description, hidden=8, num_components=2, num_steps=1)
QUERIES = 24


@pytest.fixture(scope="module")
def pool():
    return NasBench201Space().enumerate_cells()


@pytest.fixture(scope="module")
def accuracies(pool):
    """By key: 3x3 convolutions are good; every hundredth cell is infeasible."""
    values = 0.5 + 0.05 * (pool.ops == CONV3X3).sum(axis=1)
    values += 0.001 * np.random.default_rng(0).random(len(pool))
    values[::100] = np.nan
    return dict(zip(pool.keys.tolist(), values.tolist(), strict=True))


def search(
    pool, seeds, *, restart=True, explore=8, explorer_probability=1.0, devices=(), **values
):
    """Returns a search whose generator is fitted every other query."""
    learning = {"objective": "rank", "keep_top": 6, "epochs": 8, "period": 2, "num_samples": 60}
    learning |= {"learning_rate": 0.02, "total_queries": QUERIES, "restart": restart}
    return GraphSearch(
        pool,
        FORM,
        GENERATOR,
        seeds=seeds,
        learning=Learning(**learning | values),
        explorer=Explorer(FORM.description, probability=explorer_probability),
        exploration=Exploration("step", steps=explore),
        jit_compile=False,
        devices=devices,
    )


@pytest.fixture(scope="module", params=[True, False], ids=["restart", "keep"])
def restart(request):
    return request.param


@pytest.fixture(scope="module")
def whole(pool, accuracies, restart, toy):
    """A study of three runs and its keys, uint64 [3, Q]."""
    study = search(pool, [5, 6, 7], restart=restart)
    return study, toy.run(study, QUERIES, accuracies)


def test_a_run_of_a_study_equals_the_run_alone(whole, pool, accuracies, restart, toy):
    alone = toy.run(search(pool, [6], restart=restart), QUERIES, accuracies)
    np.testing.assert_array_equal(alone[0], whole[1][1])


def test_devices_change_nothing(whole, pool, accuracies, restart, toy):
    divided = search(pool, [5, 6, 7], restart=restart, devices=["/CPU:0", "/device:CPU:0"])
    np.testing.assert_array_equal(toy.run(divided, QUERIES, accuracies), whole[1])


@pytest.mark.parametrize("stop", [3, 12, 17])
def test_resumed_equals_uninterrupted(whole, pool, accuracies, restart, toy, stop, tmp_path):
    first = search(pool, [5, 6, 7], restart=restart)
    before = toy.run(first, stop, accuracies)
    second = search(pool, [5, 6, 7], restart=restart)
    storage.write_npz(tmp_path / "state.npz", **first.state())
    second.restore(storage.read_npz(tmp_path / "state.npz"))
    keys = np.concatenate([before, toy.run(second, QUERIES - stop, accuracies)], axis=1)
    np.testing.assert_array_equal(keys, whole[1])
    for name, value in whole[0].state().items():
        np.testing.assert_array_equal(second.state()[name], value, err_msg=name)


def test_the_search_learns_and_repeats_nothing(whole, accuracies):
    keys = whole[1]
    assert all(len(np.unique(run)) == QUERIES for run in keys)
    found = np.array([[accuracies[key] for key in run] for run in keys.tolist()])
    assert np.nanmean(found[:, 16:]) > np.nanmean(found[:, :8]) + 0.03


def test_suggest_changes_nothing(whole, pool, accuracies, restart, toy):
    study = search(pool, [5, 6, 7], restart=restart)
    for query in range(12):
        study.suggest(), study.suggest()
        toy.run(study, 1, accuracies)
    np.testing.assert_array_equal(study.suggest().cells.keys[:, 0], whole[1][:, 12])


def test_what_was_drawn_is_noted(whole):
    study, _ = whole
    arrays = study.diagnostics.arrays()
    fits = len(arrays["seen"])
    assert arrays["indices"].shape == arrays["known"].shape == (fits, 3, 30)
    shares = study.diagnostics.shares()
    assert (shares["valid"] == 1).all()  # every graph of NAS-Bench-201 is a cell
    assert (shares["new"] <= 1).all() and (shares["unique"] > 0).all()
    metrics = study.metrics()
    assert metrics["generator/valid"] == 1.0
    assert metrics["generator/new"] == pytest.approx(shares["new"][-1].mean())


def test_a_collapsed_generator_falls_back_to_the_explorer(pool, accuracies, toy):
    study = search(pool, [1], learning_rate=0.5, epochs=60, num_samples=2, explore=4, keep_top=1)
    keys = toy.run(study, QUERIES, accuracies)
    assert len(np.unique(keys)) == QUERIES
    fallback = study.diagnostics.arrays()["fallback"]
    assert len(fallback) and (fallback[:, 0] >= 4).all() and (fallback[:, 1] == 1).all()


def test_where_the_explorer_finds_nothing_any_cell_is_taken(pool, accuracies, toy):
    study = search(pool, [1, 2], explorer_probability=0.0, explore=4)
    keys = toy.run(study, 4, accuracies)
    assert all(len(np.unique(run)) == 4 for run in keys)
    # Without edges there is one cell, which is new once; 64 graphs of two runs are drawn.
    explored = study.diagnostics.arrays()["explored"].tolist()
    assert explored == [[0, 128, 128, 0], *([query, 128, 0, 2] for query in (1, 2, 3))]
    assert study.diagnostics.num_any_cell == 6
    assert study.metrics()["explorer/acceptance"] == 128 / 512


def test_weights_of_a_run_that_ended_before_any_fit(pool, accuracies, toy):
    study = search(pool, [5, 6], restart=False, period=20)
    toy.run(study, 4, accuracies)
    toy.run(study, 4, accuracies, [True, False])
    assert np.isfinite(study.fitted_weights(1)["theta_out"]).all()


def test_a_run_without_budget_does_not_change(whole, pool, accuracies, restart, toy):
    study = search(pool, [5, 6, 7], restart=restart)
    toy.run(study, 12, accuracies)
    active = [True, False, True]
    keys = toy.run(study, QUERIES - 12, accuracies, active)
    np.testing.assert_array_equal(keys[[0, 2]], whole[1][[0, 2], 12:])
    assert (study.state()["queried"][1, 12:] == -1).all()


def test_weights_of_the_end_know_all_queries(whole, pool, accuracies, restart, toy):
    study, _ = whole
    first, second = study.fitted_weights(0), study.fitted_weights(1)
    assert second["theta_out"].shape == (8, 2 * 5)
    alone = search(pool, [6], restart=restart)
    toy.run(alone, QUERIES, accuracies)
    np.testing.assert_array_equal(alone.fitted_weights(0)["theta_out"], second["theta_out"])
    np.testing.assert_array_equal(study.fitted_weights(0)["theta_out"], first["theta_out"])


def test_a_run_that_has_ended_draws_nothing(pool, accuracies, restart, toy):
    study = search(pool, [5, 6], restart=restart)
    toy.run(study, 12, accuracies)
    toy.run(study, 8, accuracies, [True, False])
    arrays = study.diagnostics.arrays()
    assert (arrays["indices"][-1, 1] == -2).all() and (arrays["indices"][-1, 0] >= 0).all()
    shares = study.diagnostics.shares()
    assert np.isnan([shares[name][-1, 1] for name in shares]).all()
    assert study.metrics()["generator/valid"] == 1.0
    if not restart:
        alone = search(pool, [6], restart=restart)
        toy.run(alone, 13, accuracies)
        weights = study.fitted_weights(1)
        expected = alone.state()["weight_theta_out"][0]
        np.testing.assert_array_equal(weights["theta_out"], expected)
