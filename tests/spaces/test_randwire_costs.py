"""nas_tf/spaces/randwire_costs.py: counts by hand, against built networks, and published ones."""

import networkx as nx
import numpy as np
import pytest

from nas_tf.networks import layer_table, randwire
from nas_tf.spaces import randwire_costs
from nas_tf.spaces.randwire_costs import fully_connected, multiply_adds, parameters

TINY_IMAGENET = {"num_classes": 200}


def _graphs(draw):
    """Returns twenty graphs of 32 nodes [20, 1, 32, 32], seeds 0 to 19."""
    drawn = [nx.to_numpy_array(draw(seed), nodelist=range(32)) for seed in range(20)]
    return np.triu(drawn, 1).astype(np.uint8)[:, None]


@pytest.fixture(scope="module")
def erdos_renyi():
    return _graphs(lambda seed: nx.erdos_renyi_graph(32, 0.2, seed=seed))


@pytest.fixture(scope="module")
def watts_strogatz():
    return _graphs(lambda seed: nx.connected_watts_strogatz_graph(32, 4, 0.75, seed=seed))


def test_an_edge_counted_by_hand():
    # Two nodes, 2 channels: stem 1, 2; stages 2, 4, 8. One grey image of 16 x 16, three classes.
    counts = [
        9 * 1 * 1 + 2,  # 3x3 from 1 to 1, batch norm
        9 * 1 + 1 * 2 + 4,  # separable from 1 to 2
        2 * (9 * 2 + 2 * 2 + 4) + 2,  # two nodes at 2, a weight for each edge, the input's too
        (9 * 2 + 2 * 4 + 8) + (9 * 4 + 4 * 4 + 8) + 2,
        (9 * 4 + 4 * 8 + 16) + (9 * 8 + 8 * 8 + 16) + 2,
        8 * 1280 + 2 * 1280,
        1280 * 3 + 3,
    ]
    graph = np.array([[[[0, 1], [0, 0]]]])
    settings = {"num_classes": 3, "channels": 2}
    assert parameters(graph, input_shape=(16, 16, 1), **settings).tolist() == [sum(counts)]
    work = 64 * 9 + 16 * 11 + 4 * 44 + 1 * (26 + 52) + 1 * (68 + 136) + 8 * 1280 + 3 * 1280
    assert multiply_adds(graph, input_shape=(16, 16, 1), **settings).tolist() == [work]


@pytest.mark.parametrize(
    "graphs, setting, separable_stem", [(1, "base", True), (3, "large", False), (3, "base", True)]
)
def test_costs_are_those_of_the_built_network(graphs, setting, separable_stem):
    rng = np.random.default_rng(graphs)
    batch = np.triu(rng.random((1, graphs, 7, 7)) < 0.3, 1).astype(np.uint8)
    settings = {"num_classes": 4, "setting": setting, "channels": 12,
                "separable_stem": separable_stem}
    model = randwire.build_network(batch[0], input_shape=(33, 20, 3), **settings)
    assert parameters(batch, **settings).tolist() == [layer_table.parameters(model)]
    work = multiply_adds(batch, input_shape=(33, 20, 3), **settings)
    assert work.tolist() == [layer_table.multiply_adds(model)]


def test_the_paper_s_sizes_are_hit(erdos_renyi, watts_strogatz):
    """3.12 to 3.37 M, 19.2 to 20.4 M in large, fully connected 3.46 M (the paper: 3.49)."""
    both = np.concatenate([erdos_renyi, watts_strogatz])
    small = parameters(both, **TINY_IMAGENET)
    assert (small.min(), small.max()) == (3116067, 3372294)
    large = parameters(both, setting="large", **TINY_IMAGENET)
    assert (large.min(), large.max()) == (19215742, 20450230)
    assert parameters(fully_connected()[None], **TINY_IMAGENET).tolist() == [3458843]


def test_a_graph_that_anybody_can_draw(erdos_renyi):
    """networkx.erdos_renyi_graph(32, 0.2, seed=0), an edge leading to the higher number."""
    graph = erdos_renyi[:1]
    assert parameters(graph, **TINY_IMAGENET).tolist() == [3158845]
    assert parameters(graph, setting="large", **TINY_IMAGENET).tolist() == [19421588]
    work = multiply_adds(graph, input_shape=(64, 64, 3), **TINY_IMAGENET)
    assert work.tolist() == [28071936]


def test_xie_et_al_s_small_networks_have_their_size(watts_strogatz):
    """5.6 +- 0.1 M parameters and 583 +- 6.2 M multiply-adds, with 78 channels on ImageNet."""
    settings = {"num_classes": 1000, "channels": 78, "separable_stem": False}
    work = multiply_adds(watts_strogatz, input_shape=(224, 224, 3), **settings) / 1e6
    sizes = parameters(watts_strogatz, **settings) / 1e6
    assert abs(work.mean() - 583) < 6.2 and abs(sizes.mean() - 5.6) < 0.1


def test_three_graphs_cost_what_their_stages_do(erdos_renyi):
    one, two = erdos_renyi[0, 0], erdos_renyi[1, 0]
    mixed = [[one, one, one], [two, one, one], [one, two, one], [one, one, two], [two, two, two]]
    same, first, second, third, other = parameters(np.array(mixed), **TINY_IMAGENET).tolist()
    tied = parameters(erdos_renyi[:2], **TINY_IMAGENET).tolist()
    assert [same, other] == tied
    assert first + second + third - 2 * same == other


def test_the_fully_connected_graph_is_the_baseline():
    assert fully_connected(3).tolist() == [[[0, 1, 1], [0, 0, 1], [0, 0, 0]]]
    assert fully_connected().sum() == 32 * 31 // 2
    assert randwire_costs.plan() == randwire_costs.plan("cifar", 64)
