"""The cells of NAS-Bench-101 by their official hashes.

All 423,624 hashes are computed once, which takes seconds, and kept in the cache directory.

Shapes: M cells of the space, K hashes asked for.
"""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging

from nas_tf import caching
from nas_tf.core import DataError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import module_hashes, nasbench101_cells
from nas_tf.spaces.nasbench101_cells import OFFICIAL_LABELS

_CACHE_VERSION = 1
_PROBED = 64  # hashes of a cache that are computed again


def find_hashes(hashes: np.ndarray) -> tuple[CellGraphs, np.ndarray, np.ndarray]:
    """Looks cells up by their official hashes.

    Args:
        hashes: S32 [K], hexadecimal digits in small letters.

    Returns:
        all cells [M]; int64 [K], indices of those asked for among them, undefined where a hash is
        no cell's; and bool [K]: it is one's.
    """
    cells = nasbench101_cells.enumerate_cells()
    known, order = sorted_hashes(cells)
    rank = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return cells, order[rank].astype(np.int64), known[rank] == hashes


def sorted_hashes(
    cells: CellGraphs, cache_directory: str | os.PathLike | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the hashes of all cells in ascending order, S32 [M], and int32 [M]: whose they are.

    Args:
        cells: of the space, [M].
        cache_directory: where they are kept; `caching.cache_directory()` when None.
    """
    root = caching.cache_directory() if cache_directory is None else pathlib.Path(cache_directory)
    directory = root / f"nasbench101-hashes-v{_CACHE_VERSION}"

    def make() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        logging.info("Hashing the cells of NAS-Bench-101 (kept for the next time)")
        hashes = _hashes(cells)
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        return {"hashes": hashes[order], "order": order}, {"space": "nasbench101"}

    def checked(
        columns: Mapping[str, np.ndarray], unused_metadata: Mapping[str, Any]
    ) -> tuple[np.ndarray, np.ndarray]:
        probe = np.linspace(0, len(cells) - 1, _PROBED).astype(np.int64)
        known, order = columns["hashes"], columns["order"]
        if len(order) != len(cells) or (_hashes(cells[order[probe]]) != known[probe]).any():
            raise DataError("it holds other hashes than the cells have")
        return known, order

    return caching.cached_columns(
        directory, make, checked, name="the hashes of NAS-Bench-101"
    )


def _hashes(cells: CellGraphs) -> np.ndarray:
    return module_hashes.md5_hashes(cells, OFFICIAL_LABELS).astype(f"S{module_hashes.HASH_CHARS}")
