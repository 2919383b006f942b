"""Pools whose cells are their keys, spaces that are plain graphs, and searches run over them."""

import types

import numpy as np
import pytest

from nas_tf import core
from nas_tf.pools import pool
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.space import SearchSpace


class GraphSpace(SearchSpace):
    """A space whose cells have the neighbours of a literal graph.

    Attributes:
        asked: keys of all cells whose neighbours were asked for, in order.
    """

    def __init__(self, edges):
        self.lists = {}
        for first, second in edges:
            self.lists.setdefault(first, []).append(second)
            self.lists.setdefault(second, []).append(first)
        self.asked = []

    def neighbours(self, cells):
        keys = cells.keys.tolist()
        self.asked += keys
        found = [self.lists.get(key, []) for key in keys]
        origin = np.repeat(np.arange(len(keys)), [len(near) for near in found])
        return cells_of(sum(found, [])), origin


def cells_of(keys):
    """Returns cells with given keys; their graphs are all the same."""
    count = len(keys)
    return CellGraphs(
        np.zeros((count, 2, 2), np.uint8), np.zeros((count, 2), np.int8), np.full(count, 2, np.int8)
    ).with_keys(np.array(keys, np.uint64))


def answer(suggestion, accuracy, active=None):
    """Returns feedback; `accuracy` maps keys to accuracies, NaN where infeasible."""
    keys = suggestion.cells.keys
    found = np.array([accuracy[key] for key in keys.ravel().tolist()]).reshape(keys.shape)
    return core.Feedback(
        cells=suggestion.cells,
        feasible=~np.isnan(found),
        validation_accuracy=found,
        cost_sec=np.ones(keys.shape),
        active=np.ones(len(keys), bool) if active is None else np.asarray(active),
    )


def run(search, queries, accuracy, active=None):
    """Returns the keys queried, uint64 [R, queries]."""
    trace = []
    for _ in range(queries):
        suggestion = search.suggest()
        trace.append(suggestion.cells.keys[:, 0])
        search.update(answer(suggestion, accuracy, active))
    return np.stack(trace, axis=1)


def uniform(seed, stream, width, queries):
    """Returns the random numbers of a run, float64 [queries, width]."""
    blocks = [
        core.generator(seed, stream, block).random((32, width))
        for block in range(-(-queries // 32))
    ]
    return np.concatenate(blocks)[:queries]


class Switches:
    """Codes of `count` decisions with two choices; the cell's key is their binary number."""

    def __init__(self, count):
        self.num_choices = (2,) * count

    def encode(self, cells):
        return np.stack(np.unravel_index(cells.keys.astype(int), self.num_choices), -1).astype("i1")

    def decode(self, codes):
        places = np.ravel_multi_index(np.moveaxis(codes, -1, 0), self.num_choices)
        return cells_of(places.ravel()).reshape(*places.shape), np.ones(places.shape, bool)


@pytest.fixture(scope="session")
def toy():
    """Returns the functions above."""
    return types.SimpleNamespace(
        space=GraphSpace, switches=Switches, cells=cells_of, answer=answer, run=run, uniform=uniform
    )


@pytest.fixture(scope="session")
def space():
    """NAS-Bench-101's space of at most 5 vertices."""
    return NasBench101Space(max_vertices=5)


@pytest.fixture(scope="session")
def cells(space):
    """All its cells, [2532]."""
    return space.enumerate_cells()


@pytest.fixture(scope="session")
def accuracy(cells):
    """An accuracy of every cell by key, smooth over edits; every fifth cell is infeasible."""
    noise = np.random.default_rng(0).normal(size=len(cells))
    values = 0.7 + 0.02 * (cells.ops == 2).sum(axis=1) + 0.01 * cells.num_edges + 0.01 * noise
    values[::5] = np.nan
    return dict(zip(cells.keys.tolist(), values.tolist(), strict=True))


@pytest.fixture(scope="session")
def numbered(cells):
    """The same cells in the order in which strategies number them."""
    return pool.unique_cells(cells)


@pytest.fixture(scope="session")
def near(numbered, space):
    """A list of neighbours of every cell, by these numbers."""
    candidates, origin = space.neighbours(numbered)
    lists = [[] for _ in range(len(numbered))]
    for cell, key in zip(origin.tolist(), candidates.keys, strict=True):
        lists[cell].append(int(np.searchsorted(numbered.keys, key)))
    return lists
