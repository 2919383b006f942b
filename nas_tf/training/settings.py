"""What decides how a network is trained. Imports no TensorFlow: flags are made of it."""

import dataclasses
from typing import ClassVar

from nas_tf.config import SEED, SHARE, Component, Expected, above, at_least, setting

_RATE = Expected("a rate from 0 to below 1", lambda value: 0 <= value < 1)


@dataclasses.dataclass(frozen=True)
class Training(Component):
    """How a network is trained."""

    flag_prefix: ClassVar[str] = "train_"

    # How long, on what.
    epochs: int = setting(
        100, "Passes over the training images.", at_least(1), former="epochs"
    )
    batch_size: int = setting(
        96, "Global batch, in images.", at_least(1), former="batch_size"
    )
    fraction: float = setting(
        1.0,
        "Share of the training images that are trained on, classes kept; the others validate "
        "(0.1 is GraphPNAS' low-data regime).",
        Expected("a share above 0, at most 1", lambda value: 0 < value <= 1),
    )
    seed: int = setting(0, "Seed of first weights, order, augmentation and dropped paths.", SEED)
    patience: int | None = setting(
        None, "Passes without a better validation accuracy that end a training early.", at_least(1)
    )
    # Optimizer.
    optimizer: str = setting("sgd", "Optimizer.", ("sgd", "adam", "rmsprop"))
    learning_rate: float = setting(
        0.025, "Learning rate at the start, after warm-up.", above(0), former="learning_rate"
    )
    momentum: float = setting(0.9, "Momentum of SGD and RMSprop.", _RATE)
    nesterov: bool = setting(False, "Nesterov's momentum, with SGD.")
    rho: float = setting(0.9, "Decay of RMSprop's mean square.", _RATE)
    epsilon: float = setting(1e-8, "Epsilon of Adam and RMSprop.", above(0))
    weight_decay: float = setting(3e-4, "Weight decay.", at_least(0))
    decoupled: bool = setting(
        False, "Decay weights beside the gradient (AdamW); otherwise decay is added to it."
    )
    decay_all: bool = setting(True, "Decay biases and the weights of norms as well.")
    clip_norm: float | None = setting(
        None, "Bound on the gradient's global norm.", above(0), former="clip_norm"
    )
    accumulate: int = setting(
        1, "Parts that a global batch is computed in, one after the other.", at_least(1)
    )
    # Schedule.
    schedule: str = setting(
        "cosine",
        "Learning rate: constant, cosine (to 0), step or exponential (times --train_decay every "
        "--train_decay_epochs).",
        ("constant", "cosine", "step", "exponential"),
    )
    decay: float = setting(
        0.97, "Factor of step and exponential schedules.",
        Expected("a factor above 0, at most 1", lambda value: 0 < value <= 1),
    )
    decay_epochs: float = setting(1.0, "Passes between two such factors.", above(0))
    warmup_epochs: float = setting(
        0.0, "Passes in which the learning rate rises linearly from 0.", at_least(0)
    )
    # Regularisation.
    label_smoothing: float = setting(0.0, "Share of a label given to all classes alike.", _RATE)
    drop_path: float = setting(
        0.0, "Probability of a dropped path at the end; it grows linearly from 0.", _RATE
    )
    auxiliary_weight: float = setting(0.4, "Weight of an auxiliary head's loss.", at_least(0))
    cutout: int = setting(0, "Side of the square that Cutout blanks, in pixels; 0 is none.", at_least(0))
    cutout_probability: float = setting(1.0, "Share of the images that Cutout blanks.", SHARE)
    # Numbers.
    precision: str = setting(
        "float32",
        "Format of activations; weights are float32. float16 scales the loss.",
        ("float32", "bfloat16", "float16"),
    )
    ema: float | None = setting(
        None, "Momentum of the moving average of weights that is kept in their place.", _RATE
    )
