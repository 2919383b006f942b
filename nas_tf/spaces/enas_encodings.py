"""Networks of ENAS' macro space as categorical decisions and as graphs of a generator.

Shapes: [...] any leading dimensions.
"""

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.enas_cells import (
    LAYER_OPS, NUM_LAYERS, NUM_SKIPS, from_layers, to_layers,
)
from nas_tf.spaces.graph_form import ENAS_MACRO


class EnasDecisions:
    """The operations of the 12 layers, then the 66 bits; every code is a network."""

    num_choices = (len(LAYER_OPS),) * NUM_LAYERS + (2,) * NUM_SKIPS

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., 78]."""
        return np.concatenate(to_layers(cells), axis=-1)

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells [...] of codes [..., 78], and bool [...]: all are in the space."""
        cells = from_layers(codes[..., :NUM_LAYERS], codes[..., NUM_LAYERS:])
        return cells, np.ones(codes.shape[:-1], bool)


class EnasGraphForm:
    """The stem and the layers as nodes; the label of a layer is its operation."""

    description = ENAS_MACRO

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells: edges int8 [..., 13, 13] and labels int8 [..., 13]."""
        ops, _ = to_layers(cells)
        edges = np.swapaxes(cells.adjacency[..., :-1, :-1], -1, -2).astype(np.int8)
        return edges, np.pad(ops, [(0, 0)] * len(cells.shape) + [(1, 0)])

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs; all are in the space."""
        rows = [edges[..., layer + 1, :layer] for layer in range(NUM_LAYERS)]
        skips = np.concatenate(rows, axis=-1)
        return from_layers(labels[..., 1:], skips), np.ones(labels.shape[:-1], bool)
