"""nas_tf/caching.py."""

import io
import os
import sys
import time

import numpy as np
import pytest

from nas_tf import caching, core
from nas_tf.spaces.nasbench201 import NasBench201Space


def _open(directory, make, interpret=lambda columns, _: columns["x"]):
    return caching.cached_columns(directory, make, interpret, name="numbers")


def _numbers():
    return {"x": np.arange(3)}, {}


def _never():
    raise AssertionError("made again")


def test_a_cache_is_made_once(tmp_path, warnings):
    assert _open(tmp_path / "store", _numbers).tolist() == [0, 1, 2]
    found = _open(tmp_path / "store", _never)
    assert isinstance(found, np.memmap) and found.tolist() == [0, 1, 2] and not warnings


@pytest.mark.parametrize("interpret", [
    lambda columns, _: columns["y"],
    lambda columns, metadata: metadata["names"][0],
    lambda columns, _: columns["x"][7],
    lambda columns, _: int("x"),
])
def test_columns_that_are_something_else_are_made_again(tmp_path, warnings, interpret):
    _open(tmp_path / "store", _numbers)
    better = {"x": np.arange(8), "y": np.zeros(1)}, {"names": ["x"]}

    def read(columns, metadata):
        return columns["y"] if "y" in columns else interpret(columns, metadata)

    assert _open(tmp_path / "store", lambda: better, read).tolist() == [0.0]
    assert len(warnings) == 1
    assert warnings[0].startswith("The cache of numbers is damaged and built again: ")
    assert str(tmp_path / "store") in warnings[0] and "\n" not in warnings[0]


def test_a_cache_in_a_place_that_cannot_be_written(tmp_path, warnings):
    (tmp_path / "file").write_text("")
    assert _open(tmp_path / "file" / "store", _numbers).tolist() == [0, 1, 2]
    assert len(warnings) == 1 and "it is made again next time" in warnings[0]


def test_an_error_of_the_source_is_not_the_caches(tmp_path):
    def make():
        raise core.DataError("the source is damaged")

    with pytest.raises(core.DataError, match="^the source is damaged$"):
        _open(tmp_path / "store", make)
    assert os.listdir(tmp_path) == []


def test_cache_directory_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path))
    assert caching.cache_directory() == tmp_path
    monkeypatch.delenv("NAS_TF_CACHE")
    assert caching.cache_directory().parts[-2:] == (".cache", "nas_tf")


def test_cells_are_announced_where_they_are_made(tmp_path, monkeypatch, capsys):
    notices = []
    monkeypatch.setattr(caching.logging, "info", lambda text, *args: notices.append(text % args))

    def cells():
        return NasBench201Space().enumerate_cells()[:3]

    for _ in range(2):
        found = caching.cached_cells(tmp_path / "c", cells, space="nasbench201", name="three cells")
        assert np.array_equal(found.keys, cells().keys)
        assert notices == ["Making three cells (kept for the next time)"]
    assert capsys.readouterr() == ("", "")


def test_the_cache_may_lie_in_a_home_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NAS_TF_CACHE", "~/kept")
    assert caching.cache_directory() == tmp_path / "kept"
    monkeypatch.setenv("NAS_TF_CACHE", "~nobody_of_that_name/kept")
    with pytest.raises(core.ConfigError, match="no home directory is known for ~nobody_of_that_n"):
        caching.cache_directory()


ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of "abc"


def test_content_is_known_whatever_its_name_and_time(tmp_path):
    for name, when in (("one", 10**18), ("two", 10**9)):
        (tmp_path / name).write_bytes(b"abc")
        os.utime(tmp_path / name, ns=(when, when))
        assert caching.content_checksum(tmp_path / name, tmp_path / "cache") == ABC


def test_a_change_in_the_middle_is_seen_where_size_and_time_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(caching, "_SETTLED_SEC", -1.0)
    path = tmp_path / "file"
    found = set()
    for middle in (b"x", b"y"):
        time.sleep(0.05)  # more than a tick of the file system's clock
        path.write_bytes(bytes(3_000_000) + middle + bytes(3_000_000))
        os.utime(path, ns=(1, 1))
        found.add(caching.content_checksum(path, tmp_path / "cache"))
    assert len(found) == 2


def test_a_settled_file_is_read_once(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    monkeypatch.setattr(caching, "_SETTLED_SEC", -1.0)
    assert caching.content_checksum(path, tmp_path / "cache") == ABC
    monkeypatch.setattr(caching, "_checksum", lambda *unused: _never())
    assert caching.content_checksum(path, tmp_path / "cache") == ABC
    path.write_bytes(b"abcd")
    with pytest.raises(AssertionError, match="made again"):
        caching.content_checksum(path, tmp_path / "cache")


def test_a_folder_is_known_by_names_and_contents(tmp_path):
    found = set()
    for files in ({"a": "1"}, {"a": "2"}, {"b": "1"}, {"a": "1", "b": "1"}, {"ab": "1"}):
        folder = tmp_path / str(len(found))
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_text(content)
        found.add(caching.content_checksum(folder, tmp_path / "cache"))
        moved = folder.rename(tmp_path / f"moved{len(found)}")
        assert caching.content_checksum(moved, tmp_path / "cache") in found
    assert len(found) == 5


def test_a_checksum_that_cannot_be_kept_is_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(caching, "_SETTLED_SEC", -1.0)
    (tmp_path / "file").write_bytes(b"abc")
    assert caching.content_checksum(tmp_path / "file", tmp_path / "file") == ABC


def test_what_is_there_under_another_name_is_taken(tmp_path):
    first = caching.content_directory(tmp_path, "one", "content")
    assert first.name.startswith("one-") and len(first.name) == 20
    first.mkdir()
    assert caching.content_directory(tmp_path, "two", "content") == first
    assert caching.content_directory(tmp_path, "two", "else").name.startswith("two-")


class Stream(io.StringIO):
    """A standard error stream, of a terminal or not."""

    def __init__(self, terminal):
        super().__init__()
        self._terminal = terminal

    def isatty(self):
        return self._terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_a_progress_bar_is_seldom_written_to_a_file(monkeypatch, terminal):
    stream, clock = Stream(terminal), [1000.0]
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(caching.std, "time", lambda: clock[0])
    for _ in caching.progress_bar(range(250), desc="Reading", ncols=60):
        clock[0] += 0.1
    lines = stream.getvalue().split("\r")
    if terminal:
        assert len(lines) > 100
    else:  # after ten and twenty seconds, and the last
        assert 2 <= len(lines) - 1 <= 4 and "100%" in lines[-1]


def test_what_takes_a_moment_leaves_no_line_in_a_file(monkeypatch):
    stream = Stream(False)
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(caching.progress_bar(range(3), desc="Reading")) == [0, 1, 2]
    with caching.progress_bar(total=7) as bar:
        bar.update(7)
    assert stream.getvalue() == ""
