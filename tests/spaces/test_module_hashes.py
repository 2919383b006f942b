"""nas_tf/spaces/module_hashes.py."""

import hashlib

import numpy as np
import pytest

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import module_hashes
from nas_tf.spaces.nasbench101 import OFFICIAL_LABELS, NasBench101Space

SPACE = NasBench101Space()


def _cells(*pairs, max_nodes=7):
    matrices, ops = zip(*pairs)
    return CellGraphs.from_matrices(matrices, ops, max_nodes)


def _random_cells(count, seed=0):
    return SPACE.random_cells(np.random.default_rng(seed), (count,))


def _renumbered(cells, rng):
    """Cells whose interior nodes are renumbered at random; edges may lead backwards."""
    order = np.tile(np.arange(7), (len(cells), 1))
    for row, size in zip(order, cells.num_nodes):
        row[1 : size - 1] = rng.permutation(row[1 : size - 1])
    rows = np.arange(len(cells))[:, None]
    adjacency = cells.adjacency[rows[..., None], order[:, :, None], order[:, None, :]]
    return CellGraphs(adjacency, cells.ops[rows, order], cells.num_nodes)


def _plain_hash(matrix, ops):
    """The hash of one cell as the benchmark's authors define it, node by node."""
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    nodes = range(len(ops))
    before = [[w for w in nodes if matrix[w][v]] for v in nodes]
    after = [[w for w in nodes if matrix[v][w]] for v in nodes]
    colours = [
        md5(str((len(after[v]), len(before[v]), OFFICIAL_LABELS[ops[v]]))) for v in nodes
    ]
    for _ in nodes:
        colours = [
            md5("|".join([
                "".join(sorted(colours[w] for w in before[v])),
                "".join(sorted(colours[w] for w in after[v])),
                colours[v],
            ]))
            for v in nodes
        ]
    return md5(str(sorted(colours)))


@pytest.mark.parametrize("few", [0, 1000], ids=["together", "one by one"])
def test_every_hash_is_the_plain_one(monkeypatch, few):
    monkeypatch.setattr(module_hashes, "_FEW", few)
    monkeypatch.setattr(module_hashes, "_CELLS", 60)  # several parts of one size
    monkeypatch.setattr(module_hashes, "_MESSAGES", 50)
    cells = _random_cells(40, seed=3)
    cells = _renumbered(CellGraphs.concatenate([cells, SPACE.enumerate_cells()[:60]]),
                        np.random.default_rng(1))
    expected = [_plain_hash(*(part.tolist() for part in cells.matrix(i))) for i in range(100)]
    assert module_hashes.md5_hashes(cells, OFFICIAL_LABELS).tolist() == expected


def test_no_cells():
    hashes = module_hashes.md5_hashes(_random_cells(0), OFFICIAL_LABELS)
    assert hashes.shape == (0,) and hashes.dtype == "<U32"


@pytest.mark.parametrize(
    "edges, ops, expected",
    [
        # The first record of the released files.
        (
            "0100110001000000010010000010000001000000010000000",
            [0, 2, 3, 2, 2, 1, 4],
            "00005c142e6f48ac74fdcf73e3439874",
        ),
        # The Inception-like cell of the official README.
        (
            "0111010000000100000010000100000000100000010000000",
            [0, 1, 2, 2, 2, 3, 4],
            "28cfc7874f6d200472e1a9dcd8650aa0",
        ),
    ],
)
@pytest.mark.parametrize("few", [0, 1000], ids=["together", "one by one"])
def test_md5_of_published_cells(edges, ops, expected, few, monkeypatch):
    monkeypatch.setattr(module_hashes, "_FEW", few)
    cells = _cells((np.array(list(edges), int).reshape(7, 7), ops))
    hashes = module_hashes.md5_hashes(cells, OFFICIAL_LABELS)
    assert hashes.tolist() == [expected] and hashes.dtype == "<U32"
    assert SPACE.md5_hashes(cells).tolist() == [expected]
    rng = np.random.default_rng(0)
    assert SPACE.md5_hashes(_renumbered(cells, rng)).tolist() == [expected]


def test_md5_of_the_smallest_cell_by_hand():
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    source, target = md5("(1, 0, -1)"), md5("(0, 1, -2)")
    for _ in range(2):
        source, target = md5("|" + target + "|" + source), md5(source + "||" + target)
    expected = md5(str(sorted([source, target])))
    cells = _cells(([[0, 1], [0, 0]], [0, 4]))
    assert SPACE.md5_hashes(cells).tolist() == [expected] == ["043721b9c7fe8c5fad811d47d83132ec"]


def test_md5_and_keys_agree():
    cells = _random_cells(400, seed=5).reshape(20, 20)
    hashes = SPACE.md5_hashes(cells)
    assert hashes.shape == (20, 20)
    assert len(np.unique(hashes)) == len(np.unique(cells.keys))
    assert len(set(zip(hashes.ravel(), cells.keys.ravel()))) == len(np.unique(hashes))
