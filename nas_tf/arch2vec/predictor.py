"""The supervised counterpart of the autoencoder: its encoder, trained to predict accuracies.

arch2vec (Yan et al., 2020, arXiv:2006.06936), section 4.2, compares its searches with ones whose
encoder is not pre-trained: it learns together with the search, from the accuracies of the cells
queried so far. The encoder is that of `vgae.VGAE` (its deterministic part); one hidden layer of 128
tanh units and a linear one, as in DNGO, predict the accuracy from a cell's embedding, and both are
trained as one network on the mean squared error of accuracies of mean 0 and variance 1.

Every run has weights of its own. One compiled program makes a run's whole training, another embeds
a thousand cells; both are large enough to keep a core busy, and runs go side by side to the
devices, or to the cores of a processor.

Cost: 1.8 MFLOP a cell of 8 nodes forward, three times that in training: a training of 50 steps of
32 cells takes 9 GFLOP, an embedding of 15,625 cells 29.

Shapes: M cells of the pool, N nodes, O operations, D embedding dimensions, T steps of a training,
B = BATCH_SIZE.
"""

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from nas_tf import core
from nas_tf.arch2vec import dngo
from nas_tf.arch2vec.embedding import encoder_inputs, in_equal_batches, node_pooling
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.graphs import CellGraphs
from nas_tf.training.adam import adam_step, keras_rate
from nas_tf.training.batches import shuffled_batches
from nas_tf.training.distribution import side_by_side
from nas_tf.spaces.space import SearchSpace

BATCH_SIZE = 32  # the pre-training's


class AccuracyPredictor(keras.Model):
    """arch2vec's encoder with a network on a cell's embedding that predicts its accuracy."""

    def __init__(
        self,
        num_nodes: int,
        num_ops: int,
        *,
        positions: bool = True,
        epsilon_start: float = 1.0,
        pooling: str = "sum",
        **kwargs,
    ):
        """Builds it.

        Args:
            num_nodes: N, of every graph, padding included.
            num_ops: O.
            positions: as in `VGAE`.
            epsilon_start: as in `VGAE`.
            pooling: of a cell's nodes, "sum" or "mean".
            **kwargs: as in `keras.Model`.

        Raises:
            core.ConfigError: an unknown pooling.
        """
        super().__init__(**kwargs)
        self._pool = node_pooling(pooling)
        self.encoder = VGAE(
            num_nodes,
            num_ops,
            positions=positions,
            adjacency_bias=False,
            epsilon_start=epsilon_start,
            synchronized=False,
        )
        self.hidden = keras.layers.Dense(dngo.HIDDEN, activation="tanh")
        self.head = keras.layers.Dense(1)
        self.hidden.build((None, self.encoder.latent_dim))
        self.head.build((None, dngo.HIDDEN))
        # What only the autoencoder needs would be trained without a gradient.
        self.encoder.log_std_head.trainable = False
        self.encoder.operation_head.trainable = False
        self.built = True

    def call(self, inputs, training=False):
        """Embeds cells and predicts their accuracies.

        Args:
            inputs: adjacency float32 [K, N, N] and one-hot operations float32 [K, N, O].
            training: whether batch-norm uses the statistics of these cells.

        Returns:
            embeddings float32 [K, D] and scaled accuracies float32 [K].
        """
        means, _ = self.encoder.encode(*inputs, training=training)
        embedding = self._pool(means, axis=1)
        return embedding, self.head(self.hidden(embedding))[:, 0]


class PredictorTraining:
    """Trains predictors of many runs and embeds a pool with them."""

    def __init__(
        self,
        model: AccuracyPredictor,
        space: SearchSpace,
        cells: CellGraphs,
        *,
        learning_rate: float,
        devices: Sequence[str] = (),
    ):
        """Puts the pool in place.

        Args:
            model: the network; its own weights are not used.
            space: encodes the cells.
            cells: the pool [M].
            learning_rate: of Adam.
            devices: where runs are trained; empty leaves it to TensorFlow.
        """
        self._model = model
        self._learning_rate = learning_rate
        self._devices = list(devices)
        self._adjacency, self._ops = encoder_inputs(space, cells)
        self._train = tf.function(self._train_run, jit_compile=True, autograph=False)
        self._embed = tf.function(self._embed_cells, jit_compile=True, autograph=False)

    @classmethod
    def of_space(
        cls,
        space: SearchSpace,
        cells: CellGraphs,
        *,
        positions: bool,
        epsilon_start: float,
        pooling: str,
        learning_rate: float,
        devices: Sequence[str] = (),
    ) -> "PredictorTraining":
        """Puts a pool in place for a network of its space; see `AccuracyPredictor` for `Args`."""
        model = AccuracyPredictor(
            space.max_nodes,
            len(space.op_names),
            positions=positions,
            epsilon_start=epsilon_start,
            pooling=pooling,
        )
        return cls(model, space, cells, learning_rate=learning_rate, devices=devices)

    @property
    def num_cells(self) -> int:
        """M."""
        return len(self._adjacency)

    @property
    def depth(self) -> int:
        """D."""
        return self._model.encoder.latent_dim

    def embed(
        self,
        seeds: Sequence[np.random.SeedSequence],
        batches: np.ndarray,
        targets: np.ndarray,
        finish: Callable[[int, np.ndarray], None],
    ) -> None:
        """Trains a network for each of K runs from scratch and embeds the pool with it.

        Args:
            seeds: K, of the initial weights.
            batches: int32 [K, T, B], the cells every step sees.
            targets: float32 [K, T, B], their accuracies, scaled.
            finish: takes a number below K and that run's embedding, float32 [M, D]; it is called in
                any order and from several threads.
        """
        def work(number: int) -> None:
            rows = batches[number]
            trained = self._train(
                self._initial_weights(seeds[number]),
                [variable.numpy() for variable in self._model.non_trainable_variables],
                self._adjacency[rows],
                self._ops[rows],
                targets[number],
            )
            finish(number, self._embed_pool(*trained))

        side_by_side(work, range(len(seeds)), self._devices)

    def _initial_weights(self, seed: np.random.SeedSequence) -> list[np.ndarray]:
        """Draws trainable weights: kernels Glorot uniform, the others as in the model."""
        rng = np.random.default_rng(seed)
        weights = []
        for variable in self._model.trainable_variables:
            if len(variable.shape) == 2:
                bound = np.float32(np.sqrt(6.0 / sum(variable.shape)))
                weights.append((2.0 * rng.random(variable.shape, np.float32) - 1.0) * bound)
            else:
                weights.append(variable.numpy())
        return weights

    def _train_run(self, trainable, others, adjacency, ops, targets):
        """Trains a run's network.

        Args:
            trainable: first weights.
            others: batch-norm's moving statistics, and what is not used.
            adjacency: uint8 [T, B, N, N].
            ops: uint8 [T, B, N, O].
            targets: float32 [T, B].

        Returns:
            trained `trainable` and `others`.
        """
        def step(number, trainable, others, mu, nu):
            cells = [tf.cast(array[number], tf.float32) for array in (adjacency, ops)]
            with tf.GradientTape() as tape:
                tape.watch(trainable)
                (_, predicted), others = self._model.stateless_call(
                    trainable, others, cells, training=True
                )
                loss = tf.reduce_mean(tf.square(predicted - targets[number]))
            gradients = tape.gradient(loss, trainable)
            rate = keras_rate(self._learning_rate, number)
            trainable, mu, nu = adam_step(trainable, gradients, mu, nu, rate=rate)
            return number + 1, trainable, others, mu, nu

        zeros = [tf.zeros_like(weight) for weight in trainable]
        _, trainable, others, _, _ = tf.while_loop(
            lambda number, *_: number < targets.shape[0],
            step,
            [0, list(trainable), list(others), zeros, zeros],
        )
        return trainable, others

    def _embed_cells(self, trainable, others, adjacency, ops) -> tf.Tensor:
        """Embeds cells, uint8 [K, N, N] and [K, N, O], with given weights: [K, D]."""
        cells = [tf.cast(array, tf.float32) for array in (adjacency, ops)]
        (embedding, _), _ = self._model.stateless_call(trainable, others, cells, training=False)
        return embedding

    def _embed_pool(self, trainable, others) -> np.ndarray:
        """Embeds the pool with given weights, float32 [M, D]."""
        encode = functools.partial(self._embed, trainable, others)
        return in_equal_batches(encode, self._adjacency, self._ops, (self.depth,))


def learned_embedding(
    training: PredictorTraining,
    accuracy: np.ndarray,
    *,
    num_cells: int,
    steps: int,
    seed: int,
) -> np.ndarray:
    """Trains one encoder on random cells and embeds the pool with it.

    Args:
        training: on a pool [M].
        accuracy: float64 [<= M], of the pool's first cells, from which those that are learned from
            are drawn; NaN where unknown.
        num_cells: learned from.
        steps: T.
        seed: decides the cells, the batches and the initial weights.

    Returns:
        float32 [M, D].

    Raises:
        core.ConfigError: too few cells have an accuracy.
        core.NasError: the encoder diverged.
    """
    chosen, rng = _drawn_cells(accuracy, num_cells, seed)
    seen = np.zeros(len(accuracy), bool)
    seen[chosen] = True
    centre, scale = dngo.centre_and_scale(accuracy[None], seen[None])
    batches = shuffled_batches(rng, chosen, steps, BATCH_SIZE)
    targets = ((accuracy[batches] - centre) / scale).astype(np.float32)
    found = {}
    weights = core.seed_sequence(seed, core.Stream.SUPERVISED_WEIGHTS)
    training.embed([weights], batches[None].astype(np.int32), targets[None], found.__setitem__)
    if not np.isfinite(found[0]).all():
        raise core.NasError("the supervised encoder diverged; lower learning_rate")
    return found[0]


def learned_cells(
    accuracy: np.ndarray, *, num_cells: int, seed: int
) -> np.ndarray:
    """Returns the indices of the cells that `learned_embedding` learns from, int64, ascending.

    Args and errors are those of `learned_embedding`.
    """
    return np.sort(_drawn_cells(accuracy, num_cells, seed)[0])


def _drawn_cells(
    accuracy: np.ndarray, num_cells: int, seed: int
) -> tuple[np.ndarray, np.random.Generator]:
    """Returns cells in the order drawn, and the generator they came from."""
    known = np.flatnonzero(np.isfinite(accuracy))
    if not 2 <= num_cells <= len(known):
        raise core.ConfigError(f"num_cells={num_cells}: expected 2 to {len(known)} cells")
    rng = core.generator(seed, core.Stream.SUPERVISED_CELLS)
    return rng.choice(known, num_cells, replace=False), rng
