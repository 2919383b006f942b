"""--job=query: what a table knows of a user's own cells."""

import csv
import json

import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.spaces import nasbench201
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.darts_genotype import to_genotypes
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench101_text import to_specs
from nas_tf.spaces.nasbench201_forms import to_op_indices
from nas_tf.tables.nasbench101 import NasBench101Table
from nas_tf.tables.nasbench201 import NasBench201Table
from tests.job_runs import change, execute


@pytest.fixture
def ask(tmp_path):
    """Runs the job on a text; returns rows of the CSV file, the JSON file and the summary."""

    def ask(text, **settings):
        cells = tmp_path / "mine.txt"
        cells.write_text(text)
        values = change({}, job="query", cells=str(cells), **settings)
        out = execute(values, tmp_path / f"out{len(list(tmp_path.iterdir()))}")
        assert f"--cells={cells}\n" in (out / "config.flags").read_text()
        with open(out / "cells.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        return rows, *(
            json.loads((out / name).read_text()) for name in ("cells.json", "summary.json")
        )

    return ask


@pytest.fixture
def on_201(measurements):
    return {"space": "nasbench201", "nasbench201_table": str(measurements)}


def strings(places):
    return nasbench201.to_strings(nasbench201.NasBench201Space().enumerate_cells()[places]).tolist()


def test_strings_of_nasbench201(ask, on_201, measurements):
    wanted = strings([77, 12_000, 77])
    rows, found, summary = ask("# mine\n" + "\n".join(wanted), **on_201, dataset="CIFAR10")
    assert [row["arch_str"] for row in rows] == wanted
    table = NasBench201Table.load(measurements)
    assert set(rows[0]) == {
        "found", "note", "key", "arch_str", "cifar10_validation_accuracy_12ep",
        "cifar10_validation_accuracy_200ep", "cifar10_test_accuracy_200ep",
    }
    expected = table.accuracy("cifar10", "test", 200)[[77, 12_000, 77]].tolist()
    assert [float(row["cifar10_test_accuracy_200ep"]) for row in rows] == expected
    assert [cell["cifar10_test_accuracy_200ep"] for cell in found["cells"]] == expected
    wall, versions = summary.pop("wall_sec"), summary.pop("versions")
    assert wall > 0 and "numpy" in versions
    assert summary == {
        "job": "query", "space": "nasbench201", "table": "invented", "dataset": "cifar10",
        "table_path": str(measurements), "cells": summary["cells"], "num_cells": 3, "num_found": 3,
    }


@pytest.mark.parametrize("numbering", ["naslib", "nats_bench"])
def test_operation_indices_and_all_data_sets(ask, on_201, numbering):
    cells = nasbench201.NasBench201Space().enumerate_cells()[[3, 9_999]]
    text = json.dumps(to_op_indices(cells, numbering).tolist())
    rows, found, summary = ask(text, **on_201, op_indices=numbering, dataset="all")
    assert [row["arch_str"] for row in rows] == strings([3, 9_999])
    assert "cifar100_cost_sec_200ep" in rows[0] and "cifar10_test_accuracy_200ep" in rows[0]
    assert summary["dataset"] == found["dataset"] == "all"


def test_cells_of_nasbench101(ask, records):
    cells = NasBench101Space(5).enumerate_cells()[[90, 91, 2]]  # 91 are in the table
    specs = to_specs(cells)
    rows, found, summary = ask(json.dumps(specs), nasbench101_records=str(records))
    assert [row["found"] for row in rows] == ["True", "False", "True"]
    assert rows[1]["note"] == "the cell is not in the table synthetic"
    assert rows[1]["test_accuracy_36ep"] == rows[1]["trainable_parameters"] == ""
    table = NasBench101Table.load(records)
    accuracy = table.test_accuracy[:, 1, :, 1].mean(axis=1)
    assert float(rows[0]["test_accuracy_36ep"]) == accuracy[90]
    assert found["cells"][1]["test_accuracy_36ep"] is None
    assert [{name: cell[name] for name in ("matrix", "ops")} for cell in found["cells"]] == specs
    assert summary["num_found"] == 2 and summary["dataset"] == "synthetic"
    again, _, _ = ask(json.dumps(found), nasbench101_records=str(records))
    assert again == rows  # cells.json can be asked for again


def test_genotypes_have_no_table(ask):
    cells = DartsSpace().random_cells(np.random.default_rng(0), (2,))
    text = "\n".join(map(str, to_genotypes(cells)))
    rows, found, summary = ask(text, space="darts")
    assert [int(row["key"]) for row in rows] == cells.keys.tolist()
    assert rows[0]["note"] == "no table measures the cells of darts"
    assert (summary["num_found"], summary["table"], summary["dataset"]) == (0, None, None)
    assert len(found["cells"][1]["normal"]) == 8


def test_what_cannot_be_asked(ask, on_201, records, tmp_path):
    with pytest.raises(ConfigError, match="name the file with --cells=PATH"):
        execute(change({}, job="query"), tmp_path / "unused")
    with pytest.raises(DataError, match=r"mine.txt: line 2: 'a' is no NAS-Bench-201 cell: expected"):
        ask(strings([1])[0] + "\na", **on_201)
    with pytest.raises(DataError, match="line 1: index 5: the table does not number its cells"):
        ask("5", **on_201)
    with pytest.raises(ConfigError, match="dataset=svhn: .* has cifar10, cifar100"):
        ask(strings([1])[0], **on_201, dataset="svhn")
