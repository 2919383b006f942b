"""Tests of nas_tf.analysis.contrasts, with values worked by hand."""

import numpy as np
import pytest
from scipy import stats

from nas_tf.analysis import contrasts as statistics

NAN = np.nan


def test_holm_by_hand():
    adjusted = statistics.holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02])
    assert statistics.holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert statistics.holm(np.array([])).tolist() == []


def test_superiority_counts_ties_half():
    assert statistics.superiority(np.array([2.0, 3.0]), np.array([1.0, 2.0])) == 3.5 / 4
    assert statistics.superiority(np.array([1.0]), np.array([1.0, 1.0])) == 0.5
    assert statistics.superiority(np.array([1.0]), np.array([2.0, 3.0, 0.0])) == 1 / 3


def test_same_seeds_are_paired():
    """All of six pairs differ one way: of the 2^6 signs, two are as extreme."""
    reference = np.array([0.9, 0.8, 0.85, 0.7, 0.75, 0.6])
    study = reference - np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    none, contrast = statistics.contrasts([reference, study], 0, [range(6), range(6)])
    assert none is None
    assert contrast.test == statistics.WILCOXON
    assert contrast.p_value == contrast.adjusted_p == pytest.approx(2 / 64)
    assert contrast.difference == pytest.approx(-0.035)
    half = stats.t.ppf(0.975, 5) * np.sqrt(0.00035 / 6)  # variance of 1..6 hundredths: 3.5e-4
    assert (contrast.low, contrast.high) == pytest.approx((-0.035 - half, -0.035 + half))


def test_other_seeds_are_independent():
    """Three below three: of the 20 ways to mix them, two are as extreme."""
    values = [np.array([0.7, 0.8, 0.9]), np.array([0.4, 0.5, 0.6])]
    contrast, none = statistics.contrasts(values, 1, [range(3), range(1, 4)])
    assert none is None
    assert contrast.test == statistics.MANN_WHITNEY
    assert contrast.p_value == pytest.approx(2 / 20)
    assert contrast.superiority == 1.0


def test_intervals_are_of_the_means_of_models_where_there_are_several():
    """Four runs of two models against four of one: Welch's t of (0.7, 0.8) and all four."""
    study, reference = np.array([0.6, 0.8, 0.75, 0.85]), np.array([0.5, 0.6, 0.5, 0.6])
    models = [np.array([0, 0, 1, 1]), np.zeros(4, int)]
    contrast, _ = statistics.contrasts([study, reference], 1, [range(4)] * 2, models)
    assert contrast.test == statistics.MANN_WHITNEY  # never paired
    expected = stats.ttest_ind([0.7, 0.8], reference, equal_var=False).confidence_interval(0.95)
    assert (contrast.low, contrast.high) == pytest.approx(tuple(expected))


def test_p_values_are_adjusted_together():
    rng = np.random.default_rng(0)
    values = [rng.normal(mean, 1.0, 30) for mean in (0.0, 0.4, 0.8, 0.1)]
    found = statistics.contrasts(values, 0, [range(30)] * 4)[1:]
    raw = np.array([contrast.p_value for contrast in found])
    np.testing.assert_allclose([c.adjusted_p for c in found], statistics.holm(raw))


@pytest.mark.filterwarnings("error")
def test_equal_studies_do_not_differ():
    values = [np.array([0.5, 0.6, 0.7]), np.array([0.5, 0.6, 0.7])]
    for seeds in ([range(3), range(3)], [range(3), range(3, 6)]):
        contrast = statistics.contrasts(values, 0, seeds)[1]
        assert contrast.p_value == 1.0
        assert (contrast.difference, contrast.superiority) == (0.0, 0.5)


@pytest.mark.filterwarnings("error")
def test_all_runs_at_the_optimum_can_be_compared():
    """Ties throughout, as where every run finds the best cell."""
    values = [np.full(20, 0.9), np.full(20, 0.9), np.full(20, 0.8)]
    for seeds in ([range(20)] * 3, [range(20), range(20, 40), range(40, 60)]):
        _, same, worse = statistics.contrasts(values, 0, seeds)
        assert same.adjusted_p == 1.0
        assert worse.adjusted_p < 1e-4
        assert worse.superiority == 0.0


@pytest.mark.filterwarnings("error")
def test_runs_without_accuracy_are_left_out_with_their_partner():
    reference = np.array([0.9, 0.8, NAN, 0.7])
    study = np.array([0.8, NAN, 0.1, 0.6])
    contrast = statistics.contrasts([reference, study], 0, [range(4)] * 2)[1]
    assert contrast.difference == pytest.approx(-0.1)
    alone = statistics.contrasts([reference, np.full(4, NAN)], 0, [range(4)] * 2)
    assert alone == [None, None]


@pytest.mark.filterwarnings("error")
def test_one_run_is_not_tested():
    contrast = statistics.contrasts([np.array([0.9]), np.array([0.8])], 0, [range(1)] * 2)[1]
    assert contrast.test == ""
    assert np.isnan([contrast.p_value, contrast.adjusted_p, contrast.low, contrast.high]).all()
    assert contrast.difference == pytest.approx(-0.1)


def test_false_positives_are_as_rare_as_promised():
    """300 comparisons of equal, tied samples: about 5 % are below 0.05."""
    rng = np.random.default_rng(1)
    samples = rng.integers(0, 5, (300, 2, 40)) / 10
    for seeds in ([range(40)] * 2, [range(40), range(40, 80)]):
        p_values = [statistics.contrasts(list(pair), 0, seeds)[1].p_value for pair in samples]
        assert 0.01 < np.mean(np.array(p_values) < 0.05) < 0.10
