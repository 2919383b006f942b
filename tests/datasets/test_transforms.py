"""Tests of augmentation, against images moved by hand."""

import colorsys

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.datasets import random_numbers, transforms
from nas_tf.datasets.augmentation import Augmentation

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(1, 256, (5, 6, 8, 3), dtype=np.uint8)


def numbers(batch=5, **columns):
    """Numbers [batch, NUMBERS] that change nothing, but for some columns."""
    places = {"y": 0, "x": 1, "flip": 2, "cutout": 3, "cutout_y": 4, "cutout_x": 5}
    found = np.full((batch, transforms.NUMBERS), 0.5, np.float32)
    for name, values in columns.items():
        found[:, places[name]] = values
    return tf.constant(found)


def drawn(count, seed=0):
    """Random numbers of images 0 to count - 1."""
    key = tf.constant(random_numbers.key_of(seed, 0), tf.uint64)
    return random_numbers.uniform(key, tf.range(count, dtype=tf.int64), transforms.NUMBERS)


def test_crops_are_windows_of_the_padded_image():
    rows, columns, flips = [0, 1, 2, 3, 4], [4, 0, 2, 1, 3], [0.1, 0.9, 0.5, 0.49, 0.7]
    given = numbers(y=(np.array(rows) + 0.5) / 5, x=(np.array(columns) + 0.5) / 5, flip=flips)
    found = transforms.shift_and_flip(tf.constant(PIXELS), given, 2, True).numpy()
    padded = np.pad(PIXELS, ((0, 0), (2, 2), (2, 2), (0, 0)))
    for image, (y, x, flip) in enumerate(zip(rows, columns, flips)):
        window = padded[image, y:y + 6, x:x + 8]
        if flip < 0.5:
            window = window[:, ::-1]  # cut first, then mirrored, as in PyTorch's code
        np.testing.assert_array_equal(found[image], window)


def test_nothing_to_do_leaves_pixels():
    np.testing.assert_array_equal(
        transforms.shift_and_flip(tf.constant(PIXELS), drawn(5), 0, False), PIXELS
    )


def test_all_81_windows_of_padding_4_are_equally_likely():
    count = 16_200
    pixels = np.zeros((1, 9, 9, 1), np.uint8)
    pixels[0, 4, 4] = 1
    found = transforms.shift_and_flip(
        tf.constant(np.repeat(pixels, count, axis=0)), drawn(count), 4, False
    ).numpy()
    places = found.reshape(count, -1).argmax(axis=1)
    counts = np.bincount(places, minlength=81)
    assert found.sum(axis=(1, 2, 3)).tolist() == [1.0] * count
    # Chi-square with 80 degrees of freedom: mean 80, standard deviation 12.6.
    assert ((counts - 200) ** 2 / 200).sum() < 80 + 4 * 12.6


def test_half_of_the_images_are_flipped():
    pixels = np.zeros((4_000, 1, 2, 1), np.uint8)
    pixels[:, 0, 0] = 1
    found = transforms.shift_and_flip(tf.constant(pixels), drawn(4_000), 0, True).numpy()
    assert abs(found[:, 0, 1, 0].mean() - 0.5) < 0.03


def test_cutout_is_the_papers():
    """DeVries and Taylor's loop, by hand: centres (0, 0), (3, 5), (5, 7); side 4."""
    given = numbers(3, cutout=0.0, cutout_y=[0.0, 3.5 / 6, 0.99], cutout_x=[0.0, 5.5 / 8, 0.99])
    mask = transforms.cutout_mask((3, 6, 8, 3), given, 4, 1.0).numpy()[..., 0]
    expected = np.ones((3, 6, 8))
    expected[0, 0:2, 0:2] = 0
    expected[1, 1:5, 3:7] = 0
    expected[2, 3:6, 5:8] = 0
    np.testing.assert_array_equal(mask, expected)


def test_an_odd_side_is_one_less():
    given = numbers(1, cutout=0.0, cutout_y=0.5, cutout_x=0.5)
    even, odd = (transforms.cutout_mask((1, 8, 8, 1), given, side, 1.0) for side in (4, 5))
    np.testing.assert_array_equal(even, odd)


@pytest.mark.parametrize("probability, bounds", [(0.0, (0, 0)), (0.4, (0.37, 0.43)), (1.0, (1, 1))])
def test_cutout_has_its_probability(probability, bounds):
    mask = transforms.cutout_mask((4_000, 4, 4, 1), drawn(4_000), 2, probability).numpy()
    share = (mask.min(axis=(1, 2, 3)) == 0).mean()
    assert bounds[0] <= share <= bounds[1]


def test_augment_normalizes_black_padding_and_blanks_with_the_mean():
    given = numbers(1, y=0.0, x=0.0, flip=0.9, cutout=0.0, cutout_y=0.99, cutout_x=0.99)
    pixels = np.full((1, 4, 4, 1), 100, np.uint8)
    found = transforms.augment(
        tf.constant(pixels), given, Augmentation(crop_padding=1, cutout=2),
        tf.constant([50.0]), tf.constant([25.0]),
    ).numpy()[0, ..., 0]
    expected = np.full((4, 4), 2.0)
    expected[0], expected[:, 0] = -2.0, -2.0  # black: (0 - 50) / 25
    expected[2:, 2:] = 0.0
    np.testing.assert_array_equal(found, expected)


def test_changes_do_not_depend_on_each_other():
    pixels, mean, std = tf.constant(PIXELS), tf.zeros(3), tf.ones(3)
    plain = transforms.augment(pixels, drawn(5), Augmentation(2, True), mean, std)
    blanked = transforms.augment(pixels, drawn(5), Augmentation(2, True, cutout=4), mean, std)
    kept = blanked.numpy() != 0
    assert 0 < kept.mean() < 1
    np.testing.assert_array_equal(blanked.numpy()[kept], plain.numpy()[kept])


def test_jitter_with_numbers_in_the_middle_changes_nothing():
    found = transforms.jitter(tf.constant(PIXELS, tf.float32), tf.fill([5, 4], 0.5), 0.4)
    np.testing.assert_allclose(found, PIXELS, atol=0.01)


def test_jitter_by_hand():
    pixel = np.full((1, 1, 1, 3), (200.0, 100.0, 50.0), np.float32)
    # Factors of brightness 0.6, contrast 1 and saturation 1.4, hue turned by 0.1.
    found = transforms.jitter(
        tf.constant(pixel), tf.constant([[0.0, 0.5, 1.0, 0.75]]), 0.4
    ).numpy()[0, 0, 0]
    dark = pixel[0, 0, 0] * 0.6
    vivid = dark * 1.4 - 0.4 * (0.299 * dark[0] + 0.587 * dark[1] + 0.114 * dark[2])
    hue, saturation, value = colorsys.rgb_to_hsv(*np.clip(vivid, 0, 255) / 255)
    expected = 255 * np.array(colorsys.hsv_to_rgb(hue + 0.1, saturation, value))
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_jitter_of_grey_images_leaves_one_channel():
    images = tf.constant(PIXELS[..., :1], tf.float32)
    assert transforms.jitter(images, drawn(5)[:, 6:10], 0.4).shape == images.shape
