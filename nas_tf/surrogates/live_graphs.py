"""Cells without what does nothing: dead nodes, and operations that let nothing through.

Shapes: M cells, N nodes.
"""

from typing import NamedTuple

import numpy as np

from nas_tf.graphs import PADDING_OP, CellGraphs, nodes_in_use
from nas_tf.spaces.operation_kinds import OperationKinds


class LiveGraphs(NamedTuple):
    """What of cells reaches an output from an input; nodes keep their places.

    Attributes:
        edges: bool [M, N, N]; [i, j] leads from node i to node j.
        ops: int8 [M, N]; `PADDING_OP` where a node does nothing.
        begins: bool [M, N], inputs that are in use.
        ends: bool [M, N], outputs that are in use.
    """

    edges: np.ndarray
    ops: np.ndarray
    begins: np.ndarray
    ends: np.ndarray


def live_graphs(cells: CellGraphs, kinds: OperationKinds) -> LiveGraphs:
    """Takes everything out of cells [M] that lies on no path from an input to an output.

    Edges lead from lower to higher nodes. A cell that connects nothing is left without nodes.
    """
    used = nodes_in_use(cells) & ~np.isin(cells.ops, kinds.blocks)
    edges = cells.adjacency.astype(bool) & used[:, :, None] & used[:, None, :]
    begins = used & (np.isin(cells.ops, kinds.inputs) if kinds.inputs else ~edges.any(axis=1))
    ends = used & (np.isin(cells.ops, kinds.outputs) if kinds.outputs else ~edges.any(axis=2))
    entered, left = begins.copy(), ends.copy()
    for node in range(1, cells.max_nodes):
        entered[:, node] |= (entered & edges[:, :, node]).any(axis=1)
    for node in range(cells.max_nodes - 2, -1, -1):
        left[:, node] |= (left & edges[:, node]).any(axis=1)
    alive = entered & left
    edges &= alive[:, :, None] & alive[:, None, :]
    ops = np.where(alive, cells.ops, PADDING_OP).astype(np.int8)
    return LiveGraphs(edges, ops, begins & alive, ends & alive)
