"""nas_tf/training/pace.py."""

from nas_tf.training.pace import Pace


def test_calls_grow_to_about_a_second():
    pace = Pace()
    steps = []
    for seconds_a_step in (9.0, 0.01, 0.01, 0.01, 0.01, 0.5):
        steps.append(pace.steps)
        pace.took(pace.steps, pace.steps * seconds_a_step)
    assert steps == [1, 1, 8, 64, 100, 100]
    assert pace.steps == 2


def test_a_slow_step_is_a_call():
    pace = Pace()
    for _ in range(3):
        pace.took(pace.steps, 12.0)
    assert pace.steps == 1


def test_fixed_calls_stay():
    pace = Pace(100)
    for _ in range(3):
        pace.took(100, 30.0)
    assert pace.steps == 100
