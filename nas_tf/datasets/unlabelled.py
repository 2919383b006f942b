"""Images without labels, for predictions."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from nas_tf.core import ConfigError, DataError
from nas_tf.datasets import archives, decoding, image_folder
from nas_tf.datasets.decoding import Decoding
from nas_tf.datasets.encoded_source import FileSource
from nas_tf.datasets.forms import ImageForm, in_memory
from nas_tf.datasets.image_source import Images
from nas_tf.datasets.pipeline import ImagePipeline


def read_images(
    path: str | os.PathLike,
    image_shape: tuple[int, int, int],
    mean: Sequence[float],
    std: Sequence[float],
    *,
    centre: bool = False,
) -> tuple[list[str], ImagePipeline]:
    """Finds the images of a folder and of its sub-folders.

    Args:
        path: a folder, an archive of one, or one image.
        image_shape: (H, W, C) that images of any size and channels are brought to.
        mean: of pixels 0 to 255, C numbers, as of the training images.
        std: likewise.
        centre: cut the middle square first, as ImageNet is evaluated; otherwise images are
            stretched.

    Returns:
        the files, relative to the folder and sorted, and a pipeline of them in this order; its
        labels are 0.

    Raises:
        ConfigError: there are not as many means or deviations as channels.
        DataError: there is no image, or a file is none.
    """
    for name, values in (("mean", mean), ("std", std)):
        if len(values) != image_shape[-1]:
            raise ConfigError(f"{name}={list(values)}: expected {image_shape[-1]} numbers")
    path = pathlib.Path(path)
    if path.is_file() and path.name.lower().endswith(decoding.SUFFIXES):
        root, files = path.parent, [path.name]
    else:
        root = archives.folder_of(path)
        files = image_folder.image_files(root)
    if not files:
        raise DataError(f"{path}: no images here")
    way = Decoding(tuple(image_shape), decoding.CENTRE if centre else decoding.RESIZE)
    images = in_memory(Images.all_of(FileSource(root, files), np.zeros(len(files))), way)
    form = ImageForm(way, tuple(map(float, mean)), tuple(map(float, std)))
    return files, ImagePipeline(images, form, name="prediction")
