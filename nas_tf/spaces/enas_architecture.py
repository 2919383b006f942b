"""Architectures of ENAS' macro space: the operation and the skip bits of 12 layers.

    0; 3 1; 2 0 1; ...                       also a line a layer, as ENAS prints it, or 78 numbers
    {"ops": ["conv_3x3", ...], "skips": [[], [1], [0, 1], ...]}

Layer k, counted from 0, is its operation, 0 to 5 (`enas_cells.LAYER_OPS`), and its k bits: of the
stem, then of layers 0 to k - 2, as in ENAS' own code and in `enas`.
"""

import dataclasses
import re
from typing import Any

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.architecture_value import (
    Architecture, has_any, is_list, is_whole, listed, short,
)
from nas_tf.spaces.enas_cells import (
    LAYER_OPS, NUM_LAYERS, NUM_NODES, OP_NAMES, from_layers, to_layers,
)

# Numbers of one or two digits: a longer one is no operation, right or wrong.
_NUMBERS = re.compile(r"(?!.*\d{3})[\s\d,;\[\]]*\d[\s\d,;\[\]]*", re.ASCII | re.DOTALL)
_BREAK = re.compile(r"[;\n\]]")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class EnasArchitecture(Architecture):
    """A network of 12 layers.

    Attributes:
        ops: 12 names of `enas_cells.LAYER_OPS`; codes 0 to 5 will do as well.
        skips: 12 tuples of 0 and 1; layer k, counted from 0, has k: of the stem, then of layers 0
            to k - 2.

    Raises:
        InvalidArchitectureError: it is no such network.
    """

    space = "enas"
    form = "0; 3 1; 2 0 1; ... (12 layers: operation, then skip bits)"
    op_names = OP_NAMES
    num_nodes = NUM_NODES

    ops: tuple[str, ...]
    skips: tuple[tuple[int, ...], ...]

    def __post_init__(self):
        ops, skips = listed(self.ops), listed(self.skips)
        if not is_list(ops) or not is_list(skips) or len(ops) != len(skips):
            raise InvalidArchitectureError("expected ops and skips, one of each a layer")
        if len(ops) != NUM_LAYERS:
            raise InvalidArchitectureError(f"{len(ops)} layers of ENAS: the space has {NUM_LAYERS}")
        object.__setattr__(self, "ops", tuple(_op(*layer) for layer in enumerate(ops)))
        object.__setattr__(self, "skips", tuple(_bits(*layer) for layer in enumerate(skips)))

    def _rows(self) -> list[list[int]]:
        """Returns the numbers of every layer."""
        return [[LAYER_OPS.index(op), *bits] for op, bits in zip(self.ops, self.skips)]

    def text(self) -> str:
        """See `Architecture.text`."""
        return "; ".join(" ".join(map(str, row)) for row in self._rows())

    def value(self) -> dict[str, list]:
        """See `Architecture.value`."""
        return {"ops": list(self.ops), "skips": list(map(list, self.skips))}

    def _key(self) -> str:
        bits = "".join(str(bit) for layer in self.skips for bit in layer)
        ops = "".join(str(row[0]) for row in self._rows())
        return f"{self.space}:{ops}-{int(bits, 2):017x}"

    def cells(self) -> CellGraphs:
        """See `Architecture.cells`."""
        ops = np.array([row[0] for row in self._rows()])
        return from_layers(ops[None], np.concatenate(self.skips).astype(np.int8)[None])

    @classmethod
    def of_cells(cls, cells: CellGraphs) -> list["EnasArchitecture"]:
        """See `Architecture.of_cells`."""
        ops, skips = (array.tolist() for array in to_layers(cells))
        return [cls(codes, _split(bits)) for codes, bits in zip(ops, skips)]

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Architecture.recognises`."""
        if isinstance(value, str):
            return _NUMBERS.fullmatch(value) is not None
        if is_list(value):
            rows = [row if is_list(row) else [row] for row in value]
            return bool(rows) and len(rows[0]) == 1 and all(all(map(is_whole, r)) for r in rows)
        return has_any(value, ("skips",))

    @classmethod
    def read(cls, value: Any) -> "EnasArchitecture":
        """See `Architecture.read`."""
        if not cls.recognises(value):
            raise InvalidArchitectureError(f"{short(value)}: expected {cls.form}")
        if has_any(value, ("skips",)):
            if "ops" not in value:
                raise InvalidArchitectureError("fields skips: expected ops and skips")
            return cls(value["ops"], value["skips"])
        rows = _text_rows(value) if isinstance(value, str) else value
        if len(rows) == 1 or not is_list(rows[0]):
            rows = _cut(rows[0] if is_list(rows[0]) else rows)
        if not all(is_list(row) and row for row in rows):
            raise InvalidArchitectureError(f"{short(value)}: expected {cls.form}")
        return cls([row[0] for row in rows], [row[1:] for row in rows])


def _text_rows(text: str) -> list[list[int]]:
    """Returns the numbers of every line of a text."""
    lines = (re.findall(r"\d+", line, re.ASCII) for line in _BREAK.split(text))
    return [list(map(int, line)) for line in lines if line]


def _cut(numbers: list[int]) -> list[list[int]]:
    """Returns the rows of a single list of numbers: 1, 2, 3, ... of them."""
    expected = NUM_LAYERS * (NUM_LAYERS + 1) // 2
    if len(numbers) != expected or not all(map(is_whole, numbers)):
        raise InvalidArchitectureError(
            f"{len(numbers)} numbers of ENAS: expected {expected}, 1 to {NUM_LAYERS} of "
            f"{NUM_LAYERS} layers"
        )
    ends = np.cumsum(np.arange(1, NUM_LAYERS + 1)).tolist()
    return [numbers[end - length : end] for length, end in enumerate(ends, 1)]


def _split(bits: list[int]) -> list[list[int]]:
    """Returns the 66 bits layer by layer."""
    ends = np.cumsum(np.arange(NUM_LAYERS)).tolist()
    return [bits[end - length : end] for length, end in enumerate(ends)]


def _op(layer: int, op: Any) -> str:
    """Returns the name of a layer's operation."""
    if is_whole(op) and 0 <= op < len(LAYER_OPS):
        return LAYER_OPS[op]
    if op not in LAYER_OPS:
        named = ", ".join(f"{code} {name}" for code, name in enumerate(LAYER_OPS))
        raise InvalidArchitectureError(f"layer {layer}: operation {short(op)}: expected {named}")
    return op


def _bits(layer: int, bits: Any) -> tuple[int, ...]:
    """Returns the skip bits of a layer."""
    bits = listed(bits)
    if not is_list(bits) or len(bits) != layer or not all(bit in (0, 1) for bit in bits):
        raise InvalidArchitectureError(
            f"layer {layer}: skip bits {short(list(bits) if is_list(bits) else bits)}: expected "
            f"{layer}, each 0 or 1"
        )
    return tuple(int(bit) for bit in bits)
