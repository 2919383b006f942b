"""Finished studies, left by the writers that search jobs use."""

import dataclasses

import numpy as np
import pytest

from nas_tf import flags
from nas_tf.analysis import summary
from nas_tf.core import History
from nas_tf.graphs import KEYS_VERSION
from nas_tf.settings import JobSettings, SearchSettings, Settings
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


@pytest.fixture(name="leave_study")
def _leave_study(tmp_path):
    """Returns a function that leaves what a search job does, and returns the directory."""

    def leave(
        name, strategy="random", *, runs=8, queries=20, mean=0.85, cost=100.0, history=None,
        best=BEST, lines=None, versions=None, **described,
    ):
        directory = tmp_path / name
        seed = described.get("seed", 0)
        description = summary.StudyDescription(**{
            "space": "nasbench101", "table": "embedded", "table_path": "t.gz", "dataset": "digits",
            "table_num_cells": 1518, "strategy": strategy, "seed": seed, "query_budget": queries,
            "epochs": [108], "search_epochs": 108, "report_epochs": 108,
        } | described)
        history = history or _history(runs, queries, mean, seed, cost)
        values = summary.search_summary(
            description, history, best_test_accuracy=best, wall_sec=75.0,
            versions=versions or {"numpy": "2.4", "nas_tf": "0.1.0"},
        )
        write_npz(
            directory / "trace.npz", **dataclasses.asdict(history), incumbent=history.incumbent(),
            keys_version=np.int64(KEYS_VERSION),
        )
        job = JobSettings(output_dir=str(directory), seed=seed)
        search = SearchSettings(strategy=strategy, num_runs=runs, num_queries=queries)
        text = flags.flagfile(Settings(job=job, search=search))
        (directory / "config.flags").write_text("\n".join(lines) if lines else text)
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
