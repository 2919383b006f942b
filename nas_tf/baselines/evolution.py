"""Regularized evolution: the child of a tournament's winner replaces the oldest of the population.

Real et al. (2019), arXiv:1802.01548, algorithm 1, with the hyperparameters of the NAS-Bench-101
study (Ying et al., 2019, arXiv:1902.09635): a population of 100, tournaments of 10.

The population begins with random cells. Then, at every query, `tournament_size` members are drawn
with replacement, the most accurate one (the first drawn of equals) becomes the parent, and its
child joins while the oldest member leaves. In the study's code (github.com/automl/nas_benchmarks)
a child differs from its parent in one edit: one of the 21 edges and 5 operations, all equally
likely, is flipped or changed. The benchmark's example notebook differs: a population of 50,
tournaments without replacement, and a child with every edge flipped with probability 1/7 and every
operation changed with probability 1/5.

Here a child is one of the parent's neighbours in the pool, all equally likely: one edit, with
isomorphic results counted once. What the papers leave open:
- A run never queries an architecture twice: neighbours it has queried are no candidates, and when
  none is left the child is a random cell of the pool that it has not queried.
- An infeasible cell never joins the population, and nobody leaves for it.
- Without a pool the child is one of all the parent's neighbours; where the space cannot tell these,
  a random edit (`mutate`), drawn again where the run has asked for it before.

Shapes: R runs, M cells of the pool, P members of a population, T members of a tournament, K runs
that made a query.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf import core
from nas_tf.pools import pool
from nas_tf.pools import pool_search
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace


class RegularizedEvolution(pool_search.PoolSearch):
    """Strategy that evolves one population a run.

    Cells that are out are not asked for again and belong to no population yet: it grows and ages
    in the order of the answers. Nothing waits for them.

    The recipe (`strategies.evolution`) checks the ranges of settings.
    """

    def __init__(
        self,
        cells: CellGraphs | None,
        space: SearchSpace,
        *,
        seeds: Sequence[int],
        population_size: int = 100,
        tournament_size: int = 10,
        neighbour_edits: int = 2,
    ):
        """Makes R empty populations.

        Args:
            cells: the pool [M]; None is all of the space, enumerated or not.
            space: says which cells are one edit apart, by its `neighbours`, or, where there is no
                pool, by its `mutate`.
            seeds: R non-negative seeds. Nothing else of a run is random.
            population_size: P.
            tournament_size: T, members drawn for every child; at most P.
            neighbour_edits: of a cell without neighbours in the pool, see `pools.pool.Pool`.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        self._size = population_size
        super().__init__(
            cells,
            seeds=seeds,
            stream=core.Stream.EVOLUTION,
            num_draws=1 + tournament_size,
            space=space,
            neighbour_edits=neighbour_edits,
        )
        self._mutates = cells is None and not space.has("neighbours")

    def _clear(self) -> None:
        super()._clear()
        shape = (len(self._seeds), self._size)
        self._members = np.full(shape, -1, np.int32)  # a ring: the newest replaces the oldest
        self._fitness = np.full(shape, -np.inf)
        self._num_joined = np.zeros(len(self._seeds), np.int64)

    def _propose(self, uniform: np.ndarray) -> np.ndarray:
        proposed = np.full(len(self._seeds), -1, np.int64)
        runs = np.flatnonzero(self._active & (self._num_joined >= self._size))
        if len(runs):
            parents = self._winners(runs, uniform[runs, 1:])
            make = self._edits if self._mutates else self._children
            proposed[runs] = make(runs, parents, uniform[runs, 0])
        without = np.flatnonzero((proposed < 0) & self._active)
        if len(without):
            proposed[without] = self._any_new(without, uniform[:, 0])
        return np.maximum(proposed, 0)  # of a run that is over any will do

    def _children(self, runs: np.ndarray, parents: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Returns int [K], a new neighbour of each parent, by `uniform` [K]; -1 where none is."""
        children = self._pool.neighbours(parents)  # [K, W]
        fresh = (children >= 0) & ~self._queried.find(runs, children)[0]
        chosen = pool.choose(fresh, uniform)
        child = np.take_along_axis(children, chosen[:, None], axis=1)[:, 0]
        return np.where(fresh.any(axis=1), child, -1)

    def _edits(
        self, runs: np.ndarray, parents: np.ndarray, unused_uniform: np.ndarray
    ) -> np.ndarray:
        """Returns int [K], a new random edit of each parent; -1 where none came."""
        number = self._next_number
        return np.array(
            [
                self._pool.vary(self._queried, run, parent, self._rng(run, number))
                for run, parent in zip(runs, parents)
            ],
            np.int64,
        )

    def _winners(self, runs: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Returns int32 [K], the winners of tournaments drawn by `uniform` [K, T]."""
        drawn = (uniform * self._size).astype(np.int64)
        fitness = np.take_along_axis(self._fitness[runs], drawn, axis=1)
        best = np.argmax(fitness, axis=1)
        return self._members[runs, drawn[np.arange(len(runs)), best]]

    def _learn(
        self, number: int, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray
    ) -> None:
        feasible = ~np.isnan(accuracy)
        runs = runs[feasible]
        slot = self._num_joined[runs] % self._size
        self._members[runs, slot] = cells[feasible]
        self._fitness[runs, slot] = accuracy[feasible]
        self._num_joined[runs] += 1
