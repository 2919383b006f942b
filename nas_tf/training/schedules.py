"""Learning rates as functions of the step.

A schedule takes step numbers [S], counted over all passes, and returns learning rates [S].

Shapes: S steps.
"""

from collections.abc import Callable

import numpy as np

from nas_tf.training.settings import Training

Schedule = Callable[[np.ndarray], np.ndarray]


def cosine_decay(learning_rate: float, steps: int) -> Schedule:
    """Returns a schedule that falls from `learning_rate` to 0 along half a cosine in `steps`.

    SGDR (Loshchilov and Hutter, 2017, arXiv:1608.03983), equation 5 without restarts.
    """
    return lambda numbers: 0.5 * learning_rate * (1.0 + np.cos(np.pi * numbers / steps))


def step_decay(learning_rate: float, steps: float, factor: float) -> Schedule:
    """Returns a schedule that is multiplied by `factor` after every `steps`, all at once."""
    return lambda numbers: learning_rate * factor ** np.floor(numbers / steps)


def exponential_decay(learning_rate: float, steps: float, factor: float) -> Schedule:
    """Returns a schedule that falls by `factor` within every `steps`, a little every step."""
    return lambda numbers: learning_rate * factor ** (numbers / steps)


def constant(learning_rate: float) -> Schedule:
    """Returns a schedule that stays."""
    return lambda numbers: np.full(np.shape(numbers), learning_rate)


def warm_up(schedule: Schedule, learning_rate: float, steps: int) -> Schedule:
    """Returns a schedule that rises to `learning_rate` and goes on with another.

    Args:
        schedule: what follows; its step 0 is the first one after the rise.
        learning_rate: at the end of the rise.
        steps: of the rise, linear from 0, which itself would be a step without a change: step n of
            them has (n + 1) / steps of it.
    """
    def rates(numbers):
        rising = learning_rate * (numbers + 1) / max(steps, 1)
        return np.where(numbers < steps, rising, schedule(np.maximum(numbers - steps, 0)))

    return rates


def make_schedule(settings: Training, steps_per_epoch: int) -> Schedule:
    """Returns the schedule of a training's settings.

    The rise counts as part of the training: a cosine reaches 0 at its end all the same. Factors
    are counted from the end of the rise.

    Args:
        settings: `schedule`, `learning_rate`, `warmup_epochs`, `decay`, `decay_epochs`, `epochs`.
        steps_per_epoch: steps of a pass.
    """
    rate = settings.learning_rate
    warm = round(settings.warmup_epochs * steps_per_epoch)
    total = settings.epochs * steps_per_epoch
    period = settings.decay_epochs * steps_per_epoch
    if settings.schedule == "cosine":
        schedule = cosine_decay(rate, max(total - warm, 1))
    elif settings.schedule == "step":
        schedule = step_decay(rate, period, settings.decay)
    elif settings.schedule == "exponential":
        schedule = exponential_decay(rate, period, settings.decay)
    else:
        schedule = constant(rate)
    return warm_up(schedule, rate, warm) if warm else schedule
