"""What is made once and kept in the cache directory, as column stores.

What is made of a file is known by the file's content, whatever it is called and wherever it lies.
What takes long is logged, or shows a `progress_bar`; nothing is printed.
"""

import hashlib
import os
import pathlib
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from absl import logging
from tqdm import auto, autonotebook, std

from nas_tf import graphs, storage
from nas_tf.core import ConfigError, DataError, NasError
from nas_tf.graphs import CellGraphs
from nas_tf.config import expand_home

T = TypeVar("T")

_BLOCK_BYTES = 1 << 20  # of a file, read at a time for its checksum
_NOTICE_BYTES = 500_000_000  # a checksum of more takes more than a moment and is announced
_SETTLED_SEC = 2.0  # two changes within a tick of the clock look like one
_LOGGED_SEC = 10.0  # between two lines of a progress bar that goes to a file


def progress_bar(iterable: Iterable | None = None, **settings: Any) -> std.tqdm:
    """Returns a progress bar: `tqdm.auto`, which is a widget in a notebook.

    Where the standard error stream is no terminal a line is written every ten seconds at most, and
    none of what takes less.

    Args:
        iterable: what to go through; None where the caller updates the bar.
        **settings: of tqdm: `total`, `desc`, `unit`, ...
    """
    if not sys.stderr.isatty() and not _in_notebook():
        paced = {"mininterval": _LOGGED_SEC, "maxinterval": _LOGGED_SEC, "delay": _LOGGED_SEC}
        settings = paced | settings
    return auto.tqdm(iterable, **settings)


def cache_directory() -> pathlib.Path:
    """Returns `$NAS_TF_CACHE`, or `~/.cache/nas_tf`; the directory may not exist yet.

    Raises:
        ConfigError: it begins with a `~` that stands for nothing.
    """
    return pathlib.Path(expand_home(os.environ.get("NAS_TF_CACHE") or "~/.cache/nas_tf"))


def content_checksum(
    path: str | os.PathLike, root: str | os.PathLike | None = None
) -> str:
    """Returns the SHA-256 of a file, or of the names and contents of a folder's files.

    All of it is read, once: a checksum of some places would be sooner there, and would take a table
    with one corrected number for the one before. What was found is remembered in the cache
    directory by device, number, size and times of change of the file, so that a later start takes
    no time over 2 GB.

    Args:
        path: the file, or a folder; folders within it do not count.
        root: the cache directory; `cache_directory()` when None.

    Raises:
        OSError: it cannot be read.
    """
    path = pathlib.Path(path)
    files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    states = [(file.name if path.is_dir() else "", file.stat()) for file in files]
    memory = (cache_directory() if root is None else pathlib.Path(root)) / "checksums"
    memory /= _digest(*(_identity(name, state) for name, state in states))
    try:
        return memory.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        size = sum(state.st_size for _, state in states)
        if size > _NOTICE_BYTES:
            logging.info("Comparing %s, %s MB, with the cache", path, f"{size / 1e6:,.0f}")
    checksum = _checksum(files, [name for name, _ in states])
    settled = time.time() - _SETTLED_SEC
    if all(max(state.st_mtime, state.st_ctime) < settled for _, state in states):
        _remember(memory, checksum)
    return checksum


def content_directory(root: pathlib.Path, name: str, identity: str) -> pathlib.Path:
    """Returns the directory of what is made of some content, under whichever name it is there.

    Args:
        root: the directory that it lies in.
        name: what to begin its name with if it is not there yet.
        identity: what it is known by; ends its name, as a digest.
    """
    digest = _digest(identity)[:16]
    return min(root.glob(f"*-{digest}"), default=root / f"{name}-{digest}")


def cached_columns(
    directory: str | os.PathLike,
    make: Callable[[], tuple[Mapping[str, np.ndarray], Mapping[str, Any]]],
    interpret: Callable[[Mapping[str, np.ndarray], Mapping[str, Any]], T],
    *,
    name: str,
) -> T:
    """Opens what was stored in a cache, or makes and stores it.

    A cache that is damaged or of something else is replaced, and one that cannot be written is
    done without, both with a warning.

    Args:
        directory: a column store within the cache directory.
        make: returns columns and metadata, as for `storage.save_columns`.
        interpret: makes of columns and metadata what is wanted; a DataError, ConfigError,
            KeyError, IndexError, TypeError or ValueError says that they are not what they should
            be.
        name: of what is cached, for warnings.

    Returns:
        what `interpret` does, of memory-mapped columns where they could be stored.
    """
    if os.path.exists(directory):
        try:
            return _interpret_store(directory, interpret)
        except DataError as error:
            logging.warning("The cache of %s is damaged and built again: %s", name, error)
    columns, metadata = make()
    try:
        storage.save_columns(directory, columns, metadata)
        return _interpret_store(directory, interpret)
    except (ConfigError, DataError) as error:
        logging.warning("The cache of %s is of no use, it is made again next time: %s", name, error)
        return interpret(columns, metadata)


def cached_cells(
    directory: str | os.PathLike,
    generate: Callable[[], CellGraphs],
    *,
    space: str,
    name: str,
    identity: Callable[[CellGraphs], np.ndarray] = graphs.canonical_keys,
) -> CellGraphs:
    """Opens cells that were stored in a cache, or generates and stores them.

    Args:
        directory: a column store within the cache directory.
        generate: returns a batch of cells [M], with keys.
        space: its name, for the metadata.
        name: of what is cached, for warnings.
        identity: of the cells.
    """
    def make():
        logging.info("Making %s (kept for the next time)", name)
        cells = generate()
        columns = {
            "adjacency": cells.adjacency,
            "ops": cells.ops,
            "num_nodes": cells.num_nodes,
            "keys": cells.keys,
        }
        return columns, {"space": space}

    def with_keys(columns, unused_metadata):
        arrays = (columns[name] for name in ("adjacency", "ops", "num_nodes"))
        return CellGraphs(*arrays, identity, columns["keys"])

    return cached_columns(directory, make, with_keys, name=name)


def _in_notebook() -> bool:
    return autonotebook.tqdm is not std.tqdm


def _interpret_store(directory: str | os.PathLike, interpret: Callable[..., T]) -> T:
    """Returns what `interpret` makes of a column store; raises DataError when it cannot."""
    columns, metadata = storage.load_columns(directory)
    try:
        return interpret(columns, metadata)
    except (NasError, KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"{directory}: {storage.one_line(error)}") from error


def _identity(name: str, state: os.stat_result) -> str:
    """Returns what changes with a file, at the latest by its time of change."""
    times = f"{state.st_mtime_ns} {state.st_ctime_ns}"
    return f"{name} {state.st_dev} {state.st_ino} {state.st_size} {times}"


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogateescape")).hexdigest()


def _checksum(files: list[pathlib.Path], names: list[str]) -> str:
    """Returns the SHA-256 of a single file without a name, or of the names and those of several."""
    found = []
    for file in files:
        digest = hashlib.sha256()
        with open(file, "rb") as handle:
            while block := handle.read(_BLOCK_BYTES):
                digest.update(block)
        found.append(digest.hexdigest())
    return found[0] if names == [""] else _digest(*map("{} {}".format, names, found))


def _remember(path: pathlib.Path, checksum: str) -> None:
    """Writes a checksum down; where that cannot be done it is found again next time."""
    try:
        with storage.atomic_write(path) as handle:
            handle.write(f"{checksum}\n".encode("ascii"))
    except ConfigError as error:
        logging.debug("%s", error)
