"""The ModelMetrics protocol buffer of NAS-Bench-101, many messages at once.

NAS-Bench-101 (Ying et al., 2019, arXiv:1902.09635) stores with every trained network

    message ModelMetrics { repeated EvaluationData evaluation_data = 1;
                           int32 trainable_parameters = 2; double total_time = 3; }
    message EvaluationData { double current_epoch = 1; double training_time = 2;
                             double train_accuracy = 3; double validation_accuracy = 4;
                             double test_accuracy = 5; string checkpoint_path = 6; }

Messages are decoded in lock-step: step k of the walk reads the k-th field of every message,
whatever its tag, with array operations. Fields of other numbers are skipped, as protocol buffers
ask.

Shapes: n messages, three evaluations (start, half-way, end) of five doubles each.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

EVALUATION_FIELDS = (
    "current_epoch",
    "training_time_sec",
    "train_accuracy",
    "validation_accuracy",
    "test_accuracy",
)
NUM_EVALUATIONS = 3
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5  # wire types
_PADDING = 16  # readable bytes after the last message


class MessageError(ValueError):
    """A message cannot be decoded; `index` is its own in the batch."""

    def __init__(self, index: int, reason: str):
        """Args: index: of the message; reason: what is wrong with it."""
        super().__init__(reason)
        self.index = index


@dataclasses.dataclass(frozen=True, eq=False)
class ModelMetrics:
    """Decoded messages; a double that a message lacks is NaN.

    Attributes:
        evaluations: float64 [n, 3, 5], in the order of `EVALUATION_FIELDS`; training times in
            seconds since the start, accuracies in [0, 1].
        trainable_parameters: int64 [n], 0 where it is lacking.
        total_time_sec: float64 [n], training and evaluation.
    """

    evaluations: np.ndarray
    trainable_parameters: np.ndarray
    total_time_sec: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class _Fields:
    """One field of each of some messages: message index, number, wire type, raw value.

    `value` is the varint or the bits of the fixed-size number; of a length-delimited field it is
    the length, and `start` where its bytes begin.
    """

    message: np.ndarray
    number: np.ndarray
    wire: np.ndarray
    value: np.ndarray
    start: np.ndarray


def decode(messages: Sequence[bytes]) -> ModelMetrics:
    """Decodes serialized ModelMetrics messages.

    Raises:
        MessageError: a message is malformed or does not have three evaluations.
    """
    count = len(messages)
    data = np.frombuffer(b"".join(messages) + bytes(_PADDING), np.uint8)
    ends = np.cumsum(np.fromiter(map(len, messages), np.int64, count))
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if count else ends
    parameters = np.zeros(count, np.int64)
    total_time = np.full(count, np.nan)
    found = np.zeros(count, np.int64)
    bounds = np.zeros((2, count, NUM_EVALUATIONS), np.int64)
    for fields in _walk(data, starts, ends):
        rows = fields.message[_select(fields, 2, _VARINT)]
        parameters[rows] = fields.value[_select(fields, 2, _VARINT)].astype(np.int64)
        rows = fields.message[_select(fields, 3, _DOUBLE)]
        total_time[rows] = fields.value[_select(fields, 3, _DOUBLE)].view(np.float64)
        here = _select(fields, 1, _BYTES)
        rows = fields.message[here]
        _raise_where(found[rows] >= NUM_EVALUATIONS, rows, "more than three evaluations")
        bounds[0, rows, found[rows]] = fields.start[here]
        bounds[1, rows, found[rows]] = fields.start[here] + fields.value[here].astype(np.int64)
        found[rows] += 1
    _raise_where(found != NUM_EVALUATIONS, np.arange(count), "fewer than three evaluations")
    evaluations = _decode_evaluations(data, bounds[0].ravel(), bounds[1].ravel())
    shape = (count, NUM_EVALUATIONS, len(EVALUATION_FIELDS))
    return ModelMetrics(evaluations.reshape(shape), parameters, total_time)


def encode(metrics: ModelMetrics) -> list[bytes]:
    """Serializes messages, fields in the order of their numbers, without NaN fields.

    Args:
        metrics: n messages; `trainable_parameters` in [0, 2^31).
    """
    evaluations = np.asarray(metrics.evaluations, np.float64)
    count = len(evaluations)
    blocks = _encode_doubles(evaluations.reshape(-1, len(EVALUATION_FIELDS)), first_number=1)
    totals = _encode_doubles(np.asarray(metrics.total_time_sec, np.float64)[:, None], 3)
    messages = []
    for row in range(count):
        parts = []
        for block in blocks[row * NUM_EVALUATIONS:(row + 1) * NUM_EVALUATIONS]:
            parts += [b"\x0a", bytes([len(block)]), block]
        parts += [b"\x10", encode_varint(int(metrics.trainable_parameters[row])), totals[row]]
        messages.append(b"".join(parts))
    return messages


def encode_varint(value: int) -> bytes:
    """Returns a non-negative integer in base 128, least significant group first."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def _encode_doubles(values: np.ndarray, first_number: int) -> list[bytes]:
    """Serializes rows of doubles as the fields `first_number`, `first_number` + 1, ...

    Args:
        values: float64 [n, k]; NaN is left out.
    """
    count, width = values.shape
    block = np.empty((count, width, 9), np.uint8)
    block[:, :, 0] = (np.arange(first_number, first_number + width) << 3) | _DOUBLE
    block[:, :, 1:] = np.ascontiguousarray(values, "<f8").view(np.uint8).reshape(count, width, 8)
    lacking = np.isnan(values)
    if not lacking.any():
        flat, size = block.tobytes(), width * 9
        return [flat[row * size:(row + 1) * size] for row in range(count)]
    return [block[row][~lacking[row]].tobytes() for row in range(count)]


def _decode_evaluations(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Decodes EvaluationData messages to float64 [len(starts), 5]."""
    values = np.full((len(starts), len(EVALUATION_FIELDS)), np.nan)
    try:
        for fields in _walk(data, starts, ends):
            known = (fields.wire == _DOUBLE) & (fields.number <= len(EVALUATION_FIELDS))
            bits = fields.value[known].view(np.float64)
            values[fields.message[known], fields.number[known] - 1] = bits
    except MessageError as error:
        raise MessageError(error.index // NUM_EVALUATIONS, str(error)) from error
    return values


def _walk(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Iterator[_Fields]:
    """Yields the first field of every message, then the second of those that have one, ...

    Args:
        data: uint8, the messages with `_PADDING` more bytes after them.
        starts: int64 [n], where the messages start in `data`.
        ends: int64 [n], one past their ends.

    Raises:
        MessageError: a field runs past the end of its message, or has an unknown wire type.
    """
    message = np.flatnonzero(starts < ends)
    position, end = starts[message], ends[message]
    while message.size:
        tag, position = _read_varint(data, position, message)
        number, wire = (tag >> np.uint64(3)).astype(np.int64), (tag & np.uint64(7)).astype(np.int64)
        value = np.zeros(message.size, np.uint64)
        start = position.copy()
        for kind in np.flatnonzero(np.bincount(wire)):
            here = np.flatnonzero(wire == kind)
            _raise_where(number[here] < 1, message[here], "a protobuf field has the number 0")
            if kind == _VARINT:
                value[here], position[here] = _read_varint(data, position[here], message[here])
            elif kind in (_DOUBLE, _FLOAT):
                width = 8 if kind == _DOUBLE else 4
                _raise_where(position[here] + width > end[here], message[here], "cut short")
                value[here] = _read_fixed(data, position[here], width)
                position[here] += width
            elif kind == _BYTES:
                value[here], start[here] = _read_varint(data, position[here], message[here])
                room = np.maximum(end[here] - start[here], 0).astype(np.uint64)
                _raise_where(value[here] > room, message[here], "cut short")
                position[here] = start[here] + value[here].astype(np.int64)
            else:
                raise MessageError(int(message[here[0]]), f"unknown protobuf wire type {kind}")
        _raise_where(position > end, message, "cut short")
        yield _Fields(message, number, wire, value, start)
        more = position < end
        message, position, end = message[more], position[more], end[more]


def _read_varint(
    data: np.ndarray, position: np.ndarray, message: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Reads a varint at each position; returns the values (uint64) and the positions after."""
    byte = data[np.minimum(position, data.size - 1)]
    value = (byte & 0x7F).astype(np.uint64)
    position = position + 1
    open_ = np.flatnonzero(byte > 0x7F)
    for group in range(1, 10):
        if not open_.size:
            return value, position
        byte = data[np.minimum(position[open_], data.size - 1)]
        value[open_] |= (byte & 0x7F).astype(np.uint64) << np.uint64(7 * group)
        position[open_] += 1
        open_ = open_[byte > 0x7F]
    _raise_where(np.ones(open_.size, bool), message[open_], "a protobuf varint has no end")
    return value, position


def _read_fixed(data: np.ndarray, position: np.ndarray, width: int) -> np.ndarray:
    """Reads little-endian numbers of `width` bytes as uint64."""
    window = np.lib.stride_tricks.sliding_window_view(data, width)
    return window[position].view(f"<u{width}")[:, 0].astype(np.uint64)


def _select(fields: _Fields, number: int, wire: int) -> np.ndarray:
    return (fields.number == number) & (fields.wire == wire)


def _raise_where(bad: np.ndarray, message: np.ndarray, reason: str) -> None:
    if bad.any():
        raise MessageError(int(message[np.argmax(bad)]), f"ModelMetrics message: {reason}")
