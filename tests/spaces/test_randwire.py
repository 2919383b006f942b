"""nas_tf/spaces/randwire.py, randwire_cells.py, randwire_generators.py, randwire_encodings.py."""

import itertools

import networkx
import numpy as np
import pytest

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs, graph_keys
from nas_tf.spaces import randwire_generators
from nas_tf.spaces.randwire import RandWireSpace, from_adjacency
from nas_tf.spaces.randwire_cells import Invalid, wiring_keys

SPACE = RandWireSpace()


def _graph(*edges):
    matrix = np.zeros((32, 32), np.uint8)
    for source, target in edges:
        matrix[source, target] = 1
    return matrix


@pytest.mark.parametrize("size, count", [(2, 2), (3, 6), (4, 31), (5, 302), (6, 5984)])
def test_keys_count_the_acyclic_graphs(size, count):
    """Of unlabelled nodes: the On-Line Encyclopedia of Integer Sequences, A003087."""
    pairs = np.triu_indices(size, 1)
    bits = np.array(list(itertools.product((0, 1), repeat=len(pairs[0]))), np.uint8)
    matrices = np.zeros((len(bits), size, size), np.uint8)
    matrices[:, pairs[0], pairs[1]] = bits
    assert len(np.unique(wiring_keys(matrices))) == count


def test_keys_see_triangles():
    """Two graphs of seven nodes whose degrees and paths say the same of every node."""
    shared = [(0, 2), (0, 6), (1, 2), (1, 5), (2, 3), (2, 4), (3, 6), (4, 5)]
    pair = from_adjacency(np.stack([
        _graph(*shared, (0, 4), (1, 3)), _graph(*shared, (0, 3), (1, 4))
    ]))
    assert pair.keys[0] != pair.keys[1]


@pytest.mark.parametrize("generator", list(randwire_generators.GENERATORS))
def test_keys_do_not_depend_on_the_numbering(generator):
    rng = np.random.default_rng(0)
    cells = RandWireSpace(generator).random_cells(rng, (5,))
    assert len(np.unique(cells.keys)) == 5
    for matrix, key in zip(cells.adjacency, cells.keys):
        graph = networkx.from_numpy_array(matrix, create_using=networkx.DiGraph)
        first = rng.permutation(32)
        order = list(networkx.lexicographical_topological_sort(graph, key=first.__getitem__))
        assert order != sorted(order)
        moved = from_adjacency(matrix[np.ix_(order, order)])
        assert not SPACE.check(moved) and moved.keys == key and moved.keys.shape == ()


def test_keys_are_those_of_the_batch_and_of_padding():
    cells = SPACE.random_cells(np.random.default_rng(1), (2, 3))
    assert cells[1, 2].keys == cells.keys[1, 2]
    adjacency = np.pad(cells.adjacency, [(0, 0)] * 2 + [(0, 2)] * 2)
    ops = np.pad(cells.ops, [(0, 0)] * 2 + [(0, 2)], constant_values=-1)
    padded = CellGraphs(adjacency, ops, cells.num_nodes, cells.identity)
    np.testing.assert_array_equal(padded.keys, cells.keys)
    assert len(np.unique(np.concatenate([cells.keys.ravel(), graph_keys(cells).ravel()]))) == 12


def test_erdos_renyi():
    cells = SPACE.random_cells(np.random.default_rng(0), (40, 50))
    assert cells.shape == (40, 50) and not SPACE.check(cells).any()
    assert (cells.num_edges / 496).mean() == pytest.approx(0.2, abs=0.002)
    share = cells.adjacency.mean(axis=(0, 1))[np.triu_indices(32, 1)]
    assert abs(share - 0.2).max() < 0.04  # of 2,000 draws; four standard deviations are 0.036


def test_watts_strogatz():
    cells = RandWireSpace("watts_strogatz").random_cells(np.random.default_rng(0), (200,))
    assert set(cells.num_edges.tolist()) == {64} and not SPACE.check(cells).any()
    near = np.triu(np.ones((32, 32), int), 1) - np.triu(np.ones((32, 32), int), 3)
    # Of the ring's 64 edges 61 are one or two numbers apart. A quarter stays; at most 61 of 496 of
    # the 48 others arrive at such a place again, fewer because most of these are taken.
    assert 61 / 4 < (cells.adjacency * near).sum() / 200 < 61 / 4 + 48 * 61 / 496


def test_barabasi_albert():
    cells = RandWireSpace("barabasi_albert").random_cells(np.random.default_rng(0), (200,))
    assert set(cells.num_edges.tolist()) == {5 * (32 - 5)} and not SPACE.check(cells).any()
    entered = cells.adjacency.sum(axis=1)
    assert (entered[:, :5] == 0).all() and (entered[:, 5:] == 5).all()
    assert (cells.adjacency[:, :5, 5] == 1).all()
    degree = (entered + cells.adjacency.sum(axis=2)).mean(axis=0)
    assert degree[5] > 2.5 * degree[31]  # the rich get richer


def test_an_unknown_generator():
    with pytest.raises(ConfigError, match="^generator=luck: expected one of erdos_renyi, watts_s"):
        RandWireSpace("luck")
    assert repr(RandWireSpace()) == "RandWireSpace(generator='erdos_renyi')"


def test_neighbours_worked_by_hand():
    graphs = from_adjacency(np.stack([_graph(), _graph((3, 7))]))
    cells, origin = SPACE.neighbours(graphs)
    assert origin.tolist() == [0] + [1] * 5
    assert not SPACE.check(cells).any()
    wanted = from_adjacency(np.stack([
        _graph((0, 1)),
        _graph(), _graph((0, 1), (2, 3)), _graph((0, 1), (0, 2)), _graph((0, 2), (1, 2)),
        _graph((0, 1), (1, 2)),
    ]))
    assert cells.keys[0] == wanted.keys[0]
    assert set(cells.keys[1:].tolist()) == set(wanted.keys[1:].tolist())


def test_neighbours_of_the_full_graph_lack_an_edge():
    cells, _ = SPACE.neighbours(from_adjacency(np.triu(np.ones((1, 32, 32), np.uint8), 1)))
    assert len(cells) == 496 and (cells.num_edges == 495).all()


def test_being_neighbours_is_symmetric():
    (cell,) = [SPACE.random_cells(np.random.default_rng(2), (1,))]
    cells, origin = SPACE.neighbours(cell)
    assert not origin.any() and len(np.unique(cells.keys)) == len(cells) > 496
    assert not SPACE.check(cells).any()
    assert set((cells.num_edges - cell.num_edges).tolist()) == {-1, 1}
    np.testing.assert_array_equal(cells.keys, from_adjacency(cells.adjacency).keys)
    for back in (3, 400, len(cells) - 1):
        assert cell.keys[0] in SPACE.neighbours(cells[[back]])[0].keys


def test_mutations_are_neighbours():
    cells = SPACE.random_cells(np.random.default_rng(3), (1,))[np.zeros((4, 50), int)]
    mutants = SPACE.mutate(cells, np.random.default_rng(0))
    assert mutants.shape == (4, 50) and not SPACE.check(mutants).any()
    around = SPACE.neighbours(cells[0, :1])[0].keys
    assert np.isin(mutants.keys, around).all() and len(np.unique(mutants.keys)) > 150
    before = cells.num_edges[0, 0]
    # Erdos-Renyi with p = 0.2: some 99 of about 700 edits take an edge away.
    assert 0.05 < (mutants.num_edges < before).mean() < 0.25


def test_decisions_are_edges():
    decisions = SPACE.decisions()
    assert decisions.num_choices == (2,) * 496
    codes = decisions.encode(from_adjacency(_graph((0, 1), (0, 31), (1, 2), (30, 31))))
    assert np.flatnonzero(codes).tolist() == [0, 30, 31, 495]


def test_what_is_no_graph_of_the_space():
    cells = SPACE.random_cells(np.random.default_rng(0), (1,))
    backwards = np.array(cells.adjacency)
    backwards[0, 5, 2] = 1
    ops = np.array(cells.ops)
    assert SPACE.decode(backwards, ops)[1].tolist() == [Invalid.NOT_UPPER_TRIANGULAR]
    ops[0, 3] = 1
    assert SPACE.decode(cells.adjacency, ops)[1].tolist() == [Invalid.UNKNOWN_OPERATION]
    assert not SPACE.counts_as_valid(cells.adjacency, ops).any()
    shorter = CellGraphs(cells.adjacency, cells.ops, np.array([31], np.int8))
    assert SPACE.check(shorter).tolist() == [Invalid.WRONG_SIZE]
    for ask in (SPACE.neighbours, SPACE.architectures, SPACE.decisions().encode):
        with pytest.raises(InvalidArchitectureError, match="^cell 0 is outside RandWire: it has not"):
            ask(shorter)
