"""tools/generator_control.py: what arms are, how pairs are compared, and the page."""

import pathlib

import numpy as np
import pytest

from nas_tf.strategies.gaussian_process import GaussianProcess
from nas_tf.strategies.graphpnas import GraphPNAS
from tools import generator_control as control
from tools.critic_search import SOURCES, CriticSearch

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


def test_arms():
    assert isinstance(control.strategy("digits", "whole"), GaussianProcess)
    without = control.strategy("cifar100", "without")
    assert type(without) is GraphPNAS and without.keep_top == 10
    for arm in control.SOURCES:
        found = control.strategy("digits", arm)
        assert isinstance(found, CriticSearch) and set(found.sources.split("+")) <= set(SOURCES)
    assert {arm for pair in control.PAIRS for arm in pair} == set(control.ARMS)


@pytest.mark.parametrize(
    "dataset, file", [("digits", "nb101_graphpnas"), ("cifar100", "nb201_graphpnas")]
)
def test_the_generator_is_that_of_the_flagfile(dataset, file):
    recipe = control.strategy(dataset, "without")
    lines = (CONFIGS / f"{file}.flags").read_text("utf-8").splitlines()
    given = dict(line[2:].split("=") for line in lines if line.startswith("--") and "=" in line)
    same = [name for name in given if hasattr(recipe, name)]
    assert len(same) >= 10
    for name in same:
        kind = type(getattr(recipe, name))
        assert getattr(recipe, name) == kind(given[name]), name


def test_a_pair_is_compared_run_by_run():
    first = {"regret_25": np.array([0.01, 0.02, 0.03, 0.04])}
    second = {"regret_25": np.array([0.02, 0.04, 0.06, 0.08])}
    # Differences of 1, 2, 3 and 4 points: mean 2.5, deviation 1.291; 2 of 16 signs are as extreme.
    assert control.pair(first, second) == ["+2.500 ± 1.265 (p = 0.125)"]
    assert control.pair(first, first) == ["+0.000 ± 0.000 (p = 1.000)"]


def test_the_page_has_every_arm_and_pair():
    rng = np.random.default_rng(0)
    results = {}
    for dataset, queries in control.QUERIES.items():
        budgets = [budget for budget in (25, 50, 100) if budget <= queries]
        results[dataset] = {
            arm: {f"regret_{budget}": rng.random(4) for budget in budgets}
            | {"found": np.array([1.0, np.inf, 2.0, 9.0])}
            | ({} if arm in ("without", "whole") else {"offered": np.array([3.0, 5.0, 7.0, 90.0])})
            for arm in control.ARMS
        }
    frame = control.table(results)
    assert len(frame) == 14 and frame["offered"].iloc[0] == 6.0
    assert frame["found_share"].eq(0.75).all()
    text = control.page(results, frame)
    assert "## digits, 100 queries" in text and "## cifar100, 50 queries" in text
    assert text.count("| 75 % |") == 14 and text.count("(p ") == 7 * 3 + 7 * 2
    assert "| critic over neighbours of the best | 6 |" in text
