"""nas_tf/layers/backend.py: what Keras the library runs on."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from nas_tf.layers import backend
from nas_tf.core import ConfigError

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("arch2vec.vgae", "graphpnas.generator", "layers.gin", "networks.nasbench101",
         "training.trainer")


def test_what_fits_passes(monkeypatch):
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    backend.check("tensorflow", "float32")
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "0")
    backend.check("tensorflow", "float32")


@pytest.mark.parametrize(
    "found, message",
    [
        (("jax", "float32"), "Keras runs on jax; nas_tf runs on TensorFlow: set KERAS_BACKEND=tens"),
        (("tensorflow", "float64"), "Keras' floatx is float64; nas_tf computes in float32: call"),
    ],
)
def test_what_does_not_fit_is_one_line(found, message):
    with pytest.raises(ConfigError) as caught:
        backend.check(*found)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_legacy_keras_is_refused(monkeypatch):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    with pytest.raises(ConfigError, match="TF_USE_LEGACY_KERAS is set; nas_tf needs Keras 3"):
        backend.check("tensorflow", "float32")


def test_every_room_with_keras_says_so_first():
    # An impossible number format: Keras cannot be imported, which takes no time.
    code = (
        "import importlib\n"
        "from nas_tf.core import NasError\n"
        f"for room in {ROOMS!r}:\n"
        "    try:\n        importlib.import_module(f'nas_tf.{room}')\n"
        "    except NasError as error:\n        print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "no_such"},
        capture_output=True,
        text=True,
    )
    lines = result.stdout.splitlines()
    assert len(lines) == len(ROOMS), result.stderr
    for line in lines:
        assert line.startswith("Keras cannot be imported with KERAS_BACKEND=no_such (")


def _imported_with(home, settings):
    """Imports Keras code of the library where Keras finds a `keras.json` of that content."""
    (home / "keras.json").write_text(settings)
    return subprocess.run(
        [sys.executable, "-c", "import nas_tf.layers.gin"],
        cwd=ROOT,
        env=os.environ | {"KERAS_HOME": str(home)},
        capture_output=True,
        text=True,
    )


def test_the_users_number_format_is_refused_in_a_library(tmp_path):
    result = _imported_with(tmp_path, json.dumps({"floatx": "float64"}))
    assert result.stderr.splitlines()[-1].startswith(
        "nas_tf.core.ConfigError: Keras' floatx is float64; nas_tf computes in float32"
    )


def test_a_keras_json_that_is_none_is_told(tmp_path):
    result = _imported_with(tmp_path, "[]")
    line = result.stderr.splitlines()[-1]
    assert line.startswith("nas_tf.core.ConfigError: Keras cannot be imported with KERAS_BACKEND=")
    assert line.endswith("and mend Keras' keras.json if it is damaged")
