"""Cells of a `ChoiceSpace` as categorical decisions and as graphs of a generator.

Shapes: [...] any leading dimensions, K choices, G = K + 1 nodes of a generator's graph.
"""

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces.choices_cells import from_indices, to_indices
from nas_tf.spaces.graph_form import GraphDescription, empty_graphs


class ChoiceDecisions:
    """One decision a choice; every code is a cell."""

    def __init__(self, sizes: np.ndarray):
        """Args: sizes: int [K], options of every choice."""
        self.num_choices = tuple(sizes.tolist())
        self._sizes = sizes

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., K]."""
        return to_indices(cells, self._sizes)

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells [...] of codes [..., K], and bool [...]: all are in the space."""
        return from_indices(codes, self._sizes), np.ones(codes.shape[:-1], bool)


class ChoiceGraphForm:
    """A node a choice after one that is the input; its label is the option taken.

    No edge is a decision: every node follows all before it, so that a generator sees all options
    that it has decided. A label beyond the options of its choice is no cell.
    """

    def __init__(self, sizes: np.ndarray):
        """Args: sizes: int [K], options of every choice."""
        self._sizes = sizes
        num_nodes = len(sizes) + 1
        self.description = GraphDescription(
            num_nodes,
            num_node_labels=int(sizes.max()),
            labelled_nodes=tuple(range(1, num_nodes)),
            fixed_edges=tuple(zip(*np.triu_indices(num_nodes, 1), strict=True)),
        )

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells: edges int8 [..., G, G] and labels int8 [..., G]."""
        edges = empty_graphs(self.description, 1)[0][0]
        labels = np.pad(to_indices(cells, self._sizes), [(0, 0)] * len(cells.shape) + [(1, 0)])
        return np.tile(edges, (*cells.shape, 1, 1)), labels

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs, and bool [...]: every label is an option.

        Where one is not, the cell has the last option of that choice.
        """
        del edges
        indices = labels[..., 1:]
        valid = (indices < self._sizes).all(axis=-1)
        return from_indices(np.minimum(indices, self._sizes - 1), self._sizes), valid
