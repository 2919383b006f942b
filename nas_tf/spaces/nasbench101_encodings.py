"""Cells of NAS-Bench-101 as categorical decisions and as graphs of a generator.

* Decisions (Ying et al., 2019, arXiv:1902.09635): an edge is there or not, an inner node has one
  of three operations; the study's graphs have 7 nodes and so 26 decisions.
* Graphs (GraphPNAS, Li et al., 2022, arXiv:2211.15155, appendix F): the same choices, row by row.

Both have as many nodes as the largest cell that they have to hold. What lies on no path from input
to output is dropped; a graph without a path or with too many edges is no cell.

Shapes: [...] any leading dimensions, N nodes, D decisions.
"""

import numpy as np

from nas_tf import graphs
from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.spaces.graph_form import GraphDescription
from nas_tf.spaces.nasbench101_cells import (
    INPUT, INTERIOR_OPS, MAX_EDGES, MAX_VERTICES, OUTPUT, check_limits, with_output_last,
)


class NasBench101Decisions:
    """Every edge of the upper triangle, row by row, 1 is there; then every interior operation.

    A graph has `max_vertices` nodes, of which the last is the output; what lies on no path is
    pruned. The study's graphs have 7 (26 decisions). A pool of smaller cells is searched with as
    many as its largest cell has.
    """

    def __init__(self, max_vertices: int = MAX_VERTICES, max_edges: int = MAX_EDGES):
        """Args: max_vertices: 2 to 7; max_edges: of a cell, 1 to 9.

        Raises:
            ConfigError: they are not.
        """
        check_limits(max_vertices, max_edges)
        self._size, self._max_edges = max_vertices, max_edges
        self._edges = np.triu_indices(max_vertices, 1)
        num_ops = len(INTERIOR_OPS)
        self.num_choices = (2,) * len(self._edges[0]) + (num_ops,) * (max_vertices - 2)

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., D]; a node that the cell lacks has no edges and the first operation.

        Raises:
            InvalidArchitectureError: a cell has too many vertices.
        """
        adjacency, ops = with_output_last(cells, self._size)
        ops = ops[..., 1:-1]
        choices = np.maximum(ops - INTERIOR_OPS[0], 0)
        edges = adjacency[..., self._edges[0], self._edges[1]]
        return np.concatenate([edges, choices], axis=-1).astype(np.int8)

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns pruned cells [...], and bool [...]: connected and of few enough edges."""
        lead, num_edges = codes.shape[:-1], len(self._edges[0])
        adjacency = np.zeros((*lead, MAX_VERTICES, MAX_VERTICES), np.uint8)
        adjacency[..., self._edges[0], self._edges[1]] = codes[..., :num_edges]
        ops = np.full((*lead, MAX_VERTICES), PADDING_OP, np.int8)
        ops[..., 0], ops[..., self._size - 1] = INPUT, OUTPUT
        ops[..., 1 : self._size - 1] = codes[..., num_edges:] + INTERIOR_OPS[0]
        cells = CellGraphs(adjacency, ops, np.full(lead, self._size, np.int8))
        cells, connected = graphs.prune(cells)
        return cells, connected & (cells.num_edges <= self._max_edges)


class NasBench101GraphForm:
    """Cells of NAS-Bench-101; a cell of fewer nodes has its output last and lacks inner ones."""

    def __init__(self, max_vertices: int = MAX_VERTICES, max_edges: int = MAX_EDGES):
        """Args: max_vertices: N, 2 to 7; max_edges: of a cell, 1 to 9.

        Raises:
            ConfigError: they are not.
        """
        check_limits(max_vertices, max_edges)
        self._max_edges = max_edges
        self.description = GraphDescription(
            max_vertices,
            num_node_labels=len(INTERIOR_OPS),
            labelled_nodes=tuple(range(1, max_vertices - 1)),
        )

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells; nodes that a cell lacks have no edges and label 0.

        Raises:
            InvalidArchitectureError: a cell has more than N nodes.
        """
        adjacency, ops = with_output_last(cells, self.description.num_nodes)
        labels = np.maximum(ops - INTERIOR_OPS[0], 0)
        labels[..., 0] = labels[..., -1] = 0
        return np.swapaxes(adjacency, -1, -2).astype(np.int8), labels.astype(np.int8)

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns pruned cells, and bool [...]: connected and of few enough edges.

        Graphs of fewer nodes than the form's are read as well; their last node is the output.
        """
        lead, size = labels.shape[:-1], labels.shape[-1]
        adjacency = np.zeros((*lead, MAX_VERTICES, MAX_VERTICES), np.uint8)
        adjacency[..., :size, :size] = np.swapaxes(edges, -1, -2)
        ops = np.full((*lead, MAX_VERTICES), PADDING_OP, np.int8)
        ops[..., :size] = labels + np.int8(INTERIOR_OPS[0])
        ops[..., 0], ops[..., size - 1] = INPUT, OUTPUT
        cells, connected = graphs.prune(CellGraphs(adjacency, ops, np.full(lead, size, np.int8)))
        return cells, connected & (cells.num_edges <= self._max_edges)
