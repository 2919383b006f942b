"""Tests of nas_tf.reports.comparison_page."""

import json
import re

import numpy as np
import pytest

from nas_tf.core import History
from nas_tf.reports.comparison import sections
from nas_tf.reports.comparison_page import comparison_page
from nas_tf.reports.finished_study import read_studies
from nas_tf.reports.notes import Published, ReportNotes


def _groups(inputs, describe=lambda summary: ReportNotes(), reference=None):
    return sections(read_studies(inputs, describe), reference)


def _text(inputs, **options):
    groups = _groups(inputs, **options)
    return comparison_page(groups, [{}] * len(groups)).replace("\\", "")


def _tables(text):
    """Returns all tables of a page: rows of stripped cells, the first the headings."""
    tables = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()]
        assert len({len(row) for row in rows}) == 1
        tables.append([rows[0], *rows[2:]])
    return tables


def _results(text):
    """Returns study -> heading -> text of the first section."""
    headings, *rows = _tables(text)[1]
    return {row[0]: dict(zip(headings, row)) for row in rows}


def _facts(text):
    return dict(_tables(text)[0][1:])


def test_the_table(three, tmp_path):
    text, (group,) = _text(three), _groups(three)
    assert "\n## nasbench101, handwritten digits, 108 epochs\n" in text
    found = _results(text)
    assert list(found) == ["reinforce", "evolution", "random"]
    assert list(found["random"]) == [
        "Study", "Runs", "Validation accuracy (%)", "Test accuracy (%)", "Test regret (%)",
        "Difference (points) [95 % CI]", "p (Holm)", "Test", "P(better)",
    ]
    for row, directory in zip(found.values(), ("rl", "re", "random")):
        summary = json.loads((tmp_path / directory / "summary.json").read_text())["incumbent"]
        mean, std = summary["test_accuracy_mean"], summary["test_accuracy_std"]
        assert row["Test accuracy (%)"].strip("*") == f"{100 * mean:.2f} ± {100 * std:.2f}"
        assert row["Test regret (%)"] == f"{100 * summary['test_regret_mean']:.3f}"
        assert row["Runs"] == "8"
    first, *others = found.values()
    assert first["Test accuracy (%)"].startswith("**")
    assert first["Difference (points) [95 % CI]"] == "reference"
    for row, contrast in zip(others, group.contrasts[1:]):
        difference = f"{100 * contrast.difference:+.2f} [".replace("-", "−")
        assert row["Difference (points) [95 % CI]"].startswith(difference)
        assert row["p (Holm)"] == f"{contrast.adjusted_p:.3f}" and row["Test"] == "Wilcoxon"
        assert row["P(better)"] == f"{contrast.superiority:.2f}"
        assert row["Test accuracy (%)"].startswith("**") == (contrast.adjusted_p >= 0.05)


def test_a_reference_can_be_chosen(leave_study):
    inputs = [leave_study("a", mean=0.8), leave_study("b", "evolution", seed=8, mean=0.9),
              leave_study("d", "local_search")]
    text = _text(inputs, reference=inputs[0])
    rows = _results(text)
    assert {name: row["Test"] for name, row in rows.items()} == {
        "evolution": "Mann-Whitney", "local_search": "Wilcoxon", "random": "–"
    }
    assert rows["random"]["Difference (points) [95 % CI]"] == "reference"
    assert _facts(text)["Reference"] == "random"
    bold = [row["Test accuracy (%)"].startswith("**") for row in rows.values()]
    assert bold == [True, False, False]


def test_published_numbers_stand_beside_their_own_budget(leave_study):
    number = {
        "space": "nasbench101", "num_cells": 1518, "dataset": "cifar10", "search_epochs": 108,
        "report_epochs": 108, "source": "Someone, table 2",
    }
    notes = {
        "a": ReportNotes(published=(Published(**number, queries=20, value=0.941, std=0.002),
                                    Published(**number, queries=10, value=0.5))),
        "b": ReportNotes(published=(Published(**number, cost_sec=500.0, value=0.92),)),
    }
    inputs = [leave_study("a", "a", mean=0.9, dataset="cifar10"),
              leave_study("b", "b", dataset="cifar10")]
    text = _text(inputs, describe=lambda summary: notes[summary["strategy"]])
    found = [row["Published test (%)"] for row in _results(text).values()]
    assert found == ["94.10 ± 0.20", "–"]
    assert _facts(text)["Published"] == "Someone, table 2"
    (row,) = re.findall(r"^\| a \| .*\(50.00\).*\|$", text, re.MULTILINE)
    assert row.endswith("(94.10 ± 0.20) |")  # after fewer queries


@pytest.mark.parametrize("std, shown", [(0.01, "90.00 ± 1.00"), (None, "90.00")])
def test_what_a_protocol_reports_stands_beside_what_was_searched(leave_study, std, shown):
    a, b = leave_study("a", protocol="Searches see 12 epochs."), leave_study("b", "evolution")
    path = a / "summary.json"
    values = json.loads(path.read_text())
    values["incumbent"] |= {"reported_validation_accuracy_mean": 0.9,
                            "reported_validation_accuracy_std": std}
    path.write_text(json.dumps(values))
    text = _text([a])
    assert _facts(text)["Protocol"] == "Searches see 12 epochs."
    assert _results(text)["random"]["Reported validation (%)"] == shown
    assert "Reported validation (%)" not in _text([b])


def test_models_stand_beside_runs(leave_model, models):
    for number, path in enumerate(path / "summary.json" for path in models):
        values = json.loads(path.read_text())
        values["incumbent"] |= {"reported_validation_accuracy_mean": 0.8 + 0.1 * number,
                                "reported_validation_accuracy_std": 0.01 * number}
        path.write_text(json.dumps(values))
    inputs = [*models, leave_model("random", 0.7, strategy="random"),
              leave_model("bo", 0.75, pretrain_seed=5, strategy="bayesian")]
    text = _text(inputs)
    assert text.startswith("# Comparison of studies\n\n5 finished studies in 1 section")
    found = _results(text)
    joined = found["reinforce, 3 models"]
    assert joined["Test accuracy (%)"].strip("*") == "85.00 ± 1.00"
    assert joined["Between models"] == "± 5.00 (3 models)"  # 80, 90 and 85
    assert joined["Reported validation (%)"] == "90.00 ± 1.29"  # root of (0 + 1 + 4) / 3
    assert found["bayesian"]["Between models"] == "(1 model)"
    assert found["random"]["Between models"] == "–"
    assert "| reinforce (rl1) | 3 | 0 to 2 |" in text and "seed 1, 00000000" in text


def test_one_study_is_a_report_without_comparison(leave_study):
    text = _text([leave_study("a")])
    assert "1 finished study in 1 section, " in text
    (row,) = _results(text).values()
    assert "P(better)" not in row and "Reference" not in _facts(text)
    assert "**" not in row["Test accuracy (%)"]


def test_one_run_each_has_no_deviation_and_no_test(leave_study):
    inputs = [leave_study("a", runs=1), leave_study("b", "evolution", runs=1)]
    text = _text(inputs)
    assert re.search(r"± [–\d]", text) is None and "nan" not in text.lower().replace("nas-b", "")
    assert "Test" not in next(iter(_results(text).values()))


def test_budgets_that_differ(leave_study):
    inputs = [leave_study("a", queries=20), leave_study("b", "evolution", queries=7)]
    assert _facts(_text(inputs))["Compared after"] == "7 queries"
    assert "**they differ: compared at the smallest**" in _text(inputs)
    assert "they differ" not in _text(inputs[:1])


def test_a_section_for_each_benchmark(leave_study):
    inputs = [
        leave_study("a"),
        leave_study("b", dataset="cifar10"),
        leave_study("c", dataset="cifar10", query_budget=None, cost_budget_sec=900.0),
        leave_study("d", "evolution", dataset="cifar10", query_budget=None, cost_budget_sec=500.0),
        leave_study("e", dataset="cifar10", epochs=[4], search_epochs=4, report_epochs=4),
    ]
    text = _text(inputs)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "nasbench101, handwritten digits, 108 epochs",
        "nasbench101, CIFAR-10, 108 epochs (1)",
        "nasbench101, CIFAR-10, 108 epochs (2)",
        "nasbench101, CIFAR-10, 4 epochs",
        "How to read it",
        "Best practices",
    ]
    assert "| Compared after | 500 s of evaluation cost |" in text


def test_settings_that_are_not_by_default_and_versions_that_differ(leave_study):
    newer = {"numpy": "2.5", "nas_tf": "0.1.0"}
    inputs = [
        leave_study("a", "reinforce", mean=0.9, lines=["--discount=0.5", "--standardize"]),
        leave_study("b", "reinforce", lines=["--nostandardize"], versions=newer),
        leave_study("c"),
    ]
    text = _text(inputs)
    settings, versions = _tables(text[text.index("### Settings") :])[:2]
    assert settings[1:] == [
        ["reinforce (a)", "--discount=0.5 --standardize"],
        ["reinforce (b)", "--nostandardize"],
        ["random", "–"],
    ]
    assert versions[1:] == [
        ["reinforce (a), random", "numpy 2.4, nas_tf 0.1.0"],
        ["reinforce (b)", "numpy 2.5, nas_tf 0.1.0"],
    ]
    text = _text([inputs[2]])
    assert "### Settings" not in text and "| All studies | numpy 2.4, nas_tf 0.1.0 |" in text


def _history(test_accuracy):
    """Validation accuracy rises with every query, so that the last is the incumbent."""
    test = np.array(test_accuracy)
    validation = np.broadcast_to(np.linspace(0.1, 0.9, test.shape[1]), test.shape)
    return History(np.ones(test.shape, np.uint64), validation.copy(), test, np.ones(test.shape))


def test_after_fewer_queries_by_hand(leave_study):
    rising = np.tile(np.linspace(0.02, 0.61, 60), (2, 1)) + [[-0.01], [0.01]]
    options = {"runs": 2, "queries": 60, "dataset": "cifar10"}
    inputs = [leave_study("a", history=_history(rising), **options),
              leave_study("b", "evolution", history=_history(np.full((2, 60), 0.25)), **options)]
    text = _text(inputs)
    (table,) = _tables(text[text.index("### After fewer") : text.index("### Runs")])
    assert "In brackets: published" not in text  # there is nothing
    assert table == [
        ["Study", "10", "20", "50", "60"],
        ["random", "11.00 ± 1.41", "21.00 ± 1.41", "**51.00 ± 1.41**", "**61.00 ± 1.41**"],
        ["evolution", "**25.00 ± 0.00**", "**25.00 ± 0.00**", "25.00 ± 0.00", "25.00 ± 0.00"],
    ]


@pytest.mark.parametrize("queries, cost_sec", [(10, None), (None, 100.0)])
def test_nothing_after_fewer_queries_than_ten(leave_study, queries, cost_sec):
    budget = {"query_budget": queries, "cost_budget_sec": cost_sec}
    assert "### After fewer" not in _text([leave_study("a", queries=queries or 20, **budget)])


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_runs_without_a_feasible_cell_are_left_out_and_counted(leave_study):
    some = np.full((3, 4), np.nan)
    some[0] = 0.8
    inputs = [
        leave_study(name, name, runs=3, queries=4, history=History(
            np.ones((3, 4), np.uint64), values, values.copy(), np.zeros((3, 4))
        ))
        for name, values in (("random", np.full((3, 4), np.nan)), ("evolution", some))
    ]
    found = _results(_text(inputs))
    assert found["evolution"]["Runs"] == "1 of 3" and found["random"]["Runs"] == "0 of 3"
    assert found["random"]["Test accuracy (%)"] == found["random"]["Test regret (%)"] == "–"
