"""Tests of nas_tf.baselines.categorical_reinforce."""

import math

import numpy as np
import pytest

from nas_tf import core
from nas_tf.baselines import categorical
from nas_tf.baselines import categorical_reinforce
from nas_tf.spaces.nasbench101 import NasBench101Space


def search_of(toy, count, seeds, **settings):
    return categorical_reinforce.CategoricalReinforce(
        toy.cells(range(2**count)), toy.switches(count), seeds=seeds, **settings
    )


def reference(num_choices, accuracy, uniform, rate, momentum, adam):
    """REINFORCE for one run, plainly; every code is a cell, numbered as in a grid."""
    logits = [[0.0] * count for count in num_choices]
    first = [[0.0] * count for count in num_choices]
    second = [[0.0] * count for count in num_choices]
    numerator = denominator = 0.0
    queried, steps = [], 0
    size = len(num_choices)
    for draws in uniform:
        odds = [[math.exp(x) for x in row] for row in logits]
        chance = [[x / sum(row) for x in row] for row in odds]
        numbers = categorical.expand(draws[1:2], 0, 256 * size)[0].reshape(256, size)
        for row in numbers:
            code = []
            for number, shares in zip(row, chance, strict=True):
                above = [c for c in range(len(shares)) if number < sum(shares[: c + 1])]
                code.append(above[0] if above else len(shares) - 1)
            cell = int(np.ravel_multi_index(code, num_choices))
            if cell not in queried:
                break
        else:  # none of them is new
            left = [cell for cell in range(len(accuracy)) if cell not in queried]
            queried.append(left[int(draws[0] * len(left))])
            continue
        queried.append(cell)
        if np.isnan(accuracy[cell]):
            continue
        numerator = momentum * numerator + (1 - momentum) * accuracy[cell]
        denominator = momentum * denominator + (1 - momentum)
        advantage = accuracy[cell] - numerator / denominator
        steps += 1
        for d, chosen in enumerate(code):
            for c in range(num_choices[d]):
                step = advantage * ((c == chosen) - chance[d][c])
                if adam:
                    first[d][c] = 0.9 * first[d][c] + 0.1 * step
                    second[d][c] = 0.999 * second[d][c] + 0.001 * step**2
                    step = first[d][c] / (1 - 0.9**steps)
                    step /= math.sqrt(second[d][c] / (1 - 0.999**steps)) + 1e-8
                logits[d][c] += rate * step
    return queried


@pytest.mark.parametrize("optimizer, rate", [("sgd", 5.0), ("adam", 0.2)])
def test_trace_equals_a_plain_implementation(toy, optimizer, rate):
    values = 0.5 + 0.3 * np.random.default_rng(3).random(1024)
    values[::6] = np.nan
    search = search_of(
        toy, 10, [7, 8], learning_rate=rate, baseline_momentum=0.8, optimizer=optimizer
    )
    trace = toy.run(search, 120, values)
    for row, seed in enumerate([7, 8]):
        uniform = toy.uniform(seed, core.Stream.CATEGORICAL_REINFORCE, 4, 120)
        expected = reference((2,) * 10, values, uniform, rate, 0.8, optimizer == "adam")
        assert trace[row].tolist() == expected


def two_queries(toy, optimizer):
    """Rewards 0.5 and 0.7: the average is (0.9 x 0.05 + 0.1 x 0.7) / 0.19 = 0.605263."""
    search = search_of(toy, 2, [0], learning_rate=0.1, optimizer=optimizer)
    search.update(toy.answer(search.suggest(), dict.fromkeys(range(4), 0.5)))
    assert (search._logits == 0).all()  # the first reward is the average
    search.update(toy.answer(search.suggest(), dict.fromkeys(range(4), 0.7)))
    chosen = search.state()["codes"][0, 1]
    return [search._logits[0, d, c] for d, c in enumerate(chosen)], [
        search._logits[0, d, 1 - c] for d, c in enumerate(chosen)
    ]


def test_an_ascent_by_hand(toy):
    """0.1 x (0.7 - 0.605263) x (1 - 0.5)."""
    chosen, other = two_queries(toy, "sgd")
    np.testing.assert_allclose(chosen, [0.00473684] * 2, rtol=1e-5)
    np.testing.assert_allclose(other, [-0.00473684] * 2, rtol=1e-5)


def test_a_step_of_adam_by_hand(toy):
    """0.1 x (0.1 / 0.19) / sqrt(0.001 / 0.001999), whatever the size of the gradient."""
    chosen, other = two_queries(toy, "adam")
    np.testing.assert_allclose(chosen, [0.0744136] * 2, rtol=1e-5)
    np.testing.assert_allclose(other, [-0.0744136] * 2, rtol=1e-5)


def test_first_cells_are_uniform(toy):
    """Chi-square over 16 cells: above 37.7 once in 1,000 times."""
    first = search_of(toy, 4, range(1600)).suggest().cells.keys[:, 0].astype(int)
    counts = np.bincount(first, minlength=16)
    assert np.square(counts - 100).sum() / 100 < 37.7


def test_what_is_accurate_becomes_likelier(toy):
    """Half of the cells, those whose first switch is on, are better."""
    search = search_of(toy, 10, range(50), learning_rate=0.05, optimizer="adam")
    trace = toy.run(search, 120, np.where(np.arange(1024) >= 512, 0.9, 0.8))
    share = (trace >= 512).mean(axis=0)
    assert 0.4 < share[:20].mean() < 0.65
    assert share[-20:].mean() > 0.85


def test_a_cell_that_was_not_drawn_teaches_nothing(toy, cells):
    """Codes of 7 vertices hardly ever are one of these six cells."""
    largest = cells[np.flatnonzero(cells.num_edges == 9)[:6]]
    search = categorical_reinforce.CategoricalReinforce(
        largest, NasBench101Space().decisions(), seeds=range(3, 6), learning_rate=1.0
    )
    accuracy = dict(zip(largest.keys.tolist(), np.linspace(0.1, 0.9, 6), strict=True))
    trace = toy.run(search, 6, accuracy)
    assert (np.sort(trace, axis=1) == np.sort(largest.keys)).all()
    drawn = search.state()["codes"][..., 0] >= 0
    assert drawn.sum() <= 2
    assert (search._logits[~drawn.any(axis=1)] == 0).all()
