"""Which images are used, and how they are split. Imports no TensorFlow: flags are made of it."""

import dataclasses
from typing import ClassVar

from nas_tf.config import NOT_EMPTY, SEED, Component, Expected, at_least, setting

NAMES = ("digits", "cifar10", "cifar100", "tinyimagenet", "imagenet", "folder")


@dataclasses.dataclass(frozen=True)
class Data(Component):
    """Images."""

    flag_prefix: ClassVar[str] = "data_"

    data: str = setting("digits", "Data set.", NAMES, flag="data")
    path: str | None = setting(
        None, "Where it is: a folder or an archive; digits need none.", NOT_EMPTY, path=True,
        by_content=True,
    )
    validation: float = setting(
        0.1,
        "Share of the training images that validates and is not trained on; 0 trains on all.",
        Expected("a share from 0 to below 1", lambda value: 0 <= value < 1),
    )
    image_size: int | None = setting(
        None, "Height and width that images are resized to; none keeps those of the data set.",
        at_least(4),
    )
    limit: int | None = setting(
        None, "Images of a split that are used at most, classes kept; none uses all.", at_least(2)
    )
    split_seed: int = setting(0, "Seed of the split, its own.", SEED)
