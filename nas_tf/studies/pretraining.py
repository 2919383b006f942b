"""Settings of the pre-training of an autoencoder."""

import dataclasses
from typing import Any, ClassVar

from nas_tf.config import FINITE, SEED, Component, Expected, above, at_least, setting

_OTHERS = ("cells", "seed", "pooling", "jit_compile")  # make no other kind of model


def _pooling():
    return setting(
        "sum",
        "A cell's embedding over its nodes: sum (the paper) or mean (the released code).",
        ("sum", "mean"),
        former="pooling",
    )


@dataclasses.dataclass(frozen=True)
class Pooling(Component):
    """How an embedding is made of a model."""

    flag_prefix: ClassVar[str] = "pretrain_"
    read_by: ClassVar[str] = "strategy"

    pooling: str = _pooling()


@dataclasses.dataclass(frozen=True)
class Pretraining(Component):
    """The arch2vec autoencoder and its pre-training."""

    flag_prefix: ClassVar[str] = "pretrain_"
    read_by: ClassVar[str] = "strategy"

    cells: str = setting(
        "space", "Cells to pre-train on: the whole space or those of the table.", ("space", "table")
    )
    seed: int = setting(
        0,
        "Seed of the pre-trained model, its own: runs of every --seed search in the same embedding.",
        SEED,
    )
    autoencoder: str = setting(
        "arch2vec",
        "What is pre-trained: arch2vec's variational autoencoder on GIN layers, or the GAE or VGAE "
        "on graph convolutions that it is compared with. --pretrain_kl_weight=0 is arch2vec without "
        "KL.",
        ("arch2vec", "gae", "vgae"),
        flag="autoencoder",
    )
    epochs: int = setting(
        8,
        "Passes over the training cells.",
        at_least(1),
        former="epochs",
    )
    batch_size: int = setting(
        32,
        "Global batch, in cells.",
        at_least(1),
        former="batch_size",
    )
    learning_rate: float = setting(
        1e-3,
        "Adam's learning rate at the start.",
        above(0),
        former="learning_rate",
    )
    adam_epsilon: float = setting(
        1e-5,
        "Adam's epsilon; with Keras' 1e-7 noise goes on moving a model.",
        above(0),
        former="adam_epsilon",
    )
    held_out: float = setting(
        0.1,
        "Share of the cells kept to measure reconstruction.",
        Expected("a share between 0 and 1", lambda value: 0 < value < 1),
        former="held_out",
    )
    kl_weight: float = setting(
        2e-6,
        "Weight of a node's KL divergence in the loss; the released code's is 1/224.",
        at_least(0),
        former="kl_weight",
    )
    free_nats: float = setting(
        140.0,
        "KL divergence of a node that costs nothing; the paper has none.",
        at_least(0),
        former="free_nats",
    )
    dropout: float = setting(
        0.0,
        "Dropout on the latent variables in training.",
        Expected("a rate from 0 to below 1", lambda value: 0 <= value < 1),
        former="dropout",
    )
    clip_norm: float | None = setting(
        5.0,
        "Bound on the gradient's global norm (the released code's); 'none' is no bound.",
        above(0),
        former="clip_norm",
    )
    operation_loss: str = setting(
        "softmax",
        "Decoder of operations: softmax (the paper) or element-wise sigmoid (the released code).",
        ("softmax", "sigmoid"),
        former="operation_loss",
    )
    adjacency_entries: str = setting(
        "upper",
        "Adjacency entries in the loss: those above the diagonal, or all of the augmented matrix "
        "(the released code).",
        ("upper", "all"),
        former="adjacency_entries",
    )
    adjacency_bias: bool = setting(
        True,
        "Learn one bias of all adjacency logits; the paper has none.",
        former="adjacency_bias",
    )
    padding_output: bool = setting(
        True,
        "Teach padding nodes to decode to 'output'; in the paper they are taught nothing.",
        former="padding_output",
    )
    positions: bool = setting(
        True,
        "Let the encoder see every node's position, faintly; the paper's does not.",
        former="positions",
    )
    epsilon_start: float = setting(
        1.0,
        "Where the GIN layers' trainable epsilon starts; the released code's is 0.",
        FINITE,
        former="epsilon_start",
    )
    pooling: str = _pooling()
    jit_compile: bool = setting(
        True,
        "Compile pre-training (on one device) with XLA.",
        former="jit_compile",
    )

    @property
    def on_table(self) -> bool:
        """Whether the table's cells are pre-trained on, not the whole space."""
        return self.cells == "table"

    @property
    def variational(self) -> bool:
        """Whether latent variables are sampled."""
        return self.autoencoder != "gae"

    def kind(self) -> dict[str, Any]:
        """Returns the settings that tell kinds of models apart, not models of one kind."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if name not in _OTHERS}
