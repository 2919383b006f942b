"""A search space of named choices, for a problem of one's own.

    space = ChoiceSpace("mlp", {"depth": (1, 2, 3), "width": (16, 32, 64, 128)})
    space.options(space.random_cells(np.random.default_rng(0), (1,)))  # [{"depth": 2, "width": 64}]

A cell is a chain, input -> one node a choice -> output; a node's operation is the option taken, by
a name such as "depth=2". Every operation belongs to one choice, so that keys tell cells apart
exactly where their options differ.

Shapes: M cells, K choices, N = K + 2 nodes, D operations.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.graphs import MAX_NODES, CellGraphs
from nas_tf.spaces.choices_cells import check, from_indices, to_indices
from nas_tf.spaces.choices_encodings import ChoiceDecisions, ChoiceGraphForm
from nas_tf.spaces.space import SearchSpace

MAX_ENUMERATED = 100_000  # cells of a space that can be listed
MAX_OPERATIONS = 127  # with input and output: codes are int8


class ChoiceSpace(SearchSpace):
    """All combinations of one option of every choice.

    Args:
        name: of the space.
        choices: two or more different options by the names of the choices. They have to be values
            of JSON, or tuples of such, to be written and read again.
        title: what people call it; its name when None.

    Raises:
        ConfigError: there are no choices, too few options of one, too many, or two alike.
    """

    def __init__(
        self, name: str, choices: Mapping[str, Sequence[Any]], title: str | None = None
    ):
        self.name, self.title = name, name if title is None else title
        self.choices = {choice: tuple(options) for choice, options in choices.items()}
        texts = [f"{c}={option}" for c, options in self.choices.items() for option in options]
        self.op_names = ("input", *texts, "output")
        self.max_nodes = len(self.choices) + 2
        self._check()
        self._sizes = np.array([len(options) for options in self.choices.values()])
        self.num_cells = math.prod(self._sizes.tolist())

    def __repr__(self) -> str:
        return f"ChoiceSpace({self.name!r}, {self.choices})"

    def _check(self) -> None:
        """Raises ConfigError where the choices make no space."""
        if not 1 <= len(self.choices) <= MAX_NODES - 2 or len(self.op_names) > MAX_OPERATIONS:
            raise ConfigError(
                f"choices: {len(self.choices)} of {len(self.op_names) - 2} options together; "
                f"expected at least 1 and {MAX_OPERATIONS - 2} options at most"
            )
        for choice, options in self.choices.items():
            alike = [option for index, option in enumerate(options) if option in options[:index]]
            if len(options) < 2 or alike:
                raise ConfigError(f"choices[{choice!r}]={options}: expected two or more different")
        alike = {text for text in self.op_names if self.op_names.count(text) > 1}
        if alike:
            raise ConfigError(f"choices: two options are written {min(alike)}; rename one")

    def has(self, ability: str) -> bool:
        """Tells whether the space has an ability; it lists its cells where they are few."""
        few = ability != "enumerate_cells" or self.num_cells <= MAX_ENUMERATED
        return few and super().has(ability)

    def options(self, cells: CellGraphs) -> list[dict[str, Any]]:
        """Returns the options taken by each of cells [M], by the names of the choices.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        lists = list(self.choices.items())
        return [
            {name: values[index] for (name, values), index in zip(lists, row, strict=True)}
            for row in to_indices(cells, self._sizes).tolist()
        ]

    def random_cells(self, rng: np.random.Generator, shape: tuple[int, ...]) -> CellGraphs:
        """Draws every option of every cell uniformly; `shape` leads the result's."""
        return from_indices(rng.integers(self._sizes, size=(*shape, len(self._sizes))), self._sizes)

    def enumerate_cells(self) -> CellGraphs:
        """Returns every cell once, [M]; the last choice changes first.

        Raises:
            ConfigError: there are more than 100,000.
        """
        if not self.has("enumerate_cells"):
            raise ConfigError(
                f"space {self.name}: its {self.num_cells:,} cells are too many to list, "
                f"{MAX_ENUMERATED:,} are not"
            )
        every = np.unravel_index(np.arange(self.num_cells), self._sizes)
        return from_indices(np.stack(every, axis=-1), self._sizes)

    def neighbours(self, cells: CellGraphs) -> tuple[CellGraphs, np.ndarray]:
        """Returns all cells with one option changed, in the order of the choices.

        Args:
            cells: batch [B].

        Returns:
            cells and int64, the index in `cells` of each one's origin, ascending.

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        taken = to_indices(cells, self._sizes).astype(np.int64)
        changed = np.repeat(np.arange(len(self._sizes)), self._sizes - 1)
        step = np.concatenate([np.arange(1, size) for size in self._sizes])
        edited = np.repeat(taken[:, None], len(changed), axis=1)
        moved = (taken[:, changed] + step) % self._sizes[changed]
        edited[:, np.arange(len(changed)), changed] = moved
        origin = np.repeat(np.arange(len(taken)), len(changed))
        return from_indices(edited.reshape(-1, len(self._sizes)), self._sizes), origin

    def decisions(self, cells: CellGraphs | None = None) -> ChoiceDecisions:
        """Returns one decision a choice, whatever the pool."""
        del cells
        return ChoiceDecisions(self._sizes)

    def graph_form(self, cells: CellGraphs | None = None) -> ChoiceGraphForm:
        """Returns graphs whose node labels are the options, whatever the pool."""
        del cells
        return ChoiceGraphForm(self._sizes)

    def encode(self, cells: CellGraphs) -> tuple[np.ndarray, np.ndarray]:
        """Returns float32 adjacency [..., N, N] and one-hot operations [..., N, D]."""
        one_hot = cells.ops[..., None] == np.arange(len(self.op_names))
        return cells.adjacency.astype(np.float32), one_hot.astype(np.float32)

    def decode(self, adjacency: np.ndarray, ops: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Turns decoded matrices into cells; nothing is repaired.

        Args:
            adjacency: 0-1 or bool [..., N, N].
            ops: integers [..., N], operation codes of every node.

        Returns:
            cells [...] and int8 [...], a code of `choices_cells.Invalid` (0 is valid).
        """
        adjacency = np.asarray(adjacency).astype(np.uint8)
        num_nodes = np.full(adjacency.shape[:-2], self.max_nodes, np.int8)
        cells = CellGraphs(adjacency, np.asarray(ops).astype(np.int8), num_nodes)
        return cells, self.check(cells)

    def check(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [...]: a code of `choices_cells.Invalid` (0 is in the space)."""
        return check(cells, self._sizes)

    def from_value(self, value: Any, numbering: str = "") -> CellGraphs:
        """Returns the cell, [], of the options that a mapping names; other fields are ignored.

        Raises:
            InvalidArchitectureError: an option is missing or unknown.
        """
        del numbering
        if not isinstance(value, Mapping):
            raise InvalidArchitectureError(f"{value!r:.80}: expected options by their choices")
        taken = [self._index_of(name, value) for name in self.choices]
        return from_indices(np.array(taken), self._sizes)

    def _index_of(self, name: str, value: Mapping) -> int:
        """Returns the index of the option that a mapping names for a choice."""
        options = [_plain(option) for option in self.choices[name]]
        if name not in value or _plain(value[name]) not in options:
            given = f"{value[name]!r:.80}" if name in value else "missing"
            raise InvalidArchitectureError(
                f"{name}: {given}, expected one of {', '.join(map(str, options))}"
            )
        return options.index(_plain(value[name]))

    def to_values(self, cells: CellGraphs) -> list[dict[str, Any]]:
        """Returns `options` of each of cells [M]."""
        return self.options(cells)


def _plain(value: Any) -> Any:
    """Returns a value as JSON brings it back: tuples are lists there."""
    return list(map(_plain, value)) if isinstance(value, (list, tuple)) else value
