"""nas_tf/reports/autoencoders.py."""

import json

import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.reports import autoencoders


def _summary(seed=0, **values):
    return {
        "job": "pretrain", "space": "nasbench201", "reconstruction_accuracy": 1.0,
        "validity": 0.8, "uniqueness": 0.9, "cell_validity": 0.2, "unique_cells": 0.7,
        "num_cells": 15_625, "entry_accuracy": 0.99, "epochs": 10, "seed": seed,
        "autoencoder": "arch2vec", "kl_weight": 0.0039,
    } | values


def _write(directory, content):
    directory.mkdir(exist_ok=True)
    (directory / "summary.json").write_text(json.dumps(content))
    return directory


def test_rows_by_kind_and_passes():
    rows = autoencoders.quality_rows([
        _summary(2, validity=0.7), _summary(1, autoencoder="gae"), _summary(0, validity=0.5),
        _summary(0, epochs=3), _summary(0, kl_weight=0),
    ])
    found = [(row.kind, row.seeds, row.epochs) for row in rows]
    assert found == [
        ("gae", (1,), 10), ("no_kl", (0,), 10), ("arch2vec", (0,), 3), ("arch2vec", (0, 2), 10)
    ]
    values = {name: array.tolist() for name, array in rows[-1].values.items()}
    assert values == {
        "entry_accuracy": [0.99, 0.99], "validity": [0.5, 0.7], "uniqueness": [0.9, 0.9],
        "reconstruction_accuracy": [1.0, 1.0], "cell_validity": [0.2, 0.2],
        "unique_cells": [0.7, 0.7],
    }
    with pytest.raises(ConfigError, match="arch2vec have the same seed among 3, 3; leave one out"):
        autoencoders.quality_rows([_summary(3), _summary(3)])


def test_table_by_hand():
    rows = autoencoders.quality_rows([
        _summary(0, validity=0.5, cell_validity=None), _summary(4, validity=0.7, uniqueness=None),
        _summary(1, autoencoder="gae", uniqueness=None, epochs=1, entry_accuracy=None,
                 validity=0.0, cell_validity=0.0, unique_cells=None, num_cells=1000),
    ])
    assert autoencoders.quality_table(rows, "nasbench201").splitlines() == [
        "|  | Passes | Seeds | right entries (loose, %) | validity as published (loose, %) | "
        "uniqueness as published (loose, %) | whole cells (strict, %) | samples that are cells "
        "(strict, %) | unique cells (strict, %) |",
        "| :-- | --: | --: | --: | --: | --: | --: | --: | --: |",
        "| GAE | 1 | 1 | – | 0.00 | no valid cell | 100.00 | 0.00 | no valid cell |",
        "| arch2vec | 10 | 0, 4 | 99.00 ± 0.00 | 60.00 ± 14.14 | 90.00 | 100.00 ± 0.00 | 20.00 | "
        "70.00 ± 0.00 |",
        "| arch2vec, published | – | – | 100.00 | 79.41 | 98.72 | – | – | – |",
    ]
    assert "published |" not in autoencoders.quality_table(rows, "nasbench101")


def test_pretrainings_are_read_from_their_directories(tmp_path):
    first, second = (_write(tmp_path / name, _summary(seed)) for seed, name in enumerate("ab"))
    found = autoencoders.read_pretrainings([second, first], "nasbench201")
    assert [summary["seed"] for summary in found] == [1, 0]
    with pytest.raises(ConfigError, match="expected none of them twice"):
        autoencoders.read_pretrainings([first, tmp_path / "b" / ".." / "a"], "nasbench201")
    with pytest.raises(ConfigError, match="expected one of darts, not of nasbench201"):
        autoencoders.read_pretrainings([first], "darts")


@pytest.mark.parametrize("content, error, message", [
    ({"job": "search"}, ConfigError, "not --job=search"),
    ({"job": "pretrain"}, DataError, "'reconstruction_accuracy' is missing; pre-train again"),
    (_summary(autoencoder="gat"), DataError, "unknown autoencoder 'gat'"),
])
def test_other_directories_are_refused(tmp_path, content, error, message):
    with pytest.raises(error, match=message):
        autoencoders.read_pretrainings([_write(tmp_path, content)], "nasbench201")
