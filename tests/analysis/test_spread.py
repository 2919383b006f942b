"""Tests of nas_tf.analysis.spread, with values worked by hand."""

import pathlib

import numpy as np
import pytest

from nas_tf.analysis import spread as module
from nas_tf.analysis.spread import by_model, model_means, pooled_std, spread

NAN = np.nan


@pytest.mark.filterwarnings("error")
def test_a_deviation_is_that_of_the_sample():
    found = spread(np.array([[1.0, NAN, 4.0, NAN], [2.0, NAN, NAN, 7.0], [6.0, NAN, 6.0, NAN]]))
    np.testing.assert_allclose(found.mean, [3.0, NAN, 5.0, 7.0])
    np.testing.assert_allclose(found.std, [np.sqrt(7.0), NAN, np.sqrt(2.0), NAN])
    assert found.count.tolist() == [3, 0, 2, 1]


@pytest.mark.filterwarnings("error")
def test_of_one_value_or_none():
    assert float(spread(np.array([0.5])).mean) == 0.5
    assert np.isnan(spread(np.array([0.5])).std) and np.isnan(spread(np.array([])).mean)
    assert float(spread(np.array([np.inf, 0.5])).mean) == 0.5


@pytest.mark.filterwarnings("error")
def test_a_pooled_deviation_leaves_out_what_lies_between_groups():
    groups = [np.array([1.0, 3.0]), np.array([11.0, 12.0, 13.0]), np.array([50.0])]
    assert pooled_std(groups) == pytest.approx(np.sqrt((2.0 + 2 * 1.0) / 3))
    assert np.isnan(pooled_std([np.array([1.0]), np.array([NAN, 2.0])]))


def test_models():
    groups = by_model(np.array([1.0, 2.0, 5.0, NAN]), np.array([0, 1, 0, 2]))
    assert [group.tolist() for group in groups[:2]] == [[1.0, 5.0], [2.0]]
    np.testing.assert_array_equal(model_means(groups), [3.0, 2.0, NAN])


def test_nothing_else_computes_a_deviation():
    """Tables, figures and summaries take it from here alone: no `.std(` in the room of analyses."""
    room = pathlib.Path(module.__file__).parent
    assert [path.name for path in room.glob("*.py") if ".std(" in path.read_text()] == []
