"""A program that tests start, kill and start again: trains the toy network and saves its weights.

    python -m tests.training.train_toy DIRECTORY OUTPUT [--kill=SIGNAL,EPOCH,BATCH] [--workers]
"""

import argparse
import os
import signal
import sys

import keras
import numpy as np

from nas_tf.core import NasError
from nas_tf.training import pace
from nas_tf.training.classification import train_classifier
from nas_tf.training.determinism import make_deterministic
from nas_tf.training.distribution import make_distribution
from nas_tf.training.progress import Checkpoint
from nas_tf.training.settings import Training
from tests.training.toy_images import ToyData, make_network

SETTINGS = Training(epochs=4, batch_size=8, learning_rate=0.05, warmup_epochs=0.5, ema=0.5,
                    drop_path=0.3, clip_norm=1.0, patience=3, nesterov=True)


class Killer(keras.callbacks.Callback):
    """Sends a signal to the process after a batch of an epoch."""

    saved_attributes = ()

    def __init__(self, name, epoch, batch):
        super().__init__()
        self._signal, self._place = getattr(signal, name), (int(epoch), int(batch))

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self._epoch, batch) == self._place:
            os.kill(os.getpid(), self._signal)


def train(directory=None, callbacks=(), distribution=None, settings=SETTINGS):
    """Trains; every step is a call and every call is saved."""
    strategy = distribution or make_distribution()
    with strategy.scope():
        model = make_network(dropout=0.3)
    checkpoint = directory and Checkpoint(directory, {"toy": 1}, interval_sec=0.0)
    reduce = keras.callbacks.ReduceLROnPlateau("val_loss", patience=1)
    return train_classifier(model, ToyData(), settings, distribution=strategy,
                            callbacks=[reduce, *callbacks], checkpoint=checkpoint)


def save(path, trained):
    """Writes weights and history."""
    values = [[logs[name] for name in sorted(logs) if name != "images_per_sec"]
              for logs in trained.history]
    weights = {f"weight_{n}": w for n, w in enumerate(trained.model.get_weights())}
    np.savez(path, history=np.array(values), **weights)


def main(arguments=None):
    """Trains as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("output")
    parser.add_argument("--kill")
    parser.add_argument("--workers", action="store_true")
    given = parser.parse_args(arguments)
    pace._AIM_SEC = 0.0  # every step is a call
    strategy = make_distribution("multi_worker" if given.workers else "none")
    if not given.workers:
        make_deterministic()
    callbacks = [Killer(*given.kill.split(","))] if given.kill else []
    directory = None if given.directory == "none" else given.directory
    try:
        save(given.output, train(directory, callbacks, strategy))
    except NasError as error:
        print(f"toy: {error}", file=sys.stderr, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
