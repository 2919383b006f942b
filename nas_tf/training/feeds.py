"""Where the batches of a training come from: arrays in memory, or a pipeline of images.

A pipeline is whatever has

    num_examples: int
    steps(batch_size) -> int, the batches of a pass
    batches(batch_size, *, epoch=0, first_step=0, shard=0, num_shards=1) -> tf.data.Dataset

of dictionaries of arrays [b, ...] of static shapes, b = batch_size // num_shards, the shard's rows
of every global batch; see `datasets.pipeline`. Position and augmentation follow from (seed, epoch,
image) alone, so a training needs to remember only where it was.

Shapes: n examples, B the global batch, S steps of a pass, b examples of one replica.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from nas_tf.core import ConfigError, Stream, generator
from nas_tf.training.steps import Batch, Place

Arrays = Mapping[str, np.ndarray]


class Pipeline(Protocol):
    """See the module."""

    num_examples: int

    def steps(self, batch_size: int) -> int:
        """Batches of a pass."""

    def batches(self, batch_size: int, *, epoch: int = 0, first_step: int = 0, shard: int = 0,
                num_shards: int = 1) -> tf.data.Dataset:
        """Batches of a shard from a step on."""


def is_pipeline(data: Any) -> bool:
    """Tells a pipeline from arrays."""
    return hasattr(data, "batches")


class ArrayFeed:
    """Batches of arrays, in an order drawn for every pass.

    Args:
        arrays: examples, each array [n, ...].
        batch_size: B.
        seed: of the order.

    Attributes:
        steps: S; what is beyond the last full batch sits a pass out.

    Raises:
        ConfigError: there are fewer examples than a batch.
    """

    def __init__(self, arrays: Arrays, batch_size: int, seed: int):
        self._total = len(next(iter(arrays.values())))
        self.steps = self._total // batch_size
        _refuse_too_few(self.steps, batch_size, self._total)
        self._data = {name: tf.convert_to_tensor(array) for name, array in arrays.items()}
        self._batch_size, self._seed = batch_size, seed

    def open(self, epoch: int, unused_step: int) -> None:
        """Begins a pass."""
        order = generator(self._seed, Stream.TRAINING + epoch).permutation(self._total)
        order = order[: self.steps * self._batch_size].astype(np.int32)
        self._order = tf.constant(order.reshape(self.steps, self._batch_size))

    def arguments(self) -> tuple:
        """Returns what the compiled program takes."""
        return self._data, self._order

    @staticmethod
    def take(arguments: tuple, number: tf.Tensor) -> tuple:
        """Returns what `fetch` needs for a step of the pass."""
        data, order = arguments
        return data, tf.gather(order, number)  # `order[number]`: XLA compiles every call anew

    @staticmethod
    def fetch(arguments: tuple, place: Place) -> Batch:
        """Returns the rows of a place, inside a replica."""
        data, order = arguments
        rows = order.shape[0] // (place.replicas * place.parts)
        first = (place.replica * place.parts + place.part) * rows
        order = tf.ensure_shape(tf.slice(order, [first], [rows]), [rows])
        return {name: tf.gather(array, order) for name, array in data.items()}


class PipelineFeed:
    """Batches of a pipeline, for all replicas.

    Args:
        pipeline: see the module.
        batch_size: B.
        distribution: strategy.

    Attributes:
        steps: S.

    Raises:
        ConfigError: there are fewer examples than a batch.
    """

    def __init__(self, pipeline: Pipeline, batch_size: int, distribution: tf.distribute.Strategy):
        self._pipeline, self._batch_size = pipeline, batch_size
        self._distribution = distribution
        self.steps = pipeline.steps(batch_size) if pipeline.num_examples else 0
        _refuse_too_few(self.steps, batch_size, pipeline.num_examples)

    def open(self, epoch: int, step: int) -> None:
        """Begins a pass, or goes on with one at a step."""
        place = {"epoch": epoch, "first_step": step}
        if self._distribution.num_replicas_in_sync == 1:
            self._iterator = iter(self._pipeline.batches(self._batch_size, **place))
            return
        self._iterator = iter(self._distribution.distribute_datasets_from_function(
            lambda context: self._share(context, place)
        ))

    def arguments(self) -> tuple:
        """Returns what the compiled program takes."""
        return (self._iterator,)

    @staticmethod
    def take(arguments: tuple, unused_number: tf.Tensor) -> tuple:
        """Returns what `fetch` needs for the next step."""
        (iterator,) = arguments
        return (next(iterator),)

    @staticmethod
    def fetch(arguments: tuple, place: Place) -> Batch:
        """Returns the rows of a part, inside a replica, which has its own batch."""
        (batch,) = arguments
        if place.parts == 1:
            return batch
        rows = next(iter(batch.values())).shape[0] // place.parts
        first = place.part * rows
        return {
            name: tf.ensure_shape(
                tf.slice(array, [first] + [0] * (len(array.shape) - 1),
                         [rows, *array.shape[1:]]),
                [rows, *array.shape[1:]],
            )
            for name, array in batch.items()
        }

    def _share(self, context: tf.distribute.InputContext, place: dict) -> tf.data.Dataset:
        """Returns the batches of this process, a replica's after the other's."""
        workers = context.num_input_pipelines
        replicas = context.num_replicas_in_sync // workers
        dataset = self._pipeline.batches(
            self._batch_size, shard=context.input_pipeline_id, num_shards=workers, **place
        )

        def divide(batch):
            return {
                name: tf.reshape(array, [replicas, array.shape[0] // replicas, *array.shape[1:]])
                for name, array in batch.items()
            }

        if replicas > 1:
            dataset = dataset.map(divide).unbatch()
        # Nobody asks beyond its end; without this, replicas vote on every batch if it is there.
        endless = tf.data.experimental.assert_cardinality(
            tf.data.experimental.INFINITE_CARDINALITY
        )
        return dataset.apply(endless).prefetch(2 * replicas)


def _refuse_too_few(steps: int, batch_size: int, total: int) -> None:
    if not steps:
        raise ConfigError(f"batch_size={batch_size}: there are only {total} examples")
