"""TensorBoard: scalars, settings, studies side by side (HParams) and the embedding projector.

The one module of this package that imports TensorFlow.
"""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams_api
from tensorboard.plugins.hparams import api_pb2 as hparams_messages
from tensorboard.plugins.hparams import summary as hparams_summary
from tensorboard.plugins.projector import ProjectorConfig

from nas_tf.core import ConfigError, DataError, Stream, generator
from nas_tf.graphs import CellGraphs
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


@dataclasses.dataclass(frozen=True)
class HParamsSession:
    """One row of TensorBoard's HParams dashboard.

    Attributes:
        name: of the row; another for each.
        hyperparameters: name -> value; those that a session lacks are empty in its row.
        metrics: name -> step -> value; the row shows the value of the last step, the scalars
            dashboard all of them. Values that are no numbers are left out.
    """

    name: str
    hyperparameters: Mapping[str, bool | float | str]
    metrics: Mapping[str, Mapping[int, float]]


def write_hparams(directory: str | Path, sessions: Sequence[HParamsSession]) -> None:
    """Writes sessions for TensorBoard's HParams dashboard, a folder each.

    What was written before for a comparison in this directory is replaced.

    Args:
        directory: to give to TensorBoard as `--logdir`.
        sessions: the rows.

    Raises:
        ConfigError: the directory cannot be written.
    """
    directory = Path(directory)
    try:
        for old in directory.glob("**/events.out.tfevents.*"):
            old.unlink()
        with tf.summary.create_file_writer(str(directory)).as_default(step=0):
            hparams_api.hparams_config(
                hparams=_declared(sessions),
                metrics=[
                    hparams_api.Metric(name)
                    for name in dict.fromkeys(name for row in sessions for name in row.metrics)
                ],
            )
        for number, session in enumerate(sessions, start=1):
            folder = re.sub(r"[^A-Za-z0-9.-]+", "_", session.name).strip("_.")
            _write_session(directory / f"{number:02d}_{folder[:80]}", session)
    except (OSError, tf.errors.OpError) as error:
        raise ConfigError(
            f"{directory}: not a directory that TensorBoard's files can be written into; "
            "move what is there away, or choose another --output_dir"
        ) from error


def _declared(sessions: Sequence[HParamsSession]) -> list[hparams_api.HParam]:
    """Returns every hyperparameter with the values it has, which the dashboard can filter by."""
    values = {}
    for session in sessions:
        for name, value in session.hyperparameters.items():
            values.setdefault(name, []).append(value)
    return [hparams_api.HParam(name, _domain(found)) for name, found in values.items()]


def _domain(values: Sequence) -> hparams_api.Domain | None:
    """Returns the set of texts or switches, the range of numbers; nothing where kinds are mixed."""
    kinds = {str if isinstance(v, str) else bool if isinstance(v, bool) else float for v in values}
    if kinds == {float}:
        return hparams_api.RealInterval(float(min(values)), float(max(values)))
    return hparams_api.Discrete(sorted(set(values))) if len(kinds) == 1 else None


def _write_session(directory: Path, session: HParamsSession) -> None:
    with tf.summary.create_file_writer(str(directory)).as_default(step=0):
        hparams_api.hparams(dict(session.hyperparameters), trial_id=session.name)
        for name, values in session.metrics.items():
            for step, value in values.items():
                if math.isfinite(value):
                    tf.summary.scalar(name, value, step=step)
        end = hparams_summary.session_end_pb(hparams_messages.STATUS_SUCCESS)
        tf.summary.experimental.write_raw_pb(end.SerializeToString(), step=0)


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


def cell_labels(op_names: Sequence[str], cells: CellGraphs) -> dict[str, np.ndarray]:
    """Returns what the projector shows of every cell [M]: operations, edges, vertices.

    Args:
        op_names: names of the operation codes.
        cells: batch [M].
    """
    short = np.array([name.split("-")[0] for name in op_names] + [""])
    joined = cells.adjacency.any(axis=-2) & cells.adjacency.any(axis=-1)  # no input, no output
    interior = np.where(joined, short[cells.ops], "")
    return {
        "operations": np.array([" ".join(filter(None, row)) for row in interior]),
        "edges": cells.num_edges,
        "vertices": cells.num_nodes,
    }


def _draw_points(count: int, max_points: int, seed: int) -> np.ndarray:
    if count <= max_points:
        return np.arange(count)
    rng = generator(seed, Stream.PROJECTOR)
    return np.sort(rng.choice(count, size=max_points, replace=False))


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
