"""Rows of the official NAS-Bench-101 record files (Ying et al., 2019, arXiv:1902.09635).

A row is one training of one cell, as UTF-8 JSON:

    ["<MD5 hash>", <epochs>, "<adjacency, row by row>", "<operations, comma-separated>",
     "<base64 of a ModelMetrics message>"]

A chunk of rows is parsed with array operations over its bytes, which works while every row is
written as `json.dumps` writes it; any other row is brought into that shape by the `json` module
first.

Shapes: n rows; V nodes of a row's cell, at most 7.
"""

import base64
import binascii
import dataclasses
import json

import numpy as np

from nas_tf import core
from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.tables import model_metrics, records

_NODES = nasbench101.MAX_VERTICES
_NUM_STRINGS = 4  # quoted strings of a row
_ROW_OF, _COLUMN_OF = np.triu_indices(_NODES, 1)
_EDGE_BITS = len(_ROW_OF)
_OP_BITS = 3
_HEX = np.full(256, 255, np.uint8)
_HEX[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16, dtype=np.uint8)
# Of the five values of an evaluation the training time and the three accuracies are kept.
METRICS = ("training_time_sec", "train_accuracy", "validation_accuracy", "test_accuracy")


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """Parsed rows.

    Attributes:
        hashes: uint64 [n, 2], the MD5 hash, high and low half.
        epochs: int32 [n].
        graphs: uint64 [n], the cell as written, packed; see `unpack_graphs`.
        trainable_parameters: int32 [n].
        metrics: float64 [n, 4, 2]: `METRICS`, each half-way and at the end.
        offsets: int64 [n], byte offset of the record in its file.
    """

    hashes: np.ndarray
    epochs: np.ndarray
    graphs: np.ndarray
    trainable_parameters: np.ndarray
    metrics: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.epochs)


def concatenate(parts: list[Rows]) -> Rows:
    """Joins rows of consecutive chunks; empties `parts` to keep memory low."""
    names = [field.name for field in dataclasses.fields(Rows)]
    columns = {name: [getattr(part, name) for part in parts] for name in names}
    parts.clear()
    return Rows(**{name: np.concatenate(columns.pop(name)) for name in names})


def parse_rows(chunk: records.RecordChunk) -> Rows:
    """Parses a chunk of records and checks every row by itself.

    Raises:
        core.DataError: a row is no row of the benchmark; the message has the path, the record's
            number, its byte offset and what is wrong.
    """
    payloads = chunk.payloads
    text, quotes, regular = _find_strings(payloads)
    if not regular.all():
        payloads = list(payloads)
        for index in np.flatnonzero(~regular):
            payloads[index] = _regularize(chunk, index)
        text, quotes, regular = _find_strings(payloads)
        _raise_where(
            chunk, ~regular, "its strings hold quotes, backslashes or control characters"
        )
    data = np.frombuffer(text, np.uint8)
    parameters, metrics = _parse_metrics(chunk, text, quotes[:, 6] + 1, quotes[:, 7])
    return Rows(
        hashes=_parse_hashes(chunk, data, quotes[:, 0] + 1, quotes[:, 1]),
        epochs=_parse_epochs(chunk, data, quotes[:, 1] + 3, quotes[:, 2] - 2),
        graphs=_parse_graphs(chunk, data, text, quotes),
        trainable_parameters=parameters,
        metrics=metrics,
        offsets=chunk.offsets,
    )


def format_rows(
    md5_hash: str, epochs: int, matrix: np.ndarray, ops: list[str], messages: list[bytes]
) -> list[bytes]:
    """Returns rows of one cell as the official files have them.

    Args:
        md5_hash: the cell's official hash.
        epochs: of training.
        matrix: 0-1 [V, V].
        ops: V names of operations.
        messages: serialized ModelMetrics, one a repeat.
    """
    edges = "".join(map(str, np.asarray(matrix, np.int64).ravel().tolist()))
    head = json.dumps([md5_hash, int(epochs), edges, ",".join(ops)])[:-1].encode("utf-8")
    return [b"".join((head, b', "', base64.b64encode(item), b'"]')) for item in messages]


def unpack_graphs(packed: np.ndarray) -> CellGraphs:
    """Unpacks `Rows.graphs`.

    Args:
        packed: uint64 [n]; 21 bits for the pairs of nodes, then 3 bits a node: operation code + 1.

    Returns:
        Cells [n], padded to 7 nodes.
    """
    adjacency = np.zeros((len(packed), _NODES, _NODES), np.uint8)
    for bit, (row, column) in enumerate(zip(_ROW_OF, _COLUMN_OF)):
        adjacency[:, row, column] = (packed >> np.uint64(bit)) & np.uint64(1)
    ops = np.empty((len(packed), _NODES), np.int8)
    for node in range(_NODES):
        shift = np.uint64(_EDGE_BITS + _OP_BITS * node)
        ops[:, node] = ((packed >> shift) & np.uint64(7)).astype(np.int8) - 1
    return CellGraphs(adjacency, ops, (ops != PADDING_OP).sum(axis=-1).astype(np.int8))


def _find_strings(payloads: list[bytes]) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Finds the quotation marks of every row in the joined payloads.

    Returns:
        The payloads joined; int64 [n, 8], the positions of the marks in them (meaningless where a
        row is irregular); and bool [n]: the row is `["…", digits, "…", "…", "…"]` to the letter,
        without escapes.
    """
    text = b"".join(payloads)
    data = np.frombuffer(text, np.uint8)
    ends = np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    positions = np.flatnonzero(data == ord('"'))
    first = np.searchsorted(positions, starts)
    count = np.searchsorted(positions, ends) - first
    regular = (count == 2 * _NUM_STRINGS) & (ends - starts > 2 * _NUM_STRINGS)
    regular[np.searchsorted(ends, np.flatnonzero(data == ord("\\")), "right")] = False
    index = np.minimum(first[:, None] + np.arange(2 * _NUM_STRINGS), positions.size - 1)
    quotes = positions[index] if positions.size else np.zeros(index.shape, np.int64)
    rows = np.flatnonzero(regular)
    marks = quotes[rows]
    good = (marks[:, 0] == starts[rows] + 1) & (marks[:, 7] == ends[rows] - 2)
    good &= (data[starts[rows]] == ord("[")) & (data[ends[rows] - 1] == ord("]"))
    for left in (1, 3, 5):
        good &= (data[marks[:, left] + 1] == ord(",")) & (data[marks[:, left] + 2] == ord(" "))
    good &= (marks[:, 4] == marks[:, 3] + 3) & (marks[:, 6] == marks[:, 5] + 3)
    good &= (data[marks[:, 2] - 2] == ord(",")) & (data[marks[:, 2] - 1] == ord(" "))
    regular[rows] = good
    return text, quotes, regular


def _regularize(chunk: records.RecordChunk, index: int) -> bytes:
    """Returns an unusual row as `json.dumps` writes it, letters that are not ASCII as they are.

    Base64 loses its white space.
    """
    try:
        row = json.loads(chunk.payloads[index].decode("utf-8"))
    except (ValueError, RecursionError) as error:  # also UnicodeDecodeError
        raise core.DataError(f"{chunk.where(index)}: no JSON row ({error})") from error
    kinds = [str, int, str, str, str]
    if not isinstance(row, list) or [type(item) for item in row] != kinds:
        raise core.DataError(
            f"{chunk.where(index)}: expected [hash, epochs, adjacency, operations, metrics]"
        )
    row[4] = "".join(row[4].split())
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")


def _parse_hashes(
    chunk: records.RecordChunk, data: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Parses 32 hexadecimal digits a row to uint64 [n, 2]."""
    _raise_where(chunk, ends - starts != 32, "its hash does not have 32 digits")
    digits = _HEX[data[starts[:, None] + np.arange(32)]]
    _raise_where(chunk, (digits > 15).any(axis=1), "its hash is not hexadecimal")
    octets = (digits[:, 0::2] << 4) | digits[:, 1::2]
    return np.ascontiguousarray(octets).view(">u8").astype(np.uint64)


def _parse_epochs(
    chunk: records.RecordChunk, data: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Parses decimal integers of 1 to 6 digits to int32 [n]."""
    width = ends - starts
    _raise_where(chunk, (width < 1) | (width > 6), "its number of epochs has no 1 to 6 digits")
    value = np.zeros(len(starts), np.int32)
    for position in range(int(width.max())):
        here = width > position
        digit = data[np.where(here, starts + position, starts)].astype(np.int32) - ord("0")
        _raise_where(chunk, here & ((digit < 0) | (digit > 9)), "its number of epochs is no number")
        value = np.where(here, value * 10 + digit, value)
    _raise_where(chunk, value == 0, "0 epochs")
    return value


def _parse_graphs(
    chunk: records.RecordChunk, data: np.ndarray, text: bytes, quotes: np.ndarray
) -> np.ndarray:
    """Parses the adjacency and the operations of every row to packed uint64 [n]."""
    packed, num_nodes = _pack_operations(chunk, text, quotes[:, 4] + 1, quotes[:, 5])
    starts, length = quotes[:, 2] + 1, quotes[:, 3] - quotes[:, 2] - 1
    _raise_where(
        chunk, length != num_nodes**2, "its adjacency is no square matrix over its operations"
    )
    for size in np.unique(num_nodes):
        rows = np.flatnonzero(num_nodes == size)
        bits = data[starts[rows, None] + np.arange(size * size)].reshape(-1, size, size) - ord("0")
        _raise_where(chunk, (bits > 1).any(axis=(1, 2)), "its adjacency is not of 0 and 1", rows)
        lower = np.tril(bits).any(axis=(1, 2))
        _raise_where(chunk, lower, "its adjacency is not upper-triangular", rows)
        total = bits.sum(axis=(1, 2), dtype=np.int64)
        too_many = f"more than {nasbench101.MAX_EDGES} edges"
        _raise_where(chunk, total > nasbench101.MAX_EDGES, too_many, rows)
        for bit, (row, column) in enumerate(zip(_ROW_OF, _COLUMN_OF)):
            if column < size:
                packed[rows] |= bits[:, row, column].astype(np.uint64) << np.uint64(bit)
    return packed


def _pack_operations(
    chunk: records.RecordChunk, joined: bytes, starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Parses operation strings to packed uint64 [n] and numbers of nodes int64 [n]."""
    names = [joined[start:end] for start, end in zip(starts.tolist(), ends.tolist())]
    packed, num_nodes = {}, {}
    for name in set(names):
        text = name.decode("utf-8", "replace")
        packed[name], num_nodes[name] = _parse_operations(chunk, names.index(name), text)
    count = len(names)
    return (
        np.fromiter(map(packed.__getitem__, names), np.uint64, count),
        np.fromiter(map(num_nodes.__getitem__, names), np.int64, count),
    )


def _parse_operations(chunk: records.RecordChunk, index: int, text: str) -> tuple[int, int]:
    """Returns the packed operations of one row and its number of nodes."""
    names = text.split(",")
    if not 2 <= len(names) <= _NODES:
        raise core.DataError(
            f"{chunk.where(index)}: a cell of {len(names)} nodes, expected 2 to {_NODES}"
        )
    interior = [nasbench101.OP_NAMES[op] for op in nasbench101.INTERIOR_OPS]
    for node, name in enumerate(names):
        allowed = {0: ["input"], len(names) - 1: ["output"]}.get(node, interior)
        if name not in allowed:
            raise core.DataError(
                f"{chunk.where(index)}: operation {name!r} at node {node}, "
                f"expected {' or '.join(allowed)}"
            )
    packed = 0
    for node, name in enumerate(names):
        packed |= (nasbench101.OP_NAMES.index(name) + 1) << (_EDGE_BITS + _OP_BITS * node)
    return packed, len(names)


def _parse_metrics(
    chunk: records.RecordChunk, text: bytes, starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes the metrics of every row: parameters int32 [n], metrics float64 [n, 4, 2]."""
    messages = []
    try:
        for start, end in zip(starts.tolist(), ends.tolist()):
            messages.append(binascii.a2b_base64(text[start:end], strict_mode=True))
        decoded = model_metrics.decode(messages)
    except binascii.Error as error:
        record = chunk.where(len(messages))
        raise core.DataError(f"{record}: its metrics are no base64 ({error})") from error
    except model_metrics.MessageError as error:
        raise core.DataError(f"{chunk.where(error.index)}: {error}") from error
    metrics = np.ascontiguousarray(decoded.evaluations[:, 1:, 1:].transpose(0, 2, 1))
    for name, values in zip(METRICS, metrics.transpose(1, 0, 2)):
        limit = np.inf if name == "training_time_sec" else 1.0
        bad = ~np.isfinite(values) | (values < 0.0) | (values > limit)
        _raise_where(chunk, bad.any(axis=1), f"its {name} is missing or out of range")
    parameters = decoded.trainable_parameters
    bad = (parameters < 0) | (parameters > np.iinfo(np.int32).max)
    _raise_where(chunk, bad, "its number of trainable parameters is out of range")
    return parameters.astype(np.int32), metrics


def _raise_where(
    chunk: records.RecordChunk, bad: np.ndarray, reason: str, rows: np.ndarray | None = None
) -> None:
    """Raises DataError about the first bad row; `rows` are the rows `bad` speaks of."""
    if bad.any():
        index = int(np.argmax(bad))
        raise core.DataError(f"{chunk.where(index if rows is None else rows[index])}: {reason}")


def hash_strings(hashes: np.ndarray) -> np.ndarray:
    """Returns uint64 [n, 2] hashes as 32 hexadecimal digits, 'S32' [n]."""
    octets = np.ascontiguousarray(hashes.astype(">u8")).view(np.uint8).reshape(-1, 16)
    digits = np.stack([octets >> 4, octets & 15], axis=-1).reshape(-1, 32)
    return np.frombuffer(b"0123456789abcdef", np.uint8)[digits].view("S32")[:, 0]


def hash_halves(hashes: np.ndarray) -> np.ndarray:
    """Returns 32 hexadecimal digits, 'S32' or 'U32' [n], as uint64 [n, 2]."""
    digits = np.ascontiguousarray(hashes.astype("S32")).view(np.uint8).reshape(-1, 32)
    values = _HEX[digits]
    if (values > 15).any():
        raise ValueError("hashes are not 32 hexadecimal digits each")
    octets = np.ascontiguousarray((values[:, 0::2] << 4) | values[:, 1::2])
    return octets.view(">u8").astype(np.uint64)
