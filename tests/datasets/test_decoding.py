"""Tests of decoding: sizes, channels, random parts, and the names of what is damaged."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from nas_tf.core import DataError
from nas_tf.datasets import decoding
from nas_tf.datasets.decoding import CENTRE, EXACT, RESIZE, Decoding
from nas_tf.datasets.encoded_source import FileSource
from tests.datasets.conftest import write_image

RNG = np.random.default_rng(2)
SMOOTH = np.asarray(  # colours that change slowly, as in photographs
    Image.fromarray(RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize((70, 50), Image.BICUBIC)
)


def encoded(pixels, kind="PNG"):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return tf.constant(content.getvalue())


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_pixels_come_back(kind):
    pixels, size = decoding.decode(encoded(SMOOTH, kind), Decoding((50, 70, 3)))
    np.testing.assert_array_equal(pixels, SMOOTH)
    assert size.numpy().tolist() == [50, 70]


def test_jpeg_is_decoded_as_pillow_does():
    content = encoded(SMOOTH, "JPEG")
    pixels, _ = decoding.decode(content, Decoding((50, 70, 3)))
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(io.BytesIO(content.numpy()))))


def test_every_image_gets_the_channels_of_its_data_set(tmp_path):
    grey = SMOOTH[..., 0]
    for pixels in (grey, np.dstack([grey, grey])):  # with and without transparency
        found, _ = decoding.decode(encoded(pixels), Decoding((50, 70, 3)))
        np.testing.assert_array_equal(found, np.repeat(grey[..., None], 3, axis=2))
    see_through = np.dstack([SMOOTH, np.full((50, 70), 9, np.uint8)])
    found, _ = decoding.decode(encoded(see_through), Decoding((50, 70, 3)))
    np.testing.assert_array_equal(found, SMOOTH)
    found, _ = decoding.decode(encoded(SMOOTH, "JPEG"), Decoding((50, 70, 1)))
    assert found.shape == (50, 70, 1)


def test_resizing_is_pillows_within_a_level():
    for size in ((25, 35), (80, 90)):
        found, _ = decoding.decode(encoded(SMOOTH), Decoding((*size, 3), RESIZE))
        expected = np.asarray(Image.fromarray(SMOOTH).resize(size[::-1], Image.BILINEAR))
        assert np.abs(found.numpy().astype(int) - expected).max() <= 2


def test_the_centre_is_seven_eighths_of_the_shorter_side():
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[3:45, 11:53] = 200  # 42 of 48
    found, _ = decoding.decode(encoded(pixels), Decoding((42, 42, 3), CENTRE))
    assert (found.numpy() == 200).all()
    found, _ = decoding.decode(encoded(pixels), Decoding((44, 44, 3), CENTRE))
    assert (found.numpy() == 200).all()


def test_all_of_one_size_are_resized_alike():
    pixels = RNG.integers(0, 256, (70, 6, 6, 3), dtype=np.uint8)
    found = decoding.resize_all(pixels, (4, 4, 3))
    one, _ = decoding.decode(encoded(pixels[66]), Decoding((4, 4, 3), RESIZE))
    np.testing.assert_array_equal(found[66], one)


def window(height, width, area, ratio, y=0.0, x=0.0, wrong_first=False):
    """The window of given numbers: shares of the ranges of area and log ratio."""
    numbers = np.zeros(22, np.float32)
    numbers[:10], numbers[10:20], numbers[20], numbers[21] = area, ratio, y, x
    if wrong_first:
        numbers[0], numbers[10] = 0.999, 0.999  # wider than the image
    return decoding.crop_window(tf.constant([height, width]), tf.constant(numbers)).numpy().tolist()


def test_random_parts_by_hand():
    # Area 0.08 + 0.92 * 0.5 = 0.54 of 10,000, square: side 73.48.
    assert window(100, 100, 0.5, 0.5) == [0, 0, 73, 73]
    # Ratio 4/3 to the power of 1: 5400 * 4/3 = 84.85² and 5400 * 3/4 = 63.64².
    assert window(100, 100, 0.5, 1.0, y=0.5, x=0.999) == [18, 15, 64, 85]
    assert window(100, 100, 0.5, 0.5, wrong_first=True) == [0, 0, 73, 73]
    # No try fits a strip: its middle, of side ratio 4/3.
    assert window(30, 300, 0.9, 0.5) == [0, 130, 30, 40]


def test_random_parts_are_within_the_image():
    for height, width in ((1, 1), (7, 3), (40, 41), (3, 500)):
        for numbers in RNG.random((20, 22), dtype=np.float32):
            y, x, h, w = decoding.crop_window(
                tf.constant([height, width]), tf.constant(numbers)
            ).numpy()
            assert 0 <= y and 0 <= x and 1 <= h and 1 <= w
            assert y + h <= height and x + w <= width


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_cut_part_is_that_part(kind):
    numbers = np.full(22, 0.5, np.float32)
    content = encoded(SMOOTH, kind)
    y, x, height, width = decoding.crop_window(tf.constant([50, 70]), tf.constant(numbers)).numpy()
    found = decoding.decode_cropped(content, tf.constant(numbers), (height, width, 3))
    whole = np.asarray(Image.open(io.BytesIO(content.numpy()))).astype(int)
    assert np.abs(found.numpy() - whole[y:y + height, x:x + width]).max() <= (kind == "JPEG") * 3


@pytest.fixture
def source(tmp_path):
    """70 images of 6 x 6 pixels."""
    for number in range(70):
        write_image(tmp_path / f"{number:02d}.png", np.full((6, 6, 3), number, np.uint8))
    return FileSource(tmp_path, [f"{number:02d}.png" for number in range(70)])


def test_all_come_in_their_order(source):
    indices = np.array([69, 3, 3, *range(65)])
    found = decoding.decode_all(source, indices, Decoding((6, 6, 3)))
    assert found[:, 2, 2, 1].tolist() == indices.tolist()
    assert decoding.image_size(source, 4) == (6, 6)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "empty file, no image"),
        (b"some words", "no image; JPEG, PNG, GIF or BMP is expected"),
        (b"\x89PNG\r\n\x1a\n and no more", "damaged or truncated image"),
        (None, "cannot be read"),
    ],
)
def test_a_damaged_image_is_named(source, content, message):
    path = source.root / "67.png"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        decoding.decode_all(source, np.arange(70), Decoding((6, 6, 3)))
    assert str(raised.value).startswith(f"{path}: {message}")
    assert "\n" not in str(raised.value)
    with pytest.raises(DataError, match=message):
        decoding.image_size(source, 67)
    decoding.check_all(source, np.arange(67), Decoding((6, 6, 3)))


def test_another_size_is_named_with_both_sizes(source):
    write_image(source.root / "66.png", np.zeros((5, 8, 3), np.uint8))
    with pytest.raises(DataError) as raised:
        decoding.decode_all(source, np.arange(70), Decoding((6, 6, 3), EXACT))
    assert str(raised.value) == (
        f"{source.root / '66.png'}: 8 x 5 pixels, expected 6 x 6 as of the others; "
        "an image size makes all alike"
    )
    assert decoding.decode_all(source, np.arange(70), Decoding((6, 6, 3), RESIZE)).shape[0] == 70
