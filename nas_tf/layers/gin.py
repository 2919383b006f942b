"""Graph isomorphism layer for batches of small dense graphs.

Xu, Hu, Leskovec, Jegelka: "How Powerful are Graph Neural Networks?" (ICLR 2019, arXiv:1810.00826),
equation 4.1, with the MLP of arch2vec (Yan et al., 2020, arXiv:2006.06936, section 3.1): each
layer of the MLP is a linear - batch-norm - ReLU triplet.

Shapes: B graphs, N nodes, F features, C channels.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import keras
import tensorflow as tf
from spektral.layers import GINConvBatch

from nas_tf.core import Stream, seed_sequence


def kernel_seeds(seed: int, count: int) -> list[int]:
    """Returns `count` seeds for initializers, below 2**31, that `seed` decides."""
    return [int(state) >> 1 for state in seed_sequence(seed, Stream.TRAINING).generate_state(count)]


@keras.saving.register_keras_serializable(package="nas_tf")
class DenseGIN(GINConvBatch):
    """h_i' = MLP((1 + epsilon) h_i + sum over j of A_ij h_j) on dense adjacency matrices.

    It differs from Spektral's `GINConvBatch`, whose fields and `config` it keeps, in three points:
    `build` makes no tensors (Spektral's leave a scratch graph, so that a subclassed model fails at
    its first call); the MLP is `mlp_depth` triplets of linear, batch-norm, ReLU (Spektral:
    linear, activation, batch-norm, and a last linear layer without either); the linear layers
    have no bias, because the batch-norm that follows takes any constant away.

    Batch-norm runs over all B x N node positions: positions of padding nodes enter the
    statistics, as in the released arch2vec code. They are 2 % of the positions of the
    NAS-Bench-101 space. The statistics are summed over the replicas of a `tf.distribute` strategy
    when `synchronized`, so that a global batch gives the same numbers on one device and on two.

    Args:
        channels: C, width of every layer of the MLP.
        mlp_depth: number of triplets.
        epsilon: None for a trainable epsilon, or its fixed value.
        epsilon_start: first value of a trainable epsilon.
        synchronized: whether replicas share the batch-norm statistics.
        momentum: of the moving batch-norm statistics; the default is PyTorch's.
        batchnorm_epsilon: added to the batch-norm's variance; the default is PyTorch's.
        seed: of the Glorot uniform kernels; None draws one from Python's global generator.
        **kwargs: as in `spektral.layers.GINConvBatch`.

    Raises:
        ValueError: if `mlp_depth` is not positive.
    """

    def __init__(self, channels, *, mlp_depth=2, epsilon=None, epsilon_start=0.0,
                 synchronized=True, momentum=0.9, batchnorm_epsilon=1e-5, seed=None, **kwargs):
        if mlp_depth < 1:
            raise ValueError(f"mlp_depth must be at least 1, received {mlp_depth}")
        kwargs.pop("mlp_hidden", None)  # a saved config of the parent class names these two
        kwargs.pop("mlp_batchnorm", None)
        super().__init__(channels, epsilon=epsilon, mlp_hidden=[channels] * (mlp_depth - 1),
                         **kwargs)
        self.mlp_depth = mlp_depth
        self.epsilon_start = epsilon_start
        self.synchronized = synchronized
        self.momentum = momentum
        self.batchnorm_epsilon = batchnorm_epsilon
        self.seed = seed

    def build(self, input_shape):
        """Makes the MLP and epsilon. `input_shape`: shapes of the features and the adjacency."""
        # The parent's build is not called: it makes tensors, and a second MLP to be tracked.
        features = tuple(input_shape[0])
        self.one = 1.0
        if self.epsilon is None:
            start = keras.initializers.Constant(self.epsilon_start)
            self.eps = self.add_weight(shape=(1,), initializer=start, name="eps")
        else:
            self.eps = float(self.epsilon)
        self.mlp = keras.Sequential(
            [layer for seed in self._kernel_seeds() for layer in self._triplet(seed)], name="mlp")
        self.mlp.build(features)
        self.built = True

    def call(self, inputs, training=None):
        """Applies the layer.

        Args:
            inputs: features float32 [B, N, F] and adjacency float32 [B, N, N], symmetric for an
                undirected graph.
            training: whether batch-norm uses the statistics of this batch.

        Returns:
            Features float32 [B, N, C].
        """
        features, adjacency = inputs
        neighbours = tf.matmul(adjacency, features)                          # [B, N, F]
        return self.mlp((self.one + self.eps) * features + neighbours, training=training)

    def compute_output_shape(self, input_shape):
        """Returns [B, N, C]."""
        return (*input_shape[0][:-1], self.channels)

    @property
    def config(self):
        """What Spektral adds to `get_config`."""
        return {
            "channels": self.channels,
            "epsilon": self.epsilon,
            "epsilon_start": self.epsilon_start,
            "mlp_depth": self.mlp_depth,
            "synchronized": self.synchronized,
            "momentum": self.momentum,
            "batchnorm_epsilon": self.batchnorm_epsilon,
            "seed": self.seed,
        }

    def _kernel_seeds(self):
        if self.seed is None:
            return [None] * self.mlp_depth
        return kernel_seeds(self.seed, self.mlp_depth)

    def _triplet(self, seed):
        return (
            keras.layers.Dense(self.channels, use_bias=False,
                               kernel_initializer=keras.initializers.GlorotUniform(seed=seed)),
            keras.layers.BatchNormalization(momentum=self.momentum, epsilon=self.batchnorm_epsilon,
                                            synchronized=self.synchronized),
            keras.layers.ReLU(),
        )
