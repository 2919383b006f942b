"""Architectures of NAS-Bench-101: a pruned cell's matrix and the names of its operations.

    {"matrix": [[0, 1, 0], [0, 0, 1], [0, 0, 0]], "ops": ["input", "conv3x3-bn-relu", "output"]}

The other names of the fields are those of `nasbench101_text`.
"""

import dataclasses
from typing import Any

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101_text
from nas_tf.spaces.architecture_value import Architecture, has_any, is_list
from nas_tf.spaces.nasbench101_cells import OP_NAMES


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class NasBench101Architecture(Architecture):
    """A cell without nodes that lie on no path: these are dropped when it is made.

    Attributes:
        matrix: rows of 0 and 1, [V, V] with V at most 7; 1 at [i, j] leads from node i to node j.
        ops: V names, "input" first and "output" last.

    Raises:
        InvalidArchitectureError: it is no cell of the benchmark.
    """

    space = "nasbench101"
    form = '{"matrix": [[0, 1], [0, 0]], "ops": ["input", ..., "output"]}'
    op_names = OP_NAMES

    matrix: tuple[tuple[int, ...], ...]
    ops: tuple[str, ...]

    def __post_init__(self):
        cell = nasbench101_text.from_value({"matrix": self.matrix, "ops": self.ops})
        (pruned,) = nasbench101_text.to_specs(cell.reshape(1))
        object.__setattr__(self, "matrix", tuple(map(tuple, pruned["matrix"])))
        object.__setattr__(self, "ops", tuple(pruned["ops"]))

    def value(self) -> dict[str, list]:
        """See `Architecture.value`."""
        return {"matrix": list(map(list, self.matrix)), "ops": list(self.ops)}

    def cells(self) -> CellGraphs:
        """See `Architecture.cells`."""
        return nasbench101_text.from_specs([self.value()])

    @classmethod
    def of_cells(cls, cells: CellGraphs) -> list["NasBench101Architecture"]:
        """See `Architecture.of_cells`."""
        return [cls(**spec) for spec in nasbench101_text.to_specs(cells)]

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Architecture.recognises`."""
        if is_list(value):
            pair = len(value) == 2 and is_list(value[0]) and is_list(value[1])
            return pair and bool(value[1]) and all(isinstance(name, str) for name in value[1])
        return has_any(value, nasbench101_text.MATRIX_FIELDS)

    @classmethod
    def read(cls, value: Any) -> "NasBench101Architecture":
        """See `Architecture.read`."""
        return cls.of_cells(nasbench101_text.from_specs([value]))[0]
