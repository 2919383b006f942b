"""nas_tf/claim.py: whose files an output directory holds."""

import dataclasses
import json

import pytest

from nas_tf import claim, storage
from nas_tf.core import ConfigError
from nas_tf.settings import JobSettings, Settings, TableSettings


def study(directory, table=None, **job) -> Settings:
    return Settings(
        job=JobSettings(output_dir=str(directory), **job),
        table=TableSettings(nasbench101_records=None if table is None else str(table)),
    )


@pytest.mark.parametrize(
    "name", ["summary.json", "report.md", "report.html", "trace.npz", "model", "regret.png"]
)
@pytest.mark.parametrize("config", [None, "", "--seed=3\n", "--job=sing\n", "\xff"])
def test_files_of_others_are_refused(tmp_path, name, config):
    (tmp_path / name).write_text("{}")
    if config is not None:
        (tmp_path / "config.flags").write_text(config, encoding="latin-1")
    with pytest.raises(ConfigError) as caught:
        claim.refuse_foreign_files(tmp_path)
    assert str(caught.value) == (
        f"--output_dir={tmp_path}: holds {name}, and no config.flags says which job left it; choose "
        "another directory"
    )


def test_files_that_no_job_writes_do_no_harm(tmp_path):
    for name in ("notes.txt", "log", ".lock"):
        (tmp_path / name).write_text("")
    claim.refuse_foreign_files(tmp_path)


def test_what_a_job_left_is_ours(tmp_path):
    claim.write_config(tmp_path, study(tmp_path))
    for name in ("summary.json", "report.md"):
        (tmp_path / name).write_text("{}")
    claim.refuse_foreign_files(tmp_path)


@pytest.mark.parametrize("content", ["{}", "[]", "{", '"job"', '{"job": "sing"}', '{"job": ["search"]}'])
def test_a_summary_of_something_else_finishes_nothing(tmp_path, content):
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(ConfigError, match="its summary.json is not what a job writes; move it aw"):
        claim.finished(tmp_path)
    assert (tmp_path / "summary.json").read_text() == content


def test_a_summary_of_ours_finishes_its_job(tmp_path):
    assert not claim.finished(tmp_path)
    storage.write_json(tmp_path / "summary.json", {"job": "search"})
    assert claim.finished(tmp_path)


def test_a_failed_start_leaves_nothing(tmp_path):
    directory = tmp_path / "a" / "b" / "c"
    with pytest.raises(KeyboardInterrupt), claim.taken(directory):
        assert (directory / ".lock").exists()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_failed_start_leaves_what_was_there(tmp_path):
    (tmp_path / "a").mkdir()
    for names in ([], ["notes.txt", "report.md"], ["notes.txt", "report.md", ".lock"]):
        for name in names:
            (tmp_path / "a" / name).write_text("")
        with pytest.raises(ValueError), claim.taken(tmp_path / "a"):
            raise ValueError
        assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(names)
    (tmp_path / "a" / ".lock").unlink()
    with pytest.raises(ValueError), claim.taken(tmp_path / "a"):
        (tmp_path / "a" / "config.flags").write_text("")
        raise ValueError
    assert (tmp_path / "a" / ".lock").exists()  # a job has begun
    with pytest.raises(ValueError), claim.taken(tmp_path / "a" / "b" / "c"):
        (tmp_path / "a" / "b" / "log").write_text("")
        raise ValueError
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["log"]
    with pytest.raises(ValueError), claim.taken(tmp_path / "new"):
        claim.write_config(tmp_path / "new", study(tmp_path / "new"))
        raise ValueError
    assert (tmp_path / "new" / "config.flags").exists()


def begun(directory, table):
    """Leaves an unfinished job that has read a table."""
    claim.write_config(directory, study(directory, table))
    (directory / "checkpoints").mkdir()


def test_a_table_is_the_same_wherever_it_lies(tmp_path, monkeypatch):
    (tmp_path / "one").write_text("numbers")
    begun(tmp_path / "out", tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    claim.refuse_other_work(tmp_path / "out", study(tmp_path / "out", tmp_path / "two"))
    monkeypatch.chdir(tmp_path)
    claim.refuse_other_work(tmp_path / "out", study("out", "two"))


def test_another_table_is_refused_wherever_it_lies(tmp_path):
    table = tmp_path / "one"
    table.write_text("numbers")
    begun(tmp_path / "out", table)
    table.write_text("numbers, mended")
    with pytest.raises(ConfigError, match=f"received --nasbench101_records={table} of other con"):
        claim.refuse_other_work(tmp_path / "out", study(tmp_path / "out", table))
    (tmp_path / "two").write_text("others")
    for other in (tmp_path / "two", tmp_path / "missing", None):
        with pytest.raises(ConfigError, match="holds a job with --nasbench101_records=.*one, rec"):
            claim.refuse_other_work(tmp_path / "out", study(tmp_path / "out", other))


def test_relative_paths_are_compared_as_what_they_mean(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    settings = study("out")
    settings = dataclasses.replace(
        settings, pretrain=dataclasses.replace(settings.pretrain, pretrained="in/../model")
    )
    claim.write_config(tmp_path / "out", settings)
    storage.write_json(tmp_path / "out" / "summary.json", {"job": "search"})
    assert f"--pretrained={tmp_path}/model" in (tmp_path / "out" / "config.flags").read_text()
    claim.refuse_other_work(tmp_path / "out", settings)
    monkeypatch.chdir(tmp_path / "in")
    with pytest.raises(ConfigError, match=f"received --pretrained={tmp_path}/in/model"):
        claim.refuse_other_work(tmp_path / "out", settings)


def test_a_checkpoint_is_compared_without_paths(tmp_path):
    (tmp_path / "one").write_text("")
    values = claim.deciding_values(study(tmp_path, tmp_path / "one", seed=3))
    assert values["seed"] == 3 and "checkpoint_sec" not in values
    assert not any(str(tmp_path) in str(value) for value in values.values())
    assert json.dumps(values)
