"""Answers of a run that has some cells measured twice.

The best of many noisy measurements is an optimist: a cell that has become the best observed is
measured once more, and counts with what it is told then.

Shapes: m queries, the first n of them answered; d cells asked for, the first a of them answered.
"""

from typing import NamedTuple

import numpy as np


class Seen(NamedTuple):
    """What a run knows of every cell that it asked for.

    Attributes:
        cells: int [d], answered ones first, in the order of their first answers.
        accuracy: float64 [a], the last answer to each; NaN is infeasible.
        times: int64 [d], how often it was asked for.
    """

    cells: np.ndarray
    accuracy: np.ndarray
    times: np.ndarray

    @classmethod
    def of(cls, cells: np.ndarray, accuracy: np.ndarray) -> "Seen":
        """Sums up queries.

        Args:
            cells: int [m], answered ones first, in the order of arrival.
            accuracy: float64 [n].
        """
        distinct, first, times = np.unique(cells, return_index=True, return_counts=True)
        order = np.argsort(first)
        answered = int((first < len(accuracy)).sum())
        last = dict(zip(cells[: len(accuracy)].tolist(), accuracy.tolist()))
        distinct = distinct[order]
        values = [last[cell] for cell in distinct[:answered].tolist()]
        return cls(distinct, np.array(values, np.float64), times[order])

    def doubted(self) -> int | None:
        """Returns the best cell if it was asked for only once; None if it was asked for again."""
        known = np.where(np.isnan(self.accuracy), -np.inf, self.accuracy)
        if not len(known) or known.max() == -np.inf:
            return None
        best = int(np.argmax(known))
        return int(self.cells[best]) if self.times[best] == 1 else None


def as_of(cells: np.ndarray, accuracy: np.ndarray, size: int) -> np.ndarray:
    """Returns what was known of the first `size` cells when the last of them was first answered.

    Args:
        cells, accuracy: as of `Seen.of`.
        size: of different cells, at most as many as have an answer.

    Returns:
        float64 [size].
    """
    answered = cells[: len(accuracy)]
    first = np.sort(np.unique(answered, return_index=True)[1])
    end = int(first[size - 1]) + 1
    return Seen.of(answered[:end], accuracy[:end]).accuracy
