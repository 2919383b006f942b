"""What `--scale=smoke` makes of a training: the same code path with smaller numbers.

A number is reduced to the one below where it is larger, or where it is none and so the paper's; the
images are the digits that scikit-learn has, unless others are named beside the scale. Imports no
TensorFlow: flags are made of it.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from nas_tf.config import Component, flag_line, flag_of, setting, settings_of
from nas_tf.datasets.settings import Data
from nas_tf.networks.settings import Network
from nas_tf.training.settings import Training

SCALES = ("full", "smoke")
SETTINGS = (Training, Network, Data)

Values = dict[type[Component], dict[str, Any]]

# Of every family; below, what is a family's own in its stead.
_SMOKE: Values = {
    Training: {
        "epochs": 6, "batch_size": 16, "learning_rate": 0.05, "warmup_epochs": 1.0, "cutout": 4,
        "accumulate": 2,
    },
    Network: {},
    Data: {"limit": 700},
}  # fmt: skip
_FAMILIES: Mapping[str, Values] = {
    "nasbench101": {Network: {"channels": 16, "cells": 1}},
    "nasbench201": {Network: {"channels": 8, "cells": 1}},
    "darts": {Network: {"channels": 4, "cells": 4}, Data: {"image_size": 16}},
    "randwire": {  # its stem quarters an image, three stages halve it; norms want some pixels
        Network: {"channels": 8}, Data: {"image_size": 64, "limit": 300},
        Training: {"learning_rate": 0.003, "batch_size": 8},
    },
    "enas": {Network: {"channels": 8}, Data: {"image_size": 16}},
    "macro": {Network: {"channels": 8}, Data: {"image_size": 16}},
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Scale(Component):
    """How large a training is."""

    scale: str = setting(
        "full",
        "full: as the other flags say; smoke: the same code with smaller numbers, on digits, in a "
        "minute or two. What stands beside --scale=smoke wins over it.",
        SCALES,
    )


def reduced(
    scale: str,
    space: str,
    settings: Mapping[type[Component], Component],
    is_fixed: Callable[[type[Component], str], bool],
) -> Values:
    """Returns the settings that a scale changes, by component and name.

    Args:
        scale: one of `SCALES`.
        space: name of the architecture's space.
        settings: of the training, the network and the data, as they would be.
        is_fixed: tells of a component and a name whether a setting was said beside the scale.
    """
    if scale == "full":
        return {component: {} for component in SETTINGS}
    wanted = {kind: _SMOKE[kind] | _FAMILIES[space].get(kind, {}) for kind in SETTINGS}
    changed = {
        component: {
            name: _smaller(getattr(settings[component], name), value)
            for name, value in wanted[component].items()
            if not is_fixed(component, name)
        }
        for component in SETTINGS
    }
    if not is_fixed(Data, "data") and not is_fixed(Data, "path"):
        changed[Data] |= {"data": "digits", "path": None}
    return {
        component: {
            name: value
            for name, value in values.items()
            if value != getattr(settings[component], name)
        }
        for component, values in changed.items()
    }


def lines(values: Values) -> tuple[str, ...]:
    """Returns what a scale changed as flags."""
    return tuple(
        flag_line(flag_of(component, field), values[component][field.name])
        for component in SETTINGS
        for field in settings_of(component)
        if field.name in values[component]
    )


def in_words(scale: str, changed: tuple[str, ...]) -> str:
    """Returns a line that says what a scale changed."""
    return f"scale={scale}: {' '.join(changed) or 'nothing is larger'}; what stands beside it wins"


def _smaller(now: Any, value: Any) -> Any:
    if now is None:
        return value
    return min(now, value)
