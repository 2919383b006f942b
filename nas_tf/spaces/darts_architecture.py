"""Architectures of DARTS: a normal and a reduction cell, as a genotype has them.

    Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=[2, 3, 4, 5], reduce=[...], ...)

Without a reduction cell it is the normal one, as in `DartsSpace`. The published genotypes:
Liu et al., 2019, arXiv:1806.09055 (first and second order); Chen et al., 2019, arXiv:1904.12760
(P-DARTS); Xu et al., 2020, arXiv:1907.05737 (PC-DARTS).
"""

import dataclasses
from typing import Any

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import darts_cells, darts_genotype
from nas_tf.spaces.architecture_value import (
    Architecture, has_any, is_edge, is_list, no_single_cell,
)
from nas_tf.spaces.darts_edges import NUM_NODES, OP_NAMES

Edges = tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DartsArchitecture(Architecture):
    """Two cells. The order of a node's two edges and the numbering of nodes do not matter to keys.

    Attributes:
        normal: eight (operation, source), two of every intermediate node; sources 0 and 1 are the
            inputs c_{k-2} and c_{k-1}, 2 to 5 the intermediate nodes.
        reduce: likewise, of the reduction cell; the normal one when None.

    Raises:
        InvalidArchitectureError: one is no cell of the space.
    """

    space = "darts"
    form = "Genotype(normal=[('sep_conv_3x3', 0), ...], normal_concat=[2, 3, 4, 5], ...)"
    op_names = OP_NAMES
    num_nodes = NUM_NODES

    normal: Edges
    reduce: Edges | None = None

    def __post_init__(self):
        pair = darts_genotype.cell_pair({"normal": self.normal, "reduce": self.reduce})
        for name, edges in zip(("normal", "reduce"), pair):
            object.__setattr__(self, name, edges)

    def text(self) -> str:
        """See `Architecture.text`."""
        fields = ", ".join(f"{name}={value}" for name, value in self._fields(tuple).items())
        return f"Genotype({fields})"

    def value(self) -> dict[str, list]:
        """See `Architecture.value`."""
        return self._fields(list)

    def _fields(self, kind: type) -> dict[str, list]:
        """Returns the fields of its genotype, edges being of a type."""
        concat = list(darts_genotype.CONCAT)
        return {
            "normal": [kind(edge) for edge in self.normal], "normal_concat": concat,
            "reduce": [kind(edge) for edge in self.reduce], "reduce_concat": list(concat),
        }

    def _key(self) -> str:
        normal, reduce = darts_genotype.cells_of_edges([self.normal, self.reduce]).keys.tolist()
        return f"{self.space}:{normal:016x}" + ("" if normal == reduce else f"-{reduce:016x}")

    def cells(self) -> CellGraphs:
        """See `Architecture.cells`; both of its cells have to be one."""
        pair = darts_genotype.cells_of_edges([self.normal, self.reduce])
        if pair.keys[0] != pair.keys[1]:
            raise no_single_cell("a genotype whose normal and reduction cells differ")
        return pair[:1]

    @classmethod
    def of_cells(cls, cells: CellGraphs) -> list["DartsArchitecture"]:
        """See `Architecture.of_cells`; the cell is normal and reduction cell."""
        darts_cells.to_edges(cells)  # refuses what is outside
        return [cls(tuple(genotype.normal)) for genotype in darts_genotype.to_genotypes(cells)]

    @classmethod
    def recognises(cls, value: Any) -> bool:
        """See `Architecture.recognises`."""
        if isinstance(value, str):
            return "Genotype" in value
        fields = is_list(value) and len(value) == 4 and is_list(value[0]) and bool(value[0])
        first = value[0][0] if fields else None
        nested = is_list(first) and bool(first) and is_edge(first[0])
        return is_edge(first) or nested or has_any(value, ("normal", "reduce"))

    @classmethod
    def read(cls, value: Any) -> "DartsArchitecture":
        """See `Architecture.read`."""
        return cls(*darts_genotype.cell_pair(value))


def _of(normal: str, reduce: str) -> DartsArchitecture:
    """Returns the architecture of two cells, such as "sep3 0 skip 1 / ..."."""
    return DartsArchitecture(*map(_edges, (normal, reduce)))


_WORDS = {
    "sep3": "sep_conv_3x3", "sep5": "sep_conv_5x5", "dil3": "dil_conv_3x3", "dil5": "dil_conv_5x5",
    "max": "max_pool_3x3", "avg": "avg_pool_3x3", "skip": "skip_connect",
}


def _edges(cell: str) -> Edges:
    words = cell.replace("/", " ").split()
    return tuple((_WORDS[op], int(source)) for op, source in zip(words[::2], words[1::2]))


PUBLISHED = {
    "darts_v1": _of(
        "sep3 1 sep3 0 / skip 0 sep3 1 / skip 0 sep3 1 / sep3 0 skip 2",
        "max 0 max 1 / skip 2 max 0 / max 0 skip 2 / skip 2 avg 0",
    ),
    "darts_v2": _of(
        "sep3 0 sep3 1 / sep3 0 sep3 1 / sep3 1 skip 0 / skip 0 dil3 2",
        "max 0 max 1 / skip 2 max 1 / max 0 skip 2 / skip 2 max 1",
    ),
    "p_darts": _of(
        "skip 0 dil3 1 / skip 0 sep3 1 / sep3 1 sep3 3 / sep3 0 dil5 4",
        "avg 0 sep5 1 / sep3 0 dil5 2 / max 0 dil3 1 / dil3 1 dil5 3",
    ),
    "pc_darts_cifar": _of(
        "sep3 1 skip 0 / sep3 0 dil3 1 / sep5 0 sep3 1 / avg 0 dil3 1",
        "sep5 1 max 0 / sep5 1 sep5 2 / sep3 0 sep3 3 / sep3 1 sep3 2",
    ),
    "pc_darts_image": _of(
        "skip 1 sep3 0 / sep3 0 skip 1 / sep3 1 sep3 3 / sep3 1 dil5 4",
        "sep3 0 skip 1 / dil5 2 max 1 / sep3 2 sep3 1 / sep5 0 sep3 3",
    ),
}
