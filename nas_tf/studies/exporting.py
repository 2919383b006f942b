"""A trained network in the formats of other programs, written by `keras.Model.export`."""

import contextlib
import importlib.util
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nas_tf.config import expand_home
from nas_tf.core import ConfigError
from nas_tf.storage import one_line
from nas_tf.studies.prediction import model_path, open_model

# Format -> what is written, Keras' name of it, and modules that writing takes.
_FORMATS = {
    "saved_model": ("saved_model", "tf_saved_model", ()),
    "onnx": ("model.onnx", "onnx", ("onnx", "tf2onnx")),
    "litert": ("model.tflite", "litert", ()),
}
FORMATS = tuple(_FORMATS)


def export(
    model: Any, formats: str | Sequence[str], *, output_dir: str | os.PathLike | None = None
) -> dict[str, pathlib.Path]:
    """Writes a trained network as TensorFlow's saved model, for ONNX or for LiteRT.

        nas_tf.export("runs/darts_final", "saved_model,onnx,litert")

    What is written takes pixels 0..255, float32 [n, H, W, C], any n, and gives probabilities.

    Args:
        model: of a training: itself, its file, or its output directory.
        formats: of `saved_model`, `onnx`, `litert`: several, or a text with commas.
        output_dir: where to; where the model's file is when None.

    Returns:
        format -> what was written: `saved_model/`, `model.onnx`, `model.tflite`.

    Raises:
        ConfigError: an unknown format, a library is missing, or the directory cannot be written.
    """
    wanted = check_formats(formats)
    directory = _directory(model, output_dir)
    opened = open_model(model)
    return {name: write_format(opened, name, directory) for name in wanted}


def export_missing(
    model: Any, formats: Sequence[str], directory: pathlib.Path
) -> dict[str, pathlib.Path]:
    """Writes those formats that a directory does not hold yet; see `export`."""
    missing = [name for name in formats if not (directory / _FORMATS[name][0]).exists()]
    return export(model, missing, output_dir=directory) if missing else {}


def check_formats(formats: str | Sequence[str]) -> tuple[str, ...]:
    """Returns formats one by one, each once.

    Raises:
        ConfigError: one is unknown, or a library that it takes is missing.
    """
    named = formats.split(",") if isinstance(formats, str) else formats
    wanted = tuple(dict.fromkeys(str(name).strip() for name in named if str(name).strip()))
    for name in wanted or ("",):
        if name not in _FORMATS:
            raise ConfigError(f"export={name}: expected some of {', '.join(FORMATS)}")
        missing = [one for one in _FORMATS[name][2] if importlib.util.find_spec(one) is None]
        if missing:
            raise ConfigError(
                f"export={name}: {' and '.join(missing)} cannot be imported; "
                "pip install nas_tf[export] brings what it takes"
            )
    return wanted


def write_format(model: keras.Model, name: str, directory: pathlib.Path) -> pathlib.Path:
    """Writes a packaged model in one format; what is written is whole or absent.

    Raises:
        ConfigError: the directory cannot be written.
    """
    target, keras_name, _ = _FORMATS[name]
    try:
        if not model._called:  # of a file; ONNX's writer asks for it
            model(np.zeros((1, *model.inputs[0].shape[1:]), np.float32))
        with _beside(directory) as temporary:
            model.export(str(temporary / target), format=keras_name, verbose=False)
            _replace(temporary / target, directory / target)
    except (OSError, tf.errors.OpError) as error:  # the latter where TensorFlow writes
        raise ConfigError(f"cannot write {directory / target}: {one_line(error)}") from error
    return directory / target


def _directory(model: Any, output_dir: str | os.PathLike | None) -> pathlib.Path:
    if output_dir is not None:
        return pathlib.Path(expand_home(output_dir))
    if isinstance(model, (str, os.PathLike)):
        return model_path(model).parent
    if getattr(model, "directory", None) is not None:
        return model.directory
    raise ConfigError("output_dir=None: expected a directory, as this model lies in none")


@contextlib.contextmanager
def _beside(directory: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a temporary folder on the same disk."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".nas_tf-tmp.export.", dir=directory) as temporary:
        yield pathlib.Path(temporary)


def _replace(source: pathlib.Path, target: pathlib.Path) -> None:
    """Puts what was written in the place of an older one."""
    if target.is_dir():
        os.rename(target, source.parent / "old")
    os.replace(source, target)
    shutil.rmtree(source.parent / "old", ignore_errors=True)
