"""Tests of archives: unpacked once, and nowhere else."""

import io
import os
import shutil
import stat
import tarfile
import zipfile

import pytest

from nas_tf.core import DataError
from nas_tf.datasets import archives


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "images"


def make_tar(path, members, mode="w:gz"):
    """Members are (name, content), or TarInfo."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def make_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


FILES = [("a/cat/1.jpg", b"one"), ("a/dog/2.jpg", b"two")]


@pytest.mark.parametrize("make, name", [(make_tar, "some.tar.gz"), (make_zip, "some.zip")])
def test_an_archive_is_unpacked_once(tmp_path, cache, make, name):
    path = make(tmp_path / name, FILES)
    folder = archives.folder_of(path)
    assert (folder / "a" / "dog" / "2.jpg").read_bytes() == b"two"
    assert folder.parent == cache and folder.name.startswith("some-")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    (folder / "mark").touch()
    moved = shutil.move(path, tmp_path / f"moved.{name.split('.', 1)[1]}")
    assert archives.folder_of(moved) == folder and (folder / "mark").exists()
    assert len(os.listdir(cache)) == 1


def test_a_folder_is_itself(tmp_path):
    assert archives.folder_of(tmp_path) == tmp_path


def link(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


@pytest.mark.parametrize(
    "members, message",
    [
        ([("../out.jpg", b"x")], "../out.jpg would lie outside"),
        ([("a/../../out.jpg", b"x")], "a/../../out.jpg would lie outside"),
        ([("/out.jpg", b"x")], "/out.jpg would lie outside"),
        ([link("a", "/"), ("a/out.jpg", b"x")], "a is a link or a device"),
    ],
)
def test_nothing_is_written_elsewhere(tmp_path, cache, members, message):
    path = make_tar(tmp_path / "bad.tar", [("fine.jpg", b"x"), *members], "w")
    with pytest.raises(DataError) as raised:
        archives.folder_of(path)
    assert message in str(raised.value) and str(raised.value).startswith(f"{path}: ")
    assert os.listdir(cache) == []
    assert not (tmp_path / "cache" / "out.jpg").exists() and not (tmp_path / "out.jpg").exists()


def test_a_zip_does_not_escape_either(tmp_path):
    path = make_zip(tmp_path / "bad.zip", [("..\\out.jpg", b"x")])
    with pytest.raises(DataError, match="would lie outside"):
        archives.folder_of(path)


def test_a_truncated_archive_leaves_nothing(tmp_path, cache):
    path = make_tar(tmp_path / "cut.tar.gz", [("a/1.jpg", os.urandom(50_000)), ("b", b"x")])
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(DataError, match="cut.tar.gz: cannot be unpacked"):
        archives.folder_of(path)
    assert os.listdir(cache) == []


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "words.txt").write_text("words")
    with pytest.raises(DataError, match="words.txt: neither a folder nor a tar or zip archive"):
        archives.folder_of(tmp_path / "words.txt")
    with pytest.raises(DataError, match="gone: no such folder or archive"):
        archives.folder_of(tmp_path / "gone")


def test_an_unwritable_cache_is_done_without(tmp_path, monkeypatch, warnings):
    path = make_tar(tmp_path / "some.tar.gz", FILES)
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(archives, "_of_this_process", {})
    folder = archives.folder_of(path)
    assert (folder / "a" / "cat" / "1.jpg").read_bytes() == b"one"
    assert len(warnings) == 1 and "for this process alone" in warnings[0]
    assert archives.folder_of(path) == folder and len(warnings) == 1
