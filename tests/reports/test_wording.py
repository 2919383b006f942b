"""Tests of nas_tf.reports.wording."""

import numpy as np
import pytest

from nas_tf.reports import wording

NAN = np.float32("nan")


@pytest.mark.parametrize("seconds, expected", [
    (None, ""), (0.42, "0.42 s"), (90, "90 s"), (738, "12.3 min"), (16200, "4.5 h"),
    (1036800, "12.0 days"),
])
def test_durations(seconds, expected):
    assert wording.duration(seconds) == expected


@pytest.mark.parametrize("number, expected", [
    (1, "1 query"), (1.0, "1 query"), (0, "0 queries"), (2532, "2,532 queries"),
    (1234.5, "1,234.5 queries"),
])
def test_counts(number, expected):
    assert wording.count(number, "query", "queries") == expected
    assert wording.count(2, "cell") == "2 cells"


def test_plain_numbers():
    found = [wording.plain(value) for value in (7.25, 12.0, 0, None, NAN)]
    assert found == ["7.2", "12", "0", "", ""]
    assert wording.plain(7800.4, 0) == "7,800"


@pytest.mark.parametrize("value", [None, np.nan, np.float64("nan"), NAN])
def test_a_missing_number_is_a_dash(value):
    assert wording.percent(value, 2) == wording.plus_minus(value, 0.1) == "–"
    assert wording.number(value, 1.0, 2) == "–" and wording.number(2.905, value, 1) == "2.9"


def test_numbers_and_their_deviations():
    assert (wording.percent(0.941, 2), wording.percent(0.941, 1, unit="")) == ("94.10 %", "94.1")
    assert wording.number(2.905, 0.131, 2) == "2.90 ± 0.13"
    assert wording.plus_minus(0.6, 0.1, unit=" %") == "60.00 ± 10.00 %"
    assert wording.plus_minus(0.6, None, unit=" %") == "60.00 %"
    assert wording.plus_minus(0.56, 0.0141, 0.0707) == "56.00 ± 1.41, models ± 7.07"


def test_facts_without_a_value_are_left_out():
    facts = wording.facts({"Space": "darts", "Table": "", "Best": "–"})
    assert facts.splitlines()[2:] == ["| Space | darts |"]


def test_a_table():
    rows = [{"a": "c|d", "b": "–", "e": "1"}, {"a": "", "b": "", "e": "2"}]
    assert wording.table(rows).splitlines() == [
        "| a | e |", "| :-- | --: |", "| c\\|d | 1 |", "| – | 2 |",
    ]
    assert wording.table(rows, text=True).splitlines()[1] == "| :-- | :-- |"
    assert wording.table([]) == ""


def test_training_budgets_in_words():
    assert wording.trained_for({"search_epochs": 108, "report_epochs": 108}) == "108 epochs"
    words = "searched after 12 epochs, reported after 200"
    assert wording.trained_for({"search_epochs": 12, "report_epochs": 200}) == words


def test_budgets():
    assert wording.budget(1, None) == "1 query"
    assert wording.budget(None, 12_000) == "12,000 s of evaluation cost"
    assert wording.budget(12, 5000.0) == "12 queries or 5,000 s of evaluation cost"


@pytest.mark.parametrize("dataset, cells, disclaimer", [
    ("cifar10", "cells, trained on CIFAR-10", ""),
    ("digits", "cells, trained on handwritten digits", "not comparable with published NAS-Bench"),
    ("synthetic", "cells with invented accuracies", "the results below mean nothing."),
    ("unknown", "trained on a data set this table does not name", "does not name the data set"),
])
def test_what_networks_were_trained_on(dataset, cells, disclaimer):
    summary = {"table": "a_b", "table_num_cells": 2532, "dataset": dataset, "search_epochs": 108,
               "report_epochs": 108}
    text = wording.table_in_words(summary)
    assert text.startswith("a\\_b: 2,532 cells") and text.endswith(f"{cells}, 108 epochs")
    found = wording.disclaimer(dataset)
    assert disclaimer in found and bool(found) == bool(disclaimer)


@pytest.mark.parametrize("edits, measured, every, text", [
    (2, 10_000, 423_624, "of a cell without any, those two edits away (neighbour_edits=2): the "
                         "table has 10,000 of 423,624 cells"),
    (1, 10_000, 423_624, "those in the table alone (neighbour_edits=1): the table has 10,000 of "
                         "423,624 cells"),
    (2, 423_624, 423_624, ""),
    (2, 10_000, None, ""),
    (None, 10_000, 423_624, ""),
])
def test_neighbours_in_a_part_of_a_space(edits, measured, every, text):
    summary = {"table_num_cells": measured, "space_num_cells": every, "settings": {}}
    if edits:
        summary["settings"]["neighbour_edits"] = edits
    assert wording.neighbours_in_words(summary) == text


@pytest.mark.parametrize("measures, looks, said", [
    (True, True, True), (False, True, False), (True, False, False), (True, None, False),
])
def test_second_looks(measures, looks, said):
    settings = {} if looks is None else {"gp_second_looks": looks}
    summary = {"measures_again": measures, "settings": settings}
    assert wording.second_looks_in_words(summary).startswith("a cell that leads") == said
    assert not wording.second_looks_in_words({"settings": {"gp_second_looks": True}})
