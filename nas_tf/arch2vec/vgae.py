"""Variational graph isomorphism autoencoder of arch2vec, and its losses.

Yan, Zheng, Ao, Zeng, Zhang: "Does Unsupervised Architecture Representation Learning Help Neural
Architecture Search?" (NeurIPS 2020, arXiv:2006.06936), section 3.1: equations 1-2 (encoder),
3-4 (decoder) and 5 (loss).

Where this differs from the paper and from its released code:
- the adjacency logits have a learned scalar bias: sigma(z_i^T z_j + b), not sigma(z_i^T z_j).
  Nodes that a graph isomorphism network cannot tell apart (two parallel 3x3 convolutions between
  the same neighbours) have one mean z, and without a bias their logit is |z|^2 >= 0: an edge that
  is not there. In 6.8 % of the cells of NAS-Bench-101 that makes a reconstruction without any error
  impossible. `adjacency_bias=False` is the paper's form;
- the encoder sees a node's position beside its operation, as one small number. In another 0.5 % of
  the cells (two equal parallel chains, say) no permutation-invariant encoder can tell which nodes
  are joined. With it the embedding depends on the order of the nodes a little; cells are always
  embedded in the order in which the space enumerates them. `positions=False` is the paper's form;
- the GIN layers' epsilon starts at 1, not at 0. Where it is 0, a layer gives two joined nodes with
  the same other neighbours the same sum, whatever their operations. Of the seeds that start there
  some end there: with epsilon near 0 in the middle layers and one cell in eight decoded wrongly.
  `epsilon_start=0` is the released code's;
- padding nodes are taught to decode to the last operation, 'output'. Where they are taught nothing
  they lie near 0, and a node that is the output in most cells and padding in the others gets so
  wide a distribution that one prior sample in five has no output there. `padding_output=False` is
  the paper's form; the measured reconstruction never looks at them;
- the operation decoder is a softmax with categorical cross-entropy (paper);
  `operation_loss="sigmoid"` is the released element-wise sigmoid with binary cross-entropy;
- the second encoder head is the log standard deviation (the released code names it log-variance);
- a cell's embedding is the sum over its node positions (paper); `pooling="mean"` is the released
  code's.

The graph autoencoders that arch2vec is compared with (table 1: GAE and VGAE of Kipf and Welling,
2016, arXiv:1611.07308) are the same model with graph convolutions for an encoder,
`encoder="gcn"`, and, GAE, a loss without noise and divergence, `make_loss(variational=False)`.

Shapes: B graphs, N nodes, D operation types, L latent dimensions.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from nas_tf.core import ConfigError
from nas_tf.layers.gcn import DenseGCN
from nas_tf.layers.gin import DenseGIN, kernel_seeds

METRIC_NAMES = ("adjacency_loss", "operation_loss", "kl")

# Node positions run from -POSITION_SCALE to POSITION_SCALE: enough to tell nodes apart. Larger,
# they replace the structure in the latent variables, and prior samples become alike.
POSITION_SCALE = 0.085


def augment(adjacency: tf.Tensor) -> tf.Tensor:
    """Undirected augmentation A + A^T (section 3.1) of upper triangular matrices [B, N, N]."""
    return adjacency + tf.linalg.matrix_transpose(adjacency)


def reparameterise(mean: tf.Tensor, log_std: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """Sample of N(mean, exp(log_std)^2) (equation 2), all [B, N, L], from standard normal noise."""
    return mean + tf.exp(log_std) * noise


def drop(latent: tf.Tensor, uniform: tf.Tensor, rate: float) -> tf.Tensor:
    """Inverted dropout on [B, N, L], given uniform numbers of the same shape."""
    return tf.where(uniform >= rate, latent / (1.0 - rate), 0.0)


def adjacency_loss(logits: tf.Tensor, adjacency: tf.Tensor, entries: str = "upper") -> tf.Tensor:
    """Mean binary cross-entropy over adjacency entries (first factor of equation 3).

    Args:
        logits: float32 [B, N, N], symmetric.
        adjacency: float32 [B, N, N], upper triangular.
        entries: "upper": the entries above the diagonal, which are all that is decoded; entries
            of padding nodes count, with target 0. "all": every entry of the augmented matrix,
            its diagonal included, as the released code does.

    Returns:
        float32 [B].

    Raises:
        ConfigError: if `entries` has another value.
    """
    if entries not in ("upper", "all"):
        raise ConfigError(f"adjacency_entries={entries}: expected 'upper' or 'all'")
    target = adjacency if entries == "upper" else augment(adjacency)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logits)
    if entries == "all":
        return tf.reduce_mean(losses, axis=(1, 2))
    num_nodes = adjacency.shape[-1]
    above = tf.constant([[float(i < j) for j in range(num_nodes)] for i in range(num_nodes)])
    return tf.reduce_sum(losses * above, axis=(1, 2)) / (num_nodes * (num_nodes - 1) / 2)


def output_at_padding(ops: tf.Tensor) -> tf.Tensor:
    """Gives padding nodes, zeros in one-hot float32 [B, N, D], the last operation: 'output'."""
    empty = 1.0 - tf.reduce_sum(ops, axis=-1, keepdims=True)
    return ops + empty * tf.one_hot(ops.shape[-1] - 1, ops.shape[-1])


def operation_loss(logits: tf.Tensor, ops: tf.Tensor, form: str = "softmax") -> tf.Tensor:
    """Mean cross-entropy of the operations (second factor of equation 3).

    Args:
        logits: float32 [B, N, D].
        ops: float32 [B, N, D], one-hot; a node of zeros has no term in the first form.
        form: "softmax": categorical cross-entropy over nodes (paper). "sigmoid": mean binary
            cross-entropy over the N x D entries (released code).

    Returns:
        float32 [B].

    Raises:
        ConfigError: if `form` has another value.
    """
    if form == "softmax":
        losses = -tf.reduce_sum(ops * tf.nn.log_softmax(logits), axis=-1)    # [B, N]
        real_nodes = tf.maximum(tf.reduce_sum(ops, axis=(1, 2)), 1.0)
        return tf.reduce_sum(losses, axis=-1) / real_nodes
    if form == "sigmoid":
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=ops, logits=logits)
        return tf.reduce_mean(losses, axis=(1, 2))
    raise ConfigError(f"operation_loss={form}: expected 'softmax' or 'sigmoid'")


def kl_divergence(mean: tf.Tensor, log_std: tf.Tensor) -> tf.Tensor:
    """KL(N(mean, std^2) || N(0, I)) of every node's L dimensions, mean over nodes (equation 5).

    -1/2 sum_l (1 + 2 log_std_l - mean_l^2 - exp(2 log_std_l)). The released code divides it by
    batch size times nodes (32 x 7) before it adds it: a `kl_weight` of 1/224.

    Args:
        mean: float32 [B, N, L].
        log_std: float32 [B, N, L].

    Returns:
        float32 [B].
    """
    terms = 1.0 + 2.0 * log_std - tf.square(mean) - tf.exp(2.0 * log_std)    # [B, N, L]
    return -0.5 * tf.reduce_mean(tf.reduce_sum(terms, axis=-1), axis=-1)


@keras.saving.register_keras_serializable(package="nas_tf")
class VGAE(keras.Model):
    """Encoder of graph layers with two linear heads, inner-product decoder.

    Args:
        num_nodes: N, of every graph, padding included.
        num_ops: D.
        hidden: widths of the graph layers.
        latent_dim: L, width of the two heads.
        mlp_depth: triplets in the MLP of a GIN layer.
        positions: whether the encoder sees every node's position beside its operation.
        adjacency_bias: whether the adjacency logits have a learned scalar bias.
        epsilon_start: first value of the GIN layers' trainable epsilon.
        synchronized: whether replicas share the batch-norm statistics.
        encoder: "gin" (arch2vec) or "gcn" (the autoencoders it is compared with); the latter has
            no use for `mlp_depth`, `epsilon_start` and `synchronized`.
        seed: of the initial weights.
        **kwargs: as in `keras.Model`.

    Raises:
        ConfigError: an unknown encoder.
    """

    def __init__(self, num_nodes=7, num_ops=5, *, hidden=(128, 128, 128, 128), latent_dim=16,
                 mlp_depth=2, positions=True, adjacency_bias=True, epsilon_start=1.0,
                 synchronized=True, encoder="gin", seed=0, **kwargs):
        super().__init__(**kwargs)
        self.settings = {
            "num_nodes": num_nodes, "num_ops": num_ops, "hidden": list(hidden),
            "latent_dim": latent_dim, "mlp_depth": mlp_depth, "positions": positions,
            "adjacency_bias": adjacency_bias, "epsilon_start": epsilon_start,
            "synchronized": synchronized, "seed": seed}
        if encoder not in ("gin", "gcn"):
            raise ConfigError(f"encoder={encoder}: expected 'gin' or 'gcn'")
        if encoder != "gin":  # models saved before there was another keep their checksums
            self.settings["encoder"] = encoder
        self.num_nodes, self.num_ops, self.latent_dim = num_nodes, num_ops, latent_dim
        *gin_seeds, mean_seed, log_std_seed, op_seed = kernel_seeds(seed, len(hidden) + 3)
        for index, (width, gin_seed) in enumerate(zip(hidden, gin_seeds)):
            name = f"{encoder}_{index}"
            if encoder == "gin":
                layer = DenseGIN(width, mlp_depth=mlp_depth, epsilon_start=epsilon_start,
                                 synchronized=synchronized, seed=gin_seed, name=name)
            else:
                layer = DenseGCN(width, seed=gin_seed, name=name)
            # Attributes, not a list: tf.train.Checkpoint does not look into Keras' lists.
            setattr(self, name, layer)
        self.mean_head = _dense(latent_dim, mean_seed, "mean")
        self.log_std_head = _dense(latent_dim, log_std_seed, "log_std")
        self.operation_head = _dense(num_ops, op_seed, "operations")
        self.adjacency_bias = None
        self.build(((None, num_nodes, num_nodes), (None, num_nodes, num_ops)))

    @property
    def graph_layers(self) -> list[DenseGIN] | list[DenseGCN]:
        """The encoder's layers, from the input on."""
        kind = self.settings.get("encoder", "gin")
        return [getattr(self, f"{kind}_{index}") for index in range(len(self.settings["hidden"]))]

    def build(self, input_shape):
        """Makes all weights. `input_shape`: shapes of the adjacency and of the operations."""
        if self.built:
            return
        adjacency, ops = (tuple(shape) for shape in input_shape)
        features = (*ops[:-1], ops[-1] + int(self.settings["positions"]))
        for layer in self.graph_layers:
            layer.build((features, adjacency))
            features = layer.compute_output_shape((features, adjacency))
        self.mean_head.build(features)
        self.log_std_head.build(features)
        self.operation_head.build((None, self.num_nodes, self.latent_dim))
        if self.settings["adjacency_bias"]:
            self.adjacency_bias = self.add_weight(shape=(), initializer="zeros",
                                                  name="adjacency_bias")
        self.built = True

    def encode(self, adjacency: tf.Tensor, ops: tf.Tensor, training: bool = False,
               ) -> tuple[tf.Tensor, tf.Tensor]:
        """Mean and log standard deviation of every node (equations 1-2).

        Args:
            adjacency: float32 [B, N, N], upper triangular.
            ops: float32 [B, N, D], one-hot, zeros at padding nodes.
            training: whether batch-norm uses the statistics of this batch.

        Returns:
            mean and log_std, float32 [B, N, L].
        """
        undirected = augment(adjacency)
        features = self._node_features(ops)
        for layer in self.graph_layers:
            features = layer((features, undirected), training=training)      # [B, N, hidden]
        return self.mean_head(features), self.log_std_head(features)

    def decode(self, latent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits of the adjacency and of the operations (equations 3-4).

        Args:
            latent: float32 [B, N, L].

        Returns:
            adjacency logits float32 [B, N, N] (symmetric), operation logits float32 [B, N, D].
        """
        adjacency = tf.matmul(latent, latent, transpose_b=True)
        if self.adjacency_bias is not None:
            adjacency = adjacency + self.adjacency_bias
        return adjacency, self.operation_head(latent)

    def call(self, inputs, training=False):
        """Decoder's logits of the mean of `inputs`: adjacency [B, N, N], operations [B, N, D]."""
        adjacency, ops = inputs
        return self.decode(self.encode(adjacency, ops, training=training)[0])

    def _node_features(self, ops):
        if not self.settings["positions"]:
            return ops
        positions = POSITION_SCALE * tf.linspace(-1.0, 1.0, self.num_nodes)[:, None]
        positions = tf.broadcast_to(positions, [tf.shape(ops)[0], self.num_nodes, 1])
        return tf.concat([ops, positions], axis=-1)                          # [B, N, D + 1]

    def get_config(self):
        """What `from_config` needs."""
        return {**self.settings, "name": self.name}


def make_loss(*, kl_weight: float = 2e-6, free_nats: float = 140.0, dropout: float = 0.0,
              form: str = "softmax", entries: str = "upper", padding_output: bool = True,
              variational: bool = True) -> Callable[..., dict[str, tf.Tensor]]:
    """Returns the trainer's loss function: equation 5 with a weight on the divergence.

    Args:
        kl_weight: of the divergence per node; much larger ones press the means of all cells
            together (the released code: 1/224).
        free_nats: divergence per node that costs nothing (the free bits of Kingma et al., 2016,
            arXiv:1606.04934, a cell at a time). Once reconstruction is perfect the divergence is
            all that is left to lower; without a bound the means of all cells drift together, to
            where prior samples are alike.
        dropout: rate on the sampled latent variables, in training.
        form: of `operation_loss`.
        entries: of `adjacency_loss`.
        padding_output: whether padding nodes are taught to decode to 'output'.
        variational: whether a sample is decoded in training and the divergence counts; without,
            it is an autoencoder.

    Returns:
        A function (model, batch, random, training) -> "loss" and METRIC_NAMES, each [b]; `batch`
        holds "adjacency" [b, N, N] and "ops" [b, N, D] of any numeric dtype, `random` is a
        `StepRandom`. Without training the mean is decoded.
    """
    def loss_function(model: VGAE, batch: dict[str, tf.Tensor], random: Any, training: bool):
        adjacency = tf.cast(batch["adjacency"], tf.float32)
        ops = tf.cast(batch["ops"], tf.float32)
        mean, log_std = model.encode(adjacency, ops, training=training)
        latent = mean
        if training and variational:
            latent = reparameterise(mean, log_std, random.normal(mean.shape))
        if training and dropout > 0:
            latent = drop(latent, random.uniform(mean.shape), dropout)
        adjacency_logits, op_logits = model.decode(latent)
        edges = adjacency_loss(adjacency_logits, adjacency, entries)
        targets = output_at_padding(ops) if padding_output else ops
        operations = operation_loss(op_logits, targets, form)
        divergence = kl_divergence(mean, log_std)
        loss = edges + operations
        if variational:
            loss += kl_weight * tf.maximum(divergence - free_nats, 0.0)
        return {"loss": loss, "adjacency_loss": edges, "operation_loss": operations,
                "kl": divergence}

    return loss_function


def _dense(units: int, seed: int, name: str) -> keras.layers.Dense:
    return keras.layers.Dense(units, name=name,
                              kernel_initializer=keras.initializers.GlorotUniform(seed=seed))
