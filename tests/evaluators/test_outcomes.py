"""Tests of nas_tf.evaluators.outcomes."""

import math

import pytest

from nas_tf.core import ConfigError
from nas_tf.evaluators.outcomes import Outcome, Outcomes

IDENTITY = {"architecture": "nasbench201:1", "train_epochs": 3, "images": {"train": [10, "ab"]}}


@pytest.fixture
def outcomes(tmp_path):
    return Outcomes(tmp_path / "trained")


def test_what_is_kept_is_found_by_another_job(outcomes, tmp_path):
    assert outcomes.find(IDENTITY) is None
    outcomes.keep(IDENTITY, Outcome(0.75, 0.5, 12.5))
    assert Outcomes(tmp_path / "trained").find(IDENTITY) == Outcome(0.75, 0.5, 12.5, "", True)
    assert outcomes.find(IDENTITY | {"train_epochs": 4}) is None
    assert outcomes.find(dict(reversed(IDENTITY.items()))) is not None


def test_infeasible_ones_are_kept_with_their_reason_unless_they_need_not_last(outcomes):
    outcomes.keep(IDENTITY, Outcome.infeasible("the training diverged", 3.0))
    found = outcomes.find(IDENTITY)
    assert math.isnan(found.validation_accuracy) and math.isnan(found.test_accuracy)
    assert (found.reason, found.cost_sec) == ("the training diverged", 3.0)
    other = IDENTITY | {"train_epochs": 4}
    outcomes.keep(other, Outcome.infeasible("out of memory", 3.0, lasting=False))
    assert outcomes.find(other) is None


def test_a_candidate_is_trained_by_one_process_at_a_time(outcomes):
    with outcomes.claimed(IDENTITY) as directory:
        directory.mkdir(parents=True)
        (directory / "checkpoint").write_text("half")
        with pytest.raises(ConfigError, match="in use by another job"):
            with outcomes.claimed(IDENTITY):
                pass
        with outcomes.claimed(IDENTITY | {"train_epochs": 4}) as another:
            assert another != directory
    with outcomes.claimed(IDENTITY) as again:
        assert (again / "checkpoint").read_text() == "half"
        outcomes.keep(IDENTITY, Outcome(0.5, 0.5, 1.0))
    assert not directory.exists()


def test_damaged_files_are_trained_again(outcomes, tmp_path, warnings):
    outcomes.keep(IDENTITY, Outcome(0.5, 0.5, 1.0))
    path = next((tmp_path / "trained").glob("*/outcome.json"))
    for text in ("{", "[]", path.read_text().replace("nasbench201:1", "nasbench201:2")):
        path.write_text(text)
        assert outcomes.find(IDENTITY) is None
    assert len(warnings) == 3 and "the candidate is trained again" in warnings[0]


def test_a_directory_that_cannot_be_written_is_done_without(tmp_path, warnings):
    (tmp_path / "trained").write_text("a file")
    outcomes = Outcomes(tmp_path / "trained")
    outcomes.keep(IDENTITY, Outcome(0.5, 0.5, 1.0))
    assert outcomes.find(IDENTITY) is None
    assert any("An outcome is not kept" in line for line in warnings)
