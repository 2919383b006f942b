"""How far a training has come, and the checkpoints that save it.

Shapes: K reported quantities (the loss first).
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import dataclasses
import json
import pathlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

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
        train_sec: seconds spent in compiled calls, over all processes that took part.
        stopped: a callback has ended the training.
    """

    names: Sequence[str]
    epoch: int = 0
    step: int = 0
    sums: np.ndarray | None = None
    examples: int = 0
    history: list[dict[str, float]] = dataclasses.field(default_factory=list)
    train_sec: float = 0.0
    stopped: bool = False

    def add(self, sums: np.ndarray, steps: int, examples: int) -> None:
        """Counts `steps` more steps whose `examples` summed to `sums` [K]."""
        sums = np.asarray(sums, np.float64)
        self.sums = sums if self.sums is None else self.sums + sums
        self.step += steps
        self.examples += examples

    def advance(self, sums: np.ndarray, steps: int, examples: int) -> None:
        """Counts `steps` more steps after which the sums of the pass are `sums` [K]."""
        self.sums = np.asarray(sums, np.float64)
        self.step += steps
        self.examples += examples

    def means(self) -> dict[str, float]:
        """Returns the means over the current pass."""
        return dict(zip(self.names, (self.sums / self.examples).tolist(), strict=True))

    def end_epoch(self, others: Mapping[str, float] = MappingProxyType({})) -> dict[str, float]:
        """Closes the current pass and returns its means, `others` added to them."""
        logs = self.means() | dict(others)
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
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        names: Sequence[str],
        *,
        others: Sequence[tf.Variable] = (),
        writes: bool = True,
    ) -> Progress:
        """Loads the newest checkpoint into the model and the optimizer, if there is one.

        Args:
            model: a built model.
            optimizer: built for it.
            names: as in `Progress`.
            others: what else there is to save.
            writes: this process saves; several share a directory, and one of them writes it.

        Raises:
            ConfigError: the checkpoint is of a training with other settings, or the directory
                cannot be made.
            DataError: the checkpoint cannot be read.
        """
        self._text = tf.Variable("", dtype=tf.string, trainable=False)
        self._state = tf.Variable("", dtype=tf.string, trainable=False)
        made_with = tf.Variable(self._settings, dtype=tf.string, trainable=False)
        # Variables one by one: TensorFlow overlooks Keras layers that a model holds in a list.
        self._parts = {
            "model": [variable.value for variable in model.variables],
            "optimizer": [variable.value for variable in optimizer.variables],
            "progress": self._text,
            "settings": made_with,
        }
        if others:
            self._parts["others"] = list(others)
        self._names, self._writes = names, writes
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._write_error(error.strerror) from None
        self._saved_at = time.monotonic()
        checkpoint = tf.train.Checkpoint(**self._parts, state=self._state)
        return self._load(checkpoint) or Progress(names)

    def reload(self) -> Progress:
        """Loads once more what `restore` or `save_if_due` left."""
        return self._load(tf.train.Checkpoint(**self._parts, state=self._state), True)

    @property
    def state(self) -> bytes:
        """What was saved of callbacks; empty where nothing was."""
        return self._state.numpy()

    @property
    def newest(self) -> str | None:
        """Path of the newest checkpoint, without its endings; None where there is none."""
        return self._manager and self._manager.latest_checkpoint

    def save_if_due(
        self, progress: Progress, *, final: bool = False, state: Callable[[], bytes] = bytes
    ) -> None:
        """Saves when the interval has passed, or at the end.

        Args:
            progress: of the training.
            final: saves in any case.
            state: gives what callbacks remember.

        Raises:
            ConfigError: the directory cannot be written or is full; what was saved before stays.
        """
        due = time.monotonic() - self._saved_at >= self._interval_sec
        if not self._writes or not (final or due):
            return
        self._text.assign(progress.to_json())
        self._state.assign(state())
        try:
            self._manager.save()
        except (tf.errors.OpError, OSError) as error:
            raise self._write_error(_first_line(error)) from None
        self._saved_at = time.monotonic()

    def _load(self, checkpoint: tf.train.Checkpoint, again: bool = False) -> Progress | None:
        """Loads the newest checkpoint, None if there is none; makes the manager of what follows."""
        newest = self._directory / "checkpoint"  # TensorFlow's list of checkpoints
        is_new = not newest.exists()
        try:
            if not again:
                self._manager = tf.train.CheckpointManager(
                    checkpoint, str(self._directory), max_to_keep=2
                )
            if is_new:
                return None
            if self._manager.latest_checkpoint is None:
                raise ValueError("it names no checkpoint")
            newest = self._manager.latest_checkpoint
            keys = self._check_settings(newest)
            if not any(key.startswith("state/") for key in keys):  # of an earlier version
                checkpoint = tf.train.Checkpoint(**self._parts)
            status = checkpoint.restore(newest).assert_existing_objects_matched()
            status.expect_partial()  # of its counter of files, which only the manager needs
            return Progress.from_json(self._text.numpy().decode(), self._names)
        except _READ_ERRORS as error:
            raise DataError(
                f"{newest}: damaged checkpoint ({_first_line(error)}); delete "
                f"{self._directory} to start again"
            ) from None

    def _check_settings(self, newest: str) -> list[str]:
        """Returns the keys of a checkpoint, which is of the same settings."""
        reader = tf.train.load_checkpoint(newest)
        stored = reader.get_tensor("settings/.ATTRIBUTES/VARIABLE_VALUE").decode()
        if stored == self._settings:
            return list(reader.get_variable_to_shape_map())
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
