"""Tests of CIFAR's official files, made here with invented images."""

import pickle

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.datasets import cifar

RNG = np.random.default_rng(0)
DATA = RNG.integers(0, 256, (6, 4, 3072), dtype=np.uint8)
LABELS = RNG.integers(0, 10, (6, 4))


def write_python(folder, name):
    """Writes five training files (one of CIFAR-100) and a test file."""
    version = cifar.VERSIONS[name]
    train, test, names = version.python
    folder.mkdir()
    for number, file in enumerate((*train, test)):
        number = 5 if file == test else number
        batch = {"data": DATA[number], version.label_key: LABELS[number].tolist()}
        (folder / file).write_bytes(pickle.dumps(batch, 2))
    class_names = [f"class {number}" for number in range(version.num_classes)]
    (folder / names).write_bytes(pickle.dumps({version.names_key: class_names}, 2))
    return folder


def write_binary(folder, name):
    version = cifar.VERSIONS[name]
    folder.mkdir()
    train, test, _ = version.binary
    for number, file in enumerate((*train, test)):
        number = 5 if file == test else number
        coarse = np.full((4, version.label_bytes - 1), 77)
        rows = np.concatenate([coarse, LABELS[number][:, None], DATA[number]], axis=1)
        (folder / file).write_bytes(rows.astype(np.uint8).tobytes())
    return folder


@pytest.mark.parametrize("write", [write_python, write_binary])
@pytest.mark.parametrize("name, files", [("cifar10", 5), ("cifar100", 1)])
def test_official_files(tmp_path, write, name, files):
    folder = write(tmp_path / "official", name)
    assert cifar.find(tmp_path, name) == cifar.find(folder, name) == folder
    train, test, class_names = cifar.read(folder, name)
    assert train.labels.tolist() == LABELS[:files].ravel().tolist()
    assert test.labels.tolist() == LABELS[5].tolist()
    pixels = train.source.pixels(train.indices)
    assert pixels.shape == (4 * files, 32, 32, 3)
    # Stored by channel, row and column: red of row 2, column 7 is byte 71, blue is 2048 later.
    assert pixels[1, 2, 7].tolist() == DATA[0, 1, [71, 1095, 2119]].tolist()
    assert len(class_names) == {"cifar10": 10, "cifar100": 100}[name]
    assert class_names[3] == ("class 3" if write is write_python else "3")


def test_test_images_are_read_when_they_are_used(tmp_path):
    folder = write_python(tmp_path / "official", "cifar10")
    _, test, _ = cifar.read(folder, "cifar10")
    test.checksum()
    (folder / "test_batch").unlink()
    with pytest.raises(DataError, match="test_batch: cannot be read"):
        test.source.pixels(test.indices)


def test_other_folders_are_not_official(tmp_path):
    (tmp_path / "cat").mkdir()
    assert cifar.find(tmp_path, "cifar10") is None


@pytest.mark.parametrize(
    "batch, message",
    [
        ({"data": DATA[0], "labels": [0, 1, 2, 10]}, "label 10 of image 3, expected 0 to 9"),
        ({"data": DATA[0], "labels": [0, -1, 2, 3]}, "label -1 of image 1, expected 0 to 9"),
        ({"data": DATA[0], "labels": [0, 1]}, "4 images and 2 labels"),
        ({"data": DATA[0], "fine_labels": [0]}, "expected data of 3072 bytes an image and labels"),
        ({"data": DATA[0][:, :9], "labels": [0]}, "expected data of 3072 bytes an image"),
        ({"labels": [0]}, "expected data of 3072 bytes an image and labels"),
    ],
)
def test_wrong_batches_are_named(tmp_path, batch, message):
    folder = write_python(tmp_path / "official", "cifar10")
    (folder / "data_batch_3").write_bytes(pickle.dumps(batch, 2))
    with pytest.raises(DataError) as raised:
        cifar.read(folder, "cifar10")
    assert str(raised.value).startswith(f"{folder / 'data_batch_3'}: ")
    assert message in str(raised.value)


def test_missing_and_truncated_files_are_named(tmp_path):
    folder = write_python(tmp_path / "official", "cifar10")
    (folder / "data_batch_2").unlink()
    with pytest.raises(DataError, match="data_batch_2: no such file"):
        cifar.read(folder, "cifar10")
    folder = write_binary(tmp_path / "binary", "cifar10")
    (folder / "data_batch_4.bin").write_bytes(b"x" * 5000)
    message = "data_batch_4.bin: 5000 bytes, expected a multiple of 3073"
    with pytest.raises(DataError, match=message):
        cifar.read(folder, "cifar10")


def test_without_a_path_keras_downloads(tmp_path, monkeypatch):
    calls = []

    def get_file(*arguments, **settings):
        calls.append((arguments, settings["file_hash"][:8]))
        return str(tmp_path)

    monkeypatch.setattr(cifar.keras.utils, "get_file", get_file)
    assert cifar.download("cifar10") == tmp_path
    assert calls == [(
        ("cifar-10-batches-py-target", "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"),
        "6d958be0",
    )]

    def no_network(*arguments, **settings):
        raise OSError("URL fetch failure\non it")

    monkeypatch.setattr(cifar.keras.utils, "get_file", no_network)
    with pytest.raises(DataError) as raised:
        cifar.download("cifar100")
    assert str(raised.value) == (
        "cifar100 cannot be downloaded (URL fetch failure on it); --data_path names "
        "cifar-100-python.tar.gz or a folder where it is"
    )
