"""Tests of nas_tf.analysis.summary: the stable names, and values worked by hand."""

import dataclasses
import json

import numpy as np
import pytest

from nas_tf.analysis import summary
from nas_tf.core import DataError, History
from nas_tf.graphs import CellGraphs

NAN = np.nan
POINT = {
    "validation_accuracy_mean", "validation_accuracy_std", "test_accuracy_mean",
    "test_accuracy_std", "test_regret_mean",
}
DESCRIPTION = summary.StudyDescription(
    space="nasbench101", table="digits", table_path="digits.tfrecord.gz", table_num_cells=2532,
    dataset="digits", strategy="arch2vec_rl", seed=3, query_budget=9, epochs=[36, 108],
    search_epochs=108, report_epochs=108,
)


def _history():
    return History(
        key=np.array([[1, 2, 3, 4], [5, 6, 0, 0]], np.uint64),
        validation_accuracy=np.array([[NAN, 0.80, 0.80, 0.90], [0.70, 0.86, NAN, NAN]]),
        test_accuracy=np.array([[NAN, 0.75, 0.79, 0.88], [0.72, 0.70, NAN, NAN]]),
        cost_sec=np.array([[0.0, 10.0, 20.0, 30.0], [15.0, 25.0, 0.0, 0.0]]),
    )


@pytest.fixture(name="result")
def _result():
    return summary.search_summary(
        DESCRIPTION, _history(), best_test_accuracy=0.9, wall_sec=1.5, versions={"numpy": "2"}
    )


def test_the_names_scripts_depend_on(result):
    assert {
        "job", "space", "table", "dataset", "strategy", "num_runs", "num_queries", "seed",
        "incumbent", "curve", "evaluation_cost_sec_mean", "wall_sec", "versions",
        "validation", "table_path", "table_num_cells", "cost_budget_sec", "query_budget",
        "num_queries_mean", "epochs", "search_epochs", "report_epochs", "keys_version", "model",
        "settings", "changed_settings", "schema",
    } <= set(result)
    assert set(result["incumbent"]) == POINT and result["notes"] == []
    assert list(result["curve"]) == ["1", "2", "4"]
    assert all(set(point) == POINT for point in result["curve"].values())


def test_validation_accuracy_after_another_budget():
    empty = np.zeros((6, 2, 2), np.uint8), np.zeros((6, 2), np.int8), np.full(6, 2, np.int8)
    cells = CellGraphs(*empty).with_keys(np.array([6, 5, 4, 3, 2, 1], np.uint64))
    accuracy = np.array([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    found = summary.reported_validation(_history(), cells, accuracy)  # of cells 4 and 6
    assert found == {
        "reported_validation_accuracy_mean": pytest.approx(0.5),
        "reported_validation_accuracy_std": pytest.approx(0.1 * np.sqrt(2)),
    }
    nothing = dataclasses.replace(_history(), validation_accuracy=np.full((2, 4), NAN))
    assert set(summary.reported_validation(nothing, cells, accuracy).values()) == {None}


def test_values_by_hand(result):
    assert (result["job"], result["num_runs"], result["num_queries"]) == ("search", 2, 4)
    assert result["incumbent"] == result["curve"]["4"]
    assert result["incumbent"]["validation_accuracy_mean"] == pytest.approx(0.88)
    assert result["incumbent"]["validation_accuracy_std"] == pytest.approx(0.02 * np.sqrt(2))
    assert result["incumbent"]["test_accuracy_mean"] == pytest.approx(0.79)
    assert result["incumbent"]["test_accuracy_std"] == pytest.approx(0.09 * np.sqrt(2))
    assert result["incumbent"]["test_regret_mean"] == pytest.approx(0.11)
    assert result["curve"]["1"]["test_accuracy_mean"] == pytest.approx(0.72)
    assert result["evaluation_cost_sec_mean"] == 50.0
    assert (result["query_budget"], result["num_queries_mean"]) == (9, 3.0)
    assert result["infeasible_fraction"] == pytest.approx(1 / 6)
    assert (result["epochs"], result["report_epochs"]) == ([36, 108], 108)
    assert result["keys_version"] == 2 and result["model"] is None
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_a_table_without_test_accuracy_or_times():
    history = dataclasses.replace(
        _history(), test_accuracy=np.full((2, 4), NAN), cost_sec=np.zeros((2, 4))
    )
    found = summary.search_summary(
        DESCRIPTION, history, best_test_accuracy=NAN, best_validation_accuracy=0.95, wall_sec=1.5
    )
    assert found["notes"] == ["this table has no test accuracy", "this table has no training times"]
    assert found["best_validation_accuracy"] == 0.95 and found["best_test_accuracy"] is None
    assert found["incumbent"]["validation_regret_mean"] == pytest.approx(0.07)
    assert found["incumbent"]["test_regret_mean"] is None
    assert "NaN" not in json.dumps(found)
    measured = summary.search_summary(DESCRIPTION, history, best_test_accuracy=NAN, wall_sec=1.5)
    assert measured["notes"][0] == "no test accuracy was measured"
    assert set(measured["incumbent"]) == POINT


def test_one_run_has_no_deviation():
    one = History(**{name: array[:1] for name, array in _history().arrays().items()
                     if name in ("key", "validation_accuracy", "test_accuracy", "cost_sec")})
    result = summary.search_summary(DESCRIPTION, one, best_test_accuracy=0.9, wall_sec=1.0)
    assert result["incumbent"]["test_accuracy_mean"] == 0.88
    assert {point["test_accuracy_std"] for point in result["curve"].values()} == {None}
    assert {point["validation_accuracy_std"] for point in result["curve"].values()} == {None}


def test_nothing_feasible_is_none_not_nan():
    history = _history()
    history.validation_accuracy[:] = NAN
    history.test_accuracy[:] = NAN
    result = summary.search_summary(DESCRIPTION, history, best_test_accuracy=NAN, wall_sec=0.0)
    json.dumps(result, allow_nan=False)
    assert result["incumbent"]["test_accuracy_mean"] is None
    assert result["best_test_accuracy"] is None


def test_pretraining_summary():
    quality = {
        "reconstruction_accuracy": np.float32(0.5), "validity": 0.25, "uniqueness": NAN,
        "num_cells": np.int64(91), "graphs_per_sec": 10.0, "epochs": 2,
    }
    described = {"space": "nasbench101", "seed": 1, "wall_sec": 2.0}
    result = summary.pretrain_summary(quality, table=None, **described)
    versions = result.pop("versions")
    assert versions["numpy"] == np.__version__ and "python" in versions
    assert result == {
        "job": "pretrain", "schema": 1, "space": "nasbench101", "table": None, "table_path": None,
        "table_num_cells": None, "reconstruction_accuracy": 0.5,
        "validity": 0.25, "uniqueness": None, "num_cells": 91, "graphs_per_sec": 10.0,
        "epochs": 2, "seed": 1, "wall_sec": 2.0,
        "loose_measures": ["entry_accuracy", "validity", "uniqueness"],
        "strict_measures": ["reconstruction_accuracy", "cell_validity", "unique_cells"],
    }
    json.dumps(result, allow_nan=False)
    table = {"name": "digits", "path": "digits.tfrecord.gz", "num_cells": np.int64(91)}
    result = summary.pretrain_summary(quality, table=table, **described)
    found = [result[name] for name in ("table", "table_path", "table_num_cells")]
    assert found == ["digits", "digits.tfrecord.gz", 91] and type(found[2]) is int
    del quality["validity"]
    with pytest.raises(DataError, match="'validity' is missing"):
        summary.pretrain_summary(quality, table=None, **described)
