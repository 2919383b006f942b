"""GraphPNAS: a generator of graphs learns, query by query, where the good cells are.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 3.3 and appendix F. Every `period` queries
the generator learns from the best cells so far (`replay`); a query is then, with probability
epsilon, a random cell (`explorer`), otherwise the first cell drawn from the generator that the pool
has and the run has not queried. The paper goes on with the weights it has; its released code starts
from new ones at every update (`restart`), and looks at random cells alone in the beginning.

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
- With answers still out the queries of a period go on; what the generator learns from has to be
  known before the next period begins.

A run's weights follow from its seed and its queries. With `restart` a state is therefore the
queries alone; without it the weights are part of it.

Cost: a fit of 60 passes over 15 graphs of NAS-Bench-201 takes 480 steps, 0.5 s of one core with 24
hidden units. Blocks of runs are fitted side by side on the processor's cores, or on devices.

Shapes: R runs, S runs of a block, M cells of the pool, G graphs of a buffer, A graphs drawn after a
fit, N nodes, T rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nas_tf import core
from nas_tf.graphpnas import replay
from nas_tf.graphpnas.diagnostics import NOT_DRAWN, Diagnostics
from nas_tf.graphpnas.distribution import programs
from nas_tf.graphpnas.explorer import Exploration, Explorer
from nas_tf.graphpnas.fitting import Adam, Buffer, fit_program, fresh_adam
from nas_tf.graphpnas.learning import Learning
from nas_tf.graphpnas.rows import Generator, Graphs, num_uniform
from nas_tf.graphs import CellGraphs, cell_arrays, cells_from_arrays
from nas_tf.pools import pool_search
from nas_tf.pools.asking import Draft
from nas_tf.spaces.graph_form import GraphForm
from nas_tf.spaces.space import SearchSpace
from nas_tf.training.batches import shuffled_batches
from nas_tf.training.distribution import side_by_side

_COIN, _ANY_CELL = range(2)  # random numbers of a query
_ROOM = 32  # graphs by which the room of buffers grows
_EXPLORED = 64  # graphs of an explorer, one of which will do


class GraphSearch(pool_search.PoolSearch):
    """Strategy that queries what a generator of graphs draws (a `core.Strategy`).

    Cells that are out are not asked for again. It waits at the begin of a period for the answers to
    all queries before, which the generator learns from.

    The recipe (`strategies.graph_generator`) checks the ranges of settings.

    Attributes:
        form: which graphs are cells.
        generator: the network.
        diagnostics: what every fit's generator drew.
    """

    def __init__(
        self,
        cells: CellGraphs | None,
        form: GraphForm,
        generator: Generator,
        *,
        seeds: Sequence[int],
        learning: Learning,
        explorer: Explorer,
        exploration: Exploration,
        space: SearchSpace | None = None,
        run_block: int = 1,
        jit_compile: bool = True,
        devices: Sequence[str] = (),
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M]; None is all of the space, enumerated or not.
            form: says which graphs are cells.
            generator: the network; every run has weights of its own.
            seeds: R non-negative seeds. Nothing else of a run is random.
            learning: how it learns.
            explorer: draws random graphs.
            exploration: how often.
            space: draws cells where there is no pool and no graph will do.
            run_block: S, runs that one program fits; a run depends on it by rounding.
            jit_compile: compile with XLA.
            devices: where blocks of runs are fitted; empty leaves it to TensorFlow.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        self.form, self.generator = form, generator
        self._learning, self._explorer, self._exploration = learning, explorer, exploration
        self._run_block, self._devices = run_block, list(devices)
        root = generator.description.num_decisions if learning.per_decision else 1
        self._fit_program = fit_program(
            generator, learning.learning_rate, learning.clip_norm, jit_compile, root=root
        )
        self._draw, _ = programs(generator, jit_compile)
        super().__init__(
            cells, seeds=seeds, stream=core.Stream.GRAPH_QUERIES, num_draws=2, space=space
        )
        self._temperatures = learning.temperatures()

    def state(self) -> dict[str, np.ndarray]:
        """Returns all that `restore` needs: the queries, what was drawn, and weights if kept."""
        state = super().state()
        drawn = self.diagnostics.arrays()
        if not self.has_pool:
            drawn |= self._drawn_cells(drawn["indices"])
        state |= {f"drawn_{name}": value for name, value in drawn.items()}
        if not self._learning.restart and self._weights is not None:
            state["fitted"] = np.array(self._fitted)
            state["steps"] = self._adam.number
            for prefix, part in self._kept().items():
                state |= {f"{prefix}_{name}": value for name, value in part.items()}
        return state

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings and pool, bit for bit."""
        super().restore(state)
        drawn = _named(state, "drawn_")
        cells = cells_from_arrays(drawn)
        if cells is not None:
            numbers = self._pool.find(self._with_identity(cells))
            indices = drawn["indices"]
            drawn["indices"] = np.where(indices >= 0, numbers[np.maximum(indices, 0)], indices)
        self.diagnostics = Diagnostics.restored(drawn)
        if "fitted" in state:
            self._fitted = int(state["fitted"])
            self._weights = _named(state, "weight_")
            mu, nu = _named(state, "mu_"), _named(state, "nu_")
            self._adam = Adam(np.int32(state["steps"]), mu, nu)

    def metrics(self) -> dict[str, float]:
        """Returns what to log of the last fit: shares of what was drawn, means over runs."""
        return self.diagnostics.last()

    @property
    def cells(self) -> CellGraphs:
        """The pool [M], or the cells met, in the order of the indices in `diagnostics`."""
        return self._pool.cells

    def fitted_weights(self, run: int) -> dict[str, np.ndarray]:
        """Returns the weights of a run's generator, fitted to all it has queried by now.

        Of a run that ended before others and keeps its weights they are those of its last fit, if
        there was one.
        """
        queries = sum(int(cells[run] >= 0) for cells in self._asked)
        before = self._weights, self._adam, self._fitted
        kept = not self._learning.restart and self._weights is not None
        ended = kept and queries < len(self._asked)
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
        self._drawn: tuple[int, np.ndarray] | None = None  # queries seen, indices int32 [R, A]
        self.diagnostics = Diagnostics()

    def _propose_draft(self, uniform: np.ndarray) -> Draft | None:
        query = self._next_number
        epsilon = self._exploration.epsilon(query)
        explores = (uniform[:, _COIN] < epsilon) | (query < self._learning.period)
        cells = np.full(len(self._seeds), -1, np.int64)
        collapsed = np.zeros(len(cells), bool)
        seen = query - query % self._learning.period
        if not self.answered(range(seen)):
            return None
        if seen and (not self._learning.restart or (self._active & ~explores).any()):
            drawn = self._samples(seen)
            cells = _first(drawn, self._new(np.arange(len(cells)), drawn))
            collapsed = self._active & ~explores & (cells < 0)
        runs = np.flatnonzero(explores | (cells < 0))
        cells[runs], new = self._explored(runs, query)
        left = np.flatnonzero(cells < 0)
        if len(left):
            cells[left] = self._any_new(left, uniform[:, _ANY_CELL])
        return Draft(cells, (collapsed, new))

    def _note_asked(self, number: int, runs: np.ndarray, cells: np.ndarray, extra: Any) -> None:
        super()._note_asked(number, runs, cells, extra)
        if extra is not None:  # of a query of an earlier process the state has it
            self.diagnostics.count(number, extra[0])
            self.diagnostics.explored(number, extra[1])

    def _drawn_cells(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """Returns indices of the pool as such among the cells they stand for, and these."""
        numbers, inverse = np.unique(np.maximum(indices, 0), return_inverse=True)
        cells = cell_arrays(self._pool.cells[numbers]) if len(self._pool.cells) else {}
        return {"indices": np.where(indices >= 0, inverse.reshape(indices.shape), indices), **cells}

    def _new(self, runs: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """Returns bool [k, A]: indices [k, A] are cells that their run has not queried."""
        return (indices >= 0) & ~self._queried.find(runs, indices)[0]

    def _explored(self, runs: np.ndarray, query: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns a random new cell of each of some runs [k], or -1, int64 [k].

        And bool [active ones of these runs, graphs]: what the explorer drew was a new cell.
        """
        drawn = [
            self._explorer.sample(
                self._stream_rng(run, core.Stream.GRAPH_EXPLORER, query), _EXPLORED
            )
            for run in runs
        ]
        if not drawn:
            return np.zeros(0, np.int64), np.zeros((0, _EXPLORED), bool)
        edges, labels = (np.stack(field) for field in zip(*drawn, strict=True))
        index = self._find_graphs(edges, labels)
        new = self._new(runs, index)
        return _first(index, new), new[self._active[runs]]

    def _find_graphs(self, edges: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Returns the indices int64 [...] of graphs in the pool, -1 outside it."""
        cells, valid = self.form.cells(edges, labels)
        index = np.full(valid.shape, -1, np.int64)
        index[valid] = self._pool.find(cells[valid])
        return index

    def _samples(self, seen: int) -> np.ndarray:
        """Returns the indices int64 [R, A] of what the generators drew that saw `seen` queries."""
        if self._drawn is None or self._drawn[0] != seen:
            if self._learning.restart or self._fitted != seen:
                self._fit(seen)
            edges, labels = self._draw_graphs(seen)
            indices = self._find_graphs(edges, labels)
            indices[~self._active] = NOT_DRAWN
            plain = indices[:, self._temperatures == 1]
            queried = np.stack(self._asked[:seen], axis=1)  # [R, seen]
            known = self._same(plain[..., None], queried[:, None]).any(axis=-1)
            self.diagnostics.add(seen, plain, known)
            self._drawn = seen, indices
        return self._drawn[1]

    def _same(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Tells, bool [...], which indices stand for one architecture."""
        if self.has_pool:
            return first == second
        keys = (self._keys_of(np.maximum(index, 0)) for index in (first, second))
        return np.equal(*keys) & (first >= 0) & (second >= 0)

    def _fit(self, seen: int, runs: np.ndarray | None = None) -> None:
        """Fits generators of runs (all that have not ended) to their first `seen` queries."""
        if self._learning.restart or self._weights is None:
            stream = core.Stream.GRAPH_WEIGHTS
            drawn = [
                self.generator.initial_weights(self._stream_rng(run, stream, seen))
                for run in range(len(self._seeds))
            ]
            self._weights = {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}
            self._adam = fresh_adam(self._weights)
        steps = self._learning.num_steps(seen)
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
            self._refuse_diverged(rows, losses.numpy())
            for prefix, part in (("weight", found), ("mu", after.mu), ("nu", after.nu)):
                for name, value in part.items():
                    ours = wanted[runs]
                    moved[prefix][name][runs[ours]] = value.numpy()[: len(runs)][ours]

        self._in_blocks(work, wanted)
        self._weights = moved["weight"]
        self._adam = Adam(np.int32(adam.number + steps), moved["mu"], moved["nu"])
        self._fitted = seen

    def _kept(self) -> dict[str, dict[str, np.ndarray]]:
        return {"weight": self._weights, "mu": self._adam.mu, "nu": self._adam.nu}

    def _buffer(self, runs: np.ndarray, seen: int, steps: int) -> Buffer:
        """Returns the buffers of the runs of a block after `seen` queries."""
        values, size = self._learning, self._learning.buffer_size(seen)
        room = core.ceil_div(size, _ROOM) * _ROOM
        length = values.epochs * core.ceil_div(room, values.batch_size)
        cells = np.stack([column[runs] for column in self._asked[:seen]], axis=1)
        accuracy = np.stack([column[runs] for column in self._accuracy[:seen]], axis=1)
        chosen = np.zeros((len(runs), room), np.int64)
        up, down = (np.zeros((len(runs), room), np.float32) for _ in range(2))
        order = np.zeros((len(runs), length, values.batch_size), np.int32)
        for row, run in enumerate(runs):
            best = replay.best_cells(accuracy[row], size)
            if not len(best):
                continue  # nothing feasible: coefficients of 0 leave the weights alone
            chosen[row, : len(best)] = cells[row, best]
            up[row, : len(best)], down[row, : len(best)] = replay.coefficients(
                accuracy[row, best], values.objective, values.beta, reward_size=values.reward_size
            )
            rng = self._stream_rng(run, core.Stream.GRAPH_ORDER, seen)
            order[row, :steps] = shuffled_batches(
                rng, np.arange(len(best)), steps, values.batch_size
            )
        edges, labels = self.form.graphs(self._cells_of(chosen))
        return Buffer(Graphs(edges, labels), up, down, order)

    def _draw_graphs(self, seen: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws A graphs of every run: edges int8 [R, A, N, N] and labels int8 [R, A, N]."""
        size, runs = self.generator.description.num_nodes, len(self._seeds)
        rows = len(self.generator.description.rows)
        count = self._learning.num_samples
        edges = np.zeros((runs, count, size, size), np.int8)
        labels = np.zeros((runs, count, size), np.int8)
        shape = (count, rows, num_uniform(self.generator.description))

        def work(runs: np.ndarray) -> None:
            block = self._padded(runs)
            rngs = [self._stream_rng(run, core.Stream.GRAPH_SAMPLES, seen) for run in block]
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

    def _refuse_diverged(self, runs: np.ndarray, losses: np.ndarray) -> None:
        if not np.isfinite(losses).all():
            run = int(runs[np.flatnonzero(~np.isfinite(losses))[0]])
            raise core.NasError(
                f"run {run} (seed {self._seeds[run]}): the generator diverged; lower "
                f"learning_rate={self._learning.learning_rate}"
            )

    def _stream_rng(self, run: int, stream: core.Stream, query: int) -> np.random.Generator:
        return core.generator(self._seeds[run], stream, query)


def _first(indices: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns int64 [k], the first of indices [k, A] that is wanted, bool [k, A], or -1."""
    first = np.argmax(wanted, axis=1)
    found = np.take_along_axis(indices, first[:, None], axis=1)[:, 0]
    return np.where(wanted.any(axis=1), found, -1).astype(np.int64)


def _named(state: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)
    }
