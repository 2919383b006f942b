"""Pre-training the autoencoder of a space, from Python and for jobs.

arch2vec (Yan et al., 2020, arXiv:2006.06936).

Shapes: M cells.
"""

import dataclasses
import pathlib
import time
from collections.abc import Mapping
from typing import Any

import keras
from absl import logging

from nas_tf import storage
from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.summary import pretrain_summary
from nas_tf.arch2vec.embedding import cells_checksum
from nas_tf.arch2vec.pretrain import pretrain as train_autoencoder
from nas_tf.arch2vec.vgae import METRIC_NAMES, VGAE, make_loss
from nas_tf.config import settings_of
from nas_tf.core import ConfigError, DataError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace
from nas_tf.studies.directories import finished_summary, held, output_directory
from nas_tf.studies.encoder import MODEL, QUALITY, Encoder
from nas_tf.studies.pretraining import Pretraining
from nas_tf.training.distribution import make_distribution
from nas_tf.training.progress import Checkpoint
from nas_tf.training.trainer import Trainer

# Kipf and Welling's autoencoders have two graph convolutions; with four they reconstruct less.
_CONVOLUTIONS = {"encoder": "gcn", "hidden": (128, 128)}
_ENCODERS = {"arch2vec": {}, "gae": _CONVOLUTIONS, "vgae": _CONVOLUTIONS}


def pretrain(
    space: SearchSpace,
    cells: CellGraphs | None = None,
    *,
    settings: Pretraining | None = None,
    output_dir: str | pathlib.Path | None = None,
    distribution: str = "none",
    checkpoint_sec: float = 30.0,
    **changed: Any,
) -> Encoder:
    """Pre-trains an autoencoder on cells, without their accuracies.

        encoder = nas_tf.pretrain(benchmark.space, epochs=1)

    With an output directory it leaves what `--job=pretrain` leaves, and the same call goes on where
    it was killed or returns what it had finished. A directory that holds other work is refused.

    Args:
        space: of the cells.
        cells: batch [M]; every cell of the space when None.
        settings: of the pre-training; `Pretraining()` when None.
        output_dir: where model, summary and checkpoints go; None keeps nothing.
        distribution: "none", "mirrored", "multi_worker" or "tpu".
        checkpoint_sec: least seconds between two checkpoints.
        **changed: settings by name, such as `epochs=1`, in place of those of `settings`.

    Raises:
        ConfigError: a setting is impossible or unknown, or the directory holds other work.
    """
    settings = _changed(settings or Pretraining(), changed)
    if cells is not None and (not isinstance(cells, CellGraphs) or not len(cells)):
        raise ConfigError(f"cells={cells!r}: expected a batch of cells, at least one")
    cells = space.enumerate_cells() if cells is None else cells
    directory, started = output_directory(output_dir), time.monotonic()
    options = {"distribution": distribution, "checkpoint_sec": checkpoint_sec}
    if directory is None:
        return train_encoder(settings, space, cells, **options)
    with held(directory):
        summary = finished_summary(directory)
        if summary is not None and summary["job"] != "pretrain":
            raise ConfigError(
                f"output_dir={directory}: holds a finished job of another kind, "
                f"{summary['job']}; choose another directory"
            )
        encoder = train_encoder(settings, space, cells, directory, **options)
        if summary is None:
            write_pretraining(directory, encoder, settings, time.monotonic() - started)
        return encoder


def train_encoder(
    settings: Pretraining,
    space: SearchSpace,
    cells: CellGraphs,
    directory: pathlib.Path | None = None,
    *,
    distribution: str = "none",
    checkpoint_sec: float = 30.0,
    logger: Any = None,
) -> Encoder:
    """Pre-trains an encoder, or takes up what an earlier start left in a directory.

    Raises:
        ConfigError: the directory holds another model.
    """
    finished = directory and _finished(directory, space, settings)
    if finished:
        _refuse_other(directory, finished, settings, cells)
        return finished
    trainer = make_trainer(settings, space, distribution)
    result = train_autoencoder(
        trainer,
        space,
        cells,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        held_out=settings.held_out,
        checkpoint=directory and Checkpoint(
            directory / "checkpoints" / "pretraining",
            dataclasses.asdict(settings) | {"cells": cells_checksum(cells)},
            checkpoint_sec,
        ),
        logger=logger,
    )
    quality = dataclasses.asdict(result) | {
        "settings": settings.kind(),
        "pooling": settings.pooling,
        "cells_checksum": cells_checksum(cells),
    }
    encoder = Encoder(trainer.model, space, quality, settings.pooling)
    if directory is None:
        return encoder
    encoder.save(directory)
    return Encoder.load(directory, space, settings.pooling)


def write_pretraining(
    directory: pathlib.Path,
    encoder: Encoder,
    settings: Pretraining,
    wall_sec: float,
    table: Mapping[str, Any] | None = None,
) -> None:
    """Writes the losses as a figure, and the summary as the last.

    Args:
        directory: the output directory.
        encoder: that was pre-trained.
        settings: of the pre-training.
        wall_sec: seconds that it took.
        table: `name`, `path` and `num_cells` of the table whose cells were trained on, if any.
    """
    save_figure(encoder.plot(), directory / "losses.png")
    apart = ("losses", "settings", "pooling", "cells_checksum")  # the model's folder has them
    quality = {name: value for name, value in encoder.quality.items() if name not in apart}
    summary = pretrain_summary(
        quality, space=encoder.space.name, seed=settings.seed, wall_sec=wall_sec, table=table
    )
    kind = {name: getattr(settings, name) for name in ("autoencoder", "kl_weight")}
    storage.write_json(directory / "summary.json", summary | kind)


def make_trainer(settings: Pretraining, space: SearchSpace, distribution: str) -> Trainer:
    """Returns a trainer of a fresh autoencoder for the cells of a space."""
    strategy = make_distribution(distribution)
    alone = strategy.num_replicas_in_sync == 1
    with strategy.scope():
        model = VGAE(
            space.max_nodes,
            len(space.op_names),
            positions=settings.positions,
            adjacency_bias=settings.adjacency_bias,
            epsilon_start=settings.epsilon_start,
            synchronized=not alone,
            **_ENCODERS[settings.autoencoder],
            seed=settings.seed,
        )
        if not settings.variational:
            model.log_std_head.trainable = False  # nothing is sampled: it has no gradient
        optimizer = keras.optimizers.Adam(settings.learning_rate, epsilon=settings.adam_epsilon)
    loss = make_loss(
        kl_weight=settings.kl_weight,
        free_nats=settings.free_nats,
        dropout=settings.dropout,
        form=settings.operation_loss,
        entries=settings.adjacency_entries,
        padding_output=settings.padding_output,
        variational=settings.variational,
    )
    return Trainer(
        model,
        optimizer,
        loss,
        batch_size=settings.batch_size,
        metric_names=METRIC_NAMES,
        distribution=strategy,
        clip_norm=settings.clip_norm,
        jit_compile=settings.jit_compile and alone,
        seed=settings.seed,
    )


def _changed(settings: Pretraining, changed: Mapping[str, Any]) -> Pretraining:
    """Returns settings with some replaced, each by its name."""
    known = [field.name for field in settings_of(Pretraining) if field.name != "cells"]
    for name in changed:
        if name not in known:
            raise ConfigError(f"{name}={changed[name]!r}: expected one of {', '.join(known)}")
    return dataclasses.replace(settings, **changed)


def _finished(
    directory: pathlib.Path, space: SearchSpace, settings: Pretraining
) -> Encoder | None:
    """Reads the model that an earlier start finished; a damaged one is made again."""
    if not (directory / MODEL / QUALITY).exists():
        return None
    try:
        return Encoder.load(directory, space, settings.pooling)
    except DataError as error:
        logging.warning("%s; pre-training goes on from its last checkpoint", error)
        return None


def _refuse_other(
    directory: pathlib.Path, found: Encoder, settings: Pretraining, cells: CellGraphs
) -> None:
    """Raises ConfigError for a model of other settings, of another seed or of other cells."""
    expected = settings.kind() | {"seed": settings.seed, "cells": cells_checksum(cells)}
    measured = found.quality
    known = dict(measured.get("settings") or {}) | {"seed": measured["seed"]}
    known["cells"] = measured.get("cells_checksum", expected["cells"])  # older ones kept none
    for name, value in expected.items():
        if known.get(name, value) != value:
            raise ConfigError(
                f"output_dir={directory}: holds a model with another {name}; choose another "
                "directory"
            )
