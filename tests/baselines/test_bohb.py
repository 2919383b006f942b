"""Tests of nas_tf.baselines.bohb."""

import itertools

import numpy as np
import pytest

from nas_tf import core
from nas_tf import search_loop
from nas_tf.baselines import bohb
from nas_tf.baselines import categorical
from nas_tf.evaluators.budget import Budget
from nas_tf.evaluators.tabular import TabularEvaluator
from nas_tf.spaces.nasbench101 import NasBench101Space


def test_brackets_of_the_nasbench101_study():
    assert bohb.brackets(4, 3) == [
        [(0, 27), (1, 9), (2, 3), (3, 1)],
        [(1, 9), (2, 3), (3, 1)],
        [(2, 6), (3, 2)],
        [(3, 4)],
    ]


def test_brackets_of_fewer_budgets():
    assert bohb.brackets(3, 3) == [[(0, 9), (1, 3), (2, 1)], [(1, 3), (2, 1)], [(2, 3)]]
    assert bohb.brackets(2, 4) == [[(0, 4), (1, 1)], [(1, 2)]]


def test_the_best_in_their_order():
    nan = np.nan
    accuracy = [[0.3, 0.9, nan, 0.5], [0.5, 0.2, 0.5, 0.5], [nan, nan, 0.1, nan]]
    assert bohb.best(np.array(accuracy), 2).tolist() == [[1, 3], [0, 2], [2, 4]]


def test_a_bandwidth_by_hand():
    """Four codes of one decision, half of them 1: 1.06 x 0.5 x 4^(-1/5)."""
    codes = np.array([[[0], [1], [1], [0]]], np.int8)
    np.testing.assert_allclose(bohb.bandwidths(codes, np.array([2]), 0.1), [[0.401665]], rtol=1e-5)


def test_a_bandwidth_does_not_depend_on_the_numbers_of_the_choices():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, (3, 20, 4)).astype(np.int8)
    renamed = np.array([3, 0, 4, 1, 2], np.int8)[codes]
    choices = np.full(4, 5)
    np.testing.assert_allclose(
        bohb.bandwidths(codes, choices, 0.01), bohb.bandwidths(renamed, choices, 0.01), rtol=1e-12
    )


def test_bandwidths_have_bounds():
    same = np.zeros((1, 6, 2), np.int8)
    assert bohb.bandwidths(same, np.array([2, 3]), 0.3).tolist() == [[0.3, 0.3]]
    found = bohb.bandwidths(same, np.array([2, 3]), 1.0)
    np.testing.assert_allclose(found, [[1 / 2, 2 / 3]])


def test_a_density_by_hand():
    """Two decisions with 2 and 3 choices, bandwidths 0.25 and 0.4; codes 00, 02."""
    codes, samples = np.array([[[0, 0], [0, 2]]], np.int8), np.array([[[0, 0], [1, 1]]], np.int8)
    found = bohb.density(samples, codes, np.array([[0.25, 0.4]]), np.array([2, 3]))
    np.testing.assert_allclose(found, [[0.75 * (0.6 + 0.2) / 2, 0.25 * 0.2]], rtol=1e-5)


def test_a_density_sums_to_one():
    rng = np.random.default_rng(1)
    codes = np.stack([rng.integers(0, count, (2, 9)) for count in (2, 3, 5)], -1).astype(np.int8)
    every = list(itertools.product(range(2), range(3), range(5)))
    samples = np.broadcast_to(np.array(every, np.int8), (2, 30, 3))
    widths = rng.uniform(0.05, 0.5, (2, 3))
    total = bohb.density(samples, codes, widths, np.array([2, 3, 5])).sum(axis=1)
    np.testing.assert_allclose(total, [1, 1], rtol=1e-5)


def test_a_density_does_not_vanish():
    codes, sample = np.zeros((1, 1, 40), np.int8), np.ones((1, 1, 40), np.int8)
    found = bohb.density(sample, codes, np.full((1, 40), 1e-3), np.full(40, 2))
    np.testing.assert_allclose(found, [[1e-32]], rtol=1e-5)


def search_of(toy, count, seeds, **settings):
    settings = {"epochs": [4, 12, 36]} | settings
    return bohb.Bohb(toy.cells(range(2**count)), toy.switches(count), seeds=seeds, **settings)


def run(toy, search, queries, accuracy):
    """Returns keys int [R, queries] and epochs [queries]; `accuracy` may depend on epochs."""
    keys, epochs = [], []
    for _ in range(queries):
        suggestion = search.suggest()
        keys.append(suggestion.cells.keys[:, 0].astype(int))
        epochs.append(suggestion.epochs)
        values = accuracy[suggestion.epochs] if isinstance(accuracy, dict) else accuracy
        search.update(toy.answer(suggestion, values))
    return np.stack(keys, axis=1), epochs


def test_epochs_of_a_round(toy):
    _, epochs = run(toy, search_of(toy, 6, [0]), 22, np.full(64, 0.5))
    round_ = [4] * 9 + [12] * 3 + [36] + [12] * 3 + [36] + [36] * 3
    assert epochs == round_ + [4, 4]


def test_the_best_third_advances(toy):
    """Accuracy grows with the number at 4 epochs and falls with it at 12."""
    up = np.linspace(0.1, 0.9, 64)
    keys, _ = run(toy, search_of(toy, 6, range(30)), 20, {4: up, 12: up[::-1], 36: up})
    for row in keys.tolist():
        first, second, third = row[:9], row[9:12], row[12]
        assert second == [key for key in first if key in sorted(first)[-3:]]
        assert third == min(second)
        assert row[16] == min(row[13:16])
        assert len(set(first + row[13:16] + row[17:])) == 15  # all others are new


def test_new_cells_take_the_place_of_infeasible_ones(toy):
    """One cell in four is feasible: the rung of three has all feasible ones, then new ones."""
    accuracy = np.where(np.arange(64) % 4 == 0, 0.5, np.nan)
    keys, epochs = run(toy, search_of(toy, 6, range(50)), 13, accuracy)
    assert epochs == [4] * 9 + [12] * 3 + [36]
    fewer = 0
    for row in keys.tolist():
        sound = [key for key in row[:9] if key % 4 == 0][:3]
        assert row[9 : 9 + len(sound)] == sound
        assert not set(row[9 + len(sound) : 12]) & set(row[:9])
        fewer += len(sound) < 3
    assert fewer > 10


def reference(num_choices, accuracy, uniform, settings):
    """BOHB for one run, plainly; every code is a cell, numbered as in a grid."""
    size, fraction, samples = len(num_choices), settings["random_fraction"], settings["num_samples"]
    plan = [
        (place, budget, cells, before)
        for bracket in bohb.brackets(3, 3)
        for (budget, cells), before in zip(bracket, [0] + [n for _, n in bracket], strict=False)
        for place in range(cells)
    ]
    asked = []  # of (cell, code, budget)
    for query, draws in enumerate(uniform):
        place, budget, cells, before = plan[query % len(plan)]
        known = {cell for cell, *_ in asked}
        if before:
            rung = asked[query - place - before : query - place]
            ranked = sorted(rung, key=lambda entry: -accuracy[entry[0]])[:cells]
            chosen = [entry for entry in rung if entry in ranked][place]
            asked.append((*chosen[:2], budget))
            continue
        codes = []
        if draws[3] >= fraction:
            codes = ranked_samples(asked, accuracy, draws[2], num_choices, samples)
        numbers = categorical.expand(draws[1:2], 0, 32 * size)[0].reshape(32, size)
        codes += [[int(u * c) for u, c in zip(row, num_choices, strict=True)] for row in numbers]
        numbered = [(int(np.ravel_multi_index(code, num_choices)), code) for code in codes]
        asked.append((*next(pair for pair in numbered if pair[0] not in known), budget))
    return [cell for cell, *_ in asked]


def ranked_samples(asked, accuracy, draw, num_choices, samples):
    size = len(num_choices)
    for budget in (2, 1, 0):
        entries = [entry for entry in asked if entry[2] == budget]
        good = max(size + 1, len(entries) * 15 // 100)
        if len(entries) - good >= size + 1:
            break
    else:
        return []
    entries = sorted(entries, key=lambda entry: -accuracy[entry[0]])
    codes = np.array([[code for _, code, _ in entries]], np.int8)
    codes = codes[:, :good], codes[:, good:]
    choices = np.array(num_choices)
    widths = [bohb.bandwidths(part, choices, 0.3) for part in codes]
    numbers = categorical.expand(np.array([draw]), 0, samples * (1 + 2 * size))[0]
    found = []
    for row in numbers.reshape(samples, -1):
        code = codes[0][0, int(row[0] * good)].tolist()
        for d in range(size):
            if row[1 + d] < widths[0][0, d]:
                code[d] = int(row[1 + size + d] * num_choices[d])
        found.append(code)
    every = np.array([found], np.int8)
    score = [bohb.density(every, part, width, choices)[0] for part, width in zip(codes, widths)]
    order = sorted(range(samples), key=lambda place: -(score[0] / score[1])[place])
    return [found[place] for place in order]


@pytest.mark.parametrize("fraction", [0.0, 1 / 3, 1.0])
def test_trace_equals_a_plain_implementation(toy, fraction):
    """150 queries: models of 4 epochs, later of 12."""
    values = 0.5 + 0.3 * np.random.default_rng(3).random(1024)
    settings = {"random_fraction": fraction, "num_samples": 20}
    keys, _ = run(toy, search_of(toy, 10, [7, 8], **settings), 150, values)
    for row, seed in enumerate([7, 8]):
        uniform = toy.uniform(seed, core.Stream.BOHB, 4, 150)
        assert keys[row].tolist() == reference((2,) * 10, values, uniform, settings)


def test_the_model_begins_as_soon_as_it_can(toy):
    """Six decisions: 7 good and 7 other cells of 4 epochs; 9 are of the first 20 queries."""
    search, counts = search_of(toy, 6, [0]), []
    for _ in range(26):
        counts.append(len(search._model_queries()))
        run(toy, search, 1, np.linspace(0.1, 0.9, 64))
    assert counts == [0] * 25 + [14]


def test_the_model_is_of_the_most_epochs_with_enough_queries(toy):
    """Eight decisions, 18 queries: at 4 epochs 9 a round, at 12 epochs 6, at 36 epochs 5."""
    search, epochs = search_of(toy, 8, [0]), []
    for _ in range(4):
        run(toy, search, 20, np.linspace(0.1, 0.9, 256))
        epochs.append({search._slot(query).budget for query in search._model_queries()})
    assert epochs == [set(), {0}, {1}, {2}]


def test_better_than_at_random(toy):
    """Accuracy is the share of switches that are on."""
    values = np.array([bin(key).count("1") for key in range(4096)]) / 12
    found = {}
    for fraction in (1 / 3, 1.0):
        search = search_of(toy, 12, range(40), random_fraction=fraction)
        keys, _ = run(toy, search, 160, values)
        found[fraction] = values[keys].max(axis=1).mean()
    assert found[1 / 3] > found[1.0] + 0.03


def test_without_new_cells_to_draw_any_will_do(toy, cells):
    """Codes of 7 vertices hardly ever are one of these cells; what is kept is a code of each."""
    largest = cells[np.flatnonzero(cells.num_edges == 9)[:40]]
    encoding = NasBench101Space().decisions()
    search = bohb.Bohb(largest, encoding, seeds=range(2), epochs=[4, 12])
    accuracy = dict(zip(largest.keys.tolist(), np.linspace(0.1, 0.9, 40), strict=True))
    trace = toy.run(search, 12, accuracy)
    np.testing.assert_array_equal(encoding.decode(search.state()["codes"])[0].keys, trace)


class Tables(core.Evaluator):
    """Answers at several epochs."""

    def __init__(self, tables):
        self._tables = tables

    def evaluate(self, suggestion, query):
        return self._tables[suggestion.epochs].evaluate(suggestion, query)


def test_a_search_resumes_from_its_file(cells, accuracy, tmp_path):
    known = np.flatnonzero(~np.isnan(list(accuracy.values())))
    values = np.array(list(accuracy.values()))[known]
    tables = Tables({
        epochs: TabularEvaluator(
            cells.keys[known], values[:, None] - 1 / epochs, test_accuracy=values,
            cost_sec=np.full((len(known), 1), float(epochs)), seeds=[0, 1], epochs=epochs,
        )
        for epochs in (4, 12, 36)
    })

    def make():
        encoding = NasBench101Space(5).decisions()
        return bohb.Bohb(cells, encoding, seeds=[0, 1], epochs=[4, 12, 36])

    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=0)
    whole = search_loop.run_search(make(), tables, Budget(60), num_runs=2).history
    search_loop.run_search(make(), tables, Budget(25), num_runs=2, checkpoint=checkpoint)
    resumed = search_loop.run_search(make(), tables, Budget(60), num_runs=2, checkpoint=checkpoint)
    np.testing.assert_array_equal(resumed.history.key, whole.key)
    assert set(np.unique(whole.cost_sec)) == {0, 4, 12, 36}


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"epochs": [108]}, r"epochs=\[108\]: expected at least two.*several training budgets"),
        ({"epochs": []}, r"epochs=\[\]"),
        ({"epochs": [12, 4]}, r"epochs=\[12, 4\].*ascending"),
        ({"epochs": [0, 4]}, r"epochs=\[0, 4\]"),
        ({"min_points": 4}, "min_points=4: expected at least 5"),
    ],
)
def test_bad_settings(toy, settings, message):
    with pytest.raises(core.ConfigError, match=message):
        search_of(toy, 4, [0], **settings)
