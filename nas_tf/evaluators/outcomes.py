"""What trained candidates came to, kept across jobs: a file a candidate.

A candidate is known by everything that decides its training: a repeated query reads a file.
"""

import contextlib
import dataclasses
import hashlib
import json
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from absl import logging

from nas_tf import storage
from nas_tf.core import ConfigError

_RESULT, _WORK = "outcome.json", "work"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the training of one architecture came to.

    Attributes:
        validation_accuracy: in [0, 1]; NaN where infeasible.
        test_accuracy: in [0, 1]; NaN where infeasible.
        cost_sec: seconds that building, training and measuring took, all starts of it together.
        reason: why it is infeasible; "" where it is feasible.
        lasting: it would come out the same again; being out of memory need not.
    """

    validation_accuracy: float
    test_accuracy: float
    cost_sec: float
    reason: str = ""
    lasting: bool = True

    @classmethod
    def infeasible(cls, reason: str, cost_sec: float, lasting: bool = True) -> "Outcome":
        """Returns that of an architecture without accuracies."""
        return cls(float("nan"), float("nan"), cost_sec, reason, lasting)

    def to_json(self) -> str:
        """Returns it as text; NaN is null."""
        values = dataclasses.asdict(self).items()
        return json.dumps({name: None if value != value else value for name, value in values})

    @classmethod
    def from_json(cls, text: str) -> "Outcome":
        """Reads what `to_json` returned."""
        values = json.loads(text).items()
        return cls(**{name: float("nan") if value is None else value for name, value in values})


class Outcomes:
    """Outcomes by the identity of a candidate.

    Args:
        directory: of all outcomes; made when something is kept.
    """

    def __init__(self, directory: pathlib.Path):
        self._directory = pathlib.Path(directory)

    @contextlib.contextmanager
    def claimed(self, identity: Mapping[str, Any]) -> Iterator[pathlib.Path]:
        """Yields the directory in which a candidate's training keeps its checkpoints.

        Args:
            identity: JSON values of everything that decides the training.

        Raises:
            ConfigError: another process trains this candidate, or the cache cannot be written.
        """
        home = self._home(identity)
        with storage.DirectoryLock(home):
            yield home / _WORK

    def find(self, identity: Mapping[str, Any]) -> Outcome | None:
        """Returns what is known of a candidate; None where nothing sound is."""
        path = self._home(identity) / _RESULT
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
            if saved["identity"] != json.loads(_text(identity)):
                raise ValueError("it is of another candidate")
            return Outcome.from_json(json.dumps(saved["outcome"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logging.warning("%s is damaged (%s); the candidate is trained again", path, error)
            return None

    def keep(self, identity: Mapping[str, Any], outcome: Outcome) -> None:
        """Writes an outcome down and removes the checkpoints of its training.

        What does not last is not kept, and where the directory cannot be written a warning says
        that the candidate will be trained again.
        """
        home = self._home(identity)
        shutil.rmtree(home / _WORK, ignore_errors=True)
        if not outcome.lasting:
            return
        values = {"identity": dict(identity), "outcome": json.loads(outcome.to_json())}
        try:
            storage.write_json(home / _RESULT, values)
        except ConfigError as error:
            logging.warning("An outcome is not kept: %s", error)

    def _home(self, identity: Mapping[str, Any]) -> pathlib.Path:
        digest = hashlib.sha256(_text(identity).encode("utf-8")).hexdigest()
        return self._directory / digest[:32]


def _text(identity: Mapping[str, Any]) -> str:
    return json.dumps(dict(identity), sort_keys=True)
