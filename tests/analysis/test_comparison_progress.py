"""Tests of nas_tf.analysis.comparison_progress."""

import numpy as np
import pytest

from nas_tf.analysis.comparison import sections
from nas_tf.analysis.finished_study import read_studies
from nas_tf.analysis.comparison_progress import after_fewer_queries
from nas_tf.analysis.notes import PublishedAccuracy, ReportNotes
from nas_tf.core import History


def _lines(inputs, describe=lambda summary: ReportNotes()):
    (group,) = sections(read_studies(inputs, describe))
    return after_fewer_queries(group)


def _study(leave_study, name, test_accuracy, **options):
    """Leaves a study whose every query is better than the one before; `test_accuracy`: [R, Q]."""
    accuracy = np.array(test_accuracy)
    validation = np.linspace(0.1, 0.9, accuracy.shape[1])
    history = History(
        key=np.arange(accuracy.size, dtype=np.uint64).reshape(accuracy.shape),
        validation_accuracy=np.broadcast_to(validation, accuracy.shape),
        test_accuracy=accuracy,
        cost_sec=np.ones(accuracy.shape),
    )
    runs, queries = accuracy.shape
    return leave_study(name, history=history, runs=runs, queries=queries, **options)


def _number(queries):
    return PublishedAccuracy(
        space="nasbench101", num_cells=1518, dataset="cifar10", search_epochs=108,
        report_epochs=108, validation="random", strategy="random", queries=queries, value=0.5,
        source="Someone",
    )


def test_the_table(leave_study):
    rising = np.array([np.arange(1, 61), np.arange(3, 63)]) / 100
    inputs = [
        _study(leave_study, "a", rising, dataset="cifar10"),
        _study(leave_study, "b", np.full((2, 60), 0.25), strategy="evolution", dataset="cifar10"),
    ]

    def describe(summary):
        return ReportNotes(strategy_label=summary["strategy"], published=(_number(20),))

    heading, table, caption = _lines(inputs, describe)
    assert heading == "### After fewer queries"
    assert table.splitlines() == [
        "| Study | 10 | 20 | 50 | 60 |",
        "| :-- | --: | --: | --: | --: |",
        "| random | 11.00 ± 1.41 | 21.00 ± 1.41 (50.00) | **51.00 ± 1.41** | **61.00 ± 1.41** |",
        "| evolution | **25.00 ± 0.00** | **25.00 ± 0.00** | 25.00 ± 0.00 | 25.00 ± 0.00 |",
    ]
    assert "In brackets: published by this protocol" in caption


@pytest.mark.parametrize("queries, cost_sec", [(10, None), (None, 100.0)])
def test_nothing_without_fewer_queries(leave_study, queries, cost_sec):
    directory = leave_study(
        "a", queries=queries or 20, query_budget=queries, cost_budget_sec=cost_sec
    )
    assert _lines([directory]) == []


def test_numbers_of_another_data_set_are_not_published_ones(leave_study):
    directory = _study(leave_study, "a", np.full((1, 20), 0.5), dataset="digits")
    notes = ReportNotes(published=(_number(20),))
    _, table, caption = _lines([directory], lambda summary: notes)
    assert "| 50.00 ± – | 50.00 ± – |" in table
    assert "(50.00)" not in table and "published" not in caption
