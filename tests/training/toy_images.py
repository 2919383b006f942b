"""Images in memory as a pipeline, a small network, and what tests need to train it."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from nas_tf.layers.drop_path import DropPath

CLASSES = 3


class ToyPipeline:
    """Images [n, 4, 4, 1] whose order and variation follow from (epoch, image)."""

    def __init__(self, count, seed=0, training=True):
        rng = np.random.default_rng(seed)
        self.num_examples, self._training = count, training
        self.labels = rng.integers(0, CLASSES, count).astype(np.int32)
        noise = rng.normal(size=(count, 4, 4, 1))
        self._images = (noise + self.labels[:, None, None, None]).astype(np.float32)
        self.opened = []

    def steps(self, batch_size):
        whole, rest = divmod(self.num_examples, batch_size)
        return whole if self._training else whole + bool(rest)

    def batches(self, batch_size, *, epoch=0, first_step=0, shard=0, num_shards=1):
        self.opened.append((epoch, first_step))
        steps, rows = self.steps(batch_size), batch_size // num_shards
        order = np.random.default_rng(epoch).permutation(self.num_examples)
        order = order if self._training else np.arange(self.num_examples)
        weight = np.ones(len(order), np.float32)
        missing = max(steps * batch_size - len(order), 0)
        order, weight = np.pad(order, (0, missing)), np.pad(weight, (0, missing))
        order, weight = (
            array[: steps * batch_size].reshape(steps, batch_size)
            [first_step:, shard * rows : (shard + 1) * rows] for array in (order, weight)
        )
        images, labels = tf.constant(self._images), tf.constant(self.labels)

        def batch(index, weight):
            shift = tf.cast((index * 7 + epoch * 3) % 5, tf.float32)[:, None, None, None] / 5.0
            shift = shift if self._training else 0.0
            return {"image": tf.gather(images, index) + shift,
                    "label": tf.gather(labels, index), "index": index, "weight": weight}

        dataset = tf.data.Dataset.from_tensor_slices((order.astype(np.int64), weight))
        return dataset.map(batch).prefetch(2)


@dataclasses.dataclass
class ToyData:
    """Training, validation and test images."""

    train: ToyPipeline = dataclasses.field(default_factory=lambda: ToyPipeline(34))
    validation: ToyPipeline | None = dataclasses.field(
        default_factory=lambda: ToyPipeline(11, 1, training=False))
    test: ToyPipeline = dataclasses.field(
        default_factory=lambda: ToyPipeline(13, 2, training=False))
    class_names: tuple[str, ...] = ("a", "b", "c")


def make_network(norm=True, auxiliary=False, dropout=0.0):
    """A network with a sum of four branches, whose order decides the last bit."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4, 4, 1))
    branches = [keras.layers.Conv2D(3, size, padding="same")(inputs) for size in (1, 2, 3, 4)]
    if norm:
        branches = [keras.layers.BatchNormalization(momentum=0.9)(x) for x in branches]
    if dropout:
        branches[0] = DropPath(dropout)(branches[0])
    x = keras.layers.ReLU()(keras.layers.Add()(branches))
    head = keras.layers.Dense(CLASSES, dtype="float32")
    logits = head(keras.layers.GlobalAveragePooling2D()(x))
    if not auxiliary:
        return keras.Model(inputs, logits)
    other = keras.layers.Dense(CLASSES, dtype="float32")(keras.layers.Flatten()(x))
    return keras.Model(inputs, [logits, other])
