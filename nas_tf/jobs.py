"""What the command does: one function a job, from settings to files in the output directory."""

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from nas_tf import experiment, flags, search_loop, storage
from nas_tf.analysis import summary as summaries
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.figures import training_figure
from nas_tf.analysis.report import write_search_report
from nas_tf.analysis.tensorboard import TensorBoardLogger, write_projector
from nas_tf.arch2vec.embedding import cached_embedding, provenance
from nas_tf.arch2vec.pretrain import pretrain
from nas_tf.arch2vec.saving import load_model, save_model
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import ConfigError, SearchSpace
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
        _claim(directory, settings)
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
    with TensorBoardLogger(directory / "tensorboard") as logger:
        cells = _pretraining_cells(settings, space, lambda: experiment.open_benchmark(settings))
        model, quality = _pretrain(settings, space, cells, directory, logger)
    embedding = _embedding(settings, model, space, cells)
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
        quality, space=space.name, seed=_pretrain_seed(settings), wall_sec=_since(started)
    )
    storage.write_json(directory / "summary.json", summary)
    _print_quality(quality)
    print(f"model: {directory / _MODEL}; use it with --pretrained={directory}")


def search_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Pre-trains (or takes a model), searches, and leaves trace, summary, figures and report."""
    budget = Budget(settings.search.num_queries, settings.search.cost_budget_sec)
    space = experiment.make_space(settings)
    benchmark = experiment.open_benchmark(settings)
    _check_budget(settings, benchmark)
    print(f"table: {benchmark.name}, {len(benchmark.cells):,} cells, {benchmark.path}")
    with TensorBoardLogger(directory / "tensorboard") as logger:
        logger.settings(settings.values())
        model, quality = _autoencoder(settings, space, benchmark, directory, logger)
        _print_quality(quality)
        embedding = _embedding(settings, model, space, benchmark.cells)
        write_projector(
            directory / "tensorboard",
            embedding,
            metadata=_cell_labels(space, benchmark.cells)
            | {"validation accuracy": benchmark.validation_accuracy},
            seed=settings.job.seed,
        )
        result = _search(settings, benchmark, embedding, budget, directory, logger)
    _write_results(settings, directory, space, benchmark, quality, result, started)


JOBS = {"search": search_job, "pretrain": pretrain_job}


def _claim(directory: pathlib.Path, settings: Settings) -> None:
    """Writes `config.flags`, or checks that the one that is there describes the same job."""
    path, text = directory / "config.flags", flags.flagfile(settings)
    if not path.exists():
        with storage.atomic_write(path) as file:
            file.write(text.encode())
        return
    before, now = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
    differing = [line for line in now if line not in before and "--output_dir" not in line]
    if differing:
        name = differing[0].split("=")[0].removeprefix("--").removeprefix("no")
        old = next((line for line in before if name in line.split("=")[0]), f"no --{name}")
        raise ConfigError(
            f"--output_dir={directory}: holds a job with {old}, received {differing[0]}; "
            "choose another directory or the same settings"
        )


def _divide_cpu(count: int) -> None:
    """Makes logical CPU devices; TensorFlow allows it only before its first use."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    configuration = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(cpu, configuration)
    except RuntimeError:
        raise ConfigError(f"--cpu_devices={count}: this process has used TensorFlow before") from None


def _check_budget(settings: Settings, benchmark: experiment.Benchmark) -> None:
    queries = settings.search.num_queries
    if queries is not None and queries > len(benchmark.cells):
        raise ConfigError(
            f"--num_queries={queries}: {benchmark.name} has only {len(benchmark.cells)} cells"
        )


def _pretraining_cells(
    settings: Settings, space: SearchSpace, open_benchmark: Callable[[], experiment.Benchmark]
) -> CellGraphs:
    """Returns the cells to pre-train on; a table is opened only where it is asked for."""
    if settings.pretrain.pretrain_cells == "table":
        return open_benchmark().cells
    print("cells: enumerating the space (kept for the next time)")
    return space.enumerate_cells()


def _autoencoder(
    settings: Settings, space: SearchSpace, benchmark: experiment.Benchmark, directory, logger
) -> tuple[VGAE, dict[str, Any]]:
    """Takes the model that --pretrained names, or pre-trains one."""
    if settings.pretrain.pretrained:
        model_directory = pathlib.Path(settings.pretrain.pretrained) / _MODEL
        model = load_model(model_directory)
        if (model.num_nodes, model.num_ops) != (space.max_nodes, len(space.op_names)):
            raise ConfigError(
                f"--pretrained={settings.pretrain.pretrained}: made for another space than "
                f"{space.name}"
            )
        return model, _read_quality(model_directory)
    cells = _pretraining_cells(settings, space, lambda: benchmark)
    return _pretrain(settings, space, cells, directory, logger)


def _pretrain(
    settings: Settings, space: SearchSpace, cells: CellGraphs, directory, logger
) -> tuple[VGAE, dict[str, Any]]:
    """Pre-trains a model and saves it, unless an earlier start of this job did."""
    if (directory / _MODEL / _QUALITY).exists():
        return load_model(directory / _MODEL), _read_quality(directory / _MODEL)
    values = settings.pretrain
    trainer = experiment.make_trainer(
        values, space, _pretrain_seed(settings), make_distribution(settings.job.distribution)
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
            dataclasses.asdict(values),
            settings.job.checkpoint_sec,
        ),
        logger=logger,
    )
    save_model(directory / _MODEL, trainer.model)
    storage.write_json(directory / _MODEL / _QUALITY, dataclasses.asdict(result))
    return load_model(directory / _MODEL), dataclasses.asdict(result)


def _search(settings, benchmark, embedding, budget, directory, logger) -> search_loop.SearchResult:
    seeds = [settings.job.seed + run for run in range(settings.search.num_runs)]
    distribution = make_distribution(settings.job.distribution)
    alone = distribution.num_replicas_in_sync == 1
    devices = () if alone else distribution.extended.worker_devices
    strategy = experiment.make_strategy(settings, embedding, benchmark.cells, seeds, devices)
    return search_loop.run_search(
        strategy,
        benchmark.evaluator(seeds),
        budget,
        num_runs=len(seeds),
        checkpoint=search_loop.Checkpoint(
            directory / "checkpoints" / "search.npz",
            settings.values(),
            settings.job.checkpoint_sec,
        ),
        logger=logger,
        progress=True,
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
        num_queries=settings.search.num_queries,
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


def _embedding(settings: Settings, model: VGAE, space: SearchSpace, cells: CellGraphs):
    """Returns the embedding of cells, float32 [M, L], from the cache if it is there."""
    pooling = settings.pretrain.pooling
    source = provenance(model, space, cells, pooling)
    name = f"embedding-{space.name}-{pooling}-{source['weights'][:16]}-{source['cells'][:16]}"
    return cached_embedding(storage.cache_directory() / name, model, space, cells, pooling=pooling)


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


def _read_quality(model_directory: pathlib.Path) -> dict[str, Any]:
    return json.loads((model_directory / _QUALITY).read_text(encoding="utf-8"))


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
    return "undefined (no valid cell)" if share is None or np.isnan(share) else f"{share:.2%}"


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
