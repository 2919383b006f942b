"""Folders of images by class.

    PATH/cat/1.jpg  PATH/dog/2.png                         # split by the split seed
    PATH/train/cat/1.jpg  PATH/validation/...  PATH/test/...

Sub-folders of a class count; hidden files do not. Whatever else is no image is an error, as it is
not known whether it was meant to be one.
"""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from nas_tf.core import DataError
from nas_tf.datasets.decoding import SUFFIXES
from nas_tf.datasets.encoded_source import FileSource
from nas_tf.datasets.image_source import Images

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
_IGNORED = {"thumbs.db", "desktop.ini"}


def part_folders(root: pathlib.Path) -> dict[str, pathlib.Path]:
    """Returns the folders of train, validation and test that there are, by these names.

    Raises:
        DataError: a part is there twice, or two parts are one folder.
    """
    found = {}
    for part, names in PARTS.items():
        there = [root / name for name in names if (root / name).is_dir()]
        if len(there) > 1:
            names = " and ".join(folder.name for folder in there)
            raise DataError(f"{root}: the {part} split is there twice, as {names}")
        found |= {part: folder for folder in there}
    _check_different(found.values())
    return found


def classes_of(folder: pathlib.Path) -> tuple[str, ...]:
    """Returns the names of a folder's sub-folders, sorted: its classes.

    Raises:
        DataError: there are fewer than two, or images beside them.
    """
    names = _subfolders(folder)
    loose = [name for name in _listed(folder, files=True) if name.lower().endswith(SUFFIXES)]
    if not names:
        raise DataError(f"{folder}: no folders of images by class here")
    if loose:
        raise DataError(f"{folder / loose[0]}: an image outside of the classes' folders")
    if len(names) == 1:
        raise DataError(f"{folder}: only one class ({names[0]}), expected two or more")
    return tuple(names)


def images_of(folder: pathlib.Path, class_names: Sequence[str]) -> Images:
    """Returns the images of a folder by class, in the order of names.

    Raises:
        DataError: a class is unknown, is another's folder or has no image, or a file is none.
    """
    labels = {name: label for label, name in enumerate(class_names)}
    found = classes_of(folder)
    unknown = [name for name in found if name not in labels]
    if unknown:
        raise DataError(f"{folder / unknown[0]}: no class of the training images")
    _check_different(folder / name for name in found)
    files = {name: image_files(folder, name) for name in found}
    empty = [name for name in found if not files[name]]
    if empty:
        raise DataError(f"{folder / empty[0]}: no images of this class")
    counts = [len(files[name]) for name in found]
    label = np.repeat([labels[name] for name in found], counts)
    return Images.all_of(FileSource(folder, sum(files.values(), [])), label)


def image_files(root: pathlib.Path, below: str = "") -> list[str]:
    """Returns the images in a folder and its sub-folders as paths below root, sorted.

    Raises:
        DataError: a file is no image.
    """
    files = []
    for directory, folders, names in os.walk(root / below):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith(".") or name.lower() in _IGNORED:
                continue
            if not name.lower().endswith(SUFFIXES):
                raise DataError(
                    f"{os.path.join(directory, name)}: no image; expected {', '.join(SUFFIXES)}"
                )
            files.append(os.path.relpath(os.path.join(directory, name), root))
    return sorted(files)


def descend(root: pathlib.Path) -> pathlib.Path:
    """Returns the folder that archives put around everything, or the root itself."""
    while len(names := _subfolders(root)) == 1 and _subfolders(root / names[0]):
        if any(names[0] in known for known in PARTS.values()):
            break
        root = root / names[0]
    return root


def _subfolders(folder: pathlib.Path) -> list[str]:
    return _listed(folder, files=False)


def _listed(folder: pathlib.Path, files: bool) -> list[str]:
    """Returns the names of files or of folders that are not hidden, sorted."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name for entry in entries
                if not entry.name.startswith(".") and entry.is_dir() != files
            )
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error})") from error


def _check_different(folders) -> None:
    seen = {}
    for folder in folders:
        place = os.path.realpath(folder)
        if place in seen:
            raise DataError(f"{folder}: the same folder as {seen[place]}")
        seen[place] = folder
