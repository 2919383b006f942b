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
_HEADER_BYTES = 12
_FRAME_BYTES = 16  # of a record beside its payload
_MAX_PAYLOAD_BYTES = 1 << 28
_CHUNK_BYTES = 1 << 24


@dataclasses.dataclass(frozen=True, eq=False)
class RecordChunk:
    """Consecutive records of a file, with their checksums already compared.

    Attributes:
        path: the file.
        first_record: number of the first record here, counted from 0 in the file.
        offset: byte offset in the file of `data[0]`.
        data: a stretch of the file, framing included.
        starts: int64 [n], where each payload starts in `data`.
        ends: int64 [n], one past its end.
    """

    path: str
    first_record: int
    offset: int
    data: bytes
    starts: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def payload(self, index: int) -> bytes:
        """Returns the payload of the record at `index` in this chunk."""
        return self.data[self.starts[index]:self.ends[index]]

    def where(self, index: int) -> str:
        """Returns "path: record k at byte offset b", for a message about record `index` here."""
        offset = self.offset + int(self.starts[index]) - _HEADER_BYTES
        return _where(self.path, self.first_record + int(index), offset)


def masked_crc32c(data: bytes) -> int:
    """Returns the CRC-32C of `data`, rotated right by 15 bits plus a constant, as TFRecord does."""
    return _mask(google_crc32c.value(data))


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
            f"{_where(path, first_record, offset)}: truncated, the file ends inside this record; "
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
    starts, ends = [], []
    position, end = 0, len(data)
    checksum, unpack, mask = google_crc32c.value, struct.Struct("<QI").unpack_from, _mask
    while position + _HEADER_BYTES <= end:
        length, length_crc = unpack(data, position)
        start = position + _HEADER_BYTES
        if mask(checksum(data[position:position + 8])) != length_crc:
            _raise_bad_length(path, first_record + len(starts), offset + position)
        if length > _MAX_PAYLOAD_BYTES:
            where = _where(path, first_record + len(starts), offset + position)
            raise core.DataError(f"{where}: {length} bytes long, no benchmark record is")
        stop = start + length
        if stop + 4 > end:
            break
        if mask(checksum(data[start:stop])) != _CHECKSUM.unpack_from(data, stop)[0]:
            where = _where(path, first_record + len(starts), offset + position)
            raise core.DataError(f"{where}: wrong checksum of the content; the file is damaged")
        starts.append(start)
        ends.append(stop)
        position = stop + 4
    if not starts:
        return None, 0
    ranges = np.array(starts, np.int64), np.array(ends, np.int64)
    return RecordChunk(path, first_record, offset, data, *ranges), position


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
        f"{_where(path, record, offset)}: wrong checksum of the length; the file is damaged"
    )


def _where(path: str | os.PathLike, record: int, offset: int) -> str:
    return f"{path}: record {record} at byte offset {offset}"


def _mask(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF
