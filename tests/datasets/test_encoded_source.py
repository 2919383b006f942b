"""Tests of images that are decoded once and kept."""

import os

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.datasets import encoded_source
from nas_tf.datasets.decoding import Decoding
from nas_tf.datasets.encoded_source import DecodedSource, FileSource
from tests.datasets.conftest import write_classes

FORM = Decoding((6, 6, 3))


@pytest.fixture
def source(tmp_path):
    root = write_classes(tmp_path / "images", {"ant": 12})
    return FileSource(root, [f"ant/{number:03d}.png" for number in range(12)])


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache directory that pixels of 12 images are kept in."""
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(encoded_source, "_KEPT_FROM", 12)
    return tmp_path / "cache" / "images"


def again(source):
    return DecodedSource(FileSource(source.root, source.files), FORM)


def test_identities_are_of_names_and_sizes(source, tmp_path):
    copy = write_classes(tmp_path / "copy", {"ant": 12})
    same = FileSource(copy, source.files)
    assert same.identity == source.identity and same.state != source.state
    (copy / "ant" / "003.png").write_bytes(b"shorter")
    assert FileSource(copy, source.files).identity != source.identity


def test_pixels_are_decoded_once_and_kept(source, cache):
    pixels = DecodedSource(source, FORM).pixels(np.arange(12))
    assert [path.name[:7] for path in cache.iterdir()] == ["pixels-"]
    state = os.stat(source.name(5))
    with open(source.name(5), "r+b") as handle:  # cannot be decoded any more
        handle.write(b"\0" * 20)
    os.utime(source.name(5), ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(DataError, match="005.png: no image"):  # its time of change has changed
        again(source).pixels(np.arange(12))
    kept = again(source)
    kept._source.__dict__["state"] = source.state
    np.testing.assert_array_equal(kept.pixels(np.arange(12)), pixels)


def test_a_small_part_is_decoded_alone(source, cache):
    open(source.name(11), "wb").close()
    assert DecodedSource(source, FORM).pixels(np.array([0, 1])).shape == (2, 6, 6, 3)
    assert not cache.exists()
    with pytest.raises(DataError, match="011.png: empty file"):
        DecodedSource(source, FORM).pixels(np.arange(6))


def test_an_unwritable_cache_is_done_without(source, tmp_path, monkeypatch, warnings):
    monkeypatch.setattr(encoded_source, "_KEPT_FROM", 12)
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "file"))
    assert DecodedSource(source, FORM).pixels(np.arange(12)).shape == (12, 6, 6, 3)
    assert len(warnings) == 1 and "decoded images" in warnings[0]
