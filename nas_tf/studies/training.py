"""`nas_tf.train`: an architecture and images in, a trained network out.

`nas_tf.train` and `--job=train` are the same code: the job reads its arguments from flags.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from nas_tf.config import Component, settings_of
from nas_tf.core import ConfigError
from nas_tf.datasets import own_images
from nas_tf.datasets.image_data import ImageData, open_data, open_parts
from nas_tf.datasets.settings import Data
from nas_tf.networks.settings import Network
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.studies import training_scale
from nas_tf.studies.architectures import architecture as architecture_of
from nas_tf.studies.directories import finished_summary, held, output_directory
from nas_tf.studies.exporting import check_formats, export_missing
from nas_tf.studies.trained_network import TrainedNetwork
from nas_tf.studies.training_plan import TrainingPlan
from nas_tf.studies.training_run import Execution, run_training
from nas_tf.training.settings import Training

Arrays = tuple[np.ndarray, np.ndarray]


def train(
    architecture: Architecture | str,
    data: str | Data | Arrays = "digits",
    *,
    settings: Training | None = None,
    network: Network | None = None,
    output_dir: str | os.PathLike | None = None,
    scale: str = "full",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    distribution: str = "none",
    checkpoint_sec: float = 30.0,
    export: str | Sequence[str] = (),
    **changed: Any,
) -> TrainedNetwork:
    """Builds the network of an architecture and trains it.

        trained = nas_tf.train("darts_v2", "digits", scale="smoke")
        trained.predict(images).classes

    With an output directory it leaves what `--job=train` leaves, and the same call goes on where
    it was killed or returns what it had finished. A directory that holds other work is refused.

    Args:
        architecture: a value or a text, see `nas_tf.architecture`.
        data: a data set's name, a `Data`, or images uint8 [n, H, W, C] with labels int [n].
        settings: of the training; `Training()` when None.
        network: what is around the architecture; the paper's when None.
        output_dir: where model, summary, report and checkpoints go; None keeps nothing.
        scale: "full", or "smoke" for smaller numbers in all that is not given here by name.
        callbacks: Keras callbacks.
        distribution: "none", "mirrored", "multi_worker" or "tpu".
        checkpoint_sec: least seconds between two checkpoints.
        export: formats that the model is exported in, see `nas_tf.export`.
        **changed: settings of the training by name, such as `epochs=10`, in place of those of
            `settings`.

    Raises:
        ConfigError: a setting is impossible or unknown, or the directory holds other work.
        InvalidArchitectureError: the architecture is none, or cannot be built for such images.
        DataError: images are missing or damaged.
    """
    directory = output_directory(output_dir)
    formats = check_formats(export) if export else ()
    if formats and directory is None:
        raise ConfigError("export: expected an output_dir where the formats go")
    images, data = (data, Data("folder")) if isinstance(data, tuple) else (None, _data(data))
    plan = plan_training(
        architecture, _changed(settings or Training(), changed), network or Network(), data,
        scale=scale, is_fixed=lambda component, name: (
            name in changed if component is Training else component is Data and name in _CHOSEN
        ),
    )
    execution = Execution(
        directory=directory, distribution=distribution, checkpoint_sec=checkpoint_sec,
        callbacks=callbacks, formats=formats,
    )
    found = opened(plan, images)
    if directory is None:
        return run_training(plan, found, execution)
    with held(directory):
        trained = finished(plan, found, directory)
        if trained is None:
            return run_training(plan, found, execution)
        export_missing(trained, formats, directory)
        return trained


_CHOSEN = ("data", "path")  # settings that name images


def plan_training(
    architecture: Architecture | str,
    training: Training,
    network: Network,
    data: Data,
    *,
    scale: str = "full",
    is_fixed: Callable[[type[Component], str], bool] = lambda component, name: False,
) -> TrainingPlan:
    """Returns what is to be trained at a scale.

    Args:
        architecture: a value or a text.
        training: how.
        network: what is around it.
        data: images.
        scale: "full" or "smoke".
        is_fixed: tells of a component and a name whether the scale leaves a setting alone.

    Raises:
        ConfigError: there is no such scale.
        InvalidArchitectureError: the text is no architecture.
    """
    scale = training_scale.Scale(scale).scale
    value = architecture_of(architecture)
    given = {type(one): one for one in (training, network, data)}
    values = training_scale.reduced(scale, value.space, given, is_fixed)
    made = {kind: dataclasses.replace(one, **values[kind]) for kind, one in given.items()}
    return TrainingPlan(
        architecture=value,
        training=made[Training],
        network=made[Network],
        data=made[Data],
        scale=scale,
        reduced=training_scale.lines(values),
    )


def opened(plan: TrainingPlan, images: Arrays | None = None) -> ImageData:
    """Returns the images of a plan, split.

    Raises:
        ConfigError: a setting does not go with them.
        DataError: they are missing or damaged.
    """
    options = {"fraction": plan.training.fraction, "seed": plan.training.seed}
    if images is None:
        return open_data(plan.data, plan.augmentation(), **options)
    if len(images) != 2:
        raise ConfigError(f"data: a tuple of {len(images)}: expected (images, labels)")
    parts = own_images.parts_of(*images)
    return open_parts(own_images.NAME, parts, plan.data, plan.augmentation(), **options)


def finished(
    plan: TrainingPlan, data: ImageData, directory: pathlib.Path
) -> TrainedNetwork | None:
    """Returns the trained network that a directory holds; None where it holds none.

    Raises:
        ConfigError: it holds other work.
    """
    summary = finished_summary(directory)
    if summary is None:
        return None
    expected = {
        "job": "train", "architecture": plan.architecture.text(), "settings": plan.settings(),
        "split": data.summary()["splits"],
    }
    for name, value in json.loads(json.dumps(expected)).items():
        if summary.get(name) != value:
            raise ConfigError(
                f"output_dir={directory}: holds a finished job with another {name}; choose another "
                "directory"
            )
    return TrainedNetwork.load(directory)


def _data(data: str | Data) -> Data:
    if isinstance(data, Data):
        return data
    if not isinstance(data, str):
        raise ConfigError(
            f"data={type(data).__name__}: expected a data set's name, a Data, or (images, labels)"
        )
    return Data(data)


def _changed(settings: Training, changed: Mapping[str, Any]) -> Training:
    known = [field.name for field in settings_of(Training)]
    for name in changed:
        if name not in known:
            raise ConfigError(f"{name}: expected settings of a training: {', '.join(known)}")
    return dataclasses.replace(settings, **changed)
