"""What `tools.benchmark` measures of studies on NAS-Bench-201: 500 runs x 150 queries.

Accuracies are invented, and the embedding is an untrained encoder's: neither changes how long a
study takes. Every public function takes `full` and returns figures by the names of
`benchmark_figures`.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nas_tf import search_loop
from nas_tf.arch2vec import embedding
from nas_tf.arch2vec.bayesian import BayesianSearch
from nas_tf.arch2vec.predictor import AccuracyPredictor, PredictorTraining
from nas_tf.arch2vec.reinforce import ReinforceSearch
from nas_tf.arch2vec.supervised import SupervisedSearch
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.baselines.bananas import Bananas
from nas_tf.baselines.categorical_reinforce import CategoricalReinforce
from nas_tf.baselines.evolution import RegularizedEvolution
from nas_tf.baselines.local_search import LocalSearch
from nas_tf.baselines.random_search import RandomSearch
from nas_tf.core import Strategy
from nas_tf.evaluators import tabular
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.spaces.space import SearchSpace
from nas_tf.strategies.gaussian_process import GaussianProcess
from nas_tf.strategies.strategy import StudySetup
from nas_tf.studies.run_blocks import RunBlocks
from nas_tf.surrogates.feature_pool import feature_pool
from tools.benchmark_arithmetic import TALL_ROWS, bayesian_flops, beside, encoder_flops
from tools.benchmark_data import peak_mb

_RUNS = 500
_PART = 40  # runs of a study that takes minutes
_FEW = 16  # of one that takes half an hour
_QUERIES = 150
_STEPS = 50  # of an encoder's training
_SPACE = NasBench201Space()
_CELLS = _SPACE.enumerate_cells()


def reinforce_201(full: bool) -> dict[str, Any]:
    """arch2vec-RL."""
    del full
    vectors = _embedding()
    seconds = study_seconds(lambda seeds: ReinforceSearch(
        vectors, _CELLS, seeds=seeds, discount=0.4, baseline=0.4
    ))
    return {"reinforce_201_sec": seconds, "reinforce_201_run_sec": seconds / _RUNS,
            "reinforce_201_peak_mb": peak_mb(), "note": "invented accuracies"}


def bayesian_201(full: bool) -> dict[str, Any]:
    """arch2vec-BO; a part of the runs unless `full`, since a run takes as long as any other."""
    runs, vectors = _RUNS if full else _PART, _embedding()
    seconds = study_seconds(lambda seeds: BayesianSearch(
        vectors, _CELLS, seeds=seeds, batch_size=1, target=1.0
    ), runs)
    peak = peak_mb()
    gflop = runs * _bayesian_gflop(vectors.shape[1])
    return {"bayesian_201_sec": seconds * _RUNS / runs, "bayesian_201_run_sec": seconds / runs,
            "bayesian_201_peak_mb": peak,
            **beside("bayesian_201_sec", gflop, seconds, rows=TALL_ROWS[-1]),
            "note": f"{runs} runs measured"}


def bananas_201(full: bool) -> dict[str, Any]:
    """BANANAS; a part of the runs unless `full`."""
    runs = _RUNS if full else _PART
    seconds = study_seconds(lambda seeds: Bananas(_CELLS, _SPACE, seeds=seeds, path_length=2), runs)
    return {"bananas_201_sec": seconds * _RUNS / runs, "note": f"{runs} runs measured"}


def gaussian_process_201(full: bool) -> dict[str, Any]:
    """The Gaussian process over the whole pool."""
    del full
    seconds = gaussian_process_seconds(NasBench201Space(), _CELLS, _RUNS, _QUERIES)
    return {"gaussian_process_201_sec": seconds, "gaussian_process_201_peak_mb": peak_mb(),
            "note": "invented accuracies"}


def gaussian_process_101(full: bool) -> dict[str, Any]:
    """The same over all of NAS-Bench-101, a run's share of each query."""
    del full
    return _large_pool("101", NasBench101Space())


def gaussian_process_darts(full: bool) -> dict[str, Any]:
    """The same over 600,000 DARTS cells."""
    del full
    return _large_pool("darts", DartsSpace())


def _large_pool(name: str, space: SearchSpace) -> dict[str, Any]:
    """Returns seconds of describing a pool, and of a query and run of a study over it."""
    cells = space.enumerate_cells()
    started = time.monotonic()
    feature_pool(space, cells)
    described = time.monotonic() - started
    seconds = gaussian_process_seconds(space, cells, 2, _QUERIES)
    return {f"gaussian_process_{name}_describe_sec": described,
            f"gaussian_process_{name}_query_sec": seconds / _QUERIES,
            f"gaussian_process_{name}_peak_mb": peak_mb(),
            "note": "two runs side by side, refits included, invented accuracies"}


def gaussian_process_seconds(space, cells: CellGraphs, runs: int, queries: int) -> float:
    """Returns the seconds of a study, block after block as `nas_tf.search` does it."""
    recipe = GaussianProcess()
    accuracy = np.random.default_rng(0).uniform(0.1, 0.75, (len(cells), 1))

    def setup(seeds: Sequence[int]) -> StudySetup:
        return StudySetup(space=space, cells=cells, seeds=seeds, epochs=(1,), num_queries=queries)

    def evaluator(seeds: Sequence[int]) -> tabular.TabularEvaluator:
        return tabular.TabularEvaluator(
            cells.keys, accuracy, test_accuracy=accuracy[:, 0], cost_sec=np.ones_like(accuracy),
            seeds=seeds, validation="mean",
        )

    seeds = range(runs)
    blocks = RunBlocks(
        lambda some: recipe.build(setup(some)), evaluator, seeds, recipe.runs_at_once(setup(seeds))
    )
    started = time.monotonic()
    blocks.search(Budget(queries), checkpoint=None, logger=None, progress=False)
    return time.monotonic() - started


def supervised_201(full: bool) -> dict[str, Any]:
    """The supervised counterparts of both arch2vec searches; a part of the runs unless `full`."""
    runs = _RUNS if full else _FEW
    model = AccuracyPredictor(_SPACE.max_nodes, len(_SPACE.op_names))
    training = _CountedTraining(model, _SPACE, _CELLS, learning_rate=5e-3)
    options = {"cells": _CELLS, "training": training, "steps": _STEPS,
               "finish": embedding.standardized}

    def reinforce(seeds: range) -> Strategy:
        return SupervisedSearch(
            lambda pool: ReinforceSearch(pool, _CELLS, seeds=seeds, discount=0.4, baseline=0.4),
            seeds=seeds, first=1, **options,
        )

    def bayesian(seeds: range) -> Strategy:
        return SupervisedSearch(
            lambda pool: BayesianSearch(pool, _CELLS, seeds=seeds, batch_size=1, target=1.0),
            seeds=seeds, first=16, **options,
        )

    figures = {"note": f"{runs} runs measured"}
    for name, strategy, more in (
        ("supervised_reinforce_201_sec", reinforce, 0.0),
        ("supervised_bayesian_201_sec", bayesian, runs * _bayesian_gflop(training.depth)),
    ):
        training.count = 0
        seconds = study_seconds(strategy, runs)
        gflop = more + training.count * encoder_flops(model, len(_CELLS), _STEPS) / 1e9
        figures |= beside(name, gflop, seconds, rows=TALL_ROWS[-1])
        figures[name] = seconds * _RUNS / runs
    return figures


class _CountedTraining(PredictorTraining):
    """Counts the encoders it trains: when one is due depends on seeds and queries."""

    count = 0

    def embed(self, seeds, batches, targets, finish) -> None:
        """Does what it says there, and counts."""
        self.count += len(seeds)
        super().embed(seeds, batches, targets, finish)


def _bayesian_gflop(depth: int) -> float:
    """Returns the arithmetic of one run of arch2vec-BO."""
    return bayesian_flops(depth, len(_CELLS), _QUERIES) / 1e9


def baselines_201(full: bool) -> dict[str, Any]:
    """Searches without a network."""
    del full
    encoding = _SPACE.decisions()
    return {
        "reinforce_categorical_201_sec": study_seconds(lambda seeds: CategoricalReinforce(
            _CELLS, encoding, seeds=seeds, optimizer="adam", learning_rate=0.001
        )),
        "random_201_sec": study_seconds(lambda seeds: RandomSearch(_CELLS, seeds=seeds)),
        "evolution_201_sec": study_seconds(lambda seeds: RegularizedEvolution(
            _CELLS, _SPACE, seeds=seeds, population_size=10, tournament_size=3
        )),
        "local_search_201_sec": study_seconds(lambda seeds: LocalSearch(_CELLS, _SPACE, seeds=seeds)),
        "note": "invented accuracies",
    }


def _embedding() -> np.ndarray:
    """Returns vectors as arch2vec's searches get them, float32 [M, 16]."""
    model = VGAE(_SPACE.max_nodes, len(_SPACE.op_names), seed=0)
    return embedding.standardized(embedding.embed_cells(model, _SPACE, _CELLS))


def study_seconds(
    make_strategy: Callable[[range], Strategy], runs: int = _RUNS, queries: int = _QUERIES
) -> float:
    """Returns the seconds of a study; making the strategy and compiling are part of them."""
    seeds = range(runs)
    accuracy = np.random.default_rng(0).uniform(0.1, 0.75, (len(_CELLS), 1))
    evaluator = tabular.TabularEvaluator(
        _CELLS.keys, accuracy, test_accuracy=accuracy[:, 0], cost_sec=np.ones_like(accuracy),
        seeds=seeds, validation="mean",
    )
    started = time.monotonic()
    search_loop.run_search(make_strategy(seeds), evaluator, Budget(queries), num_runs=runs)
    return time.monotonic() - started
