"""Random graphs of 32 nodes, as directed as randomly wired networks have them.

Xie et al., 2019, arXiv:1904.01569, section 3.2. An undirected graph is drawn, and edges lead from
the lower to the higher node, numbered

* Erdős-Rényi: at random. Every edge is there with probability p;
* Watts-Strogatz: along the ring. Every node joins its k nearest, and each edge is moved with
  probability p;
* Barabási-Albert: in the order in which they join. There are m nodes without edges first; every
  other one joins m of those before it, likelier those that have more edges.

Shapes: B graphs.
"""

from collections.abc import Callable

import networkx
import numpy as np

from nas_tf.spaces.randwire_cells import NUM_NODES

ER_PROBABILITY = 0.2
WS_NEIGHBOURS, WS_PROBABILITY = 4, 0.75
BA_EDGES = 5


def erdos_renyi(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws graphs with p = 0.2, bool [B, 32, 32]; the paper's best of this kind."""
    return np.triu(rng.random((count, NUM_NODES, NUM_NODES)) < ER_PROBABILITY, 1)


def watts_strogatz(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws graphs with k = 4 and p = 0.75, bool [B, 32, 32]; the paper's best of all."""
    return _drawn(rng, count, lambda seed: networkx.watts_strogatz_graph(
        NUM_NODES, WS_NEIGHBOURS, WS_PROBABILITY, seed=seed
    ))


def barabasi_albert(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draws graphs with m = 5, bool [B, 32, 32]; the paper's best of this kind."""
    first = networkx.Graph((node, BA_EDGES) for node in range(BA_EDGES))  # its edges have no choice
    return _drawn(rng, count, lambda seed: networkx.barabasi_albert_graph(
        NUM_NODES, BA_EDGES, seed=seed, initial_graph=first
    ))


GENERATORS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "erdos_renyi": erdos_renyi,
    "watts_strogatz": watts_strogatz,
    "barabasi_albert": barabasi_albert,
}


def _drawn(
    rng: np.random.Generator, count: int, draw: Callable[[int], networkx.Graph]
) -> np.ndarray:
    """Returns the matrices, bool [B, 32, 32], of graphs that `draw` makes of seeds."""
    found = np.zeros((count, NUM_NODES, NUM_NODES), bool)
    for matrix, seed in zip(found, rng.integers(2**32, size=count).tolist()):
        matrix[...] = networkx.to_numpy_array(draw(seed), nodelist=range(NUM_NODES)) > 0
    return np.triu(found, 1)
