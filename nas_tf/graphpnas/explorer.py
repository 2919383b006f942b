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
from nas_tf.graphpnas.description import GraphDescription, empty_graphs

KINDS = ("erdos_renyi", "watts_strogatz")
SCHEDULES = ("linear", "step")


@dataclasses.dataclass(frozen=True)
class Explorer:
    """A distribution of random graphs.

    Attributes:
        description: of the graphs.
        kind: one of `KINDS`.
        probability: p, from 0 to 1.
        neighbours: k of Watts-Strogatz, even, from 2 to below N.

    Raises:
        ConfigError: a parameter is out of range.
    """

    description: GraphDescription
    kind: str = "erdos_renyi"
    probability: float = 0.25
    neighbours: int = 4

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ConfigError(f"explorer={self.kind!r}: expected one of {', '.join(KINDS)}")
        if not 0 <= self.probability <= 1:
            raise ConfigError(
                f"--explorer_probability={self.probability}: expected a number from 0 to 1"
            )
        size, ring = self.description.num_nodes, self.kind == "watts_strogatz"
        if ring and (self.neighbours % 2 or not 2 <= self.neighbours < size):
            raise ConfigError(
                f"--explorer_neighbours={self.neighbours}: expected an even number from 2 to below "
                f"{size}, the nodes of a graph"
            )

    def sample(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws graphs: edges int8 [B, N, N], [i, j] from node j to i, and labels int8 [B, N]."""
        edges, labels = empty_graphs(self.description, count)
        free = self.description.free_edges
        if self.kind == "erdos_renyi":
            there = rng.random(edges.shape) < self.probability
        else:
            there = self._rings(rng, count)
        kinds = rng.integers(1, self.description.num_edge_labels, edges.shape)
        edges = np.where(free, there * kinds, edges).astype(np.int8)
        nodes = list(self.description.labelled_nodes)
        labels[:, nodes] = rng.integers(
            0, self.description.num_node_labels, (count, len(nodes))
        )
        return edges, labels

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
    """How often a search explores.

    Attributes:
        schedule: "linear" falls from `start` to `end` over `steps` queries; "step" is `start`
            before and `end` from then on.
        start: epsilon at the first query.
        end: epsilon in the end.
        steps: queries.

    Raises:
        ConfigError: a value is out of range.
    """

    schedule: str = "linear"
    start: float = 1.0
    end: float = 0.0
    steps: int = 30

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise ConfigError(
                f"explore_schedule={self.schedule!r}: expected one of {', '.join(SCHEDULES)}"
            )
        for name in ("start", "end"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"explore_{name}={getattr(self, name)}: expected 0 to 1")
        if self.steps < 1:
            raise ConfigError(f"explore_steps={self.steps}: expected at least 1")

    def epsilon(self, query: int) -> float:
        """Returns the probability of exploring at a query, counted from 0."""
        if self.schedule == "step":
            return self.start if query < self.steps else self.end
        progress = min(query / self.steps, 1.0)
        return self.start + (self.end - self.start) * progress
