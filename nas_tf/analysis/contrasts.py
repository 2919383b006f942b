"""Tests of studies against a reference: is a difference more than the luck of the runs?

Final accuracies of searches are skewed, bounded by the optimum and full of ties, so ranks are
tested, not means. Two studies with the same seeds are paired run by run (Wilcoxon's signed-rank
test with zeros ranked as Pratt does, 1959); other two are independent samples (Mann and Whitney's U
test). All p-values against one reference are adjusted together (Holm, 1979).

Runs of one pre-trained model are not independent of the model. Where a study has several, the
interval is that of its models' means; test and probability are of all runs, given these models.

Beside a p-value, which becomes small for any difference if runs are many, stand two sizes: the
difference of means with its 95 % confidence interval, and the probability of superiority (Vargha
and Delaney's A, 2000).

Shapes: R, S runs of two studies.
"""

import dataclasses
import warnings
from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy import stats

from nas_tf.analysis.spread import by_model, model_means

WILCOXON = "Wilcoxon signed-rank test"
MANN_WHITNEY = "Mann-Whitney U test"
_LEVEL = 0.95  # of confidence


@dataclasses.dataclass(frozen=True)
class Contrast:
    """A study against a reference; NaN for a single run, which is not tested."""

    difference: float  # of the means, the study's minus the reference's
    superiority: float  # probability that a run of the study is better: 0.5 is no difference
    low: float = float("nan")  # end of the difference's 95 % confidence interval
    high: float = float("nan")
    p_value: float = float("nan")  # two-sided
    adjusted_p: float = float("nan")  # after Holm's correction for all contrasts
    test: str = ""  # its name


def contrasts(
    values: Sequence[np.ndarray],
    reference: int,
    seeds: Sequence[Sequence[int]],
    models: Sequence[np.ndarray] | None = None,
) -> list[Contrast | None]:
    """Compares studies with one of them.

    Args:
        values: a study's final accuracies, float [R], NaN for a run without any, which is left out
            (in a paired test with its partner).
        reference: index of the study the others are compared with.
        seeds: of the studies' runs; two studies are paired if these are the same and neither has
            several models.
        models: of the studies' runs, int [R] each, 0 to K - 1; one model a study when None.

    Returns:
        One contrast a study; None for the reference and where a study has no accuracy at all.
    """
    models = models or [np.zeros(len(study), np.int64) for study in values]
    runs = list(zip(values, models, map(tuple, seeds)))
    found = [
        None if index == reference else _contrast(*study, *runs[reference])
        for index, study in enumerate(runs)
    ]
    tested = [contrast for contrast in found if contrast and contrast.test]
    adjusted = iter(holm(np.array([contrast.p_value for contrast in tested])).tolist())
    return [
        dataclasses.replace(contrast, adjusted_p=next(adjusted))
        if contrast and contrast.test else contrast
        for contrast in found
    ]


def holm(p_values: np.ndarray) -> np.ndarray:
    """Returns p-values [M], adjusted for testing all of them by Holm's step-down method.

    Rejecting what is below a level keeps the chance of any false rejection below that level.
    """
    order = np.argsort(p_values)
    steps = np.asarray(p_values, np.float64)[order] * np.arange(len(order), 0, -1)
    return np.minimum(np.maximum.accumulate(steps), 1.0)[np.argsort(order)]


def superiority(study: np.ndarray, reference: np.ndarray) -> float:
    """Returns the share of all pairs of runs [R] x [S] in which the study's is better.

    A tie counts half.
    """
    wins = stats.mannwhitneyu(study, reference, method="asymptotic").statistic
    return float(wins / (len(study) * len(reference)))


def _contrast(
    study: np.ndarray, models: np.ndarray, seeds: tuple[int, ...],
    reference: np.ndarray, reference_models: np.ndarray, reference_seeds: tuple[int, ...],
) -> Contrast | None:
    """Returns the contrast of a study with a reference, None where one has no accuracy."""
    several = models.any() or reference_models.any()
    known, reference_known = np.isfinite(study), np.isfinite(reference)
    if paired := seeds == reference_seeds and not several:
        known = reference_known = known & reference_known
    study, models = study[known], models[known]
    reference, reference_models = reference[reference_known], reference_models[reference_known]
    if not (len(study) and len(reference)):
        return None
    difference = float(study.mean() - reference.mean())
    found = Contrast(difference, superiority(study, reference))
    if min(len(study), len(reference)) < 2:
        return found
    low, high = _interval(study, reference, paired)
    if several:
        samples = _independent(study, models), _independent(reference, reference_models)
        low, high = _interval(*samples, paired=False)
        # Centred on the difference of all runs, where models have different numbers of them.
        shift = difference - (samples[0].mean() - samples[1].mean())
        low, high = low + float(shift), high + float(shift)
    test = WILCOXON if paired else MANN_WHITNEY
    p_value = _p_value(study, reference, paired)
    return dataclasses.replace(found, low=low, high=high, p_value=p_value, test=test)


def _independent(values: np.ndarray, models: np.ndarray) -> np.ndarray:
    """Returns the means of several models, or the runs of one."""
    means = model_means(by_model(values, models))
    means = means[np.isfinite(means)]
    return means if len(means) > 1 else values


def _p_value(study: np.ndarray, reference: np.ndarray, paired: bool) -> float:
    if not paired:
        return float(stats.mannwhitneyu(study, reference).pvalue)
    if np.array_equal(study, reference):
        return 1.0
    return float(stats.wilcoxon(study, reference, zero_method="pratt").pvalue)


def _interval(study: np.ndarray, reference: np.ndarray, paired: bool) -> tuple[float, float]:
    """Returns the confidence interval of the difference of means (Student's t, or Welch's)."""
    test = stats.ttest_rel if paired else partial(stats.ttest_ind, equal_var=False)
    with warnings.catch_warnings():  # equal values: the interval is one point, or not known
        warnings.simplefilter("ignore", category=RuntimeWarning)
        low, high = test(study, reference).confidence_interval(_LEVEL)
    return float(low), float(high)
