"""The data sets by name: where their images, classes and official parts are."""

import dataclasses
import pathlib
from collections.abc import Callable

from nas_tf.config import expand_home
from nas_tf.core import ConfigError, DataError
from nas_tf.datasets import (
    archives, cifar, decoding, digits, image_folder, record_source, tiny_imagenet,
)
from nas_tf.datasets.image_source import Images
from nas_tf.datasets.settings import Data

_IMAGENET_SIZE = 224
# Means and standard deviations of red, green and blue, as the papers' code has them.
_CIFAR10 = ((0.49139968, 0.48215827, 0.44653124), (0.24703233, 0.24348505, 0.26158768))
_CIFAR100 = ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761))
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """What a data set comes with.

    Attributes:
        where: it is, for messages.
        class_names: K names, in the order of labels.
        train: training images.
        validation: None where there are none of its own.
        test: likewise.
        size: pixels of height and width; None is that of the training images.
        normal: means and standard deviations of a pixel from 0 to 1, a number a channel; None
            where they are found from the training images.
        mode: how images of another size come to one (`decoding.Decoding`).
    """

    where: str
    class_names: tuple[str, ...]
    train: Images
    validation: Images | None = None
    test: Images | None = None
    size: int | None = None
    normal: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    mode: str = decoding.RESIZE


def read_parts(settings: Data) -> Parts:
    """Finds the images of a data set; decodes none.

    Raises:
        ConfigError: it needs a path and has none, or the other way round.
        DataError: a file or folder is missing, damaged or not what it should be.
    """
    path = settings.path and expand_home(settings.path)
    if settings.data in _WITHOUT_PATH:
        if path:
            raise ConfigError(f"path={path}: {settings.data} need none, --data=folder reads one")
        return _WITHOUT_PATH[settings.data]()
    if path is None and settings.data not in cifar.VERSIONS:
        raise ConfigError(
            f"path={path}: data={settings.data} needs the folder or archive where it is"
        )
    root = cifar.download(settings.data) if path is None else archives.folder_of(path)
    return _READERS[settings.data](root, settings.data)


def _digits() -> Parts:
    return Parts("digits", digits.CLASSES, digits.images(), size=8)


def _cifar(root: pathlib.Path, name: str) -> Parts:
    normal = _CIFAR10 if name == "cifar10" else _CIFAR100
    folder = cifar.find(root, name)
    if folder is not None:
        train, test, class_names = cifar.read(folder, name)
        return Parts(str(folder), class_names, train, test=test, size=32, normal=normal)
    parts = _folder(root, name)
    expected = cifar.VERSIONS[name].num_classes
    if len(parts.class_names) != expected:
        raise DataError(
            f"{parts.where}: {len(parts.class_names)} classes, {name} has {expected}; "
            "--data=folder reads any images"
        )
    return dataclasses.replace(parts, size=32, normal=normal)


def _tiny_imagenet(root: pathlib.Path, name: str) -> Parts:
    root = image_folder.descend(root)
    train, test, class_names = tiny_imagenet.read(root)
    return Parts(str(root), class_names, train, test=test, size=64, normal=_IMAGENET)


def _imagenet(root: pathlib.Path, name: str) -> Parts:
    root = image_folder.descend(root)
    form = {"size": _IMAGENET_SIZE, "normal": _IMAGENET, "mode": decoding.CENTRE}
    train, test = (record_source.record_files(root, part) for part in ("train", "validation"))
    if train and test:
        return _records(root, train, test, form)
    if train or test:
        raise DataError(f"{root}: record files of train and of validation are expected")
    parts = _folder(root, name)
    if parts.test is None:  # the official validation part, whose labels are public
        parts = dataclasses.replace(parts, test=parts.validation, validation=None)
    return dataclasses.replace(parts, **form)


def _records(root: pathlib.Path, train_files, test_files, form) -> Parts:
    train, synsets = record_source.read(train_files)
    test, _ = record_source.read(test_files)
    class_names = tuple(synsets.get(label, str(label)) for label in range(max(synsets) + 1))
    if (wrong := test.labels.max()) >= len(class_names):
        raise DataError(
            f"{test_files[0]}: label {wrong + 1}, expected 1 to {len(class_names)} as in training"
        )
    return Parts(str(root), class_names, train, test=test, **form)


def _folder(root: pathlib.Path, name: str) -> Parts:
    root = image_folder.descend(root)
    folders = image_folder.part_folders(root)
    if "train" not in folders:
        if folders:
            raise DataError(f"{root}: {', '.join(folders)} but no train here")
        class_names = image_folder.classes_of(root)
        return Parts(str(root), class_names, image_folder.images_of(root, class_names))
    class_names = image_folder.classes_of(folders["train"])
    parts = {
        part: image_folder.images_of(folder, class_names) for part, folder in folders.items()
    }
    return Parts(str(root), class_names, **parts)


_WITHOUT_PATH: dict[str, Callable[[], Parts]] = {"digits": _digits}
_READERS: dict[str, Callable[[pathlib.Path, str], Parts]] = {
    "cifar10": _cifar,
    "cifar100": _cifar,
    "tinyimagenet": _tiny_imagenet,
    "imagenet": _imagenet,
    "folder": _folder,
}
