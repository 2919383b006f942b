"""Graph convolution for batches of small dense graphs.

Kipf and Welling: "Semi-Supervised Classification with Graph Convolutional Networks" (ICLR 2017,
arXiv:1609.02907), equation 2. It encodes the graph autoencoders that arch2vec is compared with
(Yan et al., 2020, arXiv:2006.06936, table 1). Spektral's layer expects the normalised adjacency of
a preprocessing step and does not run under Keras 3.

Shapes: B graphs, N nodes, F features, C channels.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import keras
import tensorflow as tf


def normalized(adjacency: tf.Tensor) -> tf.Tensor:
    """Returns D^-1/2 (A + I) D^-1/2 of symmetric matrices A, float32 [B, N, N]."""
    looped = adjacency + tf.eye(adjacency.shape[-1])
    scale = tf.math.rsqrt(tf.reduce_sum(looped, axis=-1))                    # [B, N]
    return looped * scale[:, :, None] * scale[:, None, :]


@keras.saving.register_keras_serializable(package="nas_tf")
class DenseGCN(keras.layers.Layer):
    """H' = ReLU(D^-1/2 (A + I) D^-1/2 (H W + b)) on dense adjacency matrices.

    Args:
        channels: C.
        seed: of the Glorot uniform kernel; None draws one from Python's global generator.
        **kwargs: as in `keras.layers.Layer`.
    """

    def __init__(self, channels: int, *, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.seed = channels, seed

    def build(self, input_shape):
        """Makes kernel and bias. `input_shape`: shapes of the features and the adjacency."""
        self.dense = keras.layers.Dense(
            self.channels, kernel_initializer=keras.initializers.GlorotUniform(seed=self.seed)
        )
        self.dense.build(tuple(input_shape[0]))
        self.built = True

    def call(self, inputs, training=None):
        """Applies the layer.

        Args:
            inputs: features float32 [B, N, F] and symmetric adjacency float32 [B, N, N].
            training: without effect.

        Returns:
            Features float32 [B, N, C].
        """
        features, adjacency = inputs
        return tf.nn.relu(tf.matmul(normalized(adjacency), self.dense(features)))

    def compute_output_shape(self, input_shape):
        """Returns [B, N, C]."""
        return (*input_shape[0][:-1], self.channels)

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "channels": self.channels, "seed": self.seed}
