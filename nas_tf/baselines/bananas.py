"""BANANAS: an ensemble of networks on path encodings, and independent Thompson sampling.

White, Neiswanger and Savani (2021), arXiv:1910.11858. After ten random cells, in every round:
1. an ensemble of five networks learns anew to predict the validation error of a cell from its path
   encoding (`path_encoding`), by the mean absolute error;
2. the neighbours of the best cells found so far that were not queried yet become candidates, those
   of the best cell first, until there are 100;
3. every candidate draws one error from N(mean, variance) of the ensemble's predictions, and the
   ten with the lowest are queried (independent Thompson sampling).

Hyperparameters are those of the paper's NAS-Bench-101 study as its code has them
(github.com/naszilla/naszilla, `params.py` and `meta_neural_net.py`): ten hidden layers of 20 ReLU
units, 150 epochs in batches of 32, Adam with learning rate 0.01 and beta_2 = 0.99, errors in per
cent. In that code candidates are up to 100 random mutations of the best cell, then of the next, of
five at most; here they are all cells one edit away.

What is left open, or differs:
- The networks of an ensemble differ in their initial weights but see the same batches.
- An infeasible cell keeps its place in a batch and has no weight in it.
- Candidates that are missing are random cells of the pool that the run has not queried.
- With answers still out a round goes on; the next one learns from what is known when it begins.

Cost: 26 kFLOP a network and cell, forward and back. A run of 150 queries trains 14 x 5 networks in
6,000 x 5 batches: 25 GFLOP with padding, 13 TFLOP for 500 runs. All networks of a block of runs are
one compiled program; blocks run side by side on the processor's cores.

Shapes: R runs, S = RUN_BLOCK runs of a block, M cells of the pool, F features, E networks of an
ensemble, C candidates, Q queries so far, B queries a round.
"""

import functools
import typing
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nas_tf import core
from nas_tf.surrogates import path_encoding
from nas_tf.pools import pool_search
from nas_tf.pools.asking import Draft
from nas_tf.graphs import CellGraphs
from nas_tf.training.adam import adam_step, keras_rate
from nas_tf.training.distribution import side_by_side
from nas_tf.spaces.space import SearchSpace

RUN_BLOCK = 4

_CAPACITY = 256  # queries by which the room for training data grows
_BETA_2 = 0.99  # of Adam


class Ensemble(typing.NamedTuple):
    """What the networks are and how they learn.

    Attributes:
        size: E, networks of an ensemble.
        layers: hidden layers.
        width: units of a hidden layer.
        epochs: passes over the queries made so far.
        batch_size: queries a gradient step sees.
        learning_rate: of Adam.
    """

    size: int
    layers: int
    width: int
    epochs: int
    batch_size: int
    learning_rate: float


class Bananas(pool_search.PoolSearch):
    """Strategy that queries what an ensemble of networks promises, in rounds (a `core.Strategy`).

    Needs an enumerated pool. Its state is the queries alone: every round trains new networks. Cells
    that are out are neither candidates nor learned from; nothing waits for them.

    The recipe (`strategies.bananas`) checks the ranges of settings.
    """

    def __init__(
        self,
        cells: CellGraphs,
        space: SearchSpace,
        *,
        seeds: Sequence[int],
        num_initial: int = 10,
        round_size: int = 10,
        num_parents: int = 10,
        num_candidates: int = 100,
        path_length: int = 3,
        blocking_ops: Sequence[str] = (),
        ensemble_size: int = 5,
        num_layers: int = 10,
        layer_width: int = 20,
        epochs: int = 150,
        batch_size: int = 32,
        learning_rate: float = 0.01,
        devices: Sequence[str] = (),
        neighbour_edits: int = 2,
    ):
        """Makes R runs that have queried nothing.

        Args:
            cells: the pool [M].
            space: says which cells are one edit apart, and what its operations are called: the
                first is 'input', the last 'output'.
            seeds: R non-negative seeds. Nothing else of a run is random.
            num_initial: random cells a run begins with.
            round_size: B, queries between two trainings.
            num_parents: best cells whose neighbours are candidates.
            num_candidates: C, most candidates of a round.
            path_length: operations of the longest path that is encoded, where cells have it. The
                released code keeps 3 of 5 on NAS-Bench-101 (40 paths) and 2 of 3 on NAS-Bench-201
                (30).
            blocking_ops: names of operations that interrupt a path, such as 'none', which the
                released code takes for an operation like the others.
            ensemble_size, num_layers, layer_width, epochs, batch_size, learning_rate: see
                `Ensemble`.
            devices: where blocks of runs are trained; empty leaves it to TensorFlow.
            neighbour_edits: of a cell without neighbours in the pool, see `pools.pool.Pool`.

        Raises:
            core.ConfigError: seeds are negative or missing, or every operation blocks.
            ValueError: the pool is empty.
        """
        self._ensemble = Ensemble(
            ensemble_size, num_layers, layer_width, epochs, batch_size, learning_rate
        )
        self._num_initial, self._round_size = num_initial, round_size
        self._num_parents, self._num_candidates = num_parents, num_candidates
        super().__init__(
            cells, seeds=seeds, stream=core.Stream.BANANAS, num_draws=1, space=space,
            neighbour_edits=neighbour_edits,
        )
        interior = enumerate(space.op_names[1:-1], start=1)
        ops = [code for code, name in interior if name not in blocking_ops]
        if not ops:
            raise core.ConfigError(f"blocking_ops={list(blocking_ops)}: no other operation is left")
        length = min(path_length, path_encoding.longest_path(self._pool.cells))
        self._features = path_encoding.encode(self._pool.cells, ops, length)  # [M, F]
        self._program = fit_and_predict(self._ensemble)
        self._devices = list(devices)

    def _draft(self) -> list[Draft]:
        return self._beyond_drafts(self._round)

    def _round(self) -> list[Draft]:
        """Returns the queries of a round; fewer where fewer cells are left.

        Raises:
            core.ConfigError: the pool is used up.
            core.NasError: a network has diverged.
        """
        runs = np.flatnonzero(self._active)
        if not self._cells_left(runs):
            return []
        left = self._queried.num_left(len(self._pool.cells))[runs].min(initial=len(self._features))
        begins = not self._next_number
        size = min(self._num_initial if begins else self._round_size, left)
        chosen = self._promising()[:, :size] if self._asked else None
        cells = self._fill(chosen, size)
        return [Draft(column, ends_round=n == size) for n, column in enumerate(cells.T, 1)]

    def _fill(self, chosen: np.ndarray | None, size: int) -> np.ndarray:
        """Completes chosen cells [R, <= B], -1 at the end of rows, by random ones to int64 [R, B].

        No cell of the result is new to a run twice.
        """
        known, start = self._queried.copy(), self._next_number
        runs, columns = np.flatnonzero(self._active), []
        for number in range(size):
            cells = known.draw(self._uniform(start + number)[:, 0], len(self._pool.cells))
            if chosen is not None and number < chosen.shape[1]:
                cells = np.where(chosen[:, number] >= 0, chosen[:, number], cells)
            known.add(runs, cells[runs])
            columns.append(cells)
        return np.stack(columns, axis=1)

    def _promising(self) -> np.ndarray:
        """Returns int64 [R, C], candidates by the errors they drew, lowest first, -1 at the end."""
        cells = np.stack(self._asked, axis=1)  # [R, Q]
        accuracy = np.stack(self._accuracy, axis=1)
        candidates = self._candidates(cells, accuracy)
        samples = np.full(candidates.shape, np.inf)
        blocks = [slice(start, start + RUN_BLOCK) for start in range(0, len(cells), RUN_BLOCK)]
        blocks = [block for block in blocks if self._active[block].any()]

        def draw(block: slice) -> None:
            samples[block] = self._draw_errors(
                self._seeds[block], cells[block], accuracy[block], candidates[block]
            )

        side_by_side(draw, blocks, self._devices)
        diverged = ~np.isfinite(samples) & (candidates >= 0)
        diverged = diverged.any(axis=1) & self._active
        if diverged.any():
            run = int(np.flatnonzero(diverged)[0])
            raise core.NasError(
                f"run {run} (seed {self._seeds[run]}): the ensemble's predictions are not finite; "
                f"lower learning_rate={self._ensemble.learning_rate}"
            )
        samples[candidates < 0] = np.inf
        return np.take_along_axis(candidates, np.argsort(samples, axis=1, kind="stable"), axis=1)

    def _candidates(self, cells: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
        """Returns int64 [R, C], new neighbours of the best of cells [R, Q], -1 at the end of rows.

        Neighbours of better cells come first; of equally good ones, those of the first queried.
        """
        fitness = np.where(np.isnan(accuracy), -np.inf, accuracy)
        best = np.argsort(-fitness, axis=1, kind="stable")[:, : self._num_parents]
        parents = np.take_along_axis(cells, best, axis=1)
        feasible = np.isfinite(np.take_along_axis(fitness, best, axis=1))
        near = self._pool.neighbours(np.where(feasible, parents, 0).ravel())  # [R P, W]
        near = np.where(feasible.ravel()[:, None], near, -1).reshape(len(cells), -1)
        fresh = (near >= 0) & ~self._queried.find(np.arange(len(cells)), near)[0]
        near = np.where(fresh & _first_in_row(near), near, -1)
        order = np.argsort(near < 0, axis=1, kind="stable")[:, : self._num_candidates]
        candidates = np.full((len(cells), self._num_candidates), -1)
        candidates[:, : order.shape[1]] = np.take_along_axis(near, order, axis=1)
        return candidates

    def _draw_errors(self, seeds, cells, accuracy, candidates) -> np.ndarray:
        """Trains the ensembles of a block and draws an error of each candidate.

        Args:
            seeds: of at most S runs.
            cells: int32 [<= S, Q], queried.
            accuracy: float64 [<= S, Q]; NaN is infeasible.
            candidates: int64 [<= S, C].

        Returns:
            float64 [<= S, C], per cent; anything where there is no candidate.
        """
        queries, ensemble = cells.shape[1], self._ensemble
        number = num_weights(self._features.shape[1], ensemble)
        noise, start, order = [], [], []
        for seed in seeds:
            rng = core.generator(seed, core.Stream.BANANAS_MODEL, queries)
            noise.append(rng.standard_normal(self._num_candidates))
            start.append(rng.random((ensemble.size, number), np.float32))
            everything = np.tile(np.arange(queries, dtype=np.int32), (ensemble.epochs, 1))
            order.append(rng.permuted(everything, axis=1))
        per_cent = 100.0 * (1.0 - accuracy)
        step = ensemble.batch_size * core.ceil_div(_CAPACITY, ensemble.batch_size)
        room = core.ceil_div(queries, step) * step
        predicted = self._program(
            _pad(np.stack(start)),
            _pad(self._features[cells], room),
            _pad(np.nan_to_num(per_cent), room),
            _pad(np.isfinite(per_cent), room),
            _pad(np.stack(order), ensemble.epochs, room, value=queries),
            _pad(self._features[candidates]),
            tf.constant(core.ceil_div(queries, ensemble.batch_size)),
        )
        predicted = np.asarray(predicted, np.float64)[: len(seeds)]  # [<= S, E, C]
        return predicted.mean(axis=1) + predicted.std(axis=1) * np.stack(noise)


@functools.cache
def fit_and_predict(ensemble: Ensemble):
    """Returns the program that trains the ensembles of a block from scratch and asks them.

    Its arguments, with room for P >= Q queries:
        start: float32 [S, E, num_weights] in [0, 1), that become initial weights.
        features: float32 [S, P, F].
        target: float32 [S, P], what is to be predicted.
        weight: float32 [S, P], 1 or 0: how much a query counts in its batch.
        order: int32 [S, epochs, P], the order of queries in every epoch.
        candidates: float32 [S, C, F].
        num_batches: int32, batches of an epoch.
    It returns float32 [S, E, C].
    """

    def step(number, weights, mu, nu, data, order, num_batches):
        """Makes one Adam step of all networks."""
        epoch, batch = number // num_batches, number % num_batches
        # A slice would have XLA compile the program anew for every number of batches.
        index = tf.gather(order, epoch * (order.shape[1] // ensemble.epochs) + batch, axis=1)
        features, target, weight = (tf.gather(array, index, batch_dims=1) for array in data)
        weight /= tf.maximum(tf.reduce_sum(weight, axis=1, keepdims=True), 1.0)
        with tf.GradientTape() as tape:
            tape.watch(weights)
            error = tf.abs(predict(weights, features) - target[:, None])
            loss = tf.reduce_sum(error * weight[:, None])
        gradients = tape.gradient(loss, weights)
        rate = keras_rate(ensemble.learning_rate, number, beta_2=_BETA_2)
        weights, mu, nu = adam_step(weights, gradients, mu, nu, rate=rate, beta_2=_BETA_2)
        return number + 1, weights, mu, nu

    @tf.function(jit_compile=True, autograph=False)
    def program(start, features, target, weight, order, candidates, num_batches):
        weights = initial_weights(start, features.shape[-1], ensemble)
        zeros = [tf.zeros_like(matrix) for matrix in weights]
        data = (features, target, weight)
        order = tf.reshape(order, [order.shape[0], -1, ensemble.batch_size])
        _, weights, _, _ = tf.while_loop(
            lambda number, *_: number < ensemble.epochs * num_batches,
            lambda *state: step(*state, data, order, num_batches),
            [0, weights, zeros, zeros],
        )
        return predict(weights, candidates)

    return program


def predict(weights: Sequence[tf.Tensor], features: tf.Tensor) -> tf.Tensor:
    """Returns float32 [S, E, P], what networks make of features [S, P, F].

    Args:
        weights: of every layer a matrix [S, E, inputs, outputs] and a bias [S, E, 1, outputs].
        features: float32 [S, P, F].
    """
    values = features[:, None]
    *hidden, (matrix, bias) = zip(weights[::2], weights[1::2], strict=True)
    for hidden_matrix, hidden_bias in hidden:
        values = tf.nn.relu(tf.matmul(values, hidden_matrix) + hidden_bias)
    return (tf.matmul(values, matrix) + bias)[..., 0]


def initial_weights(start: tf.Tensor, num_features: int, ensemble: Ensemble) -> list[tf.Tensor]:
    """Turns numbers float32 [S, E, num_weights] in [0, 1) into weights for `predict`.

    Matrices are uniform within sqrt(6 / (inputs + outputs)) (Glorot and Bengio, 2010), biases 0:
    the defaults of Keras, with which the released code begins.
    """
    weights, used = [], 0
    for inputs, outputs in _layers(num_features, ensemble):
        part = start[..., used : used + inputs * outputs]
        matrix = tf.reshape(part, [*start.shape[:2], inputs, outputs])
        weights.append((2.0 * matrix - 1.0) * (6.0 / (inputs + outputs)) ** 0.5)
        weights.append(tf.zeros([*start.shape[:2], 1, outputs]))
        used += inputs * outputs
    return weights


def num_weights(num_features: int, ensemble: Ensemble) -> int:
    """Returns how many weights of a network begin as random numbers."""
    return sum(inputs * outputs for inputs, outputs in _layers(num_features, ensemble))


def _layers(num_features: int, ensemble: Ensemble) -> list[tuple[int, int]]:
    sizes = [num_features, *[ensemble.width] * ensemble.layers, 1]
    return list(zip(sizes, sizes[1:]))


def _first_in_row(values: np.ndarray) -> np.ndarray:
    """Returns bool [K, W]: no column to the left in the same row has the same value."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    first = np.ones(values.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    result = np.empty_like(first)
    np.put_along_axis(result, order, first, axis=1)
    return result


def _pad(values: np.ndarray, *sizes: int, value: int = 0) -> tf.Tensor:
    """Widens the first axis to S and the next ones to `sizes`; truth values become floats."""
    shape = (RUN_BLOCK, *sizes, *values.shape[1 + len(sizes) :])
    padded = np.full(shape, value, np.int32 if values.dtype == np.int32 else np.float32)
    padded[tuple(map(slice, values.shape))] = values
    return tf.constant(padded)
