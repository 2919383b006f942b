"""A data set as three disjoint splits: what trains, what validates, what is tested on once.

    data = open_data(Data(data="digits"), Augmentation.usual("digits"))
    for batch in data.train.batches(64, epoch=0): ...

A part that a data set has not is cut from its training images: a fifth for the test, then the share
that validates. Both cuts are the split seed's; the order and the variation of images are another's.
"""

import dataclasses
from typing import Any

import numpy as np

from nas_tf import core
from nas_tf.core import ConfigError, DataError
from nas_tf.datasets import catalog, decoding, forms, splits
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.catalog import Parts
from nas_tf.datasets.image_source import Images
from nas_tf.datasets.pipeline import ImagePipeline
from nas_tf.datasets.settings import Data

_TEST_SHARE = 0.2  # where a data set has no test images of its own
_TEST, _VALIDATION, _FRACTION, _LIMIT = range(4)  # what is drawn with the split seed


@dataclasses.dataclass(frozen=True, eq=False)
class ImageData:
    """Images in three splits.

    Attributes:
        name: as `--data` has it.
        class_names: K names, in the order of labels.
        image_shape: (H, W, C).
        mean: of pixels 0 to 255, a number a channel; images are normalised by it.
        std: likewise.
        centre: images of another size are cut to their middle square; else they are stretched.
        train: order and images vary.
        validation: None when nothing validates.
        test: test images of a data set's own are read when it is iterated.
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    centre: bool
    train: ImagePipeline
    validation: ImagePipeline | None
    test: ImagePipeline
    _splits: dict[str, Images]

    def summary(self) -> dict[str, Any]:
        """Returns name, classes and, of each split, its number of images and its checksum."""
        return {
            "data": self.name,
            "classes": len(self.class_names),
            "image_shape": list(self.image_shape),
            "splits": {
                name: {"images": len(images), "checksum": images.checksum()}
                for name, images in self._splits.items()
            },
        }


def open_data(
    settings: Data, augmentation: Augmentation, *, fraction: float = 1.0, seed: int = 0
) -> ImageData:
    """Opens a data set.

    Args:
        settings: which one, how it is split.
        augmentation: of the training images.
        fraction: share of the training images that are trained on, classes kept; below 1 the
            others validate, as in GraphPNAS' low-data regime.
        seed: of order and augmentation; the split has its own.

    Raises:
        ConfigError: a setting is impossible.
        DataError: a file is missing, damaged or not what it should be.
    """
    parts = catalog.read_parts(settings)
    return open_parts(
        settings.data, parts, settings, augmentation, fraction=fraction, seed=seed
    )


def open_parts(
    name: str,
    parts: Parts,
    settings: Data,
    augmentation: Augmentation,
    *,
    fraction: float = 1.0,
    seed: int = 0,
) -> ImageData:
    """Opens images that were found already; see `open_data`.

    Args:
        name: of the data set.
        parts: where its images are.
        settings: how they are split and sized.
        augmentation: of the training images.
        fraction: share of the training images that are trained on.
        seed: of order and augmentation.

    Raises:
        ConfigError: a setting is impossible.
        DataError: an image is damaged or not what it should be.
    """
    if not 0 < fraction <= 1:
        raise ConfigError(f"fraction={fraction}: expected a share above 0, at most 1")
    found = _split(parts, settings, fraction)
    form = forms.decoding_of(parts, settings.image_size)
    found = forms.prepare(found, form, augmentation)
    form = forms.normal_of(parts, found["train"], form)
    pipelines = {
        name: ImagePipeline(
            images, form, name=name, seed=seed,
            augmentation=augmentation if name == "train" else None,
        )
        for name, images in found.items()
    }
    return ImageData(
        name, parts.class_names, form.decoding.shape, form.mean, form.std,
        form.decoding.mode == decoding.CENTRE, pipelines["train"], pipelines.get("validation"),
        pipelines["test"], found,
    )


def _split(parts: Parts, settings: Data, fraction: float) -> dict[str, Images]:
    """Returns the splits by name; no image is in two of them."""
    train, validation, test = parts.train, parts.validation, parts.test
    seed = settings.split_seed
    try:
        if test is None:
            test, train = _cut(train, _TEST_SHARE, seed, _TEST)
        if fraction < 1:
            train, validation = _cut(train, fraction, seed, _FRACTION)
        elif settings.validation and validation is None:
            validation, train = _cut(train, settings.validation, seed, _VALIDATION)
        found = {"train": train, "validation": validation, "test": test}
        return {
            name: _limited(images, settings.limit, seed, parts.class_names)
            for name, images in found.items()
            if images is not None
        }
    except splits.SmallClassError as error:
        count = int((parts.train.labels == error.label).sum())
        raise DataError(
            f"{parts.where}: class {parts.class_names[error.label]} has too few training images "
            f"({count}): one is needed for each part that is cut from them, and one to train on"
        ) from error


def _cut(images: Images, share: float, seed: int, index: int) -> tuple[Images, Images]:
    """Returns a share of images, drawn with classes kept, and the others."""
    rng = core.generator(seed, core.Stream.IMAGE_SPLIT, index)
    chosen = splits.choose(images.labels, share, rng, spare=True)
    return images.select(chosen), images.select(~chosen)


def _limited(images: Images, limit: int | None, seed: int, class_names: tuple[str, ...]) -> Images:
    """Returns at most so many images, classes kept."""
    if limit is None or limit >= len(images):
        return images
    num_classes = len(np.unique(images.labels))
    if limit < num_classes:
        raise ConfigError(f"limit={limit}: expected at least one image of {num_classes} classes")
    rng = core.generator(seed, core.Stream.IMAGE_SPLIT, _LIMIT)
    return images.select(splits.choose(images.labels, limit, rng))
