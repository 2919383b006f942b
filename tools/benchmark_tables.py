"""What `tools.benchmark` measures of a table that is a CSV file: 10,000 cells of NAS-Bench-101.

Every public function takes `full` and returns figures by the names of `benchmark_figures`.
"""

import pathlib
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nas_tf import search_loop
from nas_tf.baselines.evolution import RegularizedEvolution
from nas_tf.baselines.local_search import LocalSearch
from nas_tf.baselines.random_search import RandomSearch
from nas_tf.core import Strategy
from nas_tf.evaluators import tabular
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import hash_index, nasbench101_cells
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables.measured_table import MeasuredTable

_SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"
SAMPLE = _SHARED / "nas_bench_101" / "nas_bench_101_sample.csv.gz"

_RUNS = 500
_QUERIES = 150
_STRATEGIES: dict[str, Callable[..., Strategy]] = {
    "random": lambda cells, space, seeds: RandomSearch(cells, seeds=seeds),
    "evolution": lambda cells, space, seeds: RegularizedEvolution(
        cells, space, seeds=seeds, population_size=10, tournament_size=3
    ),
    "local_search": lambda cells, space, seeds: LocalSearch(cells, space, seeds=seeds),
}


def hashes(full: bool) -> dict[str, Any]:
    """The official hashes of all cells, computed and then from a cache."""
    del full
    cells = nasbench101_cells.enumerate_cells()
    with tempfile.TemporaryDirectory() as directory:
        seconds = [_seconds(lambda: hash_index.sorted_hashes(cells, directory)) for _ in range(2)]
    return {"hashes_sec": seconds[0], "hashes_cached_sec": seconds[1]}


def sample(full: bool) -> dict[str, Any]:
    """Opens the sample, and searches it and NAS-Bench-201 by the same strategies."""
    del full
    space, other = NasBench101Space(), NasBench201Space()
    MeasuredTable.load(SAMPLE, space)  # fills the cache
    started = time.monotonic()
    cells = MeasuredTable.load(SAMPLE, space).cells
    figures = {"sample_later_sec": time.monotonic() - started}
    everything = other.enumerate_cells()
    for name in _STRATEGIES:
        there = study_seconds(name, everything, other)
        figures[f"sample_{name}_ratio"] = there / study_seconds(name, cells, space)
    return figures


def study_seconds(name: str, cells: CellGraphs, space: SearchSpace) -> float:
    """Returns the seconds of a study of 500 runs x 150 queries; accuracies are invented."""
    seeds: Sequence[int] = range(_RUNS)
    accuracy = np.random.default_rng(0).uniform(0.1, 0.95, (len(cells), 1))
    evaluator = tabular.TabularEvaluator(
        cells.keys, accuracy, test_accuracy=accuracy[:, 0], cost_sec=np.ones_like(accuracy),
        seeds=seeds, validation="mean",
    )

    def search() -> None:
        strategy = _STRATEGIES[name](cells, space, seeds)
        search_loop.run_search(strategy, evaluator, Budget(_QUERIES), num_runs=_RUNS)

    return _seconds(search)


def _seconds(call: Callable[[], Any]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started
