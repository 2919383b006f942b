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

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nas_tf import core
from nas_tf.arch2vec import policy
from nas_tf.arch2vec import policy_blocks
from nas_tf.arch2vec.policy_blocks import pad_rows
from nas_tf.arch2vec.pools import RunEmbeddings, as_pool
from nas_tf.graphs import CellGraphs

_VISITED_STEP = 64  # columns by which the table of visited cells grows


@dataclasses.dataclass(frozen=True)
class _Pending:
    """A suggestion that was not answered yet: cells int32 [R] and the step behind it."""

    index: np.ndarray
    step: policy.Step | None


class ReinforceSearch:
    """Strategy of arch2vec-RL over a pool of embedded cells (a `core.Strategy`)."""

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
            core.ConfigError: a setting is out of range.
            ValueError: embedding and cells do not fit together.
        """
        cells, pool = as_pool(embedding, cells)
        _check_settings(seeds, episode_length, learning_rate, discount, baseline)
        self._cells = cells
        self._pool = pool
        self._seeds = tuple(int(seed) for seed in seeds)
        self._length = episode_length
        self._discount, self._baseline = discount, baseline
        self._policies = policy_blocks.PolicyBlocks(
            pool, len(self._seeds), learning_rate=learning_rate, devices=devices
        )
        self._padded = self._policies.num_rows
        self._active = np.ones(len(self._seeds), bool)
        self._visited = np.full((self._padded, _VISITED_STEP), -1, np.int32)
        self._num_queries = 0
        self._num_updates = 0
        self._steps: list[policy.Step] = []
        self._rewards: list[np.ndarray] = []
        self._total = np.zeros(len(self._seeds))  # of the rewards of earlier episodes
        self._noise: np.ndarray | None = None
        self._pending: _Pending | None = None
        self._first = self._draw_start()

    def suggest(self) -> core.Suggestion:
        """Returns the next cell of every run, [R, 1]; the same until `update`.

        Raises:
            core.ConfigError: the pool is used up.
            core.NasError: a policy has diverged.
        """
        if self._pending is None:
            self._pending = self._propose()
        return core.Suggestion(self._cells[self._pending.index[:, None]])

    def update(self, feedback: core.Feedback) -> None:
        """Takes the answers to the last suggestion; every T-th answer updates the policies.

        The reward is the validation accuracy, and 0 for an infeasible cell: the worst accuracy,
        whatever the baseline. A run that is not active keeps its state for good.

        Raises:
            ValueError: the feedback is not about the cells suggested.
        """
        suggested = self.suggest().cells
        if not np.array_equal(suggested.keys, feedback.cells.keys):
            raise ValueError("update() got other cells than suggest() returned")
        pending, self._pending = self._pending, None
        self._active = self._active & feedback.active
        self._visit(pending.index)
        if pending.step is None:
            return
        self._steps.append(pending.step)
        accuracy = feedback.validation_accuracy[:, 0]
        self._rewards.append(np.where(feedback.feasible[:, 0], accuracy, 0.0))
        if len(self._steps) == self._length:
            self._learn()

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `restore` needs; about 0.9 MB a run."""
        runs = len(self._seeds)
        state = {
            "active": self._active,
            "visited": self._visited[:runs, : self._num_queries],
            "num_updates": np.int64(self._num_updates),
            "total": self._total,
            "rewards": np.array(self._rewards).reshape(-1, runs),
        }
        for name in policy.Step._fields:
            steps = [getattr(step, name)[:runs].numpy() for step in self._steps]
            state[f"step_{name}"] = np.array(steps, np.float32)
        for name in policy_blocks.WEIGHTS:
            state[name] = self._policies.weights(name)[:runs]
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings, bit for bit."""
        runs = len(self._seeds)
        self._pending = self._noise = None
        self._active = state["active"].astype(bool)
        self._num_updates = int(state["num_updates"])
        self._total = state["total"].astype(np.float64)
        self._num_queries = state["visited"].shape[1]
        columns = -(-(self._num_queries + 1) // _VISITED_STEP) * _VISITED_STEP
        self._visited = np.full((self._padded, columns), -1, np.int32)
        self._visited[:runs, : self._num_queries] = state["visited"]
        self._rewards = list(state["rewards"])
        fields = [state[f"step_{name}"] for name in policy.Step._fields]
        self._steps = [
            policy.Step(*(tf.constant(pad_rows(field, self._padded)) for field in step))
            for step in zip(*fields, strict=True)
        ]
        for name in policy_blocks.WEIGHTS:
            self._policies.assign(name, pad_rows(state[name], self._padded))

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

    def _propose(self) -> _Pending:
        if self._num_queries >= len(self._cells):
            raise core.pool_used_up(len(self._cells))
        if not self._num_queries:
            return _Pending(self._first, None)
        position = len(self._steps)
        if self._noise is None:
            self._noise = self._draw_noise()
        current = pad_rows(self._visited[: len(self._seeds), self._num_queries - 1], self._padded)
        if position:
            hidden, cell = self._steps[-1].hidden, self._steps[-1].cell
        else:
            hidden = cell = tf.zeros([self._padded, policy.HIDDEN])
        index, step = self._policies.act(
            tf.constant(self._pool.of(current)),
            hidden,
            cell,
            tf.constant(self._noise[:, position]),
            tf.constant(self._visited),
        )
        index = index.numpy()[: len(self._seeds)]
        diverged = self._active & (index == len(self._cells))
        if diverged.any():
            run = int(np.flatnonzero(diverged)[0])
            raise core.NasError(
                f"run {run} (seed {self._seeds[run]}): the policy diverged to a point that is not "
                "finite; lower the learning rate"
            )
        return _Pending(np.minimum(index, len(self._cells) - 1), step)

    def _draw_noise(self) -> np.ndarray:
        """Draws the noise of this episode's actions, float32 [P, T, D]."""
        shape = (self._length, self._pool.depth)
        noise = [
            core.generator(seed, core.Stream.EMBEDDING_NOISE, self._num_updates).standard_normal(
                shape, np.float32
            )
            for seed in self._seeds
        ]
        return pad_rows(np.stack(noise), self._padded)

    def _visit(self, index: np.ndarray) -> None:
        """Marks cells [R] as queried by their runs, unless these are over."""
        if self._num_queries == self._visited.shape[1]:
            more = np.full((self._padded, _VISITED_STEP), -1, np.int32)
            self._visited = np.concatenate([self._visited, more], axis=1)
        self._visited[: len(index), self._num_queries] = np.where(self._active, index, -1)
        self._num_queries += 1

    def _learn(self) -> None:
        """Updates the policies by the finished episode and begins another."""
        rewards = np.stack(self._rewards, axis=1)  # [R, T]
        self._total = self._total + rewards.sum(axis=1)
        self._num_updates += 1
        baseline = self._baseline
        if baseline is None:
            baseline = self._total[:, None] / (self._num_updates * self._length)
        advantage = policy.advantages(rewards, self._discount, baseline)
        self._policies.learn(
            policy.Step(*(tf.stack(field, axis=1) for field in zip(*self._steps, strict=True))),
            tf.constant(self._noise),
            tf.constant(pad_rows(advantage.astype(np.float32), self._padded)),
            tf.constant(pad_rows(self._active, self._padded, True)),
            tf.constant(policy.adam_corrections(self._num_updates)),
        )
        self._steps, self._rewards, self._noise = [], [], None


def _check_settings(seeds, episode_length, learning_rate, discount, baseline) -> None:
    """Raises ConfigError for the first setting that is out of range."""
    requirements = (
        ("seeds", list(seeds), len(seeds) > 0 and min(seeds) >= 0, "non-negative, at least one"),
        ("episode_length", episode_length, episode_length >= 1, "at least 1"),
        ("learning_rate", learning_rate, 0 < learning_rate < np.inf, "positive"),
        ("discount", discount, 0 <= discount <= 1, "within [0, 1]"),
        ("baseline", baseline, baseline is None or 0 <= baseline <= 1, "an accuracy within [0, 1]"),
    )
    for name, value, fits, expected in requirements:
        if not fits:
            raise core.ConfigError(f"{name}={value}: expected {expected}")
