"""Path encoding: which sequences of operations lead from a cell's input to its output.

BANANAS (White, Neiswanger and Savani, 2021, arXiv:1910.11858): one binary feature for every
sequence of operations that a path may have; with q operations and paths of at most L of them that
is 1 + q + q^2 + ... + q^L features. A NAS-Bench-101 cell has q = 3 and L = 5: 364. Most of these
sequences are long and in hardly any cell, so the encoding is truncated to the likely ones, which
are the short ones: L = 3, 40 features.

The encoding sees no node numbers, so isomorphic cells are encoded alike. Two different cells may
be encoded alike too.

Shapes: M cells, N nodes, q operations, F features.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf.graphs import CellGraphs

_CHUNK = 1 << 14  # cells encoded at a time, so that the working set stays in cache


def num_paths(num_ops: int, max_length: int) -> int:
    """Returns F, the number of sequences of at most `max_length` of `num_ops` operations."""
    return sum(num_ops**length for length in range(max_length + 1))


def longest_path(cells: CellGraphs) -> int:
    """Returns the most operations on a path from input to output of any of the cells [M]."""
    edges = cells.adjacency.astype(bool)
    depth = np.zeros(cells.ops.shape, np.int64)  # edges on the longest path to every node
    for node in range(1, cells.max_nodes):
        depth[:, node] = np.where(edges[:, :, node], depth + 1, 0).max(axis=1)
    output = cells.num_nodes.astype(np.int64) - 1
    return max(0, int(depth[np.arange(len(cells)), output].max()) - 1)


def encode(cells: CellGraphs, ops: Sequence[int], max_length: int) -> np.ndarray:
    """Returns which operation sequences the paths of every cell have.

    Features are ordered by length, those of one length by the index of their first operation in
    `ops`, then of their second, and so on. Longer paths are left out.

    Args:
        cells: batch [M]. Edges lead from lower to higher nodes.
        ops: q codes of operations. Nodes with any other operation let nothing through: there is no
            path across them. Leaving 'none' out makes a NAS-Bench-201 edge without an operation
            what it computes, a missing edge.
        max_length: L, most operations on a path; input and output do not count.

    Returns:
        bool [M, F].

    Raises:
        ValueError: `ops` has no or repeated codes, or `max_length` is negative.
    """
    if not len(ops) or len(set(ops)) != len(ops) or max_length < 0:
        raise ValueError(f"ops={list(ops)}, max_length={max_length}: expected distinct codes, >= 0")
    encoded = np.empty((len(cells), num_paths(len(ops), max_length)), bool)
    for start in range(0, len(cells), _CHUNK):
        part = slice(start, start + _CHUNK)
        encoded[part] = _encode(cells[part], np.asarray(ops), max_length)
    return encoded


def _encode(cells: CellGraphs, ops: np.ndarray, max_length: int) -> np.ndarray:
    """Does `encode` for one chunk: what reaches a node is what its predecessors pass on."""
    edges = cells.adjacency.astype(bool)
    has_op = cells.ops[:, :, None] == ops  # [M, N, q]
    begin = np.zeros((len(cells), num_paths(len(ops), max_length)), bool)
    begin[:, 0] = True  # the path without operations
    passed_on = [begin]  # by every node, [M, F] each
    encoded = np.zeros_like(begin)
    for node in range(1, cells.max_nodes):
        reached = np.zeros_like(begin)
        for source in range(node):
            reached |= passed_on[source] & edges[:, source, node, None]
        encoded |= reached & (cells.num_nodes == node + 1)[:, None]
        passed_on.append(_append(reached, has_op[:, node], max_length))
    return encoded


def _append(paths: np.ndarray, has_op: np.ndarray, max_length: int) -> np.ndarray:
    """Returns paths [M, F] one operation longer, which is true in has_op [M, q], if it is any."""
    num_ops = has_op.shape[1]
    longer = np.zeros_like(paths)
    for length in range(max_length):
        begin, middle, end = (num_paths(num_ops, length + step) for step in (-1, 0, 1))
        extended = paths[:, begin:middle, None] & has_op[:, None]  # [M, q^length, q]
        longer[:, middle:end] = extended.reshape(len(paths), end - middle)
    return longer
