"""What every strategy owes a pool, whoever made it."""

import numpy as np
import pytest

from nas_tf import benchmarks, strategies
from nas_tf.evaluators.budget import Budget
from nas_tf.search_loop import run_search
from nas_tf.settings import STRATEGIES, Settings
from nas_tf.spaces.nasbench101 import NasBench101Space
from tests.test_jobs import change

NUM_CELLS = 28
SMALL = {
    "num_runs": 2,
    "num_queries": NUM_CELLS,
    "jit_compile": False,
    "num_initial": 5,
    "surrogate_epochs": 2,
    "encoder_period": 16,
    "encoder_steps": 2,
    "bananas_initial": 5,
    "ensemble_size": 1,
    "ensemble_epochs": 1,
    "population_size": 8,
    "tournament_size": 3,
    "generator_hidden": 4,
    "generator_components": 2,
    "generator_steps": 1,
    "generator_epochs": 2,
    "generator_samples": 100,
    "explore_queries": 5,
}


def queried(settings, places):
    """Returns the history of a search over some of the table's cells."""
    benchmark = benchmarks.open_benchmark(settings)
    embedding = np.random.default_rng(0).normal(size=(len(benchmark.cells), 4)).astype(np.float32)
    seeds = [0, 1]
    study = strategies.Study(
        space=NasBench101Space(),
        cells=benchmark.cells[places],
        seeds=seeds,
        epochs=benchmark.epochs,
        embedding=embedding[places],
    )
    strategy = strategies.make_strategy(settings, study)
    return run_search(strategy, benchmark.evaluator(seeds), Budget(NUM_CELLS), num_runs=2).history


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_architecture_of_a_pool_is_queried_twice(records, name):
    """Cells that a pool has twice change nothing, not even for a strategy that never looks."""
    settings = change(
        Settings(), nasbench101_records=str(records), standardize=False, strategy=name, **SMALL
    )
    once = 3 * np.arange(NUM_CELLS)
    twice = np.concatenate([once, once[5:20]])
    found, expected = queried(settings, twice), queried(settings, once)
    np.testing.assert_array_equal(found.key, expected.key)
    if name != "bohb":  # which trains a cell again, for longer
        assert [len(set(run)) for run in found.key.tolist()] == [NUM_CELLS] * 2
