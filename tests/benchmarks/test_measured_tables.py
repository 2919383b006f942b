"""nas_tf/benchmarks/measured_tables.py: CSV files as searches see them."""

import json

import numpy as np
import pandas
import pytest

import nas_tf
from nas_tf import benchmarks
from nas_tf.core import ConfigError, Suggestion
from nas_tf.evaluators.budget import Budget
from nas_tf.reports.comparison_report import write_comparison
from nas_tf.spaces import nasbench101_cells
from nas_tf.spaces.choices import ChoiceSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.studies.notes import notes_of_summary

SPACE = ChoiceSpace("grid", {"depth": tuple(range(5)), "width": tuple(range(6))})


def _write(path, columns):
    """Writes a table of the 30 cells; columns are numbers by their names."""
    names = [json.dumps(options) for options in SPACE.options(SPACE.enumerate_cells())]
    pandas.DataFrame({"architecture": names, **columns}).to_csv(path, index=False)
    return path


@pytest.fixture(name="untested")
def _untested(tmp_path):
    """Validation accuracies after 4 and 12 epochs, 0.60 to 0.89, and no times."""
    accuracy = (60 + np.arange(30)) / 100
    columns = {"validation_accuracy_4ep": accuracy / 2, "validation_accuracy_12ep": accuracy}
    return _write(tmp_path / "untested.csv", columns)


def test_what_a_search_sees(untested):
    opened = benchmarks.measurements(SPACE, untested, dataset="digits")
    assert (opened.dataset, opened.epochs, opened.validation) == ("digits", (4, 12), "single")
    assert opened.best_validation_accuracy == 0.89 and np.isnan(opened.best_test_accuracy)
    assert opened.protocol == (
        "30 cells, one training of each; a search sees validation accuracy after 12 epochs. This "
        "table has no test accuracy: regret is of validation accuracy. This table has no training "
        "times: costs are zero."
    )
    answer = opened.evaluator([0]).evaluate(Suggestion(opened.cells[None, :3], 4), 0)
    assert answer.validation_accuracy.tolist() == [[0.30, 0.305, 0.31]]
    assert np.isnan(answer.test_accuracy).all() and not answer.cost_sec.any()
    assert benchmarks.measurements(SPACE, untested, epochs=4).epochs == (4,)
    with pytest.raises(ConfigError, match="epochs=108: untested has 4, 12"):
        benchmarks.measurements(SPACE, untested, epochs=108)


def test_a_budget_in_seconds_needs_times(untested):
    with pytest.raises(ConfigError) as error:
        benchmarks.measurements(SPACE, untested).limited(Budget(None, 100.0))
    assert str(error.value) == (
        f"cost_budget_sec=100: {untested} has no training times (training_time_sec_...ep); set "
        "num_queries instead"
    )


def test_several_trainings_and_shared_times(tmp_path):
    accuracy = np.linspace(0.5, 0.9, 30)
    path = _write(tmp_path / "t.csv", {
        "validation_accuracy_3ep_1": accuracy / 2, "validation_accuracy_3ep_2": accuracy / 2,
        "validation_accuracy_9ep_1": accuracy, "validation_accuracy_9ep_2": accuracy + 0.02,
        "test_accuracy_9ep": accuracy - 0.1, "training_time_sec_9ep": 90.0,
    })  # fmt: skip
    opened = benchmarks.measurements(SPACE, path)
    assert opened.validation == "random" and np.isnan(opened.best_validation_accuracy)
    assert opened.best_test_accuracy == pytest.approx(0.8)
    assert opened.validation_accuracy[0] == pytest.approx(0.51)
    assert "3 epochs: they count in proportion" in opened.protocol
    answer = opened.evaluator(range(50)).evaluate(
        Suggestion(opened.cells[np.zeros((50, 1), int)], None), 0
    )
    assert sorted(set(answer.validation_accuracy.ravel().round(2).tolist())) == [0.5, 0.52]
    short = opened.evaluator([0]).evaluate(Suggestion(opened.cells[None, :1], 3), 0)
    assert short.cost_sec.tolist() == [[30.0]]
    mean = benchmarks.measurements(SPACE, path, validation="mean")
    assert mean.checksum == opened.checksum and mean.validation == "mean"


def test_a_study_of_a_table_without_test_accuracy(untested, tmp_path):
    study = nas_tf.search(
        benchmarks.measurements(SPACE, untested, dataset="digits"), nas_tf.RandomSearch(),
        num_runs=4, num_queries=10,
    )  # fmt: skip
    summary = study.summary()
    assert summary["notes"] == [
        "this table has no test accuracy", "this table has no training times"
    ]
    seen = study.curves.validation_accuracy[:, -1].mean()
    assert summary["incumbent"]["validation_regret_mean"] == pytest.approx(0.89 - seen)
    assert summary["incumbent"]["test_accuracy_mean"] is None
    frame = study.to_pandas()
    assert "test_accuracy" not in frame and not frame.isna().any(axis=None)
    text = study.save(tmp_path / "study").read_text()
    assert "| Test accuracy | this table has no test accuracy |" in text
    assert "| Cost of them, by the table | this table has no training times |" in text
    assert "Validation regret (%)" in text and " nan " not in text.lower()
    assert (tmp_path / "study" / "regret.png").is_file()
    again = nas_tf.load(tmp_path / "study")
    assert again.curves.regret == "validation_regret"


@pytest.mark.parametrize("rows, said", [(slice(None), 0), (slice(0, 30, 2), 1)])
def test_what_neighbours_are_in_a_part_of_a_space(untested, tmp_path, rows, said):
    """Said of strategies that ask for neighbours, in their report and in a comparison."""
    pandas.read_csv(untested)[rows].to_csv(tmp_path / "part.csv", index=False)
    opened = benchmarks.measurements(SPACE, tmp_path / "part.csv", dataset="digits")
    assert opened.space_num_cells == 30
    directories = [tmp_path / name for name in ("local", "random")]
    strategies = (nas_tf.LocalSearch(), nas_tf.RandomSearch())
    for strategy, directory in zip(strategies, directories):
        nas_tf.search(opened, strategy, num_runs=2, num_queries=4, output_dir=directory)
    write_comparison(tmp_path / "both", directories, describe=notes_of_summary)
    pages = [(path / "report.md").read_text() for path in (*directories, tmp_path / "both")]
    assert [page.count("those two edits away") for page in pages] == [said, 0, said]
    assert [page.count("the table has 15 of 30 cells") for page in pages] == [said, 0, said]


def test_nasbench101_files_are_told_apart(tmp_path, monkeypatch, records):
    cells = nasbench101_cells.enumerate_cells(4)
    monkeypatch.setattr(nasbench101_cells, "enumerate_cells", lambda *limits: cells)
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "mine.csv"
    pandas.DataFrame({
        "module_hash": NasBench101Space().md5_hashes(cells[:9]),
        "validation_accuracy_108ep": np.linspace(0.5, 0.9, 9),
    }).to_csv(path, index=False)  # fmt: skip
    opened = benchmarks.nasbench101(path, dataset="cifar10")
    assert (opened.dataset, len(opened.cells), opened.epochs) == ("cifar10", 9, (108,))
    assert benchmarks.nasbench101(path).dataset == "unknown"
    assert len(benchmarks.nasbench101(records).cells) == 91
    assert benchmarks.nasbench101(records, dataset="svhn").dataset == "svhn"


def test_nasbench201_cells_in_the_columns_of_all_spaces(tmp_path):
    texts = [f"|{op}~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
             for op in ("none", "nor_conv_1x1", "nor_conv_3x3")]
    path = tmp_path / "three.csv"
    path.write_text("arch_str,validation_accuracy_200ep,test_accuracy_200ep\n" + "".join(
        f"{text},0.{number},0.2\n" for number, text in enumerate(texts)
    ))
    opened = benchmarks.nasbench201(path, "svhn")
    assert (opened.dataset, opened.epochs, opened.best_test_accuracy) == ("svhn", (200,), 0.2)
    assert len(opened.cells) == 3
