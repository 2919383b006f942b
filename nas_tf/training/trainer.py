"""The one loop that fits weights.

A compiled `strategy.run` loop over arrays held in memory. The same program runs on one device and
on several replicas: a global batch is cut into equal parts, losses are summed and divided by the
global batch, and random numbers are drawn for the global batch, so that the replicas together do
what one device would.

Shapes: n examples, B the global batch, b the part of it on one replica, S steps of one call,
K reported quantities.
"""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from nas_tf.core import ConfigError, Stream, generator
from nas_tf.training.progress import Checkpoint, Progress

Arrays = Mapping[str, np.ndarray]
Batch = dict[str, tf.Tensor]


class StepRandom:
    """Random numbers of one training step: the same on any number of replicas.

    Every draw is made for the global batch from (seed, step, number of the draw); a replica keeps
    its own rows.
    """

    _DRAWS_A_STEP = 64

    def __init__(
        self,
        seed: tf.Tensor | int,
        step: tf.Tensor | int,
        replica: tf.Tensor | int,
        replicas: int,
    ):
        self._seed = seed
        self._first = tf.cast(step, tf.int32) * self._DRAWS_A_STEP
        self._replica = replica
        self._replicas = replicas
        self._draws = 0

    def normal(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns float32 standard normal numbers of shape [b, ...]."""
        return self._draw(tf.random.stateless_normal, shape)

    def uniform(self, shape: Sequence[int]) -> tf.Tensor:
        """Returns float32 numbers in [0, 1) of shape [b, ...]."""
        return self._draw(tf.random.stateless_uniform, shape)

    def _draw(self, sampler: Callable, shape: Sequence[int]) -> tf.Tensor:
        seed = tf.stack([tf.cast(self._seed, tf.int32), self._first + self._draws])
        self._draws += 1
        rows, rest = shape[0], list(shape[1:])
        # Named, because XLA takes 20 times as long to choose it itself. Its numbers are others.
        numbers = sampler([rows * self._replicas, *rest], seed=seed, alg="philox")
        if self._replicas == 1:
            return numbers
        return tf.slice(numbers, [self._replica * rows] + [0] * len(rest), [rows, *rest])


LossFunction = Callable[[keras.Model, Batch, StepRandom, bool], dict[str, tf.Tensor]]
LearningRate = float | Callable[[np.ndarray], np.ndarray]


class Trainer:
    """Fits a model's weights by gradient descent.

    Create the model and the optimizer inside `distribution.scope()`.

    Args:
        model: a built Keras model.
        optimizer: a Keras optimizer with a plain number as its learning rate.
        loss_fn: (model, batch, random, training) -> quantities [b] of every example; "loss" is
            what is minimised, the means of all are reported.
        batch_size: global batch B, a multiple of the number of replicas.
        metric_names: names of the quantities beside "loss".
        distribution: strategy; None is one device.
        clip_norm: bound on the global norm of the gradient; None is no bound.
        jit_compile: compile with XLA; for one device and models of fixed shapes.
        steps_per_call: S, training steps in a call of the compiled program.
        seed: decides the order of examples and all noise.

    Raises:
        ConfigError: the batch cannot be divided among the replicas.
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
        steps_per_call: int = 100,
        seed: int = 0,
    ):
        self.model = model
        self.optimizer = optimizer
        self.names = ("loss", *metric_names)
        self.batch_size = batch_size
        self.seed = seed
        self._loss_fn = loss_fn
        self._distribution = distribution or tf.distribute.get_strategy()
        self._replicas = self._distribution.num_replicas_in_sync
        self._clip_norm = clip_norm
        self._steps_per_call = steps_per_call
        if batch_size < 1 or batch_size % self._replicas:
            raise ConfigError(
                f"batch_size={batch_size}: expected a positive multiple of the "
                f"{self._replicas} replicas"
            )
        with self._distribution.scope():
            optimizer.build(model.trainable_variables)
        compiled = jit_compile or None
        self._train_call = tf.function(self._train_steps, jit_compile=compiled)
        self._predict_call = tf.function(self._predict, jit_compile=compiled)

    def fit(
        self,
        arrays: Arrays,
        *,
        epochs: int,
        learning_rate: LearningRate,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        checkpoint: Checkpoint | None = None,
    ) -> list[dict[str, float]]:
        """Trains for `epochs` passes; examples beyond a pass's last full batch sit that pass out.

        Args:
            arrays: examples, each array [n, ...].
            epochs: passes over the examples.
            learning_rate: a number, or a function from step numbers [S] to learning rates [S].
            callbacks: Keras callbacks; a "train batch" ends with every compiled call, and its
                number is that of the last step within the pass.
            checkpoint: where training is saved and taken up again.

        Returns:
            means of all quantities, one dictionary a pass.

        Raises:
            ConfigError: fewer examples than a batch, or a checkpoint of other settings.
        """
        total = len(next(iter(arrays.values())))
        steps = total // self.batch_size
        if not steps:
            raise ConfigError(f"batch_size={self.batch_size}: there are only {total} examples")
        data = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        progress = Progress(self.names)
        if checkpoint is not None:
            progress = checkpoint.restore(self.model, self.optimizer, self.names)
        watchers = keras.callbacks.CallbackList(list(callbacks), model=self.model)
        watchers.on_train_begin()
        while progress.epoch < epochs:
            watchers.on_epoch_begin(progress.epoch)
            order = self._order(progress.epoch, total, steps)
            while progress.step < steps:
                self._advance(progress, data, order, learning_rate)
                watchers.on_train_batch_end(progress.step - 1, progress.means())
                if checkpoint is not None and progress.step < steps:
                    checkpoint.save_if_due(progress)
            logs = progress.end_epoch()
            watchers.on_epoch_end(progress.epoch - 1, logs)
            if checkpoint is not None:
                checkpoint.save_if_due(progress, final=progress.epoch == epochs)
        watchers.on_train_end()
        return progress.history

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

    def predict(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """Returns all quantities of every example, float32 [n] each, without training.

        Args:
            arrays: examples, each array [n, ...]; they are read as one batch.
        """
        data = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        values = self._predict_call(data, tf.constant(self.seed, tf.int32))
        return dict(zip(self.names, values.numpy(), strict=True))

    def evaluate(self, arrays: Arrays) -> dict[str, float]:
        """Returns the means of all quantities over all examples, without training."""
        return {name: float(value.mean()) for name, value in self.predict(arrays).items()}

    def _order(self, epoch: int, total: int, steps: int) -> np.ndarray:
        """Returns int32 [steps, B], the examples of every step of a pass."""
        order = generator(self.seed, Stream.TRAINING + epoch).permutation(total)
        return order[: steps * self.batch_size].reshape(steps, self.batch_size).astype(np.int32)

    def _advance(self, progress: Progress, data, order: np.ndarray, rate: LearningRate) -> None:
        """Runs one compiled call of at most S steps."""
        part = order[progress.step : progress.step + self._steps_per_call]
        first = progress.epoch * len(order) + progress.step
        numbers = np.arange(first, first + len(part))
        rates = rate(numbers) if callable(rate) else np.full(len(part), rate)
        sums = self._train_call(
            data,
            tf.constant(part),
            tf.constant(rates, tf.float32),
            tf.constant(first, tf.int32),
            tf.constant(self.seed, tf.int32),
        )
        progress.add(sums.numpy(), len(part), part.size)

    def _train_steps(self, data, order, rates, first, seed):
        sums = tf.zeros([len(self.names)])
        for step in tf.range(tf.shape(order)[0]):
            self.optimizer.learning_rate.assign(rates[step])
            part = self._distribution.run(
                self._replica_step, (data, order[step], first + step, seed)
            )
            sums += self._distribution.reduce(tf.distribute.ReduceOp.SUM, part, axis=None)
        return sums

    def _replica_step(self, data, order, step, seed):
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group
        rows = self.batch_size // self._replicas
        order = tf.ensure_shape(tf.slice(order, [replica * rows], [rows]), [rows])
        batch = {name: tf.gather(array, order) for name, array in data.items()}
        random = StepRandom(seed, step, replica, self._replicas)
        with tf.GradientTape() as tape:
            quantities = self._loss_fn(self.model, batch, random, True)
            loss = tf.reduce_sum(quantities["loss"]) / self.batch_size
        gradients = tape.gradient(loss, self.model.trainable_variables)
        if self._clip_norm is not None:
            gradients = self._clip(gradients, context)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return tf.stack([tf.reduce_sum(quantities[name]) for name in self.names])

    def _clip(self, gradients, context):
        """Clips the gradient of the whole batch; the optimizer will sum the replicas' shares."""
        if self._replicas > 1:
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
        return [gradient / self._replicas for gradient in gradients]

    def _predict(self, data, seed):
        quantities = self._loss_fn(self.model, data, StepRandom(seed, 0, 0, 1), False)
        return tf.stack([quantities[name] for name in self.names])


def cosine_decay(learning_rate: float, steps: int) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a schedule that falls from `learning_rate` to 0 along half a cosine in `steps`."""
    return lambda numbers: 0.5 * learning_rate * (1.0 + np.cos(np.pi * numbers / steps))
