"""The official MD5 hash of NAS-Bench-101's cells (Ying et al., 2019, arXiv:1902.09635).

Every node is coloured by the MD5 of its degrees and its label, then as often as there are nodes by
the MD5 of its predecessors' colours, its successors' and its own; the hash of a cell is that of its
nodes' sorted colours. Colours are hexadecimal text.

Nodes with as many predecessors and successors have messages of one length and are hashed together,
where cells are many; a few are hashed one by one.

Shapes: B cells of V nodes, T = B V nodes, n nodes of one kind.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent import futures
from typing import NamedTuple

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.spaces import md5

HASH_CHARS = 32

_FEW = 1 << 8  # cells; up to so many are sooner hashed one by one
_CELLS = 1 << 16  # hashed at a time
_MESSAGES = 1 << 14  # of them
_THREADS = 2
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)
_BAR = ord("|")
_NODE_BITS = np.uint64(127)  # of a colour's first 64 bits, make room for the number of a node


class _Kind(NamedTuple):
    """Nodes with as many predecessors and as many successors.

    Attributes:
        nodes: int64 [n], of all cells' nodes, counted through.
        first: int64 [n, 1], the first node of each one's cell.
        before: int64 [n, P], predecessors.
        after: int64 [n, S], successors.
    """

    nodes: np.ndarray
    first: np.ndarray
    before: np.ndarray
    after: np.ndarray


def md5_hashes(cells: CellGraphs, labels: Sequence) -> np.ndarray:
    """Returns the official hash of every cell.

    Args:
        cells: a batch [...]; edges may lead to earlier nodes.
        labels: the benchmark's integer label of every operation code, or the text of another one.

    Returns:
        str [...], 32 hexadecimal digits each.
    """
    flat = cells.reshape(-1)
    if len(flat) <= _FEW:
        each = [_one(*flat.matrix(index), labels) for index in range(len(flat))]
        return np.array(each, f"U{HASH_CHARS}").reshape(cells.shape)
    hashes = np.empty(len(flat), f"S{HASH_CHARS}")
    with futures.ThreadPoolExecutor(_THREADS) as threads:
        for part, size in _parts(flat.num_nodes):
            edges = flat.adjacency[part, :size, :size] != 0
            hashes[part] = _hash(edges, flat.ops[part, :size], labels, threads)
    return hashes.astype(f"U{HASH_CHARS}").reshape(cells.shape)


def _one(matrix: np.ndarray, ops: np.ndarray, labels: Sequence) -> str:
    """Returns the hash of one cell: adjacency [V, V] and operation codes [V]."""
    def digest(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    after = [np.flatnonzero(row).tolist() for row in matrix]
    before = [np.flatnonzero(column).tolist() for column in matrix.T]
    colours = [
        digest(f"({len(after[node])}, {len(before[node])}, {labels[op]})")
        for node, op in enumerate(ops.tolist())
    ]
    for _ in ops:
        colours = [
            digest("|".join([
                "".join(sorted(colours[other] for other in before[node])),
                "".join(sorted(colours[other] for other in after[node])),
                colours[node],
            ]))
            for node in range(len(ops))
        ]
    return digest(str(sorted(colours)))


def _parts(num_nodes: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """Yields indices of cells of one size, int64 [B], and the size."""
    for size in np.unique(num_nodes).tolist():
        same = np.flatnonzero(num_nodes == size)
        for start in range(0, len(same), _CELLS):
            yield same[start : start + _CELLS], size


def _hash(
    edges: np.ndarray, ops: np.ndarray, labels: Sequence, threads: futures.Executor
) -> np.ndarray:
    """Returns the hashes of cells of one size, S32 [B]; edges are bool [B, V, V]."""
    kinds = _kinds(edges)
    colours = _first_colours(edges, ops, labels)
    for _ in range(ops.shape[1]):
        colours = _next_colours(colours, kinds, ops.shape[1], threads)
    ranks = _sortable(colours, ops.shape[1]).reshape(ops.shape)
    order = np.argsort(ranks, axis=1) + np.arange(0, ops.size, max(1, ops.shape[1]))[:, None]
    texts = _texts(colours)[order]
    parts = [_listed(texts[at : at + _MESSAGES]) for at in range(0, len(ops), _MESSAGES)]
    return _texts(np.concatenate(parts)).view(f"S{HASH_CHARS}")[:, 0]


def _kinds(edges: np.ndarray) -> list[_Kind]:
    """Returns the nodes of cells [B, V, V] by their numbers of neighbours, some at a time."""
    size = edges.shape[1]
    entering, leaving = edges.sum(axis=1).ravel(), edges.sum(axis=2).ravel()
    numbers = entering * (size + 1) + leaving
    kinds = []
    for number in np.unique(numbers):
        same = np.flatnonzero(numbers == number)
        for start in range(0, len(same), _MESSAGES):
            nodes = same[start : start + _MESSAGES]
            cell, node = np.divmod(nodes, size)
            first = cell[:, None] * size
            before = np.nonzero(edges[cell, :, node])[1].reshape(len(nodes), -1)
            after = np.nonzero(edges[cell, node])[1].reshape(len(nodes), -1)
            kinds.append(_Kind(nodes, first, first + before, first + after))
    return kinds


def _first_colours(edges: np.ndarray, ops: np.ndarray, labels: Sequence) -> np.ndarray:
    """Returns the colours that degrees and labels give, digests uint8 [T, 16]."""
    seen = np.stack([edges.sum(axis=2), edges.sum(axis=1), ops], axis=-1).reshape(-1, 3)
    width = int(seen.max(initial=0)) + 1
    distinct, index = np.unique(seen @ [width * width, width, 1], return_inverse=True)
    colours = np.empty((len(distinct), md5.DIGEST_BYTES), np.uint8)
    for row, number in enumerate(distinct.tolist()):
        leaving, entering, op = number // width**2, number // width % width, number % width
        text = f"({leaving}, {entering}, {labels[op]})".encode()
        message = md5.padded(1, len(text))
        message[0, : len(text)] = np.frombuffer(text, np.uint8)
        colours[row] = md5.digests(message)[0]
    return colours[index]


def _next_colours(
    colours: np.ndarray, kinds: Sequence[_Kind], size: int, threads: futures.Executor
) -> np.ndarray:
    """Renews the colours of nodes, digests uint8 [T, 16]; `size` is V."""
    renewed = np.empty_like(colours)
    texts, ranks = _texts(colours).view(f"V{HASH_CHARS}")[:, 0], _sortable(colours, size)

    def renew(kind: _Kind) -> None:
        parts = (
            texts[_ordered(kind.before, kind.first, ranks)],
            texts[_ordered(kind.after, kind.first, ranks)],
            texts[kind.nodes][:, None],
        )
        renewed[kind.nodes] = md5.digests(_messages(parts))

    list(threads.map(renew, kinds))
    return renewed


def _sortable(colours: np.ndarray, size: int) -> np.ndarray:
    """Returns numbers, uint64 [T], that are in order where the texts of colours are.

    They are the first 57 bits of a colour, and the number of the node in its cell: no two colours
    that are compared agree in these bits and differ in others.
    """
    first = np.ascontiguousarray(colours[:, :8]).view(">u8")[:, 0].astype(np.uint64)
    node = np.arange(len(colours), dtype=np.uint64) % np.uint64(max(1, size))
    return (first & ~_NODE_BITS) | node


def _ordered(nodes: np.ndarray, first: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Returns nodes, int64 [n, P], in the order of their colours in each row."""
    if nodes.shape[1] < 2:
        return nodes
    return first + (np.sort(ranks[nodes], axis=1) & _NODE_BITS).astype(np.int64)


def _messages(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Returns padded messages: texts V32 [n, P], [n, S] and so on with bars between, [n, ...]."""
    length = HASH_CHARS * sum(part.shape[1] for part in parts) + len(parts) - 1
    messages, start = md5.padded(len(parts[0]), length), 0
    for part in parts:
        stop = start + HASH_CHARS * part.shape[1]
        messages[:, start:stop] = part.view(np.uint8).reshape(len(part), stop - start)
        if stop < length:
            messages[:, stop] = _BAR
        start = stop + 1
    return messages


def _listed(texts: np.ndarray) -> np.ndarray:
    """Returns the digests of lists of texts as Python writes them, "['0a...', '1b...']".

    Args:
        texts: uint8 [B, V, 32].
    """
    empty = "[" + ", ".join([f"'{' ' * HASH_CHARS}'"] * texts.shape[1]) + "]"
    messages = md5.padded(len(texts), len(empty))
    messages[:, : len(empty)] = np.frombuffer(empty.encode(), np.uint8)
    for node in range(texts.shape[1]):
        start = 2 + node * (HASH_CHARS + 4)
        messages[:, start : start + HASH_CHARS] = texts[:, node]
    return md5.digests(messages)


def _texts(digests: np.ndarray) -> np.ndarray:
    """Returns digests [n, 16] as hexadecimal text, uint8 [n, 32]."""
    return _HEX[digests].view(np.uint8)
