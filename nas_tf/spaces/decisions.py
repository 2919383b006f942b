"""Cells as independent categorical decisions.

The encoding of the NAS-Bench-101 study (Ying et al., 2019, arXiv:1902.09635): one choice for every
possible edge and one for the operation of every interior node; on NAS-Bench-201 (Dong and Yang,
2020, arXiv:2001.00326) one for the operation of every edge. A space makes its own:

    decisions = space.decisions()
    codes = decisions.encode(cells)
    cells, valid = decisions.decode(codes)

Shapes: [...] any leading dimensions, D decisions.
"""

from typing import Protocol

import numpy as np

from nas_tf.graphs import CellGraphs


class Decisions(Protocol):
    """A cell as D choices.

    Attributes:
        num_choices: choices of every decision, at least 2.
    """

    num_choices: tuple[int, ...]

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns one code of every cell, int8 [..., D]."""

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the pruned cells of codes int8 [..., D], and bool [...]: it is in the space."""
