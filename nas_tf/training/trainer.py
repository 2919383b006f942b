"""The one loop that fits weights.

A compiled `strategy.run` loop over arrays held in memory or over a pipeline. The same program runs
on one device and on several replicas; see `training.steps`.

Shapes: n examples, B the global batch, b the part of it on one replica, S steps of one call,
K reported quantities.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import time
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from nas_tf.core import ConfigError, Stream, generator
from nas_tf.training.distribution import is_several_processes
from nas_tf.training.feeds import ArrayFeed, Arrays, Pipeline, PipelineFeed, is_pipeline
from nas_tf.training.fitting import Fitting, LearningRate
from nas_tf.training.pace import Pace
from nas_tf.training.progress import Checkpoint
from nas_tf.training.step_random import StepRandom
from nas_tf.training.steps import Batch, LossFunction, TrainStep

_EVALUATION_STEPS = 64  # at most in a call, where workers have to agree
OutputFunction = Callable[[keras.Model, Batch], dict[str, tf.Tensor]]


class Trainer:
    """Fits a model's weights by gradient descent.

    Create the model and the optimizer inside `distribution.scope()`.

    Args:
        model: a built Keras model.
        optimizer: a Keras optimizer with a plain number as its learning rate.
        loss_fn: (model, batch, random, training) -> quantities [b] of every example; "loss" is
            what is minimised, the means of all are reported. Layers that draw from
            `layers.noise` draw from `random`.
        batch_size: global batch B, a multiple of the number of replicas.
        metric_names: names of the quantities beside "loss".
        distribution: strategy; None is one device.
        clip_norm: bound on the global norm of the gradient; None is no bound.
        jit_compile: compile with XLA; for one device and models of fixed shapes.
        steps_per_call: S, training steps in a call of the compiled program; None is about a
            second's worth.
        seed: decides the order of arrays and all noise.
        accumulate: parts that a replica's batch is gone through in, one after the other; without
            batch norm the same up to rounding.
        loss_scaling: for models in float16.

    Attributes:
        train_sec: seconds in the training steps of the last fit, over all processes that took part.

    Raises:
        ConfigError: the batch cannot be divided among the replicas and parts.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        loss_fn: LossFunction,
        *,
        batch_size: int,
        metric_names: Sequence[str] = (),
        distribution: tf.distribute.Strategy | None = None,
        clip_norm: float | None = None,
        jit_compile: bool = False,
        steps_per_call: int | None = 100,
        seed: int = 0,
        accumulate: int = 1,
        loss_scaling: bool = False,
    ):
        self.model = model
        self.optimizer = optimizer
        self.names = ("loss", *metric_names)
        self.batch_size = batch_size
        self.seed = seed
        self.train_sec = 0.0
        self.distribution = distribution or tf.distribute.get_strategy()
        self._is_shared = is_several_processes(self.distribution)
        self._loss_fn = loss_fn
        self._jit_compile = jit_compile
        self._steps_per_call = steps_per_call
        _check_batch(batch_size, self.distribution.num_replicas_in_sync, accumulate)
        with self.distribution.scope():
            optimizer.build(model.trainable_variables)
        self.step = TrainStep(
            model, optimizer, loss_fn, names=self.names, batch_size=batch_size,
            distribution=self.distribution, clip_norm=clip_norm, parts=accumulate,
            loss_scaling=loss_scaling,
        )
        compiled = jit_compile or None
        self._train_arrays = tf.function(self._train_steps, jit_compile=compiled)
        self._train_batches = tf.function(self._train_steps)
        self._predict_arrays = tf.function(self._predict, jit_compile=compiled)
        self._evaluate_batches = tf.function(self._evaluate_steps)

    def fit(
        self,
        data: Arrays | Pipeline,
        *,
        epochs: int,
        learning_rate: LearningRate | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        checkpoint: Checkpoint | None = None,
        validation: Arrays | Pipeline | None = None,
        validation_from: int = 0,
    ) -> list[dict[str, float]]:
        """Trains for `epochs` passes, or until `model.stop_training` is set.

        Examples beyond a pass's last full batch sit that pass out. The model's optimizer is at
        `model.optimizer` meanwhile, for callbacks. SIGTERM and SIGINT wait until the compiled call
        has ended and the state is saved, if there is a checkpoint.

        Args:
            data: examples: arrays [n, ...], or a pipeline (`training.feeds`).
            epochs: passes over the examples.
            learning_rate: a number, or a function from step numbers [S] to learning rates [S];
                None is what the optimizer has, which callbacks may change.
            callbacks: Keras callbacks; a "train batch" is a compiled call, and its number at its
                end that of the last step within the pass. What they remember is saved with the
                checkpoint; see `training.callback_state`.
            checkpoint: where training is saved and taken up again.
            validation: measured after every pass, as `val_...`.
            validation_from: number of the first pass after which it is.

        Returns:
            means of all quantities, one dictionary a pass. Of a pipeline it has the learning rate
            and the images a second, too.

        Raises:
            ConfigError: fewer examples than a batch, or a checkpoint of other settings.
            DivergedError: the loss of a pipeline is infinite or NaN.
            NasError: another worker has ended.
        """
        fitting = Fitting(
            self, self._feed(data), epochs=epochs, learning_rate=learning_rate,
            callbacks=callbacks, checkpoint=checkpoint, validation=validation,
            validation_from=validation_from,
            pace=Pace(self._steps_per_call),
        )
        return fitting.run()

    def reset(self, seed: int) -> None:
        """Gives the model fresh weights and forgets what the optimizer gathered.

        Kernels (weights of two or more dimensions) are drawn from He's normal distribution, of
        variance 2 / inputs; biases and offsets become 0, scales and variances 1; the integer
        states of random generators are drawn too.

        Args:
            seed: decides the weights and, from now on, the order of examples and all noise.
        """
        self.seed = seed
        rng = generator(seed, Stream.TRAINING)
        for variable in self.model.variables:
            shape = tuple(variable.shape)
            if np.issubdtype(variable.dtype, np.integer):
                value = rng.integers(2**31, size=shape)
            elif len(shape) >= 2:
                value = rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[:-1])), shape)
            else:
                value = np.full(shape, float(variable.name in ("gamma", "moving_variance")))
            variable.assign(value.astype(variable.dtype))
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        self.step.reset()

    def predict(
        self, data: Arrays | Pipeline, outputs: OutputFunction | None = None
    ) -> dict[str, np.ndarray]:
        """Returns quantities of every example, [n, ...] each, without training.

        Args:
            data: arrays, which are read as one batch, or a pipeline, of which every process reads
                all; rows of weight 0 are left out.
            outputs: (model, batch) -> arrays [b, ...] of a pipeline's batch; None are the reported
                quantities.
        """
        if is_pipeline(data):
            return self._predict_pipeline(data, outputs or self._reported)
        arrays = {name: tf.convert_to_tensor(array) for name, array in data.items()}
        values = self._predict_arrays(arrays, tf.constant(self.seed, tf.int32))
        return dict(zip(self.names, values.numpy(), strict=True))

    def evaluate(
        self, data: Arrays | Pipeline, on_call: Callable[[int, int], None] | None = None
    ) -> dict[str, float]:
        """Returns the means of all quantities over all examples, without training.

        Args:
            data: arrays, or a pipeline whose rows count by their `weight`.
            on_call: called with the first and the last step of every compiled call.
        """
        if not is_pipeline(data):
            return {name: float(value.mean()) for name, value in self.predict(data).items()}
        feed = PipelineFeed(data, self.batch_size, self.distribution)
        feed.open(0, 0)
        steps = _EVALUATION_STEPS if self._is_shared else None
        pace, done = Pace(steps), 0
        sums = tf.zeros([len(self.names) + 1], tf.float64)
        while done < feed.steps:
            count, started = min(pace.steps, feed.steps - done), time.monotonic()
            sums = self._evaluate_batches(feed.arguments(), tf.constant(count), sums)
            total = sums.numpy()
            pace.took(count, time.monotonic() - started)
            done += count
            if on_call is not None:
                on_call(done - count, done - 1)
        return dict(zip(self.names, (total[:-1] / total[-1]).tolist(), strict=True))

    def call(self, feed, start: int, rates: np.ndarray | None, *, count: int, first: int,
             sums: np.ndarray | None, elapsed: float) -> tuple:
        """Runs the compiled program.

        Args:
            feed: an open one.
            start: step of the pass that it begins with.
            rates: learning rates [at least count]; None leaves them to the optimizer.
            count: steps.
            first: number of its first step over all passes.
            sums: float64 [K] so far, which those of a pipeline are added to step by step, so that
                they do not depend on the steps of a call.
            elapsed: seconds of the call before.

        Returns:
            sums [K], number of the first step whose loss is no number or -1, and the mean of
            `elapsed` over all processes.
        """
        if rates is not None:
            rates = np.pad(rates, (0, feed.steps - len(rates)))  # of one shape: compiled once
            rates = tf.constant(rates, tf.float32)
        arguments = (
            feed.arguments(), tf.constant(start), tf.constant(count), rates,
            tf.constant(first, tf.int32), tf.constant(self.seed, tf.int32),
        )
        if isinstance(feed, ArrayFeed):
            return self._train_arrays(ArrayFeed, *arguments, None, None)
        self.step.jit_compile = self._jit_compile
        sums = np.zeros(len(self.names)) if sums is None else sums
        elapsed = tf.constant(elapsed, tf.float32)
        return self._train_batches(PipelineFeed, *arguments, tf.constant(sums), elapsed)

    def _feed(self, data: Arrays | Pipeline) -> ArrayFeed | PipelineFeed:
        if is_pipeline(data):
            return PipelineFeed(data, self.batch_size, self.distribution)
        return ArrayFeed(data, self.batch_size, self.seed)

    def _train_steps(self, kind, arguments, start, count, rates, first, seed, sums, elapsed):
        bad = tf.constant(-1)
        exact = sums is not None
        if not exact:
            sums = tf.zeros([len(self.names)])
        for step in tf.range(count):
            if rates is not None:
                self.optimizer.learning_rate.assign(rates[step])
            part = self.step(kind.fetch, kind.take(arguments, start + step), first + step, seed)
            sums += tf.cast(part, sums.dtype)
            if exact:
                is_first = ~tf.math.is_finite(part[0]) & (bad < 0)
                bad = tf.where(is_first, first + step, bad)
        if elapsed is not None and self._is_shared:
            times = self.distribution.run(tf.identity, (elapsed,))
            elapsed = self.distribution.reduce(tf.distribute.ReduceOp.MEAN, times, axis=None)
        return sums, bad, elapsed

    def _predict(self, data, seed):
        quantities = self._loss_fn(self.model, data, StepRandom(seed, 0, 0, 1), False)
        return tf.stack([quantities[name] for name in self.names])

    def _evaluate_steps(self, arguments, count, sums):
        for number in tf.range(count):
            batch = PipelineFeed.take(arguments, number)
            part = self.distribution.run(self._evaluate_replica, batch)
            sums += self.distribution.reduce(tf.distribute.ReduceOp.SUM, part, axis=None)
        return sums

    def _evaluate_replica(self, batch):
        quantities = self._reported(self.model, batch)
        weight = batch.get("weight", tf.ones_like(quantities["loss"]))
        # Nothing of a row that only fills up a batch, were it NaN.
        values = [tf.where(weight > 0, quantities[name] * weight, 0.0) for name in self.names]
        sums = tf.stack([tf.reduce_sum(value) for value in [*values, weight]])
        return tf.cast(sums, tf.float64)

    def _reported(self, model, batch):
        seed = tf.constant(self.seed, tf.int32)
        return self._loss_fn(model, batch, StepRandom(seed, 0, 0, 1), False)

    def _predict_pipeline(self, data, outputs):
        program = tf.function(lambda batch: outputs(self.model, batch))
        parts = []
        for batch in data.batches(self.batch_size):
            kept = batch["weight"].numpy() > 0 if "weight" in batch else slice(None)
            parts.append({name: value.numpy()[kept] for name, value in program(batch).items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _check_batch(batch_size: int, replicas: int, parts: int) -> None:
    if batch_size < 1 or batch_size % replicas:
        raise ConfigError(
            f"batch_size={batch_size}: expected a positive multiple of the {replicas} replicas"
        )
    if batch_size % (replicas * parts):
        raise ConfigError(
            f"accumulate={parts}: batch_size={batch_size} cannot be divided into as many equal "
            f"parts on each of {replicas} replicas"
        )
