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

import numpy as np
from scipy import stats

from nas_tf.analysis.spread import by_model, model_means

WILCOXON = "Wilcoxon signed-rank test"
MANN_WHITNEY = "Mann-Whitney U test"
_LEVEL = 0.95  # of confidence


@dataclasses.dataclass(frozen=True)
class Contrast:
    """A study against a reference.

    Attributes:
        difference: of the means, the study's minus the reference's.
        low: lower end of the difference's 95 % confidence interval; NaN for a single run.
        high: its upper end, likewise.
        superiority: probability that a run of the study is better than one of the reference, a tie
            counting half: 0.5 is no difference.
        p_value: of the test, two-sided; NaN where it was not tested.
        adjusted_p: after Holm's correction for all contrasts with the reference; NaN likewise.
        test: name of the test; "" where a study has fewer than two runs.
    """

    difference: float
    low: float
    high: float
    superiority: float
    p_value: float
    adjusted_p: float
    test: str


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
    if models is None:
        models = [np.zeros(len(study), np.int64) for study in values]
    several = [bool(np.any(own)) for own in models]
    found = []
    for index, study in enumerate(values):
        same = tuple(seeds[index]) == tuple(seeds[reference])
        paired = same and not several[index] and not several[reference]
        contrast = None if index == reference else _contrast(study, values[reference], paired)
        if contrast and contrast.test and (several[index] or several[reference]):
            ends = _interval_of_models(
                contrast.difference, (study, models[index]), (values[reference], models[reference])
            )
            contrast = dataclasses.replace(contrast, low=ends[0], high=ends[1])
        found.append(contrast)
    tested = [contrast for contrast in found if contrast and contrast.test]
    adjusted = iter(holm(np.array([contrast.p_value for contrast in tested])))
    return [
        dataclasses.replace(contrast, adjusted_p=float(next(adjusted)))
        if contrast and contrast.test
        else contrast
        for contrast in found
    ]


def holm(p_values: np.ndarray) -> np.ndarray:
    """Returns p-values adjusted for testing all of them, by Holm's step-down method.

    Args:
        p_values: float [M].

    Returns:
        float64 [M]: rejecting what is below a level keeps the chance of any false rejection below
        that level.
    """
    order = np.argsort(p_values)
    steps = np.asarray(p_values, np.float64)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def superiority(study: np.ndarray, reference: np.ndarray) -> float:
    """Returns the share of all pairs of runs in which the study's is better, ties counting half.

    Args:
        study: float [R].
        reference: float [S].
    """
    ranks = stats.rankdata(np.concatenate([study, reference]))[: len(study)].sum()
    wins = ranks - len(study) * (len(study) + 1) / 2
    return float(wins / (len(study) * len(reference)))


def _contrast(study: np.ndarray, reference: np.ndarray, paired: bool) -> Contrast | None:
    if paired:
        both = np.isfinite(study) & np.isfinite(reference)
        study, reference = study[both], reference[both]
    study, reference = study[np.isfinite(study)], reference[np.isfinite(reference)]
    if not (len(study) and len(reference)):
        return None
    difference = float(study.mean() - reference.mean())
    low = high = p_value = float("nan")
    test = ""
    if min(len(study), len(reference)) > 1:
        low, high = _interval(study, reference, paired)
        test = WILCOXON if paired else MANN_WHITNEY
        p_value = _p_value(study, reference, paired)
    above = superiority(study, reference)
    return Contrast(difference, low, high, above, p_value, float("nan"), test)


def _p_value(study: np.ndarray, reference: np.ndarray, paired: bool) -> float:
    if paired and np.array_equal(study, reference):
        return 1.0
    if paired:
        return float(stats.wilcoxon(study, reference, zero_method="pratt").pvalue)
    return float(stats.mannwhitneyu(study, reference).pvalue)


def _interval(study: np.ndarray, reference: np.ndarray, paired: bool) -> tuple[float, float]:
    """Returns the confidence interval of the difference of means (Student's t, or Welch's)."""
    with warnings.catch_warnings():  # equal values: the interval is one point, or not known
        warnings.simplefilter("ignore", category=RuntimeWarning)
        if paired:
            result = stats.ttest_rel(study, reference)
        else:
            result = stats.ttest_ind(study, reference, equal_var=False)
        low, high = result.confidence_interval(_LEVEL)
    return float(low), float(high)


def _interval_of_models(
    difference: float, *samples: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float]:
    """Returns the confidence interval of the difference of two studies' means (Welch's).

    What is independent is a model where a study has several, else a run.

    Args:
        difference: of the means.
        samples: of the study and of the reference: values [R] and the models of the runs [R].
    """
    errors, freedoms = [], []
    for values, models in samples:
        known = np.isfinite(values)
        groups = by_model(values[known], models[known])
        independent = model_means(groups) if len(groups) > 1 else values[known]
        independent = independent[np.isfinite(independent)]
        if len(independent) < 2:
            return float("nan"), float("nan")
        errors.append(independent.var(ddof=1) / len(independent))
        freedoms.append(len(independent) - 1)
    error, parts = sum(errors), sum(e**2 / f for e, f in zip(errors, freedoms))
    if not parts:
        return difference, difference
    half = float(stats.t.ppf((1 + _LEVEL) / 2, error**2 / parts) * np.sqrt(error))
    return difference - half, difference + half
