"""The best cells a study found: which, how good, by how many runs."""

import dataclasses

import numpy as np

from nas_tf.analysis.drawing import CellPicture
from nas_tf.core import DataError, History
from nas_tf.graphs import CellGraphs, find


@dataclasses.dataclass(frozen=True)
class BestCell:
    """A cell found by a study.

    Attributes:
        key: isomorphism-invariant key.
        validation_accuracy: mean over the runs that queried it of what each saw first, in [0, 1].
        test_accuracy: likewise.
        num_runs: how many runs queried it.
        num_incumbent: how many runs ended with it as their incumbent.
    """

    key: int
    validation_accuracy: float
    test_accuracy: float
    num_runs: int
    num_incumbent: int


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
    run, query = np.nonzero(~np.isnan(history.validation_accuracy))
    if not len(run):
        return []
    keys, group = np.unique(history.key[run, query], return_inverse=True)
    _, first = np.unique(run * len(keys) + group, return_index=True)
    run, query, group = run[first], query[first], group[first]
    runs = np.bincount(group, minlength=len(keys))
    validation, test = (
        np.bincount(group, weights=values[run, query], minlength=len(keys)) / runs
        for values in (history.validation_accuracy, history.test_accuracy)
    )
    final = np.take_along_axis(history.key, history.incumbent()[:, -1:], axis=1)[:, 0]
    final = final[~np.isnan(history.validation_accuracy).all(axis=1)]
    order = np.lexsort((keys, -runs, -validation))[:count]
    return [
        BestCell(
            key=int(keys[i]),
            validation_accuracy=float(validation[i]),
            test_accuracy=float(test[i]),
            num_runs=int(runs[i]),
            num_incumbent=int(np.count_nonzero(final == keys[i])),
        )
        for i in order
    ]


def cell_pictures(
    best: list[BestCell], cells: CellGraphs, *, op_names: tuple[str, ...], num_runs: int
) -> list[CellPicture]:
    """Returns the drawings of cells, with their accuracies as captions.

    Args:
        best: the cells.
        cells: a batch [M] that holds them, such as the table's.
        op_names: names of the operation codes.
        num_runs: R, for the captions.

    Returns:
        One picture a cell.

    Raises:
        DataError: a cell is not among `cells`.
    """
    keys = np.array([cell.key for cell in best], dtype=np.uint64)
    positions, found = find(keys, cells.keys)
    if not found.all():
        missing = int(keys[~found][0])
        raise DataError(f"best cells: key {missing:#018x} is not among {len(cells)} cells given")
    pictures = []
    for rank, (cell, position) in enumerate(zip(best, positions), start=1):
        matrix, ops = cells.matrix(int(position))
        validation, test = 100 * cell.validation_accuracy, 100 * cell.test_accuracy
        caption = (
            f"validation {validation:.2f} %, test {test:.2f} %\n"
            f"queried by {cell.num_runs} of {num_runs} runs"
        )
        names = [op_names[code] for code in ops]
        pictures.append(CellPicture(matrix, names, caption, title=f"Cell {rank}"))
    return pictures
