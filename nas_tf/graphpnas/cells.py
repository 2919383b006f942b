"""Cells of the search spaces as the graphs that a generator decides, and back.

* NAS-Bench-101 (GraphPNAS, appendix F): a graph of 7 nodes, of which the inner five have one of
  three operations. What lies on no path from input to output is dropped; a graph without a path or
  with more than 9 edges is no cell.
* NAS-Bench-201: four nodes, and on each of the six edges one of five operations, where 'none' is
  the label of no edge. Every graph is a cell.

RandWire's and ENAS' graphs are described here for the generator alone.

Shapes: [...] any leading dimensions, N nodes.
"""

from typing import Protocol

import numpy as np

from nas_tf import graphs
from nas_tf.graphs import CellGraphs
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

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells: edges int8 [..., N, N] and node labels int8 [..., N]."""

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs, and bool [...]: the graph is a cell of the space."""


class NasBench101Form:
    """Cells of NAS-Bench-101; a cell of fewer nodes has its output last and lacks inner ones."""

    description = GraphDescription(
        nasbench101.MAX_VERTICES,
        num_node_labels=len(nasbench101.INTERIOR_OPS),
        labelled_nodes=tuple(range(1, nasbench101.MAX_VERTICES - 1)),
    )

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells; nodes that a cell lacks have no edges and label 0."""
        adjacency, ops = nasbench101.with_output_last(cells, nasbench101.MAX_VERTICES)
        labels = np.maximum(ops - nasbench101.INTERIOR_OPS[0], 0)
        labels[..., 0] = labels[..., -1] = 0
        return np.swapaxes(adjacency, -1, -2).astype(np.int8), labels.astype(np.int8)

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns pruned cells, and bool [...]: connected and of few enough edges."""
        ops = labels.astype(np.int8) + np.int8(nasbench101.INTERIOR_OPS[0])
        ops[..., 0], ops[..., -1] = nasbench101.INPUT, nasbench101.OUTPUT
        size = np.full(labels.shape[:-1], nasbench101.MAX_VERTICES, np.int8)
        adjacency = np.swapaxes(edges, -1, -2).astype(np.uint8)
        cells, connected = graphs.prune(CellGraphs(adjacency, ops, size))
        return cells, connected & (cells.num_edges <= nasbench101.MAX_EDGES)


class NasBench201Form:
    """Cells of NAS-Bench-201; edge labels are the places of `nasbench201.EDGE_OPS`."""

    description = GraphDescription(4, num_edge_labels=len(nasbench201.EDGE_OPS))

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
