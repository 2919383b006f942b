"""Tests of nas_tf.reports.search_report."""

import re
import shlex

import numpy as np
import pytest

from nas_tf.analysis import summary
from nas_tf.core import History
from nas_tf.graphs import CellGraphs
from nas_tf.reports import search_report as report
from nas_tf.reports.notes import Published, ReportNotes
from nas_tf.spaces.counting import Cost

OPS = ("input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "output")
_TRIANGLE = np.array([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
CELLS = CellGraphs.from_matrices(
    [np.array([[0, 1], [0, 0]]), _TRIANGLE, _TRIANGLE, _TRIANGLE],
    [[0, 4], [0, 1, 4], [0, 2, 4], [0, 3, 4]],
    max_nodes=3,
)


def _study(runs=6, queries=12, dataset="digits", feasible=True):
    """Returns the summary and the history of a study."""
    rng = np.random.default_rng(0)
    which = rng.integers(0, len(CELLS), (runs, queries))
    accuracy = np.array([0.85, 0.90, 0.943, 0.92])[which] * (1 if feasible else np.nan)
    history = History(
        key=CELLS.keys[which],
        validation_accuracy=accuracy + rng.normal(0, 0.001, accuracy.shape),
        test_accuracy=accuracy,
        cost_sec=np.full(accuracy.shape, 900.0),
    )
    description = summary.StudyDescription(
        space="nasbench101", table="embedded", table_path="digits.tfrecord.gz",
        table_num_cells=2532, dataset=dataset, strategy="arch2vec_reinforce", seed=5,
        query_budget=queries, epochs=[108], search_epochs=108, report_epochs=108,
    )
    values = summary.search_summary(
        description, history, best_test_accuracy=0.943, wall_sec=75.0, versions={"numpy": "2.4"}
    )
    return values, history


def _write(directory, study, notes=ReportNotes()):
    path = report.write_search_report(
        directory, study[0], history=study[1], cells=CELLS, op_names=OPS, notes=notes
    )
    return path.read_text(encoding="utf-8")


def _text(values, notes=ReportNotes()):
    return report.search_report(values, directory="runs/study", best=[], notes=notes)


def _facts(text):
    """Returns the keys and values of all tables without headings."""
    return dict(re.findall(r"^\| ([A-Z][^|]+) \| ([^|]+) \|$", text, re.MULTILINE))


def test_what_is_left(tmp_path):
    text = _write(tmp_path, _study())
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert sorted(links) == ["best_cells.png", "best_cells.svg", "incumbents.png", "regret.png"]
    for link in links:
        assert (tmp_path / link).stat().st_size > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*links, "report.md"])
    blocks = re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE)
    assert len(blocks) == 4
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1
    first = {path: path.read_bytes() for path in tmp_path.iterdir()}
    _write(tmp_path, _study())
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == first


def test_costs_are_drawn_where_they_are_known(tmp_path):
    """Every cell that was seen is asked for once; the text says what the picture is."""
    asked = []

    def costs(cells):
        asked.extend(cells.keys.tolist())
        sizes = 10_000 * cells.num_edges
        return Cost(sizes, 30 * sizes)

    values, history = _study()
    report.write_search_report(
        tmp_path, values, history=history, cells=CELLS, op_names=OPS, costs=costs
    )
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert sorted(asked) == sorted(CELLS.keys.tolist())
    assert "![costs](costs.png)" in text and "is better in both than a network on the front" in text
    assert (tmp_path / "costs.png").stat().st_size > 5000


def test_it_says_what_was_run():
    values, _ = _study()
    text = _text(values, ReportNotes(title="A study", strategy_label="RL"))
    assert text.startswith("# A study\n")
    assert _facts(text) == {
        "Test accuracy": "94.30 ± 0.00 %",
        "Test regret": "0.000 %",
        "Strategy": "RL",
        "Space": "nasbench101",
        "Runs": "6, seeded from 5",
        "Table": "embedded: 2,532 cells, trained on handwritten digits, 108 epochs, "
        "`digits.tfrecord.gz`",
        "Best mean test accuracy in it": "94.30 %",
        "What a search saw": "validation accuracy of one randomly drawn repeat",
        "Budget of a run": "12 queries",
        "Queries a run made": "12",
        "Cost of them, by the table": "3 h",
        "Wall time of the job since its last start": "75 s",
        "Versions": "numpy 2.4",
    }
    assert text.index("These networks were trained on handwritten") < text.index("## Results")
    assert "sample standard deviation over runs (n − 1)" in text


@pytest.mark.parametrize("changes, name, value", [
    ({"protocol": "Searched on 12 epochs."}, "Protocol", "Searched on 12 epochs."),
    ({"epochs": [4, 12, 36]}, "Cells measured after", "4, 12 or 36 epochs"),
    ({"epochs": [4, 12, 36]}, "Incumbents are measured after", "36 epochs"),
    ({"model": {"weights": "ab"}}, "Pre-trained model", "one for all runs"),
    ({"changed_settings": ["--discount=0.5", "--nostandardize"]},
     "Settings that are not as they are by default", "`--discount=0.5`, `--nostandardize`"),
    ({"search_sec": 90.0}, "Search alone, over all starts", "90 s"),
    ({"num_queries_mean": 7.25}, "Queries a run made", "7.2"),
    ({"cost_budget_sec": 5000.0}, "Budget of a run", "12 queries or 5,000 s of evaluation cost"),
], ids=str)
def test_a_row_of_what_was_run(changes, name, value):
    values, _ = _study()
    assert _facts(_text(values | changes))[name] == value
    assert _facts(_text(values)).get(name) != value


def test_what_a_benchmark_reports_of_the_incumbent():
    values, _ = _study()
    values["incumbent"] |= {
        "reported_validation_accuracy_mean": 0.9155, "reported_validation_accuracy_std": 0.0026,
    }
    found = _facts(_text(values))["Incumbent's reported validation accuracy"]
    assert found == "91.55 ± 0.26 %"


def _published(**changes):
    """Notes with one number of the protocol of `_study(dataset="cifar10")`."""
    return ReportNotes(published=(Published(**{
        "space": "nasbench101", "num_cells": 2532, "dataset": "cifar10", "search_epochs": 108,
        "report_epochs": 108, "validation": "random", "value": 0.9405, "std": 0.0017,
        "source": "Someone, table 2", "runs": 500,
    } | changes),))


def test_a_published_number_stands_beside_its_own_queries():
    notes = _published(queries=10)
    values, _ = _study(dataset="cifar10")
    text = _text(values, notes)
    (row,) = re.findall(r"^\| 10 \|.*$", text, re.MULTILINE)
    assert row.endswith("| 94.05 ± 0.17 |") and "**These" not in text
    assert _facts(text)["Published"] == "Someone, table 2, 500 runs"
    for other in (values | {"cost_budget_sec": 5000.0}, values | {"dataset": "digits"}):
        assert "Published" not in _text(other, notes) and "94.05" not in _text(other, notes)


def test_a_number_after_seconds_stands_beside_that_budget_alone():
    notes = _published(cost_sec=12_000)
    values = _study(dataset="cifar10")[0] | {"cost_budget_sec": 12_000.0}
    found = _facts(_text(values | {"query_budget": None}, notes))
    assert found["Published by this protocol"] == "94.05 ± 0.17 % test accuracy"
    assert found["Published"] == "Someone, table 2, 500 runs"
    assert "Published" not in _text(values, notes)  # of 12 queries as well
    other = values | {"query_budget": None, "cost_budget_sec": 500_000.0}
    assert "Published" not in _text(other, notes)


_QUALITY = {
    "reconstruction_accuracy": 0.9999, "validity": 0.46, "uniqueness": None, "unique_cells": 0.67,
    "num_cells": 423624, "epochs": 8, "seed": 1000, "graphs_per_sec": 7800.4,
}  # fmt: skip


def _pretraining(quality):
    return _text(_study(dataset="cifar10")[0], ReportNotes(pretraining=quality))


def test_pretraining_table():
    text = _pretraining(_QUALITY)
    assert {"Cells": "423,624", "Graphs per second": "7,800"}.items() <= _facts(text).items()
    assert "| arch2vec | 8 | 1000 | – | 46.00 | – | 99.99 | 67.00 |" in text
    assert "| arch2vec, published | – | – | 100.00 | 44.97 | 99.69 | – | – |" in text
    assert "validity as published: prior samples that are valid as the paper counts" in text
    gae = _pretraining(_QUALITY | {"settings": {"autoencoder": "gae", "kl_weight": 0.0}})
    assert "| GAE, published | – | – | 98.75 | 29.88 | 99.25 | – | – |" in gae
    assert ", published |" not in _pretraining(_QUALITY | {"num_cells": 2532})


@pytest.mark.parametrize("missing", [None, np.nan, np.float64("nan")])
def test_missing_pretraining_numbers_are_left_out(missing):
    text = _pretraining(dict.fromkeys(_QUALITY, missing))
    assert "Passes" not in text and "Graphs per second" not in text
    assert "nan" not in text.lower().replace("nas-bench", "") and "None" not in text


@pytest.mark.parametrize("name", ["study", "my study's"])
def test_the_printed_command_repeats_the_job_elsewhere(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "config.flags").write_text("")
    text = report.search_report(_study()[0], directory=tmp_path / name, best=[])
    (command,) = re.findall(r"```\n(.*)\n```", text)
    assert shlex.split(command) == [
        "python", "-m", "nas_tf.main", f"--flagfile={tmp_path / name / 'config.flags'}",
        "--output_dir=ANOTHER_DIRECTORY",
    ]
    assert "Made in Python." in _text(_study()[0])  # where no command made it


def test_one_run_of_one_query_has_no_spread(tmp_path):
    text = _write(tmp_path, _study(runs=1, queries=1))
    assert not re.search(r"± [–\d]", text) and _facts(text)["Budget of a run"] == "1 query"


def test_nothing_feasible_still_gives_a_report(tmp_path):
    text = _write(tmp_path, _study(feasible=False))
    assert _facts(text)["Feasible cells"] == "no run found any"
    assert "nan" not in text.lower() and not (tmp_path / "best_cells.png").exists()
