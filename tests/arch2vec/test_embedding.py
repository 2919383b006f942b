"""nas_tf/arch2vec/embedding.py."""

import numpy as np
import pytest

from nas_tf.arch2vec import embedding
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import ConfigError


@pytest.fixture(scope="module", name="model")
def _model():
    return VGAE(hidden=(16,), latent_dim=4, seed=1)


def test_sum_over_all_node_positions(model, space, cells):
    adjacency, ops = space.encode(cells)
    means = model.encode(adjacency, ops)[0].numpy()
    found = embedding.embed_cells(model, space, cells, batch_size=32)  # 91 = 2 x 32 + 27
    assert found.shape == (91, 4) and found.dtype == np.float32
    np.testing.assert_allclose(found, means.sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(
        embedding.embed_cells(model, space, cells, pooling="mean"), means.mean(axis=1), atol=1e-5)


def test_node_means(model, space, cells):
    adjacency, ops = embedding.encoder_inputs(space, cells)
    assert adjacency.dtype == ops.dtype == np.uint8
    found = embedding.node_means(model, adjacency, ops, batch_size=200)
    np.testing.assert_allclose(found, model.encode(*space.encode(cells))[0], atol=1e-5)


def test_unknown_pooling(model, space, cells):
    with pytest.raises(ConfigError, match="pooling=max"):
        embedding.embed_cells(model, space, cells, pooling="max")


def test_standardized():
    found = embedding.standardized(np.array([[1, 7, 0], [5, 7, 1], [9, 7, 2]], np.float32))
    side = 1.5**0.5
    np.testing.assert_allclose(found, [[-side, 0, -side], [0, 0, 0], [side, 0, side]], rtol=1e-6)
    assert found.dtype == np.float32


def test_second_time_it_is_read(tmp_path, monkeypatch, model, space, cells):
    first = embedding.cached_embedding(tmp_path / "e", model, space, cells)
    monkeypatch.setattr(embedding, "embed_cells", None)
    second = embedding.cached_embedding(tmp_path / "e", model, space, cells)
    assert isinstance(second, np.memmap)
    np.testing.assert_array_equal(first, second)


def test_other_weights_are_noticed(tmp_path, warnings, model, space, cells):
    embedding.cached_embedding(tmp_path / "e", model, space, cells)
    other = VGAE(hidden=(16,), latent_dim=4, seed=2)
    found = embedding.cached_embedding(tmp_path / "e", other, space, cells)
    np.testing.assert_allclose(found, embedding.embed_cells(other, space, cells))
    assert len(warnings) == 1 and "embedding with weights" in warnings[0]
    embedding.cached_embedding(tmp_path / "e", other, space, cells)
    assert len(warnings) == 1


def test_other_cells_and_another_space_are_noticed(tmp_path, warnings, model, space, cells):
    embedding.cached_embedding(tmp_path / "e", model, space, cells)
    assert len(embedding.cached_embedding(tmp_path / "e", model, space, cells[:90])) == 90
    assert len(warnings) == 1 and "embedding with cells" in warnings[0]
    elsewhere = type("Elsewhere", (type(space),), {"name": "nasbench201"})()
    embedding.cached_embedding(tmp_path / "e", model, elsewhere, cells[:90])
    assert "with space nasbench101, expected nasbench201" in warnings[1]


def test_damaged_is_computed_again(tmp_path, warnings, model, space, cells):
    first = np.array(embedding.cached_embedding(tmp_path / "e", model, space, cells))
    column = tmp_path / "e" / "embedding.npy"
    column.write_bytes(column.read_bytes()[:-8])
    again = embedding.cached_embedding(tmp_path / "e", model, space, cells)
    np.testing.assert_array_equal(first, again)
    assert len(warnings) == 1 and "damaged and built again" in warnings[0]
