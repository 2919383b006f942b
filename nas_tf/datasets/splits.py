"""Disjoint parts of labelled images, the classes kept in proportion. NumPy only.

Shapes: n images, K classes.
"""

import numpy as np


class SmallClassError(ValueError):
    """A class has too few images to be in two parts.

    Attributes:
        label: the class.
        count: its images.
    """

    def __init__(self, label: int, count: int):
        super().__init__(f"class {label} has {count} image, expected at least 2")
        self.label, self.count = label, count


def quotas(counts: np.ndarray, wanted: int) -> np.ndarray:
    """Returns how many images of every class make a part, int64 [K].

    They are proportional to the counts, by largest remainders (the first of equal ones), and at
    least one a class.

    Args:
        counts: int [K], images of every class, each at least 1.
        wanted: size of the part, K to n.
    """
    exact = counts * (wanted / counts.sum())
    shares = np.maximum(np.floor(exact).astype(np.int64), 1)
    while (missing := wanted - shares.sum()) != 0:
        change = np.sign(missing)
        gap = change * (exact - shares)
        open_to_it = shares < counts if change > 0 else shares > 1
        best = np.argsort(np.where(open_to_it, -gap, np.inf), kind="stable")
        chosen = best[: min(abs(missing), open_to_it.sum())]
        shares[chosen] += change
    return shares


def choose(
    labels: np.ndarray, share: float | int, rng: np.random.Generator, *, spare: bool = False
) -> np.ndarray:
    """Returns bool [n]: images drawn at random, classes in proportion.

    Args:
        labels: int [n].
        share: of the images, or how many of them where it is an int; as near as every class
            having one allows.
        rng: draws them.
        spare: every class keeps one that is not drawn.

    Raises:
        SmallClassError: a class has not as many images as that needs.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < 1 + spare:
        raise SmallClassError(int(classes[counts.argmin()]), int(counts.min()))
    wanted = share if isinstance(share, int) else round(share * len(labels))
    available = counts - int(spare)
    wanted = int(np.clip(wanted, len(classes), available.sum()))
    chosen = np.zeros(len(labels), bool)
    for number, quota in zip(classes, quotas(available, wanted)):
        chosen[rng.permutation(np.flatnonzero(labels == number))[:quota]] = True
    return chosen
