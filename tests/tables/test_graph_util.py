"""The official graph functions: worked examples, and one checked against the other."""

import itertools

import numpy as np
import pytest

from nas_tf.spaces import nasbench101
from nas_tf.tables import graph_util

DIAMOND = np.array([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
LABELS = [-1, 0, 1, -2]


def matrix_of(bits: int, size: int) -> np.ndarray:
    return np.fromfunction(graph_util.gen_is_edge_fn(bits), (size, size), dtype=np.int8)


def random_graphs(count: int, sizes=range(2, 8)):
    """Yields matrices in which every vertex is joined, and labels."""
    rng = np.random.default_rng(0)
    while count:
        size = int(rng.choice(list(sizes)))
        matrix = np.triu(rng.integers(0, 2, (size, size)), 1)
        if graph_util.is_full_dag(matrix):
            yield matrix, [-1, *rng.integers(0, 3, size - 2).tolist(), -2], rng
            count -= 1


def test_edges_from_bits():
    assert matrix_of(0b101101, 4).tolist() == [
        [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0],
    ]
    assert matrix_of(0b1011, 5)[:4, :4].tolist() == matrix_of(0b1011, 4).tolist()
    assert matrix_of(0b1011, 5)[:, 4].tolist() == [0] * 5
    is_edge = graph_util.gen_is_edge_fn(0b10)  # from 0 to 2 alone
    assert [int(is_edge(x, y)) for x, y in itertools.product(range(3), repeat=2)] == [
        0, 0, 1, 0, 0, 0, 0, 0, 0,
    ]
    assert np.fromfunction(is_edge, (3, 3)).tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="given by -1"):
        graph_util.gen_is_edge_fn(-1)


def test_every_bit_is_one_edge_also_in_large_graphs():
    pairs = [(x, y) for y in range(20) for x in range(y)]
    for bit, pair in enumerate(pairs):  # 190 bits, more than an int64 or an int8 index holds
        assert list(zip(*np.nonzero(matrix_of(1 << bit, 20)))) == [pair]


@pytest.mark.parametrize(
    "matrix, full",
    [
        (DIAMOND, True), (DIAMOND.tolist(), True), ([[0, 1], [0, 0]], True),
        ([[0, 0], [0, 0]], False),
        ([[0, 1, 1], [0, 0, 0], [0, 0, 0]], False),  # nothing leaves vertex 1
        ([[0, 0, 1], [0, 0, 1], [0, 0, 0]], False),  # nothing leads to it
    ],
)
def test_is_full_dag(matrix, full):
    assert graph_util.is_full_dag(matrix) is full


def test_num_edges():
    assert graph_util.num_edges(DIAMOND) == 4
    assert graph_util.num_edges(DIAMOND.astype(bool)) == 4
    assert graph_util.num_edges([[0, 1], [0, 0]]) == 1


def test_hash_of_a_published_cell():
    matrix = np.array(list("0100110001000000010010000010000001000000010000000"), int)
    labels = [-1, 0, 2, 0, 0, 1, -2]
    expected = "00005c142e6f48ac74fdcf73e3439874"
    assert graph_util.hash_module(matrix.reshape(7, 7), labels) == expected
    assert graph_util.hash_module(matrix.reshape(7, 7).tolist(), np.array(labels)) == expected
    assert graph_util.hash_module(matrix.reshape(7, 7).astype(bool), labels) == expected


def test_labels_are_any_values():
    one_hot = np.eye(4)[[0, 1, 2, 3]]
    first = graph_util.hash_module(DIAMOND, one_hot.tolist())
    assert first == graph_util.hash_module(DIAMOND, one_hot)
    assert first == graph_util.hash_module(DIAMOND, one_hot[[0, 2, 1, 3]].tolist())
    assert first != graph_util.hash_module(DIAMOND, one_hot[[0, 1, 1, 3]].tolist())
    assert graph_util.hash_module(DIAMOND, LABELS) != graph_util.hash_module(
        DIAMOND, [str(label) for label in LABELS]
    )
    assert graph_util.is_isomorphic((DIAMOND, one_hot), (DIAMOND, one_hot[[0, 2, 1, 3]].tolist()))


def test_a_permutation_says_where_vertices_go():
    chain = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]], np.int8)
    matrix, labels = graph_util.permute_graph(chain, ["a", "b", "c"], [2, 0, 1])
    assert matrix.tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]  # b to c, a to b
    assert labels == ["b", "c", "a"] and matrix.dtype == np.int8
    for wrong in ([0, 1], [0, 1, 1], [0, 1, 3]):
        with pytest.raises(ValueError, match="every number from 0 to 2 once"):
            graph_util.permute_graph(chain, ["a", "b", "c"], wrong)


@pytest.mark.parametrize(
    "one, other, isomorphic",
    [
        ((DIAMOND, LABELS), (DIAMOND, [-1, 1, 0, -2]), True),
        ((DIAMOND, LABELS), (DIAMOND.tolist(), [-1, 1, 1, -2]), False),
        ((DIAMOND, LABELS), (DIAMOND.T, LABELS), False),
        ((DIAMOND, LABELS), (DIAMOND.T, [-2, 0, 1, -1]), True),
        ((DIAMOND, LABELS), ([[0, 1], [0, 0]], [-1, -2]), False),
    ],
)
def test_is_isomorphic(one, other, isomorphic):
    assert graph_util.is_isomorphic(one, other) is isomorphic
    assert graph_util.is_isomorphic(other, one) is isomorphic


@pytest.mark.parametrize(
    "matrix, labels, message",
    [([[0, 1]], [-1, -2], "square"), (DIAMOND, [-1, 0, -2], "3 labels for 4 rows")],
)
def test_graphs_that_cannot_be(matrix, labels, message):
    with pytest.raises(ValueError, match=message):
        graph_util.hash_module(matrix, labels)
    with pytest.raises(ValueError, match=message):
        graph_util.is_isomorphic((matrix, labels), (DIAMOND, LABELS))
    with pytest.raises(ValueError, match=message):
        graph_util.permute_graph(matrix, labels, [0, 1, 2, 3])


@pytest.mark.parametrize("entry", [2, -1, 0.5, float("nan")])
def test_an_edge_is_there_or_not(entry):
    matrix, labels = [[0, entry], [0, 0]], [-1, -2]
    with pytest.raises(ValueError, match=f"has the entry {entry}, an edge is 0 or 1"):
        graph_util.hash_module(matrix, labels)
    with pytest.raises(ValueError, match="an edge is 0 or 1"):
        graph_util.is_isomorphic(([[0, 1], [0, 0]], labels), (matrix, labels))
    graph_util.hash_module([[0.0, 1.0], [0.0, 0.0]], labels)


def test_permuted_graphs_are_isomorphic_and_have_one_hash():
    for matrix, labels, rng in random_graphs(3000):
        order = rng.permutation(len(labels)).tolist()
        permuted = graph_util.permute_graph(matrix, labels, order)
        assert graph_util.is_isomorphic((matrix, labels), permuted)
        assert graph_util.hash_module(*permuted) == graph_util.hash_module(matrix, labels)
        back = graph_util.permute_graph(*permuted, np.argsort(order).tolist())
        assert back[0].tolist() == matrix.tolist() and back[1] == labels


def test_a_changed_edge_or_label_shows_in_both():
    found = {True: 0, False: 0}
    for matrix, labels, rng in random_graphs(2000, range(4, 8)):
        other, changed = matrix.copy(), labels[:]
        if rng.random() < 0.5:
            target = int(rng.integers(1, len(labels)))
            other[int(rng.integers(0, target)), target] ^= 1
        else:
            one, two = rng.choice(np.arange(1, len(labels) - 1), 2, replace=False)
            changed[one], changed[two] = changed[two], changed[one]
        same = graph_util.is_isomorphic((matrix, labels), (other, changed))
        hashes = graph_util.hash_module(matrix, labels), graph_util.hash_module(other, changed)
        assert same == (hashes[0] == hashes[1])
        found[same] += 1
    assert min(found.values()) > 300, found


def test_isomorphism_is_that_of_trying_all_permutations():
    graphs = [(matrix, labels) for matrix, labels, _ in random_graphs(40, (3, 4, 5))]
    found = {True: 0, False: 0}
    for one, other in itertools.combinations(graphs, 2):
        if len(one[1]) == len(other[1]):
            every = (graph_util.permute_graph(*one, order)
                     for order in itertools.permutations(range(len(one[1]))))
            tried = any(matrix.tolist() == other[0].tolist() and labels == other[1]
                        for matrix, labels in every)
            assert graph_util.is_isomorphic(one, other) is tried
            found[tried] += 1
    assert min(found.values()) > 5, found


def test_the_benchmarks_generator_finds_its_cells():
    """Every graph of up to five vertices with every labeling, equal hashes checked."""
    buckets = {}
    for size in range(2, 6):
        for bits in range(1 << size * (size - 1) // 2):
            matrix = matrix_of(bits, size)
            if graph_util.num_edges(matrix) > 9 or not graph_util.is_full_dag(matrix):
                continue
            for interior in itertools.product(range(3), repeat=size - 2):
                graph = matrix.tolist(), [-1, *interior, -2]
                first = buckets.setdefault(graph_util.hash_module(*graph), graph)
                assert first is graph or graph_util.is_isomorphic(first, graph)
    cells = nasbench101.NasBench101Space(max_vertices=5).enumerate_cells()
    assert len(buckets) == len(cells) == 2532
    assert set(buckets) == set(nasbench101.NasBench101Space().md5_hashes(cells).tolist())
