"""nas_tf/datasets/own_images.py: arrays of a user as a data set."""

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.datasets import own_images
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.image_data import open_parts
from nas_tf.datasets.settings import Data

IMAGES = np.arange(20 * 4 * 4, dtype=np.uint8).reshape(20, 4, 4, 1)
LABELS = np.arange(20) % 2


def test_they_are_split_like_any_other():
    parts = own_images.parts_of(IMAGES, LABELS, ["even", "odd"])
    data = open_parts(own_images.NAME, parts, Data("folder"), Augmentation())
    assert data.class_names == ("even", "odd") and data.image_shape == (4, 4, 1)
    sizes = {name: part["images"] for name, part in data.summary()["splits"].items()}
    assert sizes == {"train": 14, "validation": 2, "test": 4}
    seen = np.concatenate([
        part.pixels(range(part.num_examples)) for part in (data.train, data.validation, data.test)
    ])
    assert sorted(image[0, 0, 0] for image in seen) == sorted(IMAGES[:, 0, 0, 0])


def test_pixels_are_numbers_of_any_kind_and_names_are_numbers_by_default():
    parts = own_images.parts_of(IMAGES.astype(float), LABELS.tolist())
    assert parts.class_names == ("0", "1")
    np.testing.assert_array_equal(parts.train.source.pixels(slice(None)), IMAGES)


@pytest.mark.parametrize("images, labels, names, message", [
    (IMAGES[..., 0], LABELS, None, r"images \[20, 4, 4\]: expected \[number, height, width, 1 or "),
    (IMAGES[:0], LABELS[:0], None, r"images \[0, 4, 4, 1\]: expected"),
    (IMAGES - 1.0, LABELS, None, "images of float64, -1 to 254: expected pixels from 0 to 255$"),
    (IMAGES * 2.0, LABELS, None, "images of float64, 0 to 510: expected pixels from 0 to 255$"),
    (IMAGES / np.float32(255), LABELS, None, "float32, 0 to 1: expected .* 255; multiply them by"),
    (np.where(IMAGES == 7, np.nan, IMAGES), LABELS, None, "float64, nan to nan: expected pixels"),
    (IMAGES.astype(str), LABELS, None, "images of <U"),
    (IMAGES, LABELS[1:], None, r"labels int64 \[19\]: expected a whole number for each of 20 "),
    (IMAGES, LABELS / 2, None, r"labels float64 \[20\]: expected a whole number"),
    (IMAGES, LABELS - 1, None, "labels: -1 is none of 1 classes, 0 to 0"),
    (IMAGES, LABELS, ["a"], "labels: 1 is none of 1 classes, 0 to 0"),
    (IMAGES, LABELS * 0, None, "labels: one class alone; expected at least two"),
    (IMAGES, LABELS * 2, None, "labels: no image of class 1"),
])
def test_what_is_no_data_set_is_one_line(images, labels, names, message):
    with pytest.raises(DataError, match=message):
        own_images.parts_of(images, labels, names)
