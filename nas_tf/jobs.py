"""What the command does: one function a job, from settings to files in the output directory."""

import dataclasses
import pathlib
import time
from typing import Any

import numpy as np
import tensorflow as tf

from nas_tf import (
    benchmarks,
    claim,
    experiment,
    pretraining,
    published,
    search_loop,
    storage,
    strategies,
)
from nas_tf.analysis import summary as summaries
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.comparison_report import write_comparison
from nas_tf.analysis.figures import training_figure
from nas_tf.analysis.report import write_search_report
from nas_tf.analysis.tensorboard import TensorBoardLogger, cell_labels, write_projector
from nas_tf.analysis.wording import (
    count, dataset_name, is_missing, percent, plus_minus, trained_for,
)
from nas_tf.core import ConfigError, SearchSpace, Strategy
from nas_tf.evaluators.budget import Budget
from nas_tf.generators import sample_job, samples_watcher, write_generator
from nas_tf.graphpnas.search import GraphSearch
from nas_tf.graphs import KEYS_VERSION
from nas_tf.paths import expand_home
from nas_tf.queries import query_job
from nas_tf.representation import analyze_job
from nas_tf.settings import Settings
from nas_tf.training.distribution import make_distribution


def run(settings: Settings) -> None:
    """Runs a job, or goes on with one that was killed.

    Raises:
        NasError: what a user can mend, in one line.
    """
    directory = pathlib.Path(expand_home(settings.job.output_dir))
    with claim.taken(directory):
        claim.refuse_foreign_files(directory)
        claim.refuse_other_work(directory, settings)
        if claim.finished(directory) and settings.job.job != "report":
            print(f"{directory}: this job is finished; for another, choose another --output_dir")
            return
        if settings.job.cpu_devices > 1:
            _divide_cpu(settings.job.cpu_devices)
        JOBS[settings.job.job](settings, directory, time.monotonic())


def pretrain_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Pre-trains the autoencoder and leaves its model, summary and loss curves."""
    if settings.pretrain.pretrained:
        raise ConfigError(f"--pretrained={settings.pretrain.pretrained}: --job=pretrain makes one")
    if settings.job.seed:
        raise ConfigError(
            f"--seed={settings.job.seed}: --job=pretrain makes a model, whose seed is its own: "
            f"--pretrain_seed={settings.job.seed}"
        )
    space = experiment.make_space(settings)
    benchmark = table = None
    if settings.pretrain.on_table:
        benchmark = benchmarks.open_benchmark(settings)
        table = _print_table(benchmark)
    cells = pretraining.cells_to_see(settings, space, benchmark)
    claim.write_config(directory, settings)
    with TensorBoardLogger(directory / "tensorboard") as logger:
        model, quality = pretraining.pretrained_model(settings, space, cells, directory, logger)
    embedding, _ = pretraining.embedding_of(settings, model, space, cells)
    write_projector(
        directory / "tensorboard",
        embedding,
        metadata=cell_labels(space.op_names, cells),
        seed=settings.job.seed,
    )
    losses = quality.pop("losses")
    quality.pop("settings", None)  # config.flags has them
    curves = {name: np.array([epoch[name] for epoch in losses]) for name in losses[0]}
    save_figure(training_figure(curves), directory / "losses.png")
    summary = summaries.pretrain_summary(
        quality,
        space=space.name,
        seed=settings.pretrain.pretrain_seed,
        wall_sec=_since(started),
        table=table,
    )
    summary |= {name: getattr(settings.pretrain, name) for name in ("autoencoder", "kl_weight")}
    storage.write_json(directory / "summary.json", summary)
    pretraining.print_quality(quality)
    print(f"model: {directory / pretraining.MODEL}; use it with --pretrained={directory}")


def search_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Pre-trains (or takes a model), searches, and leaves trace, summary, figures and report."""
    space = experiment.make_space(settings)
    embedded = strategies.needs_embedding(settings)
    given = pretraining.given_model(settings, space) if embedded else None
    benchmark = benchmarks.open_benchmark(settings)
    _print_table(benchmark)
    budget = _budget(settings, benchmark)
    strategies.check(settings, benchmark.epochs)
    strategy = None if embedded else _strategy(settings, space, benchmark, None)
    claim.write_config(directory, settings)
    inputs = {"table": benchmark.checksum, "keys_version": KEYS_VERSION}
    quality = model = embedding = None
    with TensorBoardLogger(directory / "tensorboard") as logger:
        logger.settings(settings.values())
        if embedded:
            if given is None:
                cells = pretraining.cells_to_see(settings, space, benchmark)
                given = pretraining.pretrained_model(settings, space, cells, directory, logger)
            autoencoder, quality = given
            _print_model(settings, quality)
            embedding, source = pretraining.embedding_of(
                settings, autoencoder, space, benchmark.cells
            )
            inputs |= source
            model = pretraining.description_of(quality, source["weights"])
            _write_map(settings, space, benchmark, embedding, directory)
            strategy = _strategy(settings, space, benchmark, embedding)
        result = _search(settings, strategy, benchmark, inputs, budget, directory, logger)
        if isinstance(strategy, GraphSearch):
            write_generator(settings, directory, benchmark, strategy, result.history, logger)
    _write_results(settings, directory, space, benchmark, (quality, model), result, started)


def report_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Puts finished studies side by side, on one page."""
    inputs = settings.report.directories()
    if not inputs:
        raise ConfigError(
            "--job=report compares finished searches: name their output directories, separated by "
            "commas, with --inputs"
        )
    summary = write_comparison(
        directory, inputs, describe=published.report_notes, reference=settings.report.reference
    )
    claim.write_config(directory, settings)
    storage.write_json(directory / "summary.json", summary | {"wall_sec": _since(started)})
    print(f"report: {directory / 'report.md'} and {directory / 'report.html'}")


JOBS = {
    "search": search_job,
    "pretrain": pretrain_job,
    "report": report_job,
    "analyze": analyze_job,
    "sample": sample_job,
    "query": query_job,
}


def _divide_cpu(count: int) -> None:
    """Makes logical CPU devices; TensorFlow allows it only before its first use."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    configuration = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(cpu, configuration)
    except RuntimeError:
        raise ConfigError(f"--cpu_devices={count}: this process has used TensorFlow before") from None


def _print_table(benchmark: benchmarks.Benchmark) -> dict[str, Any]:
    """Says which table is in use, and returns that for a summary."""
    num_cells = len(benchmark.cells)
    print(f"table: {benchmark.name}, {num_cells:,} cells, {benchmark.path}")
    return {"name": benchmark.name, "path": benchmark.path, "num_cells": num_cells}


def _print_model(settings: Settings, quality: dict[str, Any]) -> None:
    """Says what the pre-training measured, and of a model whose kind is not known, that."""
    pretraining.print_quality(quality)
    if quality.get("settings") is None:
        print(
            f"--pretrained={settings.pretrain.pretrained}: a model of an older version, which kept "
            "no settings: --job=report does not join this study with those of other models"
        )


def _budget(settings: Settings, benchmark: benchmarks.Benchmark) -> Budget:
    """Returns the budget of every run, which ends at the latest with the table's last cell."""
    queries, num_cells = settings.search.num_queries, len(benchmark.cells)
    if queries is not None and queries > num_cells:
        raise ConfigError(f"--num_queries={queries}: {benchmark.name} has only {num_cells} cells")
    budget = settings.search.budget()
    benchmark.evaluator(_seeds(settings)).check_budget(budget)
    return budget if queries else dataclasses.replace(budget, num_queries=num_cells)


def _strategy(
    settings: Settings, space: SearchSpace, benchmark: benchmarks.Benchmark, embedding
) -> Strategy:
    distribution = make_distribution(settings.job.distribution)
    alone = distribution.num_replicas_in_sync == 1
    study = strategies.Study(
        space=space,
        cells=benchmark.cells,
        seeds=_seeds(settings),
        epochs=benchmark.epochs,
        embedding=embedding,
        devices=() if alone else distribution.extended.worker_devices,
    )
    return strategies.make_strategy(settings, study)


def _search(
    settings, strategy: Strategy, benchmark, inputs: dict[str, str], budget, directory, logger
) -> search_loop.SearchResult:
    """Runs the study; `inputs` are checksums of what it reads."""
    watchers = []
    if isinstance(strategy, GraphSearch):
        watchers.append(samples_watcher(strategy, benchmark, logger))
    return search_loop.run_search(
        strategy,
        benchmark.evaluator(_seeds(settings)),
        budget,
        num_runs=settings.search.num_runs,
        checkpoint=search_loop.Checkpoint(
            directory / "checkpoints" / "search.npz",
            claim.deciding_values(settings) | inputs,
            settings.job.checkpoint_sec,
        ),
        logger=logger,
        callbacks=watchers,
        progress=True,
    )


def _seeds(settings: Settings) -> list[int]:
    """Returns the seeds of a study's runs."""
    return [settings.job.seed + run for run in range(settings.search.num_runs)]


def _write_map(
    settings: Settings, space: SearchSpace, benchmark: benchmarks.Benchmark, embedding, directory
) -> None:
    """Leaves the embedding of a table's cells for TensorBoard's projector."""
    write_projector(
        directory / "tensorboard",
        embedding,
        metadata=cell_labels(space.op_names, benchmark.cells)
        | {"validation accuracy": benchmark.validation_accuracy},
        seed=settings.job.seed,
    )


def _write_results(settings, directory, space, benchmark, pretrained, result, started) -> None:
    """Leaves trace, figures and report, and the summary as the last: it says all is done.

    `pretrained` is what a pre-training measured and which model it is; None twice without one.
    """
    history, (quality, model) = result.history, pretrained
    storage.write_npz(
        directory / "trace.npz",
        **dataclasses.asdict(history),
        incumbent=history.incumbent(),
        keys_version=np.int64(KEYS_VERSION),
    )
    summary = summaries.search_summary(
        _description(settings, space, benchmark, model),
        history,
        best_test_accuracy=benchmark.best_test_accuracy,
        wall_sec=_since(started),
    )
    summary["search_sec"] = result.search_sec
    if benchmark.reported_validation_accuracy is not None:
        summary["incumbent"] |= summaries.reported_validation(
            history, benchmark.cells, benchmark.reported_validation_accuracy
        )
    report = write_search_report(
        directory,
        summary,
        history=history,
        cells=benchmark.cells,
        op_names=space.op_names,
        notes=published.report_notes(summary, quality),
    )
    storage.write_json(directory / "summary.json", summary)
    _print_incumbent(summary)
    print(f"report: {report}")


def _description(settings, space, benchmark, model) -> summaries.StudyDescription:
    """Says what was run; `model` is that of the embedding, None without one."""
    several = benchmarks.multi_fidelity(settings)
    return summaries.StudyDescription(
        space=space.name,
        table=benchmark.name,
        table_path=benchmark.path,
        table_num_cells=len(benchmark.cells),
        table_checksum=benchmark.table_checksum,
        dataset=benchmark.dataset,
        strategy=settings.search.strategy,
        seed=settings.job.seed,
        query_budget=settings.search.num_queries,
        cost_budget_sec=settings.search.cost_budget_sec,
        validation=benchmark.validation,
        epochs=list(benchmark.epochs if several else benchmark.epochs[-1:]),
        search_epochs=benchmark.epochs[-1],
        report_epochs=benchmark.report_epochs,
        protocol=benchmark.protocol,
        model=model,
        settings=claim.deciding_values(settings),
        changed_settings=claim.changed(settings),
    )


def _since(started: float) -> float:
    return time.monotonic() - started


def _print_incumbent(summary: dict[str, Any]) -> None:
    incumbent = summary["incumbent"]
    if incumbent["test_accuracy_mean"] is None:
        print("no feasible cell was found")
        return
    mean, std = incumbent["test_accuracy_mean"], incumbent["test_accuracy_std"]
    accuracy = percent(mean, 2) if is_missing(std) else plus_minus(mean, std, unit=" %")
    print(
        f"{count(summary['num_runs'], 'run')} x "
        f"{count(summary['num_queries'], 'query', 'queries')}, "
        f"{dataset_name(summary['dataset'])}, {trained_for(summary)}: test accuracy {accuracy}, "
        f"regret {percent(incumbent['test_regret_mean'], 2)} "
        f"(search took {summary['search_sec']:.1f} s)"
    )
