"""What a Gaussian process says of some cells, computed at once.

Shapes: n cells known, m of them answered, C cells asked about, H hyperparameters.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg

from nas_tf.surrogates.gaussian_process import Kernel, Training, squared_norms


class Prediction(NamedTuple):
    """Of the function: mean and variance, [C] each. The noise of an answer comes on top."""

    mean: np.ndarray
    variance: np.ndarray


def predict(
    kernel: Kernel,
    logarithms: np.ndarray,
    known: Sequence[np.ndarray],
    target: np.ndarray,
    features: Sequence[np.ndarray],
) -> Prediction:
    """Returns the posterior at some cells.

    Args:
        kernel: of the groups.
        logarithms: float64 [H].
        known: features [n, F] a group.
        target: float64 [m], of the first m; the others condition the variance alone.
        features: [C, F] a group, of the cells asked about.
    """
    squares = [squared_norms(group) for group in features]
    prior = kernel.diagonal(logarithms, squares).astype(np.float64)
    if not len(known[0]):
        return Prediction(np.zeros(len(prior)), prior)
    factor = Training(kernel, known).factor(logarithms)
    between = kernel.of_pairs(logarithms, kernel.pairs(known, features, squares))
    rows = scipy.linalg.solve_triangular(factor, between.astype(np.float64), lower=True)
    count = len(target)
    weights = scipy.linalg.solve_triangular(factor[:count, :count], target, lower=True)
    variance = np.maximum(prior - np.einsum("nc,nc->c", rows, rows), 0.0)
    return Prediction(weights @ rows[:count], variance)
