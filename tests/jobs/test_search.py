"""--job=search: what each setting changes, what it leaves, how it goes on."""

import json
import pathlib
import re
import shutil

import numpy as np
import pytest

from nas_tf import caching
from nas_tf.benchmarks.nasbench101_files import NasBench101
from nas_tf.core import ConfigError, DataError
from nas_tf.graphs import find
from nas_tf.jobs import registry, running
from nas_tf.jobs.output import Output
from nas_tf.spaces import nasbench101_cells
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.strategies.registry import NAMES
from nas_tf.tables.nasbench201 import NasBench201Table
from tests.job_runs import change, execute, interrupt, trace, weights
from tools import make_nasbench101_records

pytestmark = pytest.mark.usefixtures("undrawn")

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


@pytest.mark.parametrize("name", SEARCH)
def test_search_settings_change_the_trace(base, done, tmp_path, name):
    changed = change(base, pretrained=str(done), **{name: SEARCH[name]})
    before, after = trace(done), trace(execute(changed, tmp_path))
    assert any(not np.array_equal(before[k], after[k], equal_nan=True) for k in before)


# One of the two supervised searches will do here: tests/arch2vec/test_supervised.py has both.
@pytest.mark.parametrize("strategy", [name for name in NAMES if name != "supervised_rl"])
def test_a_run_of_a_study_is_the_run_made_alone(base, done, tmp_path, drawn, strategy):
    """Run 2 of seed 3 is run 0 of seed 5, whatever is pre-trained: a model's seed is its own.

    So a study that pre-trains has the model of `done`, of seed 0; arch2vec-RL's does.
    """
    settings = change(
        base, strategy=strategy, num_queries=20, num_initial=5, bananas_initial=5, bananas_round=5,
        ensemble_epochs=20, generator_period=5, generator_jit_compile=False, generator_hidden=4,
        generator_steps=1, generator_epochs=2, encoder_steps=4, population_size=5, tournament_size=2,
    )
    if strategy == "arch2vec_bo":
        settings = change(settings, pretrained=str(done))
    with drawn():
        study = execute(change(settings, seed=3, num_runs=3), tmp_path / "study")
    if strategy == "arch2vec_rl":
        settings = change(settings, pretrained=str(done))
    alone = execute(change(settings, seed=5, num_runs=1), tmp_path / "alone")
    one, three = trace(alone), trace(study)
    for name in ("key", "validation_accuracy", "cost_sec"):
        np.testing.assert_array_equal(three[name][2:], one[name], err_msg=name)
    other = execute(change(settings, seed=6, num_runs=1), tmp_path / "other")
    assert (trace(other)["key"] != one["key"]).any()


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
    assert f"| Table | synthetic: 91 cells with invented accuracies, {used} epochs, `" in text
    assert f"synthetic, {used} epochs: test accuracy " in capsys.readouterr().out
    page = execute(change(base, job="report", inputs=str(directory)), tmp_path / "report")
    assert f"## nasbench101, synthetic, {used} epochs\n" in (page / "report.md").read_text()


def test_the_content_of_a_table_is_in_the_summary(base, done):
    summary = json.loads((done / "summary.json").read_text())
    assert summary["table_checksum"] == NasBench101(records=base["nasbench101_records"].value).open(NasBench101Space()).table_checksum


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


def test_one_run_has_no_deviation(base, tmp_path, capsys, drawn):
    with drawn():
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
    with pytest.raises(ConfigError, match="BOHB needs two training budgets or more.* this table has one, 12 epochs"):
        execute(settings, tmp_path)


@pytest.mark.parametrize(
    "strategy", ["random", "categorical_reinforce", "evolution", "local_search"]
)
def test_a_strategy_that_needs_no_embedding_trains_none(base, tmp_path, strategy):
    directory = execute(change(base, strategy=strategy), tmp_path)
    assert not (directory / "model").exists()
    assert "Pre-training" not in (directory / "report.md").read_text()
    assert all(len(set(keys)) == 60 for keys in trace(directory)["key"])


def test_a_search_of_nasbench201_reports_the_long_training_of_what_it_chose(on_201, tmp_path, drawn):
    with drawn():
        directory = execute(on_201, tmp_path)
    summary = json.loads((directory / "summary.json").read_text())
    assert (summary["space"], summary["table"], summary["dataset"]) == (
        "nasbench201", "invented", "cifar10",
    )
    table = NasBench201Table.load(on_201["nasbench201_table"].value)
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
    assert "| Incumbent's reported validation accuracy | " in text


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


def test_pretraining_and_reinforce_on_nasbench201(on_201, tmp_path, monkeypatch, drawn):
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
        on_201, strategy="arch2vec_rl", dataset="cifar100", pretrain_epochs=1, pretrain_jit_compile=False,
    )
    with drawn():
        directory = execute(settings, tmp_path)
    assert "| Cells | 391 |" in (directory / "report.md").read_text()
    assert all(len(set(keys)) == 20 for keys in trace(directory)["key"])


def test_pooling_changes_the_trace_of_an_embedding_that_is_not_standardized(base, done, tmp_path):
    raw = change(base, pretrained=str(done), standardize=False, num_queries=20)
    by_sum = trace(execute(raw, tmp_path / "sum"))
    by_mean = trace(execute(change(raw, pretrain_pooling="mean"), tmp_path / "mean"))
    assert not np.array_equal(by_sum["key"], by_mean["key"])


def test_a_pretrained_model_gives_the_trace_of_the_job_it_came_from(base, done, tmp_path):
    again = execute(change(base, pretrained=str(done), checkpoint_sec=0.0), tmp_path)
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()
    assert (again / "checkpoints" / "search.npz").exists()
    assert not (done / "checkpoints" / "search.npz").exists()


@pytest.mark.parametrize(
    "values, error, message",
    [
        ({"num_queries": 92}, ConfigError, "--num_queries=92: synthetic has only 91 cells"),
        ({"nasbench101_epochs": 108}, ConfigError, "--nasbench101_epochs=108: synthetic has 12, 36"),
        ({"pretrain_batch_size": 500}, ConfigError, "--pretrain_batch_size=500: there are only 82 examples"),
        ({"nasbench101_records": "no/such.tfrecord"}, DataError, "no/such.tfrecord"),
        ({"job": "report"}, ConfigError, "name their output directories, separated by commas, with --inputs"),
        ({"job": "report", "inputs": "no/such"}, ConfigError, "no/such"),
        ({"strategy": "bohb", "num_queries": 3}, ConfigError, "first training of 36 epochs is query 4"),
        ({"strategy": "arch2vec_bo", "num_queries": 16}, ConfigError, "random, num_initial=16"),
        (
            {"strategy": "supervised_bo", "num_queries": 16},
            ConfigError,
            "random, num_initial=16",
        ),
        ({"strategy": "bananas", "num_queries": 9}, ConfigError, "random, bananas_initial=10"),
        (
            {"strategy": "graphpnas", "num_queries": 5},
            ConfigError,
            "random, generator_period=5",
        ),
        (
            {"strategy": "rnn_generator", "num_queries": 15, "explore_schedule": "step"},
            ConfigError,
            "random, explore_queries=30",
        ),
        (
            {"strategy": "graphpnas", "explorer": "watts_strogatz"},
            ConfigError,
            "explorer_neighbours=4: expected an even number from 2 to below 4",
        ),
        ({"job": "sample"}, ConfigError, "name its file with --generator=PATH"),
        ({"job": "sample", "generator": "no/such.keras"}, DataError, "no/such.keras: no such file"),
        (
            {"space": "nasbench201", "nasbench101_records": None},
            ConfigError,
            "--nasbench201_table=none: no table was given; give a CSV file",
        ),
        ({"pretrained": "no/such"}, DataError, "no/such/model/quality.json"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_input_is_named_in_one_line(base, tmp_path, values, error, message):
    with pytest.raises(error) as caught:
        execute(change(base, **values), tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "summary.json").exists()
    _, reader = running.resolve(change(base, output_dir=str(tmp_path)))
    Output(reader, registry.NAMES).refuse_other_work()  # a mistake does not claim the directory


def test_an_unwritable_output_directory(base, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write .*file"):
        execute(base, tmp_path / "file" / "below")


@pytest.mark.parametrize(
    "values, message",
    [
        ({"discount": 0.5}, "a job with --discount=0.0, received --discount=0.5"),
        ({"pretrain_epochs": 2}, "a job with --pretrain_epochs=1, received --pretrain_epochs=2"),
        ({"pretrain_positions": False}, "a job with --pretrain_positions, received --nopretrain_positions"),
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


def test_a_budget_of_cost_ends_with_the_table(base, done, tmp_path, drawn):
    endless = change(base, pretrained=str(done), num_queries=None, cost_budget_sec=1e12)
    with drawn():
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
    records = pathlib.Path(base["nasbench101_records"].value)
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
    _, reader = running.resolve(change(base, output_dir=str(tmp_path)))
    Output(reader, registry.NAMES).claim()
    (tmp_path / "summary.json").write_text("{}")
    with pytest.raises(ConfigError, match="its summary.json is not what a job writes"):
        execute(base, tmp_path)


@pytest.mark.parametrize("job", ["search", "analyze"])
def test_a_missing_model_is_told_before_a_table_is_read(base, tmp_path, monkeypatch, job):
    monkeypatch.setattr(NasBench101, "open", interrupt)
    with pytest.raises(DataError, match="no/such/model/quality.json"):
        execute(change(base, job=job, pretrained="no/such"), tmp_path)


def test_a_cache_that_cannot_be_written_is_done_without(base, done, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "file"))
    again = execute(change(base, pretrained=str(done)), tmp_path / "out")
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()


def test_a_model_of_another_space(base, done, tmp_path, monkeypatch):
    monkeypatch.setattr(NasBench101Space, "max_nodes", 8)
    with pytest.raises(ConfigError, match="made for another space than nasbench101"):
        execute(change(base, pretrained=str(done)), tmp_path)


def test_a_damaged_embedding_cache_is_replaced(base, done, tmp_path, caplog):
    for path in caching.cache_directory().glob("embedding-*/embedding.npy"):
        path.write_bytes(b"damaged")
    again = execute(change(base, pretrained=str(done)), tmp_path)
    assert (again / "trace.npz").read_bytes() == (done / "trace.npz").read_bytes()


@pytest.fixture(name="csv_file")
def _csv_file(tmp_path, monkeypatch):
    """Nine cells of NAS-Bench-101 as a CSV file, which stand in a space of 91."""
    cells = nasbench101_cells.enumerate_cells(4)
    monkeypatch.setattr(nasbench101_cells, "enumerate_cells", lambda *limits: cells)
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "mine.csv"
    hashes = NasBench101Space().md5_hashes(cells[:9])
    rows = [f"{name},0.3{number},0.9{number}" for number, name in enumerate(hashes)]
    names = "module_hash,validation_accuracy_12ep,validation_accuracy_108ep"
    path.write_text("\n".join([names, *rows]))
    return path


def test_a_search_of_a_csv_file(csv_file, tmp_path, capsys):
    given = change({}, nasbench101_table=str(csv_file), dataset="cifar10", num_runs=3, num_queries=9)
    directory = execute(change(given, strategy="random"), tmp_path / "random")
    assert (
        "3 runs x 9 queries, CIFAR-10, 108 epochs: validation accuracy 98.00 ± 0.00 %, regret 0.00 %"
    ) in (out := capsys.readouterr().out)
    assert out.count("; this table has no test accuracy; this table has no training times") == 1
    summary = json.loads((directory / "summary.json").read_text())
    assert (summary["dataset"], summary["table_num_cells"]) == ("cifar10", 9)
    bohb = execute(change(given, strategy="bohb"), tmp_path / "bohb")
    assert json.loads((bohb / "summary.json").read_text())["epochs"] == [12, 108]
    page = execute(
        change({}, job="report", inputs=f"{directory},{bohb}"), tmp_path / "page"
    )
    text = (page / "report.md").read_text()
    assert "1 section" in text and "Validation regret (%)" in text


@pytest.mark.parametrize(
    "flags, message",
    [
        ({"cost_budget_sec": 100.0}, "--cost_budget_sec=100: .* has no training times"),
        ({"nasbench101_epochs": 36}, "--nasbench101_epochs=36: mine has 12, 108"),
        ({"nasbench101_records": "x"}, "--nasbench101_table=.*mine.csv: expected no second file"),
    ],
)
def test_what_a_csv_file_cannot_be_asked(csv_file, tmp_path, flags, message):
    given = change({}, nasbench101_table=str(csv_file), strategy="random", num_runs=1)
    with pytest.raises(ConfigError, match=message):
        execute(change(given, **{"num_queries": 5, **flags}), tmp_path / "out")
