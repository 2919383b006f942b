"""nas_tf/networks/packaging.py: pixels in, named probabilities out, from a file."""

import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.networks import packaging, registry
from tests.small_networks import CLASSES, MEAN, STD, pixels, small_network

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def network():
    return small_network(auxiliary=True)


@pytest.fixture(scope="module")
def packaged(network):
    return packaging.package(network, mean=MEAN, std=STD, class_names=CLASSES)


@pytest.fixture(scope="module")
def saved(packaged, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    packaging.write_model(path, packaged)
    return path


def expected(network):
    """Probabilities worked out beside the package: normalise, network, softmax."""
    normalised = ((pixels() - np.array(MEAN)) / np.array(STD)).astype(np.float32)
    logits = np.asarray(network(normalised, training=False)[0], np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_it_normalises_pixels_and_gives_probabilities(network, packaged):
    np.testing.assert_allclose(packaged(pixels()), expected(network), atol=1e-6)
    assert packaged.input_shape == (None, 8, 8, 3) and packaged.output_shape == (None, 3)
    assert packaging.class_names(packaged) == CLASSES


def test_the_auxiliary_head_stays_behind(network, packaged):
    kinds = [layer for layer in packaging.inner_network(packaged).layers
             if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in kinds] == [3]
    auxiliary = 4 * 2 + 2 + 2 * 3 + 3
    assert network.count_params() - packaging.inner_network(packaged).count_params() == auxiliary


def test_names_must_be_as_many_as_classes(network):
    with pytest.raises(DataError, match="2 class names for a network of 3 classes"):
        packaging.package(network, mean=MEAN, std=STD, class_names=("a", "b"))


FAMILIES = {  # tiny ones, with every layer of the family
    "nasbench101": (
        '{"matrix": [[0,1,1,0,1],[0,0,0,1,0],[0,0,0,0,1],[0,0,0,0,1],[0,0,0,0,0]],'
        ' "ops": ["input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "output"]}',
        {"channels": 4, "cells": 1},
    ),
    "nasbench201": (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|none~0|none~1|skip_connect~2|",
        {"channels": 2, "cells": 1},
    ),
    "darts": ("darts_v1", {"channels": 2, "cells": 3, "auxiliary": True, "drop_path": 0.2}),
    "macro": ("12202110", {"channels": 4}),
    "randwire": ("8: 0-1 0-3 1-2 1-7 2-4 3-5 4-6 5-6 6-7", {"channels": 4}),
    "enas": (
        "5; 3 1; 4 1 1; 1 1 1 1; 1 1 1 0 1; 0 1 0 0 1 1; 0 0 1 1 1 0 0; 2 1 0 1 0 0 0 0; "
        "1 0 0 0 0 0 1 1 1; 4 0 1 1 0 0 1 1 1 0; 3 1 1 1 1 1 1 0 1 0 1; 5 1 1 1 0 0 0 0 1 1 0 1",
        {"channels": 2},
    ),
}
OPEN_ALL = """
import json, os, pathlib, sys
os.environ['KERAS_BACKEND'] = 'tensorflow'
import keras, numpy as np, nas_tf.layers
images = np.load(sys.argv[1] + '/images.npy')
for path in pathlib.Path(sys.argv[1]).glob('*.keras'):
    model = keras.models.load_model(path)
    found = np.asarray(model(images)).tolist()
    print(json.dumps([path.stem, model.layers[-1].class_names, found]))
"""


def with_statistics(network):
    """Gives norms the statistics of some images, so that fresh weights tell images apart."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(np.random.default_rng(3).normal(size=(8, 32, 32, 3)).astype(np.float32), training=True)
    return network


def test_every_family_opens_in_a_fresh_process_which_needs_the_layers_alone(tmp_path):
    images, given = pixels(3, 32), {}
    np.save(tmp_path / "images.npy", images)
    for name, (architecture, around) in FAMILIES.items():
        network = with_statistics(registry.build(architecture, name, num_classes=3, **around))
        model = packaging.package(network, mean=MEAN, std=STD, class_names=CLASSES)
        packaging.write_model(tmp_path / f"{name}.keras", model)
        given[name] = np.asarray(model(images))
        assert np.ptp(given[name], axis=0).max() > 1e-3, name  # images tell
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, str(tmp_path)], capture_output=True, text=True, cwd=ROOT,
        check=True,
    )
    opened = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(name for name, *_ in opened) == sorted(FAMILIES) == sorted(registry.FAMILIES)
    for name, class_names, found in opened:
        assert class_names == list(CLASSES)
        np.testing.assert_allclose(found, given[name], atol=1e-6)


def test_it_is_read_again(network, saved):
    model = packaging.read_model(saved)
    np.testing.assert_allclose(model(pixels()), expected(network), atol=1e-6)


@pytest.mark.parametrize("centre", [False, True])
def test_it_knows_how_images_of_another_size_are_brought_to_its_own(centre, network, tmp_path):
    model = packaging.package(network, mean=MEAN, std=STD, class_names=CLASSES, centre=centre)
    assert packaging.cuts_centre(model) is centre
    packaging.write_model(tmp_path / "model.keras", model)
    again = packaging.read_model(tmp_path / "model.keras")
    assert packaging.cuts_centre(again) is centre
    np.testing.assert_allclose(again(pixels()), expected(network), atol=1e-6)


def test_what_is_no_trained_network_is_told(saved, network, tmp_path):
    other, text = tmp_path / "other.keras", tmp_path / "text.keras"
    network.save(other)
    text.write_text("no model")
    cut = tmp_path / "cut.keras"
    cut.write_bytes(saved.read_bytes()[:-3000])
    for path, message in {
        tmp_path / "none.keras": "no such file; a training leaves a model.keras",
        text: "not a .keras file, or damaged",
        cut: "not a .keras file, or damaged",
        other: "holds another model than a training leaves: its last layer does not name classes",
    }.items():
        with pytest.raises(DataError) as caught:
            packaging.read_model(path)
        assert str(caught.value) == f"{path}: {message}"


def test_nothing_is_left_where_writing_fails(packaged, tmp_path, monkeypatch):
    def fail(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packaged, "save", fail)
    with pytest.raises(ConfigError, match="cannot write .*model.keras: No space left on device"):
        packaging.write_model(tmp_path / "model.keras", packaged)
    assert list(tmp_path.iterdir()) == []
