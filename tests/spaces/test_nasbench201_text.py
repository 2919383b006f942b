"""nas_tf/spaces/nasbench201_text.py."""

import numpy as np
import pytest

from nas_tf.spaces.nasbench201 import EDGE_OPS
from nas_tf.spaces.nasbench201_text import quoted, reason, spelled, tidied

EXPECTED = "expected a string such as |nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"
START = "|none~0|+|none~0|none~1|+"


def test_tidied():
    found = tidied(np.array([[" |none~0| +\t|a~0|\r\n", "Structure(4 nodes with |none~0|)"]]))
    assert found.tolist() == [["|none~0|+|a~0|", "|none~0|"]]
    assert tidied(np.zeros(0, "U3")).shape == (0,)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", EXPECTED),
        ("|none~0|", EXPECTED),
        ("none~0+none~0|none~1+none~0|none~1|none~2", EXPECTED),
        (START + "|none~0|none|none~2|", EXPECTED),
        (START + "|none~00|none~1|none~2|", EXPECTED),
        (START + "|none~0|none~1|", "node 3 has edges from 0, 1; expected one from every earlier "
         "node, 0, 1, 2"),
        ("|none~1|+|none~0|none~1|+|none~0|none~1|none~2|",
         "node 1 has edges from 1; expected one from every earlier node, 0"),
        (START + "|none~0|max_pool_3x3~1|none~2|", "operation 'max_pool_3x3' of node 3: expected "
         "none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3"),
        ("|none~0|+|skip_connect~1|none~0|+|none~0|none~2|none~1|",
         "the edges of node 2 are in another order, 1, 0; the benchmark writes this cell as "
         "|none~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|"),
    ],
)
def test_reasons(text, expected):
    assert reason(text, EDGE_OPS) == expected


def test_spelled():
    nodes = [[("none", 0)], [("none", 0), ("a", 1)], [("b", 0), ("none", 1), ("c", 2)]]
    assert spelled(nodes) == "|none~0|+|none~0|a~1|+|b~0|none~1|c~2|"


def test_long_strings_are_shortened():
    assert quoted("a" * 300) == repr("a" * 200 + "...") and quoted("a") == "'a'"
