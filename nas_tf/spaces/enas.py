"""ENAS' macro space: networks of 12 layers, each one of six operations, with skip connections.

Pham et al., 2018, arXiv:1802.03268, in the form of NNI 1.6 that GraphPNAS searches (Li et al.,
2022, arXiv:2211.15155). Layers count from 0. Each reads the one before it, layer 0 the stem. Layer
k has k skip bits: bit 0 says whether the stem, bit j > 0 whether layer j - 1 feeds its skip
connections. So layer 0 has none, layer 1 one (the stem), layer 2 two (the stem, layer 0): the
sources are the stem and all layers before the previous one. There are 6^12 * 2^66 = 1.6e29
networks, all different.

Shapes: N = 14 nodes, D = 8 operations; see `enas_cells`.
"""

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import enas_costs
from nas_tf.spaces.architecture_space import ArchitectureSpace
from nas_tf.spaces.counting import Cost
from nas_tf.spaces.enas_architecture import EnasArchitecture
from nas_tf.spaces.enas_cells import (
    LAYER_OPS, NUM_LAYERS, NUM_NODES, NUM_SKIPS, OP_NAMES, check, from_layers, to_layers,
)
from nas_tf.spaces.enas_encodings import EnasDecisions, EnasGraphForm

_NUM_OPS = len(LAYER_OPS)
NUM_NEIGHBOURS = NUM_LAYERS * (_NUM_OPS - 1) + NUM_SKIPS


class EnasSpace(ArchitectureSpace):
    """Networks of 12 layers."""

    name = "enas"
    title = "ENAS macro"
    max_nodes = NUM_NODES
    op_names = OP_NAMES
    architecture = EnasArchitecture
    op_labels = ("stem", "3×3", "sep 3×3", "5×5", "sep 5×5", "avg-pool", "max-pool", "output")

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Draws every operation and every bit uniformly; `shape` leads the result's."""
        ops = rng.integers(_NUM_OPS, size=(*shape, NUM_LAYERS))
        return from_layers(ops, rng.integers(2, size=(*shape, NUM_SKIPS)))

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns all networks with one operation or one bit changed, 126 of each.

        Args:
            cells: batch [B].

        Returns:
            cells [126 B] and int64 [126 B], the position in `cells` of each one's origin,
            ascending.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        ops, skips = to_layers(cells)
        changed = NUM_LAYERS * (_NUM_OPS - 1)
        layer, step = np.divmod(np.arange(changed), _NUM_OPS - 1)
        ops = np.repeat(ops[:, None], NUM_NEIGHBOURS, axis=1)
        ops[:, np.arange(changed), layer] += (step + 1).astype(np.int8)
        skips = np.repeat(skips[:, None], NUM_NEIGHBOURS, axis=1)
        skips[:, changed:] ^= np.eye(NUM_SKIPS, dtype=np.int8)
        origin = np.repeat(np.arange(len(cells)), NUM_NEIGHBOURS)
        edited = from_layers(ops.reshape(-1, NUM_LAYERS) % _NUM_OPS, skips.reshape(-1, NUM_SKIPS))
        return edited, origin

    def decisions(self, cells: CellGraphs | None = None) -> EnasDecisions:
        """Returns operations and bits, whatever the pool."""
        del cells
        return EnasDecisions()

    def graph_form(self, cells: CellGraphs | None = None) -> EnasGraphForm:
        """Returns graphs of the stem and the layers, whatever the pool."""
        del cells
        return EnasGraphForm()

    def costs(self, cells: CellGraphs) -> Cost:
        """See `SearchSpace.costs`."""
        return enas_costs.costs(cells)

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: the `Invalid` code of every cell (0 is in the space)."""
        return check(cells)
