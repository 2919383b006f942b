"""NAS-Bench-Macro's space: networks of eight layers, each one of three kinds.

Su et al., 2021, arXiv:2103.11922. Layers stand in stages of 2, 3 and 3, of 64, 128 and 256
channels; the first of a stage halves the image. A layer is an identity (0), an inverted residual
block of MobileNetV2 with a 3x3 kernel and expansion 3 (1), or with 5x5 and expansion 6 (2). An
identity that is the first of a stage is a strided 1x1 convolution; any other does nothing.

A network's code is its eight digits, `22212202`. By what they compute the 6,561 codes are 3,969
networks, and these are the cells of the space: equal networks have one key, whatever the code.
Neighbours are networks of which some code differs in one layer, and that relation has no direction.

Shapes: N = 10 nodes in a chain, D = 5 operations; see `macro_cells`.
"""

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import macro_costs
from nas_tf.spaces.architecture_space import ArchitectureSpace
from nas_tf.spaces.counting import Cost
from nas_tf.spaces.graph_form import GraphDescription, empty_graphs
from nas_tf.spaces.macro_architecture import MacroArchitecture
from nas_tf.spaces.macro_cells import (
    KINDS, NUM_CELLS, NUM_LAYERS, NUM_NODES, OP_NAMES, all_cells, check, from_layers,
    identity, indices, neighbours_of, random_neighbours, to_layers,
)


class MacroSpace(ArchitectureSpace):
    """The 3,969 networks of NAS-Bench-Macro."""

    name = "macro"
    title = "NAS-Bench-Macro"
    max_nodes = NUM_NODES
    op_names = OP_NAMES
    architecture = MacroArchitecture
    identity = staticmethod(identity)
    op_labels = ("input", "identity", "MB3 3×3", "MB6 5×5", "output")

    def enumerate_cells(self) -> CellGraphs:
        """Returns every network once, [M], by ascending codes; the arrays are read-only."""
        return all_cells()

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Draws networks uniformly, not codes; `shape` leads the result's."""
        return all_cells()[rng.integers(NUM_CELLS, size=shape)]

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns the networks of which some code differs in one layer from one of the cell's.

        Args:
            cells: batch [B].

        Returns:
            cells [K] and int64 [K], the position in `cells` of each one's origin, ascending.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        index, origin = neighbours_of(indices(cells))
        return all_cells()[index], origin

    def mutate(self, cells: CellGraphs, rng: np.random.Generator) -> CellGraphs:
        """Returns, for every cell [...], one of its neighbours, all equally likely.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        return all_cells()[random_neighbours(indices(cells), rng)]

    def decisions(self, cells: CellGraphs | None = None) -> "MacroDecisions":
        """Returns the kinds of the layers, whatever the pool."""
        del cells
        return MacroDecisions()

    def graph_form(self, cells: CellGraphs | None = None) -> "MacroGraphForm":
        """Returns graphs of an input and the layers, whatever the pool."""
        del cells
        return MacroGraphForm()

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: the `Invalid` code of every cell (0 is in the space)."""
        return check(cells)

    def costs(self, cells: CellGraphs) -> Cost:
        """See `SearchSpace.costs`."""
        return macro_costs.costs(cells)


class MacroDecisions:
    """The kinds of the eight layers; every code is a network."""

    num_choices = (len(KINDS),) * NUM_LAYERS

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., 8]."""
        return to_layers(cells)

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells [...] of codes [..., 8], and bool [...]: all are in the space."""
        return from_layers(codes), np.ones(codes.shape[:-1], bool)


class MacroGraphForm:
    """The input and the layers as nodes; the label of a layer is its kind.

    No edge is a decision: every node follows all before it, so that a generator sees all that it
    has decided.
    """

    description = GraphDescription(
        NUM_LAYERS + 1,
        num_node_labels=len(KINDS),
        labelled_nodes=tuple(range(1, NUM_LAYERS + 1)),
        fixed_edges=tuple(zip(*np.triu_indices(NUM_LAYERS + 1, 1), strict=True)),
    )

    def graphs(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns the graphs of cells: edges int8 [..., 9, 9] and labels int8 [..., 9]."""
        edges = empty_graphs(self.description, 1)[0][0]
        labels = np.pad(to_layers(cells), [(0, 0)] * len(cells.shape) + [(1, 0)])
        return np.tile(edges, (*cells.shape, 1, 1)), labels

    def cells(self, edges: np.ndarray, labels: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells of graphs; all are in the space."""
        del edges
        return from_layers(labels[..., 1:]), np.ones(labels.shape[:-1], bool)
