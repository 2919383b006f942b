"""Tests of images that are predicted."""

import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.datasets.unlabelled import read_images
from tests.datasets.conftest import write_image


@pytest.fixture
def images(tmp_path):
    written = (("b.png", (6, 6), 10), ("a.png", (9, 5), 20), ("c/d.png", (2, 2), 30))
    for name, size, value in written:
        write_image(tmp_path / name, np.full((*size, 3), value, np.uint8))
    return tmp_path


def test_any_size_in_the_order_of_names(images):
    files, pipeline = read_images(images, (4, 4, 3), (10, 10, 10), (2, 2, 2))
    assert files == ["a.png", "b.png", "c/d.png"]
    (batch,) = pipeline.batches(4).as_numpy_iterator()
    assert batch["image"].shape == (4, 4, 4, 3)
    assert batch["image"][:3, 1, 1, 0].tolist() == [5.0, 0.0, 10.0]
    assert batch["weight"].tolist() == [1, 1, 1, 0]
    assert pipeline.image_name(1) == str(images / "b.png")


def test_grey_networks_get_grey_images(images):
    _, pipeline = read_images(images, (4, 4, 1), [0], [1])
    assert next(iter(pipeline.batches(2)))["image"].shape == (2, 4, 4, 1)


def test_one_image(images):
    files, pipeline = read_images(images / "a.png", (4, 4, 3), [0] * 3, [1] * 3, centre=True)
    assert files == ["a.png"] and pipeline.num_examples == 1


def test_bad_input_is_named(images, tmp_path):
    with pytest.raises(ConfigError, match=r"mean=\[0\]: expected 3 numbers"):
        read_images(images, (4, 4, 3), [0], [1, 1, 1])
    (images / "c" / "notes.txt").touch()
    with pytest.raises(DataError, match="c/notes.txt: no image; expected"):
        read_images(images, (4, 4, 3), [0] * 3, [1] * 3)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no images here"):
        read_images(tmp_path / "empty", (4, 4, 3), [0] * 3, [1] * 3)
    (images / "b.png").write_bytes(b"\xff\xd8\xff and no more")
    (images / "c" / "notes.txt").unlink()
    _, pipeline = read_images(images, (4, 4, 3), [0] * 3, [1] * 3)
    with pytest.raises(DataError, match="b.png: damaged or truncated image"):
        pipeline.batches(2)
