"""Augmentation of a batch, every image by its own random numbers.

An image's numbers have fixed columns, so that switching one change on leaves the others as they
were: 0 and 1 the crop, 2 the flip, 3 to 5 Cutout, 6 to 9 the colours, from 10 on the resized crop.

As in the papers' code black is padded before normalisation, and Cutout blanks after it, so with
the mean colour.

Shapes: b images, H and W pixels, C channels.
"""

import tensorflow as tf

from nas_tf.datasets.augmentation import Augmentation

_CROP_Y, _CROP_X, _FLIP, _CUTOUT, _CUTOUT_Y, _CUTOUT_X = range(6)
_COLOURS = slice(6, 10)
RESIZED_CROP = slice(10, 32)
NUMBERS = 32  # an image
_GREY = (0.299, 0.587, 0.114)  # ITU-R 601, of red, green and blue
_BLACK = 0.0


def augment(
    pixels: tf.Tensor, numbers: tf.Tensor, augmentation: Augmentation, mean, std
) -> tf.Tensor:
    """Returns varied and normalised images, float32 [b, H, W, C].

    Args:
        pixels: uint8 [b, H, W, C].
        numbers: float32 [b, NUMBERS] in [0, 1), see above.
        augmentation: with a number as `crop_padding`.
        mean: of the pixels, [C].
        std: likewise.
    """
    images = shift_and_flip(
        pixels, numbers, 0 if augmentation.resized_crop else augmentation.crop_padding,
        augmentation.flip,
    )
    if augmentation.jitter:
        images = jitter(images, numbers[:, _COLOURS], augmentation.jitter)
    images = normalize(images, mean, std)
    if augmentation.cutout:
        images *= cutout_mask(
            images.shape, numbers, augmentation.cutout, augmentation.cutout_probability
        )
    return images


def normalize(images: tf.Tensor, mean, std) -> tf.Tensor:
    """Returns (image - mean) / std as float32; mean and std are [C]."""
    return (tf.cast(images, tf.float32) - mean) / std


def shift_and_flip(
    pixels: tf.Tensor, numbers: tf.Tensor, padding: int, flip: bool
) -> tf.Tensor:
    """Cuts windows out of black-padded images and mirrors them, in one gather of pixels.

    Args:
        pixels: uint8 [b, H, W, C].
        numbers: float32 [b, NUMBERS].
        padding: in pixels; there are (2 padding + 1)² windows, equally likely.
        flip: mirror those whose number is below a half.

    Returns:
        float32 [b, H, W, C], pixels 0 to 255.
    """
    if not padding and not flip:
        return tf.cast(pixels, tf.float32)
    batch, height, width, channels = pixels.shape
    rows = tf.tile(tf.range(height)[None], [batch, 1])
    columns = tf.tile(tf.range(width)[None], [batch, 1])
    if flip:
        columns = tf.where(numbers[:, _FLIP, None] < 0.5, width - 1 - columns, columns)
    rows += _offset(numbers[:, _CROP_Y], padding)
    columns += _offset(numbers[:, _CROP_X], padding)
    index = (tf.range(batch)[:, None] * height + tf.clip_by_value(rows, 0, height - 1)) * width
    index = index[:, :, None] + tf.clip_by_value(columns, 0, width - 1)[:, None, :]
    images = tf.cast(tf.gather(tf.reshape(pixels, [-1, channels]), index), tf.float32)
    if not padding:
        return images
    inside = (rows >= 0) & (rows < height)
    inside = inside[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    return images * tf.cast(inside, tf.float32)[..., None]


def cutout_mask(shape, numbers: tf.Tensor, side: int, probability: float) -> tf.Tensor:
    """Returns what Cutout multiplies normalised images with, float32 [b, H, W, 1].

    Args:
        shape: of the images, [b, H, W, C].
        numbers: float32 [b, NUMBERS].
        side: of the square, in pixels; it is clipped at the border.
        probability: share of the images that are blanked.
    """
    _, height, width, _ = shape
    rows = _square(numbers[:, _CUTOUT_Y], height, side)
    columns = _square(numbers[:, _CUTOUT_X], width, side)
    chosen = numbers[:, _CUTOUT] < probability
    blank = rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]
    return tf.cast(~blank, tf.float32)[..., None]


def jitter(images: tf.Tensor, numbers: tf.Tensor, bound: float) -> tf.Tensor:
    """Changes brightness, contrast, saturation and hue, in this order.

    Brightness, contrast and saturation are blends with black, the image's mean grey and grey, by
    a factor from 1 - bound to 1 + bound. The hue turns by at most bound / 2 of a whole turn.
    Images of one channel have neither saturation nor hue.

    Args:
        images: float32 [b, H, W, C], pixels 0 to 255.
        numbers: float32 [b, 4].
        bound: of the changes.
    """
    change = (2.0 * numbers - 1.0)[:, :, None, None, None] * bound
    factor = 1.0 + change
    images = _blend(images, _BLACK, factor[:, 0])
    mean_grey = tf.reduce_mean(_grey(images), axis=[1, 2, 3], keepdims=True)
    images = _blend(images, mean_grey, factor[:, 1])
    if images.shape[-1] != 3:
        return images
    images = _blend(images, _grey(images), factor[:, 2])
    hue, saturation, value = tf.unstack(tf.image.rgb_to_hsv(images / 255.0), axis=-1)
    hue = tf.math.floormod(hue + change[:, 3, :, :, 0] / 2.0, 1.0)
    return tf.image.hsv_to_rgb(tf.stack([hue, saturation, value], axis=-1)) * 255.0


def _offset(numbers: tf.Tensor, padding: int) -> tf.Tensor:
    """Returns int32 [b, 1], from -padding to padding."""
    return _below(numbers, 2 * padding + 1)[:, None] - padding


def _below(numbers: tf.Tensor, count: int) -> tf.Tensor:
    """Returns int32 [b], from 0 to count - 1; rounding never reaches count."""
    return tf.minimum(tf.cast(numbers * count, tf.int32), count - 1)


def _square(numbers: tf.Tensor, size: int, side: int) -> tf.Tensor:
    """Returns bool [b, size]: the places within half a side of a centre."""
    start = _below(numbers, size)[:, None] - side // 2
    places = tf.range(size)[None]
    return (places >= start) & (places < start + side // 2 * 2)


def _grey(images: tf.Tensor) -> tf.Tensor:
    """Returns the brightness, float32 [b, H, W, 1]."""
    if images.shape[-1] != 3:
        return tf.reduce_mean(images, axis=-1, keepdims=True)
    return tf.reduce_sum(images * tf.constant(_GREY), axis=-1, keepdims=True)


def _blend(images: tf.Tensor, other, factor: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(images * factor + other * (1.0 - factor), 0.0, 255.0)
