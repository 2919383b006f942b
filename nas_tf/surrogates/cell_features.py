"""Groups of features of cells, from the architecture alone.

* summaries: counts of operations, edges, nodes, paths and their lengths, receptive fields,
  parameters (`cell_summaries`); standardised.
* paths: log(1 + count) of every sequence of operations from an input to an output
  (`path_counts`); where there are many, their first 64 principal components.
* positions: one-hot edges and operations as the space writes them.
* neighbourhoods: log(1 + count) of the nodes by what surrounds them (Weisfeiler and Leman, 1968),
  in 64 shared numbers; for large graphs, which have too many paths.

All are of cells without dead nodes and without operations that let nothing through. A group is
centred, its constant columns are dropped, and it is scaled to a mean squared norm of 1. What is
centred and scaled by follows from cells of reference: the pool, or a sample of the space.

Shapes: M cells, N nodes, F features of a group.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs, scramble
from nas_tf.spaces.operation_kinds import OperationKinds
from nas_tf.spaces.space import SearchSpace
from nas_tf.surrogates import cell_summaries, path_counts
from nas_tf.surrogates.live_graphs import LiveGraphs, live_graphs

GROUPS = ("summaries", "paths", "positions", "neighbourhoods")
# Of cells that can be listed, each with its kernel (`gaussian_process.KINDS`).
LISTED = {"summaries": "linear", "paths": "matern", "positions": "matern"}
MAX_COMPONENTS = 64  # of paths

_MAX_PATHS = 128  # sequences that are kept one by one
_ROUNDS = 2  # edges between a node and the rim of its neighbourhood
_REFERENCE = 1 << 15  # cells of reference, at most
_CHUNK = 1 << 14  # cells described at a time
_CONSTANT = 1e-12  # variance below which a column says nothing

Describe = Callable[[CellGraphs], np.ndarray]


class CellFeatures:
    """Describes cells of a space, all by the same measure.

    Attributes:
        groups: names of the groups.
    """

    def __init__(
        self,
        space: SearchSpace,
        reference: CellGraphs,
        groups: Sequence[str] = tuple(LISTED),
        summaries: Sequence[str] | None = None,
    ):
        """Takes the measure of cells.

        Args:
            space: of the cells.
            reference: [M], the pool or a sample of the space; of many, some evenly spread ones.
            groups: some of `GROUPS`.
            summaries: names of the numbers in that group; all when None.

        Raises:
            ConfigError: a group or a number is unknown.
        """
        _check(space, groups, summaries)
        self.groups = tuple(groups)
        step = -(-len(reference) // _REFERENCE)
        sample = reference[::step] if step > 1 else reference
        describers = {
            "summaries": lambda: lambda cells: cell_summaries.summaries(space, cells, summaries),
            "paths": lambda: _paths(space.operation_kinds, sample),
            "positions": lambda: lambda cells: _positions(space, cells),
            "neighbourhoods": lambda: lambda cells: _neighbourhoods(space.operation_kinds, cells),
        }
        self._groups = [_measured(describers[name](), sample, name) for name in self.groups]

    def __call__(self, cells: CellGraphs) -> list[np.ndarray]:
        """Returns the features of cells [M], float32 [M, F] a group."""
        parts = [
            [group(cells[start : start + _CHUNK]) for start in range(0, len(cells), _CHUNK)]
            for group in self._groups
        ]
        return [np.concatenate(part) for part in parts]


@dataclasses.dataclass(frozen=True)
class _Group:
    """Features of a group: (what describes cells - centre) times scale, of some columns."""

    describe: Describe
    columns: np.ndarray
    centre: np.ndarray
    scale: np.ndarray

    def __call__(self, cells: CellGraphs) -> np.ndarray:
        raw = self.describe(cells)[:, self.columns]
        return ((raw - self.centre) * self.scale).astype(np.float32)


def _measured(describe: Describe, sample: CellGraphs, name: str) -> _Group:
    """Returns a group that has a mean of 0 and a mean squared norm of 1 over a sample."""
    raw = describe(sample).astype(np.float64)
    variance = raw.var(axis=0)
    columns = np.flatnonzero(variance > _CONSTANT * np.maximum(1.0, np.abs(raw).max(axis=0)) ** 2)
    kept = variance[columns]
    # Standardised, every column has the same share of the norm.
    scale = np.sqrt(1.0 / (kept * len(columns))) if name == "summaries" else (
        np.full(len(columns), 1.0 / np.sqrt(kept.sum())) if len(columns) else kept
    )
    return _Group(describe, columns, raw[:, columns].mean(axis=0), scale)


def _paths(kinds: OperationKinds, sample: CellGraphs) -> Describe:
    """Returns what describes cells by their paths; of many, by principal components."""
    length = path_counts.longest_sequence(live_graphs(sample, kinds), kinds)
    table = path_counts.sequence_table(len(kinds.interior), length)

    def logarithms(cells: CellGraphs) -> np.ndarray:
        return np.log1p(path_counts.path_counts(live_graphs(cells, kinds), kinds, table))

    if table.shape[1] <= _MAX_PATHS:
        return logarithms
    values = logarithms(sample).astype(np.float64)
    _, vectors = np.linalg.eigh(np.cov(values, rowvar=False))
    components = vectors[:, ::-1][:, :MAX_COMPONENTS].astype(np.float32)
    return lambda cells: logarithms(cells) @ components


def _positions(space: SearchSpace, cells: CellGraphs) -> np.ndarray:
    """Returns the edges above the diagonal and the operations of nodes, one-hot, bool [M, F]."""
    ops = live_graphs(cells, space.operation_kinds).ops
    edges = cells.adjacency[:, *np.triu_indices(cells.max_nodes, 1)]
    one_hot = ops[..., None] == np.arange(len(space.op_names))
    return np.concatenate([edges.astype(bool), one_hot.reshape(len(ops), -1)], axis=1)


def _neighbourhoods(kinds: OperationKinds, cells: CellGraphs) -> np.ndarray:
    """Returns log(1 + count) of nodes whose surroundings share a number, [M, 64 * rounds]."""
    live = live_graphs(cells, kinds)
    colours = scramble((live.ops.astype(np.int64) + 2).astype(np.uint64) * np.uint64(0x9E3779B9))
    rounds = [_counted(live, colours)]
    edges = live.edges.astype(np.uint64)
    for _ in range(_ROUNDS):
        before = np.einsum("mij,mi->mj", edges, scramble(colours ^ np.uint64(1 << 40)))
        after = np.einsum("mij,mj->mi", edges, scramble(colours ^ np.uint64(1 << 41)))
        colours = scramble(colours + scramble(before) + np.uint64(3) * scramble(after))
        rounds.append(_counted(live, colours))
    return np.log1p(np.concatenate(rounds, axis=1))


def _counted(live: LiveGraphs, colours: np.ndarray) -> np.ndarray:
    """Returns how many live nodes have each of 64 numbers, float32 [M, 64]."""
    number = np.where(live.ops >= 0, (colours % np.uint64(MAX_COMPONENTS)).astype(np.int64), -1)
    row = np.arange(len(number))[:, None] * MAX_COMPONENTS
    flat = (row + number)[number >= 0]
    counts = np.bincount(flat, minlength=len(number) * MAX_COMPONENTS)
    return counts.reshape(-1, MAX_COMPONENTS).astype(np.float32)


def _check(space: SearchSpace, groups: Sequence[str], summaries: Sequence[str] | None) -> None:
    unknown = [name for name in groups if name not in GROUPS]
    if unknown or not groups:
        raise ConfigError(f"groups={','.join(groups)}: expected some of {', '.join(GROUPS)}")
    names = cell_summaries.summary_names(space)
    for name in summaries or ():
        if name not in names:
            raise ConfigError(f"summaries={name}: {space.title} has {', '.join(names)}")
