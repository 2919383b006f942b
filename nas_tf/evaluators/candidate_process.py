"""Candidates trained in processes of their own.

    python -m nas_tf.evaluators.candidate_process JOB.json

is what such a process runs. It gives all its memory back when it ends, and takes down nothing but
itself where there is not enough. It ends when its parent does: its standard input is then closed.
"""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from nas_tf import storage
from nas_tf.core import Interrupted, NasError
from nas_tf.datasets.settings import Data
from nas_tf.evaluators.candidates import CandidateTraining
from nas_tf.evaluators.outcomes import Outcome
from nas_tf.networks.settings import Network
from nas_tf.spaces.architecture import parse
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.training.settings import Training
from nas_tf.training.signals import SignalNoted, noted_signals

_PARTS = {"data": Data, "training": Training, "network": Network}
_WITHOUT_MEMORY = (signal.SIGKILL, signal.SIGABRT)  # by the kernel, or by a failed allocation
_POLL_SEC = 0.2


@dataclasses.dataclass(frozen=True)
class IsolatedTraining:
    """Trains each candidate in a process of its own; see `evaluators.trained.Candidates`.

    Attributes:
        candidates: how they are trained.
    """

    candidates: CandidateTraining

    @property
    def dataset(self) -> str:
        """Name of the images."""
        return self.candidates.dataset

    def identity(self, architecture: Architecture | None, epochs: int | None) -> dict[str, Any]:
        """Returns JSON values of everything that decides a training, where it is made apart."""
        return self.candidates.identity(architecture, epochs)

    def train(
        self, architecture: Architecture, epochs: int | None, directory: pathlib.Path
    ) -> Outcome:
        """Trains one in a process of its own; see `CandidateTraining.train`.

        A process that is ended for want of memory makes the candidate infeasible.

        Raises:
            Interrupted: a signal came; checkpoints are in the directory.
            NasError: it failed for a reason that has nothing to do with the candidate.
        """
        started, job = time.monotonic(), directory / "job.json"
        storage.write_json(job, {
            "architecture": architecture.text(),
            "space": architecture.space,
            "epochs": epochs,
            "candidates": dataclasses.asdict(self.candidates),
        })
        log = directory / "log.txt"
        status = _run([sys.executable, "-m", __spec__.name, str(job)], log)
        if status == 0:
            return Outcome.from_json((directory / "outcome.json").read_text(encoding="utf-8"))
        if -status in _WITHOUT_MEMORY:
            reason = "out of memory: its process was killed"
            return Outcome.infeasible(reason, time.monotonic() - started, lasting=False)
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next(filter(None, reversed(lines)), "it said nothing")
        raise NasError(f"the process of a candidate failed: {last} ({log})")


def _run(command: list[str], log: pathlib.Path) -> int:
    """Returns the exit status of a process; a signal is passed on to it.

    Raises:
        Interrupted: there was one.
    """
    with noted_signals() as signals, open(log, "wb") as written:
        signals.held = True
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=written)
        try:
            while process.poll() is None:
                signals.check()
                time.sleep(_POLL_SEC)
            return process.returncode
        except SignalNoted:
            process.terminate()
            process.wait()
        finally:
            process.stdin.close()
    signals.deliver()
    raise Interrupted("the training of a candidate was interrupted, and is saved")


def run(job: Mapping[str, Any], directory: pathlib.Path) -> None:
    """Is what a process does: trains the candidate of a job and writes its outcome."""
    values = dict(job["candidates"])
    values |= {name: part(**values[name]) for name, part in _PARTS.items()}
    architecture = parse(job["architecture"], job["space"])
    outcome = CandidateTraining(**values).train(architecture, job["epochs"], directory)
    with storage.atomic_write(directory / "outcome.json") as file:
        file.write(outcome.to_json().encode("utf-8"))


def _end_with_parent() -> None:
    """Waits for the end of standard input, which the parent holds, and saves and ends then."""
    while os.read(0, 1):  # not Python's stream, which a thread would hold at the end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    path = pathlib.Path(sys.argv[1])
    try:
        run(json.loads(path.read_text(encoding="utf-8")), path.parent)
    except NasError as error:
        sys.exit(str(error))
