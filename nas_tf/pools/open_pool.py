"""A pool that grows: the cells that searches meet in a space that nobody has enumerated.

Cells get their numbers in the order in which they are met, by their very graphs: what a number
stands for does not depend on which of several isomorphic graphs another run has met before. What a
run has asked for is known by architecture. Neighbours are ordered by key. So nothing that a run
does depends on the order of discovery.

Shapes: R runs, M cells met, K some of the runs, W neighbours of the cell with the most, N nodes.
"""

from collections.abc import Callable

import numpy as np

from nas_tf import core
from nas_tf.graphs import CellGraphs
from nas_tf.pools.neighbours import Neighbours
from nas_tf.pools.pool import Queried
from nas_tf.spaces.space import SearchSpace

_DRAWS = (8, 64, 512, 4096)  # cells drawn at a time before a search gives up


class OpenPool:
    """Numbers the cells of a space as they come; it is used like `pool.Pool`.

    Attributes:
        space: where cells come from.
    """

    def __init__(self, space: SearchSpace):
        """Args: space: see above."""
        self.space = space
        self._numbers: dict[bytes, int] = {}  # of graphs
        self._first: dict[int, int] = {}  # of keys, the number of the first graph met
        self._architecture = np.zeros(0, np.int64)
        self._cells: CellGraphs | None = None  # with room for more
        self._neighbours = Neighbours(self, space)

    @property
    def cells(self) -> CellGraphs:
        """The cells met, [M]."""
        if self._cells is None:
            size = self.space.max_nodes
            shapes = ((0, size, size), np.uint8), ((0, size), np.int8), ((0,), np.int8)
            return CellGraphs(*(np.zeros(*shape) for shape in shapes))
        return self._cells[: len(self._numbers)]

    def queried(self, num_runs: int) -> Queried:
        """Returns the books of runs that have asked for nothing."""
        return Queried(num_runs, lambda cells: self._architecture[cells])

    def find(self, cells: CellGraphs) -> np.ndarray:
        """Returns the numbers int32 [...] of cells [...], new ones for those not met before."""
        flat = cells.reshape(-1)
        names = [_name(*graph) for graph in zip(flat.adjacency, flat.ops, flat.num_nodes)]
        new = {}
        for position, name in enumerate(names):
            if name not in self._numbers:
                self._numbers[name] = len(self._numbers)
                new[name] = position
        if new:
            self._append(flat[np.fromiter(new.values(), np.int64)])
        numbers = np.array([self._numbers[name] for name in names], np.int32)
        return numbers.reshape(cells.shape)

    def neighbours(self, index: np.ndarray) -> np.ndarray:
        """Returns the neighbours of cells; see `Neighbours.of`."""
        return self._neighbours.of(index)

    def check_left(self, queried: Queried, runs: np.ndarray) -> None:
        """Does nothing: how many cells there are is not known."""

    def draw(
        self,
        queried: Queried,
        runs: np.ndarray,
        unused_uniform: np.ndarray,
        rng: Callable[[int], np.random.Generator],
    ) -> np.ndarray:
        """Returns int [K], a random cell for each of some runs that it has not asked for.

        Args:
            queried: by all R runs.
            runs: int [K].
            unused_uniform: as of `pool.Pool`.
            rng: gives a run the generator that its cells are drawn with.

        Raises:
            core.NasError: all cells drawn were asked for before.
        """
        return np.array([self._draw_one(queried, run, rng(run)) for run in runs], np.int64)

    def vary(
        self, queried: Queried, run: int, cell: int, rng: np.random.Generator
    ) -> int:
        """Returns a random edit of a cell that the run has not asked for, or -1 if none comes."""
        for count in _DRAWS[:2]:
            origin = self.cells[np.full(count, cell)]
            found = self._first_new(queried, run, self.space.mutate(origin, rng))
            if found >= 0:
                return found
        return -1

    def _draw_one(self, queried: Queried, run: int, rng: np.random.Generator) -> int:
        for count in _DRAWS:
            found = self._first_new(queried, run, self.space.random_cells(rng, (count,)))
            if found >= 0:
                return found
        raise core.NasError(
            f"run {run}: each of {sum(_DRAWS)} random cells of the space has been asked for "
            "before; a search's budget must end before the space does"
        )

    def _first_new(self, queried: Queried, run: int, cells: CellGraphs) -> int:
        numbers = self.find(cells)
        asked, _ = queried.find(np.array([run]), numbers[None])
        fresh = np.flatnonzero(~asked[0])
        return int(numbers[fresh[0]]) if len(fresh) else -1

    def _append(self, cells: CellGraphs) -> None:
        """Puts cells [K] that have just got their numbers where they belong."""
        start, end = len(self._numbers) - len(cells), len(self._numbers)
        if self._cells is None or end > len(self._cells):
            room = _room(cells, max(2 * start, end) - start)
            met = [] if self._cells is None else [self._cells[:start]]
            self._cells = CellGraphs.concatenate([*met, room])
            self._architecture = np.resize(self._architecture, len(self._cells))
        keys = cells.keys
        for name in ("adjacency", "ops", "num_nodes"):
            getattr(self._cells, name)[start:end] = getattr(cells, name)
        self._cells.known_keys[start:end] = keys
        first = [self._first.setdefault(key, n) for n, key in enumerate(keys.tolist(), start)]
        self._architecture[start:end] = first


def _room(cells: CellGraphs, count: int) -> CellGraphs:
    """Returns `count` cells like the given ones, to be overwritten, with keys."""
    room = cells[np.zeros(count, np.int64)]
    return room.with_keys(np.zeros(count, np.uint64))


def _name(adjacency: np.ndarray, ops: np.ndarray, num_nodes: np.ndarray) -> bytes:
    return adjacency.tobytes() + ops.tobytes() + num_nodes.tobytes()
