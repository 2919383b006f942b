"""Jobs in this process: what each setting changes, and what bad input says."""

import dataclasses
import pathlib

import numpy as np
import pytest

from nas_tf import experiment, jobs
from nas_tf.core import ConfigError, DataError
from nas_tf.settings import Settings


@pytest.fixture(scope="module")
def base(records):
    """Settings of a study that takes a moment."""
    return change(
        Settings(),
        nasbench101_records=str(records),
        pretrain_cells="table",
        epochs=1,
        batch_size=32,
        jit_compile=False,
        num_runs=2,
        num_queries=60,
    )


@pytest.fixture(scope="module")
def done(base, tmp_path_factory):
    """Output directory of that study."""
    return execute(base, tmp_path_factory.mktemp("done"))


def change(settings, **values):
    """Returns settings with some of them, named as flags, replaced."""
    components = {}
    for field in dataclasses.fields(settings):
        component = getattr(settings, field.name)
        names = {f.name for f in dataclasses.fields(component)} & set(values)
        components[field.name] = dataclasses.replace(
            component, **{name: values.pop(name) for name in names}
        )
    assert not values, f"no such setting: {values}"
    return Settings(**components)


def execute(settings, directory) -> pathlib.Path:
    jobs.run(change(settings, output_dir=str(directory)))
    return pathlib.Path(directory)


def trace(directory) -> dict[str, np.ndarray]:
    with np.load(directory / "trace.npz") as file:
        return dict(file)


def weights(directory) -> bytes:
    return (directory / "model" / "weights.npz").read_bytes()


# Settings that change the trace of a search in a given embedding.
SEARCH = {
    "seed": 5,
    "nasbench101_validation": "mean",
    "nasbench101_epochs": 12,
    "num_runs": 3,
    "num_queries": 70,
    "cost_budget_sec": 500.0,
    "episode_length": 5,
    "policy_learning_rate": 0.5,
    "discount": 0.0,
    "baseline": 0.1,
    "pooling": "mean",
    "standardize": False,
}
# Settings that change the autoencoder's weights.
PRETRAIN = {
    "pretrain_cells": "table",
    "pretrain_seed": 5,
    "epochs": 2,
    "batch_size": 3,
    "learning_rate": 0.01,
    "held_out": 0.3,
    "kl_weight": 10.0,
    "dropout": 0.5,
    "clip_norm": 0.01,
    "operation_loss": "sigmoid",
    "adjacency_entries": "all",
    "adjacency_bias": not Settings().pretrain.adjacency_bias,
    "positions": not Settings().pretrain.positions,
    "epsilon_start": 0.0,
}
# Settings whose effect other tests show: here in this file, or in test_main.
ELSEWHERE = {
    "job",
    "output_dir",
    "distribution",
    "cpu_devices",
    "checkpoint_sec",
    "space",
    "nasbench101_records",
    "pretrained",
    "jit_compile",
    "strategy",
}


def test_every_setting_is_shown_to_do_something():
    assert set(SEARCH) | set(PRETRAIN) | ELSEWHERE == set(Settings().values())


@pytest.mark.parametrize("name", SEARCH)
def test_search_settings_change_the_trace(base, done, tmp_path, name):
    changed = change(base, pretrained=str(done), **{name: SEARCH[name]})
    before, after = trace(done), trace(execute(changed, tmp_path))
    assert any(not np.array_equal(before[k], after[k], equal_nan=True) for k in before)


def test_a_pretrained_model_gives_the_trace_of_the_job_it_came_from(base, done, tmp_path):
    again = execute(change(base, pretrained=str(done), checkpoint_sec=0.0), tmp_path)
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()
    assert (again / "checkpoints" / "search.npz").exists()
    assert not (done / "checkpoints" / "search.npz").exists()


@pytest.fixture(scope="module")
def pretraining(base):
    """Settings of a pre-training on the 7 cells of at most 3 vertices."""
    small = experiment.NasBench101Space(max_vertices=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(experiment.SPACES, "nasbench101", lambda: small)
        yield change(base, job="pretrain", pretrain_cells="space", batch_size=2)


@pytest.fixture(scope="module")
def pretrained_weights(pretraining, tmp_path_factory):
    """What that pre-training leaves."""
    return weights(execute(pretraining, tmp_path_factory.mktemp("pretrained")))


@pytest.mark.parametrize("name", PRETRAIN)
def test_pretraining_settings_change_the_weights(pretraining, pretrained_weights, tmp_path, name):
    changed = change(pretraining, **{name: PRETRAIN[name]})
    assert weights(execute(changed, tmp_path)) != pretrained_weights


def test_jit_compile_reaches_the_compiler(base, monkeypatch):
    compiled = []
    monkeypatch.setattr(
        experiment, "Trainer", lambda *unused, jit_compile, **rest: compiled.append(jit_compile)
    )
    space = experiment.make_space(base)
    for value in (True, False):
        pretrain = change(base, jit_compile=value).pretrain
        experiment.make_trainer(pretrain, space, 0, jobs.make_distribution("none"))
    assert compiled == [True, False]


@pytest.mark.parametrize(
    "values, error, message",
    [
        ({"num_queries": 0}, ConfigError, "--num_queries=0: a run needs at least one query"),
        ({"cost_budget_sec": 0.0}, ConfigError, "--cost_budget_sec=0.0: expected a positive"),
        ({"num_queries": None}, ConfigError, "no budget: set --num_queries"),
        ({"nasbench101_epochs": 108}, ConfigError, "--nasbench101_epochs=108: synthetic has 12, 36"),
        ({"batch_size": 500}, ConfigError, "--batch_size=500: there are only 82 examples"),
        ({"nasbench101_records": "no/such.tfrecord"}, DataError, "no/such.tfrecord"),
        ({"pretrained": "no/such"}, DataError, "no/such/model/settings.json"),
        ({"pretrained": "x", "job": "pretrain"}, ConfigError, "--pretrained=x: --job=pretrain"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_input_is_named_in_one_line(base, tmp_path, values, error, message):
    with pytest.raises(error) as caught:
        execute(change(base, **values), tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "summary.json").exists()


def test_an_unwritable_output_directory(base, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write .*file"):
        execute(base, tmp_path / "file" / "below")


def test_other_settings_in_the_same_directory(base, done):
    with pytest.raises(ConfigError, match="a job with --discount=0.8, received --discount=0.5"):
        execute(change(base, discount=0.5), done)


def test_a_model_of_another_space(base, done, tmp_path, monkeypatch):
    monkeypatch.setattr(experiment.NasBench101Space, "max_nodes", 8)
    with pytest.raises(ConfigError, match="made for another space than nasbench101"):
        execute(change(base, pretrained=str(done)), tmp_path)


def test_a_damaged_embedding_cache_is_replaced(base, done, tmp_path, caplog):
    for path in jobs.storage.cache_directory().glob("embedding-*/embedding.npy"):
        path.write_bytes(b"damaged")
    again = execute(change(base, pretrained=str(done)), tmp_path)
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()
