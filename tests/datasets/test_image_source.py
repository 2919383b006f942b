"""Tests of sources of images and of chosen ones."""

import numpy as np

from nas_tf.datasets.image_source import ArraySource, Images


def make(log=None):
    pixels = np.arange(4 * 2 * 2 * 1, dtype=np.uint8).reshape(4, 2, 2, 1)

    def load():
        if log is not None:
            log.append("read")
        return pixels

    return Images.all_of(ArraySource(load, "four", (2, 2, 1)), [0, 1, 1, 0])


def test_pixels_are_read_at_their_first_use():
    log = []
    images = make(log)
    chosen = images.select(np.array([3, 1]))
    assert len(chosen) == 2 and chosen.labels.tolist() == [0, 1] and log == []
    assert chosen.source.pixels(chosen.indices)[:, 0, 0, 0].tolist() == [12, 4]
    assert images.source.pixels(images.indices).shape == (4, 2, 2, 1)
    assert log == ["read"]


def test_selections_of_selections():
    chosen = make().select(np.array([True, False, True, True])).select(np.array([2]))
    assert chosen.indices.tolist() == [3]


def test_checksums_know_source_images_and_labels():
    images = make()
    assert images.checksum() == make().checksum()
    other = Images.all_of(ArraySource(lambda: None, "five", (2, 2, 1)), [0, 1, 1, 0])
    relabelled = Images.all_of(images.source, [0, 1, 1, 1])
    part = images.select(np.array([0, 1]))
    assert len({i.checksum() for i in (images, other, relabelled, part)}) == 4
