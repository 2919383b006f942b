"""Tests of nas_tf.evaluators.candidates and candidate_process: networks that are really trained."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from nas_tf.core import Interrupted, NasError
from nas_tf.datasets.settings import Data
from nas_tf.evaluators import candidate_process, candidates
from nas_tf.evaluators.candidate_process import IsolatedTraining
from nas_tf.evaluators.candidates import CandidateTraining
from nas_tf.evaluators.outcomes import Outcome
from nas_tf.networks.settings import Network
from nas_tf.spaces.architecture import parse
from nas_tf.training.settings import Training

CELL = parse("|skip_connect~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|none~2|")
TRAINING = Training(epochs=3, batch_size=20, learning_rate=0.1, seed=4)
CANDIDATES = CandidateTraining(
    data=Data("digits", limit=60), training=TRAINING, network=Network(channels=2, cells=1),
)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What the cell comes to."""
    return CANDIDATES.train(CELL, None, tmp_path_factory.mktemp("work"))


def change(**settings):
    return dataclasses.replace(CANDIDATES, training=dataclasses.replace(TRAINING, **settings))


def test_a_candidate_is_trained_and_measured(outcome):
    assert 0 < outcome.validation_accuracy < 1 and 0 < outcome.test_accuracy < 1
    assert outcome.cost_sec > 0 and not outcome.reason and outcome.lasting


def test_what_decides_a_training_is_its_identity():
    known = CANDIDATES.identity(CELL, None)
    assert json.loads(json.dumps(known)) == known == CANDIDATES.identity(parse(CELL.text()), None)
    others = [
        CANDIDATES.identity(CELL, 2),
        CANDIDATES.identity(parse(CELL.text().replace("1x1", "3x3")), None),
        change(seed=5).identity(CELL, None),
        change(fraction=0.5).identity(CELL, None),
        dataclasses.replace(CANDIDATES, last_epochs=2).identity(CELL, None),
        dataclasses.replace(CANDIDATES, stop_epochs=2).identity(CELL, None),
        dataclasses.replace(CANDIDATES, network=Network(channels=4)).identity(CELL, None),
        dataclasses.replace(CANDIDATES, data=Data("digits", limit=80)).identity(CELL, None),
    ]
    assert len({json.dumps(one, sort_keys=True) for one in [known, *others]}) == 9
    often = dataclasses.replace(CANDIDATES, checkpoint_sec=0.0)
    assert often.identity(CELL, None) == known


def test_a_training_ends_early_and_its_last_epochs_alone_are_validated(tmp_path, monkeypatch):
    kept, train = [], candidates.train_classifier

    def keep(*args, **options):
        kept.append(train(*args, **options))
        return kept[-1]

    monkeypatch.setattr(candidates, "train_classifier", keep)
    early = dataclasses.replace(CANDIDATES, stop_epochs=2)
    found = early.train(CELL, None, tmp_path)
    first, second = kept[0].history
    assert "validation_accuracy" not in first
    assert found.validation_accuracy == second["validation_accuracy"]
    assert second["learning_rate"] > 0.02  # the schedule is that of three epochs


def test_a_training_that_diverges_is_infeasible(tmp_path):
    found = change(learning_rate=1e30, epochs=1).train(CELL, None, tmp_path)
    assert found.reason.startswith("the training diverged: the loss is no number at step")
    assert np.isnan(found.validation_accuracy) and found.lasting


def test_what_cannot_be_built_is_infeasible(tmp_path):
    wide = parse({
        "matrix": [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]],
        "ops": ["input", "conv1x1-bn-relu", "conv1x1-bn-relu", "output"],
    })
    narrow = dataclasses.replace(CANDIDATES, network=Network(channels=1, cells=1))
    found = narrow.train(wide, None, tmp_path)
    assert found.reason == "2 vertices feed an output of 1 channels" and found.cost_sec < 5


def test_a_process_of_its_own_comes_to_the_same_and_goes_on_where_it_was_ended(
    outcome, tmp_path, monkeypatch
):
    often = IsolatedTraining(dataclasses.replace(CANDIDATES, checkpoint_sec=0.0))
    started = subprocess.Popen

    def ends_soon(*args, **options):
        """Starts a process, and asks this one to end when a checkpoint is there."""
        process = started(*args, **options)

        def ask():
            while not (tmp_path / "checkpoint").exists() and process.poll() is None:
                threading.Event().wait(0.05)
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=ask).start()
        return process

    told = []
    monkeypatch.setattr(subprocess, "Popen", ends_soon)
    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        with pytest.raises(Interrupted):
            often.train(CELL, None, tmp_path)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM] and not (tmp_path / "outcome.json").exists()
    monkeypatch.setattr(subprocess, "Popen", started)
    found = often.train(CELL, None, tmp_path)
    assert dataclasses.replace(found, cost_sec=outcome.cost_sec) == outcome


@pytest.mark.parametrize(
    "code, reason",
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "out of memory: its process"),
        ("import sys; sys.exit('the disk is full')", "the process of a candidate failed: the disk"),
    ],
)
def test_a_process_that_fails_is_explained(code, reason, tmp_path, monkeypatch):
    run = candidate_process._run
    monkeypatch.setattr(
        candidate_process, "_run", lambda command, log: run([sys.executable, "-c", code], log)
    )
    isolated = IsolatedTraining(CANDIDATES)
    if "KILL" in code:
        found = isolated.train(CELL, None, tmp_path)
        assert found.reason.startswith(reason) and not found.lasting
    else:
        with pytest.raises(NasError, match=reason):
            isolated.train(CELL, None, tmp_path)


def test_outcomes_pass_between_processes_as_text():
    for one in (Outcome(0.5, 0.25, 3.0), Outcome.infeasible("why", 1.0)):
        assert Outcome.from_json(one.to_json()).to_json() == one.to_json()
