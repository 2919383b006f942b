"""Which cells a DARTS network has, and between which widths and sizes.

Liu et al., 2019, arXiv:1806.09055, sections 3.2 and 3.3, after the released code.
"""

import dataclasses

from nas_tf.core import ConfigError

SETTINGS = ("cifar", "imagenet")
STEM_MULTIPLIER = 3  # the stem of small images is wider than the first cell
INTERMEDIATE = 4  # nodes whose outputs are joined to the cell's
AUXILIARY_WIDTHS = (128, 768)

_CHANNELS = {"cifar": 36, "imagenet": 48}
_CELLS = {"cifar": 20, "imagenet": 14}


@dataclasses.dataclass(frozen=True)
class CellPlan:
    """One cell of a network.

    Attributes:
        channels: of every intermediate node.
        entering: channels of the two inputs, those of the cell before the previous one first.
        reduction: whether the cell halves the image.
        after_reduction: whether the previous one does, so that the first input is twice as large.
        auxiliary: whether an auxiliary head reads the cell's output.
    """

    channels: int
    entering: tuple[int, int]
    reduction: bool
    after_reduction: bool
    auxiliary: bool


def plan(setting: str, channels: int | None = None, cells: int | None = None) -> list[CellPlan]:
    """Returns the cells of a network.

    Args:
        setting: "cifar" or "imagenet".
        channels: of the first cell's nodes; None is the paper's number, 36 or 48.
        cells: number of cells; None is the paper's number, 20 or 14.

    Raises:
        ConfigError: no such setting.
    """
    width, count = first_channels(setting, channels), cells or _CELLS[setting]
    reductions = {count // 3, 2 * count // 3}
    stem = STEM_MULTIPLIER * width if setting == "cifar" else width
    before, previous, after_reduction, plans = stem, stem, setting == "imagenet", []
    for number in range(count):
        reduction = number in reductions
        width *= 1 + reduction
        auxiliary = number == 2 * count // 3
        plans.append(CellPlan(width, (before, previous), reduction, after_reduction, auxiliary))
        before, previous, after_reduction = previous, INTERMEDIATE * width, reduction
    return plans


def first_channels(setting: str, channels: int | None) -> int:
    """Returns the channels of the first cell's nodes; see `plan`."""
    if setting not in SETTINGS:
        raise ConfigError(f"setting={setting!r}: expected {' or '.join(map(repr, SETTINGS))}")
    return channels or _CHANNELS[setting]


def auxiliary_pool(setting: str, side: int) -> tuple[int, int] | None:
    """Returns window and stride of the auxiliary head's average pool; None where images are small.

    The released head is for sides of 8 (CIFAR-10) and 7 (ImageNet), of which the pool makes 2.
    """
    stride = 3 if setting == "cifar" else 2
    return (5, stride) if side >= 5 + stride else None
