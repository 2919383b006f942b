"""nas_tf/arch2vec/saving.py."""

import json

import numpy as np
import pytest

from nas_tf.arch2vec.saving import load_model, save_model, weights_checksum
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import DataError


@pytest.fixture(scope="module", name="model")
def _model():
    return VGAE(hidden=(8,), latent_dim=4, seed=1)


def test_round_trip(tmp_path, model):
    save_model(tmp_path, model)
    loaded = load_model(tmp_path)
    assert loaded.settings == model.settings
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["settings.json", "weights.npz"]


def test_checksum_sees_every_weight_and_setting(model):
    other = VGAE(hidden=(8,), latent_dim=4, seed=2)
    assert len({weights_checksum(model), weights_checksum(other)}) == 2
    other.set_weights(model.get_weights())
    assert weights_checksum(model) != weights_checksum(other)


def test_missing(tmp_path):
    with pytest.raises(DataError, match="settings.json: no such file"):
        load_model(tmp_path)


def test_truncated_weights(tmp_path, model):
    save_model(tmp_path, model)
    weights = tmp_path / "weights.npz"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(DataError, match="weights.npz"):
        load_model(tmp_path)


def test_damaged_settings(tmp_path, model):
    save_model(tmp_path, model)
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(DataError, match="settings.json: damaged"):
        load_model(tmp_path)


def test_weights_of_another_model(tmp_path, model):
    save_model(tmp_path, model)
    save_model(tmp_path / "other", VGAE(hidden=(8,), latent_dim=4, seed=2))
    (tmp_path / "other" / "weights.npz").replace(tmp_path / "weights.npz")
    with pytest.raises(DataError, match="checksums differ"):
        load_model(tmp_path)


def test_settings_that_do_not_fit(tmp_path, model):
    save_model(tmp_path, model)
    content = json.loads((tmp_path / "settings.json").read_text())
    content["model"]["latent_dim"] = 5
    (tmp_path / "settings.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="does not fit"):
        load_model(tmp_path)
