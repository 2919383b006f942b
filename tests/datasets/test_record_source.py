"""Tests of ImageNet's record files, made here with invented images."""

import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import DataError
from nas_tf.datasets import decoding, record_source
from nas_tf.datasets.decoding import Decoding


def example(image, label, synset):
    """A record as TensorFlow's official scripts write it; labels begin with 1."""
    pixels = np.full((6, 6, 3), image, np.uint8)
    features = {
        "image/encoded": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[tf.io.encode_png(pixels).numpy()])
        ),
        "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        "image/class/synset": tf.train.Feature(bytes_list=tf.train.BytesList(value=[synset])),
        "image/filename": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x" * image])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def write(root, part, counts, classes=3):
    """Writes files of some images each; image k has label k % classes + 1 and pixels of value k."""
    image = 0
    for number, count in enumerate(counts):
        path = root / f"{part}-{number:05d}-of-{len(counts):05d}"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for _ in range(count):
                label = image % classes + 1
                writer.write(example(image, label, f"n0{label}".encode()))
                image += 1
    return root


@pytest.fixture
def files(tmp_path):
    write(tmp_path, "train", [5, 4, 30])
    return record_source.record_files(tmp_path, "train")


def test_records_are_read_in_any_order(files):
    images, synsets = record_source.read(files)
    assert synsets == {0: "n01", 1: "n02", 2: "n03"}
    assert images.labels.tolist() == [k % 3 for k in range(39)]
    order = np.random.default_rng(0).permutation(39)
    found = decoding.decode_all(images.source, order, Decoding((6, 6, 3)))
    assert found[:, 0, 0, 0].tolist() == order.tolist()
    assert decoding.image_size(images.source, 7) == (6, 6)


def test_places_are_found_once(files, monkeypatch):
    first, _ = record_source.read(files)
    monkeypatch.setattr(record_source, "_scan", None)
    second, synsets = record_source.read(files)
    assert second.checksum() == first.checksum() and len(synsets) == 3


def test_a_damaged_image_is_named_by_its_record(files):
    images, _ = record_source.read(files)
    columns = images.source._columns
    place = int(columns["offset"][10])
    content = bytearray(files[2].read_bytes())
    start = content.index(b"\x89PNG", place)
    content[start:start + 30] = bytes(30)
    files[2].write_bytes(content)
    with pytest.raises(DataError) as raised:
        decoding.decode_all(images.source, np.arange(39), Decoding((6, 6, 3)))
    assert str(raised.value) == (
        f"{files[2]}: record at byte offset {place - 12}: no image; "
        "JPEG, PNG, GIF or BMP is expected"
    )


def test_damaged_files_are_named(files):
    content = bytearray(files[1].read_bytes())
    content[100] ^= 1
    files[1].write_bytes(content)
    with pytest.raises(DataError, match="train-00001-of-00003: damaged, or no records of images"):
        record_source.read(files)
    files[1].write_bytes(b"")
    with pytest.raises(DataError, match="train-00001-of-00003: holds no record"):
        record_source.read(files)


def test_labels_begin_with_one(tmp_path):
    path = tmp_path / "train-00000-of-00001"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example(1, 1, b""))
        writer.write(example(2, 0, b""))
    with pytest.raises(DataError, match="record 1: label 0, expected 1 or more"):
        record_source.read([path])


def test_missing_files_are_named(files):
    files[1].unlink()
    with pytest.raises(DataError, match="train-00001-of-00003: no such record file"):
        record_source.record_files(files[0].parent, "train")
    assert record_source.record_files(files[0].parent, "validation") == []
