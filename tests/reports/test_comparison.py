"""Tests of nas_tf.reports.comparison: grouping studies, joining models, and where studies end."""

import json

import numpy as np
import pytest

from nas_tf.analysis.curves import study_curves
from nas_tf.config import SettingError
from nas_tf.core import History
from nas_tf.reports.comparison import Endpoint, outcome, sections
from nas_tf.reports.finished_study import read_studies

NAN = np.nan


def _labels(inputs):
    groups = sections(read_studies(inputs))
    return [sorted(study.label for study in group.studies) for group in groups]


def test_names_are_told_apart_by_directory_and_then_by_path(leave_study):
    a, b, c = leave_study("x/a"), leave_study("y/a"), leave_study("b", "evolution")
    assert _labels([a, c]) == [["evolution", "random"]]
    assert _labels([a, b, c]) == [["evolution", f"random ({a})", f"random ({b})"]]
    d, elsewhere = leave_study("d"), leave_study("e", dataset="cifar10")
    assert _labels([a, d, elsewhere]) == [["random (a)", "random (d)"], ["random"]]


@pytest.mark.parametrize("changed", [
    {"space": "nasbench201"}, {"table": "another"}, {"table_num_cells": 1000},
    {"dataset": "cifar10"}, {"search_epochs": 4, "report_epochs": 4}, {"search_epochs": 12},
    {"validation": "mean"}, {"best": 0.96}, {"protocol": "Another."},
    {"query_budget": None, "cost_budget_sec": 500.0}, {"cost_budget_sec": 500.0},
])
def test_what_cannot_be_compared_stands_in_sections_of_its_own(leave_study, changed):
    other = leave_study("b", "evolution", **changed)
    inputs = [leave_study("a"), other, leave_study("c", "local_search")]
    assert _labels(inputs) == [["local_search", "random"], ["evolution"]]


def test_a_table_is_one_by_its_content(leave_study):
    one, other = {"table_checksum": "1" * 64}, {"table_checksum": "2" * 64}
    a, b = leave_study("a", **one), leave_study("b", "evolution", table="copy", **one)
    assert _labels([a, b]) == [["evolution", "random"]]
    assert _labels([a, leave_study("c", "evolution", **other)]) == [["random"], ["evolution"]]


def test_the_best_study_comes_first(leave_study):
    nothing = np.full((3, 20), NAN)
    history = History(np.ones((3, 20), np.uint64), nothing, nothing.copy(), np.zeros((3, 20)))
    inputs = [leave_study("c", "local_search", history=history), leave_study("a", mean=0.7),
              leave_study("b", "evolution", mean=0.9)]
    (group,) = sections(read_studies(inputs))
    assert [study.label for study in group.studies] == ["evolution", "random", "local_search"]
    assert group.same_budget and group.endpoint == Endpoint(20, None)


def test_different_budgets_are_cut_at_the_smallest(leave_study):
    inputs = [leave_study("a", queries=20), leave_study("b", "evolution", queries=7)]
    (group,) = sections(read_studies(inputs))
    assert not group.same_budget and group.endpoint == Endpoint(7, None)
    for study, found in zip(group.studies, group.outcomes):
        np.testing.assert_array_equal(found["test_accuracy"], study.curves.test_accuracy[:, 6])


@pytest.mark.parametrize("endpoint, expected", [
    (Endpoint(4, None), [0.4, 0.6]),
    (Endpoint(2, None), [0.2, 0.6]),
    (Endpoint(9, None), [0.4, 0.6]),
    (Endpoint(None, 20.0), [0.2, 0.5]),  # the query that reaches the budget is the last
    (Endpoint(None, 20.5), [0.3, 0.5]),
    (Endpoint(None, 1.0), [0.1, 0.5]),
    (Endpoint(None, 1e9), [0.4, 0.6]),
    (Endpoint(3, 20.0), [0.2, 0.5]),
])
def test_outcomes_by_hand(endpoint, expected):
    """Run 0 is better at every query and costs 10 s each; run 1 costs 30 s, then ends."""
    accuracy = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, NAN, NAN]])
    cost = np.array([[10.0, 10.0, 10.0, 10.0], [30.0, 30.0, 0.0, 0.0]])
    history = History(np.ones((2, 4), np.uint64), accuracy, accuracy, cost)
    found = outcome(study_curves(history, best_test_accuracy=1.0), endpoint)
    np.testing.assert_array_equal(found["test_accuracy"], expected)
    np.testing.assert_array_equal(found["validation_accuracy"], expected)
    np.testing.assert_allclose(found["test_regret"], 1 - np.array(expected))


def test_studies_that_differ_in_the_model_alone_are_one(leave_model, models):
    (group,) = sections(read_studies([*models, leave_model("random", strategy="random")]))
    joined, alone = group.studies
    assert (joined.label, alone.label) == ("reinforce, 3 models", "random")
    assert [part.label for part in joined.parts] == [f"reinforce (rl{n})" for n in range(3)]
    assert joined.curves.num_runs == 9 and len(joined.models) == 3
    assert joined.run_models.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert joined.seeds == (0, 1, 2) * 3
    np.testing.assert_allclose(joined.curves.test_accuracy[3:6, -1], [0.89, 0.9, 0.91])
    assert alone.parts == (alone,) and alone.models == ()
    mean, std, between = joined.moments(joined.curves.test_accuracy[:, -1])
    assert (mean, std, between) == pytest.approx((0.85, 0.01, 0.05))  # 80, 90 and 85
    assert sections(read_studies([*models, leave_model("best", 0.95)]), models[2])[0].reference == 1


@pytest.mark.parametrize("changes", [
    {"flags": ["--epochs=9"]},
    {"seed": 100},  # "between models" would be of other runs as well
    {"strategy": "bayesian"},
    {"pretrain_seed": None},
    {"pretrain_seed": 0, "seed": 7},
    {"changes": {"settings": {"autoencoder": "gae"}}},
    {"changes": {"epochs": 3}},
    {"changes": {"num_cells": 90}},
], ids=str)
def test_studies_that_differ_in_more_stay_apart(leave_model, changes):
    inputs = [leave_model("a", pretrain_seed=0), leave_model("b", **{"pretrain_seed": 1} | changes)]
    assert len(_labels(inputs)[0]) == 2


def test_models_or_settings_that_are_not_known_join_nothing(leave_model):
    unknown = {"settings": None}
    inputs = [leave_model(f"{n}", pretrain_seed=n, changes=unknown) for n in range(2)]
    assert _labels(inputs) == [["reinforce (0)", "reinforce (1)"]]
    inputs = [leave_model("a", pretrain_seed=0), leave_model("b", pretrain_seed=1)]
    path = inputs[0] / "summary.json"
    path.write_text(path.read_text().replace('"changed_settings"', '"another"'))
    assert json.loads(path.read_text())["another"]
    assert _labels(inputs) == [["reinforce (a)", "reinforce (b)"]]


def test_a_run_does_not_count_twice(leave_model, models):
    again = leave_model("again", pretrain_seed=0)
    for inputs in ([*models, again], [models[0], again]):  # however many models there are
        with pytest.raises(SettingError) as caught:
            _labels(inputs)
        assert f"inputs={again}: expected other runs than those of {models[0]}" in str(caught.value)
    more = leave_model("more", pretrain_seed=0, seed=3)
    assert _labels([*models, more]) == [["reinforce (more)", "reinforce, 3 models"]]


def test_the_interval_is_of_the_models_means(leave_model, models):
    """Means 80, 90 and 85 against three runs at 69, 70 and 71: Welch's, by hand."""
    (group,) = sections(read_studies([*models, leave_model("random", 0.7, strategy="random")]))
    contrast = group.contrasts[1]
    assert contrast.test == "Mann-Whitney U test" and contrast.superiority == 0.0
    half = 4.0117 * np.sqrt(0.0025 / 3 + 0.0001 / 3)  # t at 97.5 % with 2.16 degrees of freedom
    assert contrast.difference == pytest.approx(-0.15)
    assert contrast.high - contrast.difference == pytest.approx(half, rel=2e-3)
    assert contrast.low == pytest.approx(2 * contrast.difference - contrast.high)


def test_runs_that_ended_early_keep_their_last_incumbent(leave_model):
    longer = np.full((3, 4), 0.9)
    history = History(np.ones((3, 4), np.uint64), longer, longer.copy(), np.ones(longer.shape))
    budget = {"query_budget": None, "cost_budget_sec": 2.0}
    inputs = [leave_model("a", pretrain_seed=0, **budget),
              leave_model("b", pretrain_seed=1, history=history, queries=4, **budget)]
    curves = sections(read_studies(inputs))[0].studies[0].curves
    assert curves.test_accuracy.shape == (6, 4)
    np.testing.assert_allclose(curves.test_accuracy[:3, -1], [0.79, 0.8, 0.81])
