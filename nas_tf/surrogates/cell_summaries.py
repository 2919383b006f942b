"""What a few numbers say of a cell: counts, paths, receptive fields, parameters.

A path leads from an input to an output. Its length is the number of its operations without skips,
its receptive field 1 plus what its operations add (`OperationKinds.growth`).

Shapes: M cells, N nodes, F numbers of a cell.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.spaces.operation_kinds import OperationKinds
from nas_tf.spaces.space import SearchSpace
from nas_tf.surrogates.live_graphs import LiveGraphs, live_graphs

# Parameters, longest, shortest and mean path.
FOUR = ("parameters", "longest_path", "shortest_path", "mean_path")


def summary_names(space: SearchSpace) -> tuple[str, ...]:
    """Returns the names of the numbers of `summaries`, F."""
    counts = [f"count_{space.op_names[code]}" for code in space.operation_kinds.interior]
    sizes = ["parameters", "log_parameters"] if space.has("costs") else []
    return (
        *counts, "edges", "nodes", "paths", "longest_path", "shortest_path", "mean_path",
        "largest_field", "mean_field", "bare_path", *sizes,
    )


def summaries(
    space: SearchSpace, cells: CellGraphs, names: Sequence[str] | None = None
) -> np.ndarray:
    """Returns the numbers of cells.

    Args:
        space: of the cells.
        cells: [M].
        names: some of `summary_names`; all when None.

    Returns:
        float64 [M, F]; all of a cell that connects nothing are 0 but its parameters.
    """
    kinds = space.operation_kinds
    live = live_graphs(cells, kinds)
    found = [(live.ops == code).sum(axis=1) for code in kinds.interior]
    interior = np.isin(live.ops, kinds.interior).sum(axis=1)
    steps = np.isin(live.ops, [code for code in kinds.interior if code not in kinds.skips])
    growth = np.where(live.ops >= 0, np.array(kinds.growth)[live.ops], 0)
    lengths, fields = path_statistics(live, steps), path_statistics(live, growth)
    connected = lengths.count > 0
    found += [live.edges.sum(axis=(1, 2)), interior, lengths.count, lengths.most, lengths.least]
    found += [lengths.mean, connected * (1 + fields.most), connected * (1 + fields.mean)]
    found += [connected & (lengths.least == 0)]
    if space.has("costs"):
        parameters = space.costs(_without_dead(cells, live, kinds)).parameters
        found += [parameters, np.log(np.maximum(parameters, 1))]
    columns = dict(zip(summary_names(space), found, strict=True))
    chosen = columns if names is None else names
    return np.stack([columns[name] for name in chosen], axis=1).astype(np.float64)


def _without_dead(cells: CellGraphs, live: LiveGraphs, kinds: OperationKinds) -> CellGraphs:
    """Returns cells [M] whose dead operations let nothing through, where a space has such."""
    if not kinds.blocks:
        return cells
    dead = (live.ops == PADDING_OP) & np.isin(cells.ops, kinds.interior)
    ops = np.where(dead, kinds.blocks[0], cells.ops).astype(np.int8)
    return CellGraphs(cells.adjacency, ops, cells.num_nodes, cells.identity)


class PathStatistics(NamedTuple):
    """Of the paths of cells, float64 [M] each: how many, and most, least and mean of a sum."""

    count: np.ndarray
    most: np.ndarray
    least: np.ndarray
    mean: np.ndarray


def path_statistics(live: LiveGraphs, weights: np.ndarray) -> PathStatistics:
    """Sums up what the nodes of every path weigh, without listing paths.

    Args:
        live: M cells.
        weights: [M, N], of nodes.
    """
    weights = np.asarray(weights, np.float64)
    count = live.begins.astype(np.float64)
    most, least = (np.where(live.begins, weights, none) for none in (-np.inf, np.inf))
    total = np.where(live.begins, weights, 0.0)
    for node in range(1, weights.shape[1]):
        edges, own = live.edges[:, :, node], weights[:, node]
        entering = (count * edges).sum(axis=1)
        count[:, node] += entering
        total[:, node] += (total * edges).sum(axis=1) + own * entering
        highest = np.where(edges, most, -np.inf).max(axis=1) + own
        lowest = np.where(edges, least, np.inf).min(axis=1) + own
        most[:, node] = np.maximum(most[:, node], highest)
        least[:, node] = np.minimum(least[:, node], lowest)
    paths = (count * live.ends).sum(axis=1)
    known = paths > 0
    sums = (total * live.ends).sum(axis=1)
    return PathStatistics(
        paths,
        np.where(known, np.where(live.ends, most, -np.inf).max(axis=1), 0.0),
        np.where(known, np.where(live.ends, least, np.inf).min(axis=1), 0.0),
        sums / np.maximum(paths, 1.0),
    )
