"""Graphs of the RandWire space as categorical decisions and as graphs of a generator.

Shapes: [...] any leading dimensions.
"""

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.graph_form import RANDWIRE
from nas_tf.spaces.randwire_cells import (
    NUM_NODES, SOURCES, TARGETS, from_adjacency, refuse_outside,
)


class RandWireDecisions:
    """Whether each of the 496 edges is there, by its source, then its target."""

    num_choices = (2,) * len(SOURCES)

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., 496]."""
        refuse_outside(cells)
        return cells.adjacency[..., SOURCES, TARGETS].astype(np.int8)

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the graphs [...] of codes [..., 496], and bool [...]: all are in the space."""
        adjacency = np.zeros((*codes.shape[:-1], NUM_NODES, NUM_NODES), np.uint8)
        adjacency[..., SOURCES, TARGETS] = codes
        return from_adjacency(adjacency), np.ones(codes.shape[:-1], bool)


class RandWireGraphForm:
    """Graphs as they are: 32 nodes without labels (GraphPNAS, arXiv:2211.15155, section 4)."""

    description = RANDWIRE

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells: edges int8 [..., 32, 32] and labels int8 [..., 32]."""
        refuse_outside(cells)
        edges = np.swapaxes(cells.adjacency, -1, -2).astype(np.int8)
        return edges, np.zeros(cells.ops.shape, np.int8)

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs; all are in the space."""
        cells = from_adjacency(np.swapaxes(edges, -1, -2))
        return cells, np.ones(labels.shape[:-1], bool)
