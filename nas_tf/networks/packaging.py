"""A trained network as one file that needs nothing else: pixels in, named probabilities out.

    keras.Input of pixels 0..255 -> PixelScaling -> network -> ClassProbabilities

Shapes: B images of height H, width W and C channels; K classes.
"""

import os
import pathlib
import tempfile
import zipfile
from collections.abc import Sequence

import keras
import numpy as np

from nas_tf import layers as layers  # a file may hold any of its layers
from nas_tf.core import ConfigError, DataError
from nas_tf.layers.class_probabilities import ClassProbabilities
from nas_tf.layers.pixel_scaling import PixelScaling
from nas_tf.storage import atomic_write, one_line

_READ_ERRORS = (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile)


def package(
    network: keras.Model,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    class_names: Sequence[str],
    centre: bool = False,
) -> keras.Model:
    """Wraps a trained network for those who use it; the weights are shared.

    Args:
        network: from normalised images to logits [B, K]; of several outputs the first is taken,
            which leaves an auxiliary head behind.
        mean: float [C], of the pixels 0..255 it was trained on.
        std: float [C], likewise.
        class_names: K names.
        centre: images of another size were cut to their middle square; else they are stretched.

    Returns:
        a model from pixels 0..255, float32 [B, H, W, C], to probabilities float32 [B, K].

    Raises:
        DataError: there are more or fewer names than classes.
    """
    logits = network.outputs[0]
    if logits.shape[-1] != len(class_names):
        count = len(class_names)
        raise DataError(f"{count} class names for a network of {logits.shape[-1]} classes")
    if len(network.outputs) > 1:
        network = keras.Model(network.inputs, logits, name=network.name)
    # Not Normalization: it keeps tensors, which ONNX takes for inputs of the graph.
    scale = 1.0 / np.asarray(std, np.float64)
    offset = -np.asarray(mean, np.float64) * scale
    normalise = PixelScaling(
        scale.tolist(), offset.tolist(), centre, dtype="float32", name="normalise"
    )
    pixels = keras.Input(network.inputs[0].shape[1:], name="pixels")
    probabilities = ClassProbabilities(class_names, name="probabilities")
    return keras.Model(pixels, probabilities(network(normalise(pixels))), name="trained_network")


def inner_network(model: keras.Model) -> keras.Model:
    """Returns the network within what `package` made."""
    return next(layer for layer in model.layers if isinstance(layer, keras.Model))


def class_names(model: keras.Model) -> tuple[str, ...] | None:
    """Returns the names of a packaged network's classes; None of any other model."""
    last = model.layers[-1] if getattr(model, "layers", None) else None
    return last.class_names if isinstance(last, ClassProbabilities) else None


def cuts_centre(model: keras.Model) -> bool:
    """Tells whether images of another size are cut to their middle square for a package."""
    return any(layer.centre for layer in model.layers if isinstance(layer, PixelScaling))


def write_model(path: str | os.PathLike, model: keras.Model) -> None:
    """Writes a `.keras` file; it is whole or absent.

    Raises:
        ConfigError: the directory cannot be written or is full.
    """
    with tempfile.TemporaryDirectory() as directory:
        temporary = pathlib.Path(directory) / "model.keras"
        try:
            model.save(temporary)
        except OSError as error:  # the disk that holds temporary files is full
            raise ConfigError(f"cannot write {path}: {error.strerror or error}") from error
        with atomic_write(path) as file:
            file.write(temporary.read_bytes())


def read_model(path: str | os.PathLike) -> keras.Model:
    """Reads what `write_model` wrote of a packaged network.

    Raises:
        DataError: there is no such file, it is damaged, or it holds another model.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; a training leaves a model.keras")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path}: not a .keras file, or damaged")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except _READ_ERRORS as error:
        reason = one_line(error)[:200]
        raise DataError(f"{path}: cannot be read as a Keras model ({reason})") from error
    if class_names(model) is None:
        raise DataError(
            f"{path}: holds another model than a training leaves: its last layer does not name "
            "classes"
        )
    return model
