"""Tests of nas_tf.reports.notes: which published number may stand beside a study."""

import pytest

from nas_tf.reports.notes import Published, ReportNotes

SUMMARY = {
    "space": "nasbench101", "table_num_cells": 1518, "dataset": "cifar10", "search_epochs": 108,
    "report_epochs": 108, "validation": "random",
}
NUMBER = {
    "space": "nasbench101", "num_cells": 1518, "dataset": "cifar10", "search_epochs": 108,
    "report_epochs": 108, "validation": "random", "value": 0.9405, "source": "Someone, table 2",
}


def test_a_number_as_text():
    number = Published(**NUMBER, queries=10, std=0.0017, runs=500)
    assert number.text == "94.05 ± 0.17" and number.reference == "Someone, table 2, 500 runs"
    assert Published(**NUMBER).text == "94.05" and Published(**NUMBER).reference == NUMBER["source"]


def test_it_stands_beside_its_own_budget_alone():
    by_queries, by_cost = Published(**NUMBER, queries=10), Published(**NUMBER, cost_sec=500.0)
    notes = ReportNotes(published=(by_queries, by_cost))
    assert notes.after(SUMMARY, 10, None) is by_queries
    assert notes.after(SUMMARY, None, 500.0) is by_cost
    for budget in ((10, 500.0), (11, None), (None, 400.0), (None, None), (None, 10)):
        assert notes.after(SUMMARY, *budget) is None


@pytest.mark.parametrize("changes", [
    {"space": "nasbench201"}, {"num_cells": 423_624}, {"dataset": "digits"}, {"search_epochs": 12},
    {"report_epochs": 4}, {"validation": "mean"},
], ids=str)
def test_it_stands_beside_no_other_protocol(changes):
    notes = ReportNotes(published=(Published(**NUMBER | changes, queries=10),))
    assert notes.after(SUMMARY, 10, None) is None


def test_a_paper_that_does_not_say_what_it_saw_fits_either():
    notes = ReportNotes(published=(Published(**NUMBER | {"validation": None}, queries=10),))
    for validation in ("random", "mean"):
        assert notes.after(SUMMARY | {"validation": validation}, 10, None)
