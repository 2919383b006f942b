"""Random graphs that a search looks at before, and beside, those of its generator.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 3.3: with probability epsilon, which falls
during the search, a cell comes from an explorer.

* Erdős-Rényi: every possible edge is there with probability p.
* Watts-Strogatz (networkx): every node of a ring joins its k nearest, and each edge is moved with
  probability p; edges lead from the lower to the higher node. Xie et al. (2019, arXiv:1904.01569)
  search k = 2 to 8 and p from 0 to 1 on graphs of 32 nodes, Erdős-Rényi with p = 0.1 to 0.5.

Labels, of edges that are there and of nodes, are uniform.

Shapes: B graphs, N nodes.
"""

import dataclasses

import networkx
import numpy as np

from nas_tf.core import ConfigError
from nas_tf.spaces.graph_form import GraphDescription, empty_graphs


@dataclasses.dataclass(frozen=True)
class Explorer:
    """A distribution of random graphs; the recipe checks what no graph decides.

    Attributes:
        description: of the graphs.
        kind: "erdos_renyi" or "watts_strogatz".
        probability: p, from 0 to 1.
        neighbours: k of Watts-Strogatz, even, from 2 to below N.

    Raises:
        ConfigError: `neighbours` do not suit the number of nodes.
    """

    description: GraphDescription
    kind: str = "erdos_renyi"
    probability: float = 0.25
    neighbours: int = 4

    def __post_init__(self):
        size, ring = self.description.num_nodes, self.kind == "watts_strogatz"
        if ring and (self.neighbours % 2 or not 2 <= self.neighbours < size):
            raise ConfigError(
                f"neighbours={self.neighbours}: expected an even number from 2 to below "
                f"{size}, the nodes of a graph"
            )

    def sample(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws graphs: edges int8 [B, N, N], [i, j] from node j to i, and labels int8 [B, N]."""
        edges, labels = empty_graphs(self.description, count)
        free = self.description.free_edges
        there = {"erdos_renyi": self._independent, "watts_strogatz": self._rings}[self.kind](
            rng, count
        )
        kinds = rng.integers(1, self.description.num_edge_labels, edges.shape)
        edges = np.where(free, there * kinds, edges).astype(np.int8)
        nodes = list(self.description.labelled_nodes)
        labels[:, nodes] = rng.integers(
            0, self.description.num_node_labels, (count, len(nodes))
        )
        return edges, labels

    def _independent(self, rng: np.random.Generator, count: int) -> np.ndarray:
        size = self.description.num_nodes
        return rng.random((count, size, size)) < self.probability

    def _rings(self, rng: np.random.Generator, count: int) -> np.ndarray:
        size = self.description.num_nodes
        return np.stack([
            networkx.to_numpy_array(
                networkx.watts_strogatz_graph(
                    size, self.neighbours, self.probability, seed=int(rng.integers(2**32))
                )
            )
            for _ in range(count)
        ]).astype(bool)


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
