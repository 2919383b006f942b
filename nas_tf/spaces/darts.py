"""The DARTS space: cells of two inputs and four intermediate nodes that sum two operations each.

Liu et al., 2019, arXiv:1806.09055; encoded as in arch2vec (Yan et al., 2020, arXiv:2006.06936),
with one cell for both normal and reduction.

A cell has two forms here:

* `CellGraphs` of 11 nodes: 0 and 1 are the inputs c_{k-2} and c_{k-1}, the two operations of
  intermediate node i = 0 to 3 are nodes 2 + 2 i and 3 + 2 i, node 10 is the output c_k. An
  operation is entered from the input it reads, or from both operations of the intermediate node
  it reads; all eight lead to the output, which concatenates the intermediate nodes;
* edges: sources [4, 2] and operations [4, 2]. Sources are numbered as in a DARTS genotype: 0 and 1
  are the inputs, 2 to 5 the intermediate nodes. An intermediate node reads two different ones.

'none' (zero) is an operation like the others: arch2vec draws it, though a genotype that DARTS
derives never has it. arch2vec also drops cells of 600 million multiply-adds or more on ImageNet;
that is a property of networks, and nothing is dropped here.

Keys. Two cells are the same if renumbering the intermediate nodes, and swapping the operations of
some, turns one into the other: 1,111,452,176 cells, too many to enumerate. Their keys are exact,
one to one. They are finer than keys of the bare 11-node graph (`graphs.canonical_keys`, and
arch2vec's hash): that does not say which two operations are summed where no operation reads the
sum, so that a+b beside c+d looks like a+d beside c+b. Hence all cells that leave this module are
identified by `identity`, and are not joined with bare graphs. Sampled pools have
neither two cells with equal keys nor two with isomorphic graphs.

Shapes: M sampled cells, N = 11 nodes, D = 11 operations.
"""

from typing import Any

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import darts_costs, darts_edges
from nas_tf.spaces.counting import Cost
from nas_tf.spaces.darts_architecture import DartsArchitecture
# Who has this module has the names of its cells as well.
from nas_tf.spaces.darts_cells import (
    NUM_CELLS, Invalid, check, check_sample, from_edges, generate_cells, identity,
    to_edges, unique_cells, with_keys,
)
from nas_tf.spaces.darts_edges import (
    INPUT_1, INPUT_2, NONE, NUM_INPUTS, NUM_NODES, NUM_SLOTS, OP_NAMES, OPERATIONS, OUTPUT, SKIP,
    random_edges,
)
from nas_tf.spaces.darts_encodings import DartsDecisions
from nas_tf.spaces.darts_genotype import from_value, to_values
from nas_tf.spaces.operation_kinds import OperationKinds
from nas_tf.spaces.space import SearchSpace, as_matrices, of_matrices


class DartsSpace(SearchSpace):
    """Cells of the DARTS space, of which `enumerate_cells` samples a part.

    Args:
        num_cells: cells sampled, 1 to 10,000,000.
        seed: of the sampling.

    Raises:
        ConfigError: a number is out of range.
    """

    name = "darts"
    title = "DARTS"
    max_nodes = NUM_NODES
    op_names = OP_NAMES
    op_labels = (
        "$c_{k-2}$", "$c_{k-1}$", "none", "max-pool", "avg-pool", "skip", "sep 3×3", "sep 5×5",
        "dil 3×3", "dil 5×5", "$c_k$",
    )

    # Separable convolutions are applied twice, dilated ones reach twice as far.
    operation_kinds = OperationKinds(
        (0, 0, 0, 2, 2, 0, 4, 8, 4, 8, 0), (INPUT_2, INPUT_1), (OUTPUT,), (SKIP,), (NONE,)
    )

    def __init__(self, num_cells: int = NUM_CELLS, seed: int = 0):
        check_sample(num_cells, seed)
        self.num_cells = num_cells
        self.seed = seed

    def enumerate_cells(self) -> CellGraphs:
        """Returns the space's sample, [M] unique cells, always in the same order; cached on disk.

        The whole space, of about 10^9 cells, cannot be enumerated.
        """
        return unique_cells(self.num_cells, self.seed)

    def unique_cells(self, count: int, seed: int) -> CellGraphs:
        """Returns another sample, [count]; see `unique_cells`."""
        return unique_cells(count, seed)

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Draws cells as arch2vec does: two different sources and two operations a node, uniform.

        Args:
            rng: source of randomness.
            shape: leading dimensions of the result.
        """
        return from_edges(*random_edges(rng, tuple(shape)))

    def mutate(self, cells: CellGraphs, rng: np.random.Generator) -> CellGraphs:
        """Returns, for every cell [...], one of its neighbours, all equally likely.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        flat = cells.reshape(-1)
        sources, ops, keys, origin = darts_edges.neighbours(*to_edges(flat))
        start = np.searchsorted(origin, np.arange(len(flat)))
        chosen = start + rng.integers(0, np.bincount(origin, minlength=len(flat)))
        mutated = with_keys(sources[chosen], ops[chosen], keys[chosen])
        return mutated.reshape(*cells.shape)

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns all cells one edit away, each once per origin.

        An edit changes one of the eight operations or one of the eight sources. A node may read
        any other that does not read it, directly or indirectly; nodes are then renumbered if they
        must be. The numbering plays no part: whether two cells are neighbours is symmetric and the
        same for all isomorphic ones.

        Args:
            cells: batch [B] of valid cells.

        Returns:
            cells [K], at most 80 of each, and int64 [K], the position in `cells` of each one's
            origin, ascending.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        sources, ops, keys, origin = darts_edges.neighbours(*to_edges(cells))
        return with_keys(sources, ops, keys), origin

    def encode(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns what arch2vec's encoder reads.

        Args:
            cells: batch [...].

        Returns:
            float32 [..., 11, 11] upper-triangular adjacency and float32 [..., 11, 11] one-hot
            operations.
        """
        return as_matrices(cells, len(OP_NAMES))

    def decode(self, adjacency: np.ndarray, ops: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Turns decoded matrices into cells of the space; nothing is repaired.

        Args:
            adjacency: 0-1 or bool [..., 11, 11].
            ops: integers [..., 11], operation codes of every node.

        Returns:
            cells [...] and int8 [...], a code of `Invalid` (0 is valid).
        """
        cells = of_matrices(adjacency, ops, identity)
        return cells, self.check(cells)

    def counts_as_valid(self, adjacency: np.ndarray, ops: np.ndarray) -> np.ndarray:
        """Tells which decoded matrices arch2vec's published validity counts as valid.

        Its code looks at all operations, and of the edges only whether every operation is entered
        from a node before its own intermediate node, and from none behind it. `decode` tells which
        are cells.

        Args:
            adjacency: 0-1 or bool [..., 11, 11].
            ops: integers [..., 11], operation codes of every node.

        Returns:
            bool [...].
        """
        edges, ops = np.asarray(adjacency)[..., OPERATIONS].astype(bool), np.asarray(ops)
        row, start = np.arange(NUM_NODES)[:, None], NUM_INPUTS + np.arange(NUM_SLOTS) // 2 * 2
        entered = (edges & (row < start)).any(axis=-2).all(axis=-1)
        behind = (row >= start + 2) & (start < NUM_NODES - 3)  # none is behind the last
        ends = (ops[..., 0] == INPUT_2) & (ops[..., 1] == INPUT_1) & (ops[..., -1] == OUTPUT)
        known = (ops[..., OPERATIONS] >= NONE) & (ops[..., OPERATIONS] < OUTPUT)
        return ends & known.all(axis=-1) & entered & ~(edges & behind).any(axis=(-2, -1))

    def decisions(self, cells: CellGraphs | None = None) -> DartsDecisions:
        """Returns pairs of sources and operations, whatever the pool."""
        del cells
        return DartsDecisions()

    def costs(self, cells: CellGraphs) -> Cost:
        """See `SearchSpace.costs`."""
        return darts_costs.costs(cells)

    def architectures(self, cells: CellGraphs) -> list[DartsArchitecture]:
        """See `SearchSpace.architectures`."""
        return DartsArchitecture.of_cells(cells)

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: the `Invalid` code of every cell (0 is in the space)."""
        return check(cells)

    def from_value(self, value: Any, numbering: str = "") -> CellGraphs:
        """Returns the cell, [], of a genotype or of a text `Genotype(...)`; see `darts_genotype`.

        Raises:
            InvalidArchitectureError: it is no cell of the space.
        """
        del numbering
        return from_value(value)

    def to_values(self, cells: CellGraphs) -> list[dict[str, Any]]:
        """Returns the genotype of each of cells [B] by the names of its fields."""
        return to_values(cells)
