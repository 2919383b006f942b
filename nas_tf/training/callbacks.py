"""Callbacks of trainings: a progress bar, and drop path that grows."""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import time

import keras

from nas_tf.caching import progress_bar
from nas_tf.layers.drop_path import DropPath


class DropPathSchedule(keras.callbacks.Callback):
    """Lets the probability of a dropped path grow linearly, from 0 in the first pass.

    DARTS (Liu et al., 2019, arXiv:1806.09055) has `rate * pass / passes` in its released code.

    Args:
        rate: towards which it grows.
        epochs: passes.
    """

    def __init__(self, rate: float, epochs: int):
        super().__init__()
        self._rate, self._epochs = rate, epochs

    def on_epoch_begin(self, epoch, logs=None):
        """Sets the weight `rate` of all drop-path layers."""
        for layer in self.model._flatten_layers():
            if isinstance(layer, DropPath):
                layer.rate.assign(self._rate * epoch / self._epochs)


class ProgressBar(keras.callbacks.Callback):
    """One bar over the whole training: pass, loss, accuracies, images a second, time left.

    Args:
        epochs: passes.
        steps: steps a pass.
        batch_size: images a step.
        title: what stands before it.
    """

    saved_attributes = ()

    def __init__(self, epochs: int, steps: int, batch_size: int, title: str = "training"):
        super().__init__()
        self._sizes, self._title = (epochs, steps, batch_size), title
        self._epoch, self._bar, self._shown = 0, None, {}

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the pass."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar; the first call, which may come in the middle of a training, makes it."""
        epochs, steps, batch_size = self._sizes
        done = (self._epoch * steps + batch + 1) * batch_size
        if self._bar is None:
            self._bar = progress_bar(desc=self._title, initial=done, unit="image",
                                     unit_scale=True, dynamic_ncols=True,
                                     total=epochs * steps * batch_size)
        self._shown["epoch"] = f"{self._epoch + 1}/{epochs}"
        self._show(logs)
        self._bar.update(done - self._bar.n)

    def on_epoch_end(self, epoch, logs=None):
        """Shows what validation gave."""
        if self._bar is not None:
            self._show(logs)

    def close(self) -> None:
        """Leaves the bar as it is and ends its line."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, logs) -> None:
        names = ("loss", "accuracy", "val_accuracy")
        self._shown |= {name: f"{logs[name]:.4f}" for name in names if name in logs}
        self._bar.set_postfix(self._shown, refresh=False)


class Throughput(keras.callbacks.Callback):
    """Measures images a second of this process, without its first call, which compiles.

    Args:
        batch_size: images a step.

    Attributes:
        images_per_sec: so far; NaN before the second call.
    """

    saved_attributes = ()

    def __init__(self, batch_size: int):
        super().__init__()
        self._batch_size, self._begin = batch_size, None
        self._images, self._seconds, self._calls = 0, 0.0, 0

    @property
    def images_per_sec(self) -> float:
        """See the class."""
        return self._images / self._seconds if self._seconds else float("nan")

    def on_train_batch_begin(self, batch, logs=None):
        """A compiled call begins."""
        self._begin = (batch, time.monotonic())

    def on_train_batch_end(self, batch, logs=None):
        """A compiled call has ended."""
        first, started = self._begin
        self._calls += 1
        if self._calls > 1:
            self._images += (batch + 1 - first) * self._batch_size
            self._seconds += time.monotonic() - started
