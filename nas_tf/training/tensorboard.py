"""What TensorBoard shows of a training."""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import contextlib
import pathlib
from collections.abc import Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from nas_tf.core import ConfigError
from nas_tf.training.callbacks import Throughput

_PLAIN = (bool, int, float, str)


class TensorBoardLog(keras.callbacks.Callback):
    """Writes losses, accuracies, learning rate and throughput, and on request more.

    Means of a pass are written after every compiled call as `train/...`, and after every pass as
    `epoch/...` with those of validation; steps are training steps.

    Args:
        directory: of TensorBoard.
        steps: steps a pass.
        batch_size: images a step.
        settings: of the training by name, for the tab HParams; texts and numbers are shown.
        images: examples [n, H, W, C] in [0, 1], shown once.
        profile_calls: the first and the last compiled call of this process to be profiled.
        graph: show the model's graph.

    Raises:
        ConfigError: of every method: the directory cannot be written or is full.
    """

    saved_attributes = ()

    def __init__(self, directory, *, steps: int, batch_size: int,
                 settings: Mapping | None = None, images: np.ndarray | None = None,
                 profile_calls: tuple[int, int] | None = None, graph: bool = True):
        super().__init__()
        self._directory, self._steps = pathlib.Path(directory), steps
        self._clock = Throughput(batch_size)
        self._settings, self._images = settings, images
        self._profile_calls, self._graph = profile_calls, graph
        self._epoch, self._calls, self._profiling = 0, 0, False
        self._writer = None

    def on_train_begin(self, logs=None):
        """Opens the log; writes what does not change."""
        with self._writing():
            self._writer = tf.summary.create_file_writer(str(self._directory))
        with self._writing(), self._writer.as_default(step=0):
            if self._settings:
                shown = {name: value for name, value in self._settings.items()
                         if isinstance(value, _PLAIN)}
                hparams.hparams(shown)
            if self._images is not None:
                tf.summary.image("examples", self._images, max_outputs=16)
            if self._graph:
                self._write_graph()

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the pass."""
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        """Starts a profile that is due."""
        self._clock.on_train_batch_begin(batch)
        if self._profile_calls and self._calls == self._profile_calls[0]:
            with self._writing():
                tf.profiler.experimental.start(str(self._directory))
            self._profiling = True

    def on_train_batch_end(self, batch, logs=None):
        """Writes the means of the pass so far."""
        self._clock.on_train_batch_end(batch)
        if self._profiling and self._calls >= self._profile_calls[1]:
            self._end_profile()
        self._calls += 1
        values = dict(logs) | {"learning_rate": self._learning_rate()}
        if self._calls > 1:
            values["images_per_sec"] = self._clock.images_per_sec
        self._write("train", values, self._epoch * self._steps + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        """Writes the means of a pass and of validation."""
        self._write("epoch", logs, (epoch + 1) * self._steps)
        with self._writing():
            self._writer.flush()

    def on_train_end(self, logs=None):
        """Ends the log."""
        self.close()

    def close(self) -> None:
        """Ends the log, also of a training that was interrupted."""
        if self._profiling:
            self._end_profile()
        if self._writer is not None:
            with self._writing():
                self._writer.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            reason = getattr(error, "strerror", None) or _reason(error)
            raise ConfigError(
                f"cannot write {self._directory}: {reason}; check that the directory is writable "
                "and has space, or choose another directory"
            ) from error

    def _end_profile(self) -> None:
        self._profiling = False
        with self._writing():
            tf.profiler.experimental.stop()

    def _learning_rate(self) -> float:
        return float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def _write(self, prefix: str, values: Mapping[str, float], step: int) -> None:
        with self._writing(), self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(f"{prefix}/{name}", value)

    def _write_graph(self) -> None:
        specs = [tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype)
                 for tensor in self.model.inputs]
        model = self.model
        program = tf.function(
            lambda *inputs: model(inputs[0] if len(inputs) == 1 else inputs, training=False)
        )
        tf.summary.graph(program.get_concrete_function(*specs).graph)


def _reason(error: Exception) -> str:
    """Returns the last words of TensorFlow's first line: what it is, without files."""
    return (str(error).splitlines() or [type(error).__name__])[0].rpartition("; ")[2]
