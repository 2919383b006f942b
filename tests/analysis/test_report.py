"""Tests of nas_tf.analysis.report."""

import re
import shlex

import numpy as np
import pytest
from absl import flags as absl_flags

from nas_tf import flags
from nas_tf.analysis import report, summary
from nas_tf.analysis.notes import PublishedAccuracy, ReportNotes
from nas_tf.core import History
from nas_tf.graphs import CellGraphs
from nas_tf.settings import JobSettings, SearchSettings, Settings

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
        query_budget=queries,
        cost_budget_sec=cost_budget_sec,
        epochs=[108],
        search_epochs=108,
        report_epochs=108,
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


def test_every_relative_link_exists(tmp_path):
    text = _write(tmp_path, _study())
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert sorted(links) == ["best_cells.png", "best_cells.svg", "incumbents.png", "regret.png"]
    for link in links:
        assert (tmp_path / link).stat().st_size > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*links, "report.md"])


def test_it_says_what_was_run(tmp_path):
    text = _write(tmp_path, _study(), ReportNotes(title="A study", strategy_label="RL"))
    assert text.startswith("# A study\n")
    for words in (
        "**RL** searched the **nasbench101** space in 6 independent runs (study seed 5)",
        "2,532 cells, trained on handwritten digits, read from `digits.tfrecord.gz`",
        "one randomly drawn repeat's validation accuracy",
        "a budget of 12 queries;",
        "on average a run made 12 queries, which cost 3 h of training time by the table.",
        "After 12 queries the incumbent reaches",
        "numpy 2.4",
        "Wall time of the job since its last start: 75 s.\n",
    ):
        assert words in text, words


def test_tables_are_rectangular(tmp_path):
    text = _write(tmp_path, _study())
    blocks = re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE)
    assert len(blocks) == 2
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1


def _published(**changes):
    """Notes with one number of the protocol and budget of `_study(dataset="cifar10")`."""
    return ReportNotes(published=(PublishedAccuracy(**{
        "space": "nasbench101", "num_cells": 2532, "dataset": "cifar10", "search_epochs": 108,
        "report_epochs": 108, "validation": "random", "strategy": "arch2vec_reinforce",
        "queries": 10, "value": 0.9405, "source": "Someone, table 2", "runs": 500,
    } | changes),))


def test_a_published_number_stands_beside_its_own_protocol():
    text = _text(_study(dataset="cifar10")[0], _published(std=0.0017))
    assert "| 10 | " in text and "| 94.05 ± 0.17 |" in text and "**These" not in text
    assert "Published by this protocol: mean test accuracy (Someone, table 2, 500 runs)." in text
    assert "cells, trained on CIFAR-10, read from" in text
    assert "| 94.05 |" in _text(_study(dataset="cifar10")[0], _published())


@pytest.mark.parametrize("changes", [
    {"space": "nasbench201"}, {"num_cells": 423_624}, {"dataset": "cifar100"},
    {"search_epochs": 12}, {"report_epochs": 4}, {"validation": "mean"}, {"strategy": "random"},
    {"queries": 11}, {"queries": None, "cost_sec": 12.0}, {"queries": None, "cost_sec": 9000.0},
], ids=str)
def test_a_published_number_stands_beside_no_other_protocol(changes):
    text = _text(_study(dataset="cifar10")[0], _published(**changes))
    assert "94.05" not in text and "Published" not in text


@pytest.mark.parametrize("dataset", ["digits", "synthetic", "unknown"])
def test_a_published_number_stands_beside_no_other_data(dataset):
    text = _text(_study(dataset=dataset)[0], _published())
    assert "94.05" not in text and "Published" not in text


def test_a_number_after_queries_is_not_that_of_runs_that_cost_has_ended():
    values, _ = _study(dataset="cifar10", cost_budget_sec=5000.0)
    assert "Published" not in _text(values, _published())


def test_a_number_after_seconds_stands_beside_that_budget_alone():
    notes = _published(queries=None, cost_sec=12_000)
    values, _ = _study(dataset="cifar10", cost_budget_sec=12_000.0)
    said = "\nPublished by this protocol: 94.05 % test accuracy (Someone, table 2, 500 runs).\n"
    assert said in _text(values | {"query_budget": None}, notes)
    assert "Published" not in _text(values, notes)  # of 12 queries as well
    other = values | {"query_budget": None, "cost_budget_sec": 500_000.0}
    assert "Published" not in _text(other, notes)
    assert "Published" not in _text(_study(dataset="cifar10")[0], notes)


def test_a_protocol_of_its_own():
    values, _ = _study()
    values["protocol"] = "Searched on 12 epochs."
    values["incumbent"] |= {
        "reported_validation_accuracy_mean": 0.9155, "reported_validation_accuracy_std": 0.0026,
    }
    text = _text(values)
    assert " and no test accuracy. Searched on 12 epochs. Each run" in text
    seen = "It saw accuracy after 4 epochs of training; reported is test accuracy after 36."
    assert seen in _text(values | {"protocol": "", "search_epochs": 4, "report_epochs": 36})
    several = _text(values | {"epochs": [4, 12, 36]})
    assert "Cells were also measured after 4 and 12 epochs" in several
    assert "only a cell measured after 36 can be the incumbent. Each run" in several
    assert "the incumbent's validation accuracy is 91.55 ± 0.26 %." in text


@pytest.mark.parametrize(
    "dataset, cells, disclaimer",
    [
        (
            "digits",
            "2,532 cells, trained on handwritten digits",
            "These networks were trained on handwritten digits: the numbers say nothing about "
            "CIFAR-10 and are not comparable with published NAS-Bench results.",
        ),
        (
            "synthetic",
            "2,532 cells with invented accuracies",
            "The accuracies in this table are invented: the results below mean nothing.",
        ),
        (
            "unknown",
            "2,532 cells, trained on a data set this table does not name",
            "This table does not name the data set its networks were trained on: the numbers are "
            "not comparable with published NAS-Bench results.",
        ),
    ],
)
def test_what_networks_were_trained_on(dataset, cells, disclaimer):
    text = _text(_study(dataset=dataset)[0])
    assert f"({cells}, read from" in text
    assert text.index(f"**{disclaimer}**") < text.index("## Results")


_QUALITY = {
    "reconstruction_accuracy": 0.9999, "validity": 0.46, "uniqueness": None, "unique_cells": 0.67,
    "num_cells": 423624, "epochs": 8, "seed": 0, "graphs_per_sec": 7800.0,
}  # fmt: skip
_PUBLISHED = {"validity": 0.4497, "uniqueness": 0.9969}


def _pretraining(quality, dataset="digits"):
    notes = ReportNotes(
        pretraining=quality,
        published_pretraining=_PUBLISHED,
        published_pretraining_cells=423624,
        published_pretraining_source="Someone, table 1",
    )
    return _text(_study(dataset=dataset)[0], notes)


def test_pretraining_table():
    text = _pretraining(_QUALITY)
    assert "423,624 cells, 8 epochs, seed 0, 7,800 graphs per second.\n" in text
    name = "Validity as published (loose: prior samples that are valid as the paper counts)"
    assert f"| {name} | 46.00 | 44.97 |" in text
    name = "(loose: different decoded graphs among the valid, dead vertices kept)"
    assert f"| Uniqueness as published {name} | – | 99.69 |" in text
    name = "(strict: different cells among the samples that are cells, dead vertices pruned)"
    assert f"| Unique cells {name} | 67.00 | – |" in text
    assert "| Whole cells (strict: cells held out, decoded without any error) | 99.99 | – |" in text
    old = {key: value for key, value in _QUALITY.items() if key != "unique_cells"}
    assert "Unique cells" not in _pretraining(old)


@pytest.mark.parametrize("missing", [None, np.nan, np.float64("nan")])
def test_missing_pretraining_numbers_are_left_out(missing):
    quality = _QUALITY | {"epochs": 1, "graphs_per_sec": missing, "uniqueness": missing}
    text = _pretraining(quality)
    assert "without any accuracy: 423,624 cells, 1 epoch, seed 0.\n" in text
    assert "dead vertices kept) | – | 99.69 |" in text
    text = _pretraining(dict.fromkeys(_QUALITY, missing), dataset="cifar10")
    assert "The embedding was learned without any accuracy.\n" in text
    assert "nan" not in text.lower().replace("nas-bench", "") and "None" not in text


def test_published_pretraining_stands_beside_one_on_the_whole_space():
    of_table = _QUALITY | {"num_cells": 2532}
    assert "Published: Someone, table 1." in _pretraining(_QUALITY)
    assert "Published" not in _pretraining(of_table)
    assert "Published" not in _pretraining(of_table, dataset="cifar10")


@pytest.mark.parametrize("name", ["study", "my study's"])
def test_the_printed_command_repeats_the_job_elsewhere(tmp_path, name):
    directory = tmp_path / name
    text = _write(directory, _study())
    job = JobSettings(output_dir=str(directory), seed=5)
    settings = Settings(job=job, search=SearchSettings(num_queries=12))
    (directory / "config.flags").write_text(flags.flagfile(settings))
    (command,) = re.findall(r"```\n(.*)\n```", text)
    python, option, module, *arguments = shlex.split(command)
    assert (python, option, module) == ("python", "-m", "nas_tf.main")
    values = absl_flags.FlagValues()
    absl_flags.DEFINE_string("flagfile", "", "", flag_values=values)
    flags.define(values)
    values(["program", *arguments])
    again = flags.read(values)
    assert again.job.output_dir == "ANOTHER_DIRECTORY"
    assert (again.job.seed, again.search.num_queries) == (5, 12)


def test_settings_that_are_not_by_default_are_named():
    values, _ = _study()
    assert "## Settings" not in _text(values)
    text = _text(values | {"changed_settings": ["--discount=0.5", "--nostandardize"]})
    assert "Not as they are by default: `--discount=0.5`, `--nostandardize`. All that" in text


def test_one_model_is_said_to_be_one():
    values, _ = _study()
    said = "All runs were searched with one pre-trained model."
    assert said in _text(values | {"model": {"weights": "ab"}}) and said not in _text(values)


def test_a_relative_directory_stays_as_it_was_given():
    assert "--flagfile=runs/study/config.flags " in _text(_study()[0])


def test_search_time_is_over_all_starts():
    values, _ = _study()
    text = _text(values | {"search_sec": 90.0})
    assert "since its last start: 75 s. Search alone, over all starts: 90 s.\n" in text


def test_one_run_has_no_spread(tmp_path):
    text = _write(tmp_path, _study(runs=1))
    assert "± – %** test accuracy" in text and "; one run has no deviation." in text
    assert not re.search(r"± \d", text) and "one run (seed 5)" in text and "band" not in text
    assert "The run had a budget of 12 queries; it made 12 queries, which cost 3 h" in text


def test_one_query():
    text = _text(_study(queries=1)[0])
    assert "a budget of 1 query; on average a run made 1 query," in text
    assert "After 1 query the incumbent reaches" in text


def test_runs_that_ended_early():
    values, _ = _study()
    text = _text(values | {"num_queries_mean": 7.25})
    assert "on average a run made 7.2 queries," in text
    assert "After up to 12 queries the incumbent" in text


def test_two_budgets():
    values, _ = _study(cost_budget_sec=5000.0)
    text = _text(values)
    assert "12 queries or 5,000 s of evaluation cost, whichever was spent first; on" in text


def test_nothing_feasible_still_gives_a_report(tmp_path):
    values, history = _study()
    history.validation_accuracy[:] = np.nan
    history.test_accuracy[:] = np.nan
    description = summary.StudyDescription(
        **{name: values[name] for name in ("space", "table", "table_path", "table_num_cells",
                                           "dataset", "strategy", "seed", "query_budget", "epochs",
                                           "search_epochs", "report_epochs")}
    )
    values = summary.search_summary(description, history, best_test_accuracy=0.9, wall_sec=1.0)
    text = _write(tmp_path, (values, history))
    assert "No run found a feasible cell" in text
    assert not (tmp_path / "best_cells.png").exists()


def test_the_same_study_gives_the_same_bytes(tmp_path):
    _write(tmp_path, _study())
    first = {path: path.read_bytes() for path in tmp_path.iterdir()}
    _write(tmp_path, _study())
    for path, content in first.items():
        assert path.read_bytes() == content, path.name
