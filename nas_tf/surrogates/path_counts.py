"""How many paths of a cell have each sequence of operations.

Sequences are numbered, and what an operation makes of a sequence is a table: a cell's counts
follow node by node from the counts of the nodes before. Where there are too many sequences they
share `NUM_SHARED` numbers: the table is then a fixed shuffle for every operation, so that longer
sequences land anywhere, and few together.

Shapes: M cells, N nodes, q operations, F numbers of sequences.
"""

import numpy as np

from nas_tf import core
from nas_tf.spaces.operation_kinds import OperationKinds
from nas_tf.surrogates.live_graphs import LiveGraphs
from nas_tf.surrogates.path_encoding import num_paths

NUM_SHARED = 512

_CHUNK = 1 << 9  # cells counted at a time, so that the working set stays in cache


def longest_sequence(live: LiveGraphs, kinds: OperationKinds) -> int:
    """Returns the most operations on a path of any of the cells."""
    interior = np.isin(live.ops, kinds.interior)
    length = interior.astype(np.int64)
    for node in range(1, live.ops.shape[1]):
        before = np.where(live.edges[:, :, node], length, 0).max(axis=1)
        length[:, node] = before + interior[:, node]
    return int((length * live.ends).max(initial=0))


def sequence_table(num_ops: int, max_length: int) -> np.ndarray:
    """Returns the number of each sequence with each operation at its end.

    Sequences are numbered by length, those of one length by their first operation, then by their
    second, and so on; the empty one is 0.

    Args:
        num_ops: q.
        max_length: of the longest sequence there is.

    Returns:
        int64 [q, F]; -1 where a sequence would be too long. Where F would exceed `NUM_SHARED`
        numbers are shared.
    """
    if not num_ops:
        return np.zeros((0, 1), np.int64)
    if num_ops > 1 and num_paths(num_ops, max_length) > NUM_SHARED:
        rng = core.generator(num_ops, core.Stream.FEATURE_SHUFFLES)
        return np.stack([rng.permutation(NUM_SHARED) for _ in range(num_ops)])
    table = np.full((num_ops, num_paths(num_ops, max_length)), -1)
    for length in range(max_length):
        begin, end = num_paths(num_ops, length - 1), num_paths(num_ops, length)
        longer = end + (np.arange(end - begin) * num_ops + np.arange(num_ops)[:, None])
        table[:, begin:end] = longer
    return table


def path_counts(live: LiveGraphs, kinds: OperationKinds, table: np.ndarray) -> np.ndarray:
    """Returns float32 [M, F], how many paths of every cell have each sequence.

    Args:
        live: M cells.
        kinds: of operations; inputs and outputs belong to no sequence, skips do.
        table: of `sequence_table`.
    """
    counts = np.empty((len(live.ops), table.shape[1]), np.float32)
    for start in range(0, len(counts), _CHUNK):
        part = slice(start, start + _CHUNK)
        counts[part] = _count(LiveGraphs(*(array[part] for array in live)), kinds, table)
    return counts


def _count(live: LiveGraphs, kinds: OperationKinds, table: np.ndarray) -> np.ndarray:
    size, nodes = live.ops.shape
    passed_on = np.zeros((nodes, size, table.shape[1]), np.float32)
    total = np.zeros((size, table.shape[1]), np.float32)
    for node in range(nodes):
        counts = np.zeros((size, table.shape[1]), np.float32)
        counts[:, 0] = live.begins[:, node]
        for source in range(node):
            rows = np.flatnonzero(live.edges[:, source, node])
            counts[rows] += passed_on[source, rows]
        passed_on[node] = counts
        for row, code in enumerate(kinds.interior):
            rows = np.flatnonzero(live.ops[:, node] == code)
            passed_on[node, rows] = _append(counts[rows], table[row])
        total += passed_on[node] * live.ends[:, node, None]
    return total


def _append(counts: np.ndarray, longer: np.ndarray) -> np.ndarray:
    """Moves counts [K, F] to the numbers int64 [F] of the sequences with one more operation."""
    kept = longer >= 0
    result = np.zeros_like(counts)
    result[:, longer[kept]] = counts[:, kept]
    return result
