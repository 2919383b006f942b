"""Generators of graphs beyond a search: the page, the file, and `--job=sample`."""

import pathlib
import time
from collections.abc import Callable, Mapping

import numpy as np

from nas_tf import benchmarks, claim, experiment, published, storage
from nas_tf.analysis import summary as summaries
from nas_tf.analysis.generator_page import PAGE, Learned, write_generator_page
from nas_tf.analysis.tensorboard import TensorBoardLogger
from nas_tf.core import ConfigError, History, Stream, generator
from nas_tf.graphpnas.cells import FORMS
from nas_tf.graphpnas.saving import load_generator, save_generator
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.graphs import find
from nas_tf.settings import Settings

GENERATOR = "generator.keras"
SAMPLES = "samples.json"

_RANDOM = 2000  # cells on the page
_CHUNK = 1000  # graphs drawn at a time, which bounds the memory


def samples_watcher(
    strategy: GraphSearch, benchmark: benchmarks.Benchmark, logger: TensorBoardLogger
) -> Callable[[int, Mapping[str, float]], None]:
    """Returns a callback of `search_loop.run_search` that logs how accurate samples are.

    After every fit TensorBoard gets the validation accuracies of what all generators drew, as a
    histogram with its mean; those of all cells, which random search draws from, stand at step 0.
    """
    accuracy = _pool_accuracy(strategy, benchmark)
    logger.histogram(0, "generator/random_accuracy", accuracy[np.isfinite(accuracy)])
    logged = [-1]

    def watch(unused_queries: int, unused_values: Mapping[str, float]) -> None:
        latest = strategy.diagnostics.latest
        if latest is None or latest[0] == logged[0]:
            return
        logged[0], places = latest
        drawn = accuracy[places[places >= 0]]
        drawn = drawn[np.isfinite(drawn)]
        logger.histogram(logged[0], "generator/sample_accuracy", drawn)
        if len(drawn):
            logger.scalars(logged[0], {"generator/sample_accuracy_mean": drawn.mean()})

    return watch


def _pool_accuracy(strategy: GraphSearch, benchmark: benchmarks.Benchmark) -> np.ndarray:
    """Returns the validation accuracy of the strategy's pool, float64 [M]."""
    place, _ = find(strategy.cells.keys, benchmark.cells.keys)
    return np.asarray(benchmark.validation_accuracy)[place]


def write_generator(
    settings: Settings,
    directory: pathlib.Path,
    benchmark: benchmarks.Benchmark,
    strategy: GraphSearch,
    history: History,
    logger: TensorBoardLogger,
) -> None:
    """Leaves the page, and the generator of the run with the best validation accuracy."""
    pool = strategy.cells
    diagnostics = strategy.diagnostics.arrays()
    rng = generator(settings.job.seed, Stream.RANDOM_CELLS)
    notes = published.report_notes({
        "space": settings.table.space,
        "strategy": settings.search.strategy,
        "dataset": benchmark.dataset,
    })
    learned = Learned(
        title=notes.title,
        label=notes.strategy_label,
        dataset=benchmark.dataset,
        seen=diagnostics["seen"],
        places=diagnostics["places"],
        shares=strategy.diagnostics.shares(),
        num_fallbacks=strategy.diagnostics.num_fallbacks,
        num_any_cell=strategy.diagnostics.num_any_cell,
        acceptance=strategy.diagnostics.acceptance,
        num_runs=settings.search.num_runs,
        random=rng.integers(len(pool), size=_RANDOM),
        accuracy=_pool_accuracy(strategy, benchmark),
        edges=strategy.form.graphs(pool)[0] > 0,
    )
    for name in write_generator_page(directory, learned):
        logger.image(history.key.shape[1], f"generator/{name}", directory / f"{name}.png")
    best = np.where(np.isnan(history.validation_accuracy), -np.inf, history.validation_accuracy)
    run = int(np.argmax(best.max(axis=1)))
    weights = strategy.fitted_weights(run)
    save_generator(
        directory / GENERATOR, strategy.generator, weights, space=settings.table.space
    )
    fell = strategy.diagnostics.num_fallbacks
    if fell:
        print(
            f"{fell:,} of {np.count_nonzero(history.key):,} queries explored because "
            "the generator had collapsed: none of its samples was a new cell"
        )
    print(
        f"generator: {directory / PAGE}.md, and that of run {run} in {directory / GENERATOR}; draw "
        f"from it with --job=sample --space={settings.table.space} "
        f"--generator={directory / GENERATOR}"
    )


def sample_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Draws cells from a fitted generator and writes them with their log-probabilities.

    These are of the graph that was drawn, which is written beside the cell: a cell of NAS-Bench-101
    is what is left of a graph without its dead nodes, and many graphs leave the same one.
    """
    path = settings.sample.generator
    if not path:
        raise ConfigError(
            "--job=sample draws from a fitted generator: name its file with --generator=PATH; a "
            f"search with --strategy=graphpnas leaves {GENERATOR}"
        )
    space = experiment.make_space(settings)
    model = load_generator(path)
    if model.space != space.name:
        raise ConfigError(
            f"--generator={path}: draws cells of {model.space}; received --space={space.name}"
        )
    claim.write_config(directory, settings)
    graphs = model.distribution()
    count = settings.sample.num_samples
    parts = []
    for start in range(0, count, _CHUNK):
        drawn = graphs.sample(_CHUNK, seed=(settings.job.seed, start))
        parts.append([array.numpy()[:, 0] for array in (*drawn, graphs.log_prob(drawn))])
    edges, labels, log_prob = (np.concatenate(field)[:count] for field in zip(*parts, strict=True))
    form = FORMS[space.name](model.generator.description.num_nodes)
    cells, valid = form.cells(edges, labels)
    samples = []
    for index in np.flatnonzero(valid):
        matrix, ops = cells.matrix(index)
        samples.append({
            "matrix": matrix.tolist(),
            "ops": [space.op_names[op] for op in ops],
            "graph": {"edges": edges[index].tolist(), "labels": labels[index].tolist()},
            "log_prob": float(log_prob[index]),
        })
    different = len(np.unique(cells.keys[valid]))
    storage.write_json(
        directory / SAMPLES,
        {"space": space.name, "generator": str(path), "seed": settings.job.seed, "cells": samples},
    )
    summary = {
        "job": "sample",
        "space": space.name,
        "seed": settings.job.seed,
        "num_samples": count,
        "num_valid": len(samples),
        "num_different": different,
        "mean_log_prob": float(log_prob.mean()),
        "wall_sec": time.monotonic() - started,
        "versions": summaries.library_versions(),
    }
    storage.write_json(directory / "summary.json", summary)
    print(
        f"{count:,} graphs drawn, {len(samples):,} are cells, {different:,} different ones: "
        f"{directory / SAMPLES}"
    )
