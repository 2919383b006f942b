"""Tests of the digits that scikit-learn ships."""

import numpy as np
from sklearn import datasets

from nas_tf.datasets import digits


def test_digits_are_scikit_learns():
    images = digits.images()
    pixels = images.source.pixels(images.indices)
    assert pixels.shape == (1797, 8, 8, 1) and pixels.dtype == np.uint8
    assert images.source.shape == (8, 8, 1)
    np.testing.assert_array_equal(np.rint(pixels[..., 0] / 255 * 16), datasets.load_digits().images)
    assert np.bincount(images.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # The first row of the first image is 0 0 5 13 9 1 0 0 of 16.
    assert pixels[0, 0, :, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]
