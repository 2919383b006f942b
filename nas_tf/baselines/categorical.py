"""Cells as independent categorical decisions, and what the searches over them share.

The encoding of the NAS-Bench-101 study (Ying et al., 2019, arXiv:1902.09635): one choice for every
possible edge and one for the operation of every interior node; on NAS-Bench-201 (Dong and Yang,
2020, arXiv:2001.00326) one for the operation of every edge. Many codes are no cell of the pool:
those without a path or with too many edges, and cells the table lacks. Many are the same cell:
isomorphic ones, and those that differ where no path leads.

A search draws codes until one is a cell of the pool that the run has not queried, as the study
draws again what is invalid; after `MAX_CODES` codes it takes any cell it has not queried. A run's
codes follow from its seed, the number of the query and what it has learned.

Shapes: R runs, M cells of the pool, D decisions, C choices of the decision with the most, A codes
drawn for a query, K some of the runs, Q queries.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nas_tf import core
from nas_tf import graphs
from nas_tf.pools import pool_search
from nas_tf.pools.asking import Draft
from nas_tf.pools.open_pool import OpenPool
from nas_tf.pools.pool import Pool
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.decisions import Decisions
from nas_tf.spaces.space import SearchSpace

MAX_CODES = 256  # drawn for a query before any cell is taken

_CHUNK = 8  # codes drawn at a time; most often one of them will do
_MAX_TABLE = 1 << 16  # codes of a space that are looked up in a table made beforehand
_NUM_DRAWS = 4  # random numbers of a query, by these names
ANY_CELL, SAMPLING, MODEL, COIN = range(_NUM_DRAWS)


class CodedPool:
    """Finds the cell of a pool that a code stands for."""

    def __init__(self, pool: Pool | OpenPool, encoding: Decisions, listed: bool):
        """Prepares the search for cells.

        Args:
            pool: numbers cells.
            encoding: of its cells.
            listed: the pool is known beforehand, so that codes may be looked up at once.
        """
        self._encoding, self._pool = encoding, pool
        self._table = None
        num_codes = math.prod(encoding.num_choices)
        if listed and num_codes <= _MAX_TABLE:
            every = np.unravel_index(np.arange(num_codes), encoding.num_choices)
            self._table = self._decode(np.stack(every, axis=-1).astype(np.int8))

    def find(self, codes: np.ndarray) -> np.ndarray:
        """Returns the indices int32 [...] of codes int8 [..., D] in the pool; -1 is outside it."""
        if self._table is None:
            return self._decode(codes)
        return self._table[
            np.ravel_multi_index(np.moveaxis(codes, -1, 0), self._encoding.num_choices)
        ]

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        cells, valid = self._encoding.decode(codes)
        index = np.full(valid.shape, -1, np.int32)
        index[valid] = self._pool.find(cells[valid])
        return index


class CategoricalSearch(pool_search.PoolSearch):
    """Base of strategies that draw codes, one query a round; it keeps the codes queried."""

    def __init__(
        self,
        cells: CellGraphs | None,
        encoding: Decisions,
        *,
        seeds: Sequence[int],
        stream: core.Stream,
        space: SearchSpace | None = None,
    ):
        """Args as of `PoolSearch`; encoding: of the pool's cells, or the space's."""
        self._encoding = encoding
        self._num_choices = np.array(encoding.num_choices)
        # Where a decision has a choice, bool [D, C].
        self._allowed = np.arange(self._num_choices.max()) < self._num_choices[:, None]
        super().__init__(cells, seeds=seeds, stream=stream, num_draws=_NUM_DRAWS, space=space)
        self._coded = CodedPool(self._pool, encoding, listed=self.has_pool)

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `restore` needs; 16 + D bytes a query."""
        shape = (len(self._codes), len(self._seeds), len(self._num_choices))
        codes = np.array(self._codes, np.int8).reshape(shape)
        return {**super().state(), "codes": codes.transpose(1, 0, 2)}

    def _propose_coded(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Does `_propose`, and returns the codes int8 [R, D] as well."""
        raise NotImplementedError

    def _propose_draft(self, uniform: np.ndarray) -> Draft | None:
        proposed = self._propose_coded(uniform)
        return None if proposed is None else Draft(*proposed)

    def _clear(self) -> None:
        super()._clear()
        self._codes: list[np.ndarray] = []  # int8 [R, D], by number

    def _note_asked(self, number: int, runs: np.ndarray, cells: np.ndarray, extra: Any) -> None:
        super()._note_asked(number, runs, cells, extra)
        codes = self._no_codes(len(self._seeds))
        codes[runs] = extra[runs]
        self._codes.append(codes)

    def _extras(self, state: Mapping[str, np.ndarray]) -> Sequence[np.ndarray]:
        return state["codes"].transpose(1, 0, 2)

    def _draw_new(
        self, runs: np.ndarray, probabilities: np.ndarray, uniform: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draws codes until one is a new cell of the pool; after `MAX_CODES`, takes any new cell.

        Args:
            runs: int [K].
            probabilities: float64 [K, D, C] of the choices.
            uniform: float64 [R, 4], the random numbers of the query.

        Returns:
            int [K] cells and int8 [K, D] codes; a cell that was not drawn has the code -1.
        """
        cumulative = np.cumsum(probabilities, axis=-1)
        size = len(self._num_choices)

        def draw(rows: np.ndarray, start: int) -> np.ndarray:
            seeds = uniform[runs[rows], SAMPLING]
            numbers = expand(seeds, start * size, _CHUNK * size).reshape(-1, _CHUNK, size, 1)
            codes = (numbers >= cumulative[rows, None]).sum(axis=-1)
            return np.minimum(codes, self._num_choices - 1).astype(np.int8)

        cells, codes = self._first_new(runs, draw, MAX_CODES)
        left = np.flatnonzero(cells < 0)
        if len(left):
            cells[left] = self._any_new(runs[left], uniform[:, ANY_CELL])
        return cells, codes

    def _first_new(
        self, runs: np.ndarray, propose: Callable[[np.ndarray, int], np.ndarray], count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns, for each of some runs [K], the first of its codes that is a new cell.

        Args:
            runs: int [K].
            propose: rows of `runs`, int [k], and a number n -> their codes n to n + 7, int8
                [k, 8 or fewer, D].
            count: codes that a run has.

        Returns:
            int32 [K] cells and int8 [K, D] codes; -1 where a run has none.
        """
        cells, codes = np.full(len(runs), -1, np.int32), self._no_codes(len(runs))
        left = np.arange(len(runs))
        for start in range(0, count, _CHUNK):
            candidates = propose(left, start)
            index = self._coded.find(candidates)
            new = (index >= 0) & ~self._queried.find(runs[left], index)[0]
            row, first = np.flatnonzero(new.any(axis=1)), np.argmax(new, axis=1)
            cells[left[row]] = index[row, first[row]]
            codes[left[row]] = candidates[row, first[row]]
            left = left[cells[left] < 0]
            if not len(left):
                break
        return cells, codes

    def _no_codes(self, count: int) -> np.ndarray:
        return np.full((count, len(self._num_choices)), -1, np.int8)


def one_hot(codes: np.ndarray, num_choices: int) -> np.ndarray:
    """Returns bool [..., D, C] of codes [..., D]."""
    return codes[..., None] == np.arange(num_choices, dtype=np.int8)


def expand(uniform: np.ndarray, start: int, count: int) -> np.ndarray:
    """Makes more random numbers of each one: SplitMix64 (Steele et al., 2014), seeded with it.

    Args:
        uniform: float64 [K] in [0, 1).
        start: number of the first one made.
        count: how many to make.

    Returns:
        float64 [K, count] in [0, 1).
    """
    seed = (np.asarray(uniform) * 2.0**53).astype(np.uint64)
    steps = np.arange(start + 1, start + count + 1).astype(np.uint64)
    states = graphs.scramble(seed)[:, None] + steps * graphs.SPLIT_MIX_STEP
    return (graphs.scramble(states) >> np.uint64(11)) * 2.0**-53
