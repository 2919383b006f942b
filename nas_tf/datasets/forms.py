"""The one form in which a network gets images: size, channels, normalisation.

Images of a file that fit into memory are decoded once; others each time they are used.

Shapes: n images, H and W pixels, C channels.
"""

import dataclasses

import numpy as np

from nas_tf.core import ConfigError
from nas_tf.datasets import decoding
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.catalog import Parts
from nas_tf.datasets.decoding import Decoding
from nas_tf.datasets.encoded_source import DecodedSource, EncodedSource
from nas_tf.datasets.image_source import ArraySource, Images

_MEMORY_BYTES = 1_500_000_000  # of a source's pixels that are kept in memory
_MEASURED = 2_000  # training images whose mean and standard deviation are taken
_COLOURS = 3


@dataclasses.dataclass(frozen=True)
class ImageForm:
    """What a network is given.

    Attributes:
        decoding: size and channels, and how an image comes to them.
        mean: of pixels 0 to 255, a number a channel; it is subtracted.
        std: likewise; it divides.
    """

    decoding: Decoding
    mean: tuple[float, ...]
    std: tuple[float, ...]


def decoding_of(parts: Parts, image_size: int | None) -> Decoding:
    """Returns the size that all images come to.

    Args:
        parts: of a data set.
        image_size: height and width wanted; None is the data set's own, that of the first image
            where it has none; images of another size are then an error.

    Raises:
        DataError: the first image is damaged.
    """
    source, first = parts.train.source, parts.train.indices[0]
    channels = _COLOURS if isinstance(source, EncodedSource) else source.shape[-1]
    if image_size is not None:
        return Decoding((image_size, image_size, channels), parts.mode)
    if parts.size is not None:
        mode = parts.mode if parts.mode == decoding.CENTRE else decoding.EXACT
        return Decoding((parts.size, parts.size, channels), mode)
    if not isinstance(source, EncodedSource):
        return Decoding(tuple(source.shape), decoding.EXACT)
    return Decoding((*decoding.image_size(source, first), channels), decoding.EXACT)


def prepare(
    splits: dict[str, Images], form: Decoding, augmentation: Augmentation
) -> dict[str, Images]:
    """Returns the splits with pixels of one size where memory holds them.

    Args:
        splits: by name; `train` stays encoded where parts of images are cut and resized.
        form: how images come to one size.
        augmentation: of the training images.

    Raises:
        ConfigError: parts of images that are in memory should be cut and resized.
    """
    ready = {
        source: _in_memory(source, form) for source in {images.source for images in splits.values()}
    }
    prepared = {
        name: dataclasses.replace(images, source=ready[images.source])
        for name, images in splits.items()
    }
    if augmentation.resized_crop:
        if not isinstance(splits["train"].source, EncodedSource):
            raise ConfigError("resized_crop=True: expected images that are in files")
        prepared["train"] = splits["train"]
    return prepared


def normal_of(parts: Parts, train: Images, form: Decoding) -> ImageForm:
    """Returns the form with means and standard deviations.

    Those of the data set, or those of at most 2,000 training images that are spread evenly.
    """
    if parts.normal is not None:
        mean, std = (tuple(255.0 * value for value in values) for values in parts.normal)
        return ImageForm(form, mean, std)
    places = np.linspace(0, len(train) - 1, min(_MEASURED, len(train))).astype(np.int64)
    chosen = train.indices[places]
    if isinstance(train.source, EncodedSource):
        pixels = decoding.decode_all(train.source, chosen, form)
    else:
        pixels = train.source.pixels(chosen)
    pixels = pixels.reshape(-1, form.shape[-1])
    mean, std = pixels.mean(axis=0, dtype=np.float64), pixels.std(axis=0, dtype=np.float64)
    std = np.where(std < 1, 1.0, std)  # of images of one colour
    return ImageForm(form, tuple(mean.tolist()), tuple(std.tolist()))


def in_memory(images: Images, form: Decoding) -> Images:
    """Returns images whose pixels are kept in memory; the same where they are too many."""
    return dataclasses.replace(images, source=_in_memory(images.source, form))


def _in_memory(source, form: Decoding):
    """Returns a source of pixels, or the encoded one where they are too many."""
    if isinstance(source, EncodedSource):
        small = len(source) * np.prod(form.shape, dtype=float) <= _MEMORY_BYTES
        return DecodedSource(source, form) if small else source
    if source.shape == form.shape:
        return source
    everything = slice(None)
    return ArraySource(
        lambda: decoding.resize_all(source.pixels(everything), form.shape), source.identity,
        form.shape,
    )
