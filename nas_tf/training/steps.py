"""One step of gradient descent on a global batch, on one device or several replicas.

Losses are summed and divided by the global batch, and random numbers drawn for it, so that the
replicas together, or the parts of a batch one after the other, do what one device would at once.

Shapes: B the global batch, b the examples of one replica, or of one part of them, K quantities.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from nas_tf.layers import noise
from nas_tf.training.step_random import StepRandom

Batch = dict[str, tf.Tensor]
LossFunction = Callable[[keras.Model, Batch, StepRandom, bool], dict[str, tf.Tensor]]

FIRST_SCALE = 2.0**15
GROWTH_STEPS = 2000  # steps without an overflow after which the scale is doubled


@dataclasses.dataclass(frozen=True)
class Place:
    """Which rows of a global batch are meant.

    Attributes:
        replica: which replica.
        replicas: how many.
        part: which part of the replica's rows.
        parts: how many.
    """

    replica: tf.Tensor | int
    replicas: int
    part: tf.Tensor | int = 0
    parts: int = 1


Fetch = Callable[[Any, Place], Batch]


class TrainStep:
    """Makes training steps; call it in a compiled program, outside any replica.

    A plain step computes and applies gradients in one go. One in parts, or in float16, gathers
    them first: every part's activations are gone before the next one's, and a step whose
    gradient overflowed is left out while the scale of the loss is halved (Micikevicius et al.,
    2018, arXiv:1710.03740).

    Args:
        model: a built Keras model.
        optimizer: built for it.
        loss_fn: as in `Trainer`.
        names: the K reported quantities, the loss first.
        batch_size: B.
        distribution: strategy.
        clip_norm: bound on the global norm of the gradient, or None.
        parts: parts that a batch is gone through in.
        loss_scaling: for float16.

    Attributes:
        jit_compile: XLA compiles what a replica does.
    """

    def __init__(self, model, optimizer, loss_fn, *, names, batch_size, distribution,
                 clip_norm=None, parts=1, loss_scaling=False):
        self._model, self._optimizer, self._loss_fn = model, optimizer, loss_fn
        self._names, self._batch_size, self._clip_norm = names, batch_size, clip_norm
        self._distribution = distribution
        self._replicas = distribution.num_replicas_in_sync
        self._parts = parts
        self.jit_compile = False
        self.variables = []
        if parts > 1 or loss_scaling:
            with distribution.scope():
                self._make_variables(loss_scaling)

    def __call__(self, fetch: Fetch, arguments: tuple, step: tf.Tensor, seed: tf.Tensor):
        """Makes a step.

        Args:
            fetch: (arguments, place) -> the rows of the batch at a place, inside a replica.
            arguments: what it needs.
            step: number of the step, int32.
            seed: of the training, int32.

        Returns:
            float32 [K], sums over the batch.
        """
        if self.variables:
            return self._gathered(fetch, arguments, step, seed)
        function = self._replica_step
        if self.jit_compile:
            function = tf.function(function, jit_compile=True)
        part = self._distribution.run(function, (fetch, arguments, step, seed))
        return self._distribution.reduce(tf.distribute.ReduceOp.SUM, part, axis=None)

    def saved_variables(self) -> list[tf.Variable]:
        """Returns what a checkpoint must hold beside model and optimizer."""
        return [] if not self.variables or self._scale is None else [self._scale, self._good]

    def reset(self) -> None:
        """Forgets what loss scaling learned."""
        for variable, start in zip(self.saved_variables(), (FIRST_SCALE, 0)):
            variable.assign(start)

    def _make_variables(self, loss_scaling: bool) -> None:
        apart = {
            "trainable": False,
            "synchronization": tf.VariableSynchronization.ON_READ,
            "aggregation": tf.VariableAggregation.SUM,
        }
        if self._replicas == 1:
            apart = {"trainable": False}
        self._gradients = [
            tf.Variable(tf.zeros(weight.shape), **apart)
            for weight in self._model.trainable_variables
        ]
        self._scale = self._good = None
        if loss_scaling:
            once = {"trainable": False,
                    "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
            self._scale = tf.Variable(FIRST_SCALE, **once)
            self._good = tf.Variable(0, **once)
        self.variables = [*self._gradients, *([self._scale, self._good] if loss_scaling else [])]

    def _replica_step(self, fetch, arguments, step, seed):
        context = tf.distribute.get_replica_context()
        place = Place(context.replica_id_in_sync_group, self._replicas)
        with tf.GradientTape() as tape:
            quantities = self._quantities(fetch, arguments, place, step, seed)
            loss = tf.reduce_sum(quantities["loss"]) / self._batch_size
        gradients = tape.gradient(loss, self._model.trainable_variables)
        if self._clip_norm is not None:
            gradients = self._clip(gradients, context)
        self._optimizer.apply(gradients, self._model.trainable_variables)
        return self._sums(quantities)

    def _quantities(self, fetch, arguments, place, step, seed):
        batch = fetch(arguments, place)
        random = StepRandom(seed, step, place.replica, place.replicas,
                            part=place.part, parts=place.parts)
        with noise.numbers_from(random):
            return self._loss_fn(self._model, batch, random, True)

    def _sums(self, quantities):
        return tf.stack([tf.reduce_sum(quantities[name]) for name in self._names])

    def _clip(self, gradients, context):
        """Clips the gradient of the whole batch; the optimizer will sum the replicas' shares."""
        if self._replicas > 1:
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
        return [gradient / self._replicas for gradient in gradients]

    # Gathered steps.

    def _gathered(self, fetch, arguments, step, seed):
        sums = tf.zeros([len(self._names)])
        for part in tf.range(self._parts):
            values = self._distribution.run(
                self._add_part, (fetch, arguments, step, seed, part)
            )
            sums += self._distribution.reduce(tf.distribute.ReduceOp.SUM, values, axis=None)
        gradients, finite = self._distribution.run(self._take_gradients)
        if self._scale is None:
            self._distribution.run(self._apply, (gradients,))
        else:
            self._apply_if(self._distribution.experimental_local_results(finite)[0], gradients)
        return sums

    def _add_part(self, fetch, arguments, step, seed, part):
        context = tf.distribute.get_replica_context()
        place = Place(context.replica_id_in_sync_group, self._replicas, part, self._parts)
        with tf.GradientTape() as tape:
            quantities = self._quantities(fetch, arguments, place, step, seed)
            loss = tf.reduce_sum(quantities["loss"]) / self._batch_size
            if self._scale is not None:
                loss *= self._scale
        gradients = tape.gradient(
            loss, self._model.trainable_variables,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        for total, gradient in zip(self._gradients, gradients, strict=True):
            total.assign_add(tf.cast(gradient, total.dtype))
        return self._sums(quantities)

    def _take_gradients(self):
        """Returns the gradient of the whole batch, divided by the replicas, and if it is finite."""
        context = tf.distribute.get_replica_context()
        gradients = [tf.identity(total) for total in self._gradients]
        for total in self._gradients:
            total.assign(tf.zeros_like(total))
        if self._replicas > 1:
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        if self._scale is not None:
            gradients = [gradient / self._scale for gradient in gradients]
        norm = tf.linalg.global_norm(gradients)
        if self._clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm, use_norm=norm)
        return [gradient / self._replicas for gradient in gradients], tf.math.is_finite(norm)

    def _apply(self, gradients):
        self._optimizer.apply(gradients, self._model.trainable_variables)

    def _apply_if(self, finite, gradients):
        if finite:
            self._distribution.run(self._apply, (gradients,))
            self._good.assign_add(1)
            if self._good >= GROWTH_STEPS:
                self._scale.assign(self._scale * 2.0)
                self._good.assign(0)
        else:
            self._scale.assign(tf.maximum(self._scale / 2.0, 1.0))
            self._good.assign(0)
