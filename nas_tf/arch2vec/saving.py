"""A pre-trained autoencoder on disk: `weights.npz` and the settings it was built with."""

import hashlib
import json
import os
import pathlib

import numpy as np

from nas_tf import storage
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import ConfigError, DataError

WEIGHTS_FILE = "weights.npz"
SETTINGS_FILE = "settings.json"


def weights_checksum(model: VGAE) -> str:
    """SHA-256 of the model's settings and of all its weights, 64 hexadecimal digits."""
    digest = hashlib.sha256(json.dumps(model.settings, sort_keys=True).encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def save_model(directory: str | os.PathLike, model: VGAE) -> None:
    """Writes the weights, then the settings with their checksum; each file is whole or absent.

    Raises:
        ConfigError: the directory cannot be written.
    """
    directory = pathlib.Path(directory)
    weights = {f"w{index:03d}": weight for index, weight in enumerate(model.get_weights())}
    storage.write_npz(directory / WEIGHTS_FILE, **weights)
    storage.write_json(directory / SETTINGS_FILE,
                       {"model": model.settings, "checksum": weights_checksum(model)})


def load_model(directory: str | os.PathLike) -> VGAE:
    """Builds the model that `save_model` wrote.

    Raises:
        DataError: a file is missing or damaged, or the two do not belong together.
    """
    directory = pathlib.Path(directory)
    settings, checksum = _read_settings(directory / SETTINGS_FILE)
    try:
        stored = storage.read_npz(directory / WEIGHTS_FILE)
    except DataError as error:
        raise DataError(f"{error}; pre-train again") from None
    try:
        model = VGAE(**settings)
        model.set_weights([stored[name] for name in sorted(stored)])
    except (TypeError, ValueError, ConfigError) as error:
        raise DataError(f"{directory}: {WEIGHTS_FILE} does not fit {SETTINGS_FILE} "
                        f"({str(error).splitlines()[0]}); pre-train again") from error
    if weights_checksum(model) != checksum:
        raise DataError(f"{directory}: {WEIGHTS_FILE} is not the file {SETTINGS_FILE} was written "
                        "with (checksums differ); pre-train again")
    return model


def _read_settings(path: pathlib.Path) -> tuple[dict, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content["model"], content["checksum"]
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; pre-train first, or name the directory of a "
                        "pre-training job") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); pre-train again") from error
