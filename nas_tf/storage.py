"""Files that are either complete or absent: JSON, arrays, column stores, directory locks.

Every writer here goes through a temporary name in the same directory, `fsync` and a rename, so
that a job killed at any moment leaves the old file or the new one. What it had under the temporary
name goes when the directory is next locked or the next column store is written beside it. No
reader loads a pickle.
"""

import contextlib
import fcntl
import hashlib
import io
import json
import math
import os
import pathlib
import re
import shutil
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import google_crc32c
import numpy as np

from nas_tf import core

_COLUMNS_FORMAT = 2
_BLOCK_BYTES = 1 << 20  # of a column, read at a time for its checksum
_TEMPORARY = ".nas_tf-tmp."
_LEFTOVERS = f"{_TEMPORARY}?*.????????"  # `tempfile` appends eight characters
_LEFTOVER_SEC = 3600.0  # a column store that was not touched for so long is nobody's work
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # fixed, so that equal arrays give equal files


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Yields a binary handle whose content replaces `path` when the block ends without error.

    Args:
        path: the file to write; missing parent directories are made.

    Raises:
        core.ConfigError: the directory cannot be written or is full; `path` is as it was.
    """
    path = pathlib.Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f"{_TEMPORARY}{path.name}.", delete=False
        ) as handle:
            temporary = handle.name
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
        _sync_directory(path.parent)
    except OSError as error:
        raise _write_error(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes `value` as indented JSON; NumPy values become numbers and lists, NaN becomes null.

    Raises:
        core.ConfigError: the directory cannot be written or is full.
    """
    text = json.dumps(_plain(value), indent=2, allow_nan=False) + "\n"
    with atomic_write(path) as handle:
        handle.write(text.encode("utf-8"))


def write_npz(path: str | os.PathLike, /, compress: bool = False, **arrays: np.ndarray) -> None:
    """Writes arrays as an `.npz` file; equal arrays give byte-for-byte equal files.

    Args:
        path: the file to write.
        compress: deflate the members (slower, smaller).
        **arrays: any shapes and dtypes except object.

    Raises:
        core.ConfigError: the directory cannot be written or is full.
        TypeError: an array holds Python objects.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with atomic_write(path) as handle, zipfile.ZipFile(handle, "w") as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_TIME)
            member.compress_type = method
            with archive.open(member, "w", force_zip64=True) as stream:
                _write_array(stream, name, arrays[name])


def read_npz(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads every array of an `.npz` file, checksums included.

    Raises:
        core.DataError: the file is missing, truncated, damaged, or holds Python objects.
    """
    try:
        with open(path, "rb") as handle:
            if not zipfile.is_zipfile(handle):
                raise ValueError("it is truncated, or another kind of file")
            with zipfile.ZipFile(handle) as archive:
                members = archive.namelist()
                return {name.removesuffix(".npy"): _read_member(archive, name) for name in members}
    except FileNotFoundError as error:
        raise core.DataError(f"{path}: no such file") from error
    except OSError as error:
        raise core.DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError, KeyError, RuntimeError, struct.error, zipfile.BadZipFile,
            zlib.error) as error:
        raise core.DataError(f"{path}: damaged, or no .npz file ({one_line(error)})") from error


def save_columns(
    directory: str | os.PathLike,
    columns: Mapping[str, np.ndarray],
    metadata: Mapping[str, Any],
) -> None:
    """Writes one `.npy` file a column and `columns.json`, replacing `directory` as a whole.

    What killed processes left of column stores beside it is removed once it is an hour old.

    Args:
        directory: the column store; an older one of that name is replaced.
        columns: arrays of any shapes and dtypes except object, by name.
        metadata: JSON-able values, returned by `load_columns`.

    Raises:
        core.ConfigError: the parent directory cannot be written or is full.
        ValueError: a column's name is no plain file name.
    """
    directory = pathlib.Path(directory)
    temporary = None
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        _remove_old_stores(directory.parent)
        temporary = _temporary_directory(directory)
        entries = {name: _save_column(temporary, name, columns[name]) for name in columns}
        body = {"format": _COLUMNS_FORMAT, "columns": entries, "metadata": _plain(metadata)}
        write_json(temporary / "columns.json", {"checksum": _checksum_json(body), **body})
        os.chmod(temporary, 0o777 & ~_umask())
        _replace_directory(temporary, directory)
    except OSError as error:
        raise _write_error(directory, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def load_columns(
    directory: str | os.PathLike, memory_map: bool = True
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Opens what `save_columns` wrote.

    Args:
        directory: the column store.
        memory_map: map the files read-only instead of keeping them in memory. Either way sizes,
            shapes, dtypes and a checksum of every file are compared (some GB/s, once the operating
            system has the files in its cache).

    Returns:
        The columns and the metadata.

    Raises:
        core.DataError: the store is missing, incomplete or damaged; the caller can rebuild it.
    """
    directory = pathlib.Path(directory)
    body = _read_columns_json(directory / "columns.json")
    try:
        columns = {
            name: _load_column(directory / f"{name}.npy", entry, memory_map)
            for name, entry in body["columns"].items()
        }
    except (OSError, ValueError, EOFError, KeyError, TypeError, SyntaxError) as error:
        raise core.DataError(f"{directory}: damaged column store ({one_line(error)})") from error
    return columns, body["metadata"]


def one_line(error: Exception) -> str:
    """Returns an error's message without line breaks; its class where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def arrays_checksum(*arrays: np.ndarray) -> str:
    """Returns the SHA-256 of the numbers of arrays, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class DirectoryLock:
    """Exclusive use of a directory and its sub-folders by one process, as a context manager.

    The lock is the operating system's (`flock` on `<directory>/.lock`): it goes with the process,
    however that ends.
    """

    def __init__(self, directory: str | os.PathLike):
        """Args: directory: what to lock; made when it is missing."""
        self._directory = pathlib.Path(directory)
        self._handle = None

    def __enter__(self) -> "DirectoryLock":
        """Takes the lock and removes what a killed process left under a temporary name.

        Raises:
            core.ConfigError: another process holds it, or the directory cannot be written.
        """
        path = self._directory / ".lock"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle = open(path, "a+b", buffering=0)  # closing has nothing left to write
        except OSError as error:
            raise _write_error(path, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            handle.truncate(0)
            handle.write(b"%d\n" % os.getpid())
        except BlockingIOError as error:
            handle.seek(0)
            owner = handle.read().decode("ascii", "replace").strip() or "unknown"
            handle.close()
            raise core.ConfigError(
                f"{self._directory} is in use by another job (process {owner}); "
                "wait for it or choose another directory"
            ) from error
        except OSError as error:
            handle.close()
            raise _write_error(path, error) from error
        self._handle = handle
        _remove_unfinished_files(self._directory)
        return self

    def __exit__(self, *unused_exception) -> None:
        """Releases the lock; the file `.lock` stays, empty."""
        with contextlib.suppress(OSError):
            self._handle.truncate(0)
        self._handle.close()
        self._handle = None


def _plain(value: Any) -> Any:
    """Returns `value` made of JSON's types alone."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value


def _read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Reads one array; its checksum is compared before NumPy sees it."""
    content = io.BytesIO(archive.read(name))
    try:
        return np.lib.format.read_array(content, allow_pickle=False)
    except (ValueError, EOFError, TypeError, SyntaxError) as error:
        raise ValueError(f"its member {name!r} is no array of numbers or text") from error


def _write_array(stream: BinaryIO, name: str, array: np.ndarray) -> None:
    array = np.asanyarray(array)
    if array.dtype.hasobject:
        raise TypeError(f"array {name!r} has dtype {array.dtype}: Python objects are not stored")
    np.lib.format.write_array(stream, array, allow_pickle=False)


def _save_column(directory: pathlib.Path, name: str, array: np.ndarray) -> dict[str, Any]:
    """Writes one column; returns its entry in `columns.json`."""
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ValueError(f"column name {name!r} is no plain file name")
    path = directory / f"{name}.npy"
    array = np.asarray(array)
    with open(path, "wb") as handle:
        _write_array(handle, name, array)
        handle.flush()
        os.fsync(handle.fileno())
    return {"shape": array.shape, "dtype": array.dtype.str, **_fingerprint(path)}


def _load_column(path: pathlib.Path, entry: Mapping[str, Any], memory_map: bool) -> np.ndarray:
    """Opens one column; raises ValueError when it is not what `entry` says."""
    found = _fingerprint(path)
    for item, value in found.items():
        if entry[item] != value:
            raise ValueError(f"{path.name}: {item} is {value}, expected {entry[item]}")
    array = np.load(path, mmap_mode="r" if memory_map else None, allow_pickle=False)
    if list(array.shape) != entry["shape"] or array.dtype.str != entry["dtype"]:
        raise ValueError(f"{path.name}: {array.dtype} {array.shape} is not what was saved")
    return array


def _fingerprint(path: pathlib.Path) -> dict[str, int]:
    """Returns the size of a file in bytes and its CRC-32C."""
    checksum = 0
    with open(path, "rb") as handle:
        while block := handle.read(_BLOCK_BYTES):
            checksum = google_crc32c.extend(checksum, block)
        return {"size": handle.tell(), "crc32c": checksum}


def _read_columns_json(path: pathlib.Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as handle:
            body = json.load(handle)
        checksum = body.pop("checksum")
        if body["format"] != _COLUMNS_FORMAT:
            raise ValueError(f"format {body['format']}, this version reads {_COLUMNS_FORMAT}")
        if checksum != _checksum_json(body):
            raise ValueError("its checksum differs")
    except FileNotFoundError as error:
        raise core.DataError(f"{path.parent}: no column store here") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise core.DataError(f"{path}: damaged or outdated ({one_line(error)})") from error
    return body


def _checksum_json(body: Any) -> int:
    return zlib.crc32(json.dumps(_plain(body), sort_keys=True).encode("utf-8"))


def _replace_directory(temporary: pathlib.Path, directory: pathlib.Path) -> None:
    """Renames `temporary` to `directory`; what was there is moved away first, then deleted."""
    aside = _temporary_directory(directory)
    with contextlib.suppress(FileNotFoundError):
        os.rename(directory, aside / "old")
    os.rename(temporary, directory)
    shutil.rmtree(aside, ignore_errors=True)
    _sync_directory(directory.parent)


def _temporary_directory(directory: pathlib.Path) -> pathlib.Path:
    """Makes an empty directory beside `directory`."""
    prefix = f"{_TEMPORARY}{directory.name}."
    return pathlib.Path(tempfile.mkdtemp(dir=directory.parent, prefix=prefix))


def _remove_old_stores(directory: pathlib.Path) -> None:
    """Removes unfinished column stores, except those that another process may be writing."""
    for store in directory.glob(_LEFTOVERS):
        with contextlib.suppress(FileNotFoundError):
            if store.is_dir() and store.stat().st_mtime < time.time() - _LEFTOVER_SEC:
                shutil.rmtree(store, ignore_errors=True)


def _remove_unfinished_files(directory: pathlib.Path) -> None:
    """Removes unfinished files of a directory that is locked, and of its direct sub-folders.

    Sub-folders with a lock of their own are another job's. Column stores are left alone: they are
    in the cache, which several jobs write to.
    """
    with contextlib.suppress(OSError):
        folders = [path for path in directory.iterdir() if path.is_dir() and not path.is_symlink()]
        own = [folder for folder in folders if not os.path.exists(folder / ".lock")]
        for path in [path for folder in (directory, *own) for path in folder.glob(_LEFTOVERS)]:
            if path.is_file():
                path.unlink()


def _sync_directory(directory: pathlib.Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_error(path: pathlib.Path, error: OSError) -> core.ConfigError:
    files = [parent for parent in path.parents if os.path.isfile(parent)]
    reason = error.strerror or error
    advice = "check that the directory is writable and has space, or choose another"
    if files:
        reason, advice = f"{files[0]} is a file, not a directory", "choose another directory"
    return core.ConfigError(f"cannot write {path}: {reason}; {advice}")
