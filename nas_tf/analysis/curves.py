"""From a study's trace to its curves: incumbents, regret, against queries and against cost.

The incumbent after q queries is the cell with the highest validation accuracy among the first q
(the first of equals); its test accuracy is what the study reports. Test regret is the best mean
test accuracy in the table minus the incumbent's (Ying et al., 2019, arXiv:1902.09635).

A run that ended early (cost budget) keeps its last incumbent. A run that has seen no feasible cell
yet has none: NaN, left out of means and quantiles.

Shapes: R runs, Q queries, G points of a cost grid.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from nas_tf.analysis.spread import spread
from nas_tf.core import DataError, History

_TRACE_ARRAYS = ("key", "validation_accuracy", "test_accuracy", "cost_sec")
_FIRST_COUNTS = (1, 2, 5, 10, 20, 50, 100, 150, 192)


@dataclass(frozen=True, eq=False)
class StudyCurves:
    """The incumbents of R runs after each of Q queries.

    Attributes:
        validation_accuracy: of the incumbent, float64 [R, Q], in [0, 1], NaN before the first
            feasible cell.
        test_accuracy: of the incumbent, float64 [R, Q], likewise.
        test_regret: float64 [R, Q].
        elapsed_sec: evaluation cost spent up to and with each query, float64 [R, Q]; constant after
            the end of a run.
        best_test_accuracy: the table's best mean test accuracy, or NaN where unknown.
    """

    validation_accuracy: np.ndarray
    test_accuracy: np.ndarray
    test_regret: np.ndarray
    elapsed_sec: np.ndarray
    best_test_accuracy: float

    @property
    def num_runs(self) -> int:
        return self.test_accuracy.shape[0]

    @property
    def num_queries(self) -> int:
        return self.test_accuracy.shape[1]


@dataclass(frozen=True, eq=False)
class Band:
    """A curve over runs: its mean and its spread at each of G points, float64 [G] each.

    Attributes:
        mean: over the runs that have a value.
        std: the sample's standard deviation over those runs (n - 1); NaN for one run.
        standard_error: of the mean: `std` over the root of n; 0 for one run.
        lower: 25 % quantile.
        upper: 75 % quantile.
        num_runs: how many runs have a value, int64 [G].
    """

    mean: np.ndarray
    std: np.ndarray
    standard_error: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    num_runs: np.ndarray


def study_curves(history: History, *, best_test_accuracy: float = np.nan) -> StudyCurves:
    """Returns the curves of a study.

    Args:
        history: every query of R runs, [R, Q]; accuracies NaN where infeasible or after a run's
            end.
        best_test_accuracy: the table's best mean test accuracy; without it regrets are NaN.

    Returns:
        The curves.

    Raises:
        DataError: the arrays differ in shape or are not [R, Q] with R, Q >= 1.
    """
    shapes = [np.shape(getattr(history, name)) for name in _TRACE_ARRAYS]
    if len(set(shapes)) > 1 or len(shapes[0]) != 2 or 0 in shapes[0]:
        found = ", ".join(f"{name} {shape}" for name, shape in zip(_TRACE_ARRAYS, shapes))
        raise DataError(f"trace: expected arrays of one shape [runs, queries], got {found}")
    index = history.incumbent()
    test_accuracy = np.take_along_axis(np.asarray(history.test_accuracy, np.float64), index, axis=1)
    validation = np.asarray(history.validation_accuracy, np.float64)
    return StudyCurves(
        validation_accuracy=np.take_along_axis(validation, index, axis=1),
        test_accuracy=test_accuracy,
        test_regret=best_test_accuracy - test_accuracy,
        elapsed_sec=np.cumsum(np.nan_to_num(np.asarray(history.cost_sec, np.float64)), axis=1),
        best_test_accuracy=float(best_test_accuracy),
    )


def query_counts(num_queries: int) -> np.ndarray:
    """Returns the query counts that reports show, up to a budget and with it.

    Args:
        num_queries: the budget Q.

    Returns:
        int64: those of 1, 2, 5, 10, 20, 50, 100, 150, 192, 200, 300, 400, ... not above Q, and Q.
    """
    counts = (*_FIRST_COUNTS, *range(200, num_queries + 1, 100), num_queries)
    return np.unique([count for count in counts if 1 <= count <= num_queries]).astype(np.int64)


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
    if not started.any():
        return np.empty(0)
    first = np.argmax(feasible, axis=1)[started]
    elapsed = curves.elapsed_sec[started]
    start = elapsed[np.arange(len(elapsed)), first].max()
    end = np.median(elapsed[:, -1])
    if end <= 0.0:
        return np.empty(0)
    if start <= 0.0:
        start = elapsed[elapsed > 0.0].min()
    if start >= end:
        return np.array([start])
    return np.geomspace(start, end, points)


def at_costs(elapsed_sec: np.ndarray, values: np.ndarray, *, grid_sec: np.ndarray) -> np.ndarray:
    """Returns what each run had after spending a given cost (steps, no interpolation).

    Args:
        elapsed_sec: float [R, Q], non-decreasing along Q.
        values: a curve of the incumbents, float [R, Q].
        grid_sec: seconds, float [G].

    Returns:
        float64 [R, G]: the value after the last query finished by then; NaN before the first.
    """
    result = np.full((len(values), len(grid_sec)), np.nan)
    for run, (elapsed, curve) in enumerate(zip(elapsed_sec, values)):
        finished = np.searchsorted(elapsed, grid_sec, side="right")
        result[run] = np.where(finished > 0, curve[np.maximum(finished - 1, 0)], np.nan)
    return result


def band(values: np.ndarray) -> Band:
    """Returns mean and spread over runs.

    Args:
        values: float [R, G]; NaN where a run has no value.

    Returns:
        The band; NaN at points where no run has a value.
    """
    values = np.asarray(values, dtype=np.float64)
    found = spread(values)
    everywhere = np.all(found.count == len(values))
    with warnings.catch_warnings():  # "mean of empty slice": NaN is the answer wanted there
        warnings.simplefilter("ignore", category=RuntimeWarning)
        quantiles = np.quantile if everywhere else np.nanquantile
        lower, upper = quantiles(values, [0.25, 0.75], axis=0)
    error = np.where(found.count == 1, 0.0, found.std / np.sqrt(np.maximum(found.count, 1)))
    return Band(found.mean, found.std, error, lower, upper, found.count)
