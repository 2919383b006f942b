"""Policies of many runs, in blocks, on the devices that hold them.

Runs are computed in full blocks of `RUN_BLOCK`, by the same program whatever their number, so that
run r of a study gives bit for bit the trace of its seed alone. A block's weights (6 MB) stay in
cache through all steps of the backward pass.

Shapes: P runs padded to whole blocks, S = RUN_BLOCK runs in a block, T steps of an episode, D
embedding dimensions, V visited cells.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nas_tf.arch2vec import policy
from nas_tf.arch2vec.pools import RunEmbeddings, SharedEmbedding
from nas_tf.core import ceil_div
from nas_tf.training import adam

RUN_BLOCK = 20
WEIGHTS = ("lstm", "lstm_mu", "lstm_nu", "head", "head_mu", "head_nu")


class PolicyBlocks:
    """The policies of all runs, divided over devices; each program advances all of them."""

    def __init__(
        self,
        pool: SharedEmbedding | RunEmbeddings,
        num_runs: int,
        *,
        learning_rate: float,
        devices: Sequence[str] = (),
    ):
        """Makes policies with zero weights.

        Args:
            pool: M embedded cells.
            num_runs: R.
            learning_rate: of Adam.
            devices: where blocks are placed; empty leaves it to TensorFlow.
        """
        num_blocks = ceil_div(num_runs, RUN_BLOCK)
        self.num_rows = num_blocks * RUN_BLOCK  # P
        devices = list(devices) or [None]
        ends = [num_blocks * (number + 1) // len(devices) for number in range(len(devices))]
        self._parts = [
            _Part(pool, start, end - start, device=device, learning_rate=learning_rate)
            for device, start, end in zip(devices, [0, *ends], ends)
            if end > start
        ]
        row = tf.TensorSpec([self.num_rows, pool.depth])
        state = tf.TensorSpec([self.num_rows, policy.HIDDEN])
        visited = tf.TensorSpec([self.num_rows, None], tf.int32)
        self.act = tf.function(self._act, input_signature=[row, state, state, row, visited])
        self.learn = tf.function(self._learn)

    def weights(self, name: str) -> np.ndarray:
        """Returns one of `WEIGHTS`, float32 [P, ...]."""
        values = [part.weights[name].numpy() for part in self._parts]
        return np.concatenate([value.reshape(-1, *value.shape[2:]) for value in values])

    def assign(self, name: str, values: np.ndarray) -> None:
        """Sets one of `WEIGHTS` from float32 [P, ...]."""
        for part in self._parts:
            variable = part.weights[name]
            variable.assign(values[part.rows].reshape(variable.shape))

    def _act(self, inputs, hidden, cell, noise, visited) -> tuple[tf.Tensor, policy.Step]:
        """Steps all policies and finds the cells nearest to their actions.

        Args:
            inputs: float32 [P, D], embeddings of the current cells.
            hidden: float32 [P, H].
            cell: float32 [P, H].
            noise: float32 [P, D], added to the policies' means.
            visited: int32 [P, V], cells that may not be chosen, -1 for none.

        Returns:
            int32 [P], as `nearest.NearestCells.find`, and the step, [P, ...].
        """
        parts = [part.act(inputs, hidden, cell, noise, visited) for part in self._parts]
        fields = zip(*(step for _, step in parts), strict=True)
        step = policy.Step(*(tf.concat(field, axis=0) for field in fields))
        return tf.concat([index for index, _ in parts], axis=0), step

    def _learn(self, steps, noise, advantage, active, corrections) -> None:
        """Makes one REINFORCE update of all policies.

        Args:
            steps: the episode, every field [P, T, ...].
            noise: float32 [P, T, D].
            advantage: float32 [P, T].
            active: bool [P]; other policies keep their weights.
            corrections: float32 [3], from `adam.adam_corrections`.
        """
        for part in self._parts:
            part.learn(steps, noise, advantage, active, corrections)


class _Part:
    """The blocks that one device holds.

    Attributes:
        weights: by the names in `WEIGHTS`, variables [blocks, S, ...].
        rows: the slice of P these are.
    """

    def __init__(self, pool, first: int, num_blocks: int, *, device, learning_rate: float):
        self._device = device
        self._learning_rate = learning_rate
        self._num_blocks = num_blocks
        self.rows = slice(first * RUN_BLOCK, (first + num_blocks) * RUN_BLOCK)
        shapes = dict(zip(("lstm", "head"), policy.weight_shapes(pool.depth)))
        self._nearest = pool.nearest(self.rows, device)
        with tf.device(device):
            self.weights = {
                name: tf.Variable(tf.zeros([num_blocks, RUN_BLOCK, *shapes[name.split("_")[0]]]))
                for name in WEIGHTS
            }

    def act(self, inputs, hidden, cell, noise, visited) -> tuple[tf.Tensor, policy.Step]:
        """Does `PolicyBlocks._act` for this part."""
        with tf.device(self._device):
            lstm, head = self.weights["lstm"].read_value(), self.weights["head"].read_value()
            blocks = self._split((inputs, hidden, cell))
            results = self._results(5)
            for number in tf.range(self._num_blocks):
                step = policy.advance(lstm[number], *(array[number] for array in blocks))
                mean = policy.mean_action(head[number], step.hidden)
                results = _write(results, number, (*step, mean))
            *fields, means = (self._join(result) for result in results)
            found = self._nearest.find(means + noise[self.rows], visited[self.rows])
            return found, policy.Step(*fields)

    def learn(self, steps, noise, advantage, active, corrections) -> None:
        """Does `PolicyBlocks._learn` for this part."""
        with tf.device(self._device):
            lstm, head = self.weights["lstm"].read_value(), self.weights["head"].read_value()
            blocks = self._split((*steps, noise, advantage))
            results = self._results(2)
            for number in tf.range(self._num_blocks):
                tf.autograph.experimental.set_loop_options(parallel_iterations=1)
                *fields, moves, gains = (array[number] for array in blocks)
                step = policy.Step(*fields)
                found = policy.gradients(lstm[number], head[number], step, moves, gains)
                results = _write(results, number, found)
            active = self._split([active])[0]
            for name, gradient in zip(("lstm", "head"), results):
                suffixes = ("", "_mu", "_nu")
                adam.adam_in_place(
                    [self.weights[name + suffix] for suffix in suffixes],
                    gradient.stack(),
                    learning_rate=self._learning_rate,
                    corrections=corrections,
                    active=active,
                )

    def _split(self, arrays) -> list[tf.Tensor]:
        """Takes this part's rows of [P, ...] arrays as [blocks, S, ...]."""
        rows = [array[self.rows] for array in arrays]
        return [tf.reshape(row, [self._num_blocks, RUN_BLOCK, *row.shape[1:]]) for row in rows]

    def _join(self, blocks: tf.TensorArray) -> tf.Tensor:
        stacked = blocks.stack()  # [blocks, S, ...]
        return tf.reshape(stacked, [self._num_blocks * RUN_BLOCK, *stacked.shape[2:]])

    def _results(self, number: int) -> tuple[tf.TensorArray, ...]:
        return tuple(tf.TensorArray(tf.float32, self._num_blocks) for _ in range(number))


def _write(arrays, index, values) -> tuple[tf.TensorArray, ...]:
    return tuple(array.write(index, value) for array, value in zip(arrays, values))


def pad_rows(values: np.ndarray, rows: int, value=0) -> np.ndarray:
    """Appends rows of `value` up to `rows`."""
    padding = np.full((rows - len(values), *values.shape[1:]), value, values.dtype)
    return np.concatenate([values, padding])
