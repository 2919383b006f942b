"""Trainings that are killed and started again, in fresh processes: the same weights bit for bit."""

import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.forked import Forked
from tests.training import train_toy

ROOT = pathlib.Path(__file__).parents[2]


def start_alone(*arguments):
    """Starts the toy training in a process that shares nothing: seeds of hashes are others."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training.train_toy", *map(str, arguments)], cwd=ROOT,
        env=environment, stderr=subprocess.PIPE, text=True,
    )


@pytest.fixture(scope="module", name="ends")
def _ends(tmp_path_factory):
    """Exit statuses and results: whole; killed in the second pass, terminated in the third."""
    folder = tmp_path_factory.mktemp("kills")
    directory = folder / "checkpoints"
    whole = start_alone("none", folder / "whole.npz")
    statuses, errors = [], []
    for number, kill in enumerate((["--kill=SIGKILL,1,2"], ["--kill=SIGTERM,2,1"], [])):
        arguments = [str(directory), str(folder / "killed.npz"), *kill]
        process = Forked(train_toy.main, arguments, errors=folder / f"errors{number}")
        statuses.append(process.wait())
        errors.append(process.errors())
    errors.append(whole.communicate()[1])
    statuses.append(whole.returncode)
    assert (folder / "whole.npz").exists() and (folder / "killed.npz").exists(), errors
    return statuses, dict(np.load(folder / "whole.npz")), dict(np.load(folder / "killed.npz"))


def test_processes_end_as_they_were_told(ends):
    assert ends[0] == [-signal.SIGKILL, -signal.SIGTERM, 0, 0]


def test_weights_and_history_are_the_same_bit_for_bit(ends):
    _, whole, killed = ends
    assert whole["history"].shape == (4, 5)
    for name, value in whole.items():
        np.testing.assert_array_equal(killed[name], value, err_msg=name)
