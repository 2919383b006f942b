"""nas_tf/spaces/registry.py."""

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.spaces import registry
from nas_tf.spaces.choices import ChoiceSpace
from nas_tf.spaces.darts import DartsSpace


def test_spaces_by_name():
    assert [space.name for space in registry.SPACES] == ["nasbench101", "nasbench201", "darts"]
    for space in registry.SPACES:
        assert type(registry.named(space.name)) is space
    assert isinstance(registry.named("darts"), DartsSpace)
    with pytest.raises(ConfigError, match="space=enas: expected one of nasbench101, nasbench201"):
        registry.named("enas")


@pytest.mark.parametrize("name", [space.name for space in registry.SPACES])
def test_values_of_every_space_come_back(name):
    space = registry.named(name)
    cells = space.random_cells(np.random.default_rng(3), (20,))
    again = [space.from_value(value, numbering="naslib") for value in space.to_values(cells)]
    assert [int(cell.keys) for cell in again] == cells.keys.tolist()


@pytest.mark.parametrize("name", ["nasbench101", "nasbench201"])
def test_decisions_and_graphs_of_every_space_come_back(name):
    space = registry.named(name)
    cells = space.random_cells(np.random.default_rng(4), (50,))
    decisions, form = space.decisions(cells=cells), space.graph_form(cells=cells)
    for found, valid in (
        decisions.decode(decisions.encode(cells)), form.cells(*form.graphs(cells))
    ):
        assert valid.all()
        np.testing.assert_array_equal(found.keys, cells.keys)


@pytest.mark.parametrize("name", [space.name for space in registry.SPACES])
def test_every_space_checks_its_cells(name):
    space = registry.named(name)
    cells = space.random_cells(np.random.default_rng(5), (2, 10))
    assert space.has("check") and space.check(cells).tolist() == np.zeros((2, 10)).tolist()


def test_spaces_are_short_to_look_at():
    assert repr(registry.named("nasbench101")) == "NasBench101Space(max_vertices=7, max_edges=9)"
    assert repr(registry.named("nasbench201")) == "NasBench201Space()"
    assert repr(DartsSpace(50)) == "DartsSpace(num_cells=50, seed=0)"
    assert repr(ChoiceSpace("mlp", {"depth": [1, 2]})) == "ChoiceSpace('mlp', {'depth': (1, 2)})"
