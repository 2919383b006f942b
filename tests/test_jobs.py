"""Jobs in this process: what each setting changes, and what bad input says."""

import dataclasses
import json
import pathlib
import re
import shutil

import numpy as np
import pytest

from nas_tf import benchmarks, caching, claim, experiment, jobs, representation
from nas_tf.arch2vec.saving import load_model, save_model
from nas_tf.core import ConfigError, DataError
from nas_tf.graphs import find
from nas_tf.settings import STRATEGIES, Settings
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.tables.nasbench201 import NasBench201Table
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


def _interrupt(*arguments, **options):
    raise KeyboardInterrupt


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
    "discount": 0.8,
    "baseline": 0.1,
    "standardize": False,
    "embedding_scale": 2.0,
}
# Settings that change the trace of one strategy, with the strategy.
STRATEGY = {
    "population_size": ("evolution", 15),
    "tournament_size": ("evolution", 1),
    "full_neighbourhood": ("local_search", False),
    "logits_optimizer": ("categorical_reinforce", "adam"),
    "logits_learning_rate": ("categorical_reinforce", 5.0),
    "baseline_momentum": ("categorical_reinforce", 0.0),
    "eta": ("bohb", 2),
    "random_fraction": ("bohb", 0.0),
    "bohb_samples": ("bohb", 1),
    "top_percent": ("bohb", 60),
    "min_points": ("bohb", 20),
    "min_bandwidth": ("bohb", 1.0),
}
# Settings that change the trace of BANANAS.
BANANAS = {
    "bananas_initial": 5,
    "bananas_round": 5,
    "num_parents": 1,
    "num_candidates": 11,
    "path_length": 1,
    "ensemble_size": 2,
    "ensemble_layers": 1,
    "ensemble_width": 5,
    "ensemble_epochs": 2,
    "ensemble_batch_size": 4,
    "ensemble_learning_rate": 0.1,
}
# Settings that change the trace of arch2vec-BO in a given embedding.
BAYESIAN = {
    "num_initial": 5,
    "batch_queries": 2,
    "target_accuracy": None,
    "surrogate_epochs": 3,
    "surrogate_learning_rate": 0.5,
}
# Settings that change the trace of a search with encoders of its own.
SUPERVISED = {
    "encoder_period": 5,
    "encoder_steps": 2,
    "encoder_learning_rate": 0.05,
    "pooling": "mean",
    "positions": False,
    "epsilon_start": 0.0,
    "embedding_scale": 2.0,
    "standardize": False,
}
# Settings that change the trace of GraphPNAS, of its recurrent baseline where that is named.
GRAPHPNAS = {
    "generator_hidden": 5,
    "generator_components": 1,
    "generator_steps": 2,
    "generator_pooling": "sum",
    "generator_layers": ("rnn_generator", 1),
    "generator_epochs": 9,
    "generator_batch_size": 3,
    "generator_learning_rate": 0.2,
    "generator_clip_norm": None,
    "generator_period": 4,
    "generator_samples": 2,
    "generator_temperature": 1.0,
    "generator_restart": True,
    "objective": "reinforce",
    "negative_weight": 5.0,
    "keep_top": 2,
    "keep_first_share": ("share", 1.0),
    "keep_last_share": ("share", 0.9),
    "explorer": "watts_strogatz",
    "explorer_probability": 0.6,
    "explore_schedule": "step",
    "explore_start": 0.1,
    "explore_end": 0.9,
    "explore_queries": 30,
}
# Settings that change what an analysis finds.
ANALYZE = {
    "gp_cells": 15,
    "gp_seeds": 3,
    "supervised_steps": 3,
    "walk_cells": 20,
    "map_cells": 40,
    "num_walks": 2,
    "walk_length": 4,
}
# Settings that change the autoencoder's weights.
PRETRAIN = {
    "pretrain_cells": "table",
    "pretrain_seed": 5,
    "autoencoder": "gae",
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
    "padding_output": not Settings().pretrain.padding_output,
    "adam_epsilon": 1.0,
    "adjacency_bias": not Settings().pretrain.adjacency_bias,
    "positions": not Settings().pretrain.positions,
    "epsilon_start": 0.0,
}
# Settings whose effect other tests show: here in this file, in test_main, test_generators or
# test_explorer.
ELSEWHERE = {
    "job",
    "output_dir",
    "distribution",
    "cpu_devices",
    "checkpoint_sec",
    "space",
    "nasbench101_records",
    "nasbench201_table",
    "dataset",
    "pretrained",
    "jit_compile",
    "pooling",
    "strategy",
    "inputs",
    "reference",
    "generator",
    "num_samples",
    "cells",
    "op_indices",
    "generator_block",
    "explorer_neighbours",
}


def test_every_setting_is_shown_to_do_something():
    kinds = SEARCH, STRATEGY, BAYESIAN, BANANAS, SUPERVISED, GRAPHPNAS, ANALYZE, PRETRAIN, ELSEWHERE
    assert {name for kind in kinds for name in kind} == set(Settings().values())


@pytest.mark.parametrize("name", SEARCH)
def test_search_settings_change_the_trace(base, done, tmp_path, name):
    changed = change(base, pretrained=str(done), **{name: SEARCH[name]})
    before, after = trace(done), trace(execute(changed, tmp_path))
    assert any(not np.array_equal(before[k], after[k], equal_nan=True) for k in before)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_of_a_study_is_the_run_made_alone(base, tmp_path, strategy):
    """Run 2 of seed 3 is run 0 of seed 5, whatever is pre-trained: a model's seed is its own."""
    settings = change(
        base, strategy=strategy, num_queries=20, num_initial=5, bananas_initial=5, bananas_round=5,
        generator_period=5, encoder_steps=4, population_size=5, tournament_size=2,
    )
    study = execute(change(settings, seed=3, num_runs=3), tmp_path / "study")
    alone = execute(change(settings, seed=5, num_runs=1), tmp_path / "alone")
    one, three = trace(alone), trace(study)
    for name in ("key", "validation_accuracy", "cost_sec"):
        np.testing.assert_array_equal(three[name][2:], one[name], err_msg=name)
    other = execute(change(settings, seed=6, num_runs=1), tmp_path / "other")
    assert (trace(other)["key"] != one["key"]).any()


def test_the_seed_of_a_study_is_no_models(base, tmp_path):
    directory = tmp_path / "never"
    with pytest.raises(ConfigError, match="--seed=4: --job=pretrain .* --pretrain_seed=4"):
        execute(change(base, job="pretrain", seed=4), directory)


@pytest.mark.parametrize("name", STRATEGY)
def test_settings_of_a_strategy_change_its_trace(base, tmp_path, name):
    strategy, value = STRATEGY[name]
    small = change(base, strategy=strategy, population_size=10)
    before = trace(execute(small, tmp_path / "before"))
    after = trace(execute(change(small, **{name: value}), tmp_path / "after"))
    assert not np.array_equal(before["key"], after["key"])


@pytest.fixture(scope="module")
def bayesian(base, done, tmp_path_factory):
    """Settings and trace of arch2vec-BO in the embedding of `done`."""
    settings = change(
        base, strategy="bayesian", pretrained=str(done), num_queries=30, surrogate_epochs=10
    )
    return settings, trace(execute(settings, tmp_path_factory.mktemp("bayesian")))


@pytest.mark.parametrize("name", BAYESIAN)
def test_settings_of_bayesian_search_change_its_trace(bayesian, tmp_path, name):
    settings, before = bayesian
    after = trace(execute(change(settings, **{name: BAYESIAN[name]}), tmp_path))
    assert not np.array_equal(before["key"], after["key"])


@pytest.fixture(scope="module")
def bananas(base, tmp_path_factory):
    """Settings and trace of BANANAS with small networks."""
    settings = change(
        base, strategy="bananas", num_queries=40, ensemble_epochs=20, ensemble_layers=2
    )
    return settings, trace(execute(settings, tmp_path_factory.mktemp("bananas")))


@pytest.mark.parametrize("name", BANANAS)
def test_settings_of_bananas_change_its_trace(bananas, tmp_path, name):
    settings, before = bananas
    after = trace(execute(change(settings, **{name: BANANAS[name]}), tmp_path))
    assert not np.array_equal(before["key"], after["key"])


@pytest.fixture(scope="module")
def supervised(base, tmp_path_factory):
    """Settings and output directory of REINFORCE with encoders of its own."""
    settings = change(base, strategy="supervised_reinforce", num_queries=12, encoder_steps=4)
    return settings, execute(settings, tmp_path_factory.mktemp("supervised"))


@pytest.mark.parametrize("name", SUPERVISED)
def test_settings_of_supervised_searches_change_their_trace(supervised, tmp_path, name):
    settings, before = supervised
    after = trace(execute(change(settings, **{name: SUPERVISED[name]}), tmp_path))
    assert not np.array_equal(trace(before)["key"], after["key"])


def test_supervised_searches_pretrain_nothing(base, supervised, tmp_path):
    settings = change(base, strategy="supervised_bayesian", num_queries=18, encoder_steps=4)
    directory = execute(settings, tmp_path)
    assert all(len(set(keys)) == 18 for keys in trace(directory)["key"])
    for found, label in ((directory, "supervised BO"), (supervised[1], "supervised RL")):
        assert not (found / "model").exists()
        assert label in (found / "report.md").read_text()


def test_a_report_compares_finished_studies(base, done, tmp_path):
    random = execute(change(base, strategy="random"), tmp_path / "random")
    settings = change(base, job="report", inputs=f"{done}, {random}")
    directory = execute(settings, tmp_path / "report")
    text = (directory / "report.md").read_text()
    assert "arch2vec-RL" in text and "random search" in text
    assert (directory / "report.html").read_text().startswith("<!DOCTYPE html>")
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["job"] == "report" and summary["inputs"] == [str(done), str(random)]
    pages = [
        execute(change(settings, reference=str(study)), tmp_path / name) / "report.md"
        for name, study in (("first", done), ("second", random))
    ]
    assert pages[0].read_text() != pages[1].read_text()


@pytest.mark.parametrize("epochs", [None, 12])
def test_the_training_budget_is_named_everywhere(base, tmp_path, capsys, epochs):
    """Also where there is one: 12 epochs of a table that has 36 as well are not its 36."""
    settings = change(base, strategy="random", nasbench101_epochs=epochs)
    directory = execute(settings, tmp_path / "study")
    summary = json.loads((directory / "summary.json").read_text())
    used = epochs or 36
    assert (summary["epochs"], summary["search_epochs"], summary["report_epochs"]) == (
        [used], used, used
    )
    assert summary["settings"]["nasbench101_epochs"] == epochs
    assert ("--nasbench101_epochs=12" in summary["changed_settings"]) == (epochs == 12)
    assert "output_dir" not in summary["settings"]
    text = (directory / "report.md").read_text()
    said = f"# NAS-Bench-101 (invented accuracies, {used} epochs): random search\n"
    assert text.startswith(said)
    assert f"It saw accuracy after {used} epochs of training; reported" in text
    assert f"synthetic, {used} epochs: test accuracy " in capsys.readouterr().out
    page = execute(change(base, job="report", inputs=str(directory)), tmp_path / "report")
    assert f"## nasbench101, synthetic, {used} epochs\n" in (page / "report.md").read_text()


def test_the_content_of_a_table_is_in_the_summary(base, done):
    summary = json.loads((done / "summary.json").read_text())
    assert summary["table_checksum"] == benchmarks.open_benchmark(base).table_checksum


def test_a_study_says_which_model_it_was_searched_with(base, done, tmp_path):
    model = json.loads((done / "summary.json").read_text())["model"]
    assert model["pretrain_seed"] == 0 and len(model["weights"]) == 64
    assert (model["num_cells"], model["epochs"]) == (91, 1)
    assert model["settings"]["autoencoder"] == "arch2vec"
    assert not {"pretrained", "pretrain_seed"} & set(model["settings"])
    again = execute(change(base, pretrained=str(done), seed=3, num_queries=5), tmp_path / "again")
    assert json.loads((again / "summary.json").read_text())["model"] == model
    random = execute(change(base, strategy="random", num_queries=5), tmp_path / "random")
    assert json.loads((random / "summary.json").read_text())["model"] is None


def test_studies_of_two_models_are_one_row(base, done, tmp_path):
    other = execute(change(base, pretrain_seed=5), tmp_path / "other")
    page = execute(change(base, job="report", inputs=f"{done},{other}"), tmp_path / "report")
    text = (page / "report.md").read_text()
    assert "| arch2vec-RL, 2 models | " in text and "(2 models)" in text
    (section,) = json.loads((page / "summary.json").read_text())["sections"]
    (study,) = section["studies"]
    assert [model["pretrain_seed"] for model in study["models"]] == [0, 5]
    assert (study["num_runs"], study["num_models"]) == (4, 2)


def test_one_run_has_no_deviation(base, tmp_path, capsys):
    directory = execute(change(base, strategy="random", num_runs=1), tmp_path)
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["incumbent"]["test_accuracy_std"] is None
    out = capsys.readouterr().out
    assert re.search(r"^1 run x 60 queries, .*: test accuracy \d\d\.\d\d %, regret ", out, re.MULTILINE)


def test_a_model_that_kept_no_settings_is_said_to_be_one(base, done, tmp_path, capsys):
    shutil.copytree(done / "model", tmp_path / "old" / "model")
    path = tmp_path / "old" / "model" / "quality.json"
    quality = json.loads(path.read_text())
    path.write_text(json.dumps(quality | {"settings": None}))
    shorter = change(base, num_queries=5)
    execute(change(shorter, pretrained=str(tmp_path / "old")), tmp_path / "out")
    assert f"--pretrained={tmp_path / 'old'}: a model of an older version" in capsys.readouterr().out
    execute(change(shorter, pretrained=str(done)), tmp_path / "known")
    assert "older version" not in capsys.readouterr().out


def test_a_study_of_an_older_version_is_refused_in_one_line(base, done, tmp_path):
    old = shutil.copytree(done, tmp_path / "old")
    summary = json.loads((old / "summary.json").read_text())
    (old / "summary.json").write_text(json.dumps(
        {name: value for name, value in summary.items() if name != "keys_version"}
    ))
    with pytest.raises(DataError) as caught:
        execute(change(base, job="report", inputs=f"{done},{old}"), tmp_path / "report")
    assert str(caught.value) == (
        f"{old} holds a study of another version (keys 1, this one's are 2): run it again"
    )


def test_bohb_measures_cells_at_several_budgets(base, tmp_path):
    directory = execute(change(base, strategy="bohb"), tmp_path)
    found = trace(directory)
    partial = found["partial"]
    assert 0 < partial.sum() < partial.size
    assert np.isnan(found["validation_accuracy"][partial]).all()
    assert not np.isnan(found["validation_accuracy"][~partial]).any()
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["infeasible_fraction"] == 0
    last = found["incumbent"][:, -1]
    assert not partial[[0, 1], last].any()
    epochs = summary["epochs"], summary["search_epochs"], summary["report_epochs"]
    assert epochs == ([12, 36], 36, 36)


def test_bohb_needs_several_budgets(base, tmp_path):
    settings = change(base, strategy="bohb", nasbench101_epochs=12)
    with pytest.raises(ConfigError, match="^--strategy=bohb: the table has one training budget, 12 epochs"):
        execute(settings, tmp_path)


@pytest.mark.parametrize(
    "strategy", ["random", "categorical_reinforce", "evolution", "local_search"]
)
def test_a_strategy_that_needs_no_embedding_trains_none(base, tmp_path, strategy):
    directory = execute(change(base, strategy=strategy), tmp_path)
    assert not (directory / "model").exists()
    assert "Pre-training" not in (directory / "report.md").read_text()
    assert all(len(set(keys)) == 60 for keys in trace(directory)["key"])


@pytest.fixture(scope="module")
def on_201(measurements):
    """Settings of random search on invented NAS-Bench-201 accuracies."""
    return change(
        Settings(),
        space="nasbench201",
        nasbench201_table=str(measurements),
        strategy="random",
        num_runs=2,
        num_queries=20,
    )


def test_a_search_of_nasbench201_reports_the_long_training_of_what_it_chose(on_201, tmp_path):
    directory = execute(on_201, tmp_path)
    summary = json.loads((directory / "summary.json").read_text())
    assert (summary["space"], summary["table"], summary["dataset"]) == (
        "nasbench201", "invented", "cifar10",
    )
    table = NasBench201Table.load(on_201.table.nasbench201_table)
    found = trace(directory)
    last = found["key"][[0, 1], found["incumbent"][:, -1]]
    index = find(last, table.keys)[0]
    columns = {
        "validation_accuracy_mean": "cifar10_valid_acc_12ep",
        "reported_validation_accuracy_mean": "cifar10_valid_acc_200ep",
        "test_accuracy_mean": "cifar10_test_acc_200ep",
    }
    for name, column in columns.items():
        assert summary["incumbent"][name] == pytest.approx(table.columns[column][index].mean())
    text = (directory / "report.md").read_text()
    title = "NAS-Bench-201 (CIFAR-10, searched after 12 epochs, reported after 200)"
    assert text.startswith(f"# {title}: random search\n")
    epochs = summary["epochs"], summary["search_epochs"], summary["report_epochs"]
    assert epochs == ([12], 12, 200)
    assert "the search sees validation accuracy after 12 epochs" in text
    assert "the incumbent's validation accuracy is " in text


def test_the_data_set_is_the_one_searched(on_201, tmp_path):
    before = trace(execute(on_201, tmp_path / "cifar10"))
    settings = change(on_201, dataset="cifar100", cost_budget_sec=20_000.0, num_queries=None)
    directory = execute(settings, tmp_path / "cifar100")
    after = trace(directory)
    assert not np.array_equal(before["test_accuracy"], after["test_accuracy"])
    spent = after["cost_sec"].sum(axis=1)
    assert (spent >= 20_000).all() and (spent < 25_000).all()
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["dataset"] == "cifar100"
    assert "reported_validation_accuracy_mean" not in summary["incumbent"]


def test_pretraining_and_reinforce_on_nasbench201(on_201, tmp_path, monkeypatch):
    cells = NasBench201Space().enumerate_cells()[::40]
    monkeypatch.setattr(NasBench201Space, "enumerate_cells", lambda self: cells)
    table = NasBench201Table(
        cells=cells,
        columns={
            name: np.linspace(0.1, 0.9, len(cells))
            for name in ("cifar100_valid_acc_200ep", "cifar100_test_acc_200ep")
        },
    )
    monkeypatch.setattr(NasBench201Table, "load", lambda path: table)
    settings = change(
        on_201, strategy="reinforce", dataset="cifar100", epochs=1, jit_compile=False,
    )
    directory = execute(settings, tmp_path)
    assert "391 cells, 1 epoch" in (directory / "report.md").read_text()
    assert all(len(set(keys)) == 20 for keys in trace(directory)["key"])


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
def analysis(base, done, tmp_path_factory):
    """Settings and output directory of an analysis of the 91 cells of at most 4 vertices."""
    small = experiment.NasBench101Space(max_vertices=4)
    values = dict(gp_cells=20, gp_seeds=2, supervised_steps=4, walk_cells=30, map_cells=50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(experiment.SPACES, "nasbench101", lambda: small)
        settings = change(base, job="pretrain")
        model = execute(settings, tmp_path_factory.mktemp("model"))
        settings = change(
            base, job="analyze", pretrained=str(model), num_walks=3, walk_length=5, **values
        )
        yield settings, execute(settings, tmp_path_factory.mktemp("analysis"))


def test_an_analysis_leaves_numbers_pictures_and_a_page(analysis):
    _, directory = analysis
    summary = json.loads((directory / "summary.json").read_text())
    assert (summary["job"], summary["space"], summary["num_cells"]) == ("analyze", "nasbench101", 91)
    assert set(summary["embeddings"]) == {"pre-trained", "supervised"}
    for numbers in summary["embeddings"].values():
        assert -1 <= numbers["distance_spearman"] <= 1
        assert 1 <= numbers["neighbour_edits_mean"] <= 15
        assert len(numbers["rmse_mean"]) == len(numbers["thresholds"])
    assert [row["kind"] for row in summary["quality"]] == ["arch2vec"]
    page = (directory / "report.md").read_text()
    pictures = re.findall(r"\]\((.*?\.png)\)", page)
    assert len(pictures) == 8
    for name in pictures:
        assert (directory / name).read_bytes().startswith(b"\x89PNG")
        assert (directory / name).with_suffix(".svg").exists()
    assert (directory / "report.html").read_text().startswith("<!DOCTYPE html>")
    labels = (directory / "tensorboard" / "embedding_metadata.tsv").read_text().splitlines()
    assert len(labels) == 92
    assert labels[0].split("\t") == ["operations", "edges", "vertices", "validation accuracy"]


def test_settings_of_an_analysis_change_what_it_finds(analysis, tmp_path):
    """All but one at once: each shows in numbers of its own."""
    settings, before = analysis
    after = execute(change(settings, **ANALYZE), tmp_path / "all")

    def found(directory, name):
        return {
            embedding: np.load(steps_of(directory) / f"{name}_{embedding}.npz")
            for embedding in ("pre_trained", "supervised")
        }

    for name in found(after, "map"):
        prediction = found(after, "prediction")[name]
        assert prediction["rmse"].shape[0] == ANALYZE["gp_seeds"]
        assert prediction["counts"][0].max() == 91 - 2 * ANALYZE["gp_cells"]  # the encoder's too
        assert found(after, "distance")[name]["num_pairs"] < 20 * 19 / 2 + 1
        assert len(found(after, "map")[name]["points"]) == ANALYZE["map_cells"]
        walks = found(after, "smoothness")[name]["walks"]
        assert walks.shape == (ANALYZE["num_walks"], ANALYZE["walk_length"])
    only = {"supervised_steps": ANALYZE["supervised_steps"]}
    after = execute(change(settings, **only), tmp_path / "one")
    old, new = (found(directory, "embedding")["supervised"] for directory in (before, after))
    assert not np.array_equal(old["space"], new["space"])


def test_a_killed_analysis_goes_on_where_it_was(analysis, tmp_path, monkeypatch):
    settings, whole = analysis
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(representation, "walk_smoothness", _interrupt)
        execute(settings, tmp_path)
    first = steps_of(tmp_path) / "embedding_pre_trained.npz"
    stamp = first.stat().st_mtime_ns
    (steps_of(tmp_path) / "distance_supervised.npz").write_bytes(b"damaged")
    execute(settings, tmp_path)
    assert first.stat().st_mtime_ns == stamp
    for path in steps_of(whole).iterdir():
        assert (steps_of(tmp_path) / path.name).read_bytes() == path.read_bytes(), path.name


def test_an_analysis_of_another_model_under_the_same_name(analysis, tmp_path, monkeypatch):
    settings, _ = analysis
    given = shutil.copytree(settings.pretrain.pretrained, tmp_path / "given")
    settings = change(settings, pretrained=str(given))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(representation, "walk_smoothness", _interrupt)
        execute(settings, tmp_path / "page")
    model = load_model(given / "model")
    model.set_weights([1.01 * weight for weight in model.get_weights()])
    save_model(given / "model", model)
    execute(settings, tmp_path / "page")
    assert len(list((tmp_path / "page" / "steps").iterdir())) == 2


@pytest.mark.parametrize(
    "values, message",
    [
        ({"gp_cells": 45}, "--gp_cells=45: the 91 measured cells allow at most 44"),
        ({"walk_length": 92}, "--walk_length=92: the 91 cells of nasbench101 allow at most 91"),
        ({"num_walks": 92}, "--num_walks=92"),
        ({"map_cells": 30}, "--map_cells=30 of 91 measured cells: a map needs more than 30"),
        ({"pretrained": None, "inputs": "MODEL"}, "same seed among 0, 0; leave one out"),
        ({"inputs": "MODEL,MODEL"}, "one is given twice"),
    ],
)
def test_mistakes_of_an_analysis_are_told_before_it_begins(analysis, tmp_path, values, message):
    settings, _ = analysis
    if "inputs" in values:
        model = settings.pretrain.pretrained
        values = values | {"inputs": values["inputs"].replace("MODEL", model)}
        values |= {"pretrain_cells": "space"} if "pretrained" in values else {}
    with pytest.raises(ConfigError) as caught:
        execute(change(settings, **values), tmp_path)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def steps_of(directory) -> pathlib.Path:
    """Returns where an analysis keeps its steps: of the only model and table it was made of."""
    (found,) = (directory / "steps").iterdir()
    return found


def test_an_analysis_without_a_table_has_one_embedding(analysis, monkeypatch, tmp_path):
    monkeypatch.setitem(experiment.SPACES, "darts", lambda: DartsSpace(num_cells=200))
    settings = change(analysis[0], space="darts", nasbench101_records=None, pretrained=None,
                      pretrain_cells="space")
    directory = execute(settings, tmp_path)
    summary = json.loads((directory / "summary.json").read_text())
    assert list(summary["embeddings"]) == ["pre-trained"] and summary["table"] is None
    assert "## Predictive power" not in (directory / "report.md").read_text()


@pytest.fixture(scope="module")
def pretrained_weights(pretraining, tmp_path_factory):
    """What that pre-training leaves."""
    return weights(execute(pretraining, tmp_path_factory.mktemp("pretrained")))


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
    monkeypatch.setitem(experiment.SPACES, "darts", lambda: DartsSpace(num_cells=200))
    settings = change(pretraining, space="darts", batch_size=32)
    directory = execute(settings, tmp_path / "pretrained")
    summary = json.loads((directory / "summary.json").read_text())
    assert (summary["space"], summary["num_cells"]) == ("darts", 200)
    assert summary["autoencoder"] == "arch2vec" and summary["kl_weight"] == 2e-6
    labels = (directory / "tensorboard" / "embedding_metadata.tsv").read_text().splitlines()
    assert len(labels[1].split("\t")[0].split()) == 8
    with pytest.raises(ConfigError, match="^--space=darts: no table measures its cells; --job=search"):
        execute(change(settings, job="search"), tmp_path / "searched")


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
        ({"job": "report"}, ConfigError, "name their output directories, separated by commas, with --inputs"),
        ({"job": "report", "inputs": "no/such"}, ConfigError, "no/such"),
        ({"strategy": "bohb", "num_queries": 3}, ConfigError, "first training of 36 epochs is query 4"),
        ({"strategy": "bayesian", "num_queries": 16}, ConfigError, "random, --num_initial=16"),
        (
            {"strategy": "supervised_bayesian", "num_queries": 16},
            ConfigError,
            "random, --num_initial=16",
        ),
        ({"strategy": "bananas", "num_queries": 9}, ConfigError, "random, --bananas_initial=10"),
        (
            {"strategy": "graphpnas", "num_queries": 10},
            ConfigError,
            "random, --generator_period=10",
        ),
        (
            {"strategy": "rnn_generator", "num_queries": 15, "explore_schedule": "step"},
            ConfigError,
            "random, --explore_queries=30",
        ),
        (
            {"strategy": "graphpnas", "explorer": "watts_strogatz"},
            ConfigError,
            "explorer_neighbours=4: expected an even number from 2 to below 4",
        ),
        ({"job": "sample"}, ConfigError, "name its file with --generator=PATH"),
        ({"job": "sample", "generator": "no/such.keras"}, DataError, "no/such.keras: no such file"),
        ({"dataset": "svhn"}, ConfigError, "--dataset=svhn: --space=nasbench101 does not read it"),
        (
            {"space": "nasbench201", "nasbench101_records": None},
            ConfigError,
            "--space=nasbench201: no table was given; set --nasbench201_table=PATH",
        ),
        ({"pretrained": "no/such"}, DataError, "no/such/model/quality.json"),
        ({"pretrained": "x", "strategy": "random"}, ConfigError, "=x: --strategy=random uses no"),
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
        ({"discount": 0.5}, "a job with --discount=0.0, received --discount=0.5"),
        ({"epochs": 2}, "a job with --epochs=1, received --epochs=2"),
        ({"positions": False}, "a job with --positions, received --nopositions"),
    ],
)
def test_other_settings_in_the_same_directory(base, done, values, message):
    with pytest.raises(ConfigError, match=message):
        execute(change(base, **values), done)


@pytest.mark.parametrize("line, version", [("", "1"), ("# Version of keys: 3\n", "3")])
def test_work_of_another_version_is_not_taken_up(base, done, tmp_path, line, version):
    directory = tmp_path / "older"
    shutil.copytree(done, directory)
    path = directory / "config.flags"
    first, rest = path.read_text().split("\n", 1)
    assert first == "# Version of keys: 2"
    path.write_text(line + rest)
    with pytest.raises(ConfigError, match=rf"another version of nas_tf \(keys {version}, this one"):
        execute(base, directory)
    path.write_text(f"{first}\n{rest}")
    execute(base, directory)


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
    with pytest.raises(ConfigError, match="received --nasbench101_records=.* of other content"):
        execute(settings, unfinished)
    config = unfinished / "config.flags"
    config.write_text(re.sub("(?m)^# Content.*\n", "", config.read_text()))
    with pytest.raises(ConfigError, match="search.npz was saved with table="):
        execute(settings, unfinished)


def test_a_checkpoint_of_the_same_table_elsewhere(base, done, tmp_path):
    records = pathlib.Path(base.table.nasbench101_records)
    moved = shutil.copy(records, tmp_path / "moved.tfrecord")
    settings = change(base, pretrained=str(done), checkpoint_sec=0.0)
    unfinished = execute(settings, tmp_path / "out")
    before = (unfinished / "trace.npz").read_bytes()
    for name in ("summary.json", "trace.npz"):
        (unfinished / name).unlink()
    execute(change(settings, nasbench101_records=str(moved)), unfinished)
    assert (unfinished / "trace.npz").read_bytes() == before
    assert f"--nasbench101_records={moved}\n" in (unfinished / "config.flags").read_text()


def test_a_failed_start_leaves_no_directory(base, tmp_path):
    with pytest.raises(DataError):
        execute(change(base, nasbench101_records="no/such"), tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["summary.json", "report.md"])
def test_files_of_others_are_not_replaced(base, tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(ConfigError, match=f"holds {name}, and no config.flags says"):
        execute(base, tmp_path)
    assert (tmp_path / name).read_text() == "{}"


def test_a_summary_that_no_job_wrote_is_not_a_finished_job(base, tmp_path):
    claim.write_config(tmp_path, base)
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(ConfigError, match="its summary.json is not what a job writes"):
        execute(base, tmp_path)


@pytest.mark.parametrize("job", ["search", "analyze"])
def test_a_missing_model_is_told_before_a_table_is_read(base, tmp_path, monkeypatch, job):
    monkeypatch.setattr(benchmarks, "open_benchmark", lambda settings: _interrupt())
    with pytest.raises(DataError, match="no/such/model/quality.json"):
        execute(change(base, job=job, pretrained="no/such"), tmp_path)


def test_a_cache_that_cannot_be_written_is_done_without(base, done, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "file"))
    again = execute(change(base, pretrained=str(done)), tmp_path / "out")
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()


def test_a_model_of_another_space(base, done, tmp_path, monkeypatch):
    monkeypatch.setattr(experiment.NasBench101Space, "max_nodes", 8)
    with pytest.raises(ConfigError, match="made for another space than nasbench101"):
        execute(change(base, pretrained=str(done)), tmp_path)


def test_a_damaged_embedding_cache_is_replaced(base, done, tmp_path, caplog):
    for path in caching.cache_directory().glob("embedding-*/embedding.npy"):
        path.write_bytes(b"damaged")
    again = execute(change(base, pretrained=str(done)), tmp_path)
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()
