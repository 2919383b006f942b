"""Images of one split as batches.

    pipeline.batches(96, epoch=3, first_step=10)    # a tf.data.Dataset: goes on in the middle

The order of a pass over training images, and how each is varied, follow from (seed, epoch, image)
alone: batch size, workers, shards and restarts change neither. Nothing is read before the first
batch is asked for.

Shapes: n images of the split, B in a global batch, b in a shard's, H and W pixels, C channels.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nas_tf import core
from nas_tf.core import ConfigError, DataError
from nas_tf.datasets import decoding, random_numbers, transforms
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.encoded_source import EncodedSource
from nas_tf.datasets.forms import ImageForm
from nas_tf.datasets.image_source import Images
from nas_tf.datasets.mapping import parallel_map


class ImagePipeline:
    """Images of one split.

    Attributes:
        name: of the split, for messages.
        num_examples: n.
        image_shape: (H, W, C).
        labels: int32 [n].
        is_training: its order and images vary from pass to pass.
    """

    def __init__(
        self,
        images: Images,
        form: ImageForm,
        *,
        name: str,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ):
        """
        Args:
            images: of the split.
            form: what a network is given.
            name: of the split.
            augmentation: makes a training pipeline of it; None gives the images in order.
            seed: of order and augmentation.
        """
        self.name, self.image_shape = name, tuple(form.decoding.shape)
        self.num_examples, self.labels = len(images), images.labels
        self.is_training = augmentation is not None
        self._images, self._form, self._seed = images, form, seed
        self._augmentation = augmentation and augmentation.for_height(self.image_shape[0])
        self._pixels = None
        self._make_examples = tf.function(self._examples, autograph=False)

    def steps(self, batch_size: int) -> int:
        """Returns the batches of a pass; training leaves out the last partial one.

        Raises:
            ConfigError: a training split has fewer images than a batch.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size={batch_size}: expected at least 1")
        if not self.is_training:
            return core.ceil_div(self.num_examples, batch_size)
        if batch_size > self.num_examples:
            raise ConfigError(
                f"batch_size={batch_size}: expected at most the {self.num_examples} images of the "
                f"{self.name} split"
            )
        return self.num_examples // batch_size

    def order(self, epoch: int = 0) -> np.ndarray:
        """Returns the positions of a pass's images in the split, in their order, int64 [n]."""
        if not self.is_training:
            return np.arange(self.num_examples)
        rng = core.generator(self._seed, core.Stream.IMAGE_ORDER, epoch)
        return rng.permutation(self.num_examples)

    def batches(
        self,
        batch_size: int,
        *,
        epoch: int = 0,
        first_step: int = 0,
        shard: int = 0,
        num_shards: int = 1,
    ) -> tf.data.Dataset:
        """Returns one pass, or what is left of it.

        Args:
            batch_size: B, of all shards together.
            epoch: number of the pass, from 0.
            first_step: batch to begin with; those before are not read.
            shard: which rows, [shard b, (shard + 1) b) of every global batch.
            num_shards: how many parts a global batch has, b = B / num_shards.

        Returns:
            dicts of `image` float32 [b, H, W, C], normalised, `label` int32 [b], `index` int64 [b],
            the position in the split, and `weight` float32 [b]: 1, or 0 for the rows that fill an
            evaluation's last batch up (they repeat the last image). Shapes are static.

        Raises:
            ConfigError: batch, step or shard do not fit.
            DataError: an image is damaged, where the split is decoded at once.
        """
        positions, weights = self._rows(batch_size, epoch, first_step, shard, num_shards)
        key = random_numbers.key_of(self._seed, epoch)
        with tf.device("CPU:0"):
            key = tf.constant(key, tf.uint64)
            dataset = tf.data.Dataset.from_tensor_slices((positions, weights))
            dataset = self._with_pixels(dataset, positions.shape[1], key)
            dataset = parallel_map(dataset, lambda *batch: self._make_examples(key, *batch))
        return dataset.with_options(_options()).prefetch(tf.data.AUTOTUNE)

    def pixels(self, positions: Sequence[int]) -> np.ndarray:
        """Returns images as they are, uint8 [k, H, W, C], of k positions in the split.

        Raises:
            DataError: an image is damaged; the message names the file.
        """
        source, chosen = self._images.source, self._images.indices[np.asarray(positions, np.int64)]
        if isinstance(source, EncodedSource):
            return decoding.decode_all(source, chosen, self._form.decoding)
        return source.pixels(chosen)

    def image_name(self, position: int) -> str:
        """Returns the file of an image, or its number where it has none."""
        return self._images.source.name(self._images.indices[position])

    def explain(self, error: Exception) -> DataError | None:
        """Returns in one line what went wrong with an image; None where none is damaged.

        Images that are decoded each time they are used are looked at all again, up to the first
        damaged one.

        Args:
            error: what TensorFlow raised when a batch was asked for.
        """
        if not isinstance(self._images.source, EncodedSource):
            return None
        try:
            decoding.check_all(self._images.source, self._images.indices, self._form.decoding)
        except DataError as found:
            found.__cause__ = error
            return found
        return None

    def _rows(
        self, batch_size: int, epoch: int, first_step: int, shard: int, num_shards: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns positions int64 and weights float32 of a shard, both [steps, b]."""
        steps = self.steps(batch_size)
        if num_shards < 1 or batch_size % num_shards:
            raise ConfigError(
                f"batch_size={batch_size}: expected a multiple of the {num_shards} shards"
            )
        if not 0 <= shard < num_shards:
            raise ConfigError(f"shard={shard}: expected 0 to {num_shards - 1}")
        if not 0 <= first_step <= steps:
            raise ConfigError(f"first_step={first_step}: expected 0 to {steps}")
        order = self.order(epoch)
        rows = np.arange(first_step * batch_size, steps * batch_size)
        rows = rows.reshape(-1, num_shards, batch_size // num_shards)[:, shard]
        weights = (rows < self.num_examples).astype(np.float32)
        return order[np.minimum(rows, self.num_examples - 1)], weights

    def _with_pixels(self, dataset: tf.data.Dataset, size: int, key: tf.Tensor):
        """Adds pixels uint8 [b, H, W, C] to (positions, weights), both [b]."""
        if isinstance(self._images.source, EncodedSource):
            positions = parallel_map(dataset, lambda positions, weights: positions)
            decoded = self._decoded(positions, key).batch(size, drop_remainder=True)
            together = tf.data.Dataset.zip((dataset, decoded))
            return parallel_map(together, lambda batch, pixels: (*batch, pixels))
        if self._pixels is None:
            self._pixels = tf.constant(self._images.source.pixels(self._images.indices))
        pixels = self._pixels
        return parallel_map(
            dataset,
            lambda positions, weights: (positions, weights, tf.gather(pixels, positions)),
        )

    def _decoded(self, positions: tf.data.Dataset, key: tf.Tensor) -> tf.data.Dataset:
        """Returns pixels uint8 [H, W, C], decoded one by one, of positions [b]."""
        indices, positions = tf.constant(self._images.indices), positions.unbatch()
        chosen = parallel_map(positions, lambda position: tf.gather(indices, position))
        together = tf.data.Dataset.zip((positions, self._images.source.encoded(chosen)))
        return parallel_map(together, lambda *image: self._decode(key, *image))

    def _decode(self, key: tf.Tensor, position: tf.Tensor, encoded: tf.Tensor) -> tf.Tensor:
        """Returns the pixels of one image, uint8 [H, W, C]."""
        if self._augmentation is not None and self._augmentation.resized_crop:
            numbers = random_numbers.uniform(key, position[None], transforms.NUMBERS)[0]
            return decoding.decode_cropped(
                encoded, numbers[transforms.RESIZED_CROP], self.image_shape
            )
        pixels, size = decoding.decode(encoded, self._form.decoding)
        if self._form.decoding.mode == decoding.EXACT:
            with tf.control_dependencies([tf.debugging.assert_equal(size, self.image_shape[:2])]):
                pixels = tf.identity(pixels)
        return pixels

    def _examples(self, key, positions, weights, pixels) -> dict[str, tf.Tensor]:
        """Returns a batch of `batches`."""
        mean = tf.constant(self._form.mean, tf.float32)
        std = tf.constant(self._form.std, tf.float32)
        if self.is_training:
            numbers = random_numbers.uniform(key, positions, transforms.NUMBERS)
            images = transforms.augment(pixels, numbers, self._augmentation, mean, std)
        else:
            images = transforms.normalize(pixels, mean, std)
        return {
            "image": images,
            "label": tf.gather(tf.constant(self.labels), positions),
            "index": positions,
            "weight": weights,
        }


def _options() -> tf.data.Options:
    """Returns options under which order is kept and nobody else shards."""
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return options
