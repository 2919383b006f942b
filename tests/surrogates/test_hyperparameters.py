"""nas_tf/surrogates/hyperparameters.py: when they are fitted, and to what."""

import itertools

import numpy as np

from nas_tf.surrogates.gaussian_process import Kernel
from nas_tf.surrogates.hyperparameters import (
    Hyperparameters, normal_scores, refit_sizes, standardized,
)


def test_when_they_are_fitted():
    sizes = list(itertools.islice(refit_sizes(), 20))
    assert sizes == [3, 4, 6, 8, 10, 12, 15, 18, 22, 27, 33, 40, 48, 58, 70, 84, 101, 122, 147, 177]


def test_normal_scores_by_hand():
    # Ranks 3, 1.5, 4, 1.5 of 4: quantiles 5/8, 1/4, 7/8, 1/4.
    found = normal_scores(np.array([0.9, 0.5, 0.95, 0.5]))
    np.testing.assert_allclose(found, [0.3186394, -0.6744898, 1.1503494, -0.6744898], rtol=1e-6)
    np.testing.assert_allclose(normal_scores(np.array([0.2, np.nan])), [0.6744898, -0.6744898])
    assert normal_scores(np.zeros((3, 0))).shape == (3, 0)


def test_standardized_by_hand():
    np.testing.assert_allclose(standardized(np.array([0.2, 0.4, np.nan])), [-0.7071068, 1.4142136,
                                                                           -0.7071068])
    assert standardized(np.array([0.7, 0.7])).tolist() == [0, 0]


def test_answers_at_once_are_answers_one_by_one():
    rng = np.random.default_rng(0)
    points, accuracy = [rng.normal(size=(30, 2))], rng.random(30)
    kernel = Kernel(("matern",))

    def learned(counts):
        belief = Hyperparameters(kernel)
        due = [
            belief.learn(lambda index: [points[0][index]], np.arange(count), accuracy[:count])
            for count in counts
        ]
        return belief, due

    one, due = learned(range(1, 31))
    several, _ = learned((2, 9, 25, 30))
    np.testing.assert_array_equal(one.logarithms, several.logarithms)
    assert one.size == several.size == 27
    assert [count for count, was in enumerate(due, 1) if was] == [3, 4, 6, 8, 10, 12, 15, 18, 22, 27]
