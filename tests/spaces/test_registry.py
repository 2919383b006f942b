"""nas_tf/spaces/registry.py."""

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.spaces import registry
from nas_tf.spaces.choices import ChoiceSpace
from nas_tf.spaces.darts import DartsSpace


def test_spaces_by_name():
    assert registry.NAMES == (
        "nasbench101", "nasbench201", "darts", "randwire", "enas", "macro"
    )
    for space in registry.SPACES:
        assert type(registry.named(space.name)) is space
    assert isinstance(registry.named("darts"), DartsSpace)
    with pytest.raises(ConfigError, match="space=luck: expected one of nasbench101, nasbench201"):
        registry.named("luck")


@pytest.mark.parametrize("name", [space.name for space in registry.SPACES])
def test_values_of_every_space_come_back(name):
    space = registry.named(name)
    cells = space.random_cells(np.random.default_rng(3), (20,))
    again = [space.from_value(value, numbering="naslib") for value in space.to_values(cells)]
    assert [int(cell.keys) for cell in again] == cells.keys.tolist()


@pytest.mark.parametrize("name", registry.NAMES)
def test_decisions_of_every_space_come_back(name):
    space = registry.named(name)
    cells = space.random_cells(np.random.default_rng(4), (5, 10))
    decisions = space.decisions(cells=cells.reshape(-1))
    codes = decisions.encode(cells)
    assert codes.shape == (5, 10, len(decisions.num_choices)) and codes.dtype == np.int8
    assert (codes >= 0).all() and (codes < decisions.num_choices).all()
    found, valid = decisions.decode(codes)
    assert valid.all()
    np.testing.assert_array_equal(found.keys, cells.keys)


@pytest.mark.parametrize("name", [name for name in registry.NAMES if name != "darts"])
def test_graphs_of_every_space_come_back(name):
    space = registry.named(name)
    cells = space.random_cells(np.random.default_rng(4), (5, 10))
    form = space.graph_form(cells=cells.reshape(-1))
    edges, labels = form.graphs(cells)
    size = form.description.num_nodes
    assert edges.shape == (5, 10, size, size) and edges.dtype == labels.dtype == np.int8
    assert not np.triu(edges).any()
    found, valid = form.cells(edges, labels)
    assert valid.all()
    np.testing.assert_array_equal(found.keys, cells.keys)


@pytest.mark.parametrize("name", registry.NAMES)
def test_encoded_cells_of_every_space_come_back(name):
    space = registry.named(name)
    cells = space.random_cells(np.random.default_rng(6), (20,))
    adjacency, one_hot = space.encode(cells)
    assert one_hot.shape == (20, space.max_nodes, len(space.op_names))
    found, reason = space.decode(adjacency, one_hot.argmax(axis=-1))
    assert not reason.any()
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
