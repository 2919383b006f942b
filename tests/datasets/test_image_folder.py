"""Tests of folders of images by class."""

import os

import pytest

from nas_tf.core import DataError
from nas_tf.datasets import image_folder
from tests.datasets.conftest import write_classes

CLASSES = ("ant", "bee", "cat")


def test_images_by_class(folder):
    (folder / "ant" / ".DS_Store").touch()
    (folder / "ant" / "Thumbs.db").touch()
    (folder / ".git").mkdir()
    (folder / "README.txt").touch()
    os.makedirs(folder / "bee" / "more")
    os.rename(folder / "bee" / "003.png", folder / "bee" / "more" / "003.PNG")
    assert image_folder.classes_of(folder) == CLASSES
    images = image_folder.images_of(folder, CLASSES)
    assert images.labels.tolist() == [0] * 10 + [1] * 14 + [2] * 6
    assert images.source.files[:2] == ["ant/000.png", "ant/001.png"]
    assert images.source.files[23] == "bee/more/003.PNG"


def test_parts_have_several_names(tmp_path):
    for name in ("training", "valid", "testing", "other"):
        (tmp_path / name).mkdir()
    found = image_folder.part_folders(tmp_path)
    names = {part: folder.name for part, folder in found.items()}
    assert names == {"train": "training", "validation": "valid", "test": "testing"}


def test_a_split_named_twice_is_refused(parted):
    os.makedirs(parted / "validation")
    with pytest.raises(DataError) as raised:
        image_folder.part_folders(parted)
    assert str(raised.value) == (
        f"{parted}: the validation split is there twice, as validation and val"
    )


def test_one_folder_is_not_two_splits(parted):
    os.rename(parted / "test", parted / "old")
    os.symlink(parted / "val", parted / "test")
    with pytest.raises(DataError, match=f"{parted}/test: the same folder as {parted}/val"):
        image_folder.part_folders(parted)


def test_one_folder_is_not_two_classes(folder):
    os.symlink(folder / "ant", folder / "wasp")
    with pytest.raises(DataError, match="wasp: the same folder as .*ant"):
        image_folder.images_of(folder, image_folder.classes_of(folder))


def test_one_class_is_refused(tmp_path):
    write_classes(tmp_path, {"ant": 3})
    with pytest.raises(DataError) as raised:
        image_folder.classes_of(tmp_path)
    assert str(raised.value) == f"{tmp_path}: only one class (ant), expected two or more"


def test_no_classes_are_refused(tmp_path):
    with pytest.raises(DataError, match="no folders of images by class here"):
        image_folder.classes_of(tmp_path)


def test_an_image_of_no_class_is_refused(folder):
    os.rename(folder / "ant" / "000.png", folder / "000.png")
    with pytest.raises(DataError, match="images/000.png: an image outside of the classes' folders"):
        image_folder.classes_of(folder)


def test_an_empty_class_is_refused(folder):
    (folder / "dog").mkdir()
    with pytest.raises(DataError, match="images/dog: no images of this class"):
        image_folder.images_of(folder, image_folder.classes_of(folder))


def test_a_class_that_was_not_trained_on_is_refused(folder):
    with pytest.raises(DataError, match="images/cat: no class of the training images"):
        image_folder.images_of(folder, CLASSES[:2])


def test_a_file_that_is_no_image_is_named(folder):
    (folder / "bee" / "notes.txt").touch()
    with pytest.raises(DataError, match=r"images/bee/notes.txt: no image; expected .jpg"):
        image_folder.images_of(folder, CLASSES)


def test_what_archives_put_around_is_descended(folder, tmp_path):
    (tmp_path / "outer").mkdir()
    os.rename(folder, tmp_path / "outer" / "inner")
    assert image_folder.descend(tmp_path / "outer") == tmp_path / "outer" / "inner"
    write_classes(tmp_path / "one", {"ant": 2})
    assert image_folder.descend(tmp_path / "one") == tmp_path / "one"


def test_a_lone_training_folder_is_kept(folder, tmp_path):
    (tmp_path / "outer").mkdir()
    os.rename(folder, tmp_path / "outer" / "train")
    assert image_folder.descend(tmp_path / "outer") == tmp_path / "outer"
