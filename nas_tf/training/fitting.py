"""One training from its start, or its last checkpoint, to its end.

Shapes: K reported quantities, S steps of a call.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import contextlib
import time
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from nas_tf.core import DivergedError, Interrupted, NasError
from nas_tf.training.averages import averaged, keep_averages
from nas_tf.training.callback_state import CallbackState, prepare_monitors, resume_csv
from nas_tf.training.distribution import is_chief, is_several_processes
from nas_tf.training.feeds import ArrayFeed
from nas_tf.training.progress import Progress
from nas_tf.training.signals import SignalNoted, noted_signals

LearningRate = float | Callable[[np.ndarray], np.ndarray]

_LOST_WORKER = (
    tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError,
    tf.errors.InternalError, tf.errors.DeadlineExceededError, tf.errors.FailedPreconditionError,
)


class Fitting:
    """What `Trainer.fit` does; see there for the arguments.

    Args:
        trainer: whose model is trained.
        feed: of the batches.
        pace: decides the steps of a call.
        **others: as in `Trainer.fit`.
    """

    def __init__(self, trainer, feed, *, pace, epochs, learning_rate, callbacks, checkpoint,
                 validation, validation_from=0):
        self._trainer, self._feed, self._pace = trainer, feed, pace
        self._epochs, self._learning_rate = epochs, learning_rate
        self._checkpoint, self._validation = checkpoint, validation
        self._validation_from = validation_from
        self._callbacks = list(callbacks)
        self._progress = Progress(trainer.names)
        self._elapsed = 0.0
        self._epoch_sec, self._epoch_images = 0.0, 0

    def run(self) -> list[dict[str, float]]:
        """Trains; returns the means of every pass."""
        if self._checkpoint is not None:
            trainer = self._trainer
            self._progress = self._checkpoint.restore(
                trainer.model, trainer.optimizer, trainer.names,
                others=trainer.step.saved_variables(), writes=is_chief(trainer.distribution),
            )
        prepare_monitors(self._callbacks)
        resume_csv(self._callbacks, self._progress.epoch)
        with noted_signals(self._checkpoint is not None) as self._signals, self._attached():
            try:
                with _lost_workers(self._trainer.distribution):
                    self._train()
            except SignalNoted:
                self._save(final=True)
        if self._signals.deliver():  # and who had it goes on, such as a search, which saves itself
            raise Interrupted("the training was interrupted; the same call goes on with it")
        self._trainer.train_sec = self._progress.train_sec
        return self._progress.history

    @contextlib.contextmanager
    def _attached(self) -> Iterator[None]:
        """Lets callbacks find the optimizer and the wish to stop at the model."""
        model = self._trainer.model
        earlier = getattr(model, "optimizer", None)
        model.optimizer, model.stop_training = self._trainer.optimizer, False
        try:
            yield
        finally:
            model.optimizer = earlier

    def _train(self) -> None:
        trainer, progress = self._trainer, self._progress
        self._watchers = keras.callbacks.CallbackList(
            self._callbacks, model=trainer.model, epochs=self._epochs, steps=self._feed.steps,
            verbose=0,
        )
        self._watchers.on_train_begin()
        self._state = CallbackState(self._watchers.callbacks)
        self._take_up()
        while progress.epoch < self._epochs and not progress.stopped:
            self._train_epoch()
        keep_averages(trainer.model, trainer.optimizer)
        self._watchers.on_train_end(progress.history[-1] if progress.history else None)

    def _take_up(self) -> None:
        """Puts everything where the checkpoint has it, whatever callbacks did at the beginning."""
        progress = self._progress
        if progress.step:
            self._watchers.on_epoch_begin(progress.epoch)
        if progress.step or progress.epoch:
            self._checkpoint.reload()
            self._state.restore(self._checkpoint.state)

    def _train_epoch(self) -> None:
        progress = self._progress
        self._epoch_sec, self._epoch_images = 0.0, 0
        if not progress.step:
            self._watchers.on_epoch_begin(progress.epoch)
        if progress.step < self._feed.steps:
            self._feed.open(progress.epoch, progress.step)
        while progress.step < self._feed.steps:
            self._train_call()
        with averaged(self._trainer.model, self._trainer.optimizer):
            logs = progress.end_epoch(self._other_logs())
            self._watchers.on_epoch_end(progress.epoch - 1, dict(logs))
        progress.stopped = bool(self._trainer.model.stop_training)
        self._save(final=progress.epoch == self._epochs or progress.stopped)

    def _train_call(self) -> None:
        """Makes one compiled call."""
        progress, feed = self._progress, self._feed
        self._signals.check()
        count = min(self._pace.steps, feed.steps - progress.step)
        self._watchers.on_train_batch_begin(progress.step)
        started = time.monotonic()
        self._call(count)
        self._signals.held = True  # from here on there is something to save
        self._measure(count, time.monotonic() - started)
        self._watchers.on_train_batch_end(progress.step - 1, progress.means())
        self._signals.check()
        if progress.step < feed.steps:
            self._save()

    def _call(self, count: int) -> None:
        progress, feed, rate = self._progress, self._feed, self._learning_rate
        first = progress.epoch * feed.steps + progress.step
        numbers = np.arange(first, first + count)
        if rate is not None:
            rate = np.asarray(rate(numbers) if callable(rate) else np.full(count, rate))
        sums, bad, self._shared_sec = self._trainer.call(
            feed, progress.step, rate, count=count, first=first, sums=progress.sums,
            elapsed=self._elapsed,
        )
        images = count * self._trainer.batch_size
        if isinstance(feed, ArrayFeed):
            progress.add(sums.numpy(), count, images)
            return
        if bad.numpy() >= 0:
            raise self._diverged(int(bad))
        progress.advance(sums.numpy(), count, images)

    def _measure(self, count: int, seconds: float) -> None:
        self._progress.train_sec += seconds
        if self._pace.compiled:
            self._epoch_sec += seconds
            self._epoch_images += count * self._trainer.batch_size
        if not is_several_processes(self._trainer.distribution):
            self._pace.took(count, seconds)
            return
        # All processes have to make as many steps: they go by the mean of the call before.
        earlier, self._elapsed = self._elapsed, seconds / count
        if earlier and self._shared_sec is not None:
            self._pace.took(1, float(self._shared_sec))

    def _other_logs(self) -> dict[str, float]:
        logs = {}
        if self._validation is not None and self._progress.epoch >= self._validation_from:
            logs |= {f"val_{name}": value for name, value in self._validate().items()}
        if not isinstance(self._feed, ArrayFeed):
            rate = self._trainer.optimizer.learning_rate
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(rate))
            if self._epoch_sec:
                logs["images_per_sec"] = self._epoch_images / self._epoch_sec
        return logs

    def _validate(self) -> dict[str, float]:
        def on_call(first: int, last: int) -> None:
            self._watchers.on_test_batch_begin(first)
            self._watchers.on_test_batch_end(last)
            self._signals.check()

        self._watchers.on_test_begin()
        logs = self._trainer.evaluate(self._validation, on_call)
        self._watchers.on_test_end(dict(logs))
        return logs

    def _save(self, *, final: bool = False) -> None:
        if self._checkpoint is not None:
            self._checkpoint.save_if_due(
                self._progress, final=final, state=lambda: self._state.to_bytes()
            )

    def _diverged(self, step: int) -> DivergedError:
        newest = self._checkpoint and self._checkpoint.newest
        kept = f"; its last checkpoint is sound: {newest}" if newest else ""
        return DivergedError(
            f"the training diverged: the loss is no number at step {step % self._feed.steps + 1} "
            f"of pass {step // self._feed.steps + 1}; lower the learning rate or clip the "
            f"gradient{kept}"
        )


@contextlib.contextmanager
def _lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Says in one line that another worker has ended."""
    try:
        yield
    except _LOST_WORKER as error:
        if not is_several_processes(strategy):
            raise
        raise NasError(
            "another worker has ended or cannot be reached; start all workers again: they go on "
            f"from the last checkpoint ({type(error).__name__})"
        ) from None
