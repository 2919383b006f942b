"""nas_tf/analysis/quality_table.py."""

import json

import numpy as np
import pytest

from nas_tf.analysis import quality_table
from nas_tf.core import ConfigError, DataError


def _summary(seed=0, **values):
    return {
        "job": "pretrain", "space": "nasbench201", "reconstruction_accuracy": 1.0,
        "validity": 0.8, "uniqueness": 0.9, "cell_validity": 0.2, "unique_cells": 0.7,
        "num_cells": 15_625,
        "entry_accuracy": 0.99, "epochs": 10, "seed": seed, "autoencoder": "arch2vec", "kl_weight": 0.0039,
    } | values


def _write(directory, content):
    directory.mkdir(exist_ok=True)
    (directory / "summary.json").write_text(json.dumps(content))
    return directory


@pytest.mark.parametrize("autoencoder, weight, kind", [
    ("arch2vec", 0.1, "arch2vec"), ("arch2vec", 0.0, "no_kl"), ("gae", 0.0, "gae"),
    ("vgae", 0.0, "vgae"),
])
def test_kinds(autoencoder, weight, kind):
    assert quality_table.autoencoder_kind(autoencoder, weight) == kind


def test_rows_by_kind_and_passes():
    rows = quality_table.quality_rows([
        _summary(2, validity=0.7), _summary(1, autoencoder="gae"), _summary(0, validity=0.5),
        _summary(0, epochs=3), _summary(0, kl_weight=0),
    ])
    found = [(row.kind, row.seeds, row.epochs) for row in rows]
    assert found == [
        ("gae", (1,), 10), ("no_kl", (0,), 10), ("arch2vec", (0,), 3), ("arch2vec", (0, 2), 10)
    ]
    np.testing.assert_array_equal(rows[-1].values, [[0.99, 0.5, 0.9], [0.99, 0.7, 0.9]])
    np.testing.assert_array_equal(rows[-1].strict, [[1.0, 0.2, 0.7], [1.0, 0.2, 0.7]])


def test_table_by_hand():
    rows = quality_table.quality_rows([
        _summary(0, validity=0.5, cell_validity=None), _summary(4, validity=0.7, uniqueness=None),
        _summary(1, autoencoder="gae", uniqueness=None, epochs=1, entry_accuracy=None,
                 cell_validity=0.0, unique_cells=None),
    ])
    published = {"arch2vec": (1.0, 0.7941, 0.9872)}
    table = quality_table.quality_table(rows, published, 15_625)
    assert table.splitlines() == [
        "|  | right entries (loose, %) | validity as published (loose, %) | uniqueness as published "
        "(loose, %) | whole cells (strict, %) | samples that are cells (strict, %) | unique cells "
        "(strict, %) |",
        "| :-- | --: | --: | --: | --: | --: | --: |",
        "| GAE, 1 pass, seed 1 | – | 80.00 ± – | no valid cell | 100.00 ± – | 0.00 ± – "
        "| no valid cell |",
        "| arch2vec, 10 passes, seeds 0, 4 | 99.00 ± 0.00 | 60.00 ± 14.14 | 90.00 ± – "
        "| 100.00 ± 0.00 | 20.00 ± – | 70.00 ± 0.00 |",
        "| arch2vec, published | 100.00 | 79.41 | 98.72 | – | – | – |",
    ]
    assert "published |" not in quality_table.quality_table(rows, published, 423_624)


def test_pretrainings_are_read_from_their_directories(tmp_path):
    first, second = (_write(tmp_path / name, _summary(seed)) for seed, name in enumerate("ab"))
    found = quality_table.read_pretrainings([second, first], "nasbench201")
    assert [summary["seed"] for summary in found] == [1, 0]
    with pytest.raises(ConfigError, match="one is given twice"):
        quality_table.read_pretrainings([first, tmp_path / "b" / ".." / "a"], "nasbench201")
    with pytest.raises(ConfigError, match="is of nasbench201, not of darts"):
        quality_table.read_pretrainings([first], "darts")


@pytest.mark.parametrize("content, error, message", [
    (None, ConfigError, "is no finished pre-training"),
    ({"job": "search"}, ConfigError, "is not of a pre-training job"),
    ([1], ConfigError, "is not of a pre-training job"),
    ({"job": "pretrain"}, DataError, "'reconstruction_accuracy' is missing; pre-train again"),
    (_summary(autoencoder="gat"), DataError, "unknown autoencoder 'gat'"),
])
def test_other_directories_are_refused(tmp_path, content, error, message):
    if content is not None:
        _write(tmp_path, content)
    with pytest.raises(error, match=message):
        quality_table.read_pretrainings([tmp_path], "nasbench201")


def test_a_damaged_summary(tmp_path):
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        quality_table.read_pretrainings([tmp_path], "nasbench201")


def test_one_seed_counts_once():
    with pytest.raises(ConfigError, match="arch2vec have the same seed among 3, 3; leave one out"):
        quality_table.quality_rows([_summary(3), _summary(3)])
