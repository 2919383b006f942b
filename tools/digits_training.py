"""Trains one NAS-Bench-101 cell on scikit-learn's handwritten digits, as the embedded table does."""

import dataclasses
import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from sklearn import datasets

from nas_tf.networks.nasbench101 import build_network
from nas_tf.training.schedules import cosine_decay
from nas_tf.training.trainer import Trainer


@dataclasses.dataclass(frozen=True)
class DigitsProtocol:
    """How a cell is trained and measured.

    The training split is small and the learning rate is not tuned to any cell, so that accuracies
    spread. The seed of a repeat decides weights and the order of examples; the split is always
    the same.
    """

    train_images: int = 128
    validation_images: int = 669
    test_images: int = 1000
    split_seed: int = 101
    stem_channels: int = 12
    num_stacks: int = 3
    cells_per_stack: int = 1
    batch_norm_momentum: float = 0.7
    batch_size: int = 64
    learning_rate: float = 0.5
    budgets: tuple[int, ...] = (4, 12, 36)
    seeds: tuple[int, ...] = (1, 2, 3)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What training one cell gave.

    Attributes:
        trainable_parameters: of the network.
        evaluations: float64 [budgets, repeats, 3, 4]: at the start, half-way and the end of
            training, its CPU seconds so far and training, validation and test accuracy.
    """

    trainable_parameters: int
    evaluations: np.ndarray


def load_digits(protocol: DigitsProtocol) -> dict[str, np.ndarray]:
    """Returns image float32 [1797, 8, 8, 1] in [0, 1] and label int32 [1797].

    The training split comes first, then validation, then test.
    """
    digits = datasets.load_digits()
    order = np.random.default_rng(protocol.split_seed).permutation(len(digits.target))
    images = (digits.images[order, ..., None] / 16.0).astype(np.float32)
    return {"image": images, "label": digits.target[order].astype(np.int32)}


def classification_loss(model, batch, random, training):
    """Cross-entropy, and whether the likeliest class is right; both [b]. See `Trainer`."""
    logits = model(batch["image"], training=training)
    right = tf.argmax(logits, axis=-1, output_type=tf.int32) == batch["label"]
    return {
        "loss": tf.nn.sparse_softmax_cross_entropy_with_logits(batch["label"], logits),
        "accuracy": tf.cast(right, tf.float32),
    }


def measure(matrix: np.ndarray, ops: Sequence[int], protocol: DigitsProtocol) -> Measurement:
    """Trains a cell for every budget and repeat.

    Args:
        matrix: pruned adjacency [V, V].
        ops: V operation codes of `spaces.nasbench101`.
        protocol: sizes, seeds and budgets.
    """
    images = load_digits(protocol)
    train = {name: array[: protocol.train_images] for name, array in images.items()}
    model = build_network(
        matrix,
        ops,
        input_shape=(8, 8, 1),
        num_classes=10,
        stem_channels=protocol.stem_channels,
        num_stacks=protocol.num_stacks,
        cells_per_stack=protocol.cells_per_stack,
        batch_norm_momentum=protocol.batch_norm_momentum,
    )
    trainer = Trainer(
        model,
        keras.optimizers.SGD(protocol.learning_rate),
        classification_loss,
        batch_size=protocol.batch_size,
        metric_names=("accuracy",),
    )
    trainer.fit(train, epochs=1, learning_rate=0.0)  # compiles, so that no repeat pays for it
    starts = {seed: _start(trainer, images, seed, protocol) for seed in protocol.seeds}
    evaluations = [
        [
            [starts[seed], *_train(trainer, images, train, epochs, seed, protocol)]
            for seed in protocol.seeds
        ]
        for epochs in protocol.budgets
    ]
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return Measurement(parameters, np.array(evaluations))


def _start(trainer: Trainer, images, seed: int, protocol: DigitsProtocol) -> list[float]:
    """Returns the evaluation of fresh weights, [4]; the same for every budget."""
    trainer.reset(seed)
    return [0.0, *_accuracies(trainer, images, protocol)]


def _train(trainer, images, train, epochs: int, seed: int, protocol: DigitsProtocol):
    """Trains from fresh weights; returns the evaluations half-way and at the end, [2, 4]."""
    trainer.reset(seed)
    clock = _Clock(lambda: _accuracies(trainer, images, protocol), halfway=epochs // 2)
    steps = epochs * (protocol.train_images // protocol.batch_size)
    trainer.fit(
        train,
        epochs=epochs,
        learning_rate=cosine_decay(protocol.learning_rate, steps),
        callbacks=[clock],
    )
    return clock.halfway_evaluation, [clock.cpu_sec, *clock.evaluate()]


def _accuracies(trainer: Trainer, images, protocol: DigitsProtocol) -> list[float]:
    """Returns training, validation and test accuracy."""
    right = trainer.predict(images)["accuracy"].astype(np.float64)
    ends = np.cumsum([protocol.train_images, protocol.validation_images])
    return [float(part.mean()) for part in np.split(right, ends)]


class _Clock(keras.callbacks.Callback):
    """Adds up the CPU seconds of epochs, so that neither evaluation nor other programs count."""

    def __init__(self, evaluate, halfway: int):
        super().__init__()
        self.evaluate = evaluate
        self.cpu_sec = 0.0
        self.halfway_evaluation = None
        self._halfway = halfway

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        self.cpu_sec += time.process_time() - self._started
        if epoch + 1 == self._halfway:
            self.halfway_evaluation = [self.cpu_sec, *self.evaluate()]
