"""What a trained network says of images that it has not seen.

Shapes: n images of height H, width W and C channels; K classes; B a batch.
"""

import csv
import dataclasses
import io
import os
import pathlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from nas_tf import storage
from nas_tf.caching import progress_bar
from nas_tf.core import ConfigError, ceil_div
from nas_tf.datasets.own_images import check_pixels
from nas_tf.datasets.unlabelled import read_images
from nas_tf.networks.packaging import class_names, cuts_centre, read_model

BATCH_SIZE = 64
MODEL = "model.keras"


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities of the classes of images.

    Attributes:
        probabilities: float32 [n, K].
        class_names: K names.
        files: of the images, relative to their folder; None of arrays.
    """

    probabilities: np.ndarray
    class_names: tuple[str, ...]
    files: tuple[str, ...] | None = None

    @property
    def classes(self) -> list[str]:
        """The name of the most probable class of every image."""
        return [self.class_names[index] for index in self.probabilities.argmax(axis=1)]

    def counts(self) -> dict[str, int]:
        """Returns how many images were taken for every class, 0 included."""
        found = Counter(self.classes)
        return {name: found[name] for name in self.class_names}

    def to_pandas(self):
        """Returns a `pandas.DataFrame`: file or number, class, a probability of every class."""
        import pandas

        rows = list(self._rows())
        return pandas.DataFrame(rows[1:], columns=rows[0])

    def write(self, path: str | os.PathLike) -> None:
        """Writes them as CSV: file, class, and a column of probabilities a class.

        Raises:
            ConfigError: the directory cannot be written.
        """
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(self._rows())
        with storage.atomic_write(path) as file:
            file.write(text.getvalue().encode("utf-8", "surrogateescape"))

    def _rows(self) -> Iterator[Sequence[Any]]:
        first = "image" if self.files is None else "file"
        yield [first, "class", *(f"probability_{name}" for name in self.class_names)]
        names = range(len(self.probabilities)) if self.files is None else self.files
        for name, best, row in zip(names, self.classes, self.probabilities.tolist(), strict=True):
            yield [name, best, *(float(f"{value:.7g}") for value in row)]


def predict(model: Any, images: Any) -> Predictions:
    """Returns what a trained network says of images.

        nas_tf.predict("runs/darts_final", "photos/").to_pandas()

    Args:
        model: the model of a training, its file, or the output directory that holds it.
        images: pixels 0..255, [n, H, W, C]; or a folder (an archive, a file) of images, which are
            brought to the size that the network was trained on as those images were (stretched;
            of ImageNet the middle square is cut), and made grey or coloured like them.

    Raises:
        ConfigError: the arrays are of another shape.
        DataError: pixels are not from 0 to 255, there is no image, or a file is none, or no model.
    """
    return predictions(open_model(model), images)


def open_model(model: Any, name: str = "model") -> keras.Model:
    """Returns the packaged model that a user means.

    Args:
        model: it, an object with a `.model`, its file, or the output directory that holds it.
        name: of the argument.

    Raises:
        ConfigError: it is nothing of that kind.
        DataError: the file is damaged, or holds another model.
    """
    model = getattr(model, "model", model)
    if isinstance(model, keras.Model):
        if class_names(model) is None:
            raise ConfigError(f"{name}={model.name}: its last layer does not name classes")
        return model
    if not isinstance(model, (str, os.PathLike)):
        raise ConfigError(f"{name}={model!r}: expected a trained network, its file or directory")
    return read_model(model_path(model, name))


def model_path(model: str | os.PathLike, name: str = "model") -> pathlib.Path:
    """Returns the file of a model, by its own name or by its directory's.

    Raises:
        ConfigError: there is none.
    """
    path = pathlib.Path(model)
    if path.is_dir():
        path /= MODEL
    if not path.is_file():
        raise ConfigError(f"{name}={model}: no such file, nor a directory with a {MODEL}")
    return path


def predictions(model: keras.Model, images: Any) -> Predictions:
    """Returns what an opened model says of images; see `predict`."""
    shape, files = tuple(model.inputs[0].shape[1:]), None
    if isinstance(images, (str, os.PathLike)):
        names, batches, total = _of_folder(images, shape, cuts_centre(model))
        files = tuple(names)
    else:
        pixels = _checked(images, shape)
        total = len(pixels)
        batches = (pixels[start : start + BATCH_SIZE] for start in range(0, total, BATCH_SIZE))
    bar = progress_bar(
        batches, total=ceil_div(total, BATCH_SIZE), desc="predicting", unit="batch"
    )
    found = np.concatenate([_of_batch(model, batch) for batch in bar])
    return Predictions(found[:total], class_names(model), files)


def _of_folder(
    images: str | os.PathLike, shape: tuple[int, int, int], centre: bool
) -> tuple[list[str], Iterator[np.ndarray], int]:
    """Returns files, batches of their pixels [B, H, W, C], and how many files there are."""
    plain = (0.0,) * shape[-1], (1.0,) * shape[-1]  # the model normalises them itself
    files, pipeline = read_images(images, shape, *plain, centre=centre)
    batches = (batch["image"].numpy() for batch in pipeline.batches(BATCH_SIZE))
    return files, batches, len(files)


def _checked(images: Any, shape: Sequence[int]) -> np.ndarray:
    try:
        pixels = np.asarray(images)
    except ValueError as error:
        raise ConfigError(f"images: no array, as they differ in shape ({error})") from error
    if pixels.ndim != 4 or pixels.shape[1:] != tuple(shape) or not len(pixels):
        raise ConfigError(
            f"images={list(pixels.shape)}: expected [n, {', '.join(map(str, shape))}] with pixels "
            "from 0 to 255, as the network was trained on"
        )
    if not (np.issubdtype(pixels.dtype, np.number) or pixels.dtype == bool):
        raise ConfigError(f"images of {pixels.dtype}: expected numbers")
    check_pixels(pixels)
    return pixels


def _of_batch(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Returns probabilities [b, K] of b images; the compiled program always sees a full batch."""
    missing = BATCH_SIZE - len(pixels)
    full = np.pad(pixels, ((0, missing), (0, 0), (0, 0), (0, 0))).astype(np.float32)
    return np.asarray(model.predict_on_batch(full))[: len(pixels)]
