"""Tests of nas_tf.baselines.local_search."""

import numpy as np
import pytest

from nas_tf import core
from nas_tf.baselines import local_search

A, B, C, D, E, F, G = range(7)


def reference(near, accuracy, uniform, full):
    """Local search for one run, plainly. `near` is a list of cells for every cell."""
    queried, centre = {}, None  # accuracies by cell, -inf where infeasible; a cell
    for (draw,) in uniform:
        choice = range(len(near)) if centre is None else sorted(near[centre])
        choice = [cell for cell in choice if cell not in queried]
        cell = choice[int(draw * len(choice))]
        queried[cell] = -np.inf if np.isnan(accuracy[cell]) else accuracy[cell]
        if centre is None and queried[cell] > -np.inf:
            centre = cell
        while centre is not None:
            known = [cell for cell in sorted(near[centre]) if cell in queried]
            best = max(known, key=queried.get, default=centre)
            complete = len(known) == len(near[centre])
            if queried[best] > queried[centre] and (complete or not full):
                centre = best
            elif complete:
                centre = None
            else:
                break
    return list(queried)


@pytest.mark.parametrize("full", [True, False])
def test_trace_equals_a_plain_implementation(toy, space, numbered, near, accuracy, full):
    values = [accuracy[key] for key in numbered.keys.tolist()]
    search = local_search.LocalSearch(numbered, space, seeds=[7, 8], full_neighbourhood=full)
    trace = np.searchsorted(numbered.keys, toy.run(search, 200, accuracy))
    for row, seed in enumerate([7, 8]):
        assert trace[row].tolist() == reference(near, values, toy.uniform(seed, core.Stream.LOCAL_SEARCH, 1, 200), full)


def search_of(toy, num_cells, edges, runs, **options):
    return local_search.LocalSearch(
        toy.cells(range(num_cells)), toy.space(edges), seeds=range(runs), **options
    )


def test_the_optimum_of_a_unimodal_pool_is_reached(toy):
    """0 - 1 - ... - 6, the higher the better: both neighbours of the start, then one a step."""
    search = search_of(toy, 7, [(i, i + 1) for i in range(6)], 200)
    trace = toy.run(search, 7, {cell: 0.1 * cell for cell in range(7)})
    needed = (trace == 6).argmax(axis=1) + 1
    expected = {0: {7}, 1: {7}, 2: {6}, 3: {5}, 4: {4}, 5: {2, 3}, 6: {1}}
    for start in range(7):
        assert set(needed[trace[:, 0] == start].tolist()) == expected[start]


FORK = [(0, 1), (0, 2), (1, 3), (2, 4)]
FORK_ACCURACY = {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4, 4: 0.5}


def test_all_neighbours_are_queried_before_the_best_is_moved_to(toy):
    trace = toy.run(search_of(toy, 5, FORK, 200), 4, FORK_ACCURACY).tolist()
    trace = {tuple(run) for run in trace if run[0] == 0}
    assert trace == {(0, 1, 2, 4), (0, 2, 1, 4)}


def test_the_variant_moves_at_the_first_improvement(toy):
    search = search_of(toy, 5, FORK, 200, full_neighbourhood=False)
    trace = toy.run(search, 3, FORK_ACCURACY).tolist()
    assert {tuple(run) for run in trace if run[0] == 0} == {(0, 1, 3), (0, 2, 4)}


def test_a_local_optimum_is_left_for_a_random_cell(toy):
    """Two peaks apart, 0 - 1 and 2 - 3, and three cells without neighbours."""
    search = search_of(toy, 7, [(0, 1), (2, 3)], 300)
    trace = toy.run(search, 3, {0: 0.2, 1: 0.1, 2: 0.2, 3: 0.1, 4: 0.9, 5: 0.9, 6: 0.9}).tolist()
    assert {tuple(run) for run in trace if run[0] == 0} == {(0, 1, i) for i in range(2, 7)}
    assert {run[1] for run in trace if run[0] == 4} == {0, 1, 2, 3, 5, 6}


def test_equal_neighbours_are_not_moved_to(toy):
    trace = toy.run(search_of(toy, 4, [(0, 1), (1, 2)], 200), 3, dict.fromkeys(range(4), 0.5))
    assert {tuple(run) for run in trace.tolist() if run[0] == 0} == {(0, 1, 2), (0, 1, 3)}


def test_infeasible_cells_are_skipped(toy):
    """0 - 1 - 2 - 3 with 1 infeasible: nothing leads past it, and no climb begins at it."""
    trace = toy.run(search_of(toy, 5, [(0, 1), (1, 2), (2, 3)], 400), 3, {
        0: 0.1, 1: np.nan, 2: 0.2, 3: 0.3, 4: 0.1
    }).tolist()
    assert {tuple(run) for run in trace if run[0] == 0} == {(0, 1, 2), (0, 1, 3), (0, 1, 4)}
    assert {run[1] for run in trace if run[0] == 1} == {0, 2, 3, 4}


def test_known_neighbours_count_without_another_query(toy):
    """From peak A, B and C are known. A climb from D goes by E and B, both queried, to F."""
    edges = [(A, B), (A, C), (D, E), (E, B), (B, F)]
    accuracy = {A: 0.5, B: 0.4, C: 0.3, D: 0.1, E: 0.2, F: 0.1, G: 0.9}
    trace = toy.run(search_of(toy, 7, edges, 400), 6, accuracy).tolist()
    found = {tuple(run) for run in trace if run[0] == A and run[3] == D}
    assert found == {(A, B, C, D, E, F), (A, C, B, D, E, F)}
