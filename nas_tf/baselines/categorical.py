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
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from nas_tf import core
from nas_tf import graphs
from nas_tf.pools import pool_search
from nas_tf.graphs import PADDING_OP, CellGraphs
from nas_tf.spaces import nasbench101
from nas_tf.spaces import nasbench201

MAX_CODES = 256  # drawn for a query before any cell is taken

_CHUNK = 8  # codes drawn at a time; most often one of them will do
_MAX_TABLE = 1 << 16  # codes of a space that are looked up in a table made beforehand
_NUM_DRAWS = 4  # random numbers of a query, by these names
ANY_CELL, SAMPLING, MODEL, COIN = range(_NUM_DRAWS)


class Encoding(Protocol):
    """A cell as D choices.

    Attributes:
        num_choices: choices of every decision, at least 2.
    """

    num_choices: tuple[int, ...]

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns one code of every cell, int8 [..., D]."""

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the pruned cells of codes [..., D], and bool [...]: it is in the space."""


class NasBench101Encoding:
    """Every edge of the upper triangle, row by row, 1 is there; then every interior operation.

    A graph has `max_vertices` nodes, of which the last is the output; what lies on no path is
    pruned. The study's graphs have 7 (26 decisions). A pool of smaller cells is searched with as
    many as its largest cell has.
    """

    def __init__(self, max_vertices: int = nasbench101.MAX_VERTICES):
        """Args: max_vertices: 2 to 7.

        Raises:
            core.ConfigError: it is not.
        """
        if not 2 <= max_vertices <= nasbench101.MAX_VERTICES:
            raise core.ConfigError(
                f"max_vertices={max_vertices}: expected 2 to {nasbench101.MAX_VERTICES}"
            )
        self._size = max_vertices
        self._edges = np.triu_indices(max_vertices, 1)
        num_ops = len(nasbench101.INTERIOR_OPS)
        self.num_choices = (2,) * len(self._edges[0]) + (num_ops,) * (max_vertices - 2)

    @classmethod
    def of_pool(cls, cells: CellGraphs) -> "NasBench101Encoding":
        """Returns the encoding with as many vertices as the largest of the cells."""
        return cls(int(cells.num_nodes.max()))

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., D]; a node that the cell lacks has no edges and the first operation.

        Raises:
            core.InvalidArchitectureError: a cell has too many vertices.
        """
        adjacency, ops = nasbench101.with_output_last(cells, self._size)
        ops = ops[..., 1:-1]
        choices = np.maximum(ops - nasbench101.INTERIOR_OPS[0], 0)
        edges = adjacency[..., self._edges[0], self._edges[1]]
        return np.concatenate([edges, choices], axis=-1).astype(np.int8)

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns pruned cells [...], and bool [...]: connected and of few enough edges."""
        lead, num_edges = codes.shape[:-1], len(self._edges[0])
        padded = nasbench101.MAX_VERTICES
        adjacency = np.zeros((*lead, padded, padded), np.uint8)
        adjacency[..., self._edges[0], self._edges[1]] = codes[..., :num_edges]
        ops = np.full((*lead, padded), PADDING_OP, np.int8)
        ops[..., 0], ops[..., self._size - 1] = nasbench101.INPUT, nasbench101.OUTPUT
        ops[..., 1 : self._size - 1] = codes[..., num_edges:] + nasbench101.INTERIOR_OPS[0]
        cells = CellGraphs(adjacency, ops, np.full(lead, self._size, np.int8))
        cells, connected = graphs.prune(cells)
        return cells, connected & (cells.num_edges <= nasbench101.MAX_EDGES)


class NasBench201Encoding:
    """The operation of each of the six edges, in the order of the space; every code is a cell."""

    num_choices = (len(nasbench201.INTERIOR_OPS),) * len(nasbench201.EDGES)

    @classmethod
    def of_pool(cls, unused_cells: CellGraphs) -> "NasBench201Encoding":
        """Returns the encoding; it is the same for all pools."""
        return cls()

    def encode(self, cells: CellGraphs) -> np.ndarray:
        """Returns int8 [..., 6]."""
        return cells.ops[..., 1:-1] - np.int8(nasbench201.INTERIOR_OPS[0])

    def decode(self, codes: np.ndarray) -> tuple[CellGraphs, np.ndarray]:
        """Returns the cells [...] of codes [..., 6], and bool [...]: all are in the space."""
        places = np.ravel_multi_index(np.moveaxis(codes, -1, 0), self.num_choices)
        cells = nasbench201.NasBench201Space().enumerate_cells()[places]
        return cells, np.ones(codes.shape[:-1], bool)


class CodedPool:
    """Finds the cell of a pool that a code stands for."""

    def __init__(self, cells: CellGraphs, encoding: Encoding):
        """Args: cells: the pool [M], no key twice; encoding: of its cells."""
        self._encoding = encoding
        self._index = graphs.KeyIndex(cells.keys)
        self._table = None
        num_codes = math.prod(encoding.num_choices)
        if num_codes <= _MAX_TABLE:
            every = np.unravel_index(np.arange(num_codes), encoding.num_choices)
            self._table = self._decode(np.stack(every, axis=-1).astype(np.int8))

    def find(self, codes: np.ndarray) -> np.ndarray:
        """Returns the places int32 [...] of codes int8 [..., D] in the pool; -1 is outside it."""
        if self._table is None:
            return self._decode(codes)
        return self._table[
            np.ravel_multi_index(np.moveaxis(codes, -1, 0), self._encoding.num_choices)
        ]

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        cells, valid = self._encoding.decode(codes)
        places = np.full(valid.shape, -1, np.int32)
        found, inside = self._index.find(cells[valid].keys)
        places[valid] = np.where(inside, found, -1)
        return places


class CategoricalSearch(pool_search.PoolSearch):
    """Base of strategies that draw codes, one query a round; it keeps the codes queried."""

    def __init__(
        self,
        cells: CellGraphs,
        encoding: Encoding,
        *,
        seeds: Sequence[int],
        stream: core.Stream,
    ):
        """Args as of `PoolSearch`; encoding: of the pool's cells."""
        self._encoding = encoding
        self._num_choices = np.array(encoding.num_choices)
        # Where a decision has a choice, bool [D, C].
        self._allowed = np.arange(self._num_choices.max()) < self._num_choices[:, None]
        super().__init__(cells, seeds=seeds, stream=stream, num_draws=_NUM_DRAWS)
        self._coded = CodedPool(self._cells, encoding)

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `restore` needs; 12 + D bytes a query."""
        shape = (len(self._codes), len(self._seeds), len(self._num_choices))
        codes = np.array(self._codes, np.int8).reshape(shape)
        return {**super().state(), "codes": codes.transpose(1, 0, 2)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings and pool, bit for bit."""
        self._clear()
        columns = zip(
            state["queried"].T, state["accuracy"].T, state["codes"].transpose(1, 0, 2), strict=True
        )
        for cells, accuracy, codes in columns:
            self._proposed = codes
            self._record(cells, accuracy)
        self._active = state["active"].astype(bool)

    def _clear(self) -> None:
        super()._clear()
        self._codes: list[np.ndarray] = []  # int8 [R, D], one a query
        self._proposed = self._no_codes(len(self._seeds))  # of the pending suggestion

    def _learn(self, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray) -> None:
        column = self._no_codes(len(self._seeds))
        column[runs] = self._proposed[runs]
        self._codes.append(column)

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
        return np.where(cells < 0, self._queried.draw(uniform[:, ANY_CELL])[runs], cells), codes

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
            places = self._coded.find(candidates)
            new = (places >= 0) & ~self._queried.find(runs[left], places)[0]
            row, first = np.flatnonzero(new.any(axis=1)), np.argmax(new, axis=1)
            cells[left[row]] = places[row, first[row]]
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
    place = np.arange(start + 1, start + count + 1).astype(np.uint64)
    states = graphs.scramble(seed)[:, None] + place * graphs.SPLIT_MIX_STEP
    return (graphs.scramble(states) >> np.uint64(11)) * 2.0**-53
