"""Atomic files, array files, column stores and directory locks."""

import errno
import json
import multiprocessing
import os
import resource
import signal
import time
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
    with pytest.raises(core.DataError, match="its member 'a.npy' is no array of numbers or text"):
        storage.read_npz(tmp_path / "b.npz")


def test_read_npz_names_missing_truncated_and_damaged_files(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(core.DataError, match="a.npz: no such file"):
        storage.read_npz(path)
    storage.write_npz(path, a=np.arange(1000))
    whole = path.read_bytes()
    path.write_bytes(whole[:4000] + bytes([whole[4000] ^ 1]) + whole[4001:])
    with pytest.raises(core.DataError, match="a.npz: damaged, .*Bad CRC-32 for file 'a.npy'"):
        storage.read_npz(path)
    for content in (whole[:-100], b"", b"no archive" * 100):
        path.write_bytes(content)
        with pytest.raises(core.DataError) as caught:
            storage.read_npz(path)
        assert str(caught.value) == (
            f"{path}: damaged, or no .npz file (it is truncated, or another kind of file)"
        )
    np.save(tmp_path / "a.npy", np.arange(3))
    with pytest.raises(core.DataError, match="another kind of file"):
        storage.read_npz(tmp_path / "a.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"no array")
    with pytest.raises(core.DataError, match="its member 'a.npy' is no array of numbers or text"):
        storage.read_npz(path)
    with pytest.raises(core.DataError, match="cannot be read .Is a directory"):
        storage.read_npz(tmp_path)


@pytest.mark.parametrize("compress", [False, True])
def test_any_changed_byte_of_an_npz_is_an_error_or_of_no_account(tmp_path, compress):
    path, arrays = tmp_path / "a.npz", {"a": np.arange(5), "b": np.array(["x", "yz"])}
    storage.write_npz(path, compress=compress, **arrays)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1:])
        try:
            found = storage.read_npz(path)
        except core.DataError as error:
            assert "allow_pickle" not in str(error) and "\n" not in str(error)
        else:
            for name, array in found.items():
                np.testing.assert_array_equal(array, arrays[name])


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


def _damage(path, place=-1):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
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


def test_damage_in_the_middle_of_a_long_column_is_found(tmp_path):
    storage.save_columns(tmp_path / "c", {"x": np.arange(400_000)}, {})  # 3.2 MB
    storage.load_columns(tmp_path / "c")
    _damage(tmp_path / "c" / "x.npy", 1_700_000)
    with pytest.raises(core.DataError, match="damaged column store .x.npy: crc32c is "):
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


def test_a_file_in_place_of_a_directory_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for write in (
        lambda path: storage.DirectoryLock(path).__enter__(),
        lambda path: storage.DirectoryLock(path / "a" / "b").__enter__(),
        lambda path: storage.write_json(path / "a.json", {}),
    ):
        with pytest.raises(core.ConfigError) as caught:
            write(tmp_path / "file")
        assert str(caught.value).endswith(
            f": {tmp_path / 'file'} is a file, not a directory; choose another directory"
        )


def test_a_directory_that_may_not_be_entered_is_a_config_error(tmp_path, monkeypatch):
    def refuse(*unused_arguments, **unused_options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(storage.pathlib.Path, "mkdir", refuse)
    monkeypatch.setattr(storage.pathlib.Path, "stat", refuse)  # what `exists` and `is_dir` ask
    with pytest.raises(core.ConfigError, match="/a/b.json: Permission denied; check"):
        storage.write_json(tmp_path / "a" / "b.json", {})


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


def test_a_lock_on_a_full_disk_is_a_config_error(tmp_path):
    """No file may grow here for a moment, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(core.ConfigError, match="cannot write .*/out/.lock: File too large; "):
            storage.DirectoryLock(tmp_path / "out").__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with storage.DirectoryLock(tmp_path / "out"):
        assert (tmp_path / "out" / ".lock").read_text() == f"{os.getpid()}\n"


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


def _be_killed(directory):
    with storage.DirectoryLock(directory):
        storage.os.replace = lambda *unused_paths: os.kill(os.getpid(), signal.SIGKILL)
        storage.write_npz(directory / "checkpoints" / "search.npz", a=np.zeros(3))


def test_the_lock_removes_what_a_killed_job_left(tmp_path):
    job = multiprocessing.get_context("spawn").Process(target=_be_killed, args=(tmp_path / "out",))
    job.start()
    job.join()
    assert job.exitcode == -signal.SIGKILL
    (left,) = os.listdir(tmp_path / "out" / "checkpoints")
    assert left.startswith(".nas_tf-tmp.search.npz.")
    with storage.DirectoryLock(tmp_path / "out"):
        assert os.listdir(tmp_path / "out" / "checkpoints") == []


def test_the_lock_leaves_other_files_alone(tmp_path):
    kept = [
        ".search.npz.ob4czgyr",
        ".nas_tf-tmp.",
        ".nas_tf-tmp.ob4czgyr",
        "nas_tf-tmp.a.npz.ob4czgyr",
        "deep/er/.nas_tf-tmp.a.npz.ob4czgyr",
        "other/.lock",
        "other/.nas_tf-tmp.a.npz.ob4czgyr",  # of a job that has a lock of its own
        "cache/.nas_tf-tmp.store.ob4czgyr/x.npy",
    ]
    removed = [".nas_tf-tmp.summary.json.ob4czgyr", "model/.nas_tf-tmp.weights.npz.a_3czgyr"]
    for name in kept + removed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    with storage.DirectoryLock(tmp_path):
        assert [name for name in kept if not (tmp_path / name).exists()] == []
        assert [name for name in removed if (tmp_path / name).exists()] == []


def test_saving_columns_removes_old_unfinished_stores(tmp_path):
    now = time.time()
    for name, age_sec in (
        (".nas_tf-tmp.c.ob4czgyr", 3700),
        (".nas_tf-tmp.d.aaaaaaaa", 3700),
        (".nas_tf-tmp.c.bbbbbbbb", 3500),
        (".c.ob4czgyr", 3700),
        ("c", 3700),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.npy").write_text("")
        os.utime(tmp_path / name, (now - age_sec, now - age_sec))
    storage.save_columns(tmp_path / "c", {"x": np.zeros(3)}, {})
    assert sorted(os.listdir(tmp_path)) == [".c.ob4czgyr", ".nas_tf-tmp.c.bbbbbbbb", "c"]


def test_the_checksum_of_arrays_is_that_of_their_numbers():
    numbers = np.arange(6, dtype=np.uint8)
    expected = "17e88db187afd62c16e5debf3e6527cd006bc012bc90b51a810cd80c2d511f43"
    assert storage.arrays_checksum(numbers) == expected
    assert storage.arrays_checksum(numbers[:2], numbers[2:]) == expected
    assert storage.arrays_checksum(np.arange(12, dtype=np.uint8)[::2] // 2) == expected
