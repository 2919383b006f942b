"""tools/macro_learning.py: which networks it trains, and its page."""

import numpy as np

from tools import macro_learning


def test_networks_are_spread_over_the_ranking():
    accuracy = np.random.default_rng(0).permutation(200) / 200
    assert (accuracy[macro_learning.chosen(accuracy)] * 200).tolist() == [1, 99, 199]


def test_the_page():
    row = {
        "code": "22212220", "rank": 1, "table": 0.93127, "parameters": 1_985_514,
        "multiply_adds": 85_164_544, "history": [0.25, 0.4], "test": 0.41, "seconds": 61.2,
    }
    text = macro_learning.page([row], "python -m tools.macro_learning")
    assert "| `22212220` | 1,985,514 | 85.2 | 25.0 | 40.0 | 41.0 | 93.13 (1) | 61 |" in text
    assert "Made by `python -m tools.macro_learning`." in text
