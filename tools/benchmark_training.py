"""What `tools.benchmark` measures of trainings: images a second beside the plainest `Model.fit`.

Three processes train the same network (`training_rivals`). They take turns, a pass each, so that
whatever else runs on the machine meets all alike, and while one trains the others wait. A ratio is
the median of the rounds' ratios; a remark has the same of processor time, which other programs
disturb less.

Every public function takes `full` and returns figures by the names of `benchmark_figures`.
"""

import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from tools.training_rivals import CONTESTS, KINDS

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_ROUNDS = 5


def darts(full: bool) -> dict[str, Any]:
    """DARTS' second-order cell, 8 cells of 16 channels."""
    return compete("darts", full)


def randwire(full: bool) -> dict[str, Any]:
    """RandWire's base network at 64 x 64 pixels."""
    return compete("randwire", full)


def enas(full: bool) -> dict[str, Any]:
    """An ENAS macro network of 24 channels."""
    return compete("enas", full)


def nasbench101(full: bool) -> dict[str, Any]:
    """A NAS-Bench-101 cell in the benchmark's network."""
    return compete("nasbench101", full)


def nasbench201(full: bool) -> dict[str, Any]:
    """A NAS-Bench-201 cell in the benchmark's network."""
    return compete("nasbench201", full)


def compete(name: str, full: bool) -> dict[str, Any]:
    """Lets all kinds of a training run in turns; returns the figures of a network."""
    contest = CONTESTS[name]
    seconds = {kind: [] for kind in KINDS}
    with contextlib.ExitStack() as stack:
        rivals = {kind: stack.enter_context(rival(name, kind)) for kind in KINDS}
        for turn in range(_ROUNDS * (1 + full)):
            for kind in sorted(KINDS, reverse=bool(turn % 2)):  # nobody is always first
                seconds[kind].append(rivals[kind].ask("go"))
        ends = {kind: rivals[kind].ask("") for kind in KINDS}
    return figures(name, contest.batch_size * contest.steps, seconds, ends)


def figures(
    name: str, images: int, seconds: dict[str, list[list[float]]], ends: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """Returns the figures of a network.

    Args:
        name: of the network.
        images: of a pass.
        seconds: by kind, of every round's pass, on the clock and of the processors.
        ends: by kind, what `training_rivals` returned.
    """
    def ratio(kind: str, clock: int = 0) -> float:
        pairs = zip(seconds["fit"], seconds[kind], strict=True)
        return statistics.median(theirs[clock] / ours[clock] for theirs, ours in pairs)

    def rate(kind: str) -> float:
        return images / statistics.median(wall for wall, _ in seconds[kind])

    contest = CONTESTS[name]
    return {
        f"train_{name}_per_sec": rate("plain"),
        f"train_{name}_per_sec_peer": rate("fit"),
        f"train_{name}_ratio": ratio("plain"),
        f"train_{name}_full_ratio": ratio("everything"),
        f"train_{name}_waiting": 100 * ends["everything"]["waiting"],
        f"train_{name}_peak_mb": ends["everything"]["peak_mb"],
        f"train_{name}_peak_mb_peer": ends["fit"]["peak_mb"],
        "note": f"medians of {len(seconds['fit'])} passes of {contest.steps} batches of "
                f"{contest.batch_size}; by processor time {ratio('plain', 1):.3f} x, "
                f"{ratio('everything', 1):.3f} x with everything on",
    }


class Rival:
    """A training that waits for its turn.

    Args:
        process: of `training_rivals`.
        errors: what it writes to its standard error.
    """

    def __init__(self, process: subprocess.Popen, errors):
        self._process, self._errors = process, errors

    def ask(self, line: str) -> Any:
        """Writes a line and returns what is answered."""
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer says why
        return self.answer()

    def answer(self) -> Any:
        """Returns the next thing it says.

        Raises:
            RuntimeError: it has ended; the message has the last line of its errors.
        """
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines() or ["no output"]
        raise RuntimeError(f"exit status {self._process.returncode}: {lines[-1]}")


@contextlib.contextmanager
def rival(name: str, kind: str) -> Iterator[Rival]:
    """Starts a training; yields it when it has compiled and made its first pass."""
    command = [sys.executable, "-m", "tools.training_rivals", name, kind]
    with tempfile.TemporaryFile("w+") as errors, subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
    ) as process:
        started = Rival(process, errors)
        try:
            started.answer()
            yield started
        finally:
            process.kill()
