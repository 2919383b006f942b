"""Spaces whose cells are written as their architectures are, and in which every node counts.

Shapes: N nodes, D operations.
"""

from typing import Any, ClassVar

import numpy as np

from nas_tf.graphs import CellGraphs, canonical_keys
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.spaces.space import SearchSpace, as_matrices, of_matrices


class ArchitectureSpace(SearchSpace):
    """Base of such spaces.

    Attributes:
        architecture: what a cell is by itself.
    """

    architecture: ClassVar[type[Architecture]]

    @staticmethod
    def identity(cells: CellGraphs) -> np.ndarray:
        """Returns keys of what cells [...] compute, uint64 [...]."""
        return canonical_keys(cells)

    def encode(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """See `SearchSpace.encode`."""
        return as_matrices(cells, len(self.op_names))

    def decode(self, adjacency: np.ndarray, ops: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Turns decoded matrices into cells; nothing is repaired.

        Args:
            adjacency: 0-1 or bool [..., N, N].
            ops: integers [..., N], operation codes of every node.

        Returns:
            cells [...] and int8 [...], what `check` says of them (0 is valid).
        """
        cells = of_matrices(adjacency, ops, self.identity)
        return cells, self.check(cells)

    def from_value(self, value: Any, numbering: str = "") -> CellGraphs:
        """Returns the cell, [], of a text or JSON value that the architecture reads.

        Raises:
            InvalidArchitectureError: it is no cell of the space.
        """
        del numbering
        return self.architecture.read(value).cells()[0]

    def to_values(self, cells: CellGraphs) -> list[dict[str, Any]]:
        """Returns each of cells [B] as a value of JSON."""
        return [architecture.value() for architecture in self.architectures(cells)]

    def architectures(self, cells: CellGraphs) -> list[Architecture]:
        """See `SearchSpace.architectures`."""
        return self.architecture.of_cells(cells)
