"""nas_tf/spaces/nasbench101.py."""

import itertools
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from nas_tf import graphs
from nas_tf.core import ConfigError
from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.spaces import nasbench101, nasbench101_cells
from nas_tf.spaces.nasbench101 import (
    CONV1X1,
    CONV3X3,
    INPUT,
    INTERIOR_OPS,
    MAXPOOL3X3,
    OUTPUT,
    Invalid,
    NasBench101Space,
)

EDGE = [[0, 1], [0, 0]]
CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
SKIP = [[0, 1, 1], [0, 0, 1], [0, 0, 0]]


def _cells(*pairs):
    matrices, ops = zip(*pairs)
    return CellGraphs.from_matrices(matrices, ops, 7)


@pytest.fixture(scope="module", name="everything")
def _everything():
    return NasBench101Space().enumerate_cells()


# Enumeration.


@pytest.mark.parametrize("vertices, count", [(2, 1), (3, 7), (4, 91), (5, 2_532), (6, 64_542)])
def test_number_of_cells(vertices, count):
    cells = NasBench101Space(max_vertices=vertices).enumerate_cells()
    assert len(cells) == len(np.unique(cells.keys)) == count
    assert cells.max_nodes == 7 and cells.num_nodes.max() == vertices


def test_the_whole_space(everything):
    assert len(everything) == 423_624
    assert np.bincount(everything.num_nodes).tolist() == [0, 0, 1, 6, 84, 2_441, 62_010, 359_082]
    assert (np.diff(everything.num_nodes) >= 0).all()  # smallest first
    assert not NasBench101Space().check(everything).any()
    assert everything.num_edges.max() == 9
    pruned, _ = graphs.prune(everything)
    np.testing.assert_array_equal(pruned.adjacency, everything.adjacency)


def test_smaller_spaces_are_the_beginning_of_larger_ones(everything):
    small = NasBench101Space(max_vertices=5).enumerate_cells()
    np.testing.assert_array_equal(small.keys, everything.keys[:2_532])
    np.testing.assert_array_equal(small.adjacency, everything.adjacency[:2_532])


def test_the_first_cells_are_those_of_the_official_generator():
    cells = NasBench101Space(max_vertices=3).enumerate_cells()
    assert [cells.matrix(i)[0].tolist() for i in range(7)] == [EDGE] + [CHAIN] * 3 + [SKIP] * 3
    interior = [cells.matrix(i)[1].tolist()[1:-1] for i in range(7)]
    assert interior == [[]] + [[CONV3X3], [CONV1X1], [MAXPOOL3X3]] * 2


def test_fewer_edges_give_a_part_of_the_space(everything):
    few = NasBench101Space(max_vertices=6, max_edges=6).enumerate_cells()
    expected = everything.keys[(everything.num_edges <= 6) & (everything.num_nodes <= 6)]
    np.testing.assert_array_equal(few.keys, expected)


# The cache.


@pytest.fixture(name="cache")
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_cells_are_cached_without_a_warning(cache, warnings, monkeypatch):
    first = nasbench101.enumerate_cells(4)
    assert [path.name for path in cache.iterdir()] == ["nasbench101-cells-v3-4-9"]
    monkeypatch.setattr(nasbench101_cells, "generate_cells", None)  # not needed again
    second = nasbench101.enumerate_cells(4)
    for name in ("adjacency", "ops", "num_nodes", "keys"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert warnings == []


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing", "no description"])
def test_a_damaged_cache_is_built_again_with_a_warning(cache, warnings, damage):
    expected = np.array(nasbench101.enumerate_cells(4).ops)
    directory = cache / "nasbench101-cells-v3-4-9"
    path = directory / "ops.npy"
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[:-5])
    elif damage == "changed":
        path.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    elif damage == "missing":
        path.unlink()
    else:
        (directory / "columns.json").unlink()
    cells = nasbench101.enumerate_cells(4)
    np.testing.assert_array_equal(cells.ops, expected)
    assert len(warnings) == 1 and "damaged" in warnings[0] and str(directory) in warnings[0]
    nasbench101.enumerate_cells(4)
    assert len(warnings) == 1 and path.read_bytes() == data  # mended


def test_a_cache_that_cannot_be_written_only_warns(tmp_path, warnings, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "file" / "cache"))
    assert len(nasbench101.enumerate_cells(3)) == 7
    assert len(warnings) == 1 and "made again next time" in warnings[0] and "file" in warnings[0]
    assert "\n" not in warnings[0]


@pytest.mark.parametrize(
    "limits, message",
    [
        ((8, 9), "max_vertices=8: expected 2 to 7"),
        ((1, 9), "max_vertices=1: expected 2 to 7"),
        ((7, 10), "max_edges=10: expected 1 to 9"),
        ((7, 0), "max_edges=0: expected 1 to 9"),
    ],
)
def test_limits_outside_the_benchmark(cache, limits, message):
    for make in (
        nasbench101.enumerate_cells, nasbench101.generate_cells, nasbench101.NasBench101Space
    ):
        with pytest.raises(ConfigError, match=message):
            make(*limits)
    assert not cache.exists()


# Sampling.


@pytest.mark.parametrize("limits", [{}, {"max_vertices": 5, "max_edges": 6}, {"max_vertices": 2}])
def test_random_cells_are_in_the_space(limits):
    space = NasBench101Space(**limits)
    cells = space.random_cells(np.random.default_rng(0), (30, 20))
    assert cells.shape == (30, 20) and cells.adjacency.shape == (30, 20, 7, 7)
    assert not space.check(cells).any()
    _, found = graphs.find(cells.keys, space.enumerate_cells().keys)
    assert found.all()
    again = space.random_cells(np.random.default_rng(0), (30, 20))
    np.testing.assert_array_equal(cells.keys, again.keys)


def test_random_cells_of_any_shape():
    space, rng = NasBench101Space(), np.random.default_rng(0)
    assert space.random_cells(rng, ()).shape == ()
    assert space.random_cells(rng, (0,)).shape == (0,)
    assert space.random_cells(rng, (2, 0, 3)).shape == (2, 0, 3)


def test_random_cells_are_drawn_as_the_benchmark_does():
    """Against rejection sampling one graph at a time."""
    rng = np.random.default_rng(1)
    edges, sizes = [], []
    while len(edges) < 3_000:
        cells = _cells((np.triu(rng.integers(0, 2, (7, 7)), 1), [0, 1, 1, 1, 1, 1, 4]))
        pruned, connected = graphs.prune(cells)
        if connected[0] and pruned.num_edges[0] <= 9:
            edges.append(pruned.num_edges[0])
            sizes.append(pruned.num_nodes[0])
    drawn = NasBench101Space().random_cells(rng, (20_000,))
    assert abs(drawn.num_edges.mean() - np.mean(edges)) < 0.1  # 3 standard errors are 0.09
    assert abs(drawn.num_nodes.mean() - np.mean(sizes)) < 0.07
    interior = drawn.ops[np.isin(drawn.ops, INTERIOR_OPS)]
    shares = np.bincount(interior, minlength=4)[1:] / len(interior)
    np.testing.assert_allclose(shares, 1 / 3, atol=0.01)


# Neighbours.


def _neighbour_keys(space, cells):
    found, origin = space.neighbours(cells)
    return [set(found.keys[origin == i].tolist()) for i in range(len(cells))], found, origin


def test_neighbours_of_the_smallest_cell():
    found, origin = NasBench101Space().neighbours(_cells((EDGE, [INPUT, OUTPUT])))
    expected = _cells(*[(SKIP, [INPUT, op, OUTPUT]) for op in INTERIOR_OPS])
    assert origin.tolist() == [0, 0, 0]
    assert sorted(found.keys) == sorted(expected.keys)
    alone, origin = NasBench101Space(max_vertices=2).neighbours(_cells((EDGE, [INPUT, OUTPUT])))
    assert alone.shape == origin.shape == (0,)


def test_neighbours_of_a_chain_of_three():
    expected = [(SKIP, [INPUT, CONV1X1, OUTPUT])]
    expected += [(CHAIN, [INPUT, op, OUTPUT]) for op in (CONV3X3, MAXPOOL3X3)]
    before = [[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    beside = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    after = [[0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    for op in INTERIOR_OPS:
        expected.append((before, [INPUT, op, CONV1X1, OUTPUT]))
        expected.append((beside, [INPUT, op, CONV1X1, OUTPUT]))
        expected.append((after, [INPUT, CONV1X1, op, OUTPUT]))
    keys, found, _ = _neighbour_keys(NasBench101Space(), _cells((CHAIN, [INPUT, CONV1X1, OUTPUT])))
    assert len(found) == 12 and keys[0] == set(_cells(*expected).keys.tolist())
    keys, found, _ = _neighbour_keys(
        NasBench101Space(max_vertices=3), _cells((CHAIN, [INPUT, CONV1X1, OUTPUT]))
    )
    assert len(found) == 3 and keys[0] == set(_cells(*expected[:3]).keys.tolist())


def test_removing_an_edge_takes_no_more_than_one_node_along():
    tail = [[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]  # in-1-2-out beside in-out
    keys, _, _ = _neighbour_keys(NasBench101Space(), _cells((tail, [INPUT, 1, 2, OUTPUT])))
    assert int(_cells((EDGE, [INPUT, OUTPUT])).keys[0]) not in keys[0]


@pytest.mark.parametrize("limits", [{"max_vertices": 4}, {"max_vertices": 4, "max_edges": 4}])
def test_neighbours_of_a_whole_small_space(limits):
    space = NasBench101Space(**limits)
    cells = space.enumerate_cells()
    keys, found, origin = _neighbour_keys(space, cells)
    assert not space.check(found).any()
    assert (np.diff(origin) >= 0).all()
    assert len(found) == sum(map(len, keys))  # each once
    neighbours = dict(zip(cells.keys.tolist(), keys))
    for key, others in neighbours.items():
        assert key not in others
        assert all(key in neighbours[other] for other in others)  # symmetric
    reached, queue = {int(cells.keys[0])}, [int(cells.keys[0])]
    while queue:
        new = neighbours[queue.pop()] - reached
        reached |= new
        queue += new
    assert reached == set(cells.keys.tolist())  # connected


def test_neighbours_of_larger_cells_are_symmetric(everything):
    space, rng = NasBench101Space(), np.random.default_rng(0)
    cells = everything[rng.choice(len(everything), 40, replace=False)]
    found, origin = space.neighbours(cells)
    back, middle = space.neighbours(found)
    home = back.keys == cells.keys[origin[middle]]
    assert np.bincount(middle[home], minlength=len(found)).tolist() == [1] * len(found)


def test_neighbours_do_not_depend_on_the_numbering_of_nodes(everything):
    space, rng = NasBench101Space(), np.random.default_rng(1)
    cells = everything[rng.choice(len(everything), 300, replace=False)]
    order = np.tile(np.arange(7), (300, 1))
    for row, size in zip(order, cells.num_nodes):
        row[1 : size - 1] = rng.permutation(row[1 : size - 1])
    rows = np.arange(300)[:, None]
    mixed = CellGraphs(cells.adjacency[rows[..., None], order[:, :, None], order[:, None, :]],
                       cells.ops[rows, order], cells.num_nodes)
    other, _ = graphs.sort_nodes(mixed)
    assert (other.adjacency != cells.adjacency).any(axis=(1, 2)).sum() > 100
    assert _neighbour_keys(space, cells)[0] == _neighbour_keys(space, other)[0]


def test_mutations_are_neighbours():
    space, rng = NasBench101Space(), np.random.default_rng(0)
    cells = space.random_cells(rng, (6, 5))
    mutants = space.mutate(cells, rng)
    assert mutants.shape == (6, 5)
    keys, _, _ = _neighbour_keys(space, cells.reshape(30))
    for key, allowed in zip(mutants.keys.ravel().tolist(), keys):
        assert key in allowed
    one = space.mutate(cells[0, 0], rng)
    assert one.shape == () and int(one.keys) in keys[0]


def test_mutations_reach_every_neighbour_equally_often():
    space, rng = NasBench101Space(), np.random.default_rng(0)
    chain = _cells((CHAIN, [INPUT, CONV1X1, OUTPUT]))
    mutants = space.mutate(chain[np.zeros(6_000, int)], rng)
    _, count = np.unique(mutants.keys, return_counts=True)
    assert len(count) == 12
    assert abs(count - 500).max() < 90  # 4 standard deviations are 86
    with pytest.raises(ConfigError, match="space nasbench101: cell 0 has no neighbour"):
        NasBench101Space(max_vertices=2).mutate(_cells((EDGE, [INPUT, OUTPUT])), rng)


# Encoding.


def test_encode_by_hand():
    cells = _cells((CHAIN, [INPUT, MAXPOOL3X3, OUTPUT]))
    adjacency, ops = NasBench101Space().encode(cells)
    assert (adjacency.shape, ops.shape) == ((1, 7, 7), (1, 7, 5))
    assert (adjacency.dtype, ops.dtype) == (np.float32, np.float32)
    assert np.argwhere(adjacency[0]).tolist() == [[0, 1], [1, 2]]
    assert ops[0, :3].tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
    assert not ops[0, 3:].any()
    assert nasbench101.OP_NAMES == (
        "input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "output",
    )


def test_encode_and_decode_the_whole_space(everything):
    space, rng = NasBench101Space(), np.random.default_rng(0)
    for start in range(0, len(everything), 1 << 16):
        cells = everything[start : start + (1 << 16)]
        adjacency, one_hot = space.encode(cells)
        codes = one_hot.argmax(axis=-1)
        padding = ~one_hot.any(axis=-1)
        codes[padding] = rng.integers(0, 5, np.count_nonzero(padding))  # whatever was decoded there
        decoded, reason = space.decode(adjacency, codes)
        assert not reason.any()
        for name in ("adjacency", "ops", "num_nodes"):
            np.testing.assert_array_equal(getattr(decoded, name), getattr(cells, name))


def _matrix(*edges):
    matrix = np.zeros((7, 7), np.uint8)
    for source, target in edges:
        matrix[source, target] = 1
    return matrix


TEN_EDGES = [pair for pair in itertools.combinations(range(5), 2)]


@pytest.mark.parametrize(
    "edges, ops, reason",
    [
        ([(0, 1), (1, 2)], [0, 1, 4, 0, 0, 0, 0], Invalid.VALID),
        ([(0, 1)], [0, 4, 4, 4, 4, 4, 4], Invalid.VALID),
        ([(0, 1), (1, 2), (2, 2)], [0, 1, 4, 0, 0, 0, 0], Invalid.NOT_UPPER_TRIANGULAR),
        ([(0, 1), (1, 2), (2, 1)], [0, 1, 4, 0, 0, 0, 0], Invalid.NOT_UPPER_TRIANGULAR),
        ([(0, 1), (1, 2), (6, 1)], [0, 1, 4, 0, 0, 0, 0], Invalid.NOT_UPPER_TRIANGULAR),
        ([(0, 1), (1, 2)], [0, 1, 2, 4, 0, 0, 0], Invalid.NO_OUTPUT_LAST),
        ([], [0, 1, 4, 0, 0, 0, 0], Invalid.NO_OUTPUT_LAST),
        ([(0, 1), (1, 2)], [1, 1, 4, 0, 0, 0, 0], Invalid.NO_INPUT_FIRST),
        ([(0, 1), (2, 3)], [0, 1, 2, 4, 0, 0, 0], Invalid.DISCONNECTED),
        ([(0, 1), (1, 2)], [0, 0, 4, 0, 0, 0, 0], Invalid.UNKNOWN_INTERIOR_OPERATION),
        ([(0, 1), (1, 2)], [0, 4, 4, 0, 0, 0, 0], Invalid.UNKNOWN_INTERIOR_OPERATION),
        ([(0, 1), (1, 2)], [0, 9, 4, 0, 0, 0, 0], Invalid.UNKNOWN_INTERIOR_OPERATION),
        (TEN_EDGES, [0, 1, 1, 1, 4, 0, 0], Invalid.TOO_MANY_EDGES),
        (TEN_EDGES[1:], [0, 1, 1, 1, 4, 0, 0], Invalid.VALID),  # node 1 is dead, 6 edges are left
    ],
)
def test_decode_tells_why_a_cell_is_invalid(edges, ops, reason):
    cells, reasons = NasBench101Space().decode(_matrix(*edges), np.array(ops))
    assert Invalid(reasons) == reason and reasons.dtype == np.int8
    if reason == Invalid.VALID:
        assert cells.ops.max() == OUTPUT and NasBench101Space().check(cells) == 0


def test_decode_prunes_dead_nodes_whatever_their_operation():
    edges = [(0, 1), (0, 2), (2, 3)]
    cells, reason = NasBench101Space().decode(_matrix(*edges), np.array([0, 4, 2, 4, 1, 1, 1]))
    assert Invalid(reason) == Invalid.VALID
    assert cells.matrix()[0].tolist() == CHAIN and cells.matrix()[1].tolist() == [0, 2, 4]


def test_decode_keeps_leading_dimensions():
    space = NasBench101Space()
    cells = space.random_cells(np.random.default_rng(0), (4, 3))
    adjacency, one_hot = space.encode(cells)
    decoded, reason = space.decode(adjacency > 0.5, one_hot.argmax(axis=-1))
    assert decoded.shape == reason.shape == (4, 3) and not reason.any()
    np.testing.assert_array_equal(decoded.keys, cells.keys)


def test_decode_agrees_with_membership(everything):
    """Random matrices are valid exactly when their pruned cell is one of the 423,624."""
    space, rng = NasBench101Space(), np.random.default_rng(0)
    adjacency = np.triu(rng.random((20_000, 7, 7)) < 0.35, 1)
    ops = rng.integers(0, 5, (20_000, 7))
    ops[:, 0] = np.where(rng.random(20_000) < 0.9, INPUT, ops[:, 0])
    ops[:, 6] = np.where(rng.random(20_000) < 0.9, OUTPUT, ops[:, 6])
    ops[:, 1:6] = np.where(rng.random((20_000, 5)) < 0.9, 1 + ops[:, 1:6] % 3, ops[:, 1:6])
    cells, reason = space.decode(adjacency, ops)
    _, found = graphs.find(cells.keys, everything.keys)
    assert not (found < (reason == 0)).any()
    assert set(np.unique(reason)) == set(Invalid) - {
        Invalid.NOT_UPPER_TRIANGULAR, Invalid.TOO_MANY_VERTICES,
    }
    # What is invalid is no cell, save that its dead end may look like one once it is cut off.
    lost = found & (reason != 0)
    assert set(np.unique(reason[lost])) <= {Invalid.NO_OUTPUT_LAST, Invalid.NO_INPUT_FIRST}


def test_check_of_cells_that_are_not_pruned():
    space = NasBench101Space()
    dead = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    cells = _cells((dead, [0, 1, 1, 4]), (CHAIN, [0, 1, 4]), (EDGE, [0, 1]), ([[0]], [0]))
    assert [Invalid(code) for code in space.check(cells)] == [
        Invalid.DISCONNECTED, Invalid.VALID, Invalid.NO_OUTPUT_LAST, Invalid.NO_OUTPUT_LAST,
    ]
    nothing = CellGraphs(np.zeros((7, 7), np.uint8), np.full(7, PADDING_OP, np.int8), np.int8(0))
    assert space.check(nothing[None]).tolist() == [Invalid.NO_INPUT_FIRST]


def test_check_knows_the_limits_of_a_smaller_space():
    space = NasBench101Space(max_vertices=3, max_edges=2)
    chain4 = np.diag([1, 1, 1], 1)
    cells = _cells((CHAIN, [0, 1, 4]), (SKIP, [0, 1, 4]), (chain4, [0, 1, 1, 4]))
    assert space.check(cells).tolist() == [
        Invalid.VALID, Invalid.TOO_MANY_EDGES, Invalid.TOO_MANY_VERTICES,
    ]


def test_reasons_in_words():
    texts = [reason.text for reason in Invalid]
    assert texts[0] == "valid" and len(set(texts)) == len(Invalid) == 8
    assert Invalid.DISCONNECTED.text == "no path leads from input to output"
    assert "more than 9 edges" in Invalid.TOO_MANY_EDGES.text
    assert all("\n" not in text for text in texts)


def test_importing_the_space_does_not_import_tensorflow():
    code = (
        "import sys, nas_tf.spaces.nasbench101\n"
        "heavy = {'tensorflow', 'keras', 'spektral', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    root = pathlib.Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
