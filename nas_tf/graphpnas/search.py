"""GraphPNAS: a generator of graphs learns, query by query, where the good cells are.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 3.3 and appendix F. Every `period` queries the
generator learns from the best cells so far (`replay`); a query is then, with probability epsilon, a
random cell (`explorer`), otherwise the first cell drawn from the generator that the pool has and
the run has not queried. The paper goes on with the weights it has; its released code starts from
new ones at every update (`restart`), and looks at random cells alone in the beginning.

What the paper leaves open:
- What the generator learns from is a cell's graph without the nodes that lie on no path, not the
  graph that was drawn: dead nodes say nothing about an accuracy.
- Where none of the graphs drawn will do, because the generator has collapsed onto cells that were
  queried, graphs near those are drawn: with logits divided by a temperature of 2, then of 4. Only
  where none of these will do the query explores; `Diagnostics` counts such queries, and those where
  the explorer has nothing new either, which take any cell of the pool. Without
  temperatures every second query of a search on NAS-Bench-201 ends there, and some searches end at
  the first good cells they met.
- While only random cells are looked at nothing is fitted, where that changes nothing.

A run's weights follow from its seed and its queries. With `restart` a state is therefore the
queries alone; without it the weights are part of it.

Cost: a fit of 60 passes over 15 graphs of NAS-Bench-201 takes 480 steps, 0.5 s of one core with 24
hidden units. Blocks of runs are fitted side by side on the processor's cores, or on devices.

Shapes: R runs, S runs of a block, M cells of the pool, G graphs of a buffer, A graphs drawn after a
fit, N nodes, T rows.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nas_tf import core
from nas_tf.graphpnas import replay
from nas_tf.graphpnas.cells import CellForm
from nas_tf.graphpnas.diagnostics import NOT_DRAWN, Diagnostics
from nas_tf.graphpnas.distribution import programs
from nas_tf.graphpnas.explorer import Exploration, Explorer
from nas_tf.graphpnas.fitting import Adam, Buffer, fit_program, fresh_adam
from nas_tf.graphpnas.learning import Learning
from nas_tf.graphpnas.rows import Generator, Graphs, num_uniform
from nas_tf.graphs import CellGraphs, KeyIndex
from nas_tf.pools import pool_search
from nas_tf.training.batches import shuffled_batches
from nas_tf.training.distribution import side_by_side

_COIN, _ANY_CELL = range(2)  # random numbers of a query
_ROOM = 32  # graphs by which the room of buffers grows
_EXPLORED = 64  # graphs of an explorer, one of which will do


class GraphSearch(pool_search.PoolSearch):
    """Strategy that queries what a generator of graphs draws (a `core.Strategy`)."""

    def __init__(
        self,
        cells: CellGraphs,
        form: CellForm,
        generator: Generator,
        *,
        seeds: Sequence[int],
        learning: Learning,
        explorer: Explorer,
        exploration: Exploration,
        run_block: int = 1,
        jit_compile: bool = True,
        devices: Sequence[str] = (),
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M].
            form: says which graphs are cells.
            generator: the network; every run has weights of its own.
            seeds: R non-negative seeds. Nothing else of a run is random.
            learning: how it learns.
            explorer: draws random graphs.
            exploration: how often.
            run_block: S, runs that one program fits; a run depends on it by rounding.
            jit_compile: compile with XLA.
            devices: where blocks of runs are fitted; empty leaves it to TensorFlow.

        Raises:
            core.ConfigError: a setting is out of range.
            ValueError: the pool is empty.
        """
        if run_block < 1:
            raise core.ConfigError(f"run_block={run_block}: expected at least 1")
        self._form, self._generator = form, generator
        self._learning, self._explorer, self._exploration = learning, explorer, exploration
        self._run_block, self._devices = run_block, list(devices)
        self._fit_program = fit_program(
            generator, learning.learning_rate, learning.clip_norm, jit_compile
        )
        self._draw, _ = programs(generator, jit_compile)
        super().__init__(cells, seeds=seeds, stream=core.Stream.GRAPH_QUERIES, num_draws=2)
        self._index = KeyIndex(self._cells.keys)
        count, rise = learning.num_samples, learning.temperature
        sizes = [count - count // 4 - count // 4, count // 4, count // 4]
        self._temperatures = np.repeat(np.float32([1.0, rise, rise**2]), sizes)  # [A]

    def state(self) -> dict[str, np.ndarray]:
        """Returns all that `restore` needs: the queries, what was drawn, and weights if kept."""
        state = super().state()
        state |= {f"drawn_{name}": value for name, value in self._diagnostics.arrays().items()}
        if not self._learning.restart and self._weights is not None:
            state["fitted"] = np.array(self._fitted)
            state["steps"] = self._adam.number
            for prefix, part in self._kept().items():
                state |= {f"{prefix}_{name}": value for name, value in part.items()}
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings and pool, bit for bit."""
        super().restore(state)
        self._diagnostics = Diagnostics.restored(
            {name[6:]: value for name, value in state.items() if name.startswith("drawn_")}
        )
        if "fitted" in state:
            self._fitted = int(state["fitted"])
            self._weights = _named(state, "weight_")
            first, second = _named(state, "first_"), _named(state, "second_")
            self._adam = Adam(np.int32(state["steps"]), first, second)

    def metrics(self) -> dict[str, float]:
        """Returns what to log of the last fit: shares of what was drawn, means over runs."""
        return self._diagnostics.last()

    @property
    def cells(self) -> CellGraphs:
        """The pool [M], in the order of the places in `diagnostics`."""
        return self._cells

    @property
    def generator(self) -> Generator:
        """The network."""
        return self._generator

    @property
    def form(self) -> CellForm:
        """Which graphs are cells."""
        return self._form

    @property
    def diagnostics(self) -> Diagnostics:
        """What every fit's generator drew."""
        return self._diagnostics

    def fitted_weights(self, run: int) -> dict[str, np.ndarray]:
        """Returns the weights of a run's generator, fitted to all it has queried by now.

        Of a run that ended before others and keeps its weights they are those of its last fit, if
        there was one.
        """
        queries = sum(int(cells[run] >= 0) for cells, _ in self._columns)
        before = self._weights, self._adam, self._fitted
        kept = not self._learning.restart and self._weights is not None
        ended = kept and queries < len(self._columns)
        if not ended and (self._learning.restart or self._fitted != queries):
            self._fit(queries, np.array([run]))
        found = {name: value[run].copy() for name, value in self._weights.items()}
        self._weights, self._adam, self._fitted = before
        return found

    def _clear(self) -> None:
        super()._clear()
        self._fitted = 0  # queries the weights have seen
        self._weights: dict[str, np.ndarray] | None = None  # float32 [R, ...]
        self._adam: Adam | None = None
        self._drawn: tuple[int, np.ndarray] | None = None  # queries seen, places int32 [R, A]
        self._diagnostics = Diagnostics()

    def _propose(self, uniform: np.ndarray) -> np.ndarray:
        query = len(self._columns)
        epsilon = self._exploration.epsilon(query)
        explores = (uniform[:, _COIN] < epsilon) | (query < self._learning.period)
        cells = np.full(len(self._seeds), -1, np.int64)
        seen = query - query % self._learning.period
        if seen and (not self._learning.restart or (self._active & ~explores).any()):
            places = self._samples(seen)
            cells = _first(places, self._new(np.arange(len(cells)), places))
            self._diagnostics.count(query, self._active & ~explores & (cells < 0))
        runs = np.flatnonzero(explores | (cells < 0))
        cells[runs] = self._explored(runs, query)
        return np.where(cells < 0, self._queried.draw(uniform[:, _ANY_CELL]), cells)

    def _new(self, runs: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Returns bool [k, A]: places [k, A] are cells that their run has not queried."""
        return (places >= 0) & ~self._queried.find(runs, places)[0]

    def _explored(self, runs: np.ndarray, query: int) -> np.ndarray:
        """Returns a random new cell of each of some runs [k], or -1, int64 [k]."""
        drawn = [
            self._explorer.sample(self._rng(run, core.Stream.GRAPH_EXPLORER, query), _EXPLORED)
            for run in runs
        ]
        if not drawn:
            return np.zeros(0, np.int64)
        edges, labels = (np.stack(field) for field in zip(*drawn, strict=True))
        places = self._places(edges, labels)
        new = self._new(runs, places)
        self._diagnostics.explored(query, new[self._active[runs]])
        return _first(places, new)

    def _places(self, edges: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Returns the places int64 [...] of graphs in the pool, -1 outside it."""
        cells, valid = self._form.cells(edges, labels)
        place, inside = self._index.find(cells.keys)
        return np.where(valid & inside, place, -1)

    def _samples(self, seen: int) -> np.ndarray:
        """Returns the places int64 [R, A] of what the generators drew that saw `seen` queries."""
        if self._drawn is None or self._drawn[0] != seen:
            if self._learning.restart or self._fitted != seen:
                self._fit(seen)
            edges, labels = self._draw_graphs(seen)
            places = self._places(edges, labels)
            places[~self._active] = NOT_DRAWN
            plain = places[:, self._temperatures == 1]
            queried = np.stack([cells for cells, _ in self._columns[:seen]], axis=1)  # [R, seen]
            known = (plain[..., None] == queried[:, None]).any(axis=-1)
            self._diagnostics.add(seen, plain, known)
            self._drawn = seen, places
        return self._drawn[1]

    def _fit(self, seen: int, runs: np.ndarray | None = None) -> None:
        """Fits generators of runs (all that have not ended) to their first `seen` queries."""
        if self._learning.restart or self._weights is None:
            drawn = [
                self._generator.initial_weights(self._rng(run, core.Stream.GRAPH_WEIGHTS, seen))
                for run in range(len(self._seeds))
            ]
            self._weights = {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}
            self._adam = fresh_adam(self._weights)
        steps = self._num_steps(seen)
        weights, adam = self._weights, self._adam
        moved = {prefix: {n: v.copy() for n, v in p.items()} for prefix, p in self._kept().items()}
        wanted = self._active if runs is None else np.isin(np.arange(len(self._seeds)), runs)

        def work(runs: np.ndarray) -> None:
            rows = self._padded(runs)
            own = Adam(adam.number, *({n: v[rows] for n, v in p.items()} for p in adam[1:]))
            buffer = self._buffer(rows, seen, steps)
            found, after, losses = self._fit_program(
                {name: value[rows] for name, value in weights.items()}, own, buffer,
                tf.constant(steps),
            )
            self._check(rows, losses.numpy())
            for prefix, part in (("weight", found), ("first", after.first),
                                 ("second", after.second)):
                for name, value in part.items():
                    ours = wanted[runs]
                    moved[prefix][name][runs[ours]] = value.numpy()[: len(runs)][ours]

        self._in_blocks(work, wanted)
        self._weights = moved["weight"]
        self._adam = Adam(np.int32(adam.number + steps), moved["first"], moved["second"])
        self._fitted = seen

    def _kept(self) -> dict[str, dict[str, np.ndarray]]:
        return {"weight": self._weights, "first": self._adam.first, "second": self._adam.second}

    def _num_steps(self, seen: int) -> int:
        batches = -(-self._buffer_size(seen) // self._learning.batch_size)
        return self._learning.epochs * batches

    def _buffer_size(self, seen: int) -> int:
        values = self._learning
        return replay.buffer_size(
            seen, keep_top=values.keep_top, shares=values.shares, total=values.total_queries
        )

    def _buffer(self, runs: np.ndarray, seen: int, steps: int) -> Buffer:
        """Returns the buffers of the runs of a block after `seen` queries."""
        values, size = self._learning, self._buffer_size(seen)
        room = -(-size // _ROOM) * _ROOM
        length = values.epochs * -(-room // values.batch_size)
        cells = np.stack([self._columns[query][0][runs] for query in range(seen)], axis=1)
        accuracy = np.stack([self._columns[query][1][runs] for query in range(seen)], axis=1)
        chosen = np.zeros((len(runs), room), np.int64)
        up, down = (np.zeros((len(runs), room), np.float32) for _ in range(2))
        order = np.zeros((len(runs), length, values.batch_size), np.int32)
        for row, run in enumerate(runs):
            best = replay.best_cells(accuracy[row], size)
            if not len(best):
                continue  # nothing feasible: coefficients of 0 leave the weights alone
            chosen[row, : len(best)] = cells[row, best]
            up[row, : len(best)], down[row, : len(best)] = replay.coefficients(
                accuracy[row, best], values.objective, values.beta
            )
            rng = self._rng(run, core.Stream.GRAPH_ORDER, seen)
            order[row, :steps] = shuffled_batches(
                rng, np.arange(len(best)), steps, values.batch_size
            )
        edges, labels = self._form.graphs(self._cells[chosen])
        return Buffer(Graphs(edges, labels), up, down, order)

    def _draw_graphs(self, seen: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws A graphs of every run: edges int8 [R, A, N, N] and labels int8 [R, A, N]."""
        size, runs = self._generator.description.num_nodes, len(self._seeds)
        rows = len(self._generator.description.rows)
        count = self._learning.num_samples
        edges = np.zeros((runs, count, size, size), np.int8)
        labels = np.zeros((runs, count, size), np.int8)
        shape = (count, rows, num_uniform(self._generator.description))

        def work(runs: np.ndarray) -> None:
            block = self._padded(runs)
            rngs = [self._rng(run, core.Stream.GRAPH_SAMPLES, seen) for run in block]
            uniform = [rng.random(shape, np.float32) for rng in rngs]
            weights = {name: value[block] for name, value in self._weights.items()}
            graphs = self._draw(weights, tf.constant(np.stack(uniform)), self._temperatures)
            edges[runs], labels[runs] = (array.numpy()[: len(runs)] for array in graphs)

        self._in_blocks(work, self._active)
        return edges, labels

    def _in_blocks(self, work, wanted: np.ndarray) -> None:
        """Does work on the blocks that hold a wanted run, bool [R], side by side."""
        runs = np.arange(len(self._seeds))
        blocks = [runs[start : start + self._run_block] for start in runs[:: self._run_block]]
        side_by_side(work, [block for block in blocks if wanted[block].any()], self._devices)

    def _padded(self, runs: np.ndarray) -> np.ndarray:
        return np.pad(runs, (0, self._run_block - len(runs)), mode="edge")

    def _check(self, runs: np.ndarray, losses: np.ndarray) -> None:
        if not np.isfinite(losses).all():
            run = int(runs[np.flatnonzero(~np.isfinite(losses))[0]])
            raise core.NasError(
                f"run {run} (seed {self._seeds[run]}): the generator diverged; lower "
                f"--generator_learning_rate={self._learning.learning_rate}"
            )

    def _rng(self, run: int, stream: core.Stream, query: int) -> np.random.Generator:
        return core.generator(self._seeds[run], stream, query)


def _first(places: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns int64 [k], the first of places [k, A] that is wanted, bool [k, A], or -1."""
    first = np.argmax(wanted, axis=1)
    found = np.take_along_axis(places, first[:, None], axis=1)[:, 0]
    return np.where(wanted.any(axis=1), found, -1).astype(np.int64)


def _named(state: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)
    }
