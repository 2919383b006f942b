"""--job=pretrain: what each setting changes, and what it leaves."""

import json
import re

import pytest
import tensorflow as tf

from nas_tf.core import ConfigError
from nas_tf.spaces import registry as spaces
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.studies import encoder_training
from nas_tf.studies.pretraining import Pretraining
from tests.job_runs import change, execute, weights


# Settings that change the autoencoder's weights.
PRETRAIN = {
    "pretrain_cells": "table",
    "pretrain_seed": 5,
    "autoencoder": "gae",
    "pretrain_epochs": 2,
    "pretrain_batch_size": 3,
    "pretrain_learning_rate": 0.01,
    "pretrain_held_out": 0.3,
    "pretrain_kl_weight": 10.0,
    "pretrain_free_nats": 1000.0,
    "pretrain_dropout": 0.5,
    "pretrain_clip_norm": 0.01,
    "pretrain_operation_loss": "sigmoid",
    "pretrain_adjacency_entries": "all",
    "pretrain_padding_output": False,
    "pretrain_adam_epsilon": 1.0,
    "pretrain_adjacency_bias": False,
    "pretrain_positions": False,
    "pretrain_epsilon_start": 0.0,
}


@pytest.fixture(scope="module")
def pretraining(base):
    """Settings of a pre-training on the 7 cells of at most 3 vertices."""
    small = NasBench101Space(max_vertices=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spaces, "named", lambda name: small)
        yield change(base, job="pretrain", pretrain_cells="space", pretrain_batch_size=2, pretrain_free_nats=0.0)


def eager_weights(settings, directory) -> bytes:
    """Returns what a pre-training leaves whose few steps are made without tracing programs."""
    tf.config.run_functions_eagerly(True)
    try:
        return weights(execute(settings, directory))
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def pretrained_weights(pretraining, tmp_path_factory):
    """What that pre-training leaves, twice: settings that do nothing give the same bytes."""
    first, again = (
        eager_weights(pretraining, tmp_path_factory.mktemp(name)) for name in ("first", "again")
    )
    assert first == again
    return first


def test_what_is_printed_of_a_pretraining_is_labelled(pretraining, tmp_path, capsys):
    directory = execute(pretraining, tmp_path)
    out = capsys.readouterr().out
    assert re.search(
        r"pre-training on 7 cells: loose: right entries \S+ %, validity as published .*; strict: "
        r"whole cells \S+ %, samples that are cells ", out
    )
    summary = json.loads((directory / "summary.json").read_text())
    for name in (*summary["loose_measures"], *summary["strict_measures"]):
        assert name in summary
    assert "settings" not in summary


def test_the_darts_space_is_pretrained_on_and_not_searched(pretraining, monkeypatch, tmp_path):
    monkeypatch.setattr(spaces, "named", lambda name: DartsSpace(num_cells=200))
    settings = change(pretraining, space="darts", pretrain_batch_size=32)
    directory = execute(settings, tmp_path / "pretrained")
    summary = json.loads((directory / "summary.json").read_text())
    assert (summary["space"], summary["num_cells"]) == ("darts", 200)
    assert summary["autoencoder"] == "arch2vec" and summary["kl_weight"] == 2e-6
    labels = (directory / "tensorboard" / "embedding_metadata.tsv").read_text().splitlines()
    assert len(labels[1].split("\t")[0].split()) == 8
    with pytest.raises(ConfigError, match="^--space=darts: no table measures its cells; --job=search"):
        execute(change(settings, job="search"), tmp_path / "searched")


@pytest.mark.parametrize("name", PRETRAIN)
def test_pretraining_settings_change_the_weights(
    pretraining, pretrained_weights, tmp_path, undrawn, name
):
    changed = change(pretraining, **{name: PRETRAIN[name]})
    assert eager_weights(changed, tmp_path) != pretrained_weights


def test_jit_compile_reaches_the_compiler(monkeypatch):
    compiled = []
    monkeypatch.setattr(
        encoder_training, "Trainer", lambda *unused, jit_compile, **rest: compiled.append(jit_compile)
    )
    for value in (True, False):
        encoder_training.make_trainer(Pretraining(jit_compile=value), NasBench101Space(), "none")
    assert compiled == [True, False]
