"""The baselines on the real NAS-Bench-201 table: 500 runs of 150 queries, as published studies do."""

import pathlib

import numpy as np
import pytest

from nas_tf import search_loop
from nas_tf.baselines.local_search import LocalSearch
from nas_tf.baselines.random_search import RandomSearch
from nas_tf.evaluators import tabular
from nas_tf.evaluators.budget import Budget
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.tables.nasbench201 import NasBench201Table

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "nas_bench_201" / "nas_bench_201.csv.gz"
RUNS = 500

pytestmark = pytest.mark.skipif(not REAL.exists(), reason="the real NAS-Bench-201 table is absent")


@pytest.fixture(scope="module")
def table():
    return NasBench201Table.load(REAL)


def final_test_accuracy(strategy, table, dataset) -> np.ndarray:
    """Returns the incumbents' test accuracy after 150 queries, per cent [RUNS]."""
    evaluator = tabular.from_nasbench201(table, dataset, seeds=range(RUNS))
    history = search_loop.run_search(strategy, evaluator, Budget(150), num_runs=RUNS).history
    return 100 * history.test_accuracy[np.arange(RUNS), history.incumbent()[:, -1]]


# Means of 2,000 runs of random search and of plain best-neighbour local search made apart from this
# project; the bound is four standard errors of 500 runs.
@pytest.mark.parametrize(
    "dataset, mean, deviation", [("cifar10", 93.82, 0.30), ("cifar100", 71.70, 0.82)]
)
def test_random_search(table, dataset, mean, deviation):
    found = final_test_accuracy(RandomSearch(table.cells, seeds=range(RUNS)), table, dataset)
    assert found.mean() == pytest.approx(mean, abs=4 * deviation / RUNS**0.5)
    assert found.std() == pytest.approx(deviation, rel=0.2)


@pytest.mark.parametrize(
    "dataset, mean, deviation", [("cifar10", 94.13, 0.30), ("cifar100", 73.00, 0.86)]
)
def test_local_search(table, dataset, mean, deviation):
    strategy = LocalSearch(table.cells, NasBench201Space(), seeds=range(RUNS))
    found = final_test_accuracy(strategy, table, dataset)
    assert found.mean() == pytest.approx(mean, abs=4 * deviation / RUNS**0.5)
