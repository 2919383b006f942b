"""nas_tf/spaces/nasbench201.py."""

import subprocess
import sys

import numpy as np
import pytest

from nas_tf import graphs
from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench201
from nas_tf.spaces.nasbench201 import (
    AVGPOOL3X3,
    CONV1X1,
    CONV3X3,
    INPUT,
    NONE,
    OUTPUT,
    SKIP,
    Invalid,
    NasBench201Space,
)

# Number 1 of the benchmark.
STRING = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
    "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
)
OPS = [INPUT, CONV3X3, CONV3X3, AVGPOOL3X3, SKIP, CONV3X3, SKIP, OUTPUT]
ADJACENCY = [
    [0, 1, 1, 0, 1, 0, 0, 0],
    [0, 0, 0, 1, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0],
]


@pytest.fixture(name="space")
def _space():
    return NasBench201Space()


@pytest.fixture(scope="module", name="everything")
def _everything():
    return NasBench201Space().enumerate_cells()


@pytest.fixture(name="broken")
def _broken(everything):
    """Two cells, the second with an unknown operation."""
    cells = everything[:2]
    ops = cells.ops.copy()
    ops[1, 3] = OUTPUT
    return CellGraphs(cells.adjacency, ops, cells.num_nodes)


# Enumeration and keys.


def test_the_whole_space(space, everything):
    assert len(everything) == 15_625 and everything.max_nodes == space.max_nodes == 8
    assert len(np.unique(everything.ops, axis=0)) == 15_625
    assert not space.check(everything).any()
    assert (everything.num_nodes == 8).all() and (everything.num_edges == 10).all()
    assert everything.ops[[0, 1, -1], 1:-1].tolist() == [[1] * 6, [1] * 5 + [2], [5] * 6]
    np.testing.assert_array_equal(nasbench201.indices(everything), np.arange(15_625))


def test_the_operations_are_in_the_order_of_arch2vec(space):
    assert space.op_names == (
        "input", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "output"
    )


def test_no_two_cells_are_isomorphic(everything):
    assert len(np.unique(everything.keys)) == 15_625
    np.testing.assert_array_equal(everything.keys, graphs.canonical_keys(everything))


def test_keys_do_not_depend_on_the_order_of_nodes(everything):
    order = [0, 2, 1, 4, 3, 5, 6, 7]  # still upper-triangular
    cells = everything[::100]
    moved = CellGraphs(
        cells.adjacency[:, order][:, :, order], cells.ops[:, order], cells.num_nodes
    )
    np.testing.assert_array_equal(moved.keys, cells.keys)


def test_the_list_of_all_cells_cannot_be_changed(everything):
    with pytest.raises(ValueError, match="read-only"):
        everything.ops[0, 1] = NONE
    part = everything[np.array([3])]
    part.ops[0, 1] = NONE  # a copy
    assert everything.ops[3, 1] == CONV1X1


def test_importing_the_space_does_not_import_tensorflow():
    code = "import sys, nas_tf.spaces.nasbench201; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Sampling and edits.


def test_random_cells_are_uniform_and_repeatable(space):
    cells = space.random_cells(np.random.default_rng(7), (100, 40))
    assert cells.shape == (100, 40) and not space.check(cells).any()
    again = space.random_cells(np.random.default_rng(7), (100, 40))
    np.testing.assert_array_equal(cells.ops, again.ops)
    counts = np.bincount(cells.ops[..., 1:-1].ravel(), minlength=6)[1:]
    assert counts.sum() == 24_000 and abs(counts - 4_800).max() < 300  # five deviations
    assert space.random_cells(np.random.default_rng(7), ()).shape == ()


def test_every_cell_has_24_neighbours_one_operation_away(space, everything):
    cells, origin = space.neighbours(everything)
    np.testing.assert_array_equal(origin, np.repeat(np.arange(15_625), 24))
    assert ((cells.ops != everything.ops[origin]).sum(axis=-1) == 1).all()
    pairs = origin * 15_625 + nasbench201.indices(cells)
    assert len(np.unique(pairs)) == 375_000  # no neighbour twice
    mirrored = nasbench201.indices(cells) * 15_625 + origin
    np.testing.assert_array_equal(np.sort(mirrored), np.sort(pairs))


def test_neighbours_of_no_cells(space, everything):
    cells, origin = space.neighbours(everything[:0])
    assert cells.shape == (0,) and origin.shape == (0,)


def test_mutation_draws_all_neighbours_alike(space, everything):
    cells = everything[np.full((3, 8_000), 1_234)]
    mutated = space.mutate(cells, np.random.default_rng(0))
    assert mutated.shape == (3, 8_000)
    found, count = np.unique(mutated.keys, return_counts=True)
    expected, _ = space.neighbours(everything[1_234:1_235])
    np.testing.assert_array_equal(found, np.sort(expected.keys))
    assert abs(count - 1_000).max() < 160  # five deviations


def test_mutation_is_repeatable(space, everything):
    first, again = (space.mutate(everything, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.ops, again.ops)


@pytest.mark.parametrize("call", ["neighbours", "mutate", "indices", "to_strings", "to_edges"])
def test_cells_outside_the_space_are_refused(space, broken, call):
    functions = {
        "neighbours": space.neighbours,
        "mutate": lambda cells: space.mutate(cells, np.random.default_rng(0)),
    }
    with pytest.raises(InvalidArchitectureError, match="^cell 1 is outside NAS-Bench-201: an int"):
        functions.get(call, getattr(nasbench201, call, None))(broken)


# Strings.


def test_a_string_worked_by_hand():
    cell = nasbench201.from_strings(np.array([STRING]))
    assert cell.ops.tolist() == [OPS] and cell.adjacency.tolist() == [ADJACENCY]
    assert nasbench201.to_strings(cell).tolist() == [STRING]


def test_strings_of_all_cells_and_back(everything):
    strings = nasbench201.to_strings(everything)
    assert len(set(strings.tolist())) == 15_625
    back = nasbench201.from_strings(strings.reshape(125, 125))
    np.testing.assert_array_equal(back.ops.reshape(15_625, 8), everything.ops)
    np.testing.assert_array_equal(back.keys.reshape(15_625), everything.keys)


def test_the_strings_are_those_of_their_parts(everything):
    expected = [
        "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(
            *(nasbench201.OP_NAMES[op] for op in ops[1:-1])
        )
        for ops in everything.ops.tolist()
    ]
    assert nasbench201.to_strings(everything).tolist() == expected


@pytest.mark.parametrize(
    "string",
    ["", "nonsense", STRING[:-1], STRING + "|", STRING.replace("skip_connect~2", "skip_connect~1")],
)
def test_unknown_strings(string):
    _, known = nasbench201.find_strings(np.array([STRING, string]))
    assert known.tolist() == [True, False]
    with pytest.raises(InvalidArchitectureError) as error:
        nasbench201.from_strings(np.array([STRING, string]))
    assert str(error.value).startswith(f"{string!r} is no NAS-Bench-201 cell: ")


def test_white_space_does_not_matter(everything):
    strings = nasbench201.to_strings(everything[:200])
    spaced = [f" {text}\n".replace("+", " + ") for text in strings]
    found, known = nasbench201.find_strings(np.array(spaced))
    assert known.all() and found.tolist() == list(range(200))
    printed = f"Structure(4 nodes with {STRING})"
    assert nasbench201.from_strings(np.array([printed])).ops.tolist() == [OPS]


def test_edges_in_another_order_are_refused_by_that_name():
    other = STRING.replace("|skip_connect~0|nor_conv_3x3~1|", "|nor_conv_3x3~1|skip_connect~0|")
    with pytest.raises(InvalidArchitectureError) as error:
        nasbench201.from_strings(np.array([other]))
    assert str(error.value) == (
        f"{other!r} is no NAS-Bench-201 cell: the edges of node 3 are in another order, 1, 0, 2; "
        f"the benchmark writes this cell as {STRING}"
    )


# Labelled edges.


def test_labelled_edges_worked_by_hand():
    edges = nasbench201.to_edges(nasbench201.from_strings(np.array(STRING)))
    # Of EDGE_OPS: 0 none, 1 skip, 2 1x1, 3 3x3, 4 average pool.
    assert edges.tolist() == [[0, 3, 3, 1], [0, 0, 4, 3], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert nasbench201.to_strings(nasbench201.from_edges(edges)) == STRING


def test_labelled_edges_of_all_cells_and_back(everything):
    edges = nasbench201.to_edges(everything)
    assert edges.shape == (15_625, 4, 4) and not np.tril(edges).any()
    assert len(np.unique(edges, axis=0)) == 15_625
    np.testing.assert_array_equal(nasbench201.from_edges(edges).keys, everything.keys)
    np.testing.assert_array_equal(edges[..., 0, 1] == 0, everything.ops[..., 1] == NONE)


@pytest.mark.parametrize(
    "place, label, message",
    [
        ((0, 1), 5, "edge label 5: expected 0 to 4, none, skip_connect, nor_conv_1x1"),
        ((2, 3), -1, "edge label -1: expected 0 to 4"),
        ((1, 1), 1, "a labelled edge leads to the same or an earlier node"),
        ((3, 0), 1, "a labelled edge leads to the same or an earlier node"),
    ],
)
def test_labelled_edges_outside_the_space(place, label, message):
    edges = np.zeros((2, 4, 4), np.int64)
    edges[1][place] = label
    with pytest.raises(InvalidArchitectureError, match=message):
        nasbench201.from_edges(edges)


@pytest.mark.parametrize("edges", [np.zeros((2, 3, 3), int), np.zeros((4, 4))])
def test_labelled_edges_of_another_form(edges):
    with pytest.raises(InvalidArchitectureError, match=r"expected integers \[..., 4, 4\]"):
        nasbench201.from_edges(edges)


# Unique networks.


def test_the_number_of_unique_networks(everything):
    assert len(np.unique(nasbench201.network_strings(everything))) == 6_466


def test_networks_worked_by_hand():
    cells = nasbench201.from_strings(np.array([
        "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|",
        "|none~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|skip_connect~1|none~2|",
        "|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
        "|skip_connect~0|+|none~0|none~1|+|none~0|nor_conv_1x1~1|none~2|",
    ]))
    texts = nasbench201.network_strings(cells).tolist()
    assert texts[:3] == ["#+#+(0)@nor_conv_3x3"] * 3
    assert texts[3] == "#+#+(0)@nor_conv_1x1"


# Encoding, decoding, validity.


def test_decoding_what_was_encoded_gives_every_cell_back(space, everything):
    adjacency, ops = space.encode(everything)
    assert adjacency.dtype == ops.dtype == np.float32
    assert adjacency.shape == (15_625, 8, 8) and ops.shape == (15_625, 8, 7)
    assert (ops.sum(axis=-1) == 1).all()
    cells, reason = space.decode(adjacency > 0.5, ops.argmax(axis=-1))
    assert not reason.any()
    np.testing.assert_array_equal(cells.keys, everything.keys)


@pytest.mark.parametrize(
    "node, op, edge, reason",
    [
        (None, None, None, Invalid.VALID),
        (None, None, (1, 2), Invalid.WRONG_EDGES),  # one too many
        (None, None, (0, 4), Invalid.WRONG_EDGES),  # one too few
        (None, None, (5, 2), Invalid.WRONG_EDGES),  # backwards
        (1, INPUT, None, Invalid.UNKNOWN_INTERIOR_OPERATION),
        (6, OUTPUT, (1, 2), Invalid.UNKNOWN_INTERIOR_OPERATION),
        (3, 7, None, Invalid.UNKNOWN_INTERIOR_OPERATION),
        (3, -1, None, Invalid.UNKNOWN_INTERIOR_OPERATION),
        (7, CONV1X1, (1, 2), Invalid.NO_OUTPUT_LAST),
        (0, OUTPUT, (1, 2), Invalid.NO_INPUT_FIRST),
    ],
)
def test_reasons(space, node, op, edge, reason):
    ops, adjacency = np.array([OPS]), np.array([ADJACENCY])
    if node is not None:
        ops[0, node] = op
    if edge is not None:
        adjacency[0][edge] ^= 1
    _, codes = space.decode(adjacency, ops)
    assert codes.tolist() == [reason]


@pytest.mark.parametrize(
    "node, op, edge, counted",
    [
        (None, None, (1, 2), True),
        (1, INPUT, None, True),
        (1, OUTPUT, (1, 2), True),
        (2, INPUT, None, False),
        (6, OUTPUT, None, False),
        (7, CONV1X1, None, False),
        (0, CONV1X1, None, False),
    ],
)
def test_the_published_validity_looks_at_operations_but_the_first(space, node, op, edge, counted):
    ops, adjacency = np.array([OPS]), np.array([ADJACENCY])
    if node is not None:
        ops[0, node] = op
    if edge is not None:
        adjacency[0][edge] ^= 1
    assert space.counts_as_valid(adjacency, ops).tolist() == [counted]


def test_the_first_and_the_last_node_count_before_the_others(space):
    _, codes = space.decode(np.zeros((2, 3, 8, 8), bool), np.zeros((2, 3, 8), int))
    assert codes.tolist() == [[Invalid.NO_OUTPUT_LAST] * 3] * 2


def test_fewer_nodes_are_outside_the_space(space, everything):
    cells = everything[:1]
    fewer = CellGraphs(cells.adjacency, cells.ops, np.array([7], np.int8))
    assert space.check(fewer).tolist() == [Invalid.WRONG_EDGES]


def test_every_reason_has_words():
    assert all(reason.text for reason in Invalid) and Invalid(0).text == "valid"
