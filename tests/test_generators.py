"""Jobs of GraphPNAS: what each setting changes, the page, the file, samples."""

import json

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.graphpnas.saving import load_generator
from nas_tf.settings import Settings
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.graphs import CellGraphs
from tests.test_jobs import GRAPHPNAS, change, execute, trace


@pytest.fixture(scope="module")
def base(records):
    """Settings of a study that takes a moment."""
    return change(
        Settings(),
        nasbench101_records=str(records),
        strategy="graphpnas",
        num_runs=2,
        num_queries=40,
        generator_hidden=4,
        generator_components=2,
        generator_steps=1,
        generator_epochs=4,
        generator_period=5,
        generator_learning_rate=0.05,
        generator_samples=400,
        keep_top=8,
        explorer_probability=0.3,
        explore_queries=10,
    )


@pytest.fixture(scope="module")
def variants(base, tmp_path_factory):
    """Returns settings with a prerequisite of others, and the trace they give."""
    settings = {
        "graphpnas": base,
        "rnn_generator": change(base, strategy="rnn_generator"),
        "share": change(base, keep_top=None),
        "ring": change(base, explorer="watts_strogatz"),
    }
    made = {}

    def make(name):
        if name not in made:
            directory = execute(settings[name], tmp_path_factory.mktemp(name))
            made[name] = settings[name], directory
        return made[name]

    return make


@pytest.mark.parametrize("name", GRAPHPNAS)
def test_settings_change_the_trace(variants, tmp_path, name):
    value = GRAPHPNAS[name]
    variant, value = value if isinstance(value, tuple) else ("graphpnas", value)
    settings, directory = variants(variant)
    after = trace(execute(change(settings, **{name: value}), tmp_path))
    assert not np.array_equal(trace(directory)["key"], after["key"])


def test_what_a_search_leaves(variants):
    _, directory = variants("graphpnas")
    assert all(len(set(keys)) == 40 for keys in trace(directory)["key"])
    page = (directory / "generator.md").read_text("utf-8")
    assert "GraphPNAS" in page and "| random | 2,000 |" in page
    assert (directory / "generator.html").exists()
    assert load_generator(directory / "generator.keras").space == "nasbench101"
    assert "**GraphPNAS** searched" in (directory / "report.md").read_text("utf-8")
    _, recurrent = variants("rnn_generator")
    assert "RNN generator" in (recurrent / "generator.md").read_text("utf-8")


def test_a_killed_search_ends_the_same(variants, tmp_path, monkeypatch):
    settings, directory = variants("graphpnas")
    monkeypatch.setattr("nas_tf.jobs.write_generator", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        execute(change(settings, checkpoint_sec=0.0), tmp_path)
    monkeypatch.undo()
    execute(change(settings, checkpoint_sec=0.0), tmp_path)
    for name, value in trace(directory).items():
        np.testing.assert_array_equal(trace(tmp_path)[name], value)
    assert (tmp_path / "generator.md").read_text() == (directory / "generator.md").read_text()


def _interrupt(*arguments):
    raise KeyboardInterrupt


def test_samples_of_a_fitted_generator(base, variants, tmp_path):
    _, directory = variants("graphpnas")
    path = str(directory / "generator.keras")
    settings = change(base, job="sample", generator=path, num_samples=50)
    drawn = json.loads((execute(settings, tmp_path / "a") / "samples.json").read_text())
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert summary["num_samples"] == 50 and summary["num_valid"] == len(drawn["cells"]) > 0
    space = NasBench101Space()
    cells = CellGraphs.from_matrices(
        [cell["matrix"] for cell in drawn["cells"]],
        [[space.op_names.index(op) for op in cell["ops"]] for cell in drawn["cells"]],
        space.max_nodes,
    )
    assert not space.check(cells).any()
    assert len(np.unique(cells.keys)) == summary["num_different"]
    assert all(cell["log_prob"] < 0 for cell in drawn["cells"])
    other = json.loads((execute(change(settings, seed=1), tmp_path / "b") / "samples.json").read_text())
    assert other["cells"] != drawn["cells"]
    with pytest.raises(ConfigError, match="draws cells of nasbench101; received --space=nasbench201"):
        execute(change(settings, space="nasbench201", nasbench101_records=None), tmp_path / "c")


def test_blocks_of_runs_change_rounding_alone(base, variants, tmp_path):
    _, directory = variants("graphpnas")
    blocks = execute(change(base, generator_block=2), tmp_path)
    first, second = trace(directory), trace(blocks)
    np.testing.assert_array_equal(first["key"][:, :10], second["key"][:, :10])
