"""A network that was trained: its model, its history, what it says of images."""

import csv
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from nas_tf.core import DataError
from nas_tf.networks.packaging import class_names, read_model
from nas_tf.reports.finished_study import read_summary
from nas_tf.reports.training_figures import curves_figure
from nas_tf.reports.wording import dataset_name, is_missing, percent
from nas_tf.studies.pictures import figure_html
from nas_tf.studies.prediction import Predictions, predictions

MODEL, HISTORY = "model.keras", "history.csv"


class TrainedNetwork:
    """What a training left, in memory or in its output directory.

    Attributes:
        history: means of every epoch: loss, accuracy, validation_accuracy, learning_rate, ...
        directory: its output directory; None where nothing is on disk.
    """

    def __init__(
        self,
        summary: Mapping[str, Any],
        history: Sequence[Mapping[str, float]],
        *,
        model: keras.Model | None = None,
        directory: pathlib.Path | None = None,
    ):
        """Args:
        summary: as `summary.json` has it.
        history: means of every epoch.
        model: from pixels 0..255 to probabilities; read from the directory when None.
        directory: its output directory.
        """
        self._summary, self.history, self.directory = dict(summary), list(history), directory
        self._model = model

    @property
    def model(self) -> keras.Model:
        """The Keras model, from pixels 0..255 [B, H, W, C] to probabilities [B, K]."""
        if self._model is None:
            self._model = read_model(self.directory / MODEL)
        return self._model

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the K classes, in the order of the probabilities."""
        return class_names(self.model)

    def summary(self) -> dict[str, Any]:
        """Returns the numbers of `summary.json`, under the same names."""
        return dict(self._summary)

    def predict(self, images: Any) -> Predictions:
        """Returns what the network says of images: see `nas_tf.predict`."""
        return predictions(self.model, images)

    def plot(self):
        """Returns a Matplotlib figure: loss, accuracy and learning rate after every epoch."""
        return curves_figure(self.history)

    def to_pandas(self):
        """Returns a `pandas.DataFrame` with one row an epoch."""
        import pandas

        frame = pandas.DataFrame(self.history)
        frame.insert(0, "epoch", range(1, len(frame) + 1))
        return frame

    @classmethod
    def load(cls, directory: str | os.PathLike) -> "TrainedNetwork":
        """Reads what a training has left; the model when it is first asked for.

        Raises:
            ConfigError: it holds no finished training.
            DataError: a file is missing or damaged.
        """
        directory = pathlib.Path(directory)
        summary = read_summary(directory, job="train", name="directory")
        if not (directory / MODEL).is_file():
            raise DataError(f"{directory / MODEL}: no such file; train again")
        return cls(summary, _read_history(directory / HISTORY), directory=directory)

    def __repr__(self) -> str:
        summary = self._summary
        found = {name: summary[f"{name}_accuracy"] for name in ("validation", "test")}
        text = ", ".join(
            f"{name} accuracy {percent(value, 2)}"
            for name, value in found.items()
            if not is_missing(value)
        )
        return (
            f"<Trained network: {summary['space']}, {summary['parameters']:,} parameters, "
            f"{dataset_name(summary['dataset'])}, {summary['epochs']} epochs, {text}>"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the line of `repr`, and the curves."""
        return figure_html(repr(self), self.plot())


def _read_history(path: pathlib.Path) -> list[dict[str, float]]:
    """Returns the means of every epoch; empty fields are left out.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        return [
            {name: float(text) for name, text in row.items() if name != "epoch" and text}
            for row in rows
        ]
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; train again") from None
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DataError(f"{path}: damaged ({error}); train again") from None
