"""Tests of nas_tf.analysis.report."""

import re

import numpy as np
import pytest

from nas_tf.analysis import report, summary
from nas_tf.core import History
from nas_tf.graphs import CellGraphs

OPS = ("input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "output")
_TRIANGLE = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
CELLS = CellGraphs.from_matrices(
    [np.array([[0, 1], [0, 0]]), _TRIANGLE, _TRIANGLE, _TRIANGLE],
    [[0, 4], [0, 1, 4], [0, 2, 4], [0, 3, 4]],
    max_nodes=3,
)


def _study(runs=6, queries=12, dataset="digits", cost_budget_sec=None):
    rng = np.random.default_rng(0)
    which = rng.integers(0, len(CELLS), (runs, queries))
    accuracy = np.array([0.85, 0.90, 0.943, 0.92])[which]
    history = History(
        key=CELLS.keys[which],
        validation_accuracy=accuracy + rng.normal(0, 0.001, accuracy.shape),
        test_accuracy=accuracy,
        cost_sec=np.full(accuracy.shape, 900.0),
    )
    description = summary.StudyDescription(
        space="nasbench101",
        table="embedded",
        table_path="digits.tfrecord.gz",
        table_num_cells=2532,
        dataset=dataset,
        strategy="arch2vec_reinforce",
        seed=5,
        num_queries=queries,
        cost_budget_sec=cost_budget_sec,
    )
    values = summary.search_summary(
        description, history, best_test_accuracy=0.943, wall_sec=75.0, versions={"numpy": "2.4"}
    )
    return values, history


def _write(directory, study, notes=report.ReportNotes()):
    path = report.write_search_report(
        directory, study[0], history=study[1], cells=CELLS, op_names=OPS, notes=notes
    )
    return path.read_text(encoding="utf-8")


def test_every_relative_link_exists(tmp_path):
    text = _write(tmp_path, _study())
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert sorted(links) == ["best_cells.png", "best_cells.svg", "incumbents.png", "regret.png"]
    for link in links:
        assert (tmp_path / link).stat().st_size > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*links, "report.md"])


def test_it_says_what_was_run(tmp_path):
    text = _write(tmp_path, _study(), report.ReportNotes(title="A study", strategy_label="RL"))
    assert text.startswith("# A study\n")
    for words in (
        "**RL** searched the **nasbench101** space in 6 independent runs (study seed 5)",
        "2,532 cells trained on digits, read from `digits.tfrecord.gz`",
        "one randomly drawn repeat's validation accuracy",
        "a budget of 12 queries;",
        "cost 3 h of training time",
        "say nothing about CIFAR-10",
        "python -m nas_tf.main --flagfile=config.flags",
        "numpy 2.4",
        "Wall time of the job: 75 s",
    ):
        assert words in text, words


def test_tables_are_rectangular(tmp_path):
    text = _write(tmp_path, _study())
    blocks = re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE)
    assert len(blocks) == 2
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_published_numbers_stand_only_beside_the_same_data():
    notes = report.ReportNotes(published={10: 0.9405, 99: 0.5}, published_source="Someone, 2020")
    values, _ = _study(dataset="cifar10")
    text = report.search_report(values, best=[], notes=notes)
    assert "| 94.05 |" in text and "Someone, 2020" in text and "say nothing" not in text
    digits, _ = _study(dataset="digits")
    assert "94.05" not in report.search_report(digits, best=[], notes=notes)


def test_pretraining_table():
    values, _ = _study()
    quality = {
        "reconstruction_accuracy": 0.9999, "validity": 0.46, "uniqueness": None,
        "num_cells": 423624, "epochs": 8, "seed": 0, "graphs_per_sec": 7800.0,
    }
    notes = report.ReportNotes(pretraining=quality, published_pretraining={"validity": 0.4497})
    text = report.search_report(values, best=[], notes=notes)
    assert "423,624 cells, 8 epochs, seed 0, 7,800 graphs per second" in text
    assert "| Validity (prior samples that decode to a valid cell) | 46.00 | 44.97 |" in text
    assert "| Uniqueness (distinct cells among the valid) | – | – |" in text


def test_one_run_has_no_spread(tmp_path):
    text = _write(tmp_path, _study(runs=1))
    assert "±" not in text and "one run (seed 5)" in text and "band" not in text


def test_two_budgets():
    values, _ = _study(cost_budget_sec=5000.0)
    text = report.search_report(values, best=[])
    assert "12 queries or 5,000 s of evaluation cost, whichever ended first" in text


def test_nothing_feasible_still_gives_a_report(tmp_path):
    values, history = _study()
    history.validation_accuracy[:] = np.nan
    history.test_accuracy[:] = np.nan
    description = summary.StudyDescription(
        **{name: values[name] for name in ("space", "table", "table_path", "table_num_cells",
                                           "dataset", "strategy", "seed", "num_queries")}
    )
    values = summary.search_summary(description, history, best_test_accuracy=0.9, wall_sec=1.0)
    text = _write(tmp_path, (values, history))
    assert "No run found a feasible cell" in text
    assert not (tmp_path / "best_cells.png").exists()


@pytest.mark.parametrize(
    "seconds, expected",
    [(0.42, "0.42 s"), (90, "90 s"), (738, "12.3 min"), (16200, "4.5 h"), (1036800, "12.0 days")],
)
def test_durations(seconds, expected):
    assert report.duration(seconds) == expected


def test_the_same_study_gives_the_same_bytes(tmp_path):
    _write(tmp_path / "one", _study())
    _write(tmp_path / "two", _study())
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
