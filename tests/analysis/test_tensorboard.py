"""Tests of nas_tf.analysis.tensorboard: what is written can be read by TensorBoard."""

import numpy as np
import pytest
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.projector import ProjectorConfig
from tensorboard.util import tensor_util

from nas_tf.analysis import tensorboard
from nas_tf.core import ConfigError, DataError


def _read(directory):
    events = EventAccumulator(str(directory), size_guidance={"tensors": 0})
    events.Reload()
    return events


def _scalars(events, tag):
    return [(e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in events.Tensors(tag)]


def test_scalars(tmp_path):
    with tensorboard.TensorBoardLogger(tmp_path) as logger:
        logger.scalars(3, {"pretrain/loss": 0.5})
        logger.scalars(4, {"pretrain/loss": np.float32(0.25)})
    events = _read(tmp_path)
    assert _scalars(events, "pretrain/loss") == [(3, 0.5), (4, 0.25)]


@pytest.mark.parametrize("name", ["tensorboard", "tensorboard/deeper"])
def test_a_file_in_the_way_is_named(tmp_path, name):
    (tmp_path / "tensorboard").write_text("")
    with pytest.raises(ConfigError) as error:
        tensorboard.TensorBoardLogger(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: not a directory")
    assert "\n" not in str(error.value)


def test_settings_are_text_and_hyperparameters(tmp_path):
    with tensorboard.TensorBoardLogger(tmp_path) as logger:
        logger.settings({"learning_rate": 0.001, "records": None, "name": "a|b"})
    events = _read(tmp_path)
    text = tensor_util.make_ndarray(events.Tensors("settings")[0].tensor_proto).item()
    assert b"| learning_rate | 0.001 |" in text
    assert b"| name | a\\|b |" in text
    assert "_hparams_/session_start_info" in events.summary_metadata


def test_the_projector_files_fit_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard, "MAX_PROJECTOR_POINTS", 20)
    embedding = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    points = tensorboard.write_projector(
        tmp_path, embedding, seed=1,
        metadata={"cell": [f'"cell\t{i}' for i in range(50)], "accuracy": np.linspace(0, 1, 50)},
    )
    config = ProjectorConfig()
    text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), config)
    (entry,) = config.embeddings
    tensors = np.loadtxt(tmp_path / entry.tensor_path, delimiter="\t")
    np.testing.assert_allclose(tensors, embedding[points], rtol=1e-5)
    assert list(entry.tensor_shape) == [20, 4]
    lines = (tmp_path / entry.metadata_path).read_text().splitlines()
    assert lines[0] == "cell\taccuracy"
    assert [line.split("\t")[0] for line in lines[1:]] == [f'"cell {i}' for i in points]
    assert lines[-1].split("\t")[1] == f"{points[-1] / 49:.5g}"


def test_the_projector_draw_depends_on_the_seed_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard, "MAX_PROJECTOR_POINTS", 5)

    def draw(seed):
        metadata = {"i": range(30)}
        return tensorboard.write_projector(
            tmp_path, np.zeros((30, 2)), metadata=metadata, seed=seed
        ).tolist()

    assert draw(0) == draw(0) != draw(1)
    assert len(set(draw(0))) == 5


def test_one_label_has_no_heading(tmp_path):
    tensorboard.write_projector(tmp_path, np.eye(2), metadata={"name": ["a", ""]}, seed=0)
    assert (tmp_path / "embedding_metadata.tsv").read_text() == "a\n-\n"


@pytest.mark.parametrize(
    "embedding, metadata, message",
    [
        (np.zeros(3), {"i": range(3)}, r"got \[3\]"),
        (np.zeros((3, 2)), {"i": range(2)}, "'i' has 2 values for 3 points"),
        (np.zeros((3, 2)), {}, "at least one label"),
        (np.full((3, 2), np.nan), {"i": range(3)}, "not finite"),
    ],
)
def test_bad_embeddings_are_refused(tmp_path, embedding, metadata, message):
    with pytest.raises(DataError, match=message):
        tensorboard.write_projector(tmp_path, embedding, metadata=metadata, seed=0)
    assert not any(tmp_path.iterdir())
