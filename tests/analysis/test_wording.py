"""Tests of nas_tf.analysis.wording."""

import numpy as np
import pytest

from nas_tf.analysis import wording


@pytest.mark.parametrize(
    "seconds, expected",
    [(0.42, "0.42 s"), (90, "90 s"), (738, "12.3 min"), (16200, "4.5 h"), (1036800, "12.0 days")],
)
def test_durations(seconds, expected):
    assert wording.duration(seconds) == expected


@pytest.mark.parametrize(
    "number, expected",
    [(1, "1 query"), (1.0, "1 query"), (0, "0 queries"), (2532, "2,532 queries"),
     (1234.5, "1,234.5 queries")],
)
def test_counts(number, expected):
    assert wording.count(number, "query", "queries") == expected


def test_a_plural_ends_in_s_unless_told():
    assert wording.count(2, "cell") == "2 cells"


@pytest.mark.parametrize("value", [None, np.nan, np.float64("nan"), np.float32("nan")])
def test_a_missing_number_is_a_dash(value):
    assert wording.percent(value, 2) == "–"


def test_percent():
    assert wording.percent(0.941, 2) == "94.10 %"
    assert wording.percent(0.941, 1, unit="") == "94.1"


def test_a_bar_does_not_end_a_field():
    assert wording.markdown_table(["a", "b"], [["c|d", "e"]]) == (
        "| a | b |\n| :-- | --: |\n| c\\|d | e |"
    )


@pytest.mark.parametrize(
    "values, expected",
    [
        ([0.5, 0.6, 0.7], "60.00 ± 10.00"),
        ([0.5, np.nan], "50.00 ± –"),
        ([0.5], "50.00 ± –"),
        ([np.nan], "–"),
    ],
)
def test_mean_and_sample_deviation(values, expected):
    assert wording.mean_std(np.array(values)) == expected


def test_models_stand_beside_runs():
    values = np.array([0.50, 0.52, 0.60, 0.62])
    models = np.array([0, 0, 1, 1])
    text = wording.mean_std_of_models(values, models)
    assert text == "56.00 ± 1.41, models ± 7.07"
    assert wording.mean_std_of_models(values, np.zeros(4, int)) == wording.mean_std(values)
    assert wording.mean_std_of_models(np.full(4, np.nan), models) == "–"


def test_training_budgets_in_words():
    assert wording.trained_for({"search_epochs": 108, "report_epochs": 108}) == "108 epochs"
    words = "searched after 12 epochs, reported after 200"
    assert wording.trained_for({"search_epochs": 12, "report_epochs": 200}) == words
