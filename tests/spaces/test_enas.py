"""nas_tf/spaces/enas.py, enas_cells.py and enas_encodings.py."""

import numpy as np
import pytest

from nas_tf.core import InvalidArchitectureError
from nas_tf.spaces.enas import EnasSpace, from_layers, to_layers
from nas_tf.spaces.enas_cells import Invalid

SPACE = EnasSpace()
# Layer 1 has the stem's bit set, layer 3 those of layers 0 and 1.
LAYERS = "0; 3 1; 2 0 0; 5 0 1 1" + "".join("; 1" + " 0" * layer for layer in range(4, 12))


def test_a_network_worked_by_hand():
    cell = SPACE.from_value(LAYERS)
    assert cell.shape == () and cell.num_nodes == 14
    assert cell.ops.tolist() == [0, 1, 4, 3, 6] + [2] * 8 + [7]
    edges = {tuple(edge) for edge in np.argwhere(cell.adjacency).tolist()}
    chain = {(node, node + 1) for node in range(13)}
    assert edges - chain == {(0, 2), (1, 4), (2, 4)} and chain < edges
    (value,) = SPACE.to_values(cell.reshape(1))
    assert value["ops"][:4] == ["conv_3x3", "sep_conv_5x5", "conv_5x5", "max_pool_3x3"]
    assert value["skips"][:5] == [[], [1], [0, 0], [0, 1, 1], [0, 0, 0, 0]]


def test_random_networks_are_uniform():
    cells = SPACE.random_cells(np.random.default_rng(0), (50, 100))
    ops, skips = to_layers(cells)
    assert ops.shape == (50, 100, 12) and skips.shape == (50, 100, 66)
    share = (ops[..., None] == np.arange(6)).mean(axis=(0, 1))
    assert abs(share - 1 / 6).max() < 0.022 and abs(skips.mean(axis=(0, 1)) - 0.5).max() < 0.03
    assert not SPACE.check(cells).any() and len(np.unique(cells.keys)) == 5000


def test_every_bit_and_operation_changes_the_key():
    cells, origin = SPACE.neighbours(SPACE.random_cells(np.random.default_rng(1), (3,)))
    assert origin.tolist() == np.repeat([0, 1, 2], 126).tolist()
    assert len(np.unique(cells.keys)) == 3 * 126
    first, second = SPACE.random_cells(np.random.default_rng(1), (3,)), cells.reshape(3, 126)
    ops, skips = (
        (one[:, None] != two).sum(axis=-1) for one, two in zip(to_layers(first), to_layers(second))
    )
    assert (ops + skips == 1).all() and (ops[0].sum(), skips[0].sum()) == (60, 66)


def test_two_networks_of_equal_parts_differ():
    """Layers are ordered: operations swapped, or a skip moved, is another network."""
    ops = np.zeros((4, 12), np.int8)
    ops[0, 3] = ops[1, 4] = 1
    skips = np.zeros((4, 66), np.int8)
    skips[2, 0] = skips[3, 65] = 1
    assert len(np.unique(from_layers(ops, skips).keys)) == 4


def test_decisions_are_operations_then_bits():
    decisions = SPACE.decisions()
    assert decisions.num_choices == (6,) * 12 + (2,) * 66
    codes = decisions.encode(SPACE.from_value(LAYERS))
    assert codes[:12].tolist() == [0, 3, 2, 5] + [1] * 8
    assert np.flatnonzero(codes[12:]).tolist() == [0, 4, 5]


def test_graphs_have_a_stem_without_label():
    form = SPACE.graph_form()
    edges, labels = form.graphs(SPACE.from_value(LAYERS))
    assert edges.shape == (13, 13) and labels.tolist() == [0, 0, 3, 2, 5] + [1] * 8
    assert edges[2, 0] == edges[4, 1] == edges[4, 2] == 1 and edges.sum() == 12 + 3
    assert (form.description.free_edges.sum(), len(form.description.labelled_nodes)) == (66, 12)


def test_mutations_are_neighbours():
    cells = SPACE.random_cells(np.random.default_rng(2), (1,))
    mutants = SPACE.mutate(cells[np.zeros((2, 30), int)], np.random.default_rng(0))
    assert mutants.shape == (2, 30) and np.isin(mutants.keys, SPACE.neighbours(cells)[0].keys).all()


def test_what_is_no_network():
    cell = SPACE.from_value(LAYERS).reshape(1)
    for edge in ((5, 6), (0, 13), (4, 2)):
        adjacency = np.array(cell.adjacency)
        adjacency[0, edge[0], edge[1]] ^= 1
        found, reason = SPACE.decode(adjacency, cell.ops)
        assert reason.tolist() == [Invalid.WRONG_EDGES]
        with pytest.raises(InvalidArchitectureError, match="^cell 0 is outside .*: it is no chain"):
            SPACE.architectures(found)
    for node, op, code in (
        (3, 7, Invalid.UNKNOWN_OPERATION), (3, 0, Invalid.UNKNOWN_OPERATION),
        (0, 1, Invalid.WRONG_ENDS), (13, 1, Invalid.WRONG_ENDS),
    ):
        ops = np.array(cell.ops)
        ops[0, node] = op
        assert SPACE.decode(cell.adjacency, ops)[1].tolist() == [code]
        assert not SPACE.counts_as_valid(cell.adjacency, ops).any()
