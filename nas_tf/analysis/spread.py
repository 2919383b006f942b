"""Mean and spread of a sample: the one place where either is computed.

A standard deviation is the sample's (divided by n - 1), in summaries, tables and figures alike. One
value has none: NaN here, null in JSON, a dash in text.

Shapes: R runs, G points of a curve, K models.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Spread:
    """Of R values at each of G points; [G] each."""

    mean: np.ndarray  # float64, of what is a number; NaN where nothing is
    std: np.ndarray  # float64, the sample's (n - 1); NaN where fewer than two are numbers
    count: np.ndarray  # int64, how many are numbers


def spread(values: np.ndarray) -> Spread:
    """Returns mean and spread over the first axis of [R, ...], without what is not finite."""
    values = np.asarray(values, np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    with warnings.catch_warnings():  # "mean of empty slice": NaN is the answer wanted there
        warnings.simplefilter("ignore", category=RuntimeWarning)
        mean, std = np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)
    return Spread(mean, std, np.sum(~np.isnan(values), axis=0))


def pooled_std(groups: Sequence[np.ndarray]) -> float:
    """Returns the standard deviation within groups, weighted by their degrees of freedom.

    Args:
        groups: float [R_k] each; what is not finite is left out.

    Returns:
        sqrt(sum (n_k - 1) s_k^2 / sum (n_k - 1)); NaN where no group has two values.
    """
    found = [spread(values) for values in groups]
    found = [group for group in found if group.count > 1]
    freedom = sum(int(group.count) - 1 for group in found)
    if not freedom:
        return float("nan")
    return float(np.sqrt(sum((group.count - 1) * group.std**2 for group in found) / freedom))


def by_model(values: np.ndarray, models: np.ndarray) -> list[np.ndarray]:
    """Returns the values of runs [R] of each of K models; `models` is int [R] below K."""
    return [values[models == model] for model in range(int(models.max()) + 1)]


def model_means(groups: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the mean of every group, float64 [K]; NaN where a group has no number."""
    return np.array([float(spread(values).mean) for values in groups])
