"""Tests of the reader of CIFAR's Python version, which runs nothing."""

import io
import os
import pickle
import struct

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.datasets import python_batches

DATA = np.random.default_rng(0).integers(0, 256, (3, 3072), dtype=np.uint8)


def python2_batch(data, labels, label_key=b"labels"):
    """The bytes that Python 2 and NumPy 1 wrote: protocol 2, plain byte strings."""
    def text(value):
        if len(value) < 256:
            return b"U" + bytes([len(value)]) + value
        return b"T" + struct.pack("<i", len(value)) + value

    def number(value):
        return b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)

    dtype = (b"cnumpy\ndtype\nq\x06" + text(b"u1") + b"q\x07K\x00K\x01\x87q\x08Rq\x09"
             b"(K\x03" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
    array = (b"cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04"
             + text(b"b") + b"\x87q\x05R(K\x01" + number(data.shape[0]) + number(data.shape[1])
             + b"\x86" + dtype + b"\x89" + text(data.tobytes()) + b"tb")
    items = text(label_key) + b"](" + b"".join(map(number, labels)) + b"e"
    return b"\x80\x02}q\x01(" + text(b"data") + array + items + text(b"name") + text(b"x") + b"u."


def read(content, tmp_path):
    (tmp_path / "batch").write_bytes(content)
    return python_batches.read_batch(tmp_path / "batch")


def test_the_official_form_is_read(tmp_path):
    content = python2_batch(DATA, [3, 9, 0])
    expected = pickle.load(io.BytesIO(content), encoding="bytes")  # our bytes are a pickle
    np.testing.assert_array_equal(expected[b"data"], DATA)
    found = read(content, tmp_path)
    np.testing.assert_array_equal(found["data"], DATA)
    assert found["data"].dtype == np.uint8
    assert (found["labels"], found["name"]) == ([3, 9, 0], "x")


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_what_python_3_writes_is_read(tmp_path, protocol):
    data = DATA if protocol < 4 else np.array(DATA, order="F")  # by columns
    batch = {b"data": data, "labels": [1, 2, 300], b"names": [b"a", "b"], b"none": None}
    found = read(pickle.dumps(batch, protocol), tmp_path)
    np.testing.assert_array_equal(found["data"], DATA)
    assert found["labels"] == [1, 2, 300] and found["names"] == ["a", "b"]


class Evil:
    """Makes a directory when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_is_run(tmp_path, protocol):
    content = pickle.dumps({"data": Evil(str(tmp_path / "made"))}, protocol)
    with pytest.raises(DataError, match="batch: no batch of CIFAR's Python version"):
        read(content, tmp_path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"some words", pickle.dumps([1, 2]), pickle.dumps({"a": np.arange(3.0)}),
        python2_batch(DATA, [1])[:500], b"\x80\x02cbuiltins\neval\n.", b"\x80\x02}q\x01h\x07.",
    ],
)
def test_what_is_no_batch_is_refused_in_one_line(tmp_path, content):
    with pytest.raises(DataError) as raised:
        read(content, tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / 'batch'}: ")
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="gone: cannot be read"):
        python_batches.read_batch(tmp_path / "gone")
