"""Cells of the search spaces as the graphs that a generator decides, and back.

* NAS-Bench-101 (GraphPNAS, appendix F): a graph of 7 nodes, or as many as the largest cell of a
  pool has; the inner ones have one of three operations. What lies on no path from input to output is dropped; a graph without a path or
  with more than 9 edges is no cell.
* NAS-Bench-201: four nodes, and on each of the six edges one of five operations, where 'none' is
  the label of no edge. Every graph is a cell.

RandWire's and ENAS' graphs are described here for the generator alone.

Shapes: [...] any leading dimensions, N nodes.
"""

from typing import Protocol

import numpy as np

from nas_tf import graphs
from nas_tf.core import ConfigError
from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.graphpnas.description import GraphDescription
from nas_tf.spaces import nasbench101, nasbench201

# 32 nodes of one operation (Xie et al., 2019, arXiv:1904.01569).
RANDWIRE = GraphDescription(32)
# ENAS' macro space (Pham et al., 2018, arXiv:1802.03268): 12 layers of six operations; each follows
# the one before it.
ENAS_MACRO = GraphDescription(
    12,
    num_node_labels=6,
    labelled_nodes=tuple(range(12)),
    fixed_edges=tuple((node, node + 1) for node in range(11)),
)


class CellForm(Protocol):
    """How the cells of a space are graphs.

    Attributes:
        description: of the graphs.
    """

    description: GraphDescription

    @classmethod
    def of_pool(cls, cells: CellGraphs) -> "CellForm":
        """Returns the form whose graphs hold all of the cells, and no more nodes than need be."""

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells: edges int8 [..., N, N] and node labels int8 [..., N]."""

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs, and bool [...]: the graph is a cell of the space."""


class NasBench101Form:
    """Cells of NAS-Bench-101; a cell of fewer nodes has its output last and lacks inner ones."""

    def __init__(self, num_nodes: int = nasbench101.MAX_VERTICES):
        """Args: num_nodes: N, 2 to 7.

        Raises:
            ConfigError: it is not.
        """
        if not 2 <= num_nodes <= nasbench101.MAX_VERTICES:
            raise ConfigError(
                f"num_nodes={num_nodes}: expected 2 to {nasbench101.MAX_VERTICES} vertices"
            )
        self.description = GraphDescription(
            num_nodes,
            num_node_labels=len(nasbench101.INTERIOR_OPS),
            labelled_nodes=tuple(range(1, num_nodes - 1)),
        )

    @classmethod
    def of_pool(cls, cells: CellGraphs) -> "NasBench101Form":
        """Returns graphs with as many nodes as the largest of the cells has."""
        return cls(int(cells.num_nodes.max()))

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells; nodes that a cell lacks have no edges and label 0.

        Raises:
            InvalidArchitectureError: a cell has more than N nodes.
        """
        adjacency, ops = nasbench101.with_output_last(cells, self.description.num_nodes)
        labels = np.maximum(ops - nasbench101.INTERIOR_OPS[0], 0)
        labels[..., 0] = labels[..., -1] = 0
        return np.swapaxes(adjacency, -1, -2).astype(np.int8), labels.astype(np.int8)

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns pruned cells, and bool [...]: connected and of few enough edges."""
        lead, size = labels.shape[:-1], self.description.num_nodes
        room = nasbench101.MAX_VERTICES
        adjacency = np.zeros((*lead, room, room), np.uint8)
        adjacency[..., :size, :size] = np.swapaxes(edges, -1, -2)
        ops = np.full((*lead, room), PADDING_OP, np.int8)
        ops[..., :size] = labels + np.int8(nasbench101.INTERIOR_OPS[0])
        ops[..., 0], ops[..., size - 1] = nasbench101.INPUT, nasbench101.OUTPUT
        cells, connected = graphs.prune(
            CellGraphs(adjacency, ops, np.full(lead, size, np.int8))
        )
        return cells, connected & (cells.num_edges <= nasbench101.MAX_EDGES)


class NasBench201Form:
    """Cells of NAS-Bench-201; edge labels are the places of `nasbench201.EDGE_OPS`."""

    description = GraphDescription(4, num_edge_labels=len(nasbench201.EDGE_OPS))

    def __init__(self, num_nodes: int = 4):
        """Args: num_nodes: N, 4.

        Raises:
            ConfigError: it is not.
        """
        if num_nodes != 4:
            raise ConfigError(f"num_nodes={num_nodes}: expected 4")

    @classmethod
    def of_pool(cls, unused_cells: CellGraphs) -> "NasBench201Form":
        """Returns the form; it is the same for all pools."""
        return cls()

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells."""
        edges = np.swapaxes(nasbench201.to_edges(cells), -1, -2).astype(np.int8)
        return edges, np.zeros(edges.shape[:-1], np.int8)

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs; all are in the space."""
        cells = nasbench201.from_edges(np.swapaxes(edges, -1, -2))
        return cells, np.ones(labels.shape[:-1], bool)


FORMS: dict[str, type[CellForm]] = {
    "nasbench101": NasBench101Form,
    "nasbench201": NasBench201Form,
}
