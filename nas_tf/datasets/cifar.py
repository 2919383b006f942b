"""CIFAR-10 and CIFAR-100 (Krizhevsky, 2009): the official Python or binary version.

Where no path is given the official archive is downloaded by Keras, to where Keras keeps it. Its
pickles are not run (see `python_batches`).

Shapes: n images of 32 x 32 pixels, three channels.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from nas_tf import caching, storage
from nas_tf.core import DataError
from nas_tf.datasets import python_batches
from nas_tf.datasets.image_source import ArraySource, Images

_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_ORIGIN = "https://www.cs.toronto.edu/~kriz/"


@dataclasses.dataclass(frozen=True)
class Version:
    """How a data set's files are called.

    Attributes:
        num_classes: K.
        python: training files, test file, file of the classes' names in the Python version.
        binary: likewise, in the binary version.
        label_key: of labels in the Python version.
        names_key: of the classes' names there.
        label_bytes: before each image in the binary version; the last of them is the label.
        archive: name in Keras' directory, file at the origin, its SHA-256.
    """

    num_classes: int
    python: tuple[tuple[str, ...], str, str]
    binary: tuple[tuple[str, ...], str, str]
    label_key: str
    names_key: str
    label_bytes: int
    archive: tuple[str, str, str]


VERSIONS = {
    "cifar10": Version(
        10,
        (tuple(f"data_batch_{k}" for k in range(1, 6)), "test_batch", "batches.meta"),
        (tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin", "batches.meta.txt"),
        "labels", "label_names", 1,
        ("cifar-10-batches-py-target", "cifar-10-python.tar.gz",
         "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
    ),
    "cifar100": Version(
        100, (("train",), "test", "meta"), (("train.bin",), "test.bin", "fine_label_names.txt"),
        "fine_labels", "fine_label_names", 2,
        ("cifar-100-python-target", "cifar-100-python.tar.gz",
         "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"),
    ),
}


def download(name: str) -> pathlib.Path:
    """Returns the folder that Keras unpacks the official archive to, downloaded if need be.

    Raises:
        DataError: it cannot be downloaded.
    """
    directory, file, checksum = VERSIONS[name].archive
    try:
        found = keras.utils.get_file(directory, _ORIGIN + file, extract=True, file_hash=checksum)
    except Exception as error:  # of the network, of the disk or of another file than expected
        raise DataError(
            f"{name} cannot be downloaded ({storage.one_line(error)}); "
            f"--data_path names {file} or a folder where it is"
        ) from error
    return pathlib.Path(found)


def find(root: pathlib.Path, name: str) -> pathlib.Path | None:
    """Returns the folder of the official files: root, or one right below it; None without any."""
    version = VERSIONS[name]
    for folder in (root, *sorted(path for path in root.iterdir() if path.is_dir())):
        for train, _, _ in (version.python, version.binary):
            if any((folder / file).is_file() for file in train):
                return folder
    return None


def read(folder: pathlib.Path, name: str) -> tuple[Images, Images, tuple[str, ...]]:
    """Returns training images, test images and the classes' names.

    Test images are read when they are used; their labels are read here.

    Raises:
        DataError: a file is missing, damaged or not what it should be.
    """
    version = VERSIONS[name]
    binary = (folder / version.binary[0][0]).is_file()
    train, test, names_file = version.binary if binary else version.python
    parts = [
        _images([folder / file for file in files], version, binary) for files in (train, (test,))
    ]
    return (*parts, _class_names(folder / names_file, version, binary))


def _images(files: Sequence[pathlib.Path], version: Version, binary: bool) -> Images:
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise DataError(f"{missing[0]}: no such file")
    read_file = _read_binary if binary else _read_python
    labels = np.concatenate([read_file(file, version)[1] for file in files])

    def load():
        return np.concatenate([read_file(file, version)[0] for file in files])

    identity = " ".join(caching.content_checksum(file) for file in files)
    return Images.all_of(ArraySource(load, identity, (*_SHAPE[1:], _SHAPE[0])), labels)


def _read_python(file: pathlib.Path, version: Version) -> tuple[np.ndarray, np.ndarray]:
    """Returns pixels uint8 [n, 32, 32, 3] and labels int64 [n]."""
    batch = python_batches.read_batch(file)
    try:
        data, labels = batch["data"], np.array(batch[version.label_key], np.int64)
        pixels = data.reshape(-1, *_SHAPE)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{file}: expected data of {_PIXELS} bytes an image and {version.label_key}"
        ) from error
    return _checked(file, pixels, labels, version)


def _read_binary(file: pathlib.Path, version: Version) -> tuple[np.ndarray, np.ndarray]:
    """Returns pixels uint8 [n, 32, 32, 3] and labels int64 [n]."""
    row = version.label_bytes + _PIXELS
    content = np.fromfile(file, np.uint8)
    if content.size == 0 or content.size % row:
        raise DataError(f"{file}: {content.size} bytes, expected a multiple of {row}")
    content = content.reshape(-1, row)
    labels = content[:, version.label_bytes - 1].astype(np.int64)
    return _checked(file, content[:, version.label_bytes:].reshape(-1, *_SHAPE), labels, version)


def _checked(file, pixels, labels, version: Version) -> tuple[np.ndarray, np.ndarray]:
    if len(labels) != len(pixels) or labels.ndim != 1:
        raise DataError(f"{file}: {len(pixels)} images and {len(labels)} labels")
    wrong = (labels < 0) | (labels >= version.num_classes)
    if wrong.any():
        image = int(wrong.argmax())
        raise DataError(
            f"{file}: label {labels[image]} of image {image}, "
            f"expected 0 to {version.num_classes - 1}"
        )
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)), labels


def _class_names(file: pathlib.Path, version: Version, binary: bool) -> tuple[str, ...]:
    """Returns the names of the classes; their numbers where the file is not there."""
    if not file.is_file():
        return tuple(map(str, range(version.num_classes)))
    if binary:
        names = [line for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]
    else:
        names = python_batches.read_batch(file).get(version.names_key)
    if not isinstance(names, list) or len(names) != version.num_classes:
        raise DataError(f"{file}: expected the names of {version.num_classes} classes")
    return tuple(map(str, names))
