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
