"""Tests of opening a data set: disjoint splits, classes kept, real images."""

import pathlib
import tarfile

import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.image_data import open_data
from nas_tf.datasets.settings import Data
from tests.datasets.conftest import SHARED, write_classes

PLAIN = Augmentation()


def open_folder(path, augmentation=PLAIN, fraction=1.0, **settings):
    data = Data(data="folder", path=str(path), **settings)
    return open_data(data, augmentation, fraction=fraction)


def indices(data):
    """The numbers of each split's images in their source, by split."""
    return {name: set(images.indices.tolist()) for name, images in data._splits.items()}


def counts(data):
    splits = {"train": data.train, "validation": data.validation, "test": data.test}
    return {name: np.bincount(split.labels).tolist() for name, split in splits.items() if split}


@pytest.fixture(scope="module")
def ten():
    """Digits as they are by default."""
    return open_data(Data(), Augmentation.usual("digits"))


def test_digits_by_default(ten):
    assert (ten.name, ten.image_shape) == ("digits", (8, 8, 1))
    assert ten.class_names == tuple("0123456789")
    sizes = {name: item["images"] for name, item in ten.summary()["splits"].items()}
    assert sizes == {"train": 1294, "validation": 144, "test": 359}
    np.testing.assert_allclose((*ten.mean, *ten.std), (77.8, 95.8), atol=0.5)
    batch = next(iter(ten.train.batches(256)))
    assert abs(float(np.mean(batch["image"]))) < 0.2


def test_splits_are_disjoint_and_complete(ten):
    found = indices(ten)
    assert set.union(*found.values()) == set(range(1797))
    assert sum(map(len, found.values())) == 1797


def test_classes_keep_their_shares(ten):
    whole = np.bincount(np.concatenate([s.labels for s in (ten.train, ten.validation, ten.test)]))
    for part, share in zip(counts(ten).values(), (0.72, 0.08, 0.2)):
        assert (np.abs(np.array(part) - share * whole) < 1.5).all()


def test_seeds_of_split_and_order_are_two():
    same = open_data(Data(), PLAIN, seed=9)
    other = open_data(Data(split_seed=1), PLAIN)
    assert same.summary() == open_data(Data(), PLAIN).summary()
    checksums = [
        item["checksum"] for data in (same, other) for item in data.summary()["splits"].values()
    ]
    assert len(set(checksums)) == 6
    assert not np.array_equal(same.train.order(0), open_data(Data(), PLAIN).train.order(0))


def test_low_data_is_a_tenth_of_the_training_images():
    data = open_data(Data(), PLAIN, fraction=0.1)
    assert len(indices(data)["test"]) == 359
    part, rest = (np.array(counts(data)[name]) for name in ("train", "validation"))
    assert part.sum() == 144  # of 1,438
    assert (np.abs(part - 0.1 * (part + rest)) < 1).all()
    assert sum(map(sum, counts(data).values())) == 1797
    assert data.test._images.checksum() == open_data(Data(), PLAIN).test._images.checksum()


def test_nothing_validates_on_request(folder):
    data = open_folder(folder, validation=0.0)
    assert data.validation is None and list(data.summary()["splits"]) == ["train", "test"]


def test_a_limit_keeps_classes(folder):
    data = open_folder(folder, limit=6)
    assert counts(data) == {"train": [2, 3, 1], "validation": [1, 1, 1], "test": [2, 3, 1]}
    with pytest.raises(ConfigError, match="limit=2: expected at least one image of 3 classes"):
        open_folder(folder, limit=2)


def test_parts_of_its_own_are_used(parted):
    data = open_folder(parted)
    assert counts(data) == {"train": [8, 8], "validation": [3, 3], "test": [4, 4]}
    # Low data: the rest of the training images validates.
    assert counts(open_folder(parted, fraction=0.25)) == {
        "train": [2, 2], "validation": [6, 6], "test": [4, 4]
    }


def test_test_images_are_read_at_the_end(parted):
    for path in (parted / "test").rglob("*.png"):
        path.write_bytes(b"not read")
    data = open_folder(parted, Augmentation.usual("folder"))
    data.summary()
    list(data.train.batches(4))
    list(data.validation.batches(4))
    with pytest.raises(DataError, match="test/ant/000.png: no image"):
        data.test.batches(4)


def test_images_of_several_sizes(folder):
    write_classes(folder, {"bee": 1}, size=(9, 5))
    with pytest.raises(DataError, match="bee/000.png: 5 x 9 pixels, expected 6 x 6 as of the"):
        next(iter(open_folder(folder).train.batches(4)))
    data = open_folder(folder, image_size=7)
    assert next(iter(data.train.batches(4)))["image"].shape == (4, 7, 7, 3)


def test_a_class_of_one_image_cannot_be_split(folder):
    write_classes(folder, {"dog": 1})
    with pytest.raises(DataError) as raised:
        open_folder(folder)
    assert str(raised.value) == (
        f"{folder}: class dog has too few training images (1): one is needed for each part that "
        "is cut from them, and one to train on"
    )


def test_a_fraction_is_a_share():
    with pytest.raises(ConfigError, match="fraction=0: expected a share above 0, at most 1"):
        open_data(Data(), PLAIN, fraction=0)


def test_imagenet_is_cut_at_random_and_evaluated_in_the_middle(parted):
    settings = Data(data="imagenet", path=str(parted), image_size=4)
    data = open_data(settings, Augmentation.usual("imagenet"))
    batch = next(iter(data.train.batches(4)))["image"].numpy()
    assert batch.shape == (4, 4, 4, 3) and np.isfinite(batch).all()
    assert data.mean == (123.675, 116.28, 103.53) and data.centre
    assert not open_data(Data(), PLAIN).centre
    assert next(iter(data.test.batches(2)))["image"].shape == (2, 4, 4, 3)


def first_members(archive: pathlib.Path, folder: pathlib.Path, wanted) -> pathlib.Path:
    """Unpacks members of an archive until `wanted`, a number by prefix, are there."""
    if not archive.exists():
        pytest.skip(f"{archive} is absent")
    left = dict(wanted)
    with tarfile.open(archive) as opened:
        for member in opened:
            prefix = next((p for p in left if member.name.startswith(p) and left[p]), None)
            if member.isfile() and prefix is not None:
                opened.extract(member, folder, filter="data")
                left[prefix] -= 1
            if not any(left.values()):
                return folder
    raise AssertionError(left)


def test_real_cifar10_images(tmp_path):
    wanted = {"cifar10/test/airplane": 6, "cifar10/test/automobile": 6}
    root = first_members(SHARED / "cifar10" / "cifar10.tar.gz", tmp_path, wanted)
    data = open_folder(root / "cifar10" / "test", Augmentation.usual("cifar10"))
    assert data.image_shape == (32, 32, 3) and data.class_names == ("airplane", "automobile")
    batch = next(iter(data.train.batches(4)))
    assert batch["image"].shape == (4, 32, 32, 3) and float(np.std(batch["image"])) > 0.3


def test_real_tiny_imagenet_images(tmp_path):
    archive = SHARED / "tiny_imagenet" / "tiny-imagenet-200-subset.tar.gz"
    wanted = {"tiny-imagenet-200/train/n01443537": 5, "tiny-imagenet-200/train/n01629819": 5}
    root = first_members(archive, tmp_path, wanted)
    data = open_folder(root, image_size=32)
    assert len(data.class_names) == 2
    assert next(iter(data.train.batches(4)))["image"].shape == (4, 32, 32, 3)
