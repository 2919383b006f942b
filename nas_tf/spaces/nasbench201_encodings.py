"""Cells of NAS-Bench-201 as categorical decisions and as graphs of a generator.

* Decisions (Dong and Yang, 2020, arXiv:2001.00326): the operation of each of the six edges.
* Graphs (GraphPNAS, Li et al., 2022, arXiv:2211.15155): four nodes, and on each edge one of five
  labels, where 'none' is the label of no edge.

Every code and every graph is a cell.

Shapes: [...] any leading dimensions.
"""

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.graph_form import GraphDescription
from nas_tf.spaces.nasbench201_cells import (
    EDGE_OPS, EDGES, INTERIOR_OPS, all_cells, from_edges, to_edges,
)


class NasBench201Decisions:
    """The operation of each of the six edges, in the order of the space; every code is a cell."""

    num_choices = (len(INTERIOR_OPS),) * len(EDGES)

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., 6]."""
        return cells.ops[..., 1:-1] - np.int8(INTERIOR_OPS[0])

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells [...] of codes [..., 6], and bool [...]: all are in the space."""
        index = np.ravel_multi_index(np.moveaxis(codes, -1, 0), self.num_choices)
        return all_cells()[index], np.ones(codes.shape[:-1], bool)


class NasBench201GraphForm:
    """Cells of NAS-Bench-201; edge labels are indices of `EDGE_OPS`."""

    description = GraphDescription(4, num_edge_labels=len(EDGE_OPS))

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells."""
        edges = np.swapaxes(to_edges(cells), -1, -2).astype(np.int8)
        return edges, np.zeros(edges.shape[:-1], np.int8)

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs; all are in the space."""
        cells = from_edges(np.swapaxes(edges, -1, -2))
        return cells, np.ones(labels.shape[:-1], bool)
