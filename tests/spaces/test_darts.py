"""nas_tf/spaces/darts.py and nas_tf/spaces/darts_edges.py."""

import itertools
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest

from nas_tf import graphs
from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import darts, darts_cells, darts_edges
from nas_tf.spaces.darts import DartsSpace, Invalid
from nas_tf.spaces.darts_edges import (
    AVGPOOL, DIL3X3, DIL5X5, INPUT_1, INPUT_2, MAXPOOL, NONE, OUTPUT, SEP3X3, SEP5X5, SKIP,
)

# The normal cell of DARTS_V2 (Liu et al., 2019).
SOURCES = [[0, 1], [0, 1], [1, 0], [0, 2]]
EDGE_OPS = [[SEP3X3, SEP3X3], [SEP3X3, SEP3X3], [SEP3X3, SKIP], [SKIP, DIL3X3]]
OPS = [INPUT_2, INPUT_1, SEP3X3, SEP3X3, SEP3X3, SEP3X3, SEP3X3, SKIP, SKIP, DIL3X3, OUTPUT]
ADJACENCY = [
    [0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0],
    [0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
]
ALL_FROM_INPUTS = [[0, 1]] * 4
CHAIN = [[0, 1], [0, 2], [1, 3], [0, 4]]
DISTINCT = np.arange(NONE, OUTPUT).reshape(4, 2)

# Reasons, as hexadecimal digits, for the cell above with that entry flipped.
FLIPPED = [
    "a1959559951",  # an edge of its own is removed: 9; another source is added: 5
    "aa595995551",
    "aaa76666662",  # half of the first intermediate node, which goes on to node 9
    "aaaa6666662",
    "aaaaa766668",
    "aaaaaa66668",
    "aaaaaaa7668",
    "aaaaaaaa668",
    "aaaaaaaaa78",
    "aaaaaaaaaa8",
    "aaaaaaaaaaa",
]


@pytest.fixture(name="space")
def _space():
    return DartsSpace(num_cells=100)


@pytest.fixture(name="cell")
def _cell():
    """The cell above, [1]."""
    return darts.from_edges(np.array([SOURCES]), np.array([EDGE_OPS]))


@pytest.fixture(scope="module", name="cells")
def _cells():
    """200 random cells; half of them have but two operations, so that some are symmetric."""
    cells = DartsSpace().random_cells(np.random.default_rng(1), (200,))
    sources, ops = darts.to_edges(cells)
    return darts.from_edges(sources, np.where(np.arange(200)[:, None, None] % 2, ops, 4 + ops % 2))


def random_relabelling(sources, ops, rng):
    """Renumbers the intermediate nodes of a cell and swaps operations, both at random."""
    left, place = [0, 1, 2, 3], {0: 0, 1: 1}
    new_sources, new_ops = [], []
    while left:
        ready = [node for node in left if all(source in place for source in sources[node])]
        node = int(rng.choice(ready))
        left.remove(node)
        order = rng.permutation(2)
        new_sources.append([place[int(sources[node][slot])] for slot in order])
        new_ops.append([int(ops[node][slot]) for slot in order])
        place[node + 2] = len(new_ops) + 1
    return new_sources, new_ops


def relabelled(cells, seed):
    rng = np.random.default_rng(seed)
    pairs = [random_relabelling(*edges, rng) for edges in zip(*darts.to_edges(cells))]
    return darts.from_edges(*(np.array(arrays) for arrays in zip(*pairs)))


def cell_network(sources, ops):
    """A cell with its sums as nodes, operations on the edges."""
    network = nx.DiGraph()
    network.add_nodes_from((node, {"label": min(node, 2)}) for node in range(6))
    for node, slot in itertools.product(range(4), range(2)):
        network.add_edge(int(sources[node][slot]), node + 2, op=int(ops[node][slot]))
    return network


def graph_network(adjacency, ops):
    """The 11-node graph."""
    network = nx.DiGraph(np.argwhere(adjacency).tolist())
    nx.set_node_attributes(network, dict(enumerate(ops.tolist())), "op")
    return network


def isomorphic(first, second):
    """VF2 on networks of either kind."""
    return nx.is_isomorphic(
        first, second, node_match=lambda a, b: a == b, edge_match=lambda a, b: a == b
    )


def cell_networks(cells):
    return [cell_network(*edges) for edges in zip(*darts.to_edges(cells))]


def graph_networks(cells):
    return [graph_network(*pair) for pair in zip(cells.adjacency, cells.ops)]


# The two forms.


def test_the_operations_are_in_the_order_of_arch2vec(space):
    assert space.name == "darts" and space.max_nodes == 11
    assert space.op_names == (
        "c_k-2", "c_k-1", "none", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
        "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "c_k",
    )


def test_matrices_worked_by_hand(cell):
    assert cell.adjacency.tolist() == [ADJACENCY] and cell.ops.tolist() == [OPS]
    assert cell.num_nodes.tolist() == [11]
    assert (cell.adjacency.dtype, cell.ops.dtype, cell.num_nodes.dtype) == ("u1", "i1", "i1")
    sources, ops = darts.to_edges(cell)
    assert sources.tolist() == [SOURCES] and ops.tolist() == [EDGE_OPS]


def test_edges_and_back(space):
    cells = space.random_cells(np.random.default_rng(0), (20, 50))
    again = darts.from_edges(*darts.to_edges(cells))
    np.testing.assert_array_equal(again.adjacency, cells.adjacency)
    np.testing.assert_array_equal(again.ops, cells.ops)
    np.testing.assert_array_equal(again.keys, cells.keys)
    assert darts.from_edges(np.array(SOURCES), np.array(EDGE_OPS)).shape == ()


@pytest.mark.parametrize(
    "place, source, op, message",
    [
        ((0, 0), 2, NONE, "^source 2 of intermediate node 2: expected 0 to 1$"),
        ((3, 1), 5, NONE, "^source 5 of intermediate node 5: expected 0 to 4$"),
        ((3, 1), -1, NONE, "^source -1 of intermediate node 5: expected 0 to 4$"),
        ((2, 1), 1, NONE, "^source 1 twice of intermediate node 4: expected two different ones$"),
        ((2, 1), 0, INPUT_1, "^operation 1: expected 2 to 9$"),
        ((2, 1), 0, OUTPUT, "^operation 10: expected 2 to 9$"),
    ],
)
def test_edges_outside_the_space(place, source, op, message):
    sources, ops = np.array([SOURCES] * 2), np.array([EDGE_OPS] * 2)
    sources[(1, *place)], ops[(1, *place)] = source, op
    with pytest.raises(InvalidArchitectureError, match=message):
        darts.from_edges(sources, ops)


@pytest.mark.parametrize("shape, dtype", [((4, 3), int), ((8,), int), ((4, 2), float)])
def test_edges_of_another_form(shape, dtype):
    with pytest.raises(InvalidArchitectureError, match=r"expected integers \[..., 4, 2\]$"):
        darts.from_edges(np.zeros(shape, dtype), np.full(shape, NONE))


def test_importing_the_space_does_not_import_tensorflow():
    code = "import sys, nas_tf.spaces.darts; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Isomorphism and keys.


def test_relabelled_cells_have_the_same_key(cells):
    for seed in range(3):
        moved = relabelled(cells, seed)
        assert (moved.ops != cells.ops).any(axis=-1).sum() > 100
        np.testing.assert_array_equal(moved.keys, cells.keys)
        np.testing.assert_array_equal(
            graphs.graph_keys(moved), graphs.graph_keys(cells)
        )


def test_keys_of_random_pairs_agree_with_vf2(cells):
    """Each cell beside one with the same operations in another order: some pairs are isomorphic."""
    sources, ops = darts.to_edges(relabelled(cells, 3))
    rng = np.random.default_rng(4)
    shuffled = rng.permuted(ops.reshape(-1, 8), axis=1).reshape(ops.shape)
    few = np.where(rng.random((200, 1, 1)) < 0.5, 2 + (shuffled > 6), 2 + (ops > 6))
    for first_ops, second_ops in ((ops, shuffled), (few, 2 + (ops > 6))):
        first, second = darts.from_edges(sources, first_ops), darts.from_edges(sources, second_ops)
        first = relabelled(first, 5)
        expected = list(map(isomorphic, cell_networks(first), cell_networks(second)))
        np.testing.assert_array_equal(first.keys == second.keys, expected)
        assert 0 < sum(expected) < 200


@pytest.mark.parametrize("bare, expected", [(False, 79), (True, 74)])
def test_keys_of_all_topologies_agree_with_vf2(bare, expected):
    """Those of cells, and those of their graphs, which know less."""
    pairs = [list(itertools.combinations(range(size), 2)) for size in range(2, 6)]
    sources = np.array(list(itertools.product(*pairs)))
    assert len(sources) == 1 * 3 * 6 * 10
    cells = darts.from_edges(sources, np.full(sources.shape, NONE))
    keys = graphs.graph_keys(cells) if bare else cells.keys
    networks = graph_networks(cells) if bare else cell_networks(cells)
    kinds = []  # the first of each
    for index, network in enumerate(networks):
        matches = [place for place in kinds if isomorphic(network, networks[place])]
        assert [keys[place] for place in matches] == [keys[index]] * len(matches)
        kinds += [] if matches else [index]
    assert len(kinds) == len(np.unique(keys)) == expected


def test_the_number_of_cells_with_few_operations():
    """By Burnside's lemma over the 79 topologies: 79 with one operation, 17,531 with two."""
    smallest, orders, num_orders = darts_edges._canonical_forms()
    pairs = [list(itertools.combinations(range(size), 2)) for size in range(2, 6)]
    choices = [list(itertools.product(pair, range(4))) for pair in pairs]  # of a node
    every = np.array([
        [(*pair, 2 + op // 2, 2 + op % 2) for pair, op in chosen]
        for chosen in itertools.product(*choices)
    ])
    assert len(every) == 180 * 256
    assert len(np.unique(darts.from_edges(every[..., :2], every[..., 2:]).keys)) == 17_531
    for num_ops, expected in ((1, 79), (2, 17_531), (8, 1_111_452_176)):
        total = sum(
            sum(num_ops ** cycles(order) for order in orders[kind, : num_orders[kind]])
            // num_orders[kind]
            for kind in np.unique(smallest)
        )
        assert total == expected


def cycles(permutation):
    return nx.number_weakly_connected_components(nx.DiGraph(enumerate(permutation.tolist())))


def test_the_bare_graph_does_not_say_what_is_summed(cell):
    """Two sums that only the output reads: a+b, c+d against a+d, c+b."""
    ops = np.array([[[NONE, SKIP], [SEP3X3, SEP5X5], [DIL3X3, DIL5X5], [MAXPOOL, MAXPOOL]]] * 2)
    ops[1, :2, 1] = ops[0, 1::-1, 1]
    cells = darts.from_edges(np.array([ALL_FROM_INPUTS] * 2), ops)
    assert isomorphic(*graph_networks(cells))
    assert len(np.unique(graphs.graph_keys(cells))) == 1
    assert not isomorphic(*cell_networks(cells))
    assert len(np.unique(cells.keys)) == 2


@pytest.mark.parametrize("width", [11, 12, 20])
def test_keys_do_not_depend_on_padding(cells, width):
    more = width - 11
    padded = graphs.CellGraphs(
        np.pad(cells.adjacency, ((0, 0), (0, more), (0, more))),
        np.pad(cells.ops, ((0, 0), (0, more)), constant_values=-1),
        cells.num_nodes,
        darts.identity,
    )
    np.testing.assert_array_equal(padded.keys, cells.keys)
    small = graphs.CellGraphs(*(np.zeros((1, *shape), np.int8) for shape in ((3, 3), (3,), ())),
                              darts.identity)
    assert small.keys == graphs.graph_keys(small)


def test_what_changes_graphs_keeps_what_identifies_them(cells):
    pruned, _ = graphs.prune(cells)
    ordered, _ = graphs.sort_nodes(cells)
    assert pruned.identity is ordered.identity is darts.identity


def test_keys_go_with_the_cells(space, cell):
    key = cell.keys[0]
    assert space.decode(cell.adjacency, cell.ops)[0].keys.tolist() == [key]
    assert darts_edges.cell_keys(*darts.to_edges(cell)).tolist() == [key]
    broken = cell.ops.copy()
    broken[0, 4] = OUTPUT
    decoded, _ = space.decode(np.repeat(cell.adjacency, 2, 0), np.concatenate([broken, cell.ops]))
    assert decoded.keys.tolist() == [graphs.graph_keys(decoded)[0], key]


# Sampling.


def test_random_cells_are_uniform_and_repeatable(space):
    cells = space.random_cells(np.random.default_rng(7), (100, 80))
    assert cells.shape == (100, 80) and not space.check(cells).any()
    again = space.random_cells(np.random.default_rng(7), (100, 80))
    np.testing.assert_array_equal(cells.adjacency, again.adjacency)
    np.testing.assert_array_equal(cells.ops, again.ops)
    counts = np.bincount(cells.ops[..., 2:10].ravel(), minlength=10)[2:]
    assert abs(counts - 8_000).max() < 420  # five deviations
    sources, _ = darts.to_edges(cells)
    for node in range(4):
        pairs = sources[..., node, 0] * 5 + sources[..., node, 1]
        _, counts = np.unique(pairs, return_counts=True)
        kinds = (node + 2) * (node + 1)
        assert len(counts) == kinds and abs(counts - 8_000 / kinds).max() < 320
    assert space.random_cells(np.random.default_rng(7), ()).shape == ()


def test_twenty_thousand_unique_cells(space):
    cells = space.unique_cells(20_000, 0)
    assert cells.shape == (20_000,) and not space.check(cells).any()
    assert len(np.unique(cells.keys)) == 20_000
    assert len(np.unique(graphs.graph_keys(cells))) == 20_000
    np.testing.assert_array_equal(cells.keys, darts_edges.cell_keys(*darts.to_edges(cells)))
    start = space.unique_cells(500, 0)
    np.testing.assert_array_equal(start.adjacency, cells.adjacency[:500])
    np.testing.assert_array_equal(start.ops, cells.ops[:500])
    other = space.unique_cells(500, 1)
    assert len(np.intersect1d(start.keys, other.keys)) < 5


def test_samples_never_change():
    cells = darts.generate_cells(2, 0)
    sources, ops = darts.to_edges(cells)
    assert sources.tolist() == [
        [[1, 0], [1, 0], [2, 3], [1, 3]], [[0, 1], [0, 2], [0, 1], [0, 2]]
    ]
    assert ops.tolist() == [[[7, 9], [6, 9], [3, 4], [5, 6]], [[4, 4], [5, 6], [3, 9], [9, 4]]]
    assert cells.keys.tolist() == [8837839057446720871, 6228730397941814404]


def test_repetitions_are_dropped(monkeypatch):
    """Drawn from cells with the operation 'none' alone: 74 graphs."""
    draw = darts.random_edges

    def without_ops(rng, shape):
        sources, ops = draw(rng, shape)
        return sources, np.full_like(ops, NONE)

    monkeypatch.setattr(darts_cells, "random_edges", without_ops)
    cells = darts.generate_cells(74, 0)
    assert len(np.unique(cells.keys)) == 74
    with pytest.raises(RuntimeError, match="^74 of 75 DARTS cells found: most draws are rep"):
        darts.generate_cells(75, 0)


@pytest.mark.parametrize(
    "count, seed, message",
    [
        (0, 0, "^num_cells=0: expected 1 to 10000000$"),
        (10_000_001, 0, "^num_cells=10000001: expected 1 to 10000000$"),
        (5, -1, "^seed=-1: expected 0 or more$"),
    ],
)
def test_samples_that_cannot_be_drawn(count, seed, message):
    for draw in (DartsSpace, darts.unique_cells, darts.generate_cells):
        with pytest.raises(ConfigError, match=message):
            draw(count, seed)


@pytest.fixture(name="cache")
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_samples_are_cached_without_a_warning(cache, warnings, monkeypatch):
    first = DartsSpace(30, seed=3).enumerate_cells()
    assert [path.name for path in cache.iterdir()] == ["darts-cells-v1-30-3"]
    monkeypatch.setattr(darts_cells, "generate_cells", None)  # not needed again
    second = DartsSpace(30, seed=3).enumerate_cells()
    for name in ("adjacency", "ops", "num_nodes", "keys"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert warnings == []


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing", "no description"])
def test_a_damaged_cache_is_made_again_with_a_warning(cache, warnings, damage):
    expected = np.array(darts.unique_cells(30, 3).ops)
    path = cache / "darts-cells-v1-30-3" / "ops.npy"
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[:-5])
    elif damage == "changed":
        path.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    elif damage == "missing":
        path.unlink()
    else:
        path.with_name("columns.json").unlink()
    np.testing.assert_array_equal(darts.unique_cells(30, 3).ops, expected)
    assert len(warnings) == 1 and "cache of the sampled DARTS cells is damaged" in warnings[0]
    assert path.read_bytes() == data  # mended


# Neighbours.


@pytest.mark.parametrize(
    "sources, ops, expected",
    [
        # 8 x 7 operations, and 8 sources that may become any of 3 other nodes.
        (ALL_FROM_INPUTS, DISTINCT, 56 + 24),
        # Nodes 0 to 3 have 0, 1, 2 and 3 other sources for either edge: the chain allows no more.
        (CHAIN, DISTINCT, 56 + 2 * (0 + 1 + 2 + 3)),
        # Four nodes alike: one of 2 operations becomes one of 7, one of 2 sources another node.
        (ALL_FROM_INPUTS, np.full((4, 2), SKIP), 14 + 2),
    ],
)
def test_neighbours_counted_by_hand(space, sources, ops, expected):
    cells = darts.from_edges(np.array([sources] * 2), np.array([ops] * 2))
    found, origin = space.neighbours(cells)
    assert origin.tolist() == [0] * expected + [1] * expected
    assert len(np.unique(found.keys)) == expected and cells.keys[0] not in found.keys


def distance(first, second):
    """Fewest operations or sources that differ, over all numberings of a cell's nodes."""
    (sources, ops), (other_sources, other_ops) = first, second
    fewest = 16
    for order in itertools.permutations(range(4)):
        place = [0, 1, *(2 + order.index(node) for node in range(4))]
        total = 0
        for new, old in enumerate(order):
            here = [(place[sources[old][slot]], ops[old][slot]) for slot in range(2)]
            there = list(zip(other_sources[new], other_ops[new]))
            total += min(
                sum((a != c) + (b != d) for (a, b), (c, d) in zip(here, there[::step]))
                for step in (1, -1)
            )
        fewest = min(fewest, total)
    return fewest


def test_neighbours_are_valid_unique_and_one_edit_away(space, cells):
    found, origin = space.neighbours(cells)
    assert not space.check(found).any() and (np.diff(origin) >= 0).all()
    np.testing.assert_array_equal(found.keys, darts_edges.cell_keys(*darts.to_edges(found)))
    assert len(np.unique(np.stack([found.keys, origin.astype(np.uint64)]), axis=1).T) == len(found)
    assert (found.keys != cells.keys[origin]).all()
    chosen = np.arange(0, len(found), 19)
    origins = zip(*(edges.tolist() for edges in darts.to_edges(cells[origin[chosen]])))
    others = zip(*(edges.tolist() for edges in darts.to_edges(found[chosen])))
    assert {distance(*pair) for pair in zip(origins, others)} == {1}


def test_being_neighbours_is_symmetric_and_free_of_numbering(space, cells):
    cells = cells[:20]
    found, origin = space.neighbours(cells)
    back, middle = space.neighbours(found)
    returned = np.zeros(len(found), bool)
    np.logical_or.at(returned, middle, back.keys == cells.keys[origin[middle]])
    assert returned.all()
    moved, moved_origin = space.neighbours(relabelled(cells, 9))
    np.testing.assert_array_equal(moved_origin, origin)
    expected = found.keys[np.lexsort((found.keys, origin))]
    np.testing.assert_array_equal(moved.keys[np.lexsort((moved.keys, origin))], expected)


def test_neighbours_of_no_cells(space, cells):
    found, origin = space.neighbours(cells[:0])
    assert found.shape == (0,) and found.keys.shape == (0,) and origin.shape == (0,)
    assert space.mutate(cells[:0], np.random.default_rng(0)).shape == (0,)


def test_mutation_draws_all_neighbours_alike(space):
    alike = darts.from_edges(np.array(ALL_FROM_INPUTS), np.full((4, 2), SKIP))
    cells = alike.reshape(1)[np.zeros((4, 250), int)]
    mutated = space.mutate(cells, np.random.default_rng(0))
    assert mutated.shape == (4, 250) and not space.check(mutated).any()
    found, count = np.unique(mutated.keys, return_counts=True)
    expected, _ = space.neighbours(alike.reshape(1))
    np.testing.assert_array_equal(found, np.sort(expected.keys))
    assert abs(count - 62.5).max() < 40  # five deviations


def test_mutation_is_repeatable(space, cells):
    first, again = (space.mutate(cells, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.adjacency, again.adjacency)
    np.testing.assert_array_equal(first.ops, again.ops)


# Encoding, decoding, validity.


def test_decoding_what_was_encoded_gives_every_cell_back(space, cells):
    adjacency, ops = space.encode(cells)
    assert adjacency.dtype == ops.dtype == np.float32
    assert adjacency.shape == ops.shape == (200, 11, 11) and (ops.sum(axis=-1) == 1).all()
    decoded, reason = space.decode(adjacency > 0.5, ops.argmax(axis=-1))
    assert not reason.any()
    np.testing.assert_array_equal(decoded.adjacency, cells.adjacency)
    np.testing.assert_array_equal(decoded.ops, cells.ops)
    np.testing.assert_array_equal(decoded.keys, cells.keys)


def test_every_flipped_edge_of_a_cell_by_hand(space, cell):
    adjacency = np.array(ADJACENCY) ^ np.eye(121, dtype=int).reshape(11, 11, 11, 11)
    _, reason = space.decode(adjacency, np.broadcast_to(cell.ops, (11, 11, 11)))
    assert ["".join("%x" % code for code in row) for row in reason] == FLIPPED


def expected_reason(adjacency, row, column):
    """Why a cell with one entry of its matrix flipped is outside the space."""
    if row >= column:
        return Invalid.NOT_UPPER_TRIANGULAR
    if column == 1 or (row < 2 and column == 10):
        return Invalid.INPUT_EDGE
    if column == 10:
        elsewhere = adjacency[row, :10].any()
        return Invalid.NOT_CONCATENATED if elsewhere else Invalid.NO_SUCCESSOR
    if row >= 2:
        return Invalid.OWN_NODE if row // 2 == column // 2 else Invalid.HALF_A_NODE
    return Invalid.NO_PREDECESSOR if adjacency[row, column] else Invalid.SEVERAL_SOURCES


def test_every_flipped_edge_of_random_cells(space, cells):
    for cell in (cells[index] for index in range(0, 200, 5)):
        adjacency = cell.adjacency ^ np.eye(121, dtype=np.uint8).reshape(121, 11, 11)
        _, reason = space.decode(adjacency, np.tile(cell.ops, (121, 1)))
        assert reason.tolist() == [
            expected_reason(cell.adjacency, *divmod(entry, 11)) for entry in range(121)
        ]


def test_every_changed_operation_of_a_cell(space, cell):
    ops = np.tile(cell.ops[0], (11, 13, 1))
    nodes, codes = np.arange(11), np.arange(-1, 12)
    ops[nodes[:, None], np.arange(13), nodes[:, None]] = codes
    _, reason = space.decode(np.broadcast_to(cell.adjacency, (11, 13, 11, 11)), ops)
    interior = [3, 3, 3] + [0] * 8 + [3, 3]
    assert reason.tolist() == [
        [12, 0] + [12] * 11, [12, 12, 0] + [12] * 10, *[interior] * 8, [11] * 11 + [0, 11],
    ]


@pytest.mark.parametrize(
    "flips, reason",
    [
        ([], Invalid.VALID),
        ([(0, 4), (1, 4)], Invalid.SAME_SOURCE),
        ([(0, 8), (2, 8), (3, 8)], Invalid.SAME_SOURCE),  # both read the first intermediate node
        ([(1, 8)], Invalid.SEVERAL_SOURCES),
        ([(4, 9), (5, 9)], Invalid.SEVERAL_SOURCES),
        ([(0, 8), (4, 8)], Invalid.HALF_A_NODE),
        ([(1, 3), (2, 3)], Invalid.OWN_NODE),
        ([(2, 9), (3, 9)], Invalid.NO_PREDECESSOR),
        ([(2, 9), (3, 9), (5, 9), (6, 9)], Invalid.HALF_A_NODE),
        ([(0, 8), (4, 8), (5, 8)], Invalid.VALID),  # another cell
        ([(0, 1), (2, 10)], Invalid.NOT_CONCATENATED),
        ([(1, 4), (9, 10)], Invalid.NO_SUCCESSOR),
        ([(0, 2), (9, 10)], Invalid.NO_PREDECESSOR),
        ([(0, 2), (9, 9)], Invalid.NOT_UPPER_TRIANGULAR),
    ],
)
def test_reasons_and_their_order(space, cell, flips, reason):
    adjacency = np.array([ADJACENCY])
    for place in flips:
        adjacency[0][place] ^= 1
    assert space.decode(adjacency, cell.ops)[1].tolist() == [reason]


def test_valid_is_what_edges_make(space, cells):
    """Graphs with three entries flipped at random in the column of one operation."""
    rng = np.random.default_rng(11)
    adjacency = np.repeat(cells.adjacency, 60, axis=0)
    index = np.arange(len(adjacency))
    column = rng.integers(2, 10, len(index))
    for _ in range(3):
        adjacency[index, rng.integers(0, column), column] ^= 1
    decoded, reason = space.decode(adjacency, np.repeat(cells.ops, 60, axis=0))
    sources, ops = darts_edges.read_edges(decoded)
    again = darts_edges.build(sources, ops)
    equal = (again.adjacency == adjacency).all(axis=(-2, -1))
    distinct = (sources[..., 0] != sources[..., 1]).all(axis=-1)
    earlier = (sources < np.arange(2, 6)[:, None]).all(axis=(-2, -1))
    np.testing.assert_array_equal(reason == 0, equal & distinct & earlier)
    assert 100 < (reason == 0).sum() < 6_000
    counted = space.counts_as_valid(adjacency, decoded.ops)
    assert counted[reason == 0].all() and counted.sum() > (reason == 0).sum() + 500


@pytest.mark.parametrize(
    "flips, op, expected",
    [
        ([], OPS[4], True),
        ([(2, 10), (0, 10), (0, 1)], NONE, True),
        ([(1, 8), (4, 9), (2, 3)], NONE, True),  # several sources, half a node, one's own node
        ([(0, 4), (1, 4)], NONE, True),  # the same source twice
        ([(0, 2)], NONE, False),
        ([(0, 2), (3, 2)], NONE, False),  # entered from its own node alone
        ([(3, 2)], NONE, True),
        ([(4, 2)], NONE, False),  # from behind
        ([(10, 7)], NONE, False),
        ([(10, 9)], NONE, True),  # what is behind the last is not looked at
        ([], INPUT_1, False),
        ([], OUTPUT, False),
    ],
)
def test_what_published_validity_counts(space, flips, op, expected):
    adjacency, ops = np.array([ADJACENCY]), np.array([OPS])
    ops[0, 4] = op
    for place in flips:
        adjacency[0][place] ^= 1
    assert space.counts_as_valid(adjacency, ops).tolist() == [expected]


@pytest.mark.parametrize("node", [0, 1, 10])
def test_published_validity_looks_at_both_ends(space, cell, node):
    ops = cell.ops.copy()
    ops[0, node] = SKIP
    assert space.counts_as_valid(cell.adjacency == 1, ops).tolist() == [False]


def test_the_first_and_the_last_node_count_before_the_others(space):
    codes = np.zeros((2, 3, 11), int)
    codes[1, :, 1] = INPUT_1
    _, reason = space.decode(np.zeros((2, 3, 11, 11), bool), codes)
    assert reason.tolist() == [[Invalid.NO_INPUTS_FIRST] * 3, [Invalid.NO_OUTPUT_LAST] * 3]


def test_fewer_nodes_are_outside_the_space(space, cell):
    fewer = CellGraphs(cell.adjacency, cell.ops, np.array([10], np.int8))
    assert space.check(fewer).tolist() == [Invalid.NO_OUTPUT_LAST]


@pytest.mark.parametrize("call", ["neighbours", "mutate", "to_edges"])
def test_cells_outside_the_space_are_refused(space, cells, call):
    ops = cells.ops[:2].copy()
    ops[1, 5] = INPUT_2
    broken = CellGraphs(cells.adjacency[:2], ops, cells.num_nodes[:2])
    functions = {
        "neighbours": space.neighbours,
        "mutate": lambda cells: space.mutate(cells, np.random.default_rng(0)),
        "to_edges": darts.to_edges,
    }
    with pytest.raises(
        InvalidArchitectureError, match="^cell 1 is outside the DARTS space: an interior node is"
    ):
        functions[call](broken)


def test_every_reason_has_words():
    assert all(reason.text for reason in Invalid) and Invalid(0).text == "valid"


def test_decisions_worked_by_hand():
    sources = np.array([[1, 0], [2, 1], [0, 3], [4, 2]])
    ops = np.array([[SEP3X3, SKIP], [NONE, DIL5X5], [MAXPOOL, AVGPOOL], [SEP5X5, DIL3X3]])
    decisions = DartsSpace().decisions()
    assert decisions.num_choices == (3, 6, 10) + (8,) * 8
    codes = decisions.encode(darts.from_edges(sources, ops))
    # Pairs in the order 01 02 12, 01 02 03 12 13 23, ...; operations of the lower source first.
    assert codes.tolist() == [2, 2, 8, 3, 4, 7, 0, 1, 2, 6, 5]


def test_every_code_is_a_cell():
    decisions = DartsSpace().decisions()
    rng = np.random.default_rng(0)
    codes = rng.integers(decisions.num_choices, size=(1000, 11)).astype(np.int8)
    cells, valid = decisions.decode(codes)
    assert valid.all() and not DartsSpace().check(cells).any()
    np.testing.assert_array_equal(decisions.encode(cells), codes)
