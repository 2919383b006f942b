"""What a search's Gaussian process believes after so many answers.

Hyperparameters are fitted anew when 3, 4, 6, 8, 10, 12, 15, 18, ... cells are known (a fifth more
each time), beginning with those before. They follow from the answers in the order of arrival
alone: a search that was killed finds the same ones again.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import special, stats

from nas_tf.surrogates.gaussian_process import Kernel, Training

FIRST_REFITS = (3, 4, 6, 8, 10)
GROWTH = 1.2

Features = Callable[[np.ndarray], Sequence[np.ndarray]]  # of indices int [n]: [n, F] a group
AsOf = Callable[[int], np.ndarray]  # of a number of cells: their accuracies when the last one came


def refit_sizes() -> Iterator[int]:
    """Yields how many cells are known when hyperparameters are fitted, for ever."""
    yield from FIRST_REFITS
    size = FIRST_REFITS[-1]
    while True:
        size = int(np.ceil(GROWTH * size - 1e-9))
        yield size


def normal_scores(accuracy: np.ndarray) -> np.ndarray:
    """Returns the normal scores of ranks, float64 [..., n]; equal accuracies share a score.

    Args:
        accuracy: float64 [..., n]; NaN is infeasible and ranks below everything.
    """
    known = np.where(np.isnan(accuracy), -np.inf, accuracy)
    ranks = stats.rankdata(known, axis=-1)
    return special.ndtri((ranks - 0.5) / max(1, known.shape[-1]))


def standardized(accuracy: np.ndarray) -> np.ndarray:
    """Returns accuracies with mean 0 and variance 1, float64 [..., n]; infeasible ones the least.

    Args:
        accuracy: float64 [..., n]; NaN is infeasible.
    """
    known = ~np.isnan(accuracy)
    least = np.where(known, accuracy, np.inf).min(axis=-1, keepdims=True, initial=1.0)
    filled = np.where(known, accuracy, least)
    deviation = filled.std(axis=-1, keepdims=True)
    return (filled - filled.mean(axis=-1, keepdims=True)) / np.where(deviation > 0, deviation, 1.0)


TARGETS = {"ranks": normal_scores, "standardized": standardized}


class Hyperparameters:
    """Those of one run.

    Attributes:
        logarithms: float64 [H]; the prior's means before the first fit.
        size: cells they were fitted to; 0 before.
    """

    def __init__(self, kernel: Kernel, target: str = "ranks"):
        """Args: kernel: of the groups; target: one of `TARGETS`."""
        self._kernel = kernel
        self._transform = TARGETS[target]
        self._sizes = refit_sizes()
        self._next = next(self._sizes)
        self.logarithms, self.size = kernel.prior()[0], 0

    def learn(
        self,
        features: Features,
        cells: np.ndarray,
        accuracy: np.ndarray,
        as_of: AsOf | None = None,
    ) -> bool:
        """Makes the fits that are due.

        Args:
            features: of cells by their indices.
            cells: int [n], all that are known, in the order of arrival.
            accuracy: float64 [n]; NaN is infeasible.
            as_of: where accuracies have changed since they first came, what they were.

        Returns:
            whether a fit was due.
        """
        before = self.size
        while self._next <= len(cells):
            training = Training(self._kernel, features(cells[: self._next]))
            known = accuracy[: self._next] if as_of is None else as_of(self._next)
            target = self._transform(known)
            self.logarithms = training.fit(target, self.logarithms)
            self.size, self._next = self._next, next(self._sizes)
        return self.size != before
