"""nas_tf/studies/encoder.py."""


import numpy as np
import pytest

import nas_tf
from nas_tf.core import ConfigError, DataError
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space

SPACE = NasBench101Space(max_vertices=4)  # 91 cells
SMALL = {"epochs": 1, "batch_size": 16, "jit_compile": False}


@pytest.fixture(scope="module")
def encoder():
    return nas_tf.pretrain(SPACE, **SMALL)


def test_cells_are_those_of_the_space(encoder):
    assert encoder.quality["num_cells"] == 91
    vectors = encoder.embed(SPACE.enumerate_cells())
    assert vectors.shape == (91, 16) and vectors.dtype == np.float32
    assert repr(encoder).startswith("<Encoder of NAS-Bench-101: 91 cells, 1 epoch, reconstruction ")


def test_a_seed_decides_the_model(encoder):
    again, other = (nas_tf.pretrain(SPACE, seed=seed, **SMALL) for seed in (0, 1))
    checksums = [one.description()["weights"] for one in (encoder, again, other)]
    assert checksums[0] == checksums[1] != checksums[2]


def test_what_is_saved_is_read(encoder, tmp_path):
    encoder.save(tmp_path)
    loaded = nas_tf.Encoder.load(tmp_path, SPACE)
    assert loaded.quality.keys() == encoder.quality.keys()
    assert loaded.quality["losses"] == encoder.quality["losses"]
    assert loaded.description() == encoder.description()
    with pytest.raises(ConfigError, match="made for another space than nasbench201"):
        nas_tf.Encoder.load(tmp_path, NasBench201Space())
    (tmp_path / "model" / "weights.npz").write_bytes(b"damaged")
    with pytest.raises(DataError, match="weights.npz"):
        nas_tf.Encoder.load(tmp_path, SPACE)


def test_a_finished_training_is_not_made_again(encoder, tmp_path):
    first = nas_tf.pretrain(SPACE, output_dir=tmp_path, **SMALL)
    stamp = (tmp_path / "model" / "weights.npz").stat().st_mtime_ns
    second = nas_tf.pretrain(SPACE, output_dir=tmp_path, **SMALL)
    assert (tmp_path / "model" / "weights.npz").stat().st_mtime_ns == stamp
    assert first.description() == second.description() == encoder.description()


@pytest.mark.parametrize("changed, message", [
    ({"epochs": 0}, "epochs=0: expected at least 1"),
    ({"held_out": 1.0}, "held_out=1.0: expected a share between 0 and 1"),
    ({"clip_norm": 0.0}, "clip_norm=0.0: expected a positive number, or none"),
    ({"pooling": "max"}, "pooling=max: expected one of sum, mean"),
    ({"seed": -1}, "seed=-1: expected a number from 0 to 2147483647"),
    ({"epsilon_start": float("nan")}, "epsilon_start=nan: expected a number"),
])
def test_an_impossible_setting_is_named(changed, message):
    with pytest.raises(ConfigError) as caught:
        nas_tf.pretrain(SPACE, **changed)
    assert str(caught.value) == message


def test_a_directory_has_one_training(encoder, tmp_path):
    first = nas_tf.pretrain(SPACE, output_dir=tmp_path, **SMALL)
    for changed, name in (({"epochs": 2}, "epochs"), ({"seed": 7}, "seed")):
        with pytest.raises(ConfigError, match=f"holds a model with another {name}; choose another"):
            nas_tf.pretrain(SPACE, output_dir=tmp_path, **{**SMALL, **changed})
    with pytest.raises(ConfigError, match="holds a model with another cells"):
        nas_tf.pretrain(SPACE, SPACE.enumerate_cells()[:50], output_dir=tmp_path, **SMALL)
    loaded = nas_tf.load(tmp_path)
    assert loaded.description() == first.description()
    assert (tmp_path / "losses.png").exists() and "data:image/png" in loaded._repr_html_()


def test_pooling_is_kept(tmp_path):
    nas_tf.pretrain(SPACE, output_dir=tmp_path, pooling="mean", **SMALL)
    assert nas_tf.load(tmp_path).pooling == "mean"
    assert nas_tf.Encoder.load(tmp_path, SPACE, "sum").pooling == "sum"


@pytest.mark.parametrize("cells, changed, message", [
    (None, {"epoch": 1}, "epoch=1: expected one of seed, autoencoder, epochs, "),
    ([], {}, r"cells=\[\]: expected a batch of cells, at least one"),
])
def test_mistakes_are_one_line(cells, changed, message):
    with pytest.raises(ConfigError, match=message):
        nas_tf.pretrain(SPACE, cells, **changed)
