"""tools/gaussian_process_ablations.py: what a variant is judged by, and its page."""

import dataclasses

import numpy as np
import pytest

import nas_tf
from nas_tf.core import History
from tools import gaussian_process_ablations as ablations


@pytest.fixture(name="benchmark", scope="module")
def _benchmark():
    benchmark = nas_tf.benchmarks.digits()
    accuracy = np.linspace(0.5, 0.9, len(benchmark.cells))
    return dataclasses.replace(benchmark, validation_accuracy=accuracy)


def history(benchmark, places, shown):
    key = benchmark.cells.keys[np.array(places)]
    shown = np.array(shown, float)
    return History(key, shown, shown, np.ones(shown.shape))


def test_judged_by_the_mean_of_the_incumbent(benchmark):
    last = len(benchmark.cells) - 1
    step = 0.4 / last
    places = np.tile(np.arange(1, 31), (2, 1))
    places[0, 6] = 0
    places[0, 4], places[1, 7] = last, last - 2
    shown = np.full((2, 30), 0.5)
    shown[0, 6] = 0.95  # a lucky training of the worst cell hides the best one
    shown[0, 4], shown[1, 7] = 0.9, 0.9
    found = ablations.judged(history(benchmark, places, shown), benchmark)
    np.testing.assert_allclose(found["regret_25"], [0.4, 2 * step])
    assert found["found"].tolist() == [5, np.inf] and set(found) == {"regret_25", "found"}


def test_the_page_has_every_variant(benchmark):
    rng = np.random.default_rng(0)
    results = {name: {key: rng.random(6) for key in ("regret_25", "regret_50", "regret_100")}
               | {"found": np.array([1, 2, 3, 4, 5, np.inf])}
               for group in ablations.VARIANTS.values() for name in group}
    frame = ablations.table({"toy": results})
    assert len(frame) == len(results) == 22
    assert frame.iloc[0]["regret_50_more"] == 0 and frame.iloc[0]["found_median"] == 3.5
    text = ablations.page(frame, 6)
    assert all(f"| {name} |" in text for name in results)
    assert len(ablations.figure(frame, 50).axes) == 1


def test_paired_differences():
    mean, half = ablations.compared(np.array([1.0, 3.0, 5.0]), np.array([0.0, 1.0, 2.0]))
    assert mean == 2 and half == pytest.approx(1.96 / np.sqrt(3))
