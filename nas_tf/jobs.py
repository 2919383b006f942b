"""What the command does: one function a job, from settings to files in the output directory."""

import dataclasses
import json
import pathlib
import time
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from nas_tf import caching, claim, experiment, search_loop, storage
from nas_tf.analysis import summary as summaries
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.figures import training_figure
from nas_tf.analysis.report import write_search_report
from nas_tf.analysis.tensorboard import TensorBoardLogger, write_projector
from nas_tf.arch2vec.embedding import cached_embedding, cells_checksum, provenance
from nas_tf.arch2vec.pretrain import PretrainResult, pretrain
from nas_tf.arch2vec.saving import load_model, save_model
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import ConfigError, DataError, SearchSpace, Strategy
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from nas_tf.settings import Settings
from nas_tf.training.distribution import make_distribution
from nas_tf.training.progress import Checkpoint

_MODEL = "model"  # folder of the autoencoder within an output directory
_QUALITY = "quality.json"  # what its pre-training measured


def run(settings: Settings) -> None:
    """Runs a job, or goes on with one that was killed.

    Raises:
        NasError: what a user can mend, in one line.
    """
    directory = pathlib.Path(settings.job.output_dir)
    with storage.DirectoryLock(directory):
        claim.refuse_other_work(directory, settings)
        if (directory / "summary.json").exists():
            print(f"{directory}: this job is finished; for another, choose another --output_dir")
            return
        if settings.job.cpu_devices > 1:
            _divide_cpu(settings.job.cpu_devices)
        JOBS[settings.job.job](settings, directory, time.monotonic())


def pretrain_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Pre-trains the autoencoder and leaves its model, summary and loss curves."""
    space = experiment.make_space(settings)
    if settings.pretrain.pretrained:
        raise ConfigError(f"--pretrained={settings.pretrain.pretrained}: --job=pretrain makes one")
    benchmark = table = None
    if settings.pretrain.on_table:
        benchmark = experiment.open_benchmark(settings)
        table = _print_table(benchmark)
    cells = _pretraining_cells(settings, space, benchmark)
    claim.write_config(directory, settings)
    with TensorBoardLogger(directory / "tensorboard") as logger:
        model, quality = _pretrain(settings, space, cells, directory, logger)
    embedding, _ = _embedding(settings, model, space, cells)
    write_projector(
        directory / "tensorboard",
        embedding,
        metadata=_cell_labels(space, cells),
        seed=settings.job.seed,
    )
    losses = quality.pop("losses")
    curves = {name: np.array([epoch[name] for epoch in losses]) for name in losses[0]}
    save_figure(training_figure(curves), directory / "losses.png")
    summary = summaries.pretrain_summary(
        quality,
        space=space.name,
        seed=_pretrain_seed(settings),
        wall_sec=_since(started),
        table=table,
    )
    storage.write_json(directory / "summary.json", summary)
    _print_quality(quality)
    print(f"model: {directory / _MODEL}; use it with --pretrained={directory}")


def search_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Pre-trains (or takes a model), searches, and leaves trace, summary, figures and report."""
    space = experiment.make_space(settings)
    benchmark = experiment.open_benchmark(settings)
    _print_table(benchmark)
    budget = _budget(settings, benchmark)
    embedded = experiment.needs_embedding(settings)
    given = _given_model(settings, space) if embedded else None
    claim.write_config(directory, settings)
    inputs, quality, embedding = {"table": benchmark.checksum}, None, None
    with TensorBoardLogger(directory / "tensorboard") as logger:
        logger.settings(settings.values())
        if embedded:
            model, quality = given or _pretrain_for(settings, space, benchmark, directory, logger)
            _print_quality(quality)
            embedding, source = _embedding(settings, model, space, benchmark.cells)
            inputs |= source
            _write_map(settings, space, benchmark, embedding, directory)
        strategy = _strategy(settings, space, benchmark, embedding)
        result = _search(settings, strategy, benchmark, inputs, budget, directory, logger)
    _write_results(settings, directory, space, benchmark, quality, result, started)


JOBS = {"search": search_job, "pretrain": pretrain_job}


def _divide_cpu(count: int) -> None:
    """Makes logical CPU devices; TensorFlow allows it only before its first use."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    configuration = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(cpu, configuration)
    except RuntimeError:
        raise ConfigError(f"--cpu_devices={count}: this process has used TensorFlow before") from None


def _print_table(benchmark: experiment.Benchmark) -> dict[str, Any]:
    """Says which table is in use, and returns that for a summary."""
    count = len(benchmark.cells)
    print(f"table: {benchmark.name}, {count:,} cells, {benchmark.path}")
    return {"name": benchmark.name, "path": benchmark.path, "num_cells": count}


def _budget(settings: Settings, benchmark: experiment.Benchmark) -> Budget:
    """Returns the budget of every run, which ends at the latest with the table's last cell."""
    queries, count = settings.search.num_queries, len(benchmark.cells)
    if queries is not None and queries > count:
        raise ConfigError(f"--num_queries={queries}: {benchmark.name} has only {count} cells")
    budget = settings.search.budget()
    return budget if queries else dataclasses.replace(budget, num_queries=count)


def _pretraining_cells(
    settings: Settings, space: SearchSpace, benchmark: experiment.Benchmark | None
) -> CellGraphs:
    """Returns the cells to pre-train on: those of a table, or the whole space."""
    if settings.pretrain.on_table:
        return benchmark.cells
    cells = space.enumerate_cells()
    print(f"pre-training reads no table: all {len(cells):,} cells of {space.name}")
    return cells


def _given_model(
    settings: Settings, space: SearchSpace
) -> tuple[VGAE, dict[str, Any]] | None:
    """Takes the model that --pretrained names, if any."""
    if not settings.pretrain.pretrained:
        return None
    model, quality = _read_model(pathlib.Path(settings.pretrain.pretrained) / _MODEL)
    if (model.num_nodes, model.num_ops) != (space.max_nodes, len(space.op_names)):
        raise ConfigError(
            f"--pretrained={settings.pretrain.pretrained}: made for another space than {space.name}"
        )
    return model, quality


def _pretrain(
    settings: Settings, space: SearchSpace, cells: CellGraphs, directory, logger
) -> tuple[VGAE, dict[str, Any]]:
    """Pre-trains a model and saves it, unless an earlier start of this job did."""
    finished = _finished_model(directory / _MODEL)
    if finished is not None:
        return finished
    values, seed = settings.pretrain, _pretrain_seed(settings)
    trainer = experiment.make_trainer(
        values, space, seed, make_distribution(settings.job.distribution)
    )
    result = pretrain(
        trainer,
        space,
        cells,
        epochs=values.epochs,
        learning_rate=values.learning_rate,
        held_out=values.held_out,
        checkpoint=Checkpoint(
            directory / "checkpoints" / "pretraining",
            dataclasses.asdict(values) | {"seed": seed, "cells": cells_checksum(cells)},
            settings.job.checkpoint_sec,
        ),
        logger=logger,
    )
    save_model(directory / _MODEL, trainer.model)
    storage.write_json(directory / _MODEL / _QUALITY, dataclasses.asdict(result))
    return _read_model(directory / _MODEL)


def _pretrain_for(
    settings: Settings, space: SearchSpace, benchmark: experiment.Benchmark, directory, logger
) -> tuple[VGAE, dict[str, Any]]:
    """Pre-trains the model of a search."""
    cells = _pretraining_cells(settings, space, benchmark)
    return _pretrain(settings, space, cells, directory, logger)


def _finished_model(directory: pathlib.Path) -> tuple[VGAE, dict[str, Any]] | None:
    """Reads the model an earlier start of this job finished; a damaged one is made again."""
    if not (directory / _QUALITY).exists():
        return None
    try:
        return _read_model(directory)
    except DataError as error:
        logging.warning("%s; pre-training goes on from its last checkpoint", error)
        return None


def _strategy(
    settings: Settings, space: SearchSpace, benchmark: experiment.Benchmark, embedding
) -> Strategy:
    distribution = make_distribution(settings.job.distribution)
    alone = distribution.num_replicas_in_sync == 1
    return experiment.make_strategy(
        settings,
        space,
        benchmark.cells,
        _seeds(settings),
        embedding=embedding,
        devices=() if alone else distribution.extended.worker_devices,
    )


def _search(
    settings, strategy: Strategy, benchmark, inputs: dict[str, str], budget, directory, logger
) -> search_loop.SearchResult:
    """Runs the study; `inputs` are checksums of what it reads."""
    return search_loop.run_search(
        strategy,
        benchmark.evaluator(_seeds(settings)),
        budget,
        num_runs=settings.search.num_runs,
        checkpoint=search_loop.Checkpoint(
            directory / "checkpoints" / "search.npz",
            claim.deciding(settings) | inputs,
            settings.job.checkpoint_sec,
        ),
        logger=logger,
        progress=True,
    )


def _seeds(settings: Settings) -> list[int]:
    """Returns the seeds of a study's runs."""
    return [settings.job.seed + run for run in range(settings.search.num_runs)]


def _write_map(
    settings: Settings, space: SearchSpace, benchmark: experiment.Benchmark, embedding, directory
) -> None:
    """Leaves the embedding of a table's cells for TensorBoard's projector."""
    write_projector(
        directory / "tensorboard",
        embedding,
        metadata=_cell_labels(space, benchmark.cells)
        | {"validation accuracy": benchmark.validation_accuracy},
        seed=settings.job.seed,
    )


def _write_results(settings, directory, space, benchmark, quality, result, started) -> None:
    """Leaves trace, figures and report, and the summary as the last: it says all is done."""
    history = result.history
    storage.write_npz(
        directory / "trace.npz", **dataclasses.asdict(history), incumbent=history.incumbent()
    )
    description = summaries.StudyDescription(
        space=space.name,
        table=benchmark.name,
        table_path=benchmark.path,
        table_num_cells=len(benchmark.cells),
        dataset=benchmark.dataset,
        strategy=settings.search.strategy,
        seed=settings.job.seed,
        query_budget=settings.search.num_queries,
        cost_budget_sec=settings.search.cost_budget_sec,
        validation=settings.table.nasbench101_validation,
    )
    summary = summaries.search_summary(
        description,
        history,
        best_test_accuracy=benchmark.best_test_accuracy,
        wall_sec=_since(started),
    )
    summary["search_sec"] = result.search_sec
    report = write_search_report(
        directory,
        summary,
        history=history,
        cells=benchmark.cells,
        op_names=space.op_names,
        notes=experiment.report_notes(settings, quality),
    )
    storage.write_json(directory / "summary.json", summary)
    _print_incumbent(summary)
    print(f"report: {report}")


def _embedding(
    settings: Settings, model: VGAE, space: SearchSpace, cells: CellGraphs
) -> tuple[np.ndarray, dict[str, str]]:
    """Returns the embedding of cells, float32 [M, L], from the cache if there, and its source."""
    pooling = settings.pretrain.pooling
    source = provenance(model, space, cells, pooling)
    name = f"embedding-{space.name}-{pooling}-{source['weights'][:16]}-{source['cells'][:16]}"
    directory = caching.cache_directory() / name
    return cached_embedding(directory, model, space, cells, pooling=pooling), source


def _cell_labels(space: SearchSpace, cells: CellGraphs) -> dict[str, np.ndarray]:
    """Returns what the projector shows of every cell."""
    short = np.array([name.split("-")[0] for name in space.op_names] + [""])
    interior = short[cells.ops]
    interior[:, 0] = ""
    interior[np.arange(len(cells)), cells.num_nodes.astype(int) - 1] = ""
    return {
        "operations": np.array([" ".join(filter(None, row)) for row in interior]),
        "edges": cells.num_edges,
        "vertices": cells.num_nodes,
    }


def _read_model(directory: pathlib.Path) -> tuple[VGAE, dict[str, Any]]:
    """Returns a model and what its pre-training measured.

    Raises:
        DataError: a file of it is missing or damaged.
    """
    path = directory / _QUALITY
    try:
        quality = json.loads(path.read_text(encoding="utf-8"))
        missing = {field.name for field in dataclasses.fields(PretrainResult)} - set(quality)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; a pre-training job that ended leaves it") from None
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); pre-train again") from None
    if missing:
        raise DataError(f"{path}: damaged ({min(missing)} is missing); pre-train again")
    return load_model(directory), quality


def _pretrain_seed(settings: Settings) -> int:
    seed = settings.pretrain.pretrain_seed
    return settings.job.seed if seed is None else seed


def _since(started: float) -> float:
    return time.monotonic() - started


def _print_quality(quality: dict[str, Any]) -> None:
    print(
        f"pre-training on {quality['num_cells']:,} cells: reconstruction "
        f"{quality['reconstruction_accuracy']:.2%}, validity {quality['validity']:.2%}, "
        f"uniqueness {_percent(quality['uniqueness'])}"
    )


def _percent(share: float | None) -> str:
    return "undefined (no valid cell)" if share is None else f"{share:.2%}"


def _print_incumbent(summary: dict[str, Any]) -> None:
    incumbent = summary["incumbent"]
    if incumbent["test_accuracy_mean"] is None:
        print("no feasible cell was found")
        return
    print(
        f"{summary['num_runs']} runs x {summary['num_queries']} queries: test accuracy "
        f"{incumbent['test_accuracy_mean']:.2%} ± {incumbent['test_accuracy_std']:.2%}, regret "
        f"{incumbent['test_regret_mean']:.2%} (search took {summary['search_sec']:.1f} s)"
    )
