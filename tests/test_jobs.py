"""Jobs in this process: what each setting changes, and what bad input says."""

import dataclasses
import pathlib
import shutil

import numpy as np
import pytest

from nas_tf import claim, experiment, jobs
from nas_tf.core import ConfigError, DataError
from nas_tf.settings import Settings
from tools import make_nasbench101_records


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
    "standardize": False,
}
# Settings that change the trace of one strategy, with the strategy.
STRATEGY = {
    "population_size": ("evolution", 15),
    "tournament_size": ("evolution", 1),
    "full_neighbourhood": ("local_search", False),
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
    "free_nats": 1000.0,
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
    "pooling",
    "strategy",
}


def test_every_setting_is_shown_to_do_something():
    assert set(SEARCH) | set(STRATEGY) | set(PRETRAIN) | ELSEWHERE == set(Settings().values())


@pytest.mark.parametrize("name", SEARCH)
def test_search_settings_change_the_trace(base, done, tmp_path, name):
    changed = change(base, pretrained=str(done), **{name: SEARCH[name]})
    before, after = trace(done), trace(execute(changed, tmp_path))
    assert any(not np.array_equal(before[k], after[k], equal_nan=True) for k in before)


@pytest.mark.parametrize("name", STRATEGY)
def test_settings_of_a_strategy_change_its_trace(base, tmp_path, name):
    strategy, value = STRATEGY[name]
    small = change(base, strategy=strategy, population_size=10)
    before = trace(execute(small, tmp_path / "before"))
    after = trace(execute(change(small, **{name: value}), tmp_path / "after"))
    assert not np.array_equal(before["key"], after["key"])


@pytest.mark.parametrize("strategy", ["random", "evolution", "local_search"])
def test_a_strategy_that_needs_no_embedding_trains_none(base, tmp_path, strategy):
    directory = execute(change(base, strategy=strategy), tmp_path)
    assert not (directory / "model").exists()
    assert "Pre-training" not in (directory / "report.md").read_text()
    assert all(len(set(keys)) == 60 for keys in trace(directory)["key"])


def test_pooling_changes_the_trace_of_an_embedding_that_is_not_standardized(base, done, tmp_path):
    raw = change(base, pretrained=str(done), standardize=False, num_queries=20)
    by_sum = trace(execute(raw, tmp_path / "sum"))
    by_mean = trace(execute(change(raw, pooling="mean"), tmp_path / "mean"))
    assert not np.array_equal(by_sum["key"], by_mean["key"])


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
        yield change(base, job="pretrain", pretrain_cells="space", batch_size=2, free_nats=0.0)


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
        ({"num_queries": 92}, ConfigError, "--num_queries=92: synthetic has only 91 cells"),
        ({"nasbench101_epochs": 108}, ConfigError, "--nasbench101_epochs=108: synthetic has 12, 36"),
        ({"batch_size": 500}, ConfigError, "--batch_size=500: there are only 82 examples"),
        ({"nasbench101_records": "no/such.tfrecord"}, DataError, "no/such.tfrecord"),
        ({"pretrained": "no/such"}, DataError, "no/such/model/quality.json"),
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
    claim.refuse_other_work(tmp_path, base)  # a mistake does not claim the directory


def test_an_unwritable_output_directory(base, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write .*file"):
        execute(base, tmp_path / "file" / "below")


@pytest.mark.parametrize(
    "values, message",
    [
        ({"discount": 0.5}, "a job with --discount=0.8, received --discount=0.5"),
        ({"epochs": 2}, "a job with --epochs=1, received --epochs=2"),
        ({"positions": False}, "a job with --positions, received --nopositions"),
    ],
)
def test_other_settings_in_the_same_directory(base, done, values, message):
    with pytest.raises(ConfigError, match=message):
        execute(change(base, **values), done)


def test_settings_that_decide_nothing_may_change(base, done, capsys):
    execute(change(base, checkpoint_sec=7.0), done)
    assert "this job is finished" in capsys.readouterr().out


def test_a_budget_of_cost_ends_with_the_table(base, done, tmp_path):
    endless = change(base, pretrained=str(done), num_queries=None, cost_budget_sec=1e12)
    assert trace(execute(endless, tmp_path))["key"].shape == (2, 91)


@pytest.mark.parametrize("content", ["{", "[]", "{}", None])
def test_a_damaged_report_of_a_pretraining(base, done, tmp_path, content):
    shutil.copytree(done / "model", tmp_path / "given" / "model")
    path = tmp_path / "given" / "model" / "quality.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(DataError, match="given/model/quality.json: (damaged|no such file)"):
        execute(change(base, pretrained=str(tmp_path / "given")), tmp_path / "out")


def test_a_damaged_model_of_an_unfinished_job_is_made_again(base, done, tmp_path):
    before = weights(done)
    again = shutil.copytree(done, tmp_path / "again")
    (again / "summary.json").unlink()
    (again / "model" / "weights.npz").write_bytes(b"damaged")
    execute(base, again)
    assert weights(again) == before
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()


def test_a_checkpoint_of_another_table(base, done, tmp_path):
    path = tmp_path / "synthetic.tfrecord"
    settings = change(
        base, pretrained=str(done), nasbench101_records=str(path), checkpoint_sec=0.0
    )
    make_nasbench101_records.write_file(path, max_vertices=4, epochs=(12, 36), seed=1)
    unfinished = execute(settings, tmp_path / "out")
    for name in ("summary.json", "trace.npz"):
        (unfinished / name).unlink()
    make_nasbench101_records.write_file(path, max_vertices=4, epochs=(12, 36), seed=2)
    with pytest.raises(ConfigError, match="search.npz was saved with table="):
        execute(settings, unfinished)


def test_a_cache_that_cannot_be_written_is_done_without(base, done, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "file"))
    again = execute(change(base, pretrained=str(done)), tmp_path / "out")
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()


def test_what_the_networks_of_a_table_were_trained_on(base, records):
    assert experiment.open_benchmark(base).dataset == "synthetic"
    assert experiment.open_benchmark(change(base, nasbench101_records=None)).dataset == "digits"
    other = records.with_name("other.tfrecord")
    shutil.copy(records, other)
    unnamed = change(base, nasbench101_records=str(other))
    assert experiment.open_benchmark(unnamed).dataset == "unknown"


def test_a_model_of_another_space(base, done, tmp_path, monkeypatch):
    monkeypatch.setattr(experiment.NasBench101Space, "max_nodes", 8)
    with pytest.raises(ConfigError, match="made for another space than nasbench101"):
        execute(change(base, pretrained=str(done)), tmp_path)


def test_a_damaged_embedding_cache_is_replaced(base, done, tmp_path, caplog):
    for path in jobs.caching.cache_directory().glob("embedding-*/embedding.npy"):
        path.write_bytes(b"damaged")
    again = execute(change(base, pretrained=str(done)), tmp_path)
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()
