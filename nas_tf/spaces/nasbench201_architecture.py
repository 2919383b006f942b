"""Architectures of NAS-Bench-201: the operations of a cell's six edges, and the benchmark's string.

    |nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|none~2|
"""

import dataclasses
from typing import Any

import numpy as np

from nas_tf.core import InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench201_forms, nasbench201_text
from nas_tf.spaces.architecture_value import Architecture, has_any, is_edge, is_list, short
from nas_tf.spaces.nasbench201_cells import (
    EDGE_OPS, EDGES, NUM_NODES, OP_NAMES, from_strings, to_strings,
)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class NasBench201Architecture(Architecture):
    """A cell of the benchmark.

    Attributes:
        ops: six names, of the edges 1<-0, 2<-0, 2<-1, 3<-0, 3<-1 and 3<-2, as the strings have
            them.

    Raises:
        InvalidArchitectureError: they are not six operations.
    """

    space = "nasbench201"
    form = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    op_names = OP_NAMES
    num_nodes = NUM_NODES

    ops: tuple[str, ...]

    def __post_init__(self):
        object.__setattr__(self, "ops", tuple(self.ops))
        if len(self.ops) != len(EDGES) or not set(self.ops) <= set(EDGE_OPS):
            raise InvalidArchitectureError(
                f"ops={short(self.ops)}: expected six of {', '.join(EDGE_OPS)}"
            )

    def text(self) -> str:
        """See `Architecture.text`."""
        nodes: list[list[tuple[str, int]]] = [[], [], []]
        for op, (source, target) in zip(self.ops, EDGES):
            nodes[target - 1].append((op, source))
        return nasbench201_text.spelled(nodes)

    def value(self) -> dict[str, str]:
        """See `Architecture.value`."""
        return {"arch_str": self.text()}

    def cells(self) -> CellGraphs:
        """See `Architecture.cells`."""
        return from_strings(np.array([self.text()]))

    @classmethod
    def of_cells(cls, cells: CellGraphs) -> list["NasBench201Architecture"]:
        """See `Architecture.of_cells`."""
        to_strings(cells)  # refuses what is outside
        return [cls(tuple(OP_NAMES[op] for op in row)) for row in cells.ops[:, 1:-1].tolist()]

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Architecture.recognises`; operation indices are of no library by themselves."""
        if isinstance(value, str):
            return "|" in value
        nodes = is_list(value) and len(value) == 3 and all(map(is_list, value))
        edges = nodes and all(is_edge(edge) for node in value for edge in node)
        return edges or has_any(value, ("arch_str",))

    @classmethod
    def read(cls, value: Any) -> "NasBench201Architecture":
        """See `Architecture.read`."""
        if not cls.recognises(value):
            raise InvalidArchitectureError(
                f"{short(value)} is no NAS-Bench-201 cell: expected its string, such as {cls.form}"
            )
        return cls.of_cells(nasbench201_forms.from_value(value).reshape(1))[0]
