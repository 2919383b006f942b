"""How far a training has come, and the checkpoints that save it.

Shapes: K reported quantities (the loss first).
"""

import dataclasses
import json
import pathlib
import re
import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nas_tf.core import ConfigError, DataError

# What TensorFlow raises on reading a damaged checkpoint; a short file is an IndexError.
_READ_ERRORS = (tf.errors.OpError, ValueError, IndexError, AssertionError)


@dataclasses.dataclass
class Progress:
    """Position in a training and the means reported so far.

    Attributes:
        names: K names of the reported quantities.
        epoch: passes completed.
        step: steps completed in the current pass.
        sums: float64 [K], sums over the examples of the current pass.
        examples: how many examples these are.
        history: means of every pass completed.
    """

    names: Sequence[str]
    epoch: int = 0
    step: int = 0
    sums: np.ndarray | None = None
    examples: int = 0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)

    def add(self, sums: np.ndarray, steps: int, examples: int) -> None:
        """Counts `steps` more steps whose `examples` summed to `sums` [K]."""
        sums = np.asarray(sums, np.float64)
        self.sums = sums if self.sums is None else self.sums + sums
        self.step += steps
        self.examples += examples

    def means(self) -> dict[str, float]:
        """Returns the means over the current pass."""
        return dict(zip(self.names, (self.sums / self.examples).tolist(), strict=True))

    def end_epoch(self) -> dict[str, float]:
        """Closes the current pass and returns its means."""
        logs = self.means()
        self.history.append(logs)
        self.epoch, self.step, self.sums, self.examples = self.epoch + 1, 0, None, 0
        return logs

    def to_json(self) -> str:
        """Returns everything but the names as text."""
        values = dataclasses.asdict(self) | {"names": None}
        values["sums"] = None if self.sums is None else self.sums.tolist()
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str, names: Sequence[str]) -> "Progress":
        """Reads what `to_json` returned."""
        values = json.loads(text) | {"names": names}
        if values["sums"] is not None:
            values["sums"] = np.array(values["sums"])
        return cls(**values)


class Checkpoint:
    """Saves a training from time to time and takes it up again exactly.

    Args:
        directory: where checkpoints are kept; the last two are.
        settings: everything that decides the outcome; a training is only taken up with equal
            settings.
        interval_sec: least time between two checkpoints.
    """

    def __init__(self, directory: str | pathlib.Path, settings: dict, interval_sec: float = 30.0):
        self._directory = pathlib.Path(directory)
        self._settings = json.dumps(settings, sort_keys=True)
        self._interval_sec = interval_sec
        self._manager = None

    def restore(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer, names: Sequence[str]
    ) -> Progress:
        """Loads the newest checkpoint into the model and the optimizer, if there is one.

        Raises:
            ConfigError: the checkpoint is of a training with other settings, or the directory
                cannot be made.
            DataError: the checkpoint cannot be read.
        """
        self._text = tf.Variable("", dtype=tf.string, trainable=False)
        self._made_with = tf.Variable(self._settings, dtype=tf.string, trainable=False)
        # Variables one by one: TensorFlow overlooks Keras layers that a model holds in a list.
        checkpoint = tf.train.Checkpoint(
            model=[variable.value for variable in model.variables],
            optimizer=[variable.value for variable in optimizer.variables],
            progress=self._text,
            settings=self._made_with,
        )
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._write_error(error.strerror) from None
        self._saved_at = time.monotonic()
        newest = self._directory / "checkpoint"  # TensorFlow's list of checkpoints
        is_new = not newest.exists()
        try:
            self._manager = tf.train.CheckpointManager(
                checkpoint, str(self._directory), max_to_keep=2
            )
            if is_new:
                return Progress(names)
            if self._manager.latest_checkpoint is None:
                raise ValueError("it names no checkpoint")
            newest = self._manager.latest_checkpoint
            self._check_settings(newest)
            checkpoint.restore(newest).assert_existing_objects_matched()
            return Progress.from_json(self._text.numpy().decode(), names)
        except _READ_ERRORS as error:
            raise DataError(
                f"{newest}: damaged checkpoint ({_first_line(error)}); delete "
                f"{self._directory} to start again"
            ) from None

    def save_if_due(self, progress: Progress, *, final: bool = False) -> None:
        """Saves when the interval has passed, or at the end.

        Raises:
            ConfigError: the directory cannot be written or is full.
        """
        if not final and time.monotonic() - self._saved_at < self._interval_sec:
            return
        self._text.assign(progress.to_json())
        try:
            self._manager.save()
        except tf.errors.OpError as error:
            raise self._write_error(_first_line(error)) from None
        self._saved_at = time.monotonic()

    def _check_settings(self, newest: str) -> None:
        reader = tf.train.load_checkpoint(newest)
        stored = reader.get_tensor("settings/.ATTRIBUTES/VARIABLE_VALUE").decode()
        if stored == self._settings:
            return
        old, new = json.loads(stored), json.loads(self._settings)
        name = min(
            key
            for key in old | new
            if old.get(key) != new.get(key) or (key in old) != (key in new)
        )
        raise ConfigError(
            f"{self._directory}: checkpoint of other settings ({name} was "
            f"{old.get(name, 'absent')}, is now {new.get(name, 'absent')}); choose another "
            "directory or delete the checkpoint"
        )

    def _write_error(self, reason: str) -> ConfigError:
        return ConfigError(
            f"cannot write {self._directory}: {reason}; check that the directory is writable and "
            "has space, or choose another directory"
        )


def _first_line(error: Exception) -> str:
    """Returns what an error says, without TensorFlow's names of functions and operations."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return re.sub(r"\{\{.*?\}\} ?| *\[Op:\w*\]", "", line)
