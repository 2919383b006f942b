"""The RandWire space: all directed acyclic graphs of 32 nodes that do the same.

Xie et al., 2019, arXiv:1904.01569, as GraphPNAS searches it (Li et al., 2022, arXiv:2211.15155,
appendix D). A node sums what enters it and is a ReLU, a separable 3x3 convolution and a batch
normalisation. The unique input and output nodes are the network's, not the graph's. A graph stands
for the wiring of all stages; one for each stage is a `RandWireArchitecture` of three.

There are 2^496 matrices; isomorphic graphs are one architecture.

Shapes: N = 32 nodes, D = 1 operation.
"""

import math
import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import randwire_cells, randwire_costs
from nas_tf.spaces.architecture_space import ArchitectureSpace
from nas_tf.spaces.counting import Cost
from nas_tf.spaces.operation_kinds import OperationKinds
from nas_tf.spaces.randwire_architecture import RandWireArchitecture
from nas_tf.spaces.randwire_cells import NUM_NODES, OP_NAMES, check, from_adjacency
from nas_tf.spaces.randwire_encodings import RandWireDecisions, RandWireGraphForm
from nas_tf.spaces.randwire_generators import GENERATORS


class RandWireSpace(ArchitectureSpace):
    """Graphs of 32 nodes.

    Args:
        generator: what random cells are: "erdos_renyi" (p = 0.2), "watts_strogatz" (k = 4,
            p = 0.75) or "barabasi_albert" (m = 5).

    Raises:
        ConfigError: the generator is unknown.
    """

    name = "randwire"
    title = "RandWire"
    max_nodes = NUM_NODES
    op_names = OP_NAMES
    architecture = RandWireArchitecture
    identity = staticmethod(randwire_cells.identity)
    op_labels = ("sep 3×3",)
    operation_kinds = OperationKinds((2,))

    def __init__(self, generator: str = "erdos_renyi"):
        if generator not in GENERATORS:
            raise ConfigError(f"generator={generator}: expected one of {', '.join(GENERATORS)}")
        self.generator = generator

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Draws graphs of the space's generator; see `randwire_generators`.

        Args:
            rng: source of randomness.
            shape: leading dimensions of the result.
        """
        return from_adjacency(GENERATORS[self.generator](rng, math.prod(shape))).reshape(*shape)

    def mutate(self, cells: CellGraphs, rng: np.random.Generator) -> CellGraphs:
        """Returns, for every graph [...], one with an edge more or less, all edits equally likely.

        Edits are those of `neighbours`; isomorphic results count apart.

        Raises:
            InvalidArchitectureError: a graph is outside the space.
        """
        randwire_cells.refuse_outside(cells)
        flat = cells.adjacency.reshape(-1, NUM_NODES, NUM_NODES)
        allowed = randwire_cells.edits(flat).reshape(len(flat), -1)
        chosen = np.where(allowed, rng.random(allowed.shape), -1.0).argmax(axis=-1)
        edited = randwire_cells.flipped(flat, *np.divmod(chosen, NUM_NODES))
        return edited.reshape(*cells.shape)

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns all graphs with one edge more or less, each once per origin.

        An edge may come between any two nodes where no cycle arises; nodes are then renumbered if
        they must be. The numbering plays no part: whether two graphs are neighbours is symmetric
        and the same for all isomorphic ones.

        Args:
            cells: batch [B] of graphs of the space.

        Returns:
            cells [K], 496 to 992 of each before isomorphic ones are dropped, and int64 [K], the
            position in `cells` of each one's origin, ascending.

        Raises:
            InvalidArchitectureError: a graph is outside the space.
        """
        randwire_cells.refuse_outside(cells)
        return randwire_cells.neighbours(cells)

    def decisions(self, cells: CellGraphs | None = None) -> RandWireDecisions:
        """Returns one decision for every edge, whatever the pool."""
        del cells
        return RandWireDecisions()

    def graph_form(self, cells: CellGraphs | None = None) -> RandWireGraphForm:
        """Returns graphs as they are, whatever the pool."""
        del cells
        return RandWireGraphForm()

    def costs(self, cells: CellGraphs) -> Cost:
        """See `SearchSpace.costs`."""
        return randwire_costs.costs(cells)

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: the `Invalid` code of every graph (0 is in the space)."""
        return check(cells)
