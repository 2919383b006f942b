"""The autoencoder of a job: given, made, or taken up where an earlier start left it."""

import dataclasses
import json
import pathlib
from typing import Any

import numpy as np
from absl import logging

from nas_tf import benchmarks, caching, experiment, storage
from nas_tf.arch2vec.embedding import cached_embedding, cells_checksum, provenance
from nas_tf.arch2vec.pretrain import PretrainResult, pretrain
from nas_tf.arch2vec.saving import load_model, save_model
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import ConfigError, DataError, SearchSpace
from nas_tf.graphs import CellGraphs
from nas_tf.settings import Settings
from nas_tf.training.distribution import make_distribution
from nas_tf.training.progress import Checkpoint

MODEL = "model"  # folder of the autoencoder within an output directory

_QUALITY = "quality.json"  # what its pre-training measured
_REQUIRED = {
    field.name
    for field in dataclasses.fields(PretrainResult)
    if field.default is dataclasses.MISSING
}


def cells_to_see(
    settings: Settings, space: SearchSpace, benchmark: benchmarks.Benchmark | None
) -> CellGraphs:
    """Returns the cells to pre-train on: those of a table, or the whole space."""
    if settings.pretrain.on_table:
        return benchmark.cells
    cells = space.enumerate_cells()
    print(f"pre-training reads no table: {len(cells):,} cells of {space.name}")
    return cells


def given_model(
    settings: Settings, space: SearchSpace
) -> tuple[VGAE, dict[str, Any]] | None:
    """Takes the model that --pretrained names, if any."""
    if not settings.pretrain.pretrained:
        return None
    model, quality = _read_model(pathlib.Path(settings.pretrain.pretrained) / MODEL)
    if (model.num_nodes, model.num_ops) != (space.max_nodes, len(space.op_names)):
        raise ConfigError(
            f"--pretrained={settings.pretrain.pretrained}: made for another space than {space.name}"
        )
    return model, quality


def pretrained_model(
    settings: Settings, space: SearchSpace, cells: CellGraphs, directory, logger
) -> tuple[VGAE, dict[str, Any]]:
    """Pre-trains a model and saves it, unless an earlier start of this job did."""
    finished = _finished_model(directory / MODEL)
    if finished is not None:
        return finished
    values, seed = settings.pretrain, settings.pretrain.pretrain_seed
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
            dataclasses.asdict(values) | {"cells": cells_checksum(cells)},
            settings.job.checkpoint_sec,
        ),
        logger=logger,
    )
    save_model(directory / MODEL, trainer.model)
    storage.write_json(directory / MODEL / _QUALITY, dataclasses.asdict(result))
    return _read_model(directory / MODEL)


def _finished_model(directory: pathlib.Path) -> tuple[VGAE, dict[str, Any]] | None:
    """Reads the model an earlier start of this job finished; a damaged one is made again."""
    if not (directory / _QUALITY).exists():
        return None
    try:
        return _read_model(directory)
    except DataError as error:
        logging.warning("%s; pre-training goes on from its last checkpoint", error)
        return None


def embedding_of(
    settings: Settings, model: VGAE, space: SearchSpace, cells: CellGraphs
) -> tuple[np.ndarray, dict[str, str]]:
    """Returns the embedding of cells, float32 [M, L], from the cache if there, and its source."""
    pooling = settings.pretrain.pooling
    source = provenance(model, space, cells, pooling)
    name = f"embedding-{space.name}-{pooling}-{source['weights'][:16]}-{source['cells'][:16]}"
    directory = caching.cache_directory() / name
    return cached_embedding(directory, model, space, cells, pooling=pooling), source


def _read_model(directory: pathlib.Path) -> tuple[VGAE, dict[str, Any]]:
    """Returns a model and what its pre-training measured.

    Raises:
        DataError: a file of it is missing or damaged.
    """
    path = directory / _QUALITY
    try:
        quality = json.loads(path.read_text(encoding="utf-8"))
        missing = _REQUIRED - set(quality)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; a pre-training job that ended leaves it") from None
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); pre-train again") from None
    if missing:
        raise DataError(f"{path}: damaged ({min(missing)} is missing); pre-train again")
    return load_model(directory), quality


def print_quality(quality: dict[str, Any]) -> None:
    """Says what a pre-training measured."""
    print(
        f"pre-training on {quality['num_cells']:,} cells: reconstruction "
        f"{quality['reconstruction_accuracy']:.2%}, validity {quality['validity']:.2%}, "
        f"uniqueness {_percent(quality['uniqueness'])}"
    )


def _percent(share: float | None) -> str:
    return "undefined (no valid cell)" if share is None else f"{share:.2%}"
