"""From an architecture to its network, and to what that costs: one line a family.

    build("darts_v2", auxiliary=True, drop_path=0.2)
    parameters("darts_v2")    # 3349342; nothing is built

Shapes: B cells.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.networks import families, macro
from nas_tf.networks.families import Around
from nas_tf.spaces import registry as spaces
from nas_tf.spaces.architecture import parse
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.spaces.space import SearchSpace


@dataclasses.dataclass(frozen=True)
class Family:
    """Networks around the architectures of one space.

    Attributes:
        build: (architecture, around) -> model.
        parameters: (architecture or cells, around) -> int64 [B].
        multiply_adds: likewise.
        settings: those it knows, the first is the default; "cifar" is every family's default.
        has: what else of `Around` it has: "channels", "cells", "auxiliary", "drop_path".
    """

    build: Callable[[Architecture, Around], keras.Model]
    parameters: Callable[[Architecture | CellGraphs, Around], np.ndarray]
    multiply_adds: Callable[[Architecture | CellGraphs, Around], np.ndarray]
    has: tuple[str, ...]
    settings: tuple[str, ...] = ("cifar",)


FAMILIES: dict[str, Family] = {
    "nasbench101": Family(*families.NASBENCH101, ("channels", "cells")),
    "nasbench201": Family(*families.NASBENCH201, ("channels", "cells")),
    "darts": Family(
        *families.DARTS, ("channels", "cells", "auxiliary", "drop_path"), ("cifar", "imagenet")
    ),
    "randwire": Family(*families.RANDWIRE, ("channels",), ("cifar", "large")),
    "enas": Family(*families.ENAS, ("channels",)),
    "macro": Family(*macro.MACRO, ("channels",)),
}


def build(
    architecture: Architecture | str,
    space: str | SearchSpace | None = None,
    num_classes: int = 10,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    channels: int | None = None,
    cells: int | None = None,
    auxiliary: bool = False,
    drop_path: float = 0.0,
    setting: str = "cifar",
) -> keras.Model:
    """Builds the network of an architecture; by default the paper's for CIFAR-10.

    Args:
        architecture: a value or a text, see `nas_tf.architecture`.
        space: what the text is of; None leaves it to the text.
        num_classes: K, units of the last layer.
        input_shape: height, width and channels of an image.
        channels: of the first stage; None is the paper's number.
        cells: of the whole network (DARTS) or of a stack (NAS-Bench-101, 201); likewise.
        auxiliary: with an auxiliary head (DARTS): the model has two outputs then.
        drop_path: rate of the `DropPath` layers at the end of a training (DARTS).
        setting: "cifar", "imagenet" (DARTS' mobile setting) or "large" (RandWire).

    Returns:
        a model from normalised images float32 [B, H, W, C] to logits [B, K].

    Raises:
        InvalidArchitectureError: it is none, or cannot be built for such images.
        ConfigError: a setting is impossible, or the family has no such thing.
    """
    value = parse(architecture, space)
    around = Around(
        num_classes=num_classes, input_shape=tuple(input_shape), channels=channels, cells=cells,
        auxiliary=auxiliary, drop_path=drop_path, setting=setting,
    )
    return _family(value.space, around).build(value, around)


def parameters(
    architecture: Architecture | str | CellGraphs,
    space: str | SearchSpace | None = None,
    **around: Any,
) -> int | np.ndarray:
    """Returns the trainable parameters of the network that `build` would build.

    Args:
        architecture: a value or a text; or cells [B].
        space: as in `build`; of cells the one they are from, found out when None.
        **around: as in `build`.

    Returns:
        a number; of cells int64 [B].

    Raises:
        InvalidArchitectureError: it is none, or cannot be built.
        ConfigError: a setting is impossible, or the space of cells is not known.
    """
    return _cost("parameters", architecture, space, around)


def multiply_adds(
    architecture: Architecture | str | CellGraphs,
    space: str | SearchSpace | None = None,
    **around: Any,
) -> int | np.ndarray:
    """Returns the multiply-adds of convolutions and classifier for one image; see `parameters`."""
    return _cost("multiply_adds", architecture, space, around)


def _cost(name: str, architecture, space, settings: dict[str, Any]) -> int | np.ndarray:
    known = [field.name for field in dataclasses.fields(Around)]
    for given in settings:
        if given not in known:
            raise ConfigError(f"{given}: expected some of {', '.join(known)}")
    around = Around(**settings)
    if isinstance(architecture, CellGraphs):
        found = space.name if isinstance(space, SearchSpace) else space or _space_of(architecture)
        cells = architecture.reshape(-1)
        counts = getattr(_family(found, around), name)(cells, around)
        return np.asarray(counts, np.int64).reshape(architecture.shape)
    value = parse(architecture, space)
    return int(getattr(_family(value.space, around), name)(value, around)[0])


def _family(space: str, around: Around) -> Family:
    """Returns the family of a space; refuses what it has not."""
    if space not in FAMILIES:
        raise ConfigError(f"space={space}: expected one with networks: {', '.join(FAMILIES)}")
    family = FAMILIES[space]
    if around.setting not in family.settings:
        raise ConfigError(
            f"setting={around.setting}: networks of {space} have {', '.join(family.settings)}"
        )
    for name, absent in (("channels", None), ("cells", None), ("auxiliary", False),
                         ("drop_path", 0.0)):
        if getattr(around, name) != absent and name not in family.has:
            raise ConfigError(f"{name}={getattr(around, name)}: networks of {space} have none")
    return family


def _space_of(cells: CellGraphs) -> str:
    """Returns the name of the space that cells are from, by their size and operations."""
    fitting = [
        space.name
        for space in spaces.SPACES
        if space.name in FAMILIES
        and space.max_nodes == cells.adjacency.shape[-1]
        and not space().check(cells).any()
    ]
    if len(fitting) != 1:
        raise ConfigError(f"space=None: of which space are these cells? {', '.join(FAMILIES)}")
    return fitting[0]
