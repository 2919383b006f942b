"""Tests of nas_tf.evaluators.trained."""

import dataclasses

import numpy as np
import pytest

from nas_tf import core
from nas_tf.evaluators.outcomes import Outcome, Outcomes
from nas_tf.evaluators.trained import TrainedEvaluator
from nas_tf.spaces.nasbench201 import NasBench201Space

SPACE = NasBench201Space()
CELLS = SPACE.enumerate_cells()


@dataclasses.dataclass
class Counting:
    """Says what it is asked, and trains nothing: the n-th has a validation accuracy of n / 10."""

    trained: list = dataclasses.field(default_factory=list)
    reason: str = ""

    def identity(self, architecture, epochs):
        return {"architecture": architecture.key, "epochs": epochs}

    def train(self, architecture, epochs, directory):
        if self.reason == "signal":
            raise core.Interrupted("a signal came")
        self.trained.append((architecture.text(), epochs))
        if self.reason:
            return Outcome.infeasible(self.reason, 2.0, lasting=False)
        return Outcome(len(self.trained) / 10, 0.05, 10.0 * len(self.trained))


def make(path, candidates, **options):
    return TrainedEvaluator(SPACE, candidates, Outcomes(path), full_epochs=9, **options)


def suggest(indices, epochs=None):
    return core.Suggestion(CELLS[np.asarray(indices)], epochs)


def test_each_architecture_is_trained_once_whichever_run_or_job_asks(tmp_path):
    candidates, told = Counting(), []
    evaluator = make(tmp_path, candidates, report=lambda *one: told.append(one))
    found = evaluator.evaluate(suggest([[3, 7], [7, 3]]), 0)
    assert [epochs for _, epochs in candidates.trained] == [None, None]
    assert [text for text, _ in candidates.trained] == [
        architecture.text() for architecture in SPACE.architectures(CELLS[np.array([3, 7])])
    ]
    np.testing.assert_array_equal(found.validation_accuracy, [[0.1, 0.2], [0.2, 0.1]])
    np.testing.assert_array_equal(found.test_accuracy, np.full((2, 2), 0.05))
    np.testing.assert_array_equal(found.cost_sec, [[10.0, 20.0], [20.0, 10.0]])
    assert found.feasible.all() and found.full_budget and len(told) == 2
    other = Counting()
    again = make(tmp_path, other).evaluate(suggest([[7]]), 5)
    assert again.validation_accuracy == 0.2 and again.cost_sec == 20.0 and not other.trained


def test_a_smaller_budget_is_another_training_and_makes_no_incumbent(tmp_path):
    candidates = Counting()
    evaluator = make(tmp_path, candidates)
    assert not evaluator.evaluate(suggest([[3]], epochs=3), 0).full_budget
    assert evaluator.evaluate(suggest([[3]], epochs=9), 1).full_budget
    assert evaluator.evaluate(suggest([[3]]), 2).full_budget
    assert [epochs for _, epochs in candidates.trained] == [3, None]


def test_infeasible_is_a_value_and_is_asked_again_by_the_next_job(tmp_path):
    candidates = Counting(reason="out of memory")
    found = make(tmp_path, candidates).evaluate(suggest([[3]]), 0)
    assert not found.feasible.any() and found.reason.tolist() == [["out of memory"]]
    assert np.isnan(found.validation_accuracy).all() and found.cost_sec == 2.0
    candidates.reason = ""
    assert make(tmp_path, candidates).evaluate(suggest([[3]]), 0).feasible.all()


def test_a_signal_is_passed_on_and_nothing_is_kept(tmp_path):
    with pytest.raises(core.Interrupted):
        make(tmp_path, Counting(reason="signal")).evaluate(suggest([[3]]), 0)
    assert make(tmp_path, Counting()).evaluate(suggest([[3]]), 0).validation_accuracy == 0.1
