"""nas_tf/spaces/choices.py, choices_cells.py and choices_encodings.py."""

import json

import numpy as np
import pytest

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.cell_files import read_cells
from nas_tf.spaces.choices import ChoiceSpace
from nas_tf.spaces.choices_cells import Invalid

CHOICES = {"depth": (1, 2, 3), "width": (16, 32, 64, 128), "kernel": ((3, 3), (5, 5))}
ABILITIES = (
    "random_cells", "enumerate_cells", "mutate", "neighbours", "decisions", "graph_form", "encode",
    "decode", "counts_as_valid", "from_value", "to_values",
)


@pytest.fixture(name="space", scope="module")
def _space():
    return ChoiceSpace("mlp", CHOICES)


@pytest.fixture(name="everything", scope="module")
def _everything(space):
    return space.enumerate_cells()


def test_names(space):
    assert (space.name, space.title, space.max_nodes, space.num_cells) == ("mlp", "mlp", 5, 24)
    assert space.op_names == (
        "input", "depth=1", "depth=2", "depth=3", "width=16", "width=32", "width=64", "width=128",
        "kernel=(3, 3)", "kernel=(5, 5)", "output",
    )
    assert ChoiceSpace("mlp", CHOICES, title="Perceptrons").title == "Perceptrons"


def test_a_cell_is_a_chain_of_its_options(space):
    cell = space.from_value({"depth": 2, "width": 128, "kernel": [3, 3]})
    assert cell.shape == () and cell.num_nodes == 5
    assert cell.ops.tolist() == [0, 2, 7, 8, 10]
    assert np.argwhere(cell.adjacency).tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert space.options(cell.reshape(1)) == [{"depth": 2, "width": 128, "kernel": (3, 3)}]


def test_keys_tell_all_cells_apart(space, everything):
    assert len(everything) == len(np.unique(everything.keys)) == 24
    assert not space.check(everything).any()
    assert space.options(everything[:3]) == [
        {"depth": 1, "width": 16, "kernel": (3, 3)},
        {"depth": 1, "width": 16, "kernel": (5, 5)},
        {"depth": 1, "width": 32, "kernel": (3, 3)},
    ]


def test_equal_options_of_two_choices_are_two_operations():
    space = ChoiceSpace("two", {"first": (1, 2), "second": (1, 2)})
    assert len(np.unique(space.enumerate_cells().keys)) == 4


def test_all_abilities(space):
    assert [ability for ability in ABILITIES if not space.has(ability)] == []


def test_a_large_space_is_not_listed():
    many = ChoiceSpace("large", {f"choice {index}": range(10) for index in range(5)})
    more = ChoiceSpace("larger", {f"choice {index}": range(10) for index in range(6)})
    assert many.has("enumerate_cells") and many.num_cells == 100_000
    assert not more.has("enumerate_cells") and more.has("random_cells")
    with pytest.raises(ConfigError, match="space larger: its 1,000,000 cells are too many to list"):
        more.enumerate_cells()
    assert len(np.unique(many.enumerate_cells().keys)) == 100_000


def test_random_cells_are_uniform(space, everything):
    cells = space.random_cells(np.random.default_rng(0), (40, 600))
    assert cells.shape == (40, 600)
    keys, count = np.unique(cells.keys, return_counts=True)
    np.testing.assert_array_equal(keys, np.sort(everything.keys))
    assert abs(count - 1000).max() < 130  # four standard deviations are 124


def test_neighbours_differ_in_one_option(space, everything):
    cells, origin = space.neighbours(everything)
    assert origin.tolist() == np.repeat(np.arange(24), 2 + 3 + 1).tolist()
    assert not space.check(cells).any()
    differ = (cells.ops != everything.ops[origin]).sum(axis=1)
    assert (differ == 1).all()
    pairs = set(zip(everything.keys[origin].tolist(), cells.keys.tolist()))
    assert len(pairs) == len(cells) and {(b, a) for a, b in pairs} == pairs


def test_mutations_reach_every_neighbour_equally_often(space, everything):
    rng = np.random.default_rng(0)
    mutants = space.mutate(everything[np.full((60, 100), 7)], rng)
    assert mutants.shape == (60, 100)
    keys, count = np.unique(mutants.keys, return_counts=True)
    np.testing.assert_array_equal(keys, np.sort(space.neighbours(everything[[7]])[0].keys))
    assert abs(count - 1000).max() < 120  # four standard deviations are 115


def test_decisions(space, everything):
    decisions = space.decisions(everything[:2])
    assert decisions.num_choices == (3, 4, 2)
    codes = decisions.encode(everything)
    assert codes.dtype == np.int8 and codes[:3].tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 0]]
    decoded, valid = decisions.decode(codes.reshape(4, 6, 3))
    assert valid.shape == (4, 6) and valid.all()
    np.testing.assert_array_equal(decoded.keys.ravel(), everything.keys)


def test_graph_form(space, everything):
    form = space.graph_form(everything[:2])
    description = form.description
    assert (description.num_nodes, description.num_node_labels) == (4, 4)
    assert description.labelled_nodes == (1, 2, 3) and description.num_decisions == 3
    edges, labels = form.graphs(everything.reshape(4, 6))
    assert edges.shape == (4, 6, 4, 4) and edges.dtype == labels.dtype == np.int8
    assert (edges == np.tri(4, k=-1)).all() and labels[0, 2].tolist() == [0, 0, 1, 0]
    cells, valid = form.cells(edges, labels)
    assert valid.all()
    np.testing.assert_array_equal(cells.keys.ravel(), everything.keys)


def test_labels_beyond_the_options_are_no_cell(space):
    labels = np.array([[0, 2, 3, 1], [0, 3, 0, 0], [0, 0, 0, 2]], np.int8)
    cells, valid = space.graph_form().cells(np.zeros((3, 4, 4), np.int8), labels)
    assert valid.tolist() == [True, False, False] and not space.check(cells).any()


def test_encoding_and_decoding(space, everything):
    adjacency, ops = space.encode(everything)
    assert adjacency.shape == (24, 5, 5) and ops.shape == (24, 5, 11)
    assert adjacency.dtype == ops.dtype == np.float32
    cells, reason = space.decode(adjacency > 0.5, ops.argmax(axis=-1))
    assert not reason.any() and space.counts_as_valid(adjacency, ops.argmax(axis=-1)).all()
    np.testing.assert_array_equal(cells.keys, everything.keys)


def test_what_is_no_cell(space, everything):
    broken, swapped, early = (np.array(everything.ops[:1]) for _ in range(3))
    swapped[0, 1:3] = 4, 1  # an option of the other choice
    early[0, 1] = 10
    chain = np.array(everything.adjacency[:1])
    skip = chain.copy()
    skip[0, 0, 2] = 1
    assert space.decode(skip, broken)[1].tolist() == [Invalid.WRONG_EDGES]
    for ops in (swapped, early):
        assert space.decode(chain, ops)[1].tolist() == [Invalid.WRONG_OPERATION]
        assert not space.counts_as_valid(chain, ops)[0]
    cells = CellGraphs.concatenate([everything[:1], space.decode(skip, broken)[0]])
    with pytest.raises(InvalidArchitectureError, match="cell 1 is outside .*: it is no chain"):
        space.options(cells)


def test_values_come_back_from_a_file(space, everything, tmp_path):
    path = tmp_path / "cells.json"
    path.write_text(json.dumps({"cells": space.to_values(everything)}), encoding="utf-8")
    np.testing.assert_array_equal(read_cells(path, space).keys, everything.keys)
    path.write_text('{"kernel": [5, 5], "width": 16, "depth": 1, "note": ""}', encoding="utf-8")
    assert read_cells(path, space).keys == everything.keys[[1]]


@pytest.mark.parametrize(
    "value, message",
    [
        ("depth=2", "'depth=2': expected options by their choices"),
        ({"depth": 4, "width": 16, "kernel": [3, 3]}, "depth: 4, expected one of 1, 2, 3"),
        ({"depth": 1, "width": 16}, r"kernel: missing, expected one of \[3, 3\], \[5, 5\]"),
    ],
)
def test_values_that_are_no_cell(space, value, message):
    with pytest.raises(InvalidArchitectureError, match=f"^{message}$"):
        space.from_value(value)


@pytest.mark.parametrize(
    "choices, message",
    [
        ({}, "choices: 0 of 0 options together; expected at least 1"),
        ({"depth": (1,)}, r"choices\['depth'\]=\(1,\): expected two or more different"),
        ({"depth": (1, 2, 1)}, r"choices\['depth'\]=\(1, 2, 1\): expected two or more different"),
        ({"depth": range(126)}, "choices: 1 of 126 options together; expected .* 125 options"),
        ({"depth": (1, "1")}, "choices: two options are written depth=1; rename one"),
    ],
)
def test_choices_that_make_no_space(choices, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        ChoiceSpace("mlp", choices)
