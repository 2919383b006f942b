"""A generator as a file."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nas_tf.core import DataError
from nas_tf.graphpnas.description import all_graphs
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
    with pytest.raises(DataError, match="no such file; a search with --strategy=graphpnas"):
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
