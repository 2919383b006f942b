"""The NAS-Bench-201 space: all 15,625 cells of 4 nodes, 6 edges and 5 operations.

Dong and Yang, 2020, arXiv:2001.00326 (the topology space of NATS-Bench, arXiv:2009.00437). A cell
has three forms here:

* `CellGraphs` as in arch2vec (Yan et al., 2020, section 4.1): the six edges become the nodes 1 to
  6 of an 8 x 8 graph with the same adjacency for all cells; nodes 0 and 7 are input and output;
* labelled edges as in GraphPNAS (Li et al., 2022): 4 nodes, and on each edge an operation;
* the benchmark's strings, `|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|`.

The edges, in the order of the strings and of nodes 1 to 6: 0-1, 0-2, 1-2, 0-3, 1-3, 2-3.

Keys. The fixed 8 x 8 graph has no symmetry but the identity, so two cells are isomorphic only if
they are equal: the 15,625 cells have 15,625 distinct isomorphism-invariant keys, and a look-up by
`CellGraphs.keys` finds exactly the one cell that the benchmark trained under that string. No
positional key is needed. Cells that compute the same function through 'none' and 'skip_connect'
(`network_strings`: 6,466 networks) are separate architectures, with measurements of their own.

Shapes: M = 15,625 cells, N = 8 nodes, D = 7 operations.
"""

from typing import Any

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench201_costs
from nas_tf.spaces.counting import Cost
from nas_tf.spaces.nasbench201_architecture import NasBench201Architecture
# Who has this module has the names of its cells as well.
from nas_tf.spaces.nasbench201_cells import (
    AVGPOOL3X3, CONV1X1, CONV3X3, EDGE_OPS, EDGES, INPUT, INTERIOR_OPS, NONE, NUM_CELLS,
    NUM_NEIGHBOURS, NUM_NODES, OP_NAMES, OUTPUT, SKIP, Invalid, all_cells, check, find_strings,
    from_edges, from_strings, indices, neighbour_indices, network_strings, to_edges, to_strings,
)
from nas_tf.spaces.nasbench201_encodings import NasBench201Decisions, NasBench201GraphForm
from nas_tf.spaces.nasbench201_forms import from_value, to_values
from nas_tf.spaces.space import SearchSpace, as_matrices, of_matrices


class NasBench201Space(SearchSpace):
    """Cells of the NAS-Bench-201 space; everything is looked up in the list of all cells."""

    name = "nasbench201"
    title = "NAS-Bench-201"
    max_nodes = NUM_NODES
    op_names = OP_NAMES
    op_labels = ("input", "1×1", "3×3", "avg-pool", "skip", "none", "output")

    def enumerate_cells(self) -> CellGraphs:
        """Returns every cell once, [M], with keys; the arrays are read-only.

        Cells are ordered by their operation codes, that of the first edge first. The benchmark's
        own order is in its tables.
        """
        return all_cells()

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Draws every operation of every cell uniformly.

        Args:
            rng: source of randomness.
            shape: leading dimensions of the result.
        """
        return all_cells()[rng.integers(NUM_CELLS, size=shape)]

    def mutate(self, cells: CellGraphs, rng: np.random.Generator) -> CellGraphs:
        """Returns, for every cell [...], one of its 24 neighbours, all equally likely.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        neighbours = neighbour_indices(indices(cells))
        choice = rng.integers(NUM_NEIGHBOURS, size=cells.shape)
        return all_cells()[np.take_along_axis(neighbours, choice[..., None], axis=-1)[..., 0]]

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns all cells with one operation changed, 24 of each cell.

        Args:
            cells: batch [B] of valid cells.

        Returns:
            cells [24 B] and int64 [24 B], the position in `cells` of each one's origin, ascending.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        neighbours = neighbour_indices(indices(cells))
        origin = np.repeat(np.arange(len(cells)), NUM_NEIGHBOURS)
        return all_cells()[neighbours.ravel()], origin

    def decisions(self, cells: CellGraphs | None = None) -> NasBench201Decisions:
        """Returns cells as the operations of their edges; all pools have the same decisions."""
        del cells
        return NasBench201Decisions()

    def graph_form(self, cells: CellGraphs | None = None) -> NasBench201GraphForm:
        """Returns cells as graphs of four nodes; all pools have the same form."""
        del cells
        return NasBench201GraphForm()

    def from_value(self, value: Any, numbering: str = "naslib") -> CellGraphs:
        """Returns the cell, [], of a string, numbers or a genotype; see `nasbench201_forms`.

        Raises:
            InvalidArchitectureError: it is no cell of the benchmark.
        """
        return from_value(value, numbering)

    def to_values(self, cells: CellGraphs) -> list[dict[str, Any]]:
        """Returns `arch_str` of each of cells [B]."""
        return to_values(cells)

    def encode(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns what arch2vec's encoder reads.

        Args:
            cells: batch [...].

        Returns:
            float32 [..., 8, 8] upper-triangular adjacency and float32 [..., 8, 7] one-hot
            operations.
        """
        return as_matrices(cells, len(OP_NAMES))

    def decode(self, adjacency: np.ndarray, ops: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Turns decoded matrices into cells of the space; nothing is repaired.

        Args:
            adjacency: 0-1 or bool [..., 8, 8].
            ops: integers [..., 8], operation codes of every node.

        Returns:
            cells [...] and int8 [...], a code of `Invalid` (0 is valid).
        """
        cells = of_matrices(adjacency, ops)
        return cells, self.check(cells)

    def counts_as_valid(self, adjacency: np.ndarray, ops: np.ndarray) -> np.ndarray:
        """Tells which decoded matrices arch2vec's published validity counts as valid.

        Its code looks at operations alone, and not at that of node 1: 79.41 % of the samples
        are valid in this sense and 98.72 % of these differ, where 7,941 cells of the space drawn
        at random are 78 % different ones, there being 15,625. `decode` tells which are cells.

        Args:
            adjacency: is not looked at.
            ops: integers [..., 8], operation codes of every node.

        Returns:
            bool [...].
        """
        del adjacency
        interior = ops[..., 2:-1]
        known = ((interior >= CONV1X1) & (interior <= NONE)).all(axis=-1)
        return (ops[..., 0] == INPUT) & known & (ops[..., -1] == OUTPUT)

    def costs(self, cells: CellGraphs) -> Cost:
        """See `SearchSpace.costs`."""
        return nasbench201_costs.costs(cells)

    def architectures(self, cells: CellGraphs) -> list[NasBench201Architecture]:
        """See `SearchSpace.architectures`."""
        return NasBench201Architecture.of_cells(cells)

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: the `Invalid` code of every cell (0 is in the space)."""
        return check(cells)
