"""--job=report: finished studies side by side."""

import json
import shutil

import pytest

from nas_tf.core import DataError
from tests.job_runs import change, execute

pytestmark = pytest.mark.usefixtures("undrawn")


def test_a_report_compares_finished_studies(base, done, tmp_path, drawn):
    random = execute(change(base, strategy="random"), tmp_path / "random")
    settings = change(base, job="report", inputs=f"{done}, {random}")
    with drawn():
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


def test_studies_of_two_models_are_one_row(base, done, tmp_path, drawn):
    other = execute(change(base, pretrain_seed=5), tmp_path / "other")
    with drawn():
        page = execute(change(base, job="report", inputs=f"{done},{other}"), tmp_path / "report")
    text = (page / "report.md").read_text()
    assert "| arch2vec-RL, 2 models | " in text and "(2 models)" in text
    (section,) = json.loads((page / "summary.json").read_text())["sections"]
    (study,) = section["studies"]
    assert [model["pretrain_seed"] for model in study["models"]] == [0, 5]
    assert (study["num_runs"], study["num_models"]) == (4, 2)


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
