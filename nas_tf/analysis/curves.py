"""From a study's trace to its curves: incumbents, regret, against queries and against cost.

The incumbent after q queries is the cell with the highest validation accuracy among the first q
(the first of equals); its test accuracy is what the study reports. Test regret is the best mean
test accuracy in the table minus the incumbent's (Ying et al., 2019, arXiv:1902.09635). Where a table has
no test accuracy, regret is of what searches saw: the highest validation accuracy minus the
incumbent's.

A run that ended early (cost budget) keeps its last incumbent. A run that has seen no feasible cell
yet has none: NaN, left out of means and quantiles.

Shapes: R runs, Q queries, G points of a cost grid.
"""

from dataclasses import dataclass

import numpy as np

from nas_tf.core import DataError, History

_TRACE_ARRAYS = ("key", "validation_accuracy", "test_accuracy", "cost_sec")
_FIRST_COUNTS = (1, 2, 5, 10, 20, 50, 100, 150, 192)


@dataclass(frozen=True, eq=False)
class StudyCurves:
    """The incumbents of R runs after each of Q queries: float64 [R, Q], in [0, 1].

    Accuracies and regret are NaN before a run's first feasible cell.
    """

    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    test_regret: np.ndarray
    elapsed_sec: np.ndarray  # evaluation cost up to and with each query; constant after the end
    best_test_accuracy: float  # the table's best mean test accuracy, or NaN where unknown
    best_validation_accuracy: float = np.nan  # that can be seen; NaN where it is of no use

    @property
    def num_runs(self) -> int:
        return self.test_accuracy.shape[0]

    @property
    def num_queries(self) -> int:
        return self.test_accuracy.shape[1]

    @property
    def tested(self) -> bool:
        """Whether there is any test accuracy."""
        return bool(np.isfinite(self.best_test_accuracy) or np.isfinite(self.test_accuracy).any())

    @property
    def accuracy(self) -> str:
        """The name of the accuracy that studies are judged by."""
        return "test_accuracy" if self.tested else "validation_accuracy"

    @property
    def regret(self) -> str | None:
        """The name of the regret that is known; None where none is."""
        if np.isfinite(self.best_test_accuracy):
            return "test_regret"
        known = not self.tested and np.isfinite(self.best_validation_accuracy)
        return "validation_regret" if known else None

    @property
    def validation_regret(self) -> np.ndarray:
        """float64 [R, Q], NaN where the best validation accuracy is not known."""
        return self.best_validation_accuracy - self.validation_accuracy


def study_curves(
    history: History,
    *,
    best_test_accuracy: float | None = np.nan,
    best_validation_accuracy: float | None = np.nan,
) -> StudyCurves:
    """Returns the curves of a study.

    Args:
        history: every query of R runs, [R, Q]; accuracies NaN where infeasible or after a run's
            end.
        best_test_accuracy: the table's best mean test accuracy; without it (None or NaN) regrets
            are NaN.
        best_validation_accuracy: the highest validation accuracy that a search can see, likewise.

    Raises:
        DataError: the arrays differ in shape or are not [R, Q] with R, Q >= 1.
    """
    shapes = [np.shape(getattr(history, name)) for name in _TRACE_ARRAYS]
    if len(set(shapes)) > 1 or len(shapes[0]) != 2 or 0 in shapes[0]:
        found = ", ".join(f"{name} {shape}" for name, shape in zip(_TRACE_ARRAYS, shapes))
        raise DataError(f"trace: expected arrays of one shape [runs, queries], got {found}")
    best_test, best_validation = (
        np.nan if best is None else float(best)
        for best in (best_test_accuracy, best_validation_accuracy)
    )
    index = history.incumbent()
    test_accuracy = np.take_along_axis(np.asarray(history.test_accuracy, np.float64), index, axis=1)
    validation = np.asarray(history.validation_accuracy, np.float64)
    return StudyCurves(
        validation_accuracy=np.take_along_axis(validation, index, axis=1),
        test_accuracy=test_accuracy,
        test_regret=best_test - test_accuracy,
        elapsed_sec=np.cumsum(np.nan_to_num(np.asarray(history.cost_sec, np.float64)), axis=1),
        best_test_accuracy=best_test,
        best_validation_accuracy=best_validation,
    )


def query_counts(num_queries: int) -> np.ndarray:
    """Returns the query counts that reports show, int64, up to a budget and with it.

    They are 1, 2, 5, 10, 20, 50, 100, 150, 192, 200, 300, 400, ..., and the budget.
    """
    counts = np.unique([*_FIRST_COUNTS, *range(200, num_queries, 100), num_queries])
    return counts[counts <= num_queries]


def cost_grid(curves: StudyCurves, *, points: int = 200) -> np.ndarray:
    """Returns the costs at which runs are compared, evenly spaced on a log axis.

    It starts where the last run has found its first feasible cell (so that every run is in every
    mean) and ends at the median of the runs' total costs.

    Args:
        curves: of a study.
        points: how many, at most.

    Returns:
        float64 [G], increasing seconds; empty when no run has spent any cost on a feasible cell.
    """
    feasible = ~np.isnan(curves.validation_accuracy)
    started = feasible.any(axis=1)
    elapsed, first = curves.elapsed_sec[started], feasible[started].argmax(axis=1)
    if not started.any() or np.median(elapsed[:, -1]) <= 0.0:
        return np.empty(0)
    end = np.median(elapsed[:, -1])
    start = np.take_along_axis(elapsed, first[:, None], axis=1).max()
    start = start if start > 0.0 else elapsed[elapsed > 0.0].min()
    return np.geomspace(start, end, points) if start < end else np.array([start])


def at_costs(elapsed_sec: np.ndarray, values: np.ndarray, *, grid_sec: np.ndarray) -> np.ndarray:
    """Returns what each run had after spending a given cost (steps, no interpolation).

    Args:
        elapsed_sec: float [R, Q], non-decreasing along Q.
        values: a curve of the incumbents, float [R, Q].
        grid_sec: seconds, float [G].

    Returns:
        float64 [R, G]: the value after the last query finished by then; NaN before the first.
    """
    padded = np.pad(np.asarray(values, np.float64), ((0, 0), (1, 0)), constant_values=np.nan)
    return np.stack([
        curve[np.searchsorted(elapsed, grid_sec, side="right")]
        for elapsed, curve in zip(elapsed_sec, padded)
    ])
