"""TensorBoard: scalars, settings, studies side by side (HParams) and the embedding projector.

The one module of this package that imports TensorFlow.
"""

import contextlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins import projector
from tensorboard.plugins.hparams import api as hparams_api
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import summary as hparams_summary

from nas_tf.core import ConfigError, DataError, Stream, generator
from nas_tf.graphs import CellGraphs
from nas_tf.storage import atomic_write

MAX_PROJECTOR_POINTS = 10_000


class TensorBoardLogger:
    """Writes TensorBoard event files into a directory; a context manager.

    A resumed job writes a further event file; TensorBoard shows both as one run.

    Args:
        directory: of this run's event files; made where it is missing.

    Raises:
        ConfigError: there is a file under that name, or the directory cannot be written.
    """

    def __init__(self, directory: str | Path):
        with _writing_into(directory):
            self._writer = tf.summary.create_file_writer(str(directory), flush_millis=10_000)

    def __enter__(self) -> "TensorBoardLogger":
        return self

    def __exit__(self, *unused_exception) -> None:
        self._writer.close()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Logs numbers; names with a slash are grouped, "pretrain/loss"."""
        with self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, float(value))

    def histogram(self, step: int, name: str, values: np.ndarray) -> None:
        """Logs how numbers [:] are distributed; nothing where there are none."""
        if len(values):
            with self._writer.as_default(step=step):
                tf.summary.histogram(name, values)

    def image(self, step: int, name: str, path: Path) -> None:
        """Logs a PNG file."""
        with self._writer.as_default(step=step):
            tf.summary.image(name, tf.io.decode_png(path.read_bytes(), channels=3)[None])

    def settings(self, values: Mapping[str, object]) -> None:
        """Logs settings as hyperparameters and, to be read, as a table of text."""
        escaped = {name: str(value).replace("|", "\\|") for name, value in values.items()}
        rows = [f"| {name} | {value} |" for name, value in escaped.items()]
        with self._writer.as_default(step=0):
            tf.summary.text("settings", "\n".join(["| setting | value |", "|:--|:--|", *rows]))
            hparams_api.hparams({
                name: value if isinstance(value, (bool, int, float, str)) else str(value)
                for name, value in values.items()
            })


@dataclass(frozen=True)
class HParamsSession:
    """One row of TensorBoard's HParams dashboard."""

    name: str  # of the row; another for each
    hyperparameters: Mapping[str, bool | float | str]  # a cell is empty where there is none
    metrics: Mapping[str, Mapping[int, float]]  # name -> step -> value; the row has the last


def write_hparams(directory: str | Path, sessions: Sequence[HParamsSession]) -> None:
    """Writes sessions for TensorBoard's HParams dashboard, a folder each in its `--logdir`.

    What was written before for a comparison in this directory is replaced. The dashboard finds
    kinds and values of hyperparameters itself. Metrics that are no numbers are left out.

    Raises:
        ConfigError: the directory cannot be written.
    """
    directory = Path(directory)
    with _writing_into(directory):
        for old in directory.glob("**/events.out.tfevents.*"):
            old.unlink()
        for number, session in enumerate(sessions, start=1):
            folder = re.sub(r"[^A-Za-z0-9.-]+", "_", session.name).strip("_.")
            _write_session(directory / f"{number:02d}_{folder[:80]}", session)


def write_projector(
    directory: str | Path, embedding: np.ndarray, *, metadata: Mapping[str, Sequence], seed: int
) -> np.ndarray:
    """Exports an embedding to TensorBoard's projector.

    Args:
        directory: a directory of event files (the logger's).
        embedding: float [M, D].
        metadata: label -> M values, one a point (operations, edges, accuracy ...), for colours,
            labels and search; at least one label.
        seed: of the draw, where there are more than `MAX_PROJECTOR_POINTS` points.

    Returns:
        int64 [P]: which points were exported, ascending.

    Raises:
        DataError: the embedding is not [M, D], is empty, holds a value that is not finite, or a
            label has another number of values.
        ConfigError: the directory cannot be written.
    """
    embedding = np.asarray(embedding)
    if embedding.ndim != 2 or 0 in embedding.shape:
        raise DataError(f"projector: expected [points, size], got {list(embedding.shape)}")
    if not metadata:
        raise DataError("projector: expected at least one label a point, got none")
    for label, values in metadata.items():
        if len(values) != len(embedding):
            found = f"{len(values)} values for {len(embedding)} points"
            raise DataError(f"projector: label {label!r} has {found}")
    points, count = np.arange(len(embedding)), min(len(embedding), MAX_PROJECTOR_POINTS)
    if count < len(points):
        rng = generator(seed, Stream.PROJECTOR)
        points = np.sort(rng.choice(len(points), size=count, replace=False))
    if not np.isfinite(embedding[points]).all():
        raise DataError("projector: the embedding holds values that are not finite")
    columns = [[_label(values[point]) for point in points] for values in metadata.values()]
    # The projector wants a heading only above several columns.
    labels = [metadata] * (len(metadata) > 1) + list(zip(*columns))
    numbers = [[f"{value:.6g}" for value in row] for row in embedding[points]]
    config = projector.ProjectorConfig()
    config.embeddings.add(
        tensor_name="embedding", tensor_path="embedding_tensors.tsv",
        metadata_path="embedding_metadata.tsv", tensor_shape=[count, embedding.shape[1]],
    )
    texts = {
        "embedding_tensors.tsv": "".join("\t".join(row) + "\n" for row in numbers),
        "embedding_metadata.tsv": "".join("\t".join(row) + "\n" for row in labels),
        "projector_config.pbtxt": str(config),  # last: it names the others
    }
    for name, text in texts.items():
        with atomic_write(Path(directory) / name) as handle:
            handle.write(text.encode("utf-8"))
    return points


def cell_labels(op_names: Sequence[str], cells: CellGraphs) -> dict[str, np.ndarray]:
    """Returns what the projector shows of every cell [M]: operations, edges, vertices."""
    short = np.array([name.split("-")[0] for name in op_names] + [""])
    joined = cells.adjacency.any(axis=-2) & cells.adjacency.any(axis=-1)  # no input, no output
    interior = np.where(joined, short[cells.ops], "")
    return {
        "operations": np.array([" ".join(filter(None, row)) for row in interior]),
        "edges": cells.num_edges,
        "vertices": cells.num_nodes,
    }


@contextlib.contextmanager
def _writing_into(directory: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise ConfigError(
            f"{directory}: not a directory that TensorBoard's files can be written into; "
            "move what is there away, or choose another directory"
        ) from error


def _write_session(directory: Path, session: HParamsSession) -> None:
    with tf.summary.create_file_writer(str(directory)).as_default(step=0):
        hparams_api.hparams(dict(session.hyperparameters), trial_id=session.name)
        for name, values in session.metrics.items():
            for step, value in values.items():
                if math.isfinite(value):
                    tf.summary.scalar(name, value, step=step)
        end = hparams_summary.session_end_pb(api_pb2.STATUS_SUCCESS)
        tf.summary.experimental.write_raw_pb(end.SerializeToString(), step=0)


def _label(value: object) -> str:
    """Returns a value as one field of a TSV file."""
    text = f"{value:.5g}" if isinstance(value, (float, np.floating)) else str(value)
    return " ".join(text.split()) or "-"
