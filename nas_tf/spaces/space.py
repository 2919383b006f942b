"""What a search space is: a set of cells, and how they are drawn, varied and encoded.

A space overrides what it can do. Strategies say what they need (`nas_tf.strategies`), and a search
asks `has` before it begins, so that nobody finds out after an hour. To draw cells is the one thing
that every space does; to enumerate them is an ability, not a duty.

Shapes: [...] any leading dimensions, N nodes, D operations.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs, canonical_keys
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.spaces.counting import Cost
from nas_tf.spaces.decisions import Decisions
from nas_tf.spaces.graph_form import GraphForm
from nas_tf.spaces.operation_kinds import OperationKinds, kinds_by_name

_FOLLOWS = {"mutate": "neighbours", "counts_as_valid": "decode"}  # abilities from others


class SearchSpace:
    """Base of search spaces.

    Attributes:
        name: what programs call it, `--space` for one.
        title: what people call it.
        max_nodes: N, nodes that cells are padded to.
        op_names: D names of operations, in the order of their codes.
        op_labels: D short ones for pictures, different from each other; the names where a space
            says nothing else.
        neighbours_version: a number makes searches keep the neighbours of a pool's cells on disk,
            where finding them takes long; it changes with what a neighbour is.
    """

    name: str
    title: str
    max_nodes: int
    op_names: tuple[str, ...]
    neighbours_version: int | None = None

    @property
    def op_labels(self) -> tuple[str, ...]:
        """Short names of operations, for pictures."""
        return self.op_names

    @property
    def operation_kinds(self) -> OperationKinds:
        """What operations do; what their names say where a space says nothing else."""
        return kinds_by_name(self.op_names)

    def __repr__(self) -> str:
        given = [f"{name}={value!r}" for name, value in vars(self).items() if name[0] != "_"]
        return f"{type(self).__name__}({', '.join(given)})"

    def has(self, ability: str) -> bool:
        """Tells whether the space has an ability: a method of this class, by its name.

        It has those that it overrides, `mutate` where it has `neighbours`, and `counts_as_valid`
        where it has `decode`. A space whose abilities depend on how it was made overrides this
        method as well.
        """
        own = getattr(type(self), ability) is not getattr(SearchSpace, ability)
        return own or (ability in _FOLLOWS and self.has(_FOLLOWS[ability]))

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Returns random valid cells of the given leading shape."""
        raise self._lacks("random cells")

    def enumerate_cells(self) -> CellGraphs:
        """Returns every unique cell once, [M], always in the same order."""
        raise self._lacks("a list of all cells")

    def mutate(self, cells: CellGraphs, rng: np.random.Generator) -> CellGraphs:
        """Returns, for every cell [...], one of its neighbours, all equally likely.

        Raises:
            ConfigError: a cell has none, or the space has neither edits nor neighbours.
        """
        if not self.has("neighbours"):
            raise self._lacks("edits")
        candidates, origin = self.neighbours(cells.reshape(-1))
        count = np.bincount(origin, minlength=cells.num_nodes.size)
        if not count.all():
            raise ConfigError(f"space {self.name}: cell {np.argmin(count)} has no neighbour in it")
        start = np.cumsum(count) - count
        return candidates[start + rng.integers(0, count)].reshape(*cells.shape)

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns all cells one edit away, each once per origin.

        Args:
            cells: batch [B].

        Returns:
            cells [K] and int64 [K], the index in `cells` of each one's origin, ascending.
        """
        raise self._lacks("neighbours")

    def decisions(self, cells: CellGraphs | None = None) -> Decisions:
        """Returns how cells are categorical decisions.

        Args:
            cells: a pool that the decisions have to reach, and no more than need be; None is the
                whole space.
        """
        raise self._lacks("categorical decisions")

    def graph_form(self, cells: CellGraphs | None = None) -> GraphForm:
        """Returns how cells are the graphs that a generator decides.

        Args:
            cells: a pool that the graphs have to hold, with no more nodes than need be; None is
                the whole space.
        """
        raise self._lacks("a form as graphs")

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: for pruned cells, why each is outside the space (0 is in it)."""
        raise self._lacks("a check of cells")

    def encode(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns float32 adjacency [..., N, N] and one-hot operations [..., N, D]."""
        raise self._lacks("an encoding as matrices")

    def decode(self, adjacency: np.ndarray, ops: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns cells and reason codes (0 is valid) of decoded matrices."""
        raise self._lacks("a decoding of matrices")

    def counts_as_valid(self, adjacency: np.ndarray, ops: np.ndarray) -> np.ndarray:
        """Tells, bool [...], which decoded matrices the published validity counts as valid.

        Where nothing else was published these are the cells; arguments as in `decode`.
        """
        return self.decode(adjacency, ops)[1] == 0

    def from_value(self, value: Any, numbering: str = "naslib") -> CellGraphs:
        """Returns the cell that a line or JSON value of a user's file stands for, shape [].

        Args:
            value: a text, or a value of JSON.
            numbering: of operation indices, where a space has several:
                `nasbench201_forms.NUMBERINGS`.

        Raises:
            InvalidArchitectureError: it stands for none; the message says why.
        """
        raise self._lacks("a form as text")

    def to_values(self, cells: CellGraphs) -> list[dict[str, Any]]:
        """Returns a dict of JSON values for each of cells [M], which `from_value` reads again."""
        raise self._lacks("a form as text")

    def architectures(self, cells: CellGraphs) -> list[Architecture]:
        """Returns the architecture of each of cells [B], from which networks are built.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        raise self._lacks("networks")

    def costs(self, cells: CellGraphs) -> Cost:
        """Returns what the networks of cells [...] cost, those of the papers for CIFAR-10.

        Nothing is built. Parameters and multiply-adds are int64 [...] each.
        """
        raise self._lacks("costs of networks")

    def _lacks(self, what: str) -> ConfigError:
        return ConfigError(f"space {self.name}: it lacks {what}")


def as_matrices(cells: CellGraphs, num_ops: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns float32 adjacency [..., N, N] and one-hot operations [..., N, D] of cells [...]."""
    one_hot = cells.ops[..., None] == np.arange(num_ops)
    return cells.adjacency.astype(np.float32), one_hot.astype(np.float32)


def of_matrices(
    adjacency: np.ndarray,
    ops: np.ndarray,
    identity: Callable[[CellGraphs], np.ndarray] = canonical_keys,
) -> CellGraphs:
    """Returns the graphs [...] of decoded matrices in which every node counts; nothing is checked.

    Args:
        adjacency: 0-1 or bool [..., N, N].
        ops: integers [..., N].
        identity: of the cells.
    """
    adjacency = np.asarray(adjacency).astype(np.uint8)
    num_nodes = np.full(adjacency.shape[:-2], adjacency.shape[-1], np.int8)
    return CellGraphs(adjacency, np.asarray(ops).astype(np.int8), num_nodes, identity)
