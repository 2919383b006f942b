"""nas_tf/published.py."""

import pytest

from nas_tf import published
from nas_tf.strategies import STRATEGIES


def _notes(space, strategy, dataset="cifar10"):
    return published.report_notes({"space": space, "strategy": strategy, "dataset": dataset})


def test_every_strategy_has_a_name():
    assert set(published.STRATEGIES) == set(STRATEGIES)


@pytest.mark.parametrize("strategy, dataset, accuracy, source", [
    ("reinforce", "cifar10", 0.9412, "arch2vec, table 3, after 12,000 s"),
    ("evolution", "cifar100", 0.7286, "arch2vec, table 3, after 500,000 s"),
    ("local_search", "cifar10", None, None),
    ("reinforce", "svhn", None, None),
])
def test_nasbench201(strategy, dataset, accuracy, source):
    notes = _notes("nasbench201", strategy, dataset)
    assert notes.published_final == accuracy and notes.published == {}
    assert source is None or notes.published_final_source == source


def test_nasbench101():
    notes = _notes("nasbench101", "reinforce")
    assert (notes.title, notes.strategy_label) == ("NAS-Bench-101: arch2vec-RL", "arch2vec-RL")
    assert notes.published == {400: 0.9410} and notes.published_final is None
    assert notes.published_pretraining["validity"] == 0.4497
    assert notes.published_source == "arch2vec, table 2"
    random = _notes("nasbench101", "random")
    assert random.published == {300: 0.93587} and random.published_source == "GraphPNAS"
    assert _notes("nasbench101", "evolution").published == {}
    assert _notes("nasbench101", "reinforce", "digits").published == {}
    assert _notes("nasbench201", "random", "cifar100").title == (
        "NAS-Bench-201 (CIFAR-100): random search"
    )
