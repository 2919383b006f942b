"""A Gaussian process over groups of features, fitted by its posterior mode.

The kernel is a sum over groups, each linear or Matern-5/2 (Rasmussen and Williams, 2006, section
4.2), and noise:

    k(x, x') = sum_linear a <x, x'> + sum_matern a (1 + t + t^2 / 3) exp(-t) + noise [x = x']
    t = sqrt(5) |x - x'| / l

Amplitudes a, squared length scales l^2 and noise have log-normal priors (`PRIOR`); their logarithms
maximise log likelihood plus log prior (L-BFGS-B with analytic gradients, SciPy's).

Shapes: n cells to learn from, G groups, F features of a group, H hyperparameters: G logarithms of
amplitudes, those of the squared length scales of Matern groups, that of the noise.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.linalg
import scipy.optimize

from nas_tf.core import ConfigError, NasError

KINDS = ("linear", "matern")
# Means and standard deviations of the logarithms of amplitudes, squared lengths and noise.
PRIOR = {"amplitude": (np.log(0.5), 1.5), "length": (0.0, 1.0), "noise": (np.log(0.05), 1.0)}

_STEPS = 60  # of L-BFGS-B, at most
_TOLERANCE = 1e-6  # relative decrease of the objective at which it stops
_FAR = 6.0  # deviations of a prior that a hyperparameter may be off


@dataclasses.dataclass(frozen=True)
class Kernel:
    """Which kernel each group has.

    Attributes:
        kinds: G of `KINDS`.
    """

    kinds: tuple[str, ...]

    def __post_init__(self):
        if not self.kinds or any(kind not in KINDS for kind in self.kinds):
            raise ConfigError(f"kinds={self.kinds}: expected some of {', '.join(KINDS)}")

    @property
    def num_hyperparameters(self) -> int:
        """H."""
        return len(self.kinds) + self.kinds.count("matern") + 1

    def prior(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns means and deviations of the logarithms, float64 [H] each."""
        matern = self.kinds.count("matern")
        names = ["amplitude"] * len(self.kinds) + ["length"] * matern + ["noise"]
        mean, deviation = np.array([PRIOR[name] for name in names]).T
        return mean, deviation

    def amplitudes(self, logarithms: np.ndarray) -> np.ndarray:
        """Returns a of every group, float64 [G]."""
        return np.exp(logarithms[: len(self.kinds)])

    def lengths(self, logarithms: np.ndarray) -> list[float]:
        """Returns l^2 of every group; 1 of linear ones."""
        matern = iter(np.exp(logarithms[len(self.kinds) : -1]).tolist())
        return [next(matern) if kind == "matern" else 1.0 for kind in self.kinds]

    def pairs(
        self,
        first: Sequence[np.ndarray],
        second: Sequence[np.ndarray],
        second_squares: Sequence[np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        """Returns all that the kernel needs to know of pairs of cells.

        Args:
            first: features [n, F] a group.
            second: features [m, F] a group.
            second_squares: their squared norms [m] a group, where known.

        Returns:
            products of a linear group, squared distances of a Matern one, [n, m] a group.
        """
        known = second_squares or [None] * len(self.kinds)
        return [
            one @ other.T if kind == "linear" else squared_distances(one, other, squares)
            for kind, one, other, squares in zip(self.kinds, first, second, known, strict=True)
        ]

    def of_pairs(self, logarithms: np.ndarray, pairs: Sequence[np.ndarray]) -> np.ndarray:
        """Returns the kernel of pairs [n, m] a group, which are overwritten, without noise.

        Args:
            logarithms: float64 [H].
            pairs: as `pairs` returned them.
        """
        total, lengths = None, self.lengths(logarithms)
        amplitudes = self.amplitudes(logarithms)
        for kind, amplitude, length, group in zip(
            self.kinds, amplitudes.tolist(), lengths, pairs, strict=True
        ):
            if kind == "linear":
                group *= group.dtype.type(amplitude)
            else:
                matern(group, length, amplitude)
            total = group if total is None else np.add(total, group, out=total)
        return total

    def diagonal(
        self, logarithms: np.ndarray, squares: Sequence[np.ndarray]
    ) -> np.ndarray:
        """Returns the prior variance of cells with squared norms [m] a group, [m]."""
        amplitudes = self.amplitudes(logarithms)
        total = np.zeros_like(squares[0])
        for kind, amplitude, square in zip(self.kinds, amplitudes, squares, strict=True):
            total += square.dtype.type(amplitude) * (square if kind == "linear" else 1)
        return total


def squared_distances(
    first: np.ndarray, second: np.ndarray, second_squares: np.ndarray | None = None
) -> np.ndarray:
    """Returns squared distances between rows [n, F] and [m, F], [n, m]; none is negative."""
    if second_squares is None:
        second_squares = squared_norms(second)
    squares = first @ second.T
    squares *= -2
    squares += squared_norms(first)[:, None]
    squares += second_squares
    return np.maximum(squares, 0, out=squares)


def squared_norms(features: np.ndarray) -> np.ndarray:
    """Returns the squared norms of rows [n, F], [n]."""
    return np.einsum("nf,nf->n", features, features)


def matern(squares: np.ndarray, squared_length: float, amplitude: float = 1.0) -> np.ndarray:
    """Returns the Matern-5/2 kernel at squared distances, which are overwritten."""
    kind = squares.dtype.type
    squares *= kind(5.0 / squared_length)
    root = np.sqrt(squares)
    squares *= kind(1.0 / 3.0)
    squares += root
    squares += kind(1.0)
    np.negative(root, out=root)
    np.exp(root, out=root)
    squares *= root
    squares *= kind(amplitude)
    return squares


class Training:
    """Cells to learn from, and what hyperparameters make of them.

    Of pairs of cells only products and distances reach the kernel; they are kept below the
    diagonal alone, as vectors [n (n - 1) / 2].
    """

    def __init__(self, kernel: Kernel, features: Sequence[np.ndarray]):
        """Args: kernel: of the groups; features: [n, F] a group."""
        self._kernel = kernel
        own = [group.astype(np.float64) for group in features]
        self.size = len(own[0])
        self._below = np.flatnonzero(np.tri(self.size, k=-1, dtype=bool))  # in a flat [n, n]
        self._squares = [squared_norms(group) for group in own]
        self._pairs = [
            group.ravel()[self._below] if kind == "linear"
            else np.sqrt(5.0 * group.ravel()[self._below])
            for kind, group in zip(kernel.kinds, kernel.pairs(own, own), strict=True)
        ]

    def factor(self, logarithms: np.ndarray) -> np.ndarray:
        """Returns the lower Cholesky factor of kernel and noise, float64 [n, n].

        Raises:
            NasError: there is none.
        """
        return self._upper(logarithms, self._slopes(logarithms)).T

    def fit(self, target: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Returns the hyperparameters of highest posterior probability, logarithms float64 [H].

        Args:
            target: float64 [n], of mean about 0 and variance about 1.
            start: logarithms [H] to begin with.
        """
        mean, deviation = self._kernel.prior()
        bounds = np.stack([mean - _FAR * deviation, mean + _FAR * deviation], axis=1)
        found = scipy.optimize.minimize(
            self.objective,
            start,
            (np.asarray(target, np.float64),),
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
            options={"maxiter": _STEPS, "ftol": _TOLERANCE, "gtol": 1e-3},
        )
        return found.x

    def objective(self, logarithms: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
        """Returns minus the log posterior of hyperparameters, but for a constant, and its gradient.

        Args:
            logarithms: float64 [H].
            target: float64 [n].
        """
        slopes = self._slopes(logarithms)
        upper = self._upper(logarithms, slopes)
        weights, _ = scipy.linalg.lapack.dpotrs(upper, target)
        value = 0.5 * target @ weights + np.log(np.diag(upper)).sum()
        inverse, _ = scipy.linalg.lapack.dpotri(upper, overwrite_c=1)  # its upper triangle
        below = inverse.T.ravel()[self._below] - np.outer(weights, weights).ravel()[self._below]
        diagonal = 0.5 * (np.diag(inverse) - weights**2)
        gradient = [below @ slope + (diagonal * own).sum() for slope, own in slopes]
        gradient.append(np.exp(logarithms[-1]) * diagonal.sum())
        mean, deviation = self._kernel.prior()
        away = (logarithms - mean) / deviation
        return value + 0.5 * away @ away, np.array(gradient) + away / deviation

    def _slopes(self, logarithms: np.ndarray) -> list[tuple[np.ndarray, np.ndarray | float]]:
        """Returns the kernel's derivatives by all logarithms but the noise, below and on the
        diagonal; those by amplitudes are the groups' shares of the kernel."""
        kernel = self._kernel
        amplitudes, lengths = kernel.amplitudes(logarithms), kernel.lengths(logarithms)
        by_amplitude, by_length = [], []
        for group, kind in enumerate(kernel.kinds):
            pairs, amplitude = self._pairs[group], amplitudes[group]
            if kind == "linear":
                by_amplitude.append((amplitude * pairs, amplitude * self._squares[group]))
                continue
            far = pairs * (1.0 / np.sqrt(lengths[group]))
            decay = amplitude * np.exp(-far)
            rise = (1.0 + far) * decay
            far *= far
            decay *= far * (1.0 / 3.0)
            decay += rise
            by_amplitude.append((decay, amplitude))
            rise *= far * (1.0 / 6.0)
            by_length.append((rise, 0.0))
        return by_amplitude + by_length

    def _upper(self, logarithms: np.ndarray, slopes: list) -> np.ndarray:
        """Returns the upper Cholesky factor of kernel and noise, float64 [n, n], Fortran order."""
        covariance = np.zeros((self.size, self.size))  # its lower triangle; LAPACK reads it across
        shares = slopes[: len(self._kernel.kinds)]
        covariance.ravel()[self._below] = sum(below for below, _ in shares)
        covariance.flat[:: self.size + 1] = sum(own for _, own in shares) + np.exp(logarithms[-1])
        upper, info = scipy.linalg.lapack.dpotrf(covariance.T, overwrite_a=1)
        if info:
            raise NasError(
                f"the Gaussian process has a singular kernel at cell {info} of {self.size}; the "
                "features are not finite, or there is no noise"
            )
        return upper
