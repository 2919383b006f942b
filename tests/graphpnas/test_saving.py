"""A generator as a file."""

import dataclasses
import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import DataError
from nas_tf.spaces.graph_form import all_graphs
from nas_tf.graphpnas.rows import Graphs, graph_log_prob
from nas_tf.graphpnas.saving import load_generator, save_generator


BOTH = [("gnn", "labelled nodes"), ("rnn", "labelled nodes")]
pytestmark = pytest.mark.parametrize("case", BOTH, indirect=True, ids=" ".join)


@pytest.fixture
def saved(generator, weights, tmp_path):
    """The second run's generator."""
    path = tmp_path / "generator.keras"
    alone = {name: value[1].numpy() for name, value in weights.items()}
    save_generator(path, generator, alone, space="toy")
    return path


def test_what_is_loaded_has_the_same_probabilities(saved, generator, weights, description):
    model = load_generator(saved)
    edges, labels = all_graphs(description)
    graphs = Graphs(*(tf.constant(np.stack([array] * 2)) for array in (edges, labels)))
    expected = graph_log_prob(generator, weights, graphs)[1]
    np.testing.assert_allclose(model([edges, labels]), expected, rtol=1e-5, atol=1e-5)
    assert model.space == "toy" and model.generator.description == description
    assert model.distribution().sample(3, seed=(0, 0)).labels.shape[:2] == (3, 1)


def test_damaged_files(saved, generator, weights, tmp_path):
    with pytest.raises(DataError, match="no such file; a search by GraphPNAS leaves one"):
        load_generator(tmp_path / "none.keras")
    content = saved.read_bytes()
    saved.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="not a .keras file"):
        load_generator(saved)
    alone = {name: np.full_like(value[1], np.nan) for name, value in weights.items()}
    save_generator(saved, generator, alone, space="toy")
    with pytest.raises(DataError, match="weights that are not finite"):
        load_generator(saved)
    other = tmp_path / "other.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(other)
    with pytest.raises(DataError, match="holds a Sequential, not a generator of graphs"):
        load_generator(other)


def _with_setting(path, name, value):
    """Writes another value of a network's setting into a file; None leaves it out."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["settings"][name] = value
    if value is None:
        del config["config"]["settings"][name]
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in (members | {"config.json": json.dumps(config)}).items():
            archive.writestr(member, content)


_BAD = {"hidden": 0, "num_components": 0, "num_steps": -1, "num_layers": 0, "pooling": "max",
        "features": "none"}


def test_files_of_before_a_setting_are_read(saved, generator):
    if not hasattr(generator, "features"):
        return
    _with_setting(saved, "features", None)
    assert load_generator(saved).generator == generator


def test_settings_in_a_file_are_checked(saved, generator):
    known = dataclasses.asdict(generator)
    bad = {name: value for name, value in _BAD.items() if name in known}
    assert len(bad) == len(known) - 1  # all but the description
    for name, value in bad.items():
        _with_setting(saved, name, value)
        with pytest.raises(DataError, match=f"damaged .*{name}={value}: expected"):
            load_generator(saved)
        _with_setting(saved, name, known[name])
    load_generator(saved)
