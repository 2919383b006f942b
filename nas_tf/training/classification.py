"""Training a classifier of images from its settings, the way the papers do.

    with strategy.scope(), precision(settings.precision):
        model = build_network(...)
    trained = train_classifier(model, data, settings, distribution=strategy)

The seed of a training decides the order and variation of images (through the data), dropped paths
and features; first weights are the model's: `keras.utils.set_random_seed(seed)` before it is built
makes them repeatable.

Shapes: n test images, K classes, H and W pixels, C channels.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nas_tf.core import ConfigError, DataError
from nas_tf.training.callbacks import DropPathSchedule, ProgressBar, Throughput
from nas_tf.training.losses import METRIC_NAMES, class_outputs, classification_loss
from nas_tf.training.optimizers import make_optimizer
from nas_tf.training.progress import Checkpoint
from nas_tf.training.schedules import make_schedule
from nas_tf.training.settings import Training
from nas_tf.training.trainer import Trainer


@dataclasses.dataclass(frozen=True)
class TestPredictions:
    """What a trained model says of the test images.

    Attributes:
        probabilities: float32 [n, K].
        labels: int32 [n].
        indices: int64 [n], positions in the test split.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    indices: np.ndarray

    __test__ = False  # no tests, whatever its name

    @property
    def accuracy(self) -> float:
        """Share of the images whose likeliest class is right."""
        return float((self.probabilities.argmax(axis=-1) == self.labels).mean())


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained classifier; accuracies are shares.

    Attributes:
        model: with its final weights; of an early stop those of the best pass.
        history: a dictionary a pass: `loss`, `accuracy`, `validation_loss`,
            `validation_accuracy`, `learning_rate` and, where it was measured, `images_per_sec`.
        validation_accuracy: of the final weights; None without validation images.
        test_accuracy: of the final weights; None where no test images were asked for.
        epochs: passes made.
        images_per_sec: of this process, without compilation; NaN if it trained too little.
        train_sec: seconds in training steps, over all processes that took part.
        wall_sec: seconds of this process, validation and tests included.
        test_predictions: or None.
    """

    model: keras.Model
    history: list[dict[str, float]]
    validation_accuracy: float | None
    test_accuracy: float | None
    epochs: int
    images_per_sec: float
    train_sec: float
    wall_sec: float
    test_predictions: TestPredictions | None

    def mean_validation_accuracy(self, last: int) -> float:
        """Returns the mean of the last passes' validation accuracies.

        Args:
            last: how many passes; of a shorter training all.

        Raises:
            ConfigError: there was no validation.
        """
        if self.validation_accuracy is None:
            raise ConfigError("validation=0: there are no validation accuracies")
        values = [logs["validation_accuracy"] for logs in self.history[-last:]]
        return float(np.mean(values))


def train_classifier(
    model: keras.Model,
    data: Any,
    settings: Training,
    *,
    distribution: tf.distribute.Strategy | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    checkpoint: Checkpoint | None = None,
    validation_from: int = 0,
    test: bool = True,
    title: str = "training",
) -> Trained:
    """Trains a model on images, validates it after every pass and tests it once, at the end.

    With `schedule="constant"` and no warm-up the learning rate is the optimizer's, which
    callbacks such as ReduceLROnPlateau may change; any other schedule sets it every step.

    Args:
        model: of images [b, H, W, C] to logits [b, K], or to those and an auxiliary head's; made
            in the distribution's scope and, for 16 bits, within `precision(...)`.
        data: `train`, `validation` (or None) and `test` pipelines (`training.feeds`), and
            `class_names`; see `datasets.image_data`.
        settings: of the training.
        distribution: strategy; None is one device.
        callbacks: Keras callbacks beside those of the settings.
        checkpoint: where the training is saved and taken up again.
        validation_from: number of the first pass after which the validation images are measured.
        test: measure the test images.
        title: before the progress bar.

    Raises:
        ConfigError: settings, data and model do not go together.
        DataError: a label is none of the classes, or an image is damaged.
        DivergedError: the loss is infinite or NaN.
    """
    started = time.monotonic()
    _check(model, data, settings)
    trainer = make_classification_trainer(model, settings, distribution)
    steps = data.train.steps(settings.batch_size)
    clock = Throughput(settings.batch_size)
    bar = ProgressBar(settings.epochs, steps, settings.batch_size, title)
    with contextlib.closing(bar), _damage_explained(data):
        history = trainer.fit(
            data.train, epochs=settings.epochs, learning_rate=_learning_rate(settings, steps),
            callbacks=[clock, bar, *_callbacks_of(settings), *callbacks], checkpoint=checkpoint,
            validation=data.validation, validation_from=validation_from,
        )
        accuracy = _final_accuracy(trainer, data, history, [*_callbacks_of(settings), *callbacks])
        predictions = _test(trainer, data.test) if test else None
    return Trained(
        model=model,
        history=[{_long(name): value for name, value in logs.items()} for logs in history],
        validation_accuracy=accuracy,
        test_accuracy=predictions and predictions.accuracy,
        epochs=len(history),
        images_per_sec=clock.images_per_sec,
        train_sec=trainer.train_sec,
        wall_sec=time.monotonic() - started,
        test_predictions=predictions,
    )


def make_classification_trainer(
    model: keras.Model, settings: Training, distribution: tf.distribute.Strategy | None = None
) -> Trainer:
    """Returns a trainer of a classifier, with the optimizer and the loss of its settings."""
    strategy = distribution or tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync > 1:
        synchronise_norms(model)
    with strategy.scope():
        optimizer = make_optimizer(settings, model)
    loss = classification_loss(
        smoothing=settings.label_smoothing, auxiliary_weight=settings.auxiliary_weight
    )
    return Trainer(
        model, optimizer, loss, batch_size=settings.batch_size, metric_names=METRIC_NAMES,
        distribution=strategy, clip_norm=settings.clip_norm, steps_per_call=None,
        seed=settings.seed, accumulate=settings.accumulate,
        loss_scaling=settings.precision == "float16",
    )


def synchronise_norms(model: keras.Model) -> None:
    """Lets batch norms take their statistics from the whole batch, of all replicas."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def _check(model: keras.Model, data: Any, settings: Training) -> None:
    """Refuses what cannot be trained, before anything is compiled."""
    outputs = model.output_shape
    classes = (outputs[0] if isinstance(outputs, list) else outputs)[-1]
    if classes != len(data.class_names):
        raise ConfigError(
            f"num_classes={classes}: the model's classes; the data have {len(data.class_names)}"
        )
    for name in ("train", "validation", "test"):
        _check_labels(name, getattr(data, name), classes)
    if settings.patience is not None and data.validation is None:
        raise ConfigError(f"patience={settings.patience}: there are no validation images")
    formats = {layer.compute_dtype for layer in model._flatten_layers()} - {"float32"}
    if formats != {settings.precision} - {"float32"}:
        raise ConfigError(
            f"precision={settings.precision}: the model was made for "
            f"{', '.join(sorted(formats)) or 'float32'}; make it within "
            "training.precision.precision(...)"
        )


def _check_labels(name: str, pipeline: Any, classes: int) -> None:
    labels = getattr(pipeline, "labels", None)
    if labels is None or not len(labels):
        return
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        raise DataError(
            f"{name} images: label {labels[wrong[0]]} of image {wrong[0]}; expected 0 to "
            f"{classes - 1}"
        )


def _learning_rate(settings: Training, steps: int):
    if settings.schedule == "constant" and not settings.warmup_epochs:
        return None
    return make_schedule(settings, steps)


def _callbacks_of(settings: Training) -> list[keras.callbacks.Callback]:
    """Returns what the settings ask for."""
    callbacks = []
    if settings.drop_path:
        callbacks.append(DropPathSchedule(settings.drop_path, settings.epochs))
    if settings.patience is not None:
        callbacks.append(keras.callbacks.EarlyStopping(
            "val_accuracy", mode="max", patience=settings.patience, restore_best_weights=True
        ))
    return callbacks


def _final_accuracy(trainer: Trainer, data: Any, history, callbacks) -> float | None:
    """Returns the validation accuracy of the final weights; None without validation images.

    After the last pass it has been measured, unless a callback went back to earlier weights.
    """
    if data.validation is None:
        return None
    known = history[-1].get("val_accuracy")
    if known is None or any(isinstance(one, keras.callbacks.EarlyStopping) for one in callbacks):
        return trainer.evaluate(data.validation)["accuracy"]
    return known


def _test(trainer: Trainer, pipeline: Any) -> TestPredictions:
    found = trainer.predict(pipeline, class_outputs)
    return TestPredictions(found["probabilities"], found["label"], found["index"])


@contextlib.contextmanager
def _damage_explained(data: Any) -> Iterator[None]:
    """Names the file where TensorFlow says only that an image is damaged."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        pipelines = (data.train, data.validation, data.test)
        reasons = (p.explain(error) for p in pipelines if hasattr(p, "explain"))
        reason = next((reason for reason in reasons if reason is not None), None)
        if reason is None:
            raise
        raise reason from None


def _long(name: str) -> str:
    return name.replace("val_", "validation_", 1) if name.startswith("val_") else name
