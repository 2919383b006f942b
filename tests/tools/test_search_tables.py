"""tools/search_tables.py: a small table by hand."""

import numpy as np

from tools import search_tables
from tools.search_tables import Runs

KEYS = np.array([[1, 7, 3], [7, 1, 2], [1, 2, 3], [3, 2, 7]], np.uint64)


def test_first_queries():
    assert search_tables.queries_until(KEYS, 7).tolist() == [2, 1, np.inf, 3]


def test_accuracies_and_paired_tests():
    accuracy = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.85], [0.2, 0.8], [0.1, 0.9], [0.2, 0.9]])
    first = Runs(np.arange(6), accuracy, np.ones(6))
    other = Runs(np.arange(6), accuracy - 0.1, np.ones(6))
    lines = search_tables.accuracy_table({"ours": first, "other": other}, (1, 2, 3)).splitlines()
    assert lines[2] == "| ours | 6 | 18.33 ± 7.53 | 85.83 ± 4.92 | – |"
    assert lines[3] == "| other | 6 | 8.33 ± 7.53 (0.031) | 75.83 ± 4.92 (0.031) | – |"
    assert search_tables.accuracy_table({"ours": first}, (1,), "validation").startswith("| validation")


def test_pairs_have_a_seed_in_common():
    """Two models, three seeds: of each seed the mean counts, whatever the order of the runs."""
    values, seeds = np.array([5.0, 1, 3, 7, 3, 5]), np.array([2, 0, 1, 2, 0, 1])  # 2, 4, 6
    reference = np.array([1.0, 3.0, 5.0, 100.0])
    exact = search_tables.p_value(values, seeds, reference, np.array([0, 1, 2, 9]))
    assert exact == "0.250"  # three pairs with differences of one sign: 2 / 2^3
    assert search_tables.p_value(values, seeds, reference, np.arange(20, 24)) == "no common seed"
    assert search_tables.p_value(reference, seeds[:4], reference, seeds[:4]) == "equal"


def test_table():
    first = Runs(np.arange(4), np.zeros((4, 3)), np.array([1.0, 2.0, 2.0, 4.0]))
    other = first._replace(found=search_tables.queries_until(KEYS, 7))
    strategies = {"ours": first, "other": other}
    lines = search_tables.table(strategies, 3).splitlines()
    assert lines[2] == "| ours | 4 | 100.0 % | 2.2 | 2 | 2 | 2 | – |"
    assert lines[3].startswith("| other | 4 | 75.0 % | at least 2.5 | 2 | 2 | over 3 | ")
    drawn = search_tables.figure(strategies, 3).axes[0].lines
    assert [line.get_ydata().tolist() for line in drawn] == [[25, 75, 75], [25, 50, 75]]


def test_joined_runs():
    one = Runs(np.arange(2), np.zeros((2, 3)), np.ones(2))
    both = Runs.joined([one, one._replace(seeds=np.arange(5, 7))])
    assert both.seeds.tolist() == [0, 1, 5, 6] and both.accuracy.shape == (4, 3)
