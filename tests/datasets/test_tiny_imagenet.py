"""Tests of Tiny-ImageNet's layout."""

import os

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.datasets import tiny_imagenet
from tests.datasets.conftest import write_image


@pytest.fixture
def tiny(tmp_path):
    """Two classes with 3 training images each; 4 validation images."""
    black = np.zeros((4, 4, 3), np.uint8)
    for wnid in ("n02", "n01"):
        for number in range(3):
            write_image(tmp_path / "train" / wnid / "images" / f"{wnid}_{number}.JPEG", black)
        (tmp_path / "train" / wnid / f"{wnid}_boxes.txt").touch()
    for number in range(4):
        write_image(tmp_path / "val" / "images" / f"val_{number}.JPEG", black)
    annotate(tmp_path, [f"val_{number}.JPEG\t{wnid}" for number, wnid in
                        ((3, "n01"), (0, "n02"), (1, "n02"), (2, "n01"))])
    return tmp_path


def annotate(root, lines):
    text = "".join(f"{line}\t0\t32\t44\t62\n" for line in lines)
    (root / "val" / tiny_imagenet.ANNOTATIONS).write_text(text)


def test_official_layout(tiny):
    train, test, class_names = tiny_imagenet.read(tiny)
    assert class_names == ("n01", "n02")
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert train.source.files[4] == "n02/images/n02_1.JPEG"
    assert test.source.files == [f"val_{number}.JPEG" for number in range(4)]
    assert test.labels.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    "lines, message",
    [
        (["val_0.JPEG\tn03"], "val_annotations.txt: line 1: 'n03' is no class"),
        (["val_0.JPEG"], "val_annotations.txt: line 1: '0' is no class"),
        (["val_9.JPEG\tn01"], "val_9.JPEG: no such image, val_annotations.txt lists it"),
        (["val_0.JPEG\tn01", "val_0.JPEG\tn02"], "line 2: val_0.JPEG for the second time"),
        (["val_0.JPEG\tn01"], "val_1.JPEG: not listed in val_annotations.txt"),
    ],
)
def test_wrong_annotations_are_named(tiny, lines, message):
    annotate(tiny, lines)
    with pytest.raises(DataError, match=message):
        tiny_imagenet.read(tiny)


def test_missing_files_are_named(tiny):
    os.remove(tiny / "val" / tiny_imagenet.ANNOTATIONS)
    with pytest.raises(DataError, match="val_annotations.txt: cannot be read"):
        tiny_imagenet.read(tiny)
    for number in range(3):
        os.remove(tiny / "train" / "n02" / "images" / f"n02_{number}.JPEG")
    with pytest.raises(DataError, match="train/n02/images: no images of this class"):
        tiny_imagenet.read(tiny)
    with pytest.raises(DataError, match="no folder train here"):
        tiny_imagenet.read(tiny / "val")
