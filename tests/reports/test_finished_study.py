"""Tests of nas_tf.reports.finished_study: reading studies, and refusing what is none."""

import dataclasses
import json

import numpy as np
import pytest

from nas_tf.reports.finished_study import (
    differing_settings, read_history, read_studies, read_summary,
)
from nas_tf.reports.notes import ReportNotes
from nas_tf.core import ConfigError, DataError, History
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.storage import read_npz, write_npz


def test_a_study_is_read_as_it_was_left(leave_study):
    directory = leave_study("a", "evolution", runs=4, queries=6, seed=5)
    (study,) = read_studies([directory])
    assert study.label == study.summary["strategy"] == "evolution"
    assert study.seeds == (5, 6, 7, 8)
    trace = read_npz(directory / "trace.npz")
    last = np.take_along_axis(trace["test_accuracy"], trace["incumbent"][:, -1:], axis=1)[:, 0]
    np.testing.assert_array_equal(study.curves.test_accuracy[:, -1], last)
    assert "--strategy=evolution" in study.flags


def test_names_and_numbers_are_asked_for(leave_study):
    def describe(summary):
        return ReportNotes(strategy_label=f"{summary['strategy']} search", title="A study")

    (study,) = read_studies([leave_study("a")], describe)
    assert (study.label, study.notes.title) == ("random search", "A study")


def test_settings_that_differ(leave_study):
    a = leave_study("a", lines=["--discount=0.8", "--standardize", "--num_runs=7"])
    b = leave_study("b", lines=["--nostandardize", "--num_runs=7"])
    studies = read_studies([a, b])
    assert differing_settings(studies) == ["discount", "standardize"]
    assert studies[1].changed == {"standardize": "--nostandardize", "num_runs": "--num_runs=7"}
    (b / "config.flags").unlink()
    assert read_studies([b])[0].flags == ()


@pytest.mark.parametrize("schema", [2, "1"])
def test_a_newer_schema_is_refused_and_none_is_the_first(leave_study, schema):
    directory = leave_study("a")
    _rewrite(directory, schema=schema)
    _refused(DataError, [directory], f"of a newer version (schema {schema}, known up to 1)")
    path = directory / "summary.json"
    path.write_text(path.read_text().replace('"schema"', '"another"'))
    assert len(read_studies([directory])) == 1


def _rewrite(directory, **changes):
    path = directory / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _refused(error, inputs, *parts):
    with pytest.raises(error) as raised:
        read_studies(inputs)
    message = str(raised.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, message


def test_inputs_that_are_no_studies(leave_study, tmp_path):
    good = leave_study("good")
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    _refused(ConfigError, [], "inputs=: expected directories of finished studies")
    for name in ("none", "file", "empty"):
        expected = f"inputs={tmp_path / name}: expected the directory of a finished job"
        _refused(ConfigError, [good, tmp_path / name], expected, "no summary.json")
    _refused(ConfigError, [good, str(good) + "/../good"], "good/../good: expected none twice")
    (good / "summary.json").unlink()
    _refused(ConfigError, [good], "finish it with", f"--flagfile={good / 'config.flags'}")


@pytest.mark.parametrize("job", ["pretrain", "report", None])
def test_other_jobs_are_refused(leave_study, job):
    directory = leave_study("a")
    _rewrite(directory, job=job)
    (directory / "trace.npz").unlink()
    _refused(ConfigError, [directory], "finished job (--job=search), not", f"--job={job}")
    assert read_summary(directory)["job"] == job


@pytest.mark.parametrize("text, part", [
    (b"", "damaged"), (b'{"job": "search"', "damaged"), (b"[]", "not a JSON object"),
    (b'{"job": "search", "keys_version": 2}', "space is missing"), (b"\xff\xfe\x00", "damaged"),
])
def test_damaged_summaries(leave_study, text, part):
    directory = leave_study("a")
    (directory / "summary.json").write_bytes(text)
    _refused(DataError, [directory], str(directory / "summary.json"), part)


@pytest.mark.parametrize("name, value", [
    ("seed", "0"), ("num_runs", True), ("num_queries", 2.5), ("versions", []), ("wall_sec", None),
])
def test_summaries_of_the_wrong_kind(leave_study, name, value):
    directory = leave_study("a")
    _rewrite(directory, **{name: value})
    _refused(DataError, [directory], f"{name} is {value!r}")


@pytest.mark.parametrize("version, named", [(None, 1), (1, 1), (3, 3)])
def test_studies_of_another_version_are_refused(leave_study, version, named):
    line = f"holds a study of another version (keys {named}, this one's are 2): run it again"
    directory = leave_study("a")
    _rewrite(directory, keys_version=version)
    _refused(DataError, [directory], f"{directory} {line}")
    _rewrite(directory, keys_version=2)
    arrays = read_npz(directory / "trace.npz") | {"keys_version": version}
    known = {name: array for name, array in arrays.items() if array is not None}
    write_npz(directory / "trace.npz", **known)
    _refused(DataError, [directory], f"{directory} {line}")


def test_damaged_traces(leave_study):
    directory = leave_study("a")
    path = directory / "trace.npz"
    arrays, content = read_npz(path), path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    _refused(DataError, [directory], str(path), "truncated")
    path.unlink()
    _refused(DataError, [directory], str(path), "no such file")
    write_npz(path, **{name: array[..., :-1] for name, array in arrays.items() if array.ndim})
    _refused(DataError, [directory], "key is uint64 [8, 19]", "8 runs of 20 queries")
    write_npz(path, key=arrays["key"])
    _refused(DataError, [directory], str(path), "no array 'validation_accuracy'")
    for name, wrong, fault in (
        ("test_accuracy", np.full((8, 20), "x"), "test_accuracy is <U1 [8, 20]"),
        ("test_accuracy", 100 * arrays["test_accuracy"], "test_accuracy is not in [0, 1]"),
        ("cost_sec", -arrays["cost_sec"], "cost_sec is not from 0 up"),
        ("cost_sec", np.full((8, 20), np.nan), "cost_sec is not from 0 up"),
    ):
        write_npz(path, **arrays | {name: wrong})
        _refused(DataError, [directory], str(path), fault)


def test_a_trace_of_another_study_is_refused(leave_study):
    directory, other = leave_study("a"), leave_study("b", mean=0.8)
    (directory / "trace.npz").write_bytes((other / "trace.npz").read_bytes())
    _refused(DataError, [directory], "summary.json and trace.npz are of different studies")


def test_all_of_a_history_is_read_back(leave_study):
    directory = leave_study("a", runs=2, queries=3)
    summary = read_summary(directory)
    arrays = read_npz(directory / "trace.npz")
    partial = np.array([[True, False, False], [False, False, True]])
    cells = NasBench201Space().enumerate_cells()[:6].reshape(2, 3)
    written = History.from_arrays(arrays | {"partial": partial})
    written = dataclasses.replace(written, cells=cells.with_keys(written.key))
    write_npz(directory / "trace.npz", **written.arrays(), keys_version=arrays["keys_version"])
    found = read_history(directory, summary)
    np.testing.assert_array_equal(found.partial, partial)
    np.testing.assert_array_equal(found.cells.ops, cells.ops)
    del arrays["partial"]  # traces of older versions
    write_npz(directory / "trace.npz", **arrays)
    assert not read_history(directory, summary).partial.any()


def test_further_arrays_and_names_are_no_harm(leave_study):
    directory = leave_study("a")
    arrays = read_npz(directory / "trace.npz")
    write_npz(directory / "trace.npz", **arrays, epochs=np.full((8, 20), 108))
    _rewrite(directory, note="later version")
    assert len(read_studies([directory])) == 1
