"""nas_tf/core.py: the incumbent worked by hand, and what a strategy gets to see."""

import ast
import dataclasses
import itertools
import pathlib

import numpy as np
import pytest

from nas_tf import core
from nas_tf.graphs import CellGraphs

NAN = float("nan")


def _history(validation):
    validation = np.array(validation, np.float64)
    return core.History(
        key=np.zeros(validation.shape, np.uint64),
        validation_accuracy=validation,
        test_accuracy=-validation,
        cost_sec=np.ones(validation.shape),
    )


@pytest.mark.parametrize(
    "validation, expected",
    [
        ([0.3, 0.2, 0.5, 0.4, 0.6], [0, 0, 2, 2, 4]),
        ([0.3, 0.3, 0.5, 0.5, 0.3], [0, 0, 2, 2, 2]),  # the first of ties
        ([NAN, 0.2, NAN, 0.1, 0.3], [0, 1, 1, 1, 4]),  # infeasible ones never lead
        ([NAN, NAN, 0.0, 0.0, NAN], [0, 0, 2, 2, 2]),  # accuracy 0 is better than none
        ([NAN, NAN, NAN, NAN, NAN], [0, 0, 0, 0, 0]),
        ([0.9, 0.8, NAN, NAN, NAN], [0, 0, 0, 0, 0]),  # after the run's end
    ],
)
def test_incumbent_of_one_run(validation, expected):
    assert _history([validation]).incumbent().tolist() == [expected]


def test_runs_are_independent():
    history = _history([[0.1, 0.2, 0.1], [0.9, 0.2, 0.1], [NAN, NAN, 0.1]])
    assert history.incumbent().tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 2]]
    assert _history(np.zeros((2, 0))).incumbent().shape == (2, 0)


def test_a_cell_counts_as_it_was_measured_last():
    history = core.History(
        #      best,  worse,  best again: the second leads; then the first of equals
        key=np.array([[5, 6, 5, 7, 5, 6], [5, 5, 6, 6, 0, 0]], np.uint64),
        validation_accuracy=np.array(
            [[0.9, 0.7, 0.6, 0.5, 0.8, 0.8], [0.4, 0.5, NAN, 0.5, NAN, NAN]]
        ),
        test_accuracy=np.zeros((2, 6)),
        cost_sec=np.zeros((2, 6)),
    )
    assert history.incumbent().tolist() == [[0, 0, 1, 1, 4, 4], [0, 1, 1, 1, 1, 1]]


def test_measured_before_is_cut_like_the_cells():
    cells = CellGraphs(np.zeros((2, 3, 2, 2)), np.zeros((2, 3, 2)), np.full((2, 3), 2))
    before = np.array([[-1, 4, -1], [3, -1, -1]])
    cut = core.Suggestion(cells, 12, np.arange(3), before).first(2)
    assert cut.measured_before.tolist() == [[-1, 4], [3, -1]]
    assert (cut.epochs, cut.numbers.tolist(), cut.cells.shape) == (12, [0, 1], (2, 2))


def test_incumbent_is_chosen_by_validation_accuracy_alone():
    history = _history([[0.5, 0.7]])
    history.test_accuracy[:] = [[1.0, 0.0]]
    assert history.incumbent().tolist() == [[0, 1]]


def test_incumbent_equals_a_plain_loop():
    rng = np.random.default_rng(0)
    validation = rng.integers(0, 5, (20, 30)) / 4
    validation[rng.random(validation.shape) < 0.3] = NAN
    expected = np.zeros(validation.shape, int)
    for run, values in enumerate(validation):
        leader, best = 0, -1.0
        for query, value in enumerate(values):
            if value > best:  # never true of NaN
                leader, best = query, value
            expected[run, query] = leader
    np.testing.assert_array_equal(_history(validation).incumbent(), expected)


def test_feedback_has_no_test_accuracy():
    names = {field.name for field in dataclasses.fields(core.Feedback)}
    assert names == {"cells", "feasible", "validation_accuracy", "cost_sec", "active", "numbers"}
    cells = CellGraphs(np.zeros((1, 2, 7, 7), np.uint8), np.zeros((1, 2, 7), np.int8),
                       np.full((1, 2), 2, np.int8))
    evaluation = core.Evaluation(
        cells=cells,
        feasible=np.array([[True, False]]),
        validation_accuracy=np.array([[0.5, NAN]]),
        test_accuracy=np.array([[0.25, NAN]]),
        cost_sec=np.array([[3.0, 0.0]]),
        reason=np.array([["", "too large"]]),
    )
    feedback = evaluation.feedback(np.array([True]))
    assert feedback.cells is cells and feedback.active.tolist() == [True]
    for name in ("feasible", "validation_accuracy", "cost_sec"):
        assert getattr(feedback, name) is getattr(evaluation, name)
    assert not any(np.any(value == 0.25) for value in vars(feedback).values()
                   if isinstance(value, np.ndarray))


def test_errors_have_one_root():
    for error in (core.InvalidArchitectureError, core.DataError, core.ConfigError):
        assert issubclass(error, core.NasError)
    assert core.Suggestion(None).epochs is None


def test_nan_is_infeasible_whatever_an_evaluator_says():
    evaluation = core.Evaluation(
        cells=None,
        feasible=np.array([[True, True, False]]),
        validation_accuracy=np.array([[NAN, 0.5, NAN]]),
        test_accuracy=np.array([[0.1, NAN, NAN]]),
        cost_sec=np.ones((1, 3)),
        reason=np.array([["", "", "too large"]]),
    )
    assert evaluation.feasible.tolist() == [[False, True, False]]
    assert evaluation.reason.tolist() == [["its validation accuracy is NaN", "", "too large"]]
    assert evaluation.feedback(np.ones(1, bool)).feasible.tolist() == [[False, True, False]]


# Random streams.


def test_streams_draw_apart():
    """NumPy takes (s, 2) and (s, 2, 0) for one seed; no two streams may have one."""
    numbers = [stream.value for stream in core.Stream]
    assert len(numbers) == len(set(numbers))
    passes = range(200)
    states = {
        tuple(core.seed_sequence(seed, stream, index).generate_state(4).tolist())
        for seed, stream, index in itertools.product((0, 1, 65537), {*numbers, *passes}, range(3))
    }
    assert len(states) == 3 * len({*numbers, *passes}) * 3
    assert min(set(numbers) - {core.Stream.TRAINING}) >= 1 << 16


def test_a_training_draws_what_the_embedded_table_was_trained_with():
    expected = np.random.default_rng((7, 3)).random(4)
    np.testing.assert_array_equal(core.generator(7, core.Stream.TRAINING + 3).random(4), expected)
    expected = np.random.default_rng(7).random(4)
    np.testing.assert_array_equal(core.generator(7, core.Stream.TRAINING).random(4), expected)


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (1 << 32, 0, 0)])
def test_streams_out_of_range(numbers):
    with pytest.raises(core.ConfigError, match="expected 0 to 4294967295"):
        core.generator(*numbers)


def test_streams_are_made_in_one_place():
    """A sample of DARTS cells has a seed of its own; generators of other seeds come from here."""
    package = pathlib.Path(core.__file__).parent
    made = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
            called = name in ("default_rng", "RandomState") or name == "SeedSequence"
            if called and isinstance(getattr(node, "ctx", None), ast.Load):
                made.add((path.relative_to(package).as_posix(), name))
    assert made == {
        ("core.py", "default_rng"),
        ("core.py", "SeedSequence"),
        ("spaces/darts_cells.py", "default_rng"),
        ("arch2vec/predictor.py", "SeedSequence"),  # in annotations
        ("arch2vec/predictor.py", "default_rng"),  # of a sequence made here
    }
