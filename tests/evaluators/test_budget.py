"""Tests of nas_tf.evaluators.budget."""

import numpy as np
import pytest

from nas_tf import core
from nas_tf.evaluators.budget import Budget


def test_queries_end_every_run():
    budget = Budget(num_queries=3)
    cost = np.array([5.0, 1e9])
    assert budget.active(2, cost).tolist() == [True, True]
    assert budget.active(3, cost).tolist() == [False, False]


def test_cost_ends_runs_one_by_one_once_it_is_reached():
    budget = Budget(cost_budget_sec=10.0)
    assert budget.active(7, np.array([9.99, 10.0, 10.01])).tolist() == [True, False, False]


def test_whichever_comes_first():
    budget = Budget(num_queries=2, cost_budget_sec=10.0)
    assert budget.active(1, np.array([3.0, 30.0])).tolist() == [True, False]
    assert budget.active(2, np.array([3.0, 30.0])).tolist() == [False, False]


def test_the_last_batch_is_cut():
    assert Budget(num_queries=10).batch_size(8, 4) == 2
    assert Budget(num_queries=10).batch_size(4, 4) == 4
    assert Budget(cost_budget_sec=1.0).batch_size(1000, 4) == 4


@pytest.mark.parametrize("value", [0, -5])
def test_queries_must_be_positive(value):
    with pytest.raises(core.ConfigError, match=f"num_queries={value}:"):
        Budget(num_queries=value)


@pytest.mark.parametrize("value", [0.0, -1.5, float("nan"), float("inf")])
def test_cost_must_be_positive(value):
    with pytest.raises(core.ConfigError, match=f"cost_budget_sec={value}:"):
        Budget(cost_budget_sec=value)


def test_one_limit_is_needed():
    with pytest.raises(core.ConfigError, match="num_queries, cost_budget_sec"):
        Budget()
