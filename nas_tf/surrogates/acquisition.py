"""What a query promises, given a normal belief about its answer.

Shapes: [...] cells.
"""

import numpy as np
from scipy import special

ACQUISITIONS = ("expected_improvement", "upper_bound", "thompson")
UPPER_DEVIATIONS = 2.0  # of `upper_bound`

_ROOT = np.float32(1.0 / np.sqrt(2.0 * np.pi))


def expected_improvement(
    mean: np.ndarray, deviation: np.ndarray, best: float
) -> np.ndarray:
    """Returns E[max(answer - best, 0)] (Mockus et al., 1978), [...].

        s (z Phi(z) + phi(z)),    z = (mean - best) / s

    Args:
        mean: of the answers, [...].
        deviation: s, positive, [...].
        best: what is to be surpassed.
    """
    z = (mean - mean.dtype.type(best)) / deviation
    density = np.exp(z * z * z.dtype.type(-0.5)) * z.dtype.type(_ROOT)
    return deviation * (z * special.ndtr(z) + density)


def acquisition(
    name: str, mean: np.ndarray, deviation: np.ndarray, best: float, noise: np.ndarray | None
) -> np.ndarray:
    """Returns what is to be highest at the next query, [...].

    Args:
        name: one of `ACQUISITIONS`; "upper_bound" is mean + 2 s, "thompson" mean + s times noise.
        mean, deviation, best: as in `expected_improvement`.
        noise: standard normal numbers [...], which "thompson" alone needs.
    """
    if name == "expected_improvement":
        return expected_improvement(mean, deviation, best)
    if name == "upper_bound":
        return mean + mean.dtype.type(UPPER_DEVIATIONS) * deviation
    return mean + deviation * noise
