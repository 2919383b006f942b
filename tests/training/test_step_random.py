"""nas_tf/training/step_random.py; the numbers of replicas are in test_trainer.py."""

import numpy as np
import pytest

from nas_tf.training.step_random import StepRandom


@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_parts_of_replicas_share_the_numbers_of_one_device(kind):
    """Eight rows: two replicas, each in two parts of two rows."""
    whole = StepRandom(7, 3, 0, 1)
    parts = [StepRandom(7, 3, replica, 2, part=part, parts=2)
             for replica in (0, 1) for part in (0, 1)]
    for _ in range(2):
        expected = getattr(whole, kind)([8, 3]).numpy()
        found = [getattr(part, kind)([2, 3]).numpy() for part in parts]
        np.testing.assert_array_equal(np.concatenate(found), expected)


def test_a_step_of_any_number_of_draws_is_its_own():
    """The 65th draw of a step is not the first of the next; draws before stay what they were."""
    first, second = StepRandom(1, 0, 0, 1), StepRandom(1, 1, 0, 1)
    numbers = [first.uniform([4]).numpy() for _ in range(130)]
    numbers += [second.uniform([4]).numpy() for _ in range(65)]
    assert len(np.unique(np.array(numbers).round(6))) > 4 * 195 - 5
    np.testing.assert_allclose(numbers[0], [0.8784882, 0.45998025, 0.60029125, 0.39259768],
                               rtol=1e-6)
