"""Tests of finding data sets by name."""

import os
import tarfile

import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.datasets import catalog, decoding
from nas_tf.datasets.settings import NAMES, Data
from tests.datasets.conftest import write_classes
from tests.datasets.test_record_source import write as write_records

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def read(name, path=None):
    return catalog.read_parts(Data(data=name, path=None if path is None else str(path)))


def test_every_name_has_a_reader():
    assert sorted([*catalog._READERS, *catalog._WITHOUT_PATH]) == sorted(NAMES)


def test_a_folder_without_parts(folder):
    parts = read("folder", folder)
    assert parts.class_names == ("ant", "bee", "cat") and len(parts.train) == 30
    assert parts.validation is None and parts.test is None and parts.normal is None


def test_a_folder_with_parts(parted):
    parts = read("folder", parted)
    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [16, 6, 8]


def test_an_archive_is_a_folder(parted, tmp_path):
    with tarfile.open(tmp_path / "parted.tar.gz", "w:gz") as archive:
        archive.add(parted, "parted")
    parts = read("folder", tmp_path / "parted.tar.gz")
    assert len(parts.test) == 8 and parts.where.endswith("/parted")


def test_cifar_as_a_folder_of_images(tmp_path):
    for part in ("train", "test"):
        write_classes(tmp_path / "cifar10" / part, dict.fromkeys(CIFAR10, 1))
    parts = read("cifar10", tmp_path)
    assert parts.class_names == CIFAR10 and parts.size == 32 and parts.test is not None
    with pytest.raises(DataError, match="10 classes, cifar100 has 100; --data=folder reads any"):
        read("cifar100", tmp_path)


def test_imagenet_as_folders(parted):
    os.rename(parted / "test", parted / "old")
    parts = read("imagenet", parted)
    assert (parts.size, parts.mode) == (224, decoding.CENTRE)
    assert len(parts.test) == 6 and parts.validation is None  # its validation part has the labels


def test_imagenet_as_records(tmp_path):
    write_records(tmp_path, "train", [6, 3])
    with pytest.raises(DataError, match="record files of train and of validation are expected"):
        read("imagenet", tmp_path)
    write_records(tmp_path, "validation", [3])
    parts = read("imagenet", tmp_path)
    assert parts.class_names == ("n01", "n02", "n03")
    assert (len(parts.train), len(parts.test)) == (9, 3)
    write_records(tmp_path, "validation", [5], classes=5)
    with pytest.raises(DataError, match="label 5, expected 1 to 3 as in training"):
        read("imagenet", tmp_path)


@pytest.mark.parametrize(
    "name, path, error, message",
    [
        ("digits", "x", ConfigError, "path=x: digits need none, --data=folder reads one"),
        ("folder", None, ConfigError, "path=None: data=folder needs the folder or archive"),
        ("imagenet", None, ConfigError, "path=None: data=imagenet needs the folder or archive"),
        ("folder", "gone", DataError, "gone: no such folder or archive"),
        ("tinyimagenet", "gone", DataError, "gone: no such folder or archive"),
    ],
)
def test_paths_that_are_missing_or_too_many(name, path, error, message):
    with pytest.raises(error, match=message):
        read(name, path)


def test_unknown_names_are_refused():
    with pytest.raises(ConfigError, match="data=mnist: expected one of digits, cifar10"):
        Data(data="mnist")


def test_parts_without_training_are_refused(parted):
    os.rename(parted / "train", parted / "old")
    with pytest.raises(DataError, match="validation, test but no train here"):
        read("folder", parted)
