"""The posterior of a Gaussian process at every cell of a pool, one query after the other.

With the lower Cholesky factor L of the kernel of the n cells queried (noise included) and the
kernel k [n, M] between them and the pool, V = L^-1 k is kept. Then

    mean = V^T L^-1 y,    variance = prior variance - sum of the squares of V's columns,

and one more query is one more row of V: at the cost of n M, not of n^2 M.

Shapes: M cells of the pool, n queried, H hyperparameters.
"""

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from nas_tf.surrogates.gaussian_process import Training
from nas_tf.surrogates.pool_pairs import PoolPairs

_CHUNK = 1 << 16  # numbers of the kernel at a time, so that the working set stays in cache
_ROOM = 32  # queries by which the room for rows grows
_LEAST = 1e-6  # variance; rounding may make it negative


class PoolPosterior:
    """Mean and variance at M cells, given those queried so far.

    Attributes:
        variance: float32 [M], of the function; noise comes on top.
    """

    def __init__(self, pool: PoolPairs, room: int = 0):
        """Knows of no query.

        Args:
            pool: the cells, and their kernel.
            room: queries to make room for at once; more find room as they come.
        """
        self._pool, self._kernel = pool, pool.kernel
        self._logarithms = self._kernel.prior()[0]
        self._size = pool.size
        self._rows = np.empty((room, self._size), np.float32)  # V; what is not used takes no memory
        self._factor = np.zeros((room, room))
        self._queried: list[int] = []
        self._prior = self.variance = self._kernel.diagonal(self._logarithms, pool.squares)

    @property
    def noise(self) -> float:
        """Variance of an answer."""
        return float(np.exp(self._logarithms[-1]))

    def begin(self, logarithms: np.ndarray, cells: np.ndarray) -> None:
        """Takes other hyperparameters, float64 [H], and knows just some cells, int [n]."""
        self._logarithms = logarithms
        self._prior = self._kernel.diagonal(logarithms, self._pool.squares)
        self._queried = []
        count = len(cells)
        self._make_room(count)
        if count:
            training = Training(self._kernel, self._pool.features(cells))
            self._factor[:count, :count] = training.factor(logarithms)
            lower = self._factor[:count, :count].astype(np.float32)
            width = max(1, _CHUNK // count)
            for start in range(0, self._size, width):
                part = slice(start, start + width)
                self._rows[:count, part] = scipy.linalg.solve_triangular(
                    lower, self._between(cells, part), lower=True, overwrite_b=True,
                    check_finite=False,
                )
        self._queried = cells.tolist()
        self._renew_variance()

    def follow(self, cells: np.ndarray) -> None:
        """Knows just these cells, int [n], in their order; what it knew of them before stays."""
        wanted = cells.tolist()
        common = 0
        while common < min(len(wanted), len(self._queried)) and (
            wanted[common] == self._queried[common]
        ):
            common += 1
        if common < len(self._queried):
            del self._queried[common:]
            self._renew_variance()
        self._make_room(len(wanted))
        for cell in wanted[common:]:
            self._append(cell)

    def mean(self, target: np.ndarray) -> np.ndarray:
        """Returns the posterior mean, float32 [M].

        Args:
            target: float64 [m], of the first m of the cells known; the others have no answer.
        """
        count = len(target)
        if not count:
            return np.zeros(self._size, np.float32)
        weights = scipy.linalg.solve_triangular(
            self._factor[:count, :count], target, lower=True, check_finite=False
        )
        return weights.astype(np.float32) @ self._rows[:count]

    def _append(self, cell: int) -> None:
        """Learns of one more query."""
        count = len(self._queried)
        column = self._rows[:count, cell].copy()
        between = self._between(np.array([cell]), slice(None))[0]
        pivot = np.sqrt(max(float(self.variance[cell]), 0.0) + self.noise)
        row = self._rows[count]
        np.subtract(between, column @ self._rows[:count], out=row)
        row *= np.float32(1.0 / pivot)
        self._factor[count, :count], self._factor[count, count] = column, pivot
        self._queried.append(cell)
        self.variance -= row * row
        np.maximum(self.variance, np.float32(_LEAST), out=self.variance)

    def _between(self, cells: np.ndarray, part: slice) -> np.ndarray:
        """Returns the kernel between cells, int [n], and some of the pool."""
        return self._kernel.of_pairs(self._logarithms, self._pool.pairs(cells, part))

    def _renew_variance(self) -> None:
        self.variance = self._prior.copy()
        for row in self._rows[: len(self._queried)]:
            self.variance -= row * row
            np.maximum(self.variance, np.float32(_LEAST), out=self.variance)

    def _make_room(self, count: int) -> None:
        if count > len(self._rows):
            room = -(-count // _ROOM) * _ROOM
            rows, before = np.empty((room, self._size), np.float32), len(self._queried)
            rows[:before] = self._rows[:before]
            factor = np.zeros((room, room))
            factor[:before, :before] = self._factor[:before, :before]
            self._rows, self._factor = rows, factor
