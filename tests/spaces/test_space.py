"""nas_tf/spaces/space.py: what a space of a user's own can and lacks."""

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace

CHAIN = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


class Least(SearchSpace):
    """Chains of one node with one of three operations, which can only be drawn."""

    name = "mine"
    title = "My space"
    max_nodes = 3
    op_names = ("input", "a", "b", "c", "output")

    def random_cells(self, rng, shape):
        ops = rng.integers(1, 4, int(np.prod(shape)))
        return _chains(ops).reshape(*shape)


class WithNeighbours(Least):
    """Has all others as neighbours of a cell; c has none."""

    def neighbours(self, cells):
        pairs = [
            (origin, op)
            for origin, here in enumerate(cells.ops[:, 1].tolist())
            for op in (1, 2, 3) if op != here and here != 3
        ]
        return _chains([op for _, op in pairs]), np.array([origin for origin, _ in pairs], int)


def _chains(ops):
    ops = list(ops)
    return CellGraphs.from_matrices([CHAIN] * len(ops), [[0, op, 4] for op in ops], 3)


def test_a_space_has_what_it_overrides():
    space = Least()
    assert space.has("random_cells")
    for ability in ("enumerate_cells", "mutate", "neighbours", "decisions", "graph_form", "check",
                    "encode", "decode", "counts_as_valid", "from_value", "to_values", "architectures"):
        assert not space.has(ability)
    assert WithNeighbours().has("neighbours") and WithNeighbours().has("mutate")


@pytest.mark.parametrize(
    "ask, what",
    [
        (lambda space, cells: space.enumerate_cells(), "a list of all cells"),
        (lambda space, cells: space.mutate(cells, np.random.default_rng(0)), "edits"),
        (lambda space, cells: space.neighbours(cells), "neighbours"),
        (lambda space, cells: space.decisions(cells), "categorical decisions"),
        (lambda space, cells: space.graph_form(cells), "a form as graphs"),
        (lambda space, cells: space.check(cells), "a check of cells"),
        (lambda space, cells: space.encode(cells), "an encoding as matrices"),
        (lambda space, cells: space.decode(None, None), "a decoding of matrices"),
        (lambda space, cells: space.counts_as_valid(None, None), "a decoding of matrices"),
        (lambda space, cells: space.from_value("x"), "a form as text"),
        (lambda space, cells: space.to_values(cells), "a form as text"),
        (lambda space, cells: space.architectures(cells), "networks"),
    ],
)
def test_what_a_space_lacks_is_said(ask, what):
    space = Least()
    cells = space.random_cells(np.random.default_rng(0), (2,))
    with pytest.raises(ConfigError, match=f"^space mine: it lacks {what}$"):
        ask(space, cells)


def test_edits_follow_from_neighbours():
    cells = _chains([1] * 3_000 + [2] * 3_000).reshape(2, 3_000)
    edited = WithNeighbours().mutate(cells, np.random.default_rng(1))
    assert edited.shape == (2, 3_000)
    count = [np.bincount(row, minlength=4)[1:].tolist() for row in edited.ops[..., 1]]
    assert count[0][0] == count[1][1] == 0
    assert abs(np.array(count[0][1:]) - 1500).max() < 110  # four standard deviations
    one = WithNeighbours().mutate(_chains([2])[0], np.random.default_rng(0))
    assert one.shape == () and one.ops[1] in (1, 3)


def test_a_cell_without_neighbours_cannot_be_edited():
    with pytest.raises(ConfigError, match="^space mine: cell 1 has no neighbour in it$"):
        WithNeighbours().mutate(_chains([1, 3]), np.random.default_rng(0))
