"""The features of a pool's cells, each kind of cell once.

Cells that differ only in what does nothing have the same features, hence the same belief: a model
has to look at one of each.

Shapes: M cells, U kinds of cells, F features of a group.
"""

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from nas_tf import caching
from nas_tf.graphs import KEYS_VERSION, CellGraphs, scramble
from nas_tf.spaces.space import SearchSpace
from nas_tf.surrogates.cell_features import GROUPS, CellFeatures

_VERSION = 2  # of the features; what was cached with another one is made anew
_CACHED_CELLS = 50_000  # pools that are larger are kept on disk


@dataclasses.dataclass(frozen=True)
class FeaturePool:
    """Kinds of cells of a pool.

    Attributes:
        features: float32 [U, F] a group.
        kind: int64 [M], of every cell.
        members: int64 [M], cells by kind, those of a kind ascending.
        start: int64 [U + 1], where the members of every kind begin; the last is M.
    """

    features: list[np.ndarray]
    kind: np.ndarray
    members: np.ndarray
    start: np.ndarray

    @property
    def num_kinds(self) -> int:
        """U."""
        return len(self.start) - 1

    @property
    def sizes(self) -> np.ndarray:
        """Cells of every kind, int64 [U]."""
        return np.diff(self.start)


def feature_pool(
    space: SearchSpace,
    cells: CellGraphs,
    groups: Sequence[str] = GROUPS[:3],
    summaries: Sequence[str] | None = None,
) -> FeaturePool:
    """Describes a pool; that of a large one is kept in the cache directory.

    Args:
        space: of the cells.
        cells: the pool [M].
        groups, summaries: as in `cell_features.CellFeatures`.
    """
    def describe() -> FeaturePool:
        return _by_kind(CellFeatures(space, cells, groups, summaries)(cells))

    if len(cells) <= _CACHED_CELLS:
        return describe()
    digest = hashlib.sha256(np.ascontiguousarray(cells.keys).tobytes())
    digest.update(repr((space.name, groups, summaries, KEYS_VERSION, _VERSION)).encode())
    directory = caching.cache_directory() / "features" / digest.hexdigest()[:16]

    def make():
        pool = describe()
        columns = {name: getattr(pool, name) for name in ("kind", "members", "start")}
        columns |= {f"group_{n}": group for n, group in enumerate(pool.features)}
        return columns, {"groups": [*groups]}

    def read(columns, unused_metadata):
        found = [np.asarray(columns[f"group_{n}"]) for n in range(len(groups))]
        pool = FeaturePool(found, *(columns[name] for name in ("kind", "members", "start")))
        if len(pool.kind) != len(cells):
            raise ValueError("features of another pool")
        return pool

    return caching.cached_columns(directory, make, read, name="features of cells")


def _by_kind(features: Sequence[np.ndarray]) -> FeaturePool:
    """Joins the cells whose features are equal."""
    codes = np.zeros(len(features[0]), np.uint64)
    for group in features:
        for column in np.ascontiguousarray(group.T).view(np.uint32):
            codes = scramble(codes + column)
    _, first, kind = np.unique(codes, return_index=True, return_inverse=True)
    members = np.argsort(kind, kind="stable")
    start = np.searchsorted(kind[members], np.arange(len(first) + 1))
    return FeaturePool([group[first] for group in features], kind, members, start)
