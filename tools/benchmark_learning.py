"""What `tools.benchmark` measures of TensorFlow: pre-training, its quality check, searches.

Every public function takes `full` and returns figures by the names of `benchmark_figures`.
"""

import functools
import hashlib
import pathlib
import statistics
import time
from typing import Any

import numpy as np

from nas_tf import search_loop
from nas_tf.arch2vec import embedding, pretrain, quality, reinforce, saving
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import DataError
from nas_tf.evaluators import tabular
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.studies.encoder_training import make_trainer
from nas_tf.studies.pretraining import Pretraining
from nas_tf.tables.nasbench101 import NasBench101Table
from tools import benchmark_arithmetic, make_nasbench101_records
from tools.benchmark_arithmetic import TALL_ROWS, beside
from tools.benchmark_data import benchmark_directory, peak_mb

_SPACE = nasbench101.NasBench101Space()
_PART = 60_000  # cells, where the whole space takes long and says the same
_CHECKS = 5
_RUNS = 500


def pretraining_throughput(full: bool) -> dict[str, Any]:
    """Pre-trains for two passes, on a random part of the space unless `full`."""
    cells = _SPACE.enumerate_cells() if full else _random_part(_PART)
    model, result = _pretrain(cells, epochs=2)
    peak = peak_mb()
    gflop = benchmark_arithmetic.pretraining_flops(model) * result.graphs_per_sec / 1e9
    return {"pretrain_graphs_per_sec": result.graphs_per_sec, "pretrain_peak_mb": peak,
            **beside("pretrain_graphs_per_sec", gflop, 1.0, rows=TALL_ROWS[0]),
            "note": f"second of two passes over 90 % of {len(cells):,} cells"}


def make_model(full: bool) -> dict[str, Any]:
    """Pre-trains the model that other items use, unless it is there; about half a minute."""
    del full
    try:
        saving.load_model(_model_directory())
    except DataError:
        model, _ = _pretrain(_random_part(_PART), epochs=2)
        saving.save_model(_model_directory(), model)
    return {}


def prior_check(full: bool) -> dict[str, Any]:
    """Times the check of 10,000 prior samples on a model that decodes to real cells."""
    del full
    model = saving.load_model(_model_directory())
    adjacency, ops = embedding.encoder_inputs(_SPACE, _random_part(10_000))
    latent = quality.LatentStatistics.of(embedding.node_means(model, adjacency, ops))
    seconds = []
    for seed in range(1 + _CHECKS):
        started = time.monotonic()
        found = quality.prior_quality(model, _SPACE, latent, count=10_000, seed=seed)
        seconds.append(time.monotonic() - started)
    return {"quality_sec": statistics.median(seconds[1:]), "quality_first_sec": seconds[0],
            "note": f"median of {_CHECKS} after the first; validity {found.validity:.1%}"}


def search_embedded(full: bool) -> dict[str, Any]:
    """500 runs x 150 queries over the embedded table."""
    del full
    table = NasBench101Table.embedded()
    evaluator = tabular.from_nasbench101(table, seeds=range(_RUNS))
    seconds = _search(_embed(table.cells), table.cells, evaluator, num_queries=150)
    return {"reinforce_embedded_sec": seconds, "reinforce_embedded_peak_mb": peak_mb(),
            "note": f"{table.num_cells:,} cells"}


def search_space(full: bool) -> dict[str, Any]:
    """500 runs x 400 queries over all cells, with invented metrics."""
    del full
    cells = _SPACE.enumerate_cells()
    evaluator = _invented(cells, list(range(_RUNS)))
    vectors = _embed(cells)
    before = peak_mb()
    seconds = _search(vectors, cells, evaluator, num_queries=400)
    return {"reinforce_space_sec": seconds, "reinforce_space_peak_mb": peak_mb(),
            "note": f"invented metrics; peak memory before the search {before:,.0f} MB"}


@functools.cache
def _random_part(count: int) -> CellGraphs:
    """Returns cells of the space drawn at random, always the same."""
    cells = _SPACE.enumerate_cells()
    chosen = np.random.default_rng(0).choice(len(cells), count, replace=False)
    return cells[np.sort(chosen)]


def _pretrain(cells: CellGraphs, epochs: int) -> tuple[VGAE, pretrain.PretrainResult]:
    """Pre-trains with the default settings of the main command."""
    trainer = make_trainer(Pretraining(), _SPACE, "none")
    return trainer.model, pretrain.pretrain(trainer, _SPACE, cells, epochs=epochs)


def _model_directory() -> pathlib.Path:
    """Returns where the model of `make_model` is kept; settings of another time have another."""
    settings = hashlib.sha256(repr(Pretraining()).encode()).hexdigest()[:16]
    return benchmark_directory() / f"model-{settings}"


def _embed(cells: CellGraphs) -> np.ndarray:
    """Returns the embedding of cells that a search gets, float32 [M, L]."""
    model = saving.load_model(_model_directory())
    return embedding.standardized(embedding.embed_cells(model, _SPACE, cells))


def _invented(cells: CellGraphs, seeds: list[int]) -> tabular.TabularEvaluator:
    """Returns an evaluator of invented metrics."""
    metrics, _ = make_nasbench101_records.invent_metrics(
        cells, epochs=108, repeats=3, rng=np.random.default_rng(0)
    )
    final = metrics[:, :, -1]  # [M, repeats, (epoch, seconds, train, validation, test)]
    return tabular.TabularEvaluator(
        cells.keys, final[..., 3], test_accuracy=final[..., 4].mean(axis=1),
        cost_sec=final[..., 1], seeds=seeds,
    )


def _search(
    vectors: np.ndarray, cells: CellGraphs, evaluator: tabular.TabularEvaluator, num_queries: int
) -> float:
    """Returns the seconds of a study; making its policies and compiling are part of them."""
    started = time.monotonic()
    strategy = reinforce.ReinforceSearch(vectors, cells, seeds=range(_RUNS), baseline=0.75)
    search_loop.run_search(strategy, evaluator, Budget(num_queries), num_runs=_RUNS)
    return time.monotonic() - started
