"""What decides a network beside its architecture. Imports no TensorFlow: flags are made of it."""

import dataclasses
from typing import ClassVar

from nas_tf.config import Component, at_least, setting

SETTINGS = ("cifar", "imagenet", "large")


@dataclasses.dataclass(frozen=True)
class Network(Component):
    """The network around an architecture."""

    flag_prefix: ClassVar[str] = "network_"

    channels: int | None = setting(
        None, "Channels of the first stage; none is the paper's number.", at_least(1)
    )
    cells: int | None = setting(
        None,
        "Cells: of the whole network (DARTS), of a stack (NAS-Bench-101, 201), layers (ENAS); none "
        "is the paper's number.",
        at_least(1),
    )
    auxiliary: bool = setting(False, "An auxiliary head, where the family has one (DARTS).")
    setting: str = setting(
        "cifar",
        "Stem and size: those for small images, DARTS' mobile setting, RandWire's large network.",
        SETTINGS,
    )
