"""TensorBoard: scalars, settings and the embedding projector.

The one module of this package that imports TensorFlow.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams_api
from tensorboard.plugins.projector import ProjectorConfig

from nas_tf.core import ConfigError, DataError
from nas_tf.storage import atomic_write

MAX_PROJECTOR_POINTS = 10_000


class TensorBoardLogger:
    """Writes TensorBoard event files into a directory; a context manager.

    A resumed job writes a further event file; TensorBoard shows both as one run.

    Args:
        directory: of this run's event files; made where it is missing.
        flush_sec: values reach the disk at least this often.

    Raises:
        ConfigError: there is a file under that name, or the directory cannot be written.
    """

    def __init__(self, directory: str | Path, *, flush_sec: float = 10.0):
        try:
            self._writer = tf.summary.create_file_writer(
                str(directory), flush_millis=int(1000 * flush_sec)
            )
        except tf.errors.OpError as error:
            raise ConfigError(
                f"{directory}: not a directory that TensorBoard's files can be written into; "
                "move what is there away, or choose another --output_dir"
            ) from error

    def __enter__(self) -> "TensorBoardLogger":
        return self

    def __exit__(self, *unused_exception) -> None:
        self.close()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Logs numbers; names with a slash are grouped, "pretrain/loss"."""
        with self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, float(value))

    def settings(self, values: Mapping[str, object]) -> None:
        """Logs settings as hyperparameters and, to be read, as a table of text."""
        plain = {
            name: value if isinstance(value, (bool, int, float, str)) else str(value)
            for name, value in values.items()
        }
        escaped = {name: str(value).replace("|", "\\|") for name, value in plain.items()}
        rows = [f"| {name} | {value} |" for name, value in escaped.items()]
        lines = ["| setting | value |", "|:--|:--|", *rows]
        with self._writer.as_default(step=0):
            tf.summary.text("settings", "\n".join(lines))
            hparams_api.hparams(plain)

    def close(self) -> None:
        """Flushes and closes; nothing can be logged afterwards."""
        self._writer.close()


def write_projector(
    directory: str | Path,
    embedding: np.ndarray,
    *,
    metadata: Mapping[str, Sequence],
    seed: int,
    name: str = "embedding",
    max_points: int = MAX_PROJECTOR_POINTS,
) -> np.ndarray:
    """Exports an embedding to TensorBoard's projector.

    Writes `<name>_tensors.tsv`, `<name>_metadata.tsv` and, last, `projector_config.pbtxt`.

    Args:
        directory: a directory of event files (the logger's).
        embedding: float [M, D].
        metadata: label -> M values, one a point (operations, edges, accuracy ...), for colours,
            labels and search; at least one label.
        seed: of the draw, where there are more than `max_points` points.
        name: of the embedding.
        max_points: how many points to export at most.

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
            raise DataError(
                f"projector: label {label!r} has {len(values)} values for {len(embedding)} points"
            )
    points = _draw_points(len(embedding), max_points, seed)
    if not np.isfinite(embedding[points]).all():
        raise DataError("projector: the embedding holds values that are not finite")
    directory = Path(directory)
    tensors, labels = f"{name}_tensors.tsv", f"{name}_metadata.tsv"
    numbers = [[f"{value:.6g}" for value in row] for row in embedding[points]]
    _write_tsv(directory / tensors, numbers)
    _write_tsv(directory / labels, _metadata_rows(metadata, points))
    config = ProjectorConfig()
    config.embeddings.add(
        tensor_name=name, tensor_path=tensors, metadata_path=labels,
        tensor_shape=[len(points), embedding.shape[1]],
    )
    _write_text(directory / "projector_config.pbtxt", str(config))
    return points


def _draw_points(count: int, max_points: int, seed: int) -> np.ndarray:
    if count <= max_points:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, size=max_points, replace=False))


def _metadata_rows(metadata: Mapping[str, Sequence], points: np.ndarray) -> list[list[str]]:
    """Returns rows of labels; the projector wants a heading only above several columns."""
    columns = [[_label(values[point]) for point in points] for values in metadata.values()]
    rows = [list(row) for row in zip(*columns)]
    return [list(metadata), *rows] if len(metadata) > 1 else rows


def _label(value: object) -> str:
    """Returns a value as one field of a TSV file."""
    text = f"{value:.5g}" if isinstance(value, (float, np.floating)) else str(value)
    return " ".join(text.split()) or "-"


def _write_tsv(path: Path, rows: list[list[str]]) -> None:
    _write_text(path, "".join("\t".join(row) + "\n" for row in rows))


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as handle:
        handle.write(text.encode("utf-8"))
