"""Atomic files, array files, column stores and directory locks."""

import errno
import json
import multiprocessing
import os
import zipfile

import numpy as np
import pytest

from nas_tf import core, storage


def test_atomic_write_replaces_the_file_only_when_the_block_succeeds(tmp_path):
    path = tmp_path / "sub" / "file.bin"
    with storage.atomic_write(path) as handle:
        handle.write(b"old")
    with pytest.raises(RuntimeError):
        with storage.atomic_write(path) as handle:
            handle.write(b"half of the ne")
            raise RuntimeError("killed")
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file.bin"]


def test_write_json_makes_numpy_values_plain_and_nan_null(tmp_path):
    storage.write_json(
        tmp_path / "a.json",
        {"x": np.float32(0.5), "y": np.arange(2), "z": float("nan"), "p": tmp_path, "t": (1, True)},
    )
    assert json.loads((tmp_path / "a.json").read_text()) == {
        "x": 0.5, "y": [0, 1], "z": None, "p": str(tmp_path), "t": [1, True],
    }


@pytest.mark.parametrize("compress", [False, True])
def test_npz_round_trip_and_equal_bytes(tmp_path, compress):
    arrays = {
        "a": np.arange(6, dtype=np.uint64).reshape(2, 3),
        "b": np.array(["x", "yz"]),
        "empty": np.zeros((0, 4), np.float32),
        "scalar": np.float64(2.5),
    }
    storage.write_npz(tmp_path / "1.npz", compress=compress, **arrays)
    storage.write_npz(tmp_path / "2.npz", compress=compress, **dict(reversed(arrays.items())))
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    read = storage.read_npz(tmp_path / "1.npz")
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == np.asarray(array).dtype


def test_npz_refuses_python_objects(tmp_path):
    with pytest.raises(TypeError, match="'a' has dtype object"):
        storage.write_npz(tmp_path / "a.npz", a=np.array([{}]))
    assert not os.listdir(tmp_path)
    np.savez(tmp_path / "b.npz", a=np.array([{}]))
    with pytest.raises(core.DataError, match="b.npz"):
        storage.read_npz(tmp_path / "b.npz")


def test_read_npz_names_missing_truncated_and_damaged_files(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(core.DataError, match="a.npz: no such file"):
        storage.read_npz(path)
    storage.write_npz(path, a=np.arange(1000))
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(core.DataError, match="a.npz: damaged"):
        storage.read_npz(path)
    path.write_bytes(whole[:4000] + bytes([whole[4000] ^ 1]) + whole[4001:])
    with pytest.raises(core.DataError, match="a.npz: damaged"):
        storage.read_npz(path)
    path.write_bytes(b"")
    with pytest.raises(core.DataError, match="a.npz"):
        storage.read_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"no array")
    with pytest.raises(core.DataError, match="a.npz"):
        storage.read_npz(path)


def test_columns_round_trip_and_replacement(tmp_path):
    columns = {"keys": np.arange(5, dtype=np.uint64), "empty": np.zeros((0, 3))}
    storage.save_columns(tmp_path / "c", {"old": np.zeros(3)}, {})
    storage.save_columns(tmp_path / "c", columns, {"version": 3, "names": ("a", "b")})
    read, metadata = storage.load_columns(tmp_path / "c")
    assert metadata == {"version": 3, "names": ["a", "b"]}
    assert sorted(os.listdir(tmp_path)) == ["c"]
    assert sorted(os.listdir(tmp_path / "c")) == ["columns.json", "empty.npy", "keys.npy"]
    assert isinstance(read["keys"], np.memmap) and not read["keys"].flags.writeable
    np.testing.assert_array_equal(read["keys"], columns["keys"])
    assert read["empty"].shape == (0, 3)
    in_memory, _ = storage.load_columns(tmp_path / "c", memory_map=False)
    assert not isinstance(in_memory["keys"], np.memmap)


def _damage(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "harm",
    [
        lambda directory: _damage(directory / "x.npy"),
        lambda directory: os.truncate(directory / "x.npy", 100),
        lambda directory: os.unlink(directory / "x.npy"),
        lambda directory: os.unlink(directory / "columns.json"),
        lambda directory: (directory / "columns.json").write_text("{}"),
        lambda directory: (directory / "columns.json").write_text("[1"),
        lambda directory: (directory / "columns.json").write_text(
            (directory / "columns.json").read_text().replace('"version": 3', '"version": 4')
        ),
    ],
)
def test_damaged_columns_are_a_data_error(tmp_path, harm):
    storage.save_columns(tmp_path / "c", {"x": np.arange(100)}, {"version": 3})
    harm(tmp_path / "c")
    with pytest.raises(core.DataError, match=str(tmp_path)):
        storage.load_columns(tmp_path / "c")


def test_column_names_are_plain(tmp_path):
    with pytest.raises(ValueError, match="no plain file name"):
        storage.save_columns(tmp_path / "c", {"../x": np.zeros(1)}, {})
    assert not os.listdir(tmp_path)


def test_unwritable_places_are_named_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for write in (
        lambda path: storage.write_json(path / "a.json", {}),
        lambda path: storage.save_columns(path / "c", {"a": np.zeros(1)}, {}),
        lambda path: storage.DirectoryLock(path / "d").__enter__(),
    ):
        with pytest.raises(core.ConfigError) as caught:
            write(tmp_path / "file")
        assert str(tmp_path / "file") in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: storage.write_json(path, {}),
        lambda path: storage.write_npz(path, a=np.zeros(3)),
        lambda path: storage.save_columns(path, {"a": np.zeros(3)}, {}),
    ],
)
def test_full_disk_is_a_config_error_and_leaves_nothing(tmp_path, monkeypatch, write):
    def full(unused_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(core.ConfigError, match="cannot write .*/new: No space left"):
        write(tmp_path / "new")
    assert not os.listdir(tmp_path)


def _hold(directory, held, done):
    with storage.DirectoryLock(directory):
        held.set()
        done.wait(30)


def test_second_process_is_refused_and_told_the_owner(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "out", held, done))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(core.ConfigError, match=f"in use by another job .process {other.pid}"):
            with storage.DirectoryLock(tmp_path / "out"):
                pass
    finally:
        done.set()
        other.join()
    with storage.DirectoryLock(tmp_path / "out"):
        with pytest.raises(core.ConfigError, match=str(os.getpid())):
            with storage.DirectoryLock(tmp_path / "out"):
                pass


def test_cache_directory_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path))
    assert storage.cache_directory() == tmp_path
    monkeypatch.delenv("NAS_TF_CACHE")
    assert storage.cache_directory().parts[-2:] == (".cache", "nas_tf")
