"""The RandWire space: all directed acyclic graphs of 32 nodes that do the same.

Xie et al., 2019, arXiv:1904.01569, as GraphPNAS searches it (Li et al., 2022, arXiv:2211.15155,
appendix D). A node sums what enters it and is a ReLU, a separable 3x3 convolution and a batch
normalisation. The unique input and output nodes are the network's, not the graph's. A graph stands
for the wiring of all stages; one for each stage is a `RandWireArchitecture` of three.

There are 2^496 matrices; isomorphic graphs are one architecture.

Shapes: N = 32 nodes, D = 1 operation.
"""

import math
from typing import Any

import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import randwire_cells, randwire_costs
from nas_tf.spaces.counting import Cost
from nas_tf.spaces.operation_kinds import OperationKinds
from nas_tf.spaces.randwire_architecture import RandWireArchitecture
from nas_tf.spaces.randwire_cells import NUM_NODES, OP_NAMES, Invalid, check, from_adjacency
from nas_tf.spaces.randwire_encodings import RandWireDecisions, RandWireGraphForm
from nas_tf.spaces.randwire_generators import GENERATORS
from nas_tf.spaces.space import SearchSpace


class RandWireSpace(SearchSpace):
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

    def architectures(self, cells: CellGraphs) -> list[RandWireArchitecture]:
        """See `SearchSpace.architectures`."""
        return RandWireArchitecture.of_cells(cells)

    def encode(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns float32 adjacency [..., 32, 32] and one-hot operations [..., 32, 1]."""
        return cells.adjacency.astype(np.float32), np.ones((*cells.ops.shape, 1), np.float32)

    def decode(self, adjacency: np.ndarray, ops: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Turns decoded matrices into graphs; nothing is repaired.

        Args:
            adjacency: 0-1 or bool [..., 32, 32].
            ops: integers [..., 32], operation codes of every node.

        Returns:
            cells [...] and int8 [...], a code of `Invalid` (0 is valid).
        """
        plain = from_adjacency(np.asarray(adjacency))
        ops = np.asarray(ops).astype(np.int8)
        cells = CellGraphs(plain.adjacency, ops, plain.num_nodes, plain.identity)
        return cells, self.check(cells)

    def counts_as_valid(self, adjacency: np.ndarray, ops: np.ndarray) -> np.ndarray:
        """Tells, bool [...], which decoded matrices are graphs; arguments as in `decode`."""
        return self.decode(adjacency, ops)[1] == Invalid.VALID

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: the `Invalid` code of every graph (0 is in the space)."""
        return check(cells)

    def from_value(self, value: Any, numbering: str = "") -> CellGraphs:
        """Returns the graph, [], of a list of edges; see `randwire_architecture`.

        Raises:
            InvalidArchitectureError: it is no graph of the space.
        """
        del numbering
        return RandWireArchitecture.read(value).cells()[0]

    def to_values(self, cells: CellGraphs) -> list[dict[str, Any]]:
        """Returns `num_nodes` and `edges` of each of cells [B]."""
        return [architecture.value() for architecture in self.architectures(cells)]
