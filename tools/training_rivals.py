"""Trainings that `tools.benchmark_training` lets run in turns, each in a process of its own.

    python -m tools.training_rivals darts fit    # runs a pass for every line it reads

Three of them train the same network on the same images, batch by batch of one size, with the same
optimizer: `fit` is the plainest `Model.fit`, on arrays; `plain` is the trainer on its pipeline;
`everything` is what a job does, with augmentation, TensorBoard, checkpoints, schedules and a progress
bar. Both of ours are deterministic, as every training of the library is.
"""

import dataclasses
import json
import pathlib
import sys
import tempfile
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nas_tf.datasets import own_images
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.image_data import ImageData, open_parts
from nas_tf.datasets.settings import Data
from nas_tf.networks import registry
from nas_tf.training.classification import make_classification_trainer, train_classifier
from nas_tf.training.determinism import make_deterministic
from nas_tf.training.feeds import PipelineFeed
from nas_tf.training.optimizers import make_optimizer
from nas_tf.training.progress import Checkpoint
from nas_tf.training.settings import Training
from nas_tf.training.tensorboard import TensorBoardLog
from tools.benchmark_data import peak_mb

_CONFIGS = pathlib.Path(__file__).resolve().parent.parent / "configs"
_CLASSES = 10
_PASSES = 10_000  # more than anybody asks for
_CHECKPOINT_SEC = 90.0  # half a minute of a training that waits two thirds of its time


@dataclasses.dataclass(frozen=True)
class Contest:
    """What is trained.

    Attributes:
        flagfile: has the architecture.
        batch_size: images a step.
        steps: of a pass; one pass is measured at a time.
        size: height and width of images.
        around: the network, see `networks.registry.build`.
    """

    flagfile: str
    batch_size: int
    steps: int
    size: int = 32
    around: dict[str, Any] = dataclasses.field(default_factory=dict)

    def architecture(self) -> str:
        """Returns the architecture that the flagfile trains."""
        lines = (_CONFIGS / self.flagfile).read_text("utf-8").splitlines()
        flag = "--architecture="
        return next(line for line in lines if line.startswith(flag)).removeprefix(flag)

    def model(self) -> keras.Model:
        """Builds the network; its first weights are always the same."""
        keras.utils.set_random_seed(0)
        return registry.build(
            self.architecture(), num_classes=_CLASSES, input_shape=(self.size, self.size, 3),
            **self.around,
        )

    def training(self) -> Training:
        """Returns how it is trained, but for what only `everything` has."""
        return Training(epochs=_PASSES, batch_size=self.batch_size, schedule="constant")

    def data(self, augmentation: Augmentation) -> ImageData:
        """Returns invented images, as many in the training split as a pass takes."""
        wanted = self.batch_size * self.steps
        count = wanted * 5 // 4 + _CLASSES  # a fifth is held out for tests
        rng = np.random.default_rng(0)
        images = rng.integers(256, size=(count, self.size, self.size, 3), dtype=np.uint8)
        parts = own_images.parts_of(images, np.arange(count) % _CLASSES)
        data = Data("folder", validation=0.0, limit=wanted)
        return open_parts(own_images.NAME, parts, data, augmentation)


CONTESTS = {
    "darts": Contest("darts_final.flags", 32, 32, around={"channels": 16, "cells": 8}),
    "randwire": Contest("randwire_final.flags", 16, 16, size=64),
    "enas": Contest("enas_final.flags", 32, 48, around={"channels": 24}),
    "nasbench101": Contest("nb101_final.flags", 8, 16),
    "nasbench201": Contest("nb201_final.flags", 32, 28),
}


class _Enough(Exception):
    """Nobody asks for another pass."""


class Turns(keras.callbacks.Callback):
    """Waits before every pass but the first until a line is read, and writes what it took.

    That is seconds, and seconds of the processors, which depend less on what else is running. A
    pass is over when the next begins, so that what follows its end counts as well.
    """

    saved_attributes = ()

    def __init__(self):
        super().__init__()
        self._started = None

    def on_epoch_begin(self, epoch, logs=None):
        """Ends a pass and begins the next when it is asked for."""
        if epoch:
            say(self._taken())
            if not sys.stdin.readline().strip():
                raise _Enough
            self._started = time.monotonic(), time.process_time()

    def _taken(self) -> list[float]:
        if self._started is None:
            return []
        wall, processors = self._started
        return [time.monotonic() - wall, time.process_time() - processors]


def say(value: Any) -> None:
    """Writes a value for the benchmark to read, a line of JSON."""
    print(json.dumps(value), flush=True)


def run_fit(contest: Contest) -> dict[str, float]:
    """Trains with `Model.fit`; returns what was measured beside seconds."""
    data, model = contest.data(Augmentation()), contest.model()
    optimizer = make_optimizer(contest.training(), model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    count = contest.batch_size * contest.steps
    pixels = data.train.pixels(range(count))
    images = ((pixels - np.array(data.mean)) / np.array(data.std)).astype(np.float32)
    try:
        model.fit(images, data.train.labels[:count], batch_size=contest.batch_size,
                  epochs=_PASSES, verbose=0, callbacks=[Turns()])
    except _Enough:
        return {"peak_mb": peak_mb()}


def run_plain(contest: Contest) -> dict[str, float]:
    """Trains with the trainer alone, on a pipeline of unchanged images."""
    make_deterministic(0)
    data, model = contest.data(Augmentation()), contest.model()
    trainer = make_classification_trainer(model, contest.training())
    try:
        trainer.fit(data.train, epochs=_PASSES, callbacks=[Turns()])
    except _Enough:
        return {"peak_mb": peak_mb()}


def run_everything(contest: Contest) -> dict[str, float]:
    """Trains as a job does; measures the waiting for input too."""
    make_deterministic(0)
    settings = dataclasses.replace(
        contest.training(), schedule="cosine", cutout=contest.size // 2, label_smoothing=0.1,
        clip_norm=5.0,
    )
    varied = Augmentation(crop_padding=None, flip=True, cutout=settings.cutout)
    data, model = contest.data(varied), contest.model()
    with tempfile.TemporaryDirectory() as directory:
        log = TensorBoardLog(
            f"{directory}/tensorboard", steps=contest.steps, batch_size=contest.batch_size,
            images=data.train.pixels(range(16)) / np.float32(255),
        )
        try:
            train_classifier(
                model, data, settings, callbacks=[log, Turns()], test=False,
                checkpoint=Checkpoint(f"{directory}/checkpoints", {}, _CHECKPOINT_SEC),
            )
        except _Enough:
            log.close()
    peak = peak_mb()
    return {"peak_mb": peak, "waiting": waiting_share(model, data, settings, contest.steps)}


def waiting_share(model: keras.Model, data: ImageData, settings: Training, steps: int) -> float:
    """Returns the share of its time in which a step waits for its batch.

    A pass's first batch is left out: until it is there the pipeline begins, which the seconds of
    passes have in them.
    """
    trainer = make_classification_trainer(model, settings)
    seed = tf.constant(0)

    @tf.function
    def step(batch, number):
        return trainer.step(PipelineFeed.fetch, (batch,), number, seed)

    waited = total = 0.0
    for epoch in range(2):  # the first compiles
        batches = iter(data.train.batches(settings.batch_size, epoch=epoch))
        batch = next(batches)
        waited = total = 0.0
        for number in range(1, steps):
            begun = time.monotonic()
            step(batch, tf.constant(number)).numpy()
            made = time.monotonic()
            batch = next(batches)
            got = time.monotonic()
            waited, total = waited + got - made, total + got - begun
    return waited / total


KINDS = {"fit": run_fit, "plain": run_plain, "everything": run_everything}


def main(arguments: list[str]) -> None:
    """Runs a training of a network for as long as it is asked for passes."""
    name, kind = arguments
    say(KINDS[kind](CONTESTS[name]))


if __name__ == "__main__":
    main(sys.argv[1:])
