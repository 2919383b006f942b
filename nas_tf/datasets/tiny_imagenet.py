"""Tiny-ImageNet in its official layout; its validation part has labels and is the test here.

    PATH/train/<wnid>/images/<wnid>_0.JPEG
    PATH/val/images/val_0.JPEG
    PATH/val/val_annotations.txt        # file, wnid, box; separated by tabs

The official test part has no labels and is not used.
"""

import pathlib

from nas_tf.core import DataError
from nas_tf.datasets import image_folder
from nas_tf.datasets.encoded_source import FileSource
from nas_tf.datasets.image_source import Images

ANNOTATIONS = "val_annotations.txt"


def read(root: pathlib.Path) -> tuple[Images, Images, tuple[str, ...]]:
    """Returns training images, test images and the classes' names, which are wnids, sorted.

    Raises:
        DataError: a file or folder is missing, or an annotation is wrong.
    """
    train_folder = root / "train"
    if not train_folder.is_dir():
        raise DataError(f"{root}: no folder train here, as Tiny-ImageNet has")
    class_names = image_folder.classes_of(train_folder)
    train = _training_images(train_folder, class_names)
    return train, _annotated(root / "val", class_names), class_names


def _training_images(folder: pathlib.Path, class_names: tuple[str, ...]) -> Images:
    """Returns the images of all classes; lists of boxes lie beside their folder `images`."""
    files, labels = [], []
    for label, name in enumerate(class_names):
        found = image_folder.image_files(folder, f"{name}/images")
        if not found:
            raise DataError(f"{folder / name / 'images'}: no images of this class")
        files += found
        labels += [label] * len(found)
    return Images.all_of(FileSource(folder, files), labels)


def _annotated(folder: pathlib.Path, class_names: tuple[str, ...]) -> Images:
    """Returns the images that the annotations list, in the order of their names."""
    path = folder / ANNOTATIONS
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    known = {name: label for label, name in enumerate(class_names)}
    there = set(image_folder.image_files(folder / "images"))
    found = {}
    for number, line in enumerate(lines, 1):
        file, wnid = (line.split("\t") + [""])[:2]
        if wnid not in known:
            raise DataError(f"{path}: line {number}: {wnid!r} is no class of the training images")
        if file not in there:
            raise DataError(f"{folder / 'images' / file}: no such image, {ANNOTATIONS} lists it")
        if file in found:
            raise DataError(f"{path}: line {number}: {file} for the second time")
        found[file] = known[wnid]
    if unlisted := sorted(there - found.keys()):
        raise DataError(f"{folder / 'images' / unlisted[0]}: not listed in {ANNOTATIONS}")
    if not found:
        raise DataError(f"{path}: lists no image")
    files = sorted(found)
    return Images.all_of(FileSource(folder / "images", files), [found[file] for file in files])
