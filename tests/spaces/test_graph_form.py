"""What a generator decides."""

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.spaces.graph_form import (
    ENAS_MACRO, RANDWIRE, GraphDescription, all_graphs, empty_graphs,
)


def test_all_graphs_of_three_nodes():
    edges, labels = all_graphs(GraphDescription(3))
    assert edges.shape == (8, 3, 3) and not labels.any()
    codes = edges[:, 1, 0] + 2 * edges[:, 2, 0] + 4 * edges[:, 2, 1]
    assert sorted(codes.tolist()) == list(range(8))
    assert not np.triu(edges).any()


@pytest.mark.parametrize(
    "description",
    [
        GraphDescription(4),
        GraphDescription(
            4, num_node_labels=3, labelled_nodes=(1, 3), fixed_edges=((0, 1), (1, 2))
        ),
        GraphDescription(3, num_edge_labels=3, num_node_labels=2, labelled_nodes=(0, 2)),
    ],
    ids=["edges", "labelled nodes", "labelled edges"],
)
def test_fixed_edges_and_labels(description):
    edges, labels = all_graphs(description)
    assert len(edges) == pytest.approx(np.exp(description.log_num_graphs))
    flat = np.concatenate([edges.reshape(len(edges), -1), labels], axis=1)
    assert len(np.unique(flat, axis=0)) == len(edges)
    for source, target in description.fixed_edges:
        assert (edges[:, target, source] == 1).all()
    others = np.setdiff1d(np.arange(description.num_nodes), description.labelled_nodes)
    assert not labels[:, others].any()


def test_rows_and_decisions():
    free = GraphDescription(4, fixed_edges=((0, 1),))
    assert free.rows == (1, 2, 3) and free.num_decisions == 5
    assert free.free_edges.sum() == 5 and not free.free_edges[1, 0]
    labelled = GraphDescription(2, num_node_labels=2, labelled_nodes=(0, 1))
    assert labelled.rows == (0, 1) and labelled.num_decisions == 3
    assert empty_graphs(free, 2)[0][:, 1, 0].tolist() == [1, 1]


@pytest.mark.parametrize(
    "values, message",
    [
        ({"num_nodes": 1}, "num_nodes=1: expected at least 2"),
        ({"num_nodes": 3, "num_edge_labels": 1}, "num_edge_labels=1"),
        ({"num_nodes": 3, "labelled_nodes": (3,), "num_node_labels": 2}, r"labelled_nodes=\(3,\)"),
        ({"num_nodes": 3, "labelled_nodes": (1,)}, "two or more labels, got 1"),
        ({"num_nodes": 3, "fixed_edges": ((1, 1),)}, r"\(1, 1\) is no edge"),
    ],
)
def test_bad_descriptions(values, message):
    with pytest.raises(ConfigError, match=message):
        GraphDescription(**values)


def test_too_many_graphs_to_list():
    with pytest.raises(ConfigError, match="too many to list"):
        all_graphs(GraphDescription(10))


def test_spaces_of_networks():
    assert RANDWIRE.num_decisions == 32 * 31 // 2 and len(RANDWIRE.rows) == 31
    # Twelve operations, and bits of the stem and of all layers before the previous one.
    assert ENAS_MACRO.num_decisions == 12 + 66
    assert np.exp(ENAS_MACRO.log_num_graphs) == pytest.approx(1.606e29, rel=1e-3)
