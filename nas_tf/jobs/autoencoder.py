"""The autoencoder of a job: given, or pre-trained; what it is said to be."""

from typing import Any

from nas_tf.benchmarks.benchmark import Benchmark
from nas_tf.core import ConfigError, DataError
from nas_tf.graphs import CellGraphs
from nas_tf.jobs.job import Devices, GivenModel
from nas_tf.jobs.output import Output
from nas_tf.spaces.space import SearchSpace
from nas_tf.studies.pretraining import Pretraining


def given_encoder(given: GivenModel, space: SearchSpace, pooling: str) -> Any:
    """Returns the encoder that --pretrained names; None without one."""
    from nas_tf.studies.encoder import Encoder

    if given.pretrained is None:
        return None
    try:
        return Encoder.load(given.pretrained, space, pooling)
    except ConfigError as error:
        raise ConfigError(f"--pretrained={error}") from None
    except DataError as error:
        raise DataError(f"--pretrained={given.pretrained}: {error}") from None


def cells_to_see(
    settings: Pretraining, space: SearchSpace, benchmark: Benchmark | None
) -> CellGraphs:
    """Returns the cells to pre-train on: those of a table, or the whole space."""
    if settings.on_table:
        return benchmark.cells
    cells = space.enumerate_cells()
    print(f"pre-training reads no table: {len(cells):,} cells of {space.name}")
    return cells


def pretrained_encoder(
    settings: Pretraining, space: SearchSpace, cells: CellGraphs, devices: Devices, output: Output
) -> Any:
    """Pre-trains an encoder, or takes up what an earlier start of the job left."""
    from nas_tf.analysis.tensorboard import TensorBoardLogger
    from nas_tf.studies.encoder_training import train_encoder

    with TensorBoardLogger(output.directory / "tensorboard") as logger:
        return train_encoder(
            settings,
            space,
            cells,
            output.directory,
            distribution=devices.distribution,
            checkpoint_sec=devices.checkpoint_sec,
            logger=logger,
        )


def print_quality(quality: dict[str, Any]) -> None:
    """Says what a pre-training measured, loosely and strictly."""
    from nas_tf.analysis import measures

    print(f"pre-training on {quality['num_cells']:,} cells: {measures.in_words(quality)}")
