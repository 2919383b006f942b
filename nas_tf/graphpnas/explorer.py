"""Random graphs that a search looks at before, and beside, those of its generator.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 3.3: with probability epsilon, which falls
during the search, a cell comes from an explorer.

* Erdős-Rényi: every possible edge is there with probability p.
* Watts-Strogatz (networkx): every node of a ring joins its k nearest, and each edge is moved with
  probability p; edges lead from the lower to the higher node. Xie et al. (2019, arXiv:1904.01569)
  search k = 2 to 8 and p from 0 to 1 on graphs of 32 nodes, Erdős-Rényi with p = 0.1 to 0.5.

p and k are fixed, or drawn anew for every graph from a range, evenly. Labels, of edges that are
there and of nodes, are uniform.

The released explorer of NAS-Bench-101 draws how many nodes a graph has, 3 to 7 alike, and then
graphs of as many nodes until none of them is dead (`least_nodes=3, keep_dead=False`). A smaller
graph has the first nodes and the last; the others have no edges.

Shapes: B graphs, N nodes.
"""

import dataclasses

import networkx
import numpy as np

from nas_tf.core import ConfigError
from nas_tf.spaces.graph_form import GraphDescription, empty_graphs

_TRIES = 2000  # graphs drawn for one that has no dead node


@dataclasses.dataclass(frozen=True)
class Explorer:
    """A distribution of random graphs; the recipe checks what no graph decides.

    Attributes:
        description: of the graphs.
        kind: "erdos_renyi" or "watts_strogatz".
        probability: p, from 0 to 1.
        neighbours: k of Watts-Strogatz, even, from 2 to below N.
        most_probability: p is drawn from `probability` up to this; None is always `probability`.
        most_neighbours: k is drawn from `neighbours` up to this, even; None is always `neighbours`.
        least_nodes: nodes of a graph are drawn from so many to N; None is always N.
        keep_dead: graphs may have nodes that lie on no path from the first to the last. Otherwise
            others are drawn, up to `_TRIES` each; what has dead nodes still is left without edges.

    Raises:
        ConfigError: a range, or `neighbours`, do not suit each other or the number of nodes.
    """

    description: GraphDescription
    kind: str = "erdos_renyi"
    probability: float = 0.25
    neighbours: int = 4
    most_probability: float | None = None
    most_neighbours: int | None = None
    least_nodes: int | None = None
    keep_dead: bool = True

    def __post_init__(self):
        size, ring = self.description.num_nodes, self.kind == "watts_strogatz"
        for name, least in (("neighbours", 2), ("most_neighbours", self.neighbours)):
            value = getattr(self, name)
            if ring and value is not None and (value % 2 or not least <= value < size):
                raise ConfigError(
                    f"{name}={value}: expected an even number from {least} to below "
                    f"{size}, the nodes of a graph"
                )
        most = self.most_probability
        if most is not None and most < self.probability:
            raise ConfigError(
                f"most_probability={most}: expected at least the probability, {self.probability}"
            )
        self._check_nodes(size, ring)

    def _check_nodes(self, size: int, ring: bool) -> None:
        least = self.least_nodes
        if least is None:
            return
        if not 2 <= least <= size:
            raise ConfigError(f"least_nodes={least}: expected 2 to {size}, the nodes of a graph")
        if ring or self.description.fixed_edges:
            raise ConfigError(
                f"least_nodes={least}: graphs of a ring, or with edges that are always there, have "
                f"all {size} nodes; leave it out"
            )

    def sample(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws graphs: edges int8 [B, N, N], [i, j] from node j to i, and labels int8 [B, N]."""
        edges, labels = empty_graphs(self.description, count)
        free = self.description.free_edges
        there = self._there(rng, count)
        kinds = rng.integers(1, self.description.num_edge_labels, edges.shape)
        edges = np.where(free, there * kinds, edges).astype(np.int8)
        nodes = list(self.description.labelled_nodes)
        labels[:, nodes] = rng.integers(
            0, self.description.num_node_labels, (count, len(nodes))
        )
        return edges, labels

    def _there(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Returns which edges are there, bool [B, N, N], of which the lower triangle counts."""
        draw = {"erdos_renyi": self._independent, "watts_strogatz": self._rings}[self.kind]
        used = self._used_nodes(rng, count)
        there = draw(rng, count) & used[:, :, None] & used[:, None, :]
        if self.keep_dead:
            return there
        fixed = np.zeros_like(there[0])
        for source, target in self.description.fixed_edges:
            fixed[target, source] = True
        for _ in range(_TRIES - 1):
            dead = np.flatnonzero((used & ~_on_path(there | fixed)).any(axis=1))
            if not len(dead):
                return there
            pairs = used[dead, :, None] & used[dead, None, :]
            there[dead] = draw(rng, len(dead)) & pairs
        there[(used & ~_on_path(there | fixed)).any(axis=1)] = False
        return there

    def _used_nodes(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Returns which nodes graphs have, bool [B, N]."""
        size = self.description.num_nodes
        if self.least_nodes is None:
            return np.ones((count, size), bool)
        numbers = rng.integers(self.least_nodes, size + 1, count)
        used = np.arange(size) < numbers[:, None] - 1
        used[:, -1] = True
        return used

    def _independent(self, rng: np.random.Generator, count: int) -> np.ndarray:
        size = self.description.num_nodes
        return rng.random((count, size, size)) < self._probabilities(rng, count)[:, None, None]

    def _rings(self, rng: np.random.Generator, count: int) -> np.ndarray:
        size, found = self.description.num_nodes, []
        most = self.neighbours if self.most_neighbours is None else self.most_neighbours
        choices = range(self.neighbours, most + 1, 2)
        for probability in self._probabilities(rng, count).tolist():
            neighbours = choices[int(rng.integers(len(choices))) if len(choices) > 1 else 0]
            seed = int(rng.integers(2**32))
            ring = networkx.watts_strogatz_graph(size, neighbours, probability, seed=seed)
            found.append(networkx.to_numpy_array(ring))
        return np.stack(found).astype(bool)

    def _probabilities(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Returns p of every graph, float64 [B]; no random numbers where it is fixed."""
        if self.most_probability is None:
            return np.full(count, self.probability)
        return rng.uniform(self.probability, self.most_probability, count)


def _on_path(there: np.ndarray) -> np.ndarray:
    """Tells which nodes lie on a path from the first to the last, bool [B, N].

    Args:
        there: bool [B, N, N]; [i, j] leads from node j to node i, of which j < i counts.
    """
    size = there.shape[-1]
    reached = np.arange(size) == np.zeros((len(there), 1), int)
    leads = np.arange(size) == np.full((len(there), 1), size - 1)
    for node in range(1, size):
        reached[:, node] = (there[:, node, :node] & reached[:, :node]).any(axis=1)
    for node in range(size - 2, -1, -1):
        leads[:, node] = (there[:, node + 1 :, node] & leads[:, node + 1 :]).any(axis=1)
    return reached & leads


@dataclasses.dataclass(frozen=True)
class Exploration:
    """How often a search explores; the recipe (`strategies.graph_generator`) checks the ranges.

    Attributes:
        schedule: "linear" falls from `start` to `end` over `steps` queries; "step" is `start`
            before and `end` from then on.
        start: epsilon at the first query.
        end: epsilon in the end.
        steps: queries.
    """

    schedule: str = "linear"
    start: float = 1.0
    end: float = 0.0
    steps: int = 30

    def epsilon(self, query: int) -> float:
        """Returns the probability of exploring at a query, counted from 0."""
        if self.schedule == "step":
            return self.start if query < self.steps else self.end
        progress = min(query / self.steps, 1.0)
        return self.start + (self.end - self.start) * progress
