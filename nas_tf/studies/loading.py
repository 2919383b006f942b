"""Opening what a job has left, whatever job it was."""

import pathlib
from collections.abc import Callable
from typing import Any

from nas_tf.reports.finished_study import read_summary
from nas_tf.spaces import registry as spaces
from nas_tf.studies.comparison import load_comparison
from nas_tf.studies.encoder import Encoder
from nas_tf.studies.study import Study
from nas_tf.studies.trained_network import TrainedNetwork


class FinishedJob:
    """A finished job that is neither a study nor a model.

    Attributes:
        directory: its output directory.
    """

    def __init__(self, directory: pathlib.Path, summary: dict[str, Any]):
        self.directory, self._summary = directory, summary

    def summary(self) -> dict[str, Any]:
        """Returns the numbers of `summary.json`."""
        return dict(self._summary)

    def __repr__(self) -> str:
        return f"<Finished job {self._summary['job']} in {self.directory}>"


def load(directory: str | pathlib.Path) -> Any:
    """Opens a finished job.

    Args:
        directory: its output directory.

    Returns:
        a `Study` of a search, an `Encoder` of a pre-training, a `TrainedNetwork` of a training, a
        `Comparison` of a report, and a `FinishedJob` of any other.

    Raises:
        ConfigError: it holds no finished job.
        DataError: a file of it is damaged.
    """
    directory = pathlib.Path(directory)
    summary = read_summary(directory, name="directory")
    return _OPENED.get(summary["job"], FinishedJob)(directory, summary)


def _study(directory: pathlib.Path, summary: dict[str, Any]) -> Study:
    return Study.load(directory)


def _encoder(directory: pathlib.Path, summary: dict[str, Any]) -> Encoder:
    return Encoder.load(directory, spaces.named(summary["space"]))


_OPENED: dict[str, Callable[[pathlib.Path, dict[str, Any]], Any]] = {
    "search": _study,
    "pretrain": _encoder,
    "train": lambda directory, summary: TrainedNetwork.load(directory),
    "report": lambda directory, summary: load_comparison(summary),
}
