"""What an architecture is: a value of one search space, from which a network can be built.

A batch of cells is arrays (`nas_tf.graphs`); an architecture is one of them by itself, with the
names of its operations, as a command, a file and a network's builder want it. Some are more than a
cell: DARTS has two, an untied RandWire three graphs. `architecture.parse` reads all forms.
"""

import functools
import json
import numbers
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs


class Architecture:
    """Base of architectures: frozen values; two are equal where their keys are.

    Attributes:
        space: name of the search space.
        form: how one is written, for messages.
        op_names: names of the operations of its cells, by their codes.
        num_nodes: of its cells; None where these have any.
    """

    space: ClassVar[str]
    form: ClassVar[str]
    op_names: ClassVar[tuple[str, ...]]
    num_nodes: ClassVar[int | None] = None

    def text(self) -> str:
        """Returns it as one line, which `parse` reads again."""
        return json.dumps(self.value())

    def value(self) -> Any:
        """Returns it as a value of JSON, which `parse` reads again."""
        raise NotImplementedError

    def cells(self) -> CellGraphs:
        """Returns it as a cell of its space, [1].

        Raises:
            InvalidArchitectureError: it is no single cell of the space.
        """
        raise NotImplementedError

    @functools.cached_property
    def key(self) -> str:
        """Equal for equal architectures and, as far as keys of cells tell, for no others."""
        return self._key()

    def _key(self) -> str:
        return f"{self.space}:{int(self.cells().keys[0]):016x}"

    @classmethod
    def of_cells(cls, cells: CellGraphs) -> list["Architecture"]:
        """Returns the architecture of each of cells [B].

        Raises:
            InvalidArchitectureError: a cell is outside the space.
        """
        raise NotImplementedError

    @classmethod
    def has_cells_of(cls, ops: list) -> bool:
        """Tells whether a cell of the space may have nodes of such operations, by their names."""
        known = all(isinstance(op, str) and op in cls.op_names for op in ops)
        return known and cls.num_nodes in (None, len(ops))

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """Tells whether a text or a value of JSON is of this kind, right or wrong."""
        raise NotImplementedError

    @classmethod
    def read(cls, value: Any) -> "Architecture":
        """Returns the architecture of a text or a value of JSON.

        Raises:
            InvalidArchitectureError: it is none; the message says why.
        """
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {short(self.text())}>"

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, Architecture) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)


def short(value: Any) -> str:
    """Returns a value as one line of a message."""
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= 80 else text[:77] + "..."


def is_list(value: Any) -> bool:
    """Tells whether a value is a list or a tuple."""
    return isinstance(value, (list, tuple))


def is_whole(value: Any) -> bool:
    """Tells whether a value is a whole number."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def listed(value: Any) -> Any:
    """Returns an array as lists; anything else as it is."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def is_edge(value: Any) -> bool:
    """Tells whether a value is (operation, source) of a cell's edge."""
    return is_list(value) and len(value) == 2 and isinstance(value[0], str) and is_whole(value[1])


def has_any(value: Any, names: tuple[str, ...]) -> bool:
    """Tells whether a value is a mapping with one of some fields."""
    return isinstance(value, Mapping) and any(name in value for name in names)


def no_single_cell(what: str) -> InvalidArchitectureError:
    """Returns the error of an architecture that is more than a cell of its space."""
    return InvalidArchitectureError(f"{what}: no single cell of its search space")
