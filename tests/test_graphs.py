"""nas_tf/graphs.py."""

import dataclasses
import itertools

import numpy as np
import pytest

from nas_tf import graphs
from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.spaces import darts
from nas_tf.spaces.nasbench101 import NasBench101Space

CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
DIAMOND = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
SPACE = NasBench101Space()


def _cells(*pairs, max_nodes=7):
    matrices, ops = zip(*pairs)
    return CellGraphs.from_matrices(matrices, ops, max_nodes)


def _random_cells(count, seed=0):
    return SPACE.random_cells(np.random.default_rng(seed), (count,))


def test_batches_are_padded():
    cells = _cells((CHAIN, [0, 2, 4]), (DIAMOND, [0, 1, 3, 4]), max_nodes=5)
    assert cells.shape == (2,) and len(cells) == 2 and cells.max_nodes == 5
    assert cells.ops.tolist() == [[0, 2, 4, PADDING_OP, PADDING_OP], [0, 1, 3, 4, PADDING_OP]]
    assert cells.num_nodes.tolist() == [3, 4]
    assert cells.num_edges.tolist() == [2, 4]
    assert (cells.adjacency.dtype, cells.ops.dtype, cells.num_nodes.dtype) == (
        np.uint8, np.int8, np.int8,
    )
    matrix, ops = cells.matrix(0)
    assert matrix.tolist() == CHAIN and ops.tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    "matrix, ops, message",
    [
        (CHAIN, [0, 4], r"cell 1: matrix of shape \(3, 3\) with 2 operations"),
        ([[0, 1, 0], [0, 0, 1]], [0, 2, 4], r"cell 1: matrix of shape \(2, 3\)"),
        (DIAMOND, [0, 1, 2, 4], "at most 3 rows"),
    ],
)
def test_matrices_that_do_not_fit(matrix, ops, message):
    with pytest.raises(ValueError, match=message):
        _cells((CHAIN, [0, 2, 4]), (matrix, ops), max_nodes=3)


def test_indexing_and_reshaping_select_cells_and_their_keys():
    cells = _random_cells(24)
    fresh = graphs.canonical_keys(cells)
    assert cells.keys.dtype == np.uint64 and cells.keys is cells.keys
    np.testing.assert_array_equal(cells.keys, fresh)
    block = cells.reshape(2, 3, 4)
    assert block.shape == (2, 3, 4) and block.adjacency.shape == (2, 3, 4, 7, 7)
    assert block.known_keys is not None  # carried along, not computed again
    np.testing.assert_array_equal(block.keys, fresh.reshape(2, 3, 4))
    for index in (1, slice(0, 1), (slice(None), 2), (1, 2, 3), ([0, 1], [2, 0])):
        part = block[index]
        assert part.shape == np.empty((2, 3, 4))[index].shape
        np.testing.assert_array_equal(part.keys, fresh.reshape(2, 3, 4)[index])
        np.testing.assert_array_equal(graphs.canonical_keys(part), part.keys)
    assert block[1, 2].reshape(2, 2).shape == (2, 2)
    assert block[1, 2, 3].reshape(-1).shape == (1,)
    np.testing.assert_array_equal(block.matrix(1, 2, 3)[0], cells.matrix(23)[0])


def test_concatenation_keeps_every_key():
    first, second = _random_cells(5, seed=1), _random_cells(7, seed=2)
    joined = CellGraphs.concatenate([first, second])
    assert len(joined) == 12 and joined.known_keys is None
    np.testing.assert_array_equal(joined.keys, np.append(first.keys, second.keys))
    given = first.with_keys(np.arange(5, dtype=np.uint64))
    assert given[3:].keys.tolist() == [3, 4]
    assert first.keys.tolist() != given.keys.tolist()
    expected = [0, 1, 2, 3, 4, *second.keys.tolist()]
    assert CellGraphs.concatenate([given, second]).keys.tolist() == expected


def test_cells_that_are_identified_differently_are_not_joined():
    """Of these two DARTS cells the bare graphs are isomorphic: a+b beside c+d, a+d beside c+b."""
    ops = np.array([[[3, 4], [5, 6], [7, 8], [9, 3]], [[3, 6], [5, 4], [7, 8], [9, 3]]])
    cells = darts.from_edges(np.broadcast_to([0, 1], ops.shape), ops)
    bare = CellGraphs(cells.adjacency, cells.ops, cells.num_nodes)
    assert len(set(bare.keys.tolist())) == 1 and len(set(cells.keys.tolist())) == 2
    with pytest.raises(ValueError, match="identified by canonical_keys and identity cannot be"):
        CellGraphs.concatenate([cells, bare])
    unknown = dataclasses.replace(bare, identity=darts.identity)
    assert unknown.known_keys is None
    joined = CellGraphs.concatenate([cells, unknown])
    assert joined.keys.tolist() == [*cells.keys.tolist(), *cells.keys.tolist()]
    assert joined[2:].reshape(2, 1).keys.tolist() == cells.keys[:, None].tolist()


def test_upper_triangular():
    matrices = np.zeros((3, 3, 3), np.uint8)
    matrices[0, 0, 2] = matrices[1, 1, 1] = matrices[2, 2, 0] = 1
    assert graphs.is_upper_triangular(matrices).tolist() == [True, False, False]


# Keys.


def _renumbered(cells, rng):
    """Cells whose interior nodes are renumbered at random; edges may lead backwards."""
    order = np.tile(np.arange(7), (len(cells), 1))
    for row, size in zip(order, cells.num_nodes):
        row[1 : size - 1] = rng.permutation(row[1 : size - 1])
    rows = np.arange(len(cells))[:, None]
    adjacency = cells.adjacency[rows[..., None], order[:, :, None], order[:, None, :]]
    return CellGraphs(adjacency, cells.ops[rows, order], cells.num_nodes)


def test_keys_do_not_depend_on_the_numbering_of_nodes():
    rng = np.random.default_rng(0)
    everything = SPACE.enumerate_cells()
    sample = everything[rng.choice(len(everything), 20_000, replace=False)]
    for cells in (_random_cells(5_000), sample):
        renumbered = 0
        for _ in range(3):
            other = _renumbered(cells, rng)
            valid = graphs.is_upper_triangular(other.adjacency)
            np.testing.assert_array_equal(other[valid].keys, cells.keys[valid])
            renumbered += np.count_nonzero((other.ops != cells.ops).any(axis=-1) & valid)
        assert renumbered > 500


def _padded(cells, size):
    """The same cells with more padding."""
    more = size - cells.max_nodes
    adjacency = np.pad(cells.adjacency, ((0, 0), (0, more), (0, more)))
    ops = np.pad(cells.ops, ((0, 0), (0, more)), constant_values=-1)
    return CellGraphs(adjacency, ops, cells.num_nodes)


def _with_dead_node(cells, leads, rng):
    """The same cells with a node before the output that reads the input, or feeds the output."""
    count, rows = len(cells), np.arange(len(cells))
    cells = _padded(cells, cells.max_nodes + 1)
    output = cells.num_nodes.astype(int) - 1
    adjacency, ops = cells.adjacency.copy(), cells.ops.copy()
    adjacency[rows, :, output + 1] = adjacency[rows, :, output]
    adjacency[rows, :, output] = 0
    ops[rows, output + 1], ops[rows, output] = 4, rng.integers(1, 4, count)
    if leads:
        adjacency[rows, output, output + 1] = 1
    else:
        adjacency[rows, 0, output] = 1
    return CellGraphs(adjacency, ops, cells.num_nodes + np.int8(1))


@pytest.mark.parametrize("width", [3, 4, 5, 7, 8])
def test_a_cell_has_one_key_whatever_its_padding(width):
    cells = CellGraphs.from_matrices([CHAIN], [[0, 2, 4]], width)
    assert cells.keys.tolist() == [2094170063310726461]
    shortcut = CellGraphs.from_matrices([[[0, 1, 1], [0, 0, 1], [0, 0, 0]]], [[0, 2, 4]], width)
    assert shortcut.keys.tolist() == [10231925112819931824]


def test_keys_of_the_whole_space_depend_on_nothing_but_what_cells_compute():
    """Padding, dead nodes that lead nowhere or come from nowhere, and the batch play no part."""
    cells = SPACE.enumerate_cells()
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(_padded(cells, 9).keys, cells.keys)
    for leads in (False, True):
        dead = _with_dead_node(cells, leads, rng)
        np.testing.assert_array_equal(dead.keys, cells.keys)
        assert not (graphs.graph_keys(dead) == cells.keys).any()
    for index in rng.integers(len(cells), size=200):
        assert graphs.canonical_keys(cells[[index]])[0] == cells.keys[index]


def test_random_graphs_are_cells_of_the_embedded_table():
    """Every graph of 5 vertices within the rules means one of the 2,532 cells of its space."""
    rng = np.random.default_rng(5)
    adjacency = np.triu(rng.integers(0, 2, (4000, 5, 5)), 1).astype(np.uint8)
    ops = np.full((4000, 5), 4, np.int8)
    ops[:, 0], ops[:, 1:4] = 0, rng.integers(1, 4, (4000, 3))
    cells = CellGraphs(adjacency, ops, np.full(4000, 5, np.int8))
    pruned, connected = graphs.prune(cells)
    cells = cells[connected & (pruned.num_edges <= 9)]
    known = NasBench101Space(max_vertices=5).enumerate_cells().keys
    assert len(cells) > 2500 and np.isin(cells.keys, known).all()
    assert np.isin(graphs.graph_keys(cells), known).sum() < len(cells) / 2


def test_keys_of_the_whole_space_are_all_different():
    cells = SPACE.enumerate_cells()
    keys = graphs.canonical_keys(cells)
    assert len(np.unique(keys)) == 423_624
    np.testing.assert_array_equal(keys, cells.keys)  # those of the cache


def _isomorphic(first, second):
    """Tries every renumbering of the interior."""
    (one, one_ops), (other, other_ops) = first, second
    size = len(one_ops)
    if size != len(other_ops):
        return False
    for interior in itertools.permutations(range(1, size - 1)):
        order = [0, *interior, size - 1]
        if (one[np.ix_(order, order)] == other).all() and (one_ops[order] == other_ops).all():
            return True
    return False


def test_keys_are_equal_exactly_when_a_renumbering_exists():
    cells = NasBench101Space(max_vertices=4).random_cells(np.random.default_rng(3), (120,))
    for i, j in itertools.combinations(range(len(cells)), 2):
        assert (cells.keys[i] == cells.keys[j]) == _isomorphic(cells.matrix(i), cells.matrix(j))


def test_keys_tell_operations_directions_and_padding_apart():
    skip = np.array(DIAMOND)
    skip[0, 3] = 1
    cells = _cells(
        (CHAIN, [0, 1, 4]),
        (CHAIN, [0, 2, 4]),
        ([[0, 1], [0, 0]], [0, 4]),
        (DIAMOND, [0, 1, 2, 4]),
        (DIAMOND, [0, 2, 2, 4]),
        (skip, [0, 2, 2, 4]),
        (np.diag([1, 1, 1], 1), [0, 1, 2, 4]),
        (np.diag([1, 1, 1], 1), [0, 2, 1, 4]),
    )
    assert len(np.unique(cells.keys)) == len(cells)
    swapped = _cells((DIAMOND, [0, 2, 1, 4]))
    assert swapped.keys[0] == cells.keys[3]
    wider = _cells((DIAMOND, [0, 2, 1, 4]), max_nodes=4)
    assert wider.shape == (1,) and wider.keys.dtype == np.uint64


def test_first_of_each_key():
    cells = _cells((CHAIN, [0, 1, 4]), (CHAIN, [0, 2, 4]), (CHAIN, [0, 1, 4]), (CHAIN, [0, 3, 4]))
    assert graphs.first_of_each_key(cells).tolist() == [0, 1, 3]


def test_find():
    pool = np.array([50, 10, 40, 20], np.uint64)
    index, found = graphs.find(np.array([[10, 20, 30], [50, 5, 60]], np.uint64), pool)
    assert found.tolist() == [[True, True, False], [True, False, False]]
    assert index.dtype == np.int64
    assert index[found].tolist() == [1, 3, 0]
    index, found = graphs.find(np.uint64(40), pool)
    assert (int(index), bool(found)) == (2, True)
    index, found = graphs.find(pool, np.array([], np.uint64))
    assert index.shape == (4,) and not found.any()


# Pruning.


def _plain_prune(matrix, ops):
    """Keeps what both searches, from the input and from the output, reach."""
    def reach(start, step):
        seen, queue = {start}, [start]
        while queue:
            node = queue.pop()
            new = {other for other in range(len(ops)) if step(node, other)} - seen
            seen |= new
            queue += new
        return seen

    size = len(ops)
    keep = reach(0, lambda a, b: matrix[a][b]) & reach(size - 1, lambda a, b: matrix[b][a])
    if not {0, size - 1} <= keep or size < 2:
        return [], []
    keep = sorted(keep)
    return [[int(matrix[a][b]) for b in keep] for a in keep], [int(ops[a]) for a in keep]


def test_prune_equals_a_plain_search():
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 8, 3_000)
    matrices = [np.triu(rng.random((n, n)) < rng.choice([0.2, 0.4, 0.7]), 1) for n in sizes]
    ops = [[0, *rng.integers(1, 4, n - 2), 4] if n > 1 else [0] for n in sizes]
    cells = CellGraphs.from_matrices(matrices, ops, 7)
    pruned, connected = graphs.prune(cells)
    assert (pruned.adjacency.dtype, pruned.ops.dtype) == (np.uint8, np.int8)
    for index, (matrix, codes) in enumerate(zip(matrices, ops)):
        kept_matrix, kept_ops = pruned.matrix(index)
        assert (kept_matrix.tolist(), kept_ops.tolist()) == _plain_prune(matrix, codes)
        assert connected[index] == bool(len(kept_ops))
    assert 500 < np.count_nonzero(connected) < 2_500
    unused = ~graphs.nodes_in_use(pruned)
    assert (pruned.ops[unused] == PADDING_OP).all() and not pruned.adjacency[unused].any()
    again, still = graphs.prune(pruned[connected])
    np.testing.assert_array_equal(again.adjacency, pruned[connected].adjacency)
    assert still.all()


def test_prune_of_cells_by_hand():
    dangling = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    from_nowhere = [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    apart = [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    cells = _cells(*[(matrix, [0, 1, 3, 4]) for matrix in (dangling, from_nowhere, apart)])
    pruned, connected = graphs.prune(cells)
    assert connected.tolist() == [True, True, False]
    assert pruned.num_nodes.tolist() == [3, 3, 0]
    chain = _cells((CHAIN, [0, 1, 4]))
    for index in (0, 1):
        np.testing.assert_array_equal(pruned.adjacency[index], chain.adjacency[0])
        np.testing.assert_array_equal(pruned.ops[index], chain.ops[0])
    assert not pruned.adjacency[2].any() and (pruned.ops[2] == PADDING_OP).all()


# Order of nodes.


def test_sort_nodes_makes_cells_upper_triangular():
    rng = np.random.default_rng(2)
    cells = _random_cells(2_000, seed=4)
    mixed = _renumbered(cells, rng)
    assert not graphs.is_upper_triangular(mixed.adjacency).all()
    ordered, acyclic = graphs.sort_nodes(mixed)
    assert acyclic.all() and graphs.is_upper_triangular(ordered.adjacency).all()
    np.testing.assert_array_equal(ordered.num_nodes, cells.num_nodes)
    assert (SPACE.check(ordered) == 0).all()
    np.testing.assert_array_equal(ordered.keys, cells.keys)


def test_sort_nodes_finds_cycles():
    loop = np.zeros((4, 4), int)
    loop[0, 1] = loop[1, 2] = loop[2, 1] = loop[2, 3] = 1
    itself = np.array(DIAMOND)
    itself[1, 1] = 1
    cells = _cells((loop, [0, 1, 2, 4]), (itself, [0, 1, 2, 4]), (DIAMOND, [0, 1, 2, 4]))
    assert graphs.sort_nodes(cells)[1].tolist() == [False, False, True]


# Distance.


def test_edit_distance_by_hand():
    chain = _cells((CHAIN, [0, 1, 4]))
    others = _cells(
        (CHAIN, [0, 1, 4]),
        (CHAIN, [0, 3, 4]),  # one operation
        ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], [0, 1, 4]),  # one edge
        ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], [0, 2, 4]),  # both
        ([[0, 1], [0, 0]], [0, 4]),  # edge 1-2; node 1 is the output; node 2 is gone
        (DIAMOND, [0, 1, 2, 4]),  # edges 0-2, 1-2, 1-3 and 2-3; nodes 2 and 3
    )
    assert graphs.edit_distance(chain, others).tolist() == [0, 1, 1, 2, 3, 6]
    table = graphs.edit_distance(others.reshape(6, 1), others.reshape(1, 6))
    assert table.shape == (6, 6) and table.dtype == np.int64
    np.testing.assert_array_equal(table, table.T)
    assert not np.diag(table).any() and table[1, 3] == 2
    three = table[:, :, None] + table[None, :, :]
    assert (table[:, None, :] <= three).all()  # the triangle inequality
