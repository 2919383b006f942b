"""nas_tf/training/schedules.py: literal learning rates."""

import numpy as np
import pytest

from nas_tf.training.schedules import make_schedule
from nas_tf.training.settings import Training

CASES = {
    "cosine": ({}, [0.8, 0.4 * (1 + np.cos(np.pi / 8)), 0.4, 0.4 * (1 + np.cos(np.pi * 7 / 8))]),
    "constant": ({}, [0.8, 0.8, 0.8, 0.8]),
    "step": ({"decay": 0.5, "decay_epochs": 2}, [0.8, 0.8, 0.4, 0.4]),
    "exponential": ({"decay": 0.25, "decay_epochs": 2}, [0.8, 0.8 * 0.25**0.25, 0.2, 0.8 * 0.25**1.75]),
}


@pytest.mark.parametrize("name", CASES)
def test_without_warm_up(name):
    settings, expected = CASES[name]
    schedule = make_schedule(
        Training(epochs=4, learning_rate=0.8, schedule=name, **settings), steps_per_epoch=2
    )
    np.testing.assert_allclose(schedule(np.array([0, 1, 4, 7])), expected)


def test_warm_up_rises_and_the_rest_follows():
    """Half of four passes of two steps: four steps up, four steps of a cosine to 0."""
    settings = Training(epochs=4, learning_rate=0.8, warmup_epochs=2)
    rates = make_schedule(settings, 2)(np.arange(9))
    cosine = 0.4 * (1 + np.cos(np.pi * np.arange(5) / 4))
    np.testing.assert_allclose(rates, [0.2, 0.4, 0.6, 0.8, *cosine], atol=1e-12)
