"""TFRecord framing against bytes that TensorFlow wrote, and damaged files."""

import gzip
import io

import numpy as np
import pytest

from nas_tf import core
from nas_tf.tables import records

# tf.io.TFRecordWriter's file with the one record b"foo".
FOO = bytes.fromhex("0300000000000000b099490e666f6f618abefe")


def _read(path, **options):
    return [payload for chunk in records.read_chunks(path, **options) for payload in chunk.payloads]


def test_masked_crc32c_of_the_check_string():
    # CRC-32C("123456789") is e3069283; rotated right by 15 and offset by a282ead8.
    assert records.masked_crc32c(b"123456789") == 0xC78AB0E5


def test_a_record_has_tensorflows_bytes():
    assert records.frame_record(b"foo") == FOO
    buffer = io.BytesIO()
    assert records.write_records(buffer, [b"foo", b""]) == 2
    assert buffer.getvalue()[:len(FOO)] == FOO
    assert len(buffer.getvalue()) == len(FOO) + 16


@pytest.mark.parametrize("chunk_bytes", [1, 17, 100, 1 << 20])
def test_records_come_back_whatever_the_chunks(tmp_path, chunk_bytes):
    payloads = [bytes([i]) * (i * 7 % 50) for i in range(60)]
    path = tmp_path / "a.tfrecord"
    with open(path, "wb") as handle:
        records.write_records(handle, payloads)
    seen = []
    chunks = list(records.read_chunks(path, chunk_bytes=chunk_bytes, progress=seen.append))
    assert [item for chunk in chunks for item in chunk.payloads] == payloads
    assert sum(seen) == path.stat().st_size
    sizes = [16 + len(item) for item in payloads]
    offsets = np.concatenate([chunk.offsets for chunk in chunks])
    np.testing.assert_array_equal(offsets, np.cumsum([0, *sizes[:-1]]))
    firsts = np.cumsum([0, *map(len, chunks)])[:-1]
    assert [chunk.first_record for chunk in chunks] == firsts.tolist()


def test_gzip_files_are_read_too(tmp_path):
    path = tmp_path / "a.tfrecord.gz"
    path.write_bytes(gzip.compress(FOO * 3))
    assert _read(path) == [b"foo"] * 3
    path.write_bytes(gzip.compress(FOO * 300)[:-12])
    with pytest.raises(core.DataError, match="a.tfrecord.gz: damaged or truncated gzip"):
        _read(path)
    path.write_bytes(FOO)
    with pytest.raises(core.DataError, match="a.tfrecord.gz: damaged or truncated gzip"):
        _read(path)


def _flip(data, position):
    return data[:position] + bytes([data[position] ^ 4]) + data[position + 1:]


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "empty file"),
        (b"PK", "no TFRecord file, it has only 2 bytes"),
        (b"hash,epochs\nabcdefgh\n", "no TFRecord file"),
        (FOO * 2 + FOO[:5], "record 2 at byte offset 38: truncated"),
        (FOO * 2 + FOO[:-1], "record 2 at byte offset 38: truncated"),
        (FOO[:-1], "record 0 at byte offset 0: truncated"),
        (_flip(FOO * 3, 19 + 13), "record 1 at byte offset 19: wrong checksum of the content"),
        (_flip(FOO * 3, 19 + 17), "record 1 at byte offset 19: wrong checksum of the content"),
        (_flip(FOO * 3, 19 + 2), "record 1 at byte offset 19: wrong checksum of the length"),
        (_flip(FOO * 3, 19 + 9), "record 1 at byte offset 19: wrong checksum of the length"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [7, 1 << 20])
def test_damage_is_named_with_record_and_offset(tmp_path, data, message, chunk_bytes):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(data)
    with pytest.raises(core.DataError) as caught:
        _read(path, chunk_bytes=chunk_bytes)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_missing_files_and_directories(tmp_path):
    with pytest.raises(core.DataError, match="b.tfrecord: no such record file"):
        _read(tmp_path / "b.tfrecord")
    with pytest.raises(core.DataError, match="cannot be read"):
        _read(tmp_path)
