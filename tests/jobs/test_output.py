"""nas_tf/jobs/output.py: whose files an output directory holds."""

import json

import pytest

from nas_tf import storage
from nas_tf.core import ConfigError
from nas_tf.jobs import registry, running
from nas_tf.jobs.output import Output


def output(directory, table=None, **flags) -> Output:
    """Returns the output directory of a random search, or of one in an embedding."""
    given = {"output_dir": str(directory), "strategy": "random", **flags}
    if table is not None:
        given["nasbench101_records"] = str(table)
    _, reader = running.resolve(given)
    return Output(reader, registry.NAMES)


@pytest.mark.parametrize(
    "name", ["summary.json", "report.md", "report.html", "trace.npz", "model", "regret.png"]
)
@pytest.mark.parametrize("config", [None, "", "--seed=3\n", "--job=sing\n", "\xff"])
def test_files_of_others_are_refused(tmp_path, name, config):
    (tmp_path / name).write_text("{}")
    if config is not None:
        (tmp_path / "config.flags").write_text(config, encoding="latin-1")
    with pytest.raises(ConfigError) as caught:
        output(tmp_path).refuse_foreign_files()
    assert str(caught.value) == (
        f"--output_dir={tmp_path}: holds {name}, and no config.flags says which job left it; choose "
        "another directory"
    )


def test_files_that_no_job_writes_do_no_harm(tmp_path):
    for name in ("notes.txt", "log", ".lock"):
        (tmp_path / name).write_text("")
    output(tmp_path).refuse_foreign_files()


def test_what_a_job_left_is_ours(tmp_path):
    output(tmp_path).claim()
    for name in ("summary.json", "report.md"):
        (tmp_path / name).write_text("{}")
    output(tmp_path).refuse_foreign_files()


@pytest.mark.parametrize("content", ["{}", "[]", "{", '"job"', '{"job": "sing"}', '{"job": ["search"]}'])
def test_a_summary_of_something_else_finishes_nothing(tmp_path, content):
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(ConfigError, match="its summary.json is not what a job writes; move it aw"):
        output(tmp_path).finished()
    assert (tmp_path / "summary.json").read_text() == content


def test_a_summary_of_ours_finishes_its_job(tmp_path):
    assert not output(tmp_path).finished()
    storage.write_json(tmp_path / "summary.json", {"job": "search"})
    assert output(tmp_path).finished()


def test_a_failed_start_leaves_nothing(tmp_path):
    directory = tmp_path / "a" / "b" / "c"
    with pytest.raises(KeyboardInterrupt), output(directory).taken():
        assert (directory / ".lock").exists()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_failed_start_leaves_what_was_there(tmp_path):
    (tmp_path / "a").mkdir()
    for names in ([], ["notes.txt", "report.md"], ["notes.txt", "report.md", ".lock"]):
        for name in names:
            (tmp_path / "a" / name).write_text("")
        with pytest.raises(ValueError), output(tmp_path / "a").taken():
            raise ValueError
        assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(names)
    (tmp_path / "a" / ".lock").unlink()
    with pytest.raises(ValueError), output(tmp_path / "a").taken():
        (tmp_path / "a" / "config.flags").write_text("")
        raise ValueError
    assert (tmp_path / "a" / ".lock").exists()  # a job has begun
    with pytest.raises(ValueError), output(tmp_path / "a" / "b" / "c").taken():
        (tmp_path / "a" / "b" / "log").write_text("")
        raise ValueError
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["log"]
    with pytest.raises(ValueError), output(tmp_path / "new").taken():
        output(tmp_path / "new").claim()
        raise ValueError
    assert (tmp_path / "new" / "config.flags").exists()


def begun(directory, table):
    """Leaves an unfinished job that has read a table."""
    output(directory, table).claim()
    (directory / "checkpoints").mkdir()


def test_a_table_is_the_same_wherever_it_lies(tmp_path, monkeypatch):
    (tmp_path / "one").write_text("numbers")
    begun(tmp_path / "out", tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    output(tmp_path / "out", tmp_path / "two").refuse_other_work()
    monkeypatch.chdir(tmp_path)
    output("out", "two").refuse_other_work()


def test_another_table_is_refused_wherever_it_lies(tmp_path):
    table = tmp_path / "one"
    table.write_text("numbers")
    begun(tmp_path / "out", table)
    table.write_text("numbers, mended")
    with pytest.raises(ConfigError, match=f"received --nasbench101_records={table} of other con"):
        output(tmp_path / "out", table).refuse_other_work()
    (tmp_path / "two").write_text("others")
    with pytest.raises(ConfigError, match="with --benchmark=nasbench101, received --benchmark=dig"):
        output(tmp_path / "out").refuse_other_work()
    for other in (tmp_path / "two", tmp_path / "missing"):
        with pytest.raises(ConfigError, match="holds a job with --nasbench101_records=.*one, rec"):
            output(tmp_path / "out", other).refuse_other_work()


def test_relative_paths_are_compared_as_what_they_mean(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    given = {"strategy": "arch2vec_rl", "pretrained": "in/../model"}
    before = output("out", **given)
    before.claim()
    storage.write_json(tmp_path / "out" / "summary.json", {"job": "search"})
    assert f"--pretrained={tmp_path}/model" in (tmp_path / "out" / "config.flags").read_text()
    before.refuse_other_work()
    monkeypatch.chdir(tmp_path / "in")
    with pytest.raises(ConfigError, match=f"received --pretrained={tmp_path}/in/model"):
        output(tmp_path / "out", **given).refuse_other_work()


def test_a_setting_that_the_work_knew_nothing_of_counts_as_its_default(tmp_path):
    """So that a flag with a default, added later, strands no unfinished job."""
    output(tmp_path, strategy="evolution", population_size=50).claim()
    (tmp_path / "checkpoints").mkdir()
    path = tmp_path / "config.flags"
    kept = [line for line in path.read_text().splitlines() if "tournament_size" not in line]
    path.write_text("\n".join(kept))
    output(tmp_path, strategy="evolution", population_size=50).refuse_other_work()
    with pytest.raises(ConfigError, match="with --tournament_size=10, received --tournament_size=5"):
        output(
            tmp_path, strategy="evolution", population_size=50, tournament_size=5
        ).refuse_other_work()


def test_what_decides_nothing_may_differ(tmp_path):
    output(tmp_path, checkpoint_sec=3.0).claim()
    (tmp_path / "checkpoints").mkdir()
    output(tmp_path, checkpoint_sec=5.0).refuse_other_work()
    with pytest.raises(ConfigError, match="holds a job with --seed=0, received --seed=1; choose"):
        output(tmp_path, seed=1).refuse_other_work()


def test_what_decides_is_compared_without_paths(tmp_path):
    (tmp_path / "one").write_text("")
    _, reader = running.resolve({
        "strategy": "random", "nasbench101_records": str(tmp_path / "one"), "seed": 3,
    })
    values = reader.deciding()
    assert values["seed"] == 3 and "checkpoint_sec" not in values
    assert not any(str(tmp_path) in str(value) for value in values.values())
    assert json.dumps(values)


@pytest.mark.parametrize("task, follows", [
    ({"type": "worker", "index": 0}, False), ({"type": "worker", "index": 1}, True), (None, False),
])
def test_one_of_several_workers_writes(task, follows, tmp_path, monkeypatch):
    cluster = {"worker": ["localhost:1", "localhost:2"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task} if task else {}))
    directory = tmp_path / "out"
    found = output(directory, distribution="multi_worker")
    assert found.follows == follows
    with found.taken():
        found.claim()
    assert (directory / "config.flags").exists() != follows
