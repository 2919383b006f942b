"""Tests of nas_tf.analysis.curves, with values worked by hand."""

import numpy as np
import pytest

from nas_tf.analysis import curves
from nas_tf.core import DataError, History

NAN = np.nan


def _history(validation, test, cost):
    validation = np.array(validation, np.float64)
    return History(
        key=np.arange(1, validation.size + 1, dtype=np.uint64).reshape(validation.shape),
        validation_accuracy=validation,
        test_accuracy=np.array(test, np.float64),
        cost_sec=np.array(cost, np.float64),
    )


@pytest.fixture(name="study")
def _study():
    """Run 0: infeasible first, a tie third. Run 1: ends after two queries."""
    history = _history(
        [[NAN, 0.80, 0.80, 0.90], [0.70, 0.85, NAN, NAN]],
        [[NAN, 0.75, 0.79, 0.88], [0.72, 0.70, NAN, NAN]],
        [[0.0, 10.0, 20.0, 30.0], [15.0, 25.0, 0.0, 0.0]],
    )
    return curves.study_curves(history, best_test_accuracy=0.9)


def test_incumbents_follow_validation_accuracy_and_keep_the_first_of_equals(study):
    np.testing.assert_array_equal(
        study.validation_accuracy, [[NAN, 0.80, 0.80, 0.90], [0.70, 0.85, 0.85, 0.85]]
    )
    np.testing.assert_array_equal(
        study.test_accuracy, [[NAN, 0.75, 0.75, 0.88], [0.72, 0.70, 0.70, 0.70]]
    )
    np.testing.assert_allclose(
        study.test_regret, [[NAN, 0.15, 0.15, 0.02], [0.18, 0.20, 0.20, 0.20]], atol=1e-12
    )


def test_elapsed_cost_is_cumulative_and_counts_nan_as_nothing(study):
    np.testing.assert_array_equal(
        study.elapsed_sec, [[0.0, 10.0, 30.0, 60.0], [15.0, 40.0, 40.0, 40.0]]
    )
    history = _history([[0.5, NAN]], [[0.5, NAN]], [[3.0, NAN]])
    unknown = curves.study_curves(history)
    np.testing.assert_array_equal(unknown.elapsed_sec, [[3.0, 3.0]])
    assert np.isnan(unknown.test_regret).all()  # without a best test accuracy


@pytest.mark.parametrize(
    "budget, expected",
    [
        (1, [1]),
        (4, [1, 2, 4]),
        (420, [1, 2, 5, 10, 20, 50, 100, 150, 192, 200, 300, 400, 420]),
    ],
)
def test_query_counts(budget, expected):
    assert curves.query_counts(budget).tolist() == expected


def test_cost_grid_starts_with_the_last_first_feasible_cell_and_ends_at_the_median_total(study):
    grid = curves.cost_grid(study, points=3)
    np.testing.assert_allclose(grid, [15.0, np.sqrt(15.0 * 50.0), 50.0])


def test_cost_grid_of_free_evaluations_or_no_feasible_cell_is_empty():
    free = curves.study_curves(_history([[0.5, 0.6]], [[0.5, 0.6]], [[0.0, 0.0]]))
    none = curves.study_curves(_history([[NAN, NAN]], [[NAN, NAN]], [[0.0, 0.0]]))
    assert curves.cost_grid(free).size == 0
    assert curves.cost_grid(none).size == 0
    one = curves.study_curves(_history([[0.5]], [[0.5]], [[7.0]]))
    assert curves.cost_grid(one).tolist() == [7.0]


def test_values_at_costs_are_steps(study):
    values = curves.at_costs(
        study.elapsed_sec, study.test_accuracy, grid_sec=np.array([5.0, 10.0, 29.0, 60.0, 1e6])
    )
    np.testing.assert_array_equal(
        values, [[NAN, 0.75, 0.75, 0.88, 0.88], [NAN, NAN, 0.72, 0.70, 0.70]]
    )


def test_arrays_of_different_shapes_are_refused():
    history = _history([[0.5, 0.6]], [[0.5]], [[1.0, 1.0]])
    with pytest.raises(DataError, match=r"test_accuracy \(1, 1\)"):
        curves.study_curves(history)


def test_regret_of_a_table_without_test_accuracy():
    accuracy = [[0.80, 0.75, 0.90], [0.70, NAN, 0.85]]
    history = _history(accuracy, np.full((2, 3), NAN), np.ones((2, 3)))
    study = curves.study_curves(history, best_test_accuracy=None, best_validation_accuracy=0.95)
    assert (study.tested, study.accuracy, study.regret) == (
        False, "validation_accuracy", "validation_regret"
    )
    np.testing.assert_allclose(study.validation_regret, [[0.15, 0.15, 0.05], [0.25, 0.25, 0.10]])


def test_what_studies_are_judged_by(study):
    assert (study.tested, study.accuracy, study.regret) == (True, "test_accuracy", "test_regret")
    history = _history([[0.5]], [[NAN]], [[1.0]])
    assert curves.study_curves(history).regret is None
    nothing = _history([[NAN]], [[NAN]], [[1.0]])
    assert curves.study_curves(nothing, best_test_accuracy=0.9).regret == "test_regret"
