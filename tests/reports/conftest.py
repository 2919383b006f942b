"""Finished studies, left by the writers that search jobs use."""

import numpy as np
import pytest

from nas_tf.analysis import summary
from nas_tf.core import History
from nas_tf.graphs import KEYS_VERSION
from nas_tf.storage import write_json, write_npz

BEST = 0.95


def _history(runs, queries, mean, seed, cost):
    rng = np.random.default_rng([seed, round(1000 * mean)])
    test = np.minimum(rng.normal(mean, 0.02, (runs, queries)).round(4), BEST)
    return History(
        key=np.ones((runs, queries), np.uint64),
        validation_accuracy=np.clip(test + rng.normal(0, 0.002, test.shape), 0, 1),
        test_accuracy=test,
        cost_sec=np.full(test.shape, cost),
    )


def _setting(line):
    name, equals, value = line.removeprefix("--").partition("=")
    return (name, value) if equals else (name.removeprefix("no"), not name.startswith("no"))


@pytest.fixture(name="leave_study")
def _leave_study(tmp_path):
    """Returns a function that leaves what a search job does, and returns the directory."""

    def leave(
        name, strategy="random", *, runs=8, queries=20, mean=0.85, cost=100.0, history=None,
        best=BEST, best_validation=np.nan, lines=(), versions=None, **described,
    ):
        directory = tmp_path / name
        seed = described.get("seed", 0)
        description = summary.StudyDescription(**{
            "space": "nasbench101", "table": "embedded", "table_path": "t.gz", "dataset": "digits",
            "table_num_cells": 1518, "strategy": strategy, "seed": seed, "query_budget": queries,
            "epochs": [108], "search_epochs": 108, "report_epochs": 108,
            "changed_settings": list(lines), "settings": dict(map(_setting, lines)),
        } | described)
        history = history or _history(runs, queries, mean, seed, cost)
        values = summary.search_summary(
            description, history, best_test_accuracy=best,
            best_validation_accuracy=best_validation, wall_sec=75.0,
            versions=versions or {"numpy": "2.4", "nas_tf": "0.1.0"},
        )
        write_npz(
            directory / "trace.npz", **history.arrays(), incumbent=history.incumbent(),
            keys_version=np.int64(KEYS_VERSION),
        )
        text = [f"--output_dir={directory}", f"--strategy={strategy}", *lines]
        (directory / "config.flags").write_text("\n".join(text) + "\n")
        write_json(directory / "summary.json", values | {"search_sec": 3.0})
        return directory

    return leave


@pytest.fixture(name="three")
def _three(leave_study):
    return [
        leave_study("rl", "reinforce", mean=0.88),
        leave_study("random", mean=0.85),
        leave_study("re", "evolution", mean=0.86),
    ]


@pytest.fixture(name="leave_model")
def _leave_model(leave_study):
    """Returns a function that leaves a study of three runs, in the embedding of a model."""

    def leave(name, mean=0.8, *, strategy="reinforce", pretrain_seed=None, changes=None, flags=(),
              **options):
        test = mean + np.array([[-0.3, -0.01], [-0.3, 0.0], [-0.3, 0.01]])
        validation = np.tile([0.1, 0.9], (3, 1))  # the last query of a run is its best
        history = History(np.ones((3, 2), np.uint64), validation, test, np.ones((3, 2)))
        model = None if pretrain_seed is None else {
            "pretrain_seed": pretrain_seed, "weights": f"{pretrain_seed:064d}", "num_cells": 91,
            "epochs": 8, "settings": {"autoencoder": "arch2vec"},
        } | (changes or {})
        return leave_study(name, strategy, lines=["--discount=0.8", *flags], model=model,
                           **{"history": history, "queries": 2} | options)

    return leave


@pytest.fixture(name="models")
def _models(leave_model):
    """Studies in the embeddings of three models."""
    return [
        leave_model(f"rl{seed}", mean, pretrain_seed=seed, flags=[f"--pretrain_seed={seed}"])
        for seed, mean in enumerate((0.80, 0.90, 0.85))
    ]
