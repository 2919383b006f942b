"""The cells a study saw, and the best of them: which, how good, by how many runs."""

import dataclasses
from typing import NamedTuple

import numpy as np

from nas_tf.analysis.drawing import CellPicture
from nas_tf.core import DataError, History
from nas_tf.graphs import CellGraphs, find


@dataclasses.dataclass(frozen=True)
class BestCell:
    """A cell found by a study; accuracies are means over runs of what each saw first."""

    key: int  # isomorphism-invariant
    validation_accuracy: float  # in [0, 1]
    test_accuracy: float
    num_runs: int  # how many queried it
    num_incumbent: int  # how many ended with it as their incumbent


class CellsSeen(NamedTuple):
    """The distinct cells with an accuracy of a study, by ascending keys; K of them.

    Attributes:
        key: uint64 [K].
        validation_accuracy: float64 [K], mean over runs of what each saw first.
        test_accuracy: float64 [K], likewise.
        num_runs: int64 [K], how many queried it.
    """

    key: np.ndarray
    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    num_runs: np.ndarray


def cells_seen(history: History) -> CellsSeen:
    """Returns the distinct feasible cells of a study, [R, Q] queries."""
    run, query = np.nonzero(~np.isnan(history.validation_accuracy))
    keys, group = np.unique(history.key[run, query], return_inverse=True)
    _, first = np.unique(run * len(keys) + group, return_index=True)
    run, query, group = run[first], query[first], group[first]
    num_runs = np.bincount(group, minlength=len(keys))
    accuracies = (
        np.bincount(group, values[run, query], len(keys)) / num_runs
        for values in (history.validation_accuracy, history.test_accuracy)
    )
    return CellsSeen(keys, *accuracies, num_runs)


def best_cells(history: History, *, count: int = 3) -> list[BestCell]:
    """Returns the distinct cells of highest validation accuracy over all runs.

    Where runs saw different repeats of a cell, their mean decides. Equals are ordered by how many
    runs found them, then by key.

    Args:
        history: every query, [R, Q].
        count: how many, at most.

    Returns:
        The cells, the best first; fewer where fewer were feasible.
    """
    keys, validation, test, num_runs = cells_seen(history)
    found = ~np.isnan(history.validation_accuracy).all(axis=1)
    final = history.key[np.arange(len(history.key)), history.incumbent()[:, -1]][found]
    columns = (keys, validation, test, num_runs, (final == keys[:, None]).sum(axis=1))
    order = np.lexsort((keys, -num_runs, -validation))[:count]
    return [BestCell(*cell) for cell in zip(*(column[order].tolist() for column in columns))]


def cell_pictures(
    best: list[BestCell], cells: CellGraphs, *, op_names: tuple[str, ...], num_runs: int
) -> list[CellPicture]:
    """Returns the drawings of cells, with their accuracies as captions.

    Args:
        best: the cells.
        cells: a batch [M] that holds them, such as the table's.
        op_names: names of the operation codes.
        num_runs: R, for the captions.

    Raises:
        DataError: a cell is not among `cells`.
    """
    keys = np.array([cell.key for cell in best], dtype=np.uint64)
    positions, found = find(keys, cells.keys)
    if not found.all():
        missing = int(keys[~found][0])
        raise DataError(f"best cells: key {missing:#018x} is not among {len(cells)} cells given")
    pictures = []
    for rank, (cell, position) in enumerate(zip(best, positions.tolist()), start=1):
        matrix, ops = cells.matrix(position)
        known = np.isfinite(cell.test_accuracy)
        accuracies = [f"validation {cell.validation_accuracy:.2%}"]
        accuracies += [f"test {cell.test_accuracy:.2%}"] if known else []
        caption = ", ".join(accuracies).replace("%", " %")
        caption += f"\nqueried by {cell.num_runs} of {num_runs} runs"
        names = [op_names[code] for code in ops]
        pictures.append(CellPicture(matrix, names, caption, title=f"Cell {rank}"))
    return pictures
