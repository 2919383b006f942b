"""Cells as the graphs that a generator decides, row by row, and the way back.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 3.1. A graph has N ordered nodes. Row i says
which earlier nodes lead to node i, and with what label (A_i), and what node i does (X_i). Labels of
edges count from 0, which is no edge; without labels an edge is 1. Decisions that are no choice (a
fixed edge, the operation of an input) have probability one and no parameters.

Shapes: B graphs, N nodes, T rows with a decision, L labels of an edge with that of no edge, C
labels of a node.
"""

import dataclasses
from typing import Protocol

import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs


@dataclasses.dataclass(frozen=True)
class GraphDescription:
    """The decisions of a space.

    Attributes:
        num_nodes: N, at least 2.
        num_edge_labels: L, at least 2.
        num_node_labels: C; 1 where nodes have no choice.
        labelled_nodes: ascending positions of the nodes whose label is a choice.
        fixed_edges: (source, target) pairs of edges, source before target, that are always there;
            they have label 1.
    """

    num_nodes: int
    num_edge_labels: int = 2
    num_node_labels: int = 1
    labelled_nodes: tuple[int, ...] = ()
    fixed_edges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self):
        counts = {"num_nodes": 2, "num_edge_labels": 2, "num_node_labels": 1}
        for name, least in counts.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name}={getattr(self, name)}: expected at least {least}")
        nodes = tuple(int(node) for node in self.labelled_nodes)
        edges = tuple((int(source), int(target)) for source, target in self.fixed_edges)
        object.__setattr__(self, "labelled_nodes", nodes)
        object.__setattr__(self, "fixed_edges", edges)
        inside = all(0 <= node < self.num_nodes for node in nodes)
        if not inside or sorted(set(nodes)) != list(nodes) or (nodes and self.num_node_labels < 2):
            raise ConfigError(
                f"labelled_nodes={nodes}: expected ascending positions below {self.num_nodes}, and "
                f"two or more labels, got {self.num_node_labels}"
            )
        for source, target in edges:
            if not 0 <= source < target < self.num_nodes:
                raise ConfigError(f"fixed_edges: ({source}, {target}) is no edge of the graph")

    @property
    def rows(self) -> tuple[int, ...]:
        """Nodes with a decision, ascending, T: all but the first, and that where it is labelled."""
        return tuple(range(0 if 0 in self.labelled_nodes else 1, self.num_nodes))

    @property
    def free_edges(self) -> np.ndarray:
        """Edges that are a choice, bool [N, N]; [i, j] leads from node j to node i."""
        free = np.tri(self.num_nodes, k=-1, dtype=bool)
        for source, target in self.fixed_edges:
            free[target, source] = False
        return free

    @property
    def num_edge_logits(self) -> int:
        """Logits of an edge: one where it is there or not, else one for each label."""
        return 1 if self.num_edge_labels == 2 else self.num_edge_labels

    @property
    def num_decisions(self) -> int:
        """Edges and node labels that are a choice."""
        return int(self.free_edges.sum()) + len(self.labelled_nodes)

    @property
    def log_num_graphs(self) -> float:
        """Natural logarithm of the number of graphs; isomorphic ones count apart."""
        edges = self.free_edges.sum() * np.log(self.num_edge_labels)
        return float(edges + len(self.labelled_nodes) * np.log(self.num_node_labels))


class GraphForm(Protocol):
    """How the cells of a space are graphs.

    Attributes:
        description: of the graphs.
    """

    description: GraphDescription

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells: edges int8 [..., N, N] and node labels int8 [..., N]."""

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs, and bool [...]: the graph is a cell of the space."""


# 32 nodes of one operation (Xie et al., 2019, arXiv:1904.01569).
RANDWIRE = GraphDescription(32)
# ENAS' macro space (Pham et al., 2018, arXiv:1802.03268): a stem and 12 layers of six operations;
# each layer follows the one before it.
ENAS_MACRO = GraphDescription(
    13,
    num_node_labels=6,
    labelled_nodes=tuple(range(1, 13)),
    fixed_edges=tuple((node, node + 1) for node in range(12)),
)


def all_graphs(description: GraphDescription) -> tuple[np.ndarray, np.ndarray]:
    """Returns every graph of a small space.

    Args:
        description: of at most a million graphs.

    Returns:
        edges int8 [B, N, N] and node labels int8 [B, N].

    Raises:
        ConfigError: there are more.
    """
    if description.log_num_graphs > np.log(1e6):
        raise ConfigError(f"e^{description.log_num_graphs:.0f} graphs are too many to list")
    targets, sources = np.nonzero(description.free_edges)
    nodes = list(description.labelled_nodes)
    sizes = [description.num_edge_labels] * len(targets)
    sizes += [description.num_node_labels] * len(nodes)
    count = int(np.prod(sizes))
    choices = np.stack(np.unravel_index(np.arange(count), sizes), axis=-1).astype(np.int8)
    edges, labels = empty_graphs(description, count)
    edges[:, targets, sources] = choices[:, : len(targets)]
    labels[:, nodes] = choices[:, len(targets) :]
    return edges, labels


def empty_graphs(description: GraphDescription, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns graphs with their fixed edges alone: int8 [B, N, N] and int8 [B, N]."""
    size = description.num_nodes
    edges = np.zeros((count, size, size), np.int8)
    for source, target in description.fixed_edges:
        edges[:, target, source] = 1
    return edges, np.zeros((count, size), np.int8)
