"""Searches that choose some cells, wait for nothing, and choose the next ones.

Shapes: R runs, M cells of a pool.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_tf.graphs import CellGraphs
from nas_tf.pools import pool_search
from nas_tf.pools.asking import Draft


class RoundSearch(pool_search.PoolSearch):
    """Base of strategies that begin with random cells and then choose in rounds.

    A subclass says which cell is next (`_choose`); the cells of a round before it count as out.
    """

    def __init__(
        self,
        cells: CellGraphs | None,
        *,
        seeds: Sequence[int],
        num_initial: int,
        round_size: int,
        **pool: Any,
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M]; None is all of the space.
            seeds: R non-negative seeds.
            num_initial: random cells a run begins with.
            round_size: queries of a round.
            **pool: the other arguments of `PoolSearch`.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        self._num_initial, self._round_size = num_initial, round_size
        super().__init__(cells, seeds=seeds, num_draws=1, **pool)

    def _choose(self, runs: np.ndarray) -> np.ndarray:
        """Returns int [K], the next cell of some runs, int [K], which must be new to them."""
        raise NotImplementedError

    def _propose(self, uniform: np.ndarray) -> np.ndarray:
        runs = np.flatnonzero(self._active)
        begins = self._next_number < self._num_initial
        proposed = np.zeros(len(self._seeds), np.int64)
        proposed[runs] = self._any_new(runs, uniform[:, 0]) if begins else self._choose(runs)
        return proposed

    def _draft(self) -> list[Draft]:
        size = 1 if self._next_number < self._num_initial else self._round_size
        before = len(self._drafts)
        try:
            for _ in range(size):
                self._drafts += [one._replace(ends_round=False) for one in super()._draft()]
            found = self._drafts[before:]
        finally:
            del self._drafts[before:]
        return [*found[:-1], *(last._replace(ends_round=True) for last in found[-1:])]
