"""--job=sample: cells of a fitted generator, with the log-probabilities of their graphs."""

import json

import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.graphpnas.generator import GraphGenerator
from nas_tf.graphpnas.saving import save_generator
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.nasbench101 import NasBench101Space
from tests.job_runs import change, execute


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """Flags that draw from a fresh generator of graphs with five nodes."""
    space = NasBench101Space(max_vertices=5)
    generator = GraphGenerator(
        space.graph_form().description, hidden=4, num_components=2, num_steps=1
    )
    path = tmp_path_factory.mktemp("generator") / "generator.keras"
    weights = generator.initial_weights(np.random.default_rng(0))
    save_generator(path, generator, weights, space="nasbench101")
    return change({}, job="sample", generator=str(path), num_samples=200)


def drawn(directory) -> dict:
    return json.loads((directory / "samples.json").read_text())


def test_samples_are_cells(flags, tmp_path):
    found = drawn(execute(flags, tmp_path))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["num_samples"] == 200 and summary["num_valid"] == len(found["cells"]) > 0
    space = NasBench101Space()
    cells = CellGraphs.from_matrices(
        [cell["matrix"] for cell in found["cells"]],
        [[space.op_names.index(op) for op in cell["ops"]] for cell in found["cells"]],
        space.max_nodes,
    )
    assert not space.check(cells).any() and cells.num_nodes.max() <= 5
    assert len(np.unique(cells.keys)) == summary["num_different"] > 10
    assert all(cell["log_prob"] < 0 for cell in found["cells"])
    assert all(np.shape(cell["graph"]["edges"]) == (5, 5) for cell in found["cells"])


def test_a_seed_decides_what_is_drawn(flags, tmp_path):
    one, again, other = (
        drawn(execute(change(flags, seed=seed), tmp_path / str(index)))["cells"]
        for index, seed in enumerate((3, 3, 4))
    )
    assert one == again != other


@pytest.mark.parametrize("values, error, message", [
    ({"generator": None}, ConfigError, "name its file with --generator=PATH"),
    ({"generator": "no/such.keras"}, DataError, "no/such.keras: no such file"),
    ({"space": "nasbench201"}, ConfigError, "draws cells of nasbench101; received --space=nasbench2"),
    ({"num_samples": 0}, ConfigError, "--num_samples=0: expected at least 1"),
])
def test_mistakes_are_one_line(flags, tmp_path, values, error, message):
    with pytest.raises(error) as caught:
        execute(change(flags, **values), tmp_path)
    assert message in str(caught.value) and "\n" not in str(caught.value)
