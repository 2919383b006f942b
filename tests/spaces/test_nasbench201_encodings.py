"""nas_tf/spaces/nasbench201_encodings.py."""

import numpy as np
import pytest

from nas_tf.spaces.nasbench201 import NasBench201Space, from_strings, to_strings


@pytest.fixture(name="cells", scope="module")
def _cells():
    return NasBench201Space().enumerate_cells()


def test_one_decision_an_edge(cells):
    assert NasBench201Space().decisions().num_choices == (5,) * 6
    assert NasBench201Space().decisions(cells[:3]).num_choices == (5,) * 6


def test_every_nasbench201_cell_comes_back(cells):
    encoding = NasBench201Space().decisions()
    decoded, valid = encoding.decode(encoding.encode(cells).reshape(25, 625, 6))
    assert valid.all()
    np.testing.assert_array_equal(decoded.ops.reshape(-1, 8), cells.ops)


def test_a_nasbench201_code():
    """Operations count from the first interior one: 1x1, 3x3, average pool, skip, none."""
    text = "|nor_conv_1x1~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_3x3~1|none~2|"
    codes = NasBench201Space().decisions().encode(from_strings(np.array([text])))
    assert codes.tolist() == [[0, 4, 3, 2, 1, 4]]


def test_every_cell_of_nasbench201_is_a_graph(cells):
    form = NasBench201Space().graph_form()
    edges, labels = form.graphs(cells)
    again, valid = form.cells(edges, labels)
    assert valid.all()
    np.testing.assert_array_equal(again.keys, cells.keys)
    assert np.exp(form.description.log_num_graphs) == pytest.approx(15_625)
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
    one = to_strings(cells) == text
    assert edges[one][0].tolist() == [[0, 0, 0, 0], [3, 0, 0, 0], [0, 1, 0, 0], [0, 0, 4, 0]]
