"""A training from its plan to its output directory.

Shapes: m images that are shown; K classes.
"""

import contextlib
import csv
import dataclasses
import io
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from nas_tf import storage
from nas_tf.analysis.network_drawing import draw_network
from nas_tf.analysis.summary import SCHEMA, library_versions
from nas_tf.datasets.image_data import ImageData
from nas_tf.networks import packaging, registry
from nas_tf.networks.layer_table import layer_table
from nas_tf.reports.training_report import TestResults, write_training_report
from nas_tf.spaces import registry as spaces
from nas_tf.studies.exporting import write_format
from nas_tf.studies.trained_network import HISTORY, MODEL, TrainedNetwork
from nas_tf.studies.training_plan import TrainingPlan
from nas_tf.training.classification import Trained, train_classifier
from nas_tf.training.determinism import make_deterministic
from nas_tf.training.distribution import is_chief, make_distribution
from nas_tf.training.precision import precision
from nas_tf.training.progress import Checkpoint
from nas_tf.training.tensorboard import TensorBoardLog

SUMMARY, LAYERS = "summary.json", "layers.csv"
_SHOWN = 16  # images of the page, and of TensorBoard
_PROFILED = (1, 2)  # compiled calls: the first one compiles


@dataclasses.dataclass(frozen=True, kw_only=True)
class Execution:
    """Where and how a training runs; none of it decides what comes out.

    Attributes:
        directory: where results, checkpoints and events go; None keeps nothing on disk.
        distribution: "none", "mirrored", "multi_worker" or "tpu".
        checkpoint_sec: least seconds between two checkpoints.
        callbacks: further Keras callbacks.
        formats: that the model is exported in.
        profile: keep a TensorBoard profile of some steps.
        wall_sec: tells the seconds since all began.
    """

    directory: pathlib.Path | None = None
    distribution: str = "none"
    checkpoint_sec: float = 30.0
    callbacks: Sequence[keras.callbacks.Callback] = ()
    formats: Sequence[str] = ()
    profile: bool = False
    wall_sec: Callable[[], float] = dataclasses.field(default_factory=lambda: _clock())


def _clock() -> Callable[[], float]:
    begun = time.monotonic()
    return lambda: time.monotonic() - begun


def run_training(plan: TrainingPlan, data: ImageData, execution: Execution) -> TrainedNetwork:
    """Trains a network, and writes what comes out where a directory is given.

    Args:
        plan: what is trained.
        data: its images, opened.
        execution: where and how.

    Raises:
        InvalidArchitectureError: the architecture cannot be built for such images.
        ConfigError: settings and images do not go together, or the directory cannot be written.
        DataError: an image is damaged.
        DivergedError: the loss is no number any more.
    """
    make_deterministic(plan.training.seed)
    distribution = make_distribution(execution.distribution)
    shape, classes = tuple(data.image_shape), len(data.class_names)
    with distribution.scope(), precision(plan.training.precision):
        network = registry.build(
            plan.architecture, num_classes=classes, input_shape=shape, **plan.around()
        )
    trained = _fit(plan, network, data, distribution, execution)
    model = packaging.package(
        trained.model, mean=data.mean, std=data.std, class_names=data.class_names,
        centre=data.centre,
    )
    if not is_chief(distribution):  # that one writes
        execution = dataclasses.replace(execution, directory=None)
    return _Leaving(plan, data, trained, model, execution).result()


def _fit(plan, network, data, distribution, execution: Execution) -> Trained:
    if execution.directory is None:
        return train_classifier(
            network, data, plan.training, distribution=distribution,
            callbacks=tuple(execution.callbacks),
        )
    checkpoint = Checkpoint(
        execution.directory / "checkpoints" / "training",
        plan.settings() | {"architecture": plan.architecture.key, "images": data.summary()},
        execution.checkpoint_sec,
    )
    log = _tensorboard(plan, data, execution) if is_chief(distribution) else None
    with contextlib.closing(log) if log else contextlib.nullcontext():
        return train_classifier(
            network, data, plan.training, distribution=distribution,
            callbacks=(*filter(None, [log]), *execution.callbacks), checkpoint=checkpoint,
        )


def _tensorboard(plan: TrainingPlan, data: ImageData, execution: Execution) -> TensorBoardLog:
    batch_size = plan.training.batch_size
    shown = range(min(_SHOWN, data.train.num_examples))
    return TensorBoardLog(
        execution.directory / "tensorboard",
        steps=data.train.steps(batch_size),
        batch_size=batch_size,
        settings=plan.settings(),
        images=data.train.pixels(shown) / np.float32(255),
        profile_calls=_PROFILED if execution.profile else None,
    )


@dataclasses.dataclass(frozen=True)
class _Leaving:
    """What a training that has ended leaves."""

    plan: TrainingPlan
    data: ImageData
    trained: Trained
    model: keras.Model
    execution: Execution

    def result(self) -> TrainedNetwork:
        """Returns the trained network, written where a directory is given."""
        directory = self.execution.directory
        if directory is not None:
            packaging.write_model(directory / MODEL, self.model)
            for name in self.execution.formats:
                write_format(self.model, name, directory)
            write_history(directory / HISTORY, self.trained.history)
        summary = self._summary()
        if directory is not None:
            self._write_page(directory, summary)
            storage.write_json(directory / SUMMARY, summary)
        return TrainedNetwork(
            summary, self.trained.history, model=self.model, directory=directory
        )

    def _summary(self) -> dict[str, Any]:
        plan, data, trained = self.plan, self.data, self.trained
        around = dataclasses.asdict(plan.network)
        sizes = {"num_classes": len(data.class_names), "input_shape": tuple(data.image_shape)}
        del around["auxiliary"]  # it is left behind
        return {
            "job": "train",
            "schema": SCHEMA,
            "architecture": plan.architecture.text(),
            "space": plan.architecture.space,
            "parameters": registry.parameters(plan.architecture, **sizes, **around),
            "multiply_adds": registry.multiply_adds(plan.architecture, **sizes, **around),
            "dataset": data.name,
            "split": data.summary()["splits"],
            "class_names": list(data.class_names),
            "input_shape": list(data.image_shape),
            "epochs": trained.epochs,
            "validation_accuracy": trained.validation_accuracy,
            "test_accuracy": trained.test_accuracy,
            "images_per_sec": trained.images_per_sec,
            "training_sec": trained.train_sec,
            "wall_sec": self.execution.wall_sec(),
            "seed": plan.training.seed,
            "scale": plan.scale,
            "reduced": list(plan.reduced),
            "network": dataclasses.asdict(plan.network),
            "titles": {"space": spaces.named(plan.architecture.space).title},
            "settings": plan.settings(),
            "changed_settings": plan.changed_settings(),
            "versions": library_versions(),
        }

    def _write_page(self, directory: pathlib.Path, summary: Mapping[str, Any]) -> None:
        network = packaging.inner_network(self.model)
        table = layer_table(network)
        with storage.atomic_write(directory / LAYERS) as file:
            file.write(table.csv().encode())
        found = self.trained.test_predictions
        test = TestResults(
            probabilities=found.probabilities, labels=found.labels, indices=found.indices
        )
        worst = test.indices[test.worst(_SHOWN)]
        write_training_report(
            directory,
            summary,
            history=self.trained.history,
            class_names=self.data.class_names,
            test=test,
            images=self.data.test.pixels(worst),
            layers=table,
            drawing=draw_network(network),
        )


def write_history(path: pathlib.Path, history: Sequence[Mapping[str, float]]) -> None:
    """Writes the means of every epoch as CSV; what was not measured is an empty field.

    Raises:
        ConfigError: the directory cannot be written.
    """
    names = list(dict.fromkeys(name for values in history for name in values))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *names])
    for epoch, values in enumerate(history, start=1):
        writer.writerow([epoch, *(values.get(name) for name in names)])
    with storage.atomic_write(path) as file:
        file.write(text.getvalue().encode())
