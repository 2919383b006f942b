"""Random graphs, and how often they are looked at."""

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.spaces.graph_form import ENAS_MACRO, RANDWIRE, GraphDescription
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.graphpnas.explorer import Exploration, Explorer


def test_erdos_renyi():
    edges, labels = Explorer(RANDWIRE, probability=0.3).sample(np.random.default_rng(0), 200)
    assert edges.shape == (200, 32, 32) and not labels.any()
    assert not np.triu(edges).any()
    assert edges[:, RANDWIRE.free_edges].mean() == pytest.approx(0.3, abs=0.01)


def test_labels_are_uniform_and_fixed_edges_there():
    edges, labels = Explorer(ENAS_MACRO, probability=0.5).sample(np.random.default_rng(0), 3000)
    assert (edges[:, np.arange(1, 13), np.arange(12)] == 1).all()
    assert not labels[:, 0].any()  # the stem has none
    shares = np.bincount(labels[:, 1:].ravel()) / labels[:, 1:].size
    np.testing.assert_allclose(shares, 1 / 6, atol=0.01)
    four = GraphDescription(4, num_edge_labels=5)
    edges, _ = Explorer(four, probability=1.0).sample(np.random.default_rng(0), 3000)
    chosen = edges[:, four.free_edges]
    np.testing.assert_allclose(np.bincount(chosen.ravel())[1:] / chosen.size, 0.25, atol=0.02)
    assert chosen.min() == 1


def test_watts_strogatz():
    explorer = Explorer(RANDWIRE, "watts_strogatz", probability=0.0, neighbours=4)
    edges, _ = explorer.sample(np.random.default_rng(0), 2)
    assert edges.sum(axis=(1, 2)).tolist() == [64, 64]  # 32 nodes with 4 neighbours
    sources, targets = np.nonzero(edges[0])[::-1]
    assert set(np.unique(targets - sources)) == {1, 2, 30, 31}
    moved = Explorer(RANDWIRE, "watts_strogatz", probability=0.75).sample(
        np.random.default_rng(0), 2
    )[0]
    assert moved.sum(axis=(1, 2)).tolist() == [64, 64] and (moved[0] != moved[1]).any()


def test_schedules():
    linear = Exploration("linear", 1.0, 0.0, 30)
    assert [linear.epsilon(query) for query in (0, 15, 30, 99)] == [1.0, 0.5, 0.0, 0.0]
    step = Exploration("step", 1.0, 0.1, 15)
    assert [step.epsilon(query) for query in (0, 14, 15, 99)] == [1.0, 1.0, 0.1, 0.1]


def test_a_range_of_probabilities():
    explorer = Explorer(RANDWIRE, probability=0.1, most_probability=0.5)
    edges, _ = explorer.sample(np.random.default_rng(0), 400)
    shares = edges[:, RANDWIRE.free_edges].mean(axis=1)
    assert shares.mean() == pytest.approx(0.3, abs=0.02)
    assert shares.std() == pytest.approx(0.4 / 12**0.5, abs=0.02)  # of even numbers
    assert 0.05 < shares.min() < 0.15 and 0.45 < shares.max() < 0.6


def test_a_range_of_neighbours():
    explorer = Explorer(
        RANDWIRE, "watts_strogatz", probability=0.0, neighbours=2, most_neighbours=8,
        most_probability=1.0,
    )
    edges, _ = explorer.sample(np.random.default_rng(0), 100)
    counts = dict(zip(*np.unique(edges.sum(axis=(1, 2)), return_counts=True)))
    assert list(counts) == [32, 64, 96, 128]  # 16 edges a neighbour
    assert min(counts.values()) > 10


def test_the_released_explorer_of_nasbench101():
    """Three to seven nodes alike, all of them alive."""
    form = NasBench101Space().graph_form()
    explorer = Explorer(form.description, least_nodes=3, keep_dead=False)
    edges, labels = explorer.sample(np.random.default_rng(0), 500)
    cells, _ = form.cells(edges, labels)  # without dead nodes
    alive = cells.num_nodes > 0
    sizes = np.bincount(cells.num_nodes[alive], minlength=8)
    assert alive.mean() > 0.97 and not sizes[:3].any()
    assert (cells.num_edges == edges.sum(axis=(1, 2))).all()  # nothing was pruned
    np.testing.assert_allclose(sizes[3:7] / 500, 0.2, atol=0.06)


def test_smaller_graphs_may_have_dead_nodes():
    description = GraphDescription(4)
    edges, _ = Explorer(description, probability=1.0, least_nodes=2).sample(
        np.random.default_rng(0), 300
    )
    assert sorted(np.unique(edges.sum(axis=(1, 2)))) == [1, 3, 6]  # of 2, 3 and 4 nodes
    assert edges[:, 3, 0].all() and not edges[edges.sum(axis=(1, 2)) == 1][:, 2].any()


def test_graphs_that_are_never_alive_are_left_without_edges():
    explorer = Explorer(GraphDescription(4), probability=0.0, keep_dead=False)
    assert not explorer.sample(np.random.default_rng(0), 3)[0].any()


@pytest.mark.parametrize("values, text", [
    ({"kind": "watts_strogatz", "most_neighbours": 2}, "most_neighbours=2: .* from 4 to below 32"),
    ({"most_probability": 0.2}, "most_probability=0.2: expected at least the probability, 0.25"),
    ({"least_nodes": 33}, "least_nodes=33: expected 2 to 32"),
    ({"kind": "watts_strogatz", "least_nodes": 3}, "least_nodes=3: graphs of a ring"),
])
def test_ranges_that_do_not_go_together(values, text):
    with pytest.raises(ConfigError, match=text):
        Explorer(RANDWIRE, **values)


@pytest.mark.parametrize("neighbours", [0, 3, 32])
def test_neighbours_of_a_ring_are_even_and_fewer_than_its_nodes(neighbours):
    with pytest.raises(ConfigError, match=f"^neighbours={neighbours}: .* to below 32"):
        Explorer(RANDWIRE, "watts_strogatz", neighbours=neighbours)


def test_random_graphs_of_nasbench101_are_mostly_cells():
    form = NasBench101Space().graph_form()
    explorer = Explorer(form.description)
    edges, labels = explorer.sample(np.random.default_rng(0), 2000)
    _, valid = form.cells(edges, labels)
    assert 0.4 < valid.mean() < 0.95
