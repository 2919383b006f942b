"""Tests of nas_tf.analysis.comparison_page and of the checklist on it."""

import json
import re

import numpy as np
import pytest

from nas_tf.analysis.comparison import sections
from nas_tf.analysis.finished_study import read_studies
from nas_tf.analysis.comparison_page import comparison_page, section_page
from nas_tf.analysis.notes import PublishedAccuracy, ReportNotes
from nas_tf.core import History

PAIRED = "Wilcoxon's signed-rank test"
INDEPENDENT = "Mann-Whitney U test"


def _pages(inputs, describe=lambda summary: ReportNotes(), reference=None):
    groups = sections(read_studies(inputs, describe))
    return [section_page(group, figures={}, reference=reference) for group in groups]


def _text(inputs, **options):
    return comparison_page(_pages(inputs, **options))


def _rows(text, heading):
    """Returns the rows of the table below a heading or line, cells stripped."""
    block = re.search(r"(?:^\|.*\|\n?)+", text[text.index(heading) :], re.MULTILINE)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()]
    assert len({len(row) for row in rows}) == 1
    return [rows[0], *rows[2:]]


def test_the_table(three, tmp_path):
    text, (page,) = _text(three), _pages(three)
    heading, *rows = _rows(text, "## nasbench101, handwritten digits, 108 epochs")
    assert heading == [
        "Study", "Validation accuracy (%)", "Test accuracy (%)", "Test regret (%)",
        "Difference (points) [95 % CI]", "p (Holm)", "P(better)",
    ]
    assert [row[0] for row in rows] == ["reinforce", "evolution", "random"]
    for row, directory in zip(rows, ("rl", "re", "random")):
        summary = json.loads((tmp_path / directory / "summary.json").read_text())["incumbent"]
        mean, std = summary["test_accuracy_mean"], summary["test_accuracy_std"]
        assert row[2].strip("*") == f"{100 * mean:.2f} ± {100 * std:.2f}"
        assert row[3] == f"{100 * summary['test_regret_mean']:.3f}"
    assert rows[0][2].startswith("**") and rows[0][4] == "reference"
    for row, contrast in zip(rows[1:], page.contrasts[1:]):
        assert row[4].startswith(f"{100 * contrast.difference:+.2f} [".replace("-", "−"))
        assert row[5] == f"{contrast.adjusted_p:.3f}"
        assert row[6] == f"{contrast.superiority:.2f}"
        assert row[2].startswith("**") == (contrast.adjusted_p >= 0.05)
    assert PAIRED in text and INDEPENDENT not in text


def test_other_seeds_are_independent_samples(leave_study):
    inputs = [leave_study("a"), leave_study("b", "evolution", seed=8)]
    text = _text(inputs)
    assert INDEPENDENT in text and PAIRED not in text
    inputs.append(leave_study("d", "local_search"))
    text = _text(inputs, reference=inputs[0]).replace("\\", "")
    independent = f"evolution: runs as independent samples, by the {INDEPENDENT}"
    paired = f"local_search: pairs of runs with the same seed, by {PAIRED}"
    paired += " (zeros ranked as Pratt does)"
    either = (f"of {independent}; {paired};", f"of {paired}; {independent};")
    assert any(sentence in text for sentence in either)


def test_a_reference_can_be_chosen(three):
    text = _text(three, reference=three[1])
    rows = _rows(text, "## nasbench101")[1:]
    assert [row[4] == "reference" for row in rows] == [False, False, True]
    assert "Reference: random." in text and "Bold: the best mean." in text
    assert [row[2].startswith("**") for row in rows] == [True, False, False]


def _published(**changes):
    return PublishedAccuracy(**{
        "space": "nasbench101", "num_cells": 1518, "dataset": "cifar10", "search_epochs": 108,
        "report_epochs": 108, "validation": "random", "strategy": "reinforce", "queries": 20,
        "value": 0.941, "source": "Someone, table 2",
    } | changes)


NUMBERS = (
    _published(std=0.002, runs=9),
    _published(strategy="evolution", queries=400, value=0.93),
    _published(strategy="random", queries=None, cost_sec=500.0, value=0.92, source="Another"),
)


@pytest.mark.parametrize("changes, shown", [
    ({}, ["94.10 ± 0.20", "–", "–"]),
    ({"query_budget": None, "cost_budget_sec": 500.0}, ["–", "–", "92.00"]),
    ({"cost_budget_sec": 500.0}, None),
    ({"query_budget": None, "cost_budget_sec": 400.0}, None),
    ({"dataset": "digits"}, None),
    ({"dataset": "cifar100"}, None),
    ({"validation": "mean"}, None),
    ({"search_epochs": 4, "report_epochs": 4, "epochs": [4]}, None),
])
def test_published_numbers_stand_beside_their_own_protocol(leave_study, changes, shown):
    studies = [("reinforce", 0.88), ("evolution", 0.85), ("random", 0.8)]
    inputs = [
        leave_study(f"{i}", strategy, mean=mean, **{"dataset": "cifar10"} | changes)
        for i, (strategy, mean) in enumerate(studies)
    ]
    text = _text(inputs, describe=lambda summary: ReportNotes(published=NUMBERS))
    heading, *rows = _rows(text, "## nasbench101")
    if shown is None:
        assert "ublished" not in "".join(heading) and "Published by" not in text
        return
    assert heading[3] == "Published test (%)" and [row[3] for row in rows] == shown
    source = "Another" if changes else "Someone, table 2, 9 runs"
    assert f"Published by this protocol: {source}." in text


def test_what_a_protocol_reports_stands_beside_what_was_searched(leave_study):
    a, b = leave_study("a", protocol="Searches see 12 epochs."), leave_study("b", "evolution")
    path = a / "summary.json"
    values = json.loads(path.read_text())
    values["incumbent"] |= {"reported_validation_accuracy_mean": 0.9,
                            "reported_validation_accuracy_std": 0.01}
    path.write_text(json.dumps(values))
    text = _text([a])
    assert "Searches see 12 epochs. The incumbents are compared" in text
    heading, row = _rows(text, "##")
    assert heading[2] == "Reported validation (%)" and row[2] == "90.00 ± 1.00"
    assert "Reported" not in _text([b])
    assert _text([a, b]).count("\n## ") == 3  # another protocol, another section


def test_one_study_is_a_report_without_comparison(leave_study):
    text = _text([leave_study("a")])
    assert "1 finished study in 1 section, " in text
    assert "P(better)" not in text and "Reference" not in text and "**" not in _rows(text, "##")[1]


def test_one_run_each(leave_study):
    inputs = [leave_study("a", runs=1), leave_study("b", "evolution", runs=1)]
    text = _text(inputs)
    assert _rows(text, "##")[1][2].strip("*").endswith(" ± –")
    assert "No test: it takes two runs" in text
    assert "| 0 |" in text and "nan" not in text.lower().replace("nas-bench", "")


def test_budgets_that_differ(leave_study):
    inputs = [leave_study("a", queries=20), leave_study("b", "evolution", queries=7)]
    text = _text(inputs)
    assert "**Budgets differ: the incumbents are compared after 7 queries, the smallest.**" in text
    assert "longer studies are cut at the smallest budget" in text


def test_a_section_for_each_benchmark(leave_study):
    inputs = [
        leave_study("a"),
        leave_study("b", dataset="cifar10"),
        leave_study("c", dataset="cifar10", query_budget=None, cost_budget_sec=900.0),
        leave_study("d", "evolution", dataset="cifar10", query_budget=None, cost_budget_sec=500.0),
        leave_study("e", dataset="cifar10", epochs=[4], search_epochs=4, report_epochs=4),
    ]
    text = _text(inputs)
    titles = re.findall(r"^## (.*)$", text.replace("\\", ""), re.MULTILINE)
    assert titles == [
        "nasbench101, handwritten digits, 108 epochs",
        "nasbench101, CIFAR-10, 108 epochs, budget in queries",
        "nasbench101, CIFAR-10, 108 epochs, budget in seconds",
        "nasbench101, CIFAR-10, 4 epochs",
        "Best practices",
    ]
    assert "compared after 500 s of evaluation cost, the smallest" in text


def test_sections_that_only_their_protocol_tells_apart_are_numbered(leave_study):
    inputs = [
        leave_study("a", protocol="Seen after 12 epochs."),
        leave_study("b", "evolution", protocol="Seen after 200 epochs."),
    ]
    text = _text(inputs)
    assert "2 finished studies in 2 sections, one for every table" in text
    first, second, _ = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert second == f"{first}, protocol 2"


def test_settings_and_versions_that_differ(leave_study):
    newer = {"numpy": "2.5", "nas_tf": "0.1.0"}
    lines = ["--discount=0.8", "--standardize"], ["--discount=0.0", "--nostandardize"]
    inputs = [
        leave_study("a", "reinforce", mean=0.9, lines=lines[0]),
        leave_study("b", "reinforce", lines=lines[1], versions=newer),
    ]
    text = _text(inputs).replace("\\", "")
    assert "| reinforce (a) | --discount=0.8 --standardize |" in text
    assert "| reinforce (b) | --discount=0.0 --nostandardize |" in text
    assert "All studies: nas_tf 0.1.0.\n\nreinforce (a): numpy 2.4.\n\nreinforce (b): " in text


def _checklist(text):
    return {row[0]: (row[1], row[2]) for row in _rows(text, "## Best practices")[1:]}


def test_the_checklist_of_a_sound_comparison(three):
    items = _checklist(_text(three))
    assert len(items) == 14
    assert [name for name, (status, _) in items.items() if status != "yes"] == [
        "Confounding factors controlled",
        "Ablation studies",
        "Tuning of hyperparameters reported",
    ]
    assert items["Several runs, with their seeds"][1].startswith("8 runs")


def test_the_checklist_says_what_is_lacking(leave_study):
    given = ["--pretrained=runs/model", "--discount=0.8"]
    ablation = ["--pretrained=none", "--discount=0.0"]
    inputs = [
        leave_study("a", "reinforce", lines=given, runs=1, cost=0.0),
        leave_study("b", "reinforce", lines=ablation, cost=0.0),
        leave_study("c", dataset="synthetic", versions={"numpy": "2.5"}),
    ]
    (inputs[2] / "config.flags").unlink()
    items = _checklist(_text(inputs))
    statuses = {name: status for name, (status, _) in items.items()}
    assert statuses["Comparison with random search"] == "in part"
    assert statuses["Several runs, with their seeds"] == "no"
    assert statuses["Tabular benchmarks, for many runs"] == "no"
    assert statuses["Performance as a function of compute"] == "in part"
    assert statuses["Ablation studies"] == "yes"
    assert items["Time of the whole method, end to end"] == (
        "in part", "1 study: pre-trained by another job, whose time is in its own summary"
    )
    assert statuses["Code, settings and seeds of the search methods released"] == "in part"
    assert "versions of libraries differ" in items["Confounding factors controlled"][1]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_runs_without_a_feasible_cell_are_left_out_and_counted(leave_study):
    nothing = np.full((3, 4), np.nan)
    some = nothing.copy()
    some[0] = 0.8
    made = np.ones((3, 4), np.uint64), np.zeros((3, 4))
    histories = [History(made[0], values, values.copy(), made[1]) for values in (nothing, some)]
    inputs = [
        leave_study("a", history=histories[0], runs=3, queries=4),
        leave_study("b", "evolution", history=histories[1], runs=3, queries=4),
    ]
    text = _text(inputs)
    assert "evolution: 2 runs without a feasible cell, left out." in text
    assert "random: 3 runs without a feasible cell, left out." in text
    assert _rows(text, "##")[2] == ["random", "–", "–", "–", "–", "–", "–"]
