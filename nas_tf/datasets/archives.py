"""Archives of images, unpacked into the cache directory once.

Only folders and plain files are taken, and none that would come to lie elsewhere. An unpacked
archive is known by its content: renamed or moved it is not unpacked again.
"""

import os
import pathlib
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from absl import logging

from nas_tf import caching, storage
from nas_tf.caching import progress_bar
from nas_tf.core import DataError
from nas_tf.datasets.encoded_source import CACHE

_TEMPORARY = ".nas_tf-tmp."  # what `storage` sweeps up after a job was killed
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError)
_of_this_process: dict[str, tempfile.TemporaryDirectory] = {}  # where the cache is not writable


def folder_of(path: str | os.PathLike) -> pathlib.Path:
    """Returns the folder that a path names: itself, or what an archive was unpacked to.

    Args:
        path: a folder, or a tar or zip archive, compressed or not.

    Raises:
        DataError: there is nothing, it is no archive, or it is damaged.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        return path
    if not path.exists():
        raise DataError(f"{path}: no such folder or archive")
    try:
        known = tarfile.is_tarfile(path) or zipfile.is_zipfile(path)
        checksum = caching.content_checksum(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not known:
        raise DataError(f"{path}: neither a folder nor a tar or zip archive")
    return _unpacked(path, checksum)


def _unpacked(path: pathlib.Path, checksum: str) -> pathlib.Path:
    if checksum in _of_this_process:
        return pathlib.Path(_of_this_process[checksum].name)
    name = path.name.split(".")[0] or "archive"
    directory = caching.content_directory(
        caching.cache_directory() / CACHE, name, f"unpacked {checksum}"
    )
    if directory.is_dir():
        return directory
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        temporary = pathlib.Path(
            tempfile.mkdtemp(dir=directory.parent, prefix=f"{_TEMPORARY}{directory.name}.")
        )
    except OSError as error:
        logging.warning(
            "%s: %s; %s is unpacked for this process alone",
            directory.parent, error.strerror or error, path,
        )
        own = tempfile.TemporaryDirectory(prefix="nas_tf-")
        _unpack(path, pathlib.Path(own.name))
        _of_this_process[checksum] = own
        return pathlib.Path(own.name)
    try:
        _unpack(path, temporary)
        _put_in_place(temporary, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return directory


def _put_in_place(temporary: pathlib.Path, directory: pathlib.Path) -> None:
    """Renames a folder; another process may have been sooner."""
    temporary.chmod(0o755)
    try:
        os.rename(temporary, directory)
    except OSError:
        if not directory.is_dir():
            raise


def _unpack(path: pathlib.Path, directory: pathlib.Path) -> None:
    """Writes the members of an archive below a directory."""
    try:
        members = _tar_members(path) if tarfile.is_tarfile(path) else _zip_members(path)
        made = {directory}
        for name, content in progress_bar(members, desc=f"Unpacking {path.name}", unit="file"):
            target = _target(path, directory, name)
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            with content, open(target, "wb") as handle:
                shutil.copyfileobj(content, handle)
    except _DAMAGED as error:
        raise DataError(
            f"{path}: cannot be unpacked into {directory.parent} ({storage.one_line(error)})"
        ) from error


def _tar_members(path: pathlib.Path) -> Iterator[tuple[str, BinaryIO]]:
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isdir():
                continue
            if not member.isreg():
                raise DataError(f"{path}: {member.name} is a link or a device; nothing is unpacked")
            yield member.name, archive.extractfile(member)


def _zip_members(path: pathlib.Path) -> Iterator[tuple[str, BinaryIO]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield member.filename, archive.open(member)


def _target(path: pathlib.Path, directory: pathlib.Path, name: str) -> pathlib.Path:
    parts = pathlib.PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
        raise DataError(f"{path}: {name} would lie outside; nothing is unpacked")
    return directory.joinpath(*parts)
