"""Tests of nas_tf.analysis.comparison: grouping studies, and where they end."""

import dataclasses

import numpy as np
import pytest

from nas_tf.analysis import comparison
from nas_tf.analysis.comparison import Endpoint
from nas_tf.analysis.curves import study_curves
from nas_tf.analysis.finished_study import read_studies
from nas_tf.core import History

NAN = np.nan


def _labels(inputs, **options):
    groups = comparison.sections(read_studies(inputs, **options))
    return [sorted(study.label for study in group.studies) for group in groups]


def test_names_are_told_apart_by_directory_and_then_by_path(leave_study, tmp_path):
    a, b, c = leave_study("x/a"), leave_study("y/a"), leave_study("b", "evolution")
    assert _labels([a, c]) == [["evolution", "random"]]
    assert _labels([a, b, c]) == [["evolution", f"random ({a})", f"random ({b})"]]
    d = leave_study("d")
    assert _labels([a, d]) == [["random (a)", "random (d)"]]


def test_names_need_only_differ_within_a_section(leave_study):
    inputs = [leave_study("a"), leave_study("b", dataset="cifar10")]
    assert _labels(inputs) == [["random"], ["random"]]


@pytest.mark.parametrize(
    "changed",
    [
        {"space": "nasbench201"},
        {"table": "another"},
        {"table_num_cells": 1000},
        {"dataset": "cifar10"},
        {"search_epochs": 4, "report_epochs": 4},
        {"search_epochs": 12},
        {"validation": "mean"},
        {"best": 0.96},
        {"query_budget": None, "cost_budget_sec": 500.0},
        {"cost_budget_sec": 500.0},
    ],
)
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
    inputs = [leave_study("a", mean=0.7), leave_study("b", "evolution", mean=0.9)]
    (group,) = comparison.sections(read_studies(inputs))
    assert [study.label for study in group.studies] == ["evolution", "random"]
    assert group.outcomes[0].test_accuracy.mean() > group.outcomes[1].test_accuracy.mean()
    assert group.same_budget and group.endpoint == Endpoint(20, None)


def test_different_budgets_are_cut_at_the_smallest(leave_study):
    inputs = [leave_study("a", queries=20), leave_study("b", "evolution", queries=7)]
    (group,) = comparison.sections(read_studies(inputs))
    assert not group.same_budget and group.endpoint == Endpoint(7, None)
    long = next(i for i, study in enumerate(group.studies) if study.label == "random")
    curves = group.studies[long].curves
    np.testing.assert_array_equal(group.outcomes[long].test_accuracy, curves.test_accuracy[:, 6])


def _curves():
    """Run 0 is better at every query and costs 10 s each; run 1 costs 30 s, then ends."""
    accuracy = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, NAN, NAN]])
    cost = np.array([[10.0, 10.0, 10.0, 10.0], [30.0, 30.0, 0.0, 0.0]])
    return study_curves(
        History(np.ones((2, 4), np.uint64), accuracy, accuracy, cost), best_test_accuracy=1.0
    )


@pytest.mark.parametrize(
    "endpoint, expected",
    [
        (Endpoint(4, None), [0.4, 0.6]),
        (Endpoint(2, None), [0.2, 0.6]),
        (Endpoint(9, None), [0.4, 0.6]),
        (Endpoint(None, 20.0), [0.2, 0.5]),  # the query that reaches the budget is the last
        (Endpoint(None, 20.5), [0.3, 0.5]),
        (Endpoint(None, 1.0), [0.1, 0.5]),
        (Endpoint(None, 1e9), [0.4, 0.6]),
        (Endpoint(1, 20.0), [0.1, 0.5]),
        (Endpoint(3, 20.0), [0.2, 0.5]),
    ],
)
def test_outcomes_by_hand(endpoint, expected):
    outcome = comparison.outcome(_curves(), endpoint)
    np.testing.assert_array_equal(outcome.test_accuracy, expected)
    np.testing.assert_array_equal(outcome.validation_accuracy, expected)
    np.testing.assert_allclose(outcome.test_regret, 1 - np.array(expected))


def test_a_study_without_any_feasible_cell_is_read(leave_study):
    nothing = np.full((3, 4), NAN)
    history = History(np.ones((3, 4), np.uint64), nothing, nothing.copy(), np.zeros((3, 4)))
    inputs = [leave_study("a", history=history, runs=3, queries=4),
              leave_study("b", "evolution", queries=4)]
    (group,) = comparison.sections(read_studies(inputs))
    assert [study.label for study in group.studies] == ["evolution", "random"]
    assert dataclasses.astuple(group.endpoint) == (4, None)
