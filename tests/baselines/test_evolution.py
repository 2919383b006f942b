"""Tests of nas_tf.baselines.evolution."""

import numpy as np

from nas_tf import core
from nas_tf.baselines import evolution

RING = [(i, (i + 1) % 10) for i in range(10)]


def reference(near, accuracy, uniform, size):
    """Regularized evolution for one run, plainly. `near` is a list of cells for every cell."""
    queried, population = [], []  # of (accuracy, cell), oldest first
    joined = 0
    for draws in uniform:
        left = [cell for cell in range(len(near)) if cell not in queried]
        cell = left[int(draws[0] * len(left))]
        if len(population) == size:
            ring = population[size - joined % size :] + population[: size - joined % size]
            drawn = [ring[int(draw * size)] for draw in draws[1:]]
            parent = max(drawn, key=lambda member: member[0])[1]  # the first of equals
            fresh = [child for child in sorted(near[parent]) if child not in queried]
            if fresh:
                cell = fresh[int(draws[0] * len(fresh))]
        queried.append(cell)
        if not np.isnan(accuracy[cell]):
            population = (population + [(accuracy[cell], cell)])[-size:]
            joined += 1
    return queried


def test_trace_equals_a_plain_implementation(toy, space, numbered, near, accuracy):
    values = [accuracy[key] for key in numbered.keys.tolist()]
    search = evolution.RegularizedEvolution(
        numbered, space, seeds=[7, 8], population_size=12, tournament_size=4
    )
    trace = np.searchsorted(numbered.keys, toy.run(search, 120, accuracy))
    for row, seed in enumerate([7, 8]):
        uniform = toy.uniform(seed, core.Stream.EVOLUTION, 5, 120)
        assert trace[row].tolist() == reference(near, values, uniform, 12)


def test_the_population_ages_out(toy):
    """A population of one is its last cell, however good the one before: a walk round the ring."""
    search = evolution.RegularizedEvolution(
        toy.cells(range(10)), toy.space(RING), seeds=range(50), population_size=1, tournament_size=1
    )
    accuracy = {cell: 0.9 - 0.01 * cell for cell in range(10)}
    steps = np.diff(toy.run(search, 10, accuracy).astype(np.int64), axis=1) % 10
    assert (steps == steps[:, :1]).all()
    assert set(steps[:, 0].tolist()) == {1, 9}


def test_a_cell_leaves_after_as_many_queries_as_the_population_has_members(toy):
    """Three members: a child's parent is among the three cells before it."""
    size = 400
    search = evolution.RegularizedEvolution(
        toy.cells(range(size)),
        toy.space([(i, (i + step) % size) for i in range(size) for step in range(1, 6)]),
        seeds=range(100),
        population_size=3,
        tournament_size=3,
    )
    trace = toy.run(search, 10, {cell: 0.5 + cell / 1000 for cell in range(size)}).astype(np.int64)
    for query in range(3, 10):
        distance = np.abs(trace[:, query - 3 : query] - trace[:, query : query + 1])
        assert (np.minimum(distance, size - distance).min(axis=1) <= 5).all()


def test_infeasible_cells_do_not_join(toy):
    """Only 0 is feasible; once known it stays the parent until its neighbours are used up."""
    search = evolution.RegularizedEvolution(
        toy.cells(range(10)),
        toy.space([(0, 1), (0, 2), (0, 3), (3, 4), (4, 5)]),
        seeds=range(40),
        population_size=1,
        tournament_size=1,
    )
    accuracy = dict.fromkeys(range(10), np.nan) | {0: 0.5}
    for run in toy.run(search, 10, accuracy).tolist():
        before, after = run[: run.index(0)], run[run.index(0) + 1 :]
        left = {1, 2, 3}.difference(before)
        assert set(after[: len(left)]) == left
        assert sorted(run) == list(range(10))  # what follows is random, and new


def test_the_best_of_the_tournament_is_the_parent(toy):
    """Two members, tournaments of two with replacement: the better one wins 3 of 4 times.

    Cells 0 and 1 are feasible, their neighbours are not. Counted are the first children of runs
    whose members had no child before.
    """
    edges = [(parent, child) for parent in (0, 1) for child in range(2 + parent, 60, 2)]
    search = evolution.RegularizedEvolution(
        toy.cells(range(60)),
        toy.space(edges),
        seeds=range(3000),
        population_size=2,
        tournament_size=2,
    )
    accuracy = dict.fromkeys(range(60), np.nan) | {0: 0.9, 1: 0.8}
    trace = toy.run(search, 40, accuracy).astype(np.int64)
    seeded = np.maximum((trace == 0).argmax(axis=1), (trace == 1).argmax(axis=1))
    known = (trace == 0).any(axis=1) & (trace == 1).any(axis=1) & (seeded < 39)
    child = trace[known, seeded[known] + 1]
    share = (child % 2 == 0).mean()
    assert known.sum() > 1000
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / known.sum())
