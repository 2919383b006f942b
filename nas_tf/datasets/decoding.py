"""Encoded images to pixels of one size, in parallel, and the name of what cannot be decoded.

JPEG, PNG, GIF (its first picture) and BMP are read. Every image gets the channels of its data set:
a grey one is repeated, colours are made grey where one channel is wanted, transparency is dropped.

Shapes: n images, H and W pixels, C channels, h and w of one image before.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from nas_tf.caching import progress_bar
from nas_tf.core import DataError
from nas_tf.datasets.mapping import parallel_map

EXACT, RESIZE, CENTRE = "exact", "resize", "centre"
SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")
_ACCURATE = "INTEGER_ACCURATE"  # pixels as Pillow and so PyTorch have them, bit for bit
_CENTRE_SHARE = 224 / 256  # of the shorter side
_AREA = (0.08, 1.0)
_LOG_RATIO = np.log(4 / 3)
_ATTEMPTS = 10  # of a random crop, before the middle is taken
_REASON = 200  # characters of what TensorFlow says
_BLOCK = 64  # images decoded between two looks at what they are
_NOTICED_FROM = 5_000  # images that take more than a moment


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How images come to one size.

    Attributes:
        shape: (H, W, C).
        mode: `EXACT` takes no other size, `RESIZE` stretches, `CENTRE` cuts the middle square of
            7/8 of the shorter side and resizes it, as ImageNet is evaluated.
    """

    shape: tuple[int, int, int]
    mode: str = EXACT


def decode(encoded: tf.Tensor, decoding: Decoding) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns pixels uint8 [H, W, C] and the size before, int32 [2].

    Of `EXACT` an image of another size is stretched: whoever calls looks at the size.

    Args:
        encoded: bytes of a file, a scalar string.
        decoding: to what.
    """
    pixels = _decode(encoded, decoding.shape[-1])
    size = tf.shape(pixels)[:2]
    if decoding.mode == CENTRE:
        side = tf.cast(tf.cast(tf.reduce_min(size), tf.float32) * _CENTRE_SHARE + 0.5, tf.int32)
        start = (size - side) // 2
        pixels = pixels[start[0]:start[0] + side, start[1]:start[1] + side]
    return _resize(pixels, decoding.shape), size


def decode_cropped(
    encoded: tf.Tensor, numbers: tf.Tensor, shape: tuple[int, int, int]
) -> tf.Tensor:
    """Returns a part of random size and shape, resized, uint8 [H, W, C].

    As torchvision's RandomResizedCrop: the share of the area is uniform in 0.08 to 1, the logarithm
    of the side ratio in log 3/4 to log 4/3; the first of ten tries that fits is taken, the middle
    where none does.

    Args:
        encoded: bytes of a file, a scalar string.
        numbers: float32 [22] in [0, 1).
        shape: (H, W, C).
    """
    is_jpeg = tf.io.is_jpeg(encoded)
    size = tf.cond(
        is_jpeg,
        lambda: tf.io.extract_jpeg_shape(encoded)[:2],
        lambda: tf.shape(_decode(encoded, shape[-1]))[:2],
    )
    window = crop_window(size, numbers)
    y, x, height, width = tf.unstack(window)
    pixels = tf.cond(
        is_jpeg,
        lambda: tf.io.decode_and_crop_jpeg(
            encoded, window, channels=shape[-1], dct_method=_ACCURATE
        ),
        lambda: _decode(encoded, shape[-1])[y:y + height, x:x + width],
    )
    return _resize(pixels, shape)


def crop_window(size: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """Returns y, x, height and width of a random part, int32 [4]; see `decode_cropped`.

    Args:
        size: int32 [2], h and w.
        numbers: float32 [22] in [0, 1).
    """
    height, width = tf.unstack(tf.cast(size, tf.float32))
    area = height * width * (_AREA[0] + (_AREA[1] - _AREA[0]) * numbers[:_ATTEMPTS])
    ratio = tf.exp((2 * numbers[_ATTEMPTS:2 * _ATTEMPTS] - 1) * tf.constant(_LOG_RATIO, tf.float32))
    heights, widths = tf.round(tf.sqrt(area / ratio)), tf.round(tf.sqrt(area * ratio))
    fits = (heights >= 1) & (widths >= 1) & (heights <= height) & (widths <= width)
    first = tf.argmax(fits)
    side = _middle_window(height, width)
    found = tf.stack([heights[first], widths[first]])
    found = tf.where(tf.reduce_any(fits), found, side)
    room = tf.stack([height, width]) - found
    drawn = tf.floor(numbers[2 * _ATTEMPTS:2 * _ATTEMPTS + 2] * (room + 1))
    start = tf.where(tf.reduce_any(fits), tf.minimum(drawn, room), tf.floor(room / 2))
    return tf.cast(tf.concat([start, found], axis=0), tf.int32)


def decode_all(source, indices: np.ndarray, decoding: Decoding) -> np.ndarray:
    """Returns chosen images of an encoded source, uint8 [n, H, W, C].

    Args:
        source: an `encoded_source.EncodedSource`.
        indices: int64 [n].
        decoding: to what.

    Raises:
        DataError: an image cannot be read or decoded, or has another size; names the file.
    """
    pixels = np.empty((len(indices), *decoding.shape), np.uint8)
    for start, block in _decoded_blocks(source, indices, decoding):
        pixels[start:start + len(block)] = block
    return pixels


def resize_all(pixels: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns images resized, uint8 [n, H, W, C], of uint8 [n, h, w, C]."""
    resized = np.empty((len(pixels), *shape), np.uint8)
    with tf.device("CPU:0"):
        for start in range(0, len(pixels), _BLOCK):
            resized[start:start + _BLOCK] = _stretched(pixels[start:start + _BLOCK], shape)
    return resized


def check_all(source, indices: np.ndarray, decoding: Decoding) -> None:
    """Decodes images and keeps none; raises as `decode_all`."""
    for _ in _decoded_blocks(source, indices, decoding):
        pass


def image_size(source, index: int) -> tuple[int, int]:
    """Returns height and width of one image of an encoded source.

    Raises:
        DataError: it cannot be read or decoded.
    """
    try:
        height, width, _ = _decode(source.read(index), 3).shape
    except tf.errors.OpError as error:
        raise _damage(source, index) from error
    return height, width


def _decoded_blocks(source, indices, decoding: Decoding) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the number of the first image and pixels uint8 [k, H, W, C], block by block."""
    with tf.device("CPU:0"):
        dataset = source.encoded(tf.data.Dataset.from_tensor_slices(indices))
        dataset = parallel_map(dataset, lambda encoded: decode(encoded, decoding))
        blocks = iter(dataset.batch(_BLOCK).prefetch(tf.data.AUTOTUNE))
    starts = range(0, len(indices), _BLOCK)
    with progress_bar(
        total=len(indices), desc="Decoding", unit="image", disable=len(indices) < _NOTICED_FROM
    ) as bar:
        for start in starts:
            chosen = indices[start:start + _BLOCK]
            try:
                block, sizes = (tensor.numpy() for tensor in next(blocks))
            except tf.errors.OpError as error:
                raise _first_damage(source, chosen, decoding, error) from error
            _check_sizes(source, chosen, sizes, decoding)
            yield start, block
            bar.update(len(chosen))


def _check_sizes(source, indices, sizes: np.ndarray, decoding: Decoding) -> None:
    if decoding.mode != EXACT:
        return
    wrong = (sizes != decoding.shape[:2]).any(axis=1)
    if wrong.any():
        place = int(wrong.argmax())
        found, expected = sizes[place], decoding.shape
        raise DataError(
            f"{source.name(indices[place])}: {found[1]} x {found[0]} pixels, expected "
            f"{expected[1]} x {expected[0]} as of the others; an image size makes all alike"
        )


def _first_damage(source, indices, decoding: Decoding, error: tf.errors.OpError) -> DataError:
    """Returns what to say of the first image that cannot be decoded."""
    for index in indices:
        try:
            decode(source.read(index), decoding)
        except tf.errors.OpError:
            return _damage(source, index)
    reason = " ".join(error.message.split())[:_REASON]
    return DataError(f"{source.name(indices[0])}: it, or one after it, cannot be read ({reason})")


def _damage(source, index: int) -> DataError:
    name = source.name(index)
    try:
        head = bytes(source.read(index).numpy()[:8])
    except tf.errors.OpError as error:
        return DataError(f"{name}: cannot be read ({' '.join(error.message.split())[:_REASON]})")
    if not head:
        return DataError(f"{name}: empty file, no image")
    if not head.startswith(_MAGIC):
        return DataError(f"{name}: no image; JPEG, PNG, GIF or BMP is expected")
    return DataError(f"{name}: damaged or truncated image")


def _decode(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    pixels = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.decode_jpeg(encoded, channels, dct_method=_ACCURATE),
        lambda: tf.io.decode_image(encoded, channels, expand_animations=False),
    )
    return tf.ensure_shape(pixels, [None, None, channels])


def _resize(pixels: tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
    """Returns uint8 [H, W, C]; what has the size stays as it is."""
    resized = tf.cond(
        tf.reduce_all(tf.shape(pixels)[:2] == shape[:2]),
        lambda: pixels,
        lambda: _stretched(pixels, shape),
    )
    return tf.ensure_shape(resized, shape)


def _stretched(pixels: tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
    """Returns uint8 [..., H, W, C], bilinear, with a wider filter where an image gets smaller."""
    resized = tf.round(tf.image.resize(pixels, shape[:2], antialias=True))
    return tf.cast(tf.clip_by_value(resized, 0.0, 255.0), tf.uint8)


def _middle_window(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Returns the largest height and width with a side ratio of 3/4 to 4/3."""
    return tf.stack(
        [
            tf.minimum(height, tf.round(width * (4 / 3))),
            tf.minimum(width, tf.round(height * (4 / 3))),
        ]
    )
