"""arch2vec-RL: REINFORCE in a pre-trained embedding, R runs at once.

arch2vec (Yan et al., 2020, arXiv:2006.06936), section 3.3: the policy reads the embedding of the
current cell and samples a point; the nearest cell (L2) that the run has not queried yet becomes
the next one, and its validation accuracy is the reward.

A run's first query is a uniformly random cell. It counts against the budget but belongs to no
episode: it is where the first episode starts from. Every episode of 16 queries begins with a zero
hidden state at the last cell of the one before and ends with one update of the policy.

One compiled program makes the next step of all runs, another the update of all runs.

Shapes: R runs, P runs padded to whole blocks of `policy_blocks.RUN_BLOCK`, M cells, D embedding
dimensions, T episode length.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nas_tf import core
from nas_tf.arch2vec import policy
from nas_tf.arch2vec import policy_blocks
from nas_tf.arch2vec.policy_blocks import pad_rows
from nas_tf.arch2vec.pools import RunEmbeddings, as_pool
from nas_tf.graphs import CellGraphs
from nas_tf.pools.asking import AskingSearch, Draft
from nas_tf.pools.pool import pool_used_up
from nas_tf.training.adam import adam_corrections

_VISITED_STEP = 64  # columns by which the table of visited cells grows


class ReinforceSearch(AskingSearch):
    """Strategy of arch2vec-RL over a pool of embedded cells (a `core.Strategy`).

    Needs an enumerated pool. The cells of an episode may all be out at a time: the next step needs
    the cell before, not its accuracy. It waits at the end of an episode, which it learns from.

    The recipe (`strategies.embedded`) checks the ranges of settings.
    """

    def __init__(
        self,
        embedding: np.ndarray | RunEmbeddings,
        cells: CellGraphs,
        *,
        seeds: Sequence[int],
        episode_length: int = 16,
        learning_rate: float = 1e-2,
        discount: float = 0.0,
        baseline: float | None = None,
        devices: Sequence[str] = (),
    ):
        """Makes the policies of R runs.

        Args:
            embedding: float32 [M, D], finite; or an embedding for every run.
            cells: the pool [M] it embeds; see `pools.as_pool`.
            seeds: R non-negative seeds. Nothing else of a run is random.
            episode_length: T, queries between two updates.
            learning_rate: of Adam.
            discount: of later rewards, in [0, 1]; the paper's text has 0.8. Its code overwrites
                the discounted returns by plain rewards, which is 0 (see `policy.advantages`).
            baseline: accuracy in [0, 1] that is neither good nor bad; None is the mean of the
                run's rewards so far. The paper has 0.95 for NAS-Bench-101.
            devices: where blocks of runs are placed, such as the `extended.worker_devices` of a
                `tf.distribute.Strategy`; empty leaves it to TensorFlow.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: embedding and cells do not fit together.
        """
        cells, pool = as_pool(embedding, cells)
        self._cells = cells
        self._pool = pool
        self._length = episode_length
        self._discount, self._baseline = discount, baseline
        self._policies = policy_blocks.PolicyBlocks(
            pool, len(seeds), learning_rate=learning_rate, devices=devices
        )
        self._padded = self._policies.num_rows
        super().__init__(seeds)
        self._first = self._draw_start()

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `restore` needs; about 0.9 MB a run."""
        runs = len(self._seeds)
        state = super().state() | {"num_updates": np.int64(self._num_updates), "total": self._total}
        for name in policy.Step._fields:
            steps = [getattr(step, name)[:runs].numpy() for step in self._steps]
            state[f"step_{name}"] = np.array(steps, np.float32)
        for name in policy_blocks.WEIGHTS:
            state[name] = self._policies.weights(name)[:runs]
        return state

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings, bit for bit."""
        super().restore(state)
        self._num_updates = int(state["num_updates"])
        self._total = state["total"].astype(np.float64)
        fields = [state[f"step_{name}"] for name in policy.Step._fields]
        self._steps = [
            policy.Step(*(tf.constant(pad_rows(field, self._padded)) for field in step))
            for step in zip(*fields, strict=True)
        ]
        for name in policy_blocks.WEIGHTS:
            self._policies.assign(name, pad_rows(state[name], self._padded))

    def _cells_of(self, index: np.ndarray) -> CellGraphs:
        return self._cells[index]

    def _keys_of(self, index: np.ndarray) -> np.ndarray:
        return self._cells.keys[index]

    def _clear(self) -> None:
        super()._clear()
        self._visited = np.full((self._padded, _VISITED_STEP), -1, np.int32)
        self._num_updates = 0
        self._steps: list[policy.Step] = []  # of this episode
        self._total = np.zeros(len(self._seeds))  # of the rewards of earlier episodes
        self._noise: np.ndarray | None = None

    def _draw_start(self) -> np.ndarray:
        """Draws every run's first cell, int32 [R], and its weights, which are put in place."""
        depth = self._pool.depth
        first, lstm, head = [], [], []
        for seed in self._seeds:
            rng = core.generator(seed, core.Stream.EMBEDDING_START)
            first.append(rng.integers(len(self._cells)))
            weights = policy.initial_weights(rng, depth)
            lstm.append(weights[0])
            head.append(weights[1])
        self._policies.assign("lstm", pad_rows(np.stack(lstm), self._padded))
        self._policies.assign("head", pad_rows(np.stack(head), self._padded))
        return np.array(first, np.int32)

    def _draft(self) -> list[Draft]:
        """Returns the next step; nothing where an episode has to be learned from first.

        Raises:
            core.ConfigError: the pool is used up.
            core.NasError: a policy has diverged.
        """
        made = self._next_number
        if made >= len(self._cells):
            if not self._num_out:
                raise pool_used_up(len(self._cells))
            return []
        if not made:
            return [Draft(self._first)]
        steps = self._steps + [draft.extra for draft in self._drafts if draft.extra is not None]
        return [] if len(steps) == self._length else [self._step(steps)]

    def _step(self, steps: list[policy.Step]) -> Draft:
        """Returns what follows the steps of this episode."""
        visited = self._visited
        if self._drafts:
            visited = visited.copy()
            for number, draft in enumerate(self._drafts, len(self._asked)):
                visited = _with_column(visited, number, draft.cells)
        current = pad_rows(visited[: len(self._seeds), self._next_number - 1], self._padded)
        hidden = cell = tf.zeros([self._padded, policy.HIDDEN])
        if steps:
            hidden, cell = steps[-1].hidden, steps[-1].cell
        index, step = self._policies.act(
            tf.constant(self._pool.of(current)),
            hidden,
            cell,
            tf.constant(self._episode_noise()[:, len(steps)]),
            tf.constant(visited),
        )
        index = index.numpy()[: len(self._seeds)]
        diverged = self._active & (index == len(self._cells))
        if diverged.any():
            run = int(np.flatnonzero(diverged)[0])
            raise core.NasError(
                f"run {run} (seed {self._seeds[run]}): the policy diverged to a point that is not "
                "finite; lower the learning rate"
            )
        return Draft(np.minimum(index, len(self._cells) - 1), step)

    def _episode_noise(self) -> np.ndarray:
        """Returns the noise of this episode's actions, float32 [P, T, D]."""
        if self._noise is None:
            self._noise = self._draw_noise()
        return self._noise

    def _draw_noise(self) -> np.ndarray:
        shape = (self._length, self._pool.depth)
        noise = [
            core.generator(seed, core.Stream.EMBEDDING_NOISE, self._num_updates).standard_normal(
                shape, np.float32
            )
            for seed in self._seeds
        ]
        return pad_rows(np.stack(noise), self._padded)

    def _note_asked(self, number: int, runs: np.ndarray, cells: np.ndarray, extra: Any) -> None:
        self._visited = _with_column(self._visited, number, self._asked[number])
        if extra is not None:
            self._steps.append(extra)

    def _note_answer(
        self, number: int, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray
    ) -> None:
        self._visited[: len(self._seeds), number] = self._asked[number]
        first = 1 + self._num_updates * self._length  # of the episode
        if len(self._steps) == self._length and self.answered(range(first, first + self._length)):
            self._learn(first)

    def _learn(self, first: int) -> None:
        """Updates the policies by the finished episode, from query `first` on, and begins another.

        The reward is the validation accuracy, and 0 for an infeasible cell: the worst accuracy,
        whatever the baseline.
        """
        accuracy = np.stack(self._accuracy[first : first + self._length], axis=1)
        rewards = np.nan_to_num(accuracy)  # [R, T]
        noise = self._episode_noise()  # before the number of the episode changes
        self._total = self._total + rewards.sum(axis=1)
        self._num_updates += 1
        baseline = self._baseline
        if baseline is None:
            baseline = self._total[:, None] / (self._num_updates * self._length)
        advantage = policy.advantages(rewards, self._discount, baseline)
        self._policies.learn(
            policy.Step(*(tf.stack(field, axis=1) for field in zip(*self._steps, strict=True))),
            tf.constant(noise),
            tf.constant(pad_rows(advantage.astype(np.float32), self._padded)),
            tf.constant(pad_rows(self._active, self._padded, True)),
            tf.constant(adam_corrections(self._num_updates)),
        )
        self._steps, self._noise = [], None


def _with_column(visited: np.ndarray, number: int, cells: np.ndarray) -> np.ndarray:
    """Returns the table int32 [P, V] with the cells [R] of a query in it, wider if need be."""
    if number >= visited.shape[1]:
        more = np.full((len(visited), _VISITED_STEP), -1, np.int32)
        visited = np.concatenate([visited, more], axis=1)
    visited[: len(cells), number] = cells
    return visited
