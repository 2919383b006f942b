"""Images and labels that a user has in memory, as a data set.

Shapes: m images, H and W pixels, C channels, K classes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_tf import storage
from nas_tf.core import DataError
from nas_tf.datasets.catalog import Parts
from nas_tf.datasets.image_source import ArraySource, Images

NAME = "own images"
_CHANNELS = (1, 3)


def parts_of(images: Any, labels: Any, class_names: Sequence[str] | None = None) -> Parts:
    """Returns a data set without parts of its own.

    Args:
        images: pixels 0 to 255, [m, H, W, C] with C of 1 or 3.
        labels: whole numbers [m], 0 to K - 1.
        class_names: K names; the numbers when None.

    Raises:
        DataError: they are no such arrays, or do not belong together.
    """
    pixels, numbers = np.asarray(images), np.asarray(labels)
    if pixels.ndim != 4 or pixels.shape[-1] not in _CHANNELS or not pixels.size:
        raise DataError(
            f"images {list(pixels.shape)}: expected [number, height, width, 1 or 3]"
        )
    check_pixels(pixels)
    if numbers.shape != pixels.shape[:1] or not np.issubdtype(numbers.dtype, np.integer):
        raise DataError(
            f"labels {numbers.dtype} {list(numbers.shape)}: expected a whole number for each of "
            f"{len(pixels)} images"
        )
    names = tuple(map(str, class_names or range(int(numbers.max()) + 1)))
    _check_labels(numbers, names)
    pixels = np.rint(pixels).astype(np.uint8)
    numbers = numbers.astype(np.int32)
    identity = storage.arrays_checksum(pixels, numbers)
    source = ArraySource(lambda: pixels, identity, pixels.shape[1:])
    return Parts(NAME, names, Images.all_of(source, numbers))


def check_pixels(pixels: np.ndarray) -> None:
    """Checks that an array holds pixels as files have them.

    Args:
        pixels: of any shape, not empty.

    Raises:
        DataError: it holds no numbers, numbers outside 0 to 255, or fractions of 1, of which
            nothing would be left.
    """
    if not (np.issubdtype(pixels.dtype, np.number) or pixels.dtype == bool):
        raise DataError(f"images of {pixels.dtype}: expected pixels from 0 to 255")
    least, largest = pixels.min(), pixels.max()
    found = f"images of {pixels.dtype}, {least:g} to {largest:g}: expected pixels from 0 to 255"
    if not (least >= 0 and largest <= 255):  # so that NaN is none
        raise DataError(found)
    if np.issubdtype(pixels.dtype, np.floating) and 0 < largest <= 1:
        raise DataError(f"{found}; multiply them by 255")


def _check_labels(labels: np.ndarray, names: tuple[str, ...]) -> None:
    """Raises DataError for labels outside the classes, and for classes without an image."""
    outside = labels[(labels < 0) | (labels >= len(names))]
    if outside.size:
        count = len(names)
        raise DataError(f"labels: {outside[0]} is none of {count} classes, 0 to {count - 1}")
    if len(names) < 2:
        raise DataError("labels: one class alone; expected at least two")
    empty = np.bincount(labels, minlength=len(names)) == 0
    if empty.any():
        raise DataError(f"labels: no image of class {names[int(empty.argmax())]}")
