"""Tests of the form in which a network gets images."""

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.datasets import catalog, decoding, digits, forms
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.catalog import Parts
from nas_tf.datasets.decoding import Decoding
from nas_tf.datasets.encoded_source import DecodedSource, FileSource
from nas_tf.datasets.image_source import ArraySource, Images
from nas_tf.datasets.settings import Data

PLAIN = Augmentation()


@pytest.fixture
def parts(folder):
    return catalog.read_parts(Data(data="folder", path=str(folder)))


def test_sizes(parts):
    assert forms.decoding_of(parts, None) == Decoding((6, 6, 3), decoding.EXACT)
    assert forms.decoding_of(parts, 5) == Decoding((5, 5, 3), decoding.RESIZE)
    ten = Parts("digits", digits.CLASSES, digits.images(), size=8)
    assert forms.decoding_of(ten, None).shape == (8, 8, 1)
    assert forms.decoding_of(ten, 12).shape == (12, 12, 1)


def test_statistics_are_of_training_images(parts):
    form = Decoding((6, 6, 3))
    pixels = decoding.decode_all(parts.train.source, parts.train.indices[:10], form)
    found = forms.normal_of(parts, parts.train.select(np.arange(10)), form)
    np.testing.assert_allclose(found.mean, pixels.reshape(-1, 3).mean(axis=0))
    np.testing.assert_allclose(found.std, pixels.reshape(-1, 3).std(axis=0))


def test_images_of_one_colour_can_be_normalized():
    pixels = np.full((2, 4, 4, 1), 7, np.uint8)
    train = Images.all_of(ArraySource(lambda: pixels, "one", (4, 4, 1)), [0, 1])
    found = forms.normal_of(Parts("one", ("a", "b"), train), train, Decoding((4, 4, 1)))
    assert (found.mean, found.std) == ((7.0,), (1.0,))


def test_published_statistics_are_of_pixels_to_255():
    parts = Parts("x", ("a",), None, normal=((0.5, 0.2, 0.0), (0.1, 0.2, 1.0)))
    found = forms.normal_of(parts, None, Decoding((4, 4, 3)))
    assert found.mean == (127.5, 51.0, 0.0) and found.std == (25.5, 51.0, 255.0)


def test_what_memory_holds_is_decoded_once(parts, monkeypatch):
    splits = {"train": parts.train.select(np.arange(20)), "test": parts.train.select([25, 26])}
    found = forms.prepare(splits, Decoding((6, 6, 3)), PLAIN)
    assert found["train"].source is found["test"].source
    assert isinstance(found["train"].source, DecodedSource)
    monkeypatch.setattr(forms, "_MEMORY_BYTES", 30 * 6 * 6 * 3 - 1)
    found = forms.prepare(splits, Decoding((6, 6, 3)), PLAIN)
    assert isinstance(found["train"].source, FileSource)


def test_parts_of_images_are_cut_from_files(parts):
    cut = Augmentation(resized_crop=True)
    splits = {"train": parts.train, "test": parts.train}
    found = forms.prepare(splits, Decoding((6, 6, 3)), cut)
    assert isinstance(found["train"].source, FileSource)
    assert isinstance(found["test"].source, DecodedSource)
    with pytest.raises(ConfigError, match="resized_crop=True: expected images that are in files"):
        forms.prepare({"train": digits.images()}, Decoding((8, 8, 1)), cut)


def test_pixels_in_memory_are_resized():
    images = digits.images()
    found = forms.prepare({"train": images, "test": images}, Decoding((16, 16, 1)), PLAIN)
    source = found["test"].source
    assert source.pixels(np.array([3])).shape == (1, 16, 16, 1)
    assert source.identity == images.source.identity
