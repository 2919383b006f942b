"""nas_tf/analysis/cost_front.py."""

import numpy as np
import pytest

from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.cost_front import CostsSeen, cost_figure, pareto_front


def test_a_front_by_hand():
    cost = np.array([5, 1, 3, 3, 9, 7, 1])
    accuracy = np.array([0.5, 0.2, 0.4, 0.6, 0.9, 0.6, 0.1])
    assert pareto_front(cost, accuracy).tolist() == [1, 3, 4]
    assert pareto_front(np.array([2, 2]), np.array([0.5, 0.5])).tolist() == [0]


def test_nothing_is_better_in_both():
    rng = np.random.default_rng(0)
    cost, accuracy = rng.integers(0, 30, 300), rng.integers(0, 30, 300) / 30
    front = pareto_front(cost, accuracy)
    better = (cost[:, None] <= cost) & (accuracy[:, None] >= accuracy)
    better &= (cost[:, None] < cost) | (accuracy[:, None] > accuracy)
    free = np.flatnonzero(~better.any(axis=0))
    assert set(zip(cost[front], accuracy[front])) == set(zip(cost[free], accuracy[free]))
    assert (np.diff(cost[front]) > 0).all() and (np.diff(accuracy[front]) > 0).all()


def _seen(accuracy, parameters=None):
    count = len(accuracy)
    parameters = np.arange(1, count + 1) * 1_000_000 if parameters is None else parameters
    return CostsSeen(
        parameters=parameters, multiply_adds=30 * parameters,
        validation_accuracy=np.array(accuracy),
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seen", [
    _seen([0.5, 0.9, 0.93]), _seen([0.93, 0.94]), _seen([0.9]), _seen([0.5, 1.0]),
    _seen([0.2, 0.2], np.array([5, 5])), _seen(np.linspace(0.1, 0.95, 9000)),
], ids=["wide", "narrow", "one", "no error", "equal", "many"])
def test_everything_can_be_drawn(seen, tmp_path):
    path = save_figure(cost_figure(seen), tmp_path / "costs.png")
    assert 5_000 < path.stat().st_size < 150_000


def test_what_is_drawn():
    figure = cost_figure(_seen([0.5, 0.4, 0.93]))
    left, right = figure.axes
    dots, front = left.lines
    np.testing.assert_allclose(dots.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(front.get_ydata(), [0.5, 0.07])
    np.testing.assert_allclose(right.lines[1].get_xdata(), [30, 90])
    assert right.get_xlabel() == "multiply-adds (millions)"
    low, high = left.get_ylim()
    assert low > high  # fewer errors are higher up
    assert left.yaxis.get_major_formatter()(0.07, 0) == "93"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "3 networks seen", "Pareto front",
    ]


@pytest.mark.parametrize("accuracy", ([0.5, 0.5], [0.9312, 0.9313], [0.93]))
def test_no_two_ticks_say_the_same(accuracy):
    figure = cost_figure(_seen(accuracy))
    figure.canvas.draw()
    for axes in figure.axes:
        low, high = sorted(axes.get_ylim())
        ticks = [t for t, at in zip(axes.get_yticklabels(), axes.get_yticks()) if low <= at <= high]
        labels = [tick.get_text() for tick in ticks]
        assert len(labels) > 1 and len(set(labels)) == len(labels)
