"""Architectures of NAS-Bench-Macro: the eight digits of a network's code.

    22212202
    {"code": "22212202"}

A digit a layer, 0 to 2 by `macro_cells.KINDS`. Codes of one network are equal architectures.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.architecture_value import Architecture, has_any, short
from nas_tf.spaces.macro_cells import NUM_LAYERS, NUM_NODES, OP_NAMES, from_layers, to_codes

_CODE = re.compile(f"[012]{{{NUM_LAYERS}}}")
_DIGITS = re.compile(r"[0-9]{5,}")  # what is meant for a code, right or wrong


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MacroArchitecture(Architecture):
    """A network of eight layers.

    Attributes:
        code: eight digits 0, 1 or 2, as they were given.

    Raises:
        InvalidArchitectureError: it is no such code.
    """

    space = "macro"
    form = "22212202 (eight digits 0, 1 or 2, one a layer)"
    op_names = OP_NAMES
    num_nodes = NUM_NODES

    code: str

    def __post_init__(self):
        if not isinstance(self.code, str) or not _CODE.fullmatch(self.code):
            raise InvalidArchitectureError(f"code {short(self.code)}: expected {self.form}")

    @property
    def layers(self) -> tuple[int, ...]:
        """The kinds of the layers, by `macro_cells.KINDS`."""
        return tuple(map(int, self.code))

    def text(self) -> str:
        """See `Architecture.text`."""
        return self.code

    def value(self) -> dict[str, str]:
        """See `Architecture.value`."""
        return {"code": self.code}

    def cells(self) -> CellGraphs:
        """See `Architecture.cells`."""
        return from_layers(np.array([self.layers]))

    @classmethod
    def of_cells(cls, cells: CellGraphs) -> list["MacroArchitecture"]:
        """See `Architecture.of_cells`."""
        return [cls(code) for code in to_codes(cells)]

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Architecture.recognises`."""
        if isinstance(value, str):
            return _DIGITS.fullmatch(value.strip()) is not None
        return has_any(value, ("code",))

    @classmethod
    def read(cls, value: Any) -> "MacroArchitecture":
        """See `Architecture.read`."""
        if isinstance(value, Mapping):
            if "code" not in value:
                raise InvalidArchitectureError(f"fields {short(', '.join(value))}: expected code")
            value = value["code"]
        return cls(value.strip() if isinstance(value, str) else value)
