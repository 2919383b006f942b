"""What is made once and kept in the cache directory, as column stores."""

import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from absl import logging

from nas_tf import graphs, storage
from nas_tf.core import ConfigError, DataError, NasError
from nas_tf.graphs import CellGraphs

T = TypeVar("T")


def cache_directory() -> pathlib.Path:
    """Returns `$NAS_TF_CACHE`, or `~/.cache/nas_tf`; the directory may not exist yet."""
    configured = os.environ.get("NAS_TF_CACHE")
    return pathlib.Path(configured) if configured else pathlib.Path.home() / ".cache" / "nas_tf"


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


def _interpret_store(directory: str | os.PathLike, interpret: Callable[..., T]) -> T:
    """Returns what `interpret` makes of a column store; raises DataError when it cannot."""
    columns, metadata = storage.load_columns(directory)
    try:
        return interpret(columns, metadata)
    except (NasError, KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"{directory}: {storage.one_line(error)}") from error
