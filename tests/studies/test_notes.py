"""nas_tf/studies/notes.py and nas_tf/strategies/papers.py: published numbers beside ours."""

import pytest

from nas_tf.reports import arch2vec_numbers
from nas_tf.spaces.nasbench201 import NUM_CELLS
from nas_tf.strategies import registry
from nas_tf.studies.notes import notes_of_summary

TITLES = {"nasbench101": "NAS-Bench-101", "nasbench201": "NAS-Bench-201"}


def _summary(space="nasbench101", strategy="arch2vec_rl", **changes):
    """What the papers' own protocol on CIFAR-10 leaves in a summary."""
    protocol = {
        "nasbench101": {"table_num_cells": 423_624, "search_epochs": 108, "report_epochs": 108},
        "nasbench201": {"table_num_cells": NUM_CELLS, "search_epochs": 12, "report_epochs": 200},
    }[space]
    return {
        "space": space, "strategy": strategy, "dataset": "cifar10", "validation": "mean",
        "query_budget": 400, "cost_budget_sec": None, **protocol,
        "titles": {"space": TITLES[space], "strategy": registry.named(strategy).title},
    } | changes


def _after(summary, queries=None, cost_sec=None):
    notes = notes_of_summary(summary)
    found = notes.after(
        summary,
        queries if cost_sec is None else summary["query_budget"],
        cost_sec if queries is None else summary["cost_budget_sec"],
    )
    return None if found is None else (found.value, found.std, found.reference)


def test_after_queries_on_nasbench101():
    table = "arch2vec, table 2, 500 runs"
    assert _after(_summary(), 400) == (0.9410, None, table)
    assert _after(_summary(), 150) is None
    figure = "GraphPNAS, figure 2 and its text, 10 runs"
    assert _after(_summary(strategy="graphpnas"), 300) == (0.94193, None, figure)
    assert _after(_summary(strategy="evolution"), 300) is None


@pytest.mark.parametrize("changes", [
    {"search_epochs": 4, "report_epochs": 4},  # --nasbench101_epochs=4
    {"dataset": "digits"},
    {"dataset": "unknown"},
    {"validation": "random"},  # the paper's searches saw the mean of the repeats
    {"table_num_cells": 1518},
    {"cost_budget_sec": 1e6},
], ids=str)
def test_another_protocol_has_no_published_number(changes):
    assert _after(_summary(**changes), 400) is None


@pytest.mark.parametrize("strategy, dataset, seconds, value", [
    ("arch2vec_rl", "cifar10", 12_000, 0.9412),
    ("arch2vec_bo", "cifar10", 12_000, 0.9418),
    ("evolution", "cifar100", 500_000, 0.7286),
    ("random", "cifar100", 500_000, 0.7205),
])
def test_after_seconds_on_nasbench201(strategy, dataset, seconds, value):
    epochs = 12 if dataset == "cifar10" else 200
    summary = _summary("nasbench201", strategy, dataset=dataset, search_epochs=epochs)
    spent = summary | {"query_budget": None, "cost_budget_sec": float(seconds)}
    source = f"arch2vec, table 3, after {seconds:,} s of training, 500 runs"
    assert _after(spent, cost_sec=float(seconds)) == (value, None, source)
    assert _after(spent, cost_sec=seconds / 2) is None
    assert _after(spent | {"query_budget": 150}, cost_sec=float(seconds)) is None
    assert _after(summary, 150) is None  # numbers after seconds stand beside no count of queries
    assert _after(spent | {"search_epochs": 36}, cost_sec=float(seconds)) is None


def test_after_queries_on_nasbench201():
    summary = _summary("nasbench201", "graphpnas")
    assert _after(summary, 150) is None  # the paper's searches saw one random trial, ours the mean
    seen = summary | {"validation": "random"}
    reference = "GraphPNAS, on NAS-Bench-201, 10 runs"
    assert _after(seen, 150) == (0.9428, 0.0017, reference)
    assert _after(seen | {"search_epochs": 200}, 150) is None


def test_titles_name_data_and_training_budget():
    def title(**changes):
        return notes_of_summary(_summary(**changes)).title

    assert title() == "NAS-Bench-101 (CIFAR-10, 108 epochs): arch2vec-RL"
    epochs = {"search_epochs": 4, "report_epochs": 4}
    assert title(**epochs) == "NAS-Bench-101 (CIFAR-10, 4 epochs): arch2vec-RL"
    assert title(dataset="unknown").startswith("NAS-Bench-101 (unknown data, 108 epochs)")
    assert title(space="nasbench201", strategy="random") == (
        "NAS-Bench-201 (CIFAR-10, searched after 12 epochs, reported after 200): random search"
    )


def test_an_analysis_stands_beside_the_same_accuracies():
    assert set(arch2vec_numbers.representation("nasbench101", "cifar10", 108)) == {
        "rmse", "pearson", "neighbour_edits"
    }
    cells_alone = {"neighbour_edits": {"pre-trained": "2.9"}}
    for of in (("digits", 36), ("cifar10", 4), ("unknown", 108), (None, None)):
        assert arch2vec_numbers.representation("nasbench101", *of) == cells_alone
    assert arch2vec_numbers.representation("nasbench201", "cifar10", 200) == {}
