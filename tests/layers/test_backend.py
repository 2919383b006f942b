"""nas_tf/layers/backend.py: what Keras the library runs on."""

import ast
import json
import os
import pathlib
import subprocess
import sys

import pytest

from nas_tf.layers import backend
from nas_tf.core import ConfigError

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Rooms' packages import nothing: their modules do.
MODULES = ("arch2vec.vgae", "graphpnas.generator", "layers", "layers.gin", "networks.operations",
           "networks.nasbench101", "networks.nasbench201", "networks.darts", "training.trainer")
# What runs on every backend: nothing that these import may need TensorFlow.
ANY_BACKEND = ("layers.__init__", "layers.drop_path", "layers.keras_import", "layers.noise",
               "layers.normalization", "layers.pooling", "layers.slicing", "networks.darts",
               "networks.nasbench101", "networks.nasbench201", "networks.operations")


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


def test_every_module_with_keras_says_so_first():
    # An impossible number format: Keras cannot be imported, which takes no time.
    code = (
        "import importlib\n"
        "from nas_tf.core import NasError\n"
        f"for name in {MODULES!r}:\n"
        "    try:\n        importlib.import_module(f'nas_tf.{name}')\n"
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
    assert len(lines) == len(MODULES), result.stderr
    for line in lines:
        assert line.startswith("Keras cannot be imported with KERAS_BACKEND=no_such (")


@pytest.mark.parametrize("name", ANY_BACKEND)
def test_networks_and_layers_of_images_do_without_tensorflow(name):
    """Read from the sources, for Keras finds no other backend here.

    TensorFlow, and what needs it, may be imported where the backend is asked for first.
    """
    path = ROOT / "nas_tf" / (name.replace(".", "/") + ".py")
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.If):
            assert ast.unparse(node.test) == "keras.backend.backend() == 'tensorflow'"
            continue
        text = ast.unparse(node) if isinstance(node, (ast.Import, ast.ImportFrom)) else ""
        for word in ("tensorflow", "spektral", "layers import backend", "layers.gcn", "layers.gin"):
            assert word not in text.split("#")[0], text


def test_the_package_registers_every_layer():
    """A saved network of any kind can be loaded after it alone: it imports all that register."""
    package = ROOT / "nas_tf" / "layers"
    imported = (package / "__init__.py").read_text("utf-8")
    registering = [path.stem for path in sorted(package.glob("*.py"))
                   if "@keras.saving.register_keras_serializable(" in path.read_text("utf-8")]
    assert {"drop_path", "gcn", "gin", "normalization", "pooling", "slicing"} <= set(registering)
    for name in registering:
        assert f"from nas_tf.layers import {name} as {name}\n" in imported


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
