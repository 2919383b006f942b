"""TFRecord files without TensorFlow: framing, checksums, chunks of records.

A record is `length` (uint64), the masked CRC-32C of these 8 bytes (uint32), `length` bytes of
payload, and the masked CRC-32C of the payload (uint32), all little-endian. Files whose name ends in
".gz" are compressed with gzip as a whole; byte offsets are then those of the decompressed content.
"""

import dataclasses
import gzip
import os
import pathlib
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import google_crc32c
import numpy as np

from nas_tf import core

_MASK_DELTA = 0xA282EAD8
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEADER = struct.Struct("<QI")
_HEADER_BYTES = 12
_MAX_PAYLOAD_BYTES = 1 << 28
_CHUNK_BYTES = 1 << 24


@dataclasses.dataclass(frozen=True, eq=False)
class RecordChunk:
    """Consecutive records of a file, their checksums already compared.

    Attributes:
        path: the file.
        first_record: number of the first record here, counted from 0 in the file.
        payloads: n payloads.
        offsets: int64 [n], byte offset of each record (its framing, not its payload) in the file.
    """

    path: str
    first_record: int
    payloads: list[bytes]
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.payloads)

    def where(self, index: int) -> str:
        """Returns "path: record k at byte offset b", for a message about record `index` here."""
        return where(self.path, self.first_record + int(index), int(self.offsets[index]))


def masked_crc32c(data: bytes) -> int:
    """Returns the CRC-32C of `data`, rotated right by 15 bits plus a constant, as TFRecord does."""
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def frame_record(payload: bytes) -> bytes:
    """Returns `payload` as one TFRecord record."""
    length = _LENGTH.pack(len(payload))
    return b"".join(
        (
            length,
            _CHECKSUM.pack(masked_crc32c(length)),
            payload,
            _CHECKSUM.pack(masked_crc32c(payload)),
        )
    )


def write_records(handle: BinaryIO, payloads: Iterable[bytes]) -> int:
    """Writes records to an open binary file and returns how many."""
    count = 0
    for payload in payloads:
        handle.write(frame_record(payload))
        count += 1
    return count


def read_chunks(
    path: str | os.PathLike,
    *,
    chunk_bytes: int = _CHUNK_BYTES,
    progress: Callable[[int], object] = lambda num_bytes: None,
) -> Iterator[RecordChunk]:
    """Reads a record file from its start to its end, one stretch of it in memory at a time.

    Args:
        path: the file.
        chunk_bytes: about how much of it a chunk holds.
        progress: called with the number of bytes read from the disk since the last call.

    Yields:
        Chunks of at least one record.

    Raises:
        core.DataError: the file is missing, empty, truncated, no TFRecord file, or damaged; the
            message has the path and, where there is one, the record and its byte offset.
    """
    path = pathlib.Path(path)
    first_record, offset, rest = 0, 0, b""
    for block in _read_blocks(path, chunk_bytes, progress):
        data = rest + block
        chunk, used = _split(str(path), data, first_record, offset)
        if chunk is not None:
            yield chunk
            first_record += len(chunk)
        offset += used
        rest = data[used:]
    if rest:
        if first_record == 0:
            _check_is_record_file(path, rest)
        raise core.DataError(
            f"{where(path, first_record, offset)}: truncated, the file ends inside this record; "
            "download or build it again"
        )
    if first_record == 0:
        raise core.DataError(f"{path}: empty file, it holds no record")


def _read_blocks(
    path: pathlib.Path, block_bytes: int, progress: Callable[[int], object]
) -> Iterator[bytes]:
    """Yields the (decompressed) content of a file in blocks."""
    try:
        with open(path, "rb") as raw:
            stream = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            position = 0
            while block := stream.read(block_bytes):
                progress(raw.tell() - position)
                position = raw.tell()
                yield block
    except FileNotFoundError as error:
        raise core.DataError(f"{path}: no such record file") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise core.DataError(f"{path}: damaged or truncated gzip file ({error})") from error
    except OSError as error:
        raise core.DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _split(
    path: str, data: bytes, first_record: int, offset: int
) -> tuple[RecordChunk | None, int]:
    """Finds the complete records at the start of `data` and compares their checksums.

    Returns:
        The chunk (None without a complete record) and how many bytes its records take.
    """
    payloads, positions = [], []
    position, end = 0, len(data)
    unpack, length_checksums = _HEADER.unpack_from, {}
    while position + _HEADER_BYTES <= end:
        length, length_crc = unpack(data, position)
        if length not in length_checksums:
            length_checksums[length] = masked_crc32c(data[position:position + 8])
        if length_checksums[length] != length_crc:
            _raise_bad_length(path, first_record + len(payloads), offset + position)
        if length > _MAX_PAYLOAD_BYTES:
            record = where(path, first_record + len(payloads), offset + position)
            raise core.DataError(f"{record}: {length} bytes long, no benchmark record is")
        start = position + _HEADER_BYTES
        if start + length + 4 > end:
            break
        payloads.append(data[start:start + length])
        positions.append(position)
        position = start + length + 4
    if not payloads:
        return None, 0
    offsets = np.array(positions, np.int64) + offset
    chunk = RecordChunk(path, first_record, payloads, offsets)
    _check_payloads(chunk, data, np.append(offsets[1:] - offset, position) - 4)
    return chunk, position


def _check_payloads(chunk: RecordChunk, data: bytes, positions: np.ndarray) -> None:
    """Compares the payloads' checksums with those stored at `positions`, int64 [n], in `data`."""
    found = np.fromiter(map(google_crc32c.value, chunk.payloads), np.uint32, len(chunk))
    found = ((found >> np.uint32(15)) | (found << np.uint32(17))) + np.uint32(_MASK_DELTA)
    stored = np.frombuffer(data, np.uint8)[positions[:, None] + np.arange(4)].view("<u4")[:, 0]
    wrong = found != stored
    if wrong.any():
        record = chunk.where(int(np.argmax(wrong)))
        raise core.DataError(f"{record}: wrong checksum of the content; the file is damaged")


def _check_is_record_file(path: pathlib.Path, head: bytes) -> None:
    """Raises DataError when the first bytes of a file cannot be a record's."""
    if len(head) < _HEADER_BYTES:
        raise core.DataError(f"{path}: no TFRecord file, it has only {len(head)} bytes")


def _raise_bad_length(path: str, record: int, offset: int) -> None:
    if record == 0:
        raise core.DataError(
            f"{path}: no TFRecord file (the first 12 bytes are no record length and its checksum)"
        )
    raise core.DataError(
        f"{where(path, record, offset)}: wrong checksum of the length; the file is damaged"
    )


def where(path: str | os.PathLike, record: int, offset: int) -> str:
    """Returns where a record is, for messages."""
    return f"{path}: record {record} at byte offset {offset}"
