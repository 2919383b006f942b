"""tools/search_tables.py: a small table by hand."""

import numpy as np

from tools import search_tables

KEYS = np.array([[1, 7, 3], [7, 1, 2], [1, 2, 3], [3, 2, 7]], np.uint64)


def test_first_queries():
    assert search_tables.queries_until(KEYS, 7).tolist() == [2, 1, np.inf, 3]


def test_accuracies_and_paired_tests():
    first = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.85], [0.2, 0.8], [0.1, 0.9], [0.2, 0.9]])
    lines = search_tables.accuracy_table({"ours": first, "other": first - 0.1}, (1, 2, 3)).splitlines()
    assert lines[2] == "| ours | 6 | 18.33 ± 7.53 | 85.83 ± 4.92 | – |"
    assert lines[3] == "| other | 6 | 8.33 ± 7.53 (0.031) | 75.83 ± 4.92 (0.031) | – |"


def test_table():
    first = np.array([1.0, 2.0, 2.0, 4.0])
    found = {"ours": first, "other": search_tables.queries_until(KEYS, 7)}
    lines = search_tables.table(found, 3).splitlines()
    assert lines[2] == "| ours | 4 | 100.0 % | 2.2 | 2 | 2 | 2 | – |"
    assert lines[3].startswith("| other | 4 | 75.0 % | at least 2.5 | 2 | 2 | over 3 | ")
    assert [line.get_ydata().tolist() for line in search_tables.figure(found, 3).axes[0].lines] == [
        [25, 75, 75], [25, 50, 75]]
