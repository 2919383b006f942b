"""How each family's builder and costs take an architecture; `registry` lists the families.

Shapes: B cells, N nodes, L layers of ENAS.
"""

import dataclasses
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import keras
import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.networks import darts, enas, nasbench101, nasbench201, randwire
from nas_tf.spaces import (
    darts_costs, enas_costs, nasbench101_costs, nasbench201_costs, randwire_costs,
)
from nas_tf.spaces.architecture_value import Architecture


@dataclasses.dataclass(frozen=True, kw_only=True)
class Around:
    """What is around an architecture; None is the paper's number. See `registry.build`.

    Raises:
        ConfigError: a number is impossible.
    """

    num_classes: int = 10
    input_shape: tuple[int, int, int] = (32, 32, 3)
    channels: int | None = None
    cells: int | None = None
    auxiliary: bool = False
    drop_path: float = 0.0
    setting: str = "cifar"

    def __post_init__(self):
        if not _is_whole(self.num_classes, 2):
            raise ConfigError(f"num_classes={self.num_classes!r}: expected 2 or more")
        sides = self.input_shape if isinstance(self.input_shape, Sequence) else ()
        if len(sides) != 3 or not all(_is_whole(side, 1) for side in sides):
            raise ConfigError(
                f"input_shape={self.input_shape!r}: expected (height, width, channels)"
            )
        object.__setattr__(self, "input_shape", tuple(sides))
        for name in ("channels", "cells"):
            value = getattr(self, name)
            if value is not None and not _is_whole(value, 1):
                raise ConfigError(f"{name}={value!r}: expected at least 1, or None")
        if not 0 <= self.drop_path < 1:
            raise ConfigError(f"drop_path={self.drop_path}: expected a rate from 0 to below 1")

    def images(self) -> dict[str, Any]:
        """Returns what every builder takes."""
        return {"input_shape": self.input_shape, "num_classes": self.num_classes}

    def given(self, **names: str) -> dict[str, Any]:
        """Returns those of channels and cells that are given, by a builder's own names."""
        values = {theirs: getattr(self, ours) for ours, theirs in names.items()}
        return {name: value for name, value in values.items() if value is not None}


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= least


def _nasbench101(around: Around) -> dict[str, Any]:
    return around.images() | around.given(channels="stem_channels", cells="cells_per_stack")


def _nasbench101_network(architecture: Architecture, around: Around) -> keras.Model:
    matrix, ops = architecture.cells().matrix(0)
    return nasbench101.build_network(matrix, ops.tolist(), **_nasbench101(around))


def _nasbench101_parameters(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return nasbench101_costs.parameters(_cells(of), **_nasbench101(around))


def _nasbench101_multiply_adds(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return nasbench101_costs.multiply_adds(_cells(of), **_nasbench101(around))


def _nasbench201(around: Around) -> dict[str, Any]:
    return around.images() | around.given(channels="channels", cells="cells")


def _nasbench201_network(architecture: Architecture, around: Around) -> keras.Model:
    return nasbench201.build_network(architecture.ops, **_nasbench201(around))


def _nasbench201_parameters(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return nasbench201_costs.parameters(_edge_ops(of), **_nasbench201(around))


def _nasbench201_multiply_adds(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return nasbench201_costs.multiply_adds(_edge_ops(of), **_nasbench201(around))


def _edge_ops(of: Architecture | CellGraphs) -> np.ndarray:
    return nasbench201_costs.edge_ops(_cells(of))


def _darts(around: Around) -> dict[str, Any]:
    given = around.given(channels="channels", cells="cells")
    return around.images() | given | {"auxiliary": around.auxiliary, "setting": around.setting}


def _darts_network(architecture: Architecture, around: Around) -> keras.Model:
    return darts.build_network(
        architecture.normal, architecture.reduce, drop_path=around.drop_path, **_darts(around)
    )


def _darts_parameters(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return darts_costs.parameters(*_darts_arrays(of), **_darts(around))


def _darts_multiply_adds(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return darts_costs.multiply_adds(*_darts_arrays(of), **_darts(around))


def _darts_arrays(of: Architecture | CellGraphs) -> tuple[np.ndarray, np.ndarray]:
    """Returns operation codes and sources, int [B, 2, 8]; a cell is normal and reduction cell."""
    if isinstance(of, Architecture):
        return darts_costs.to_arrays([(of.normal, of.reduce)])
    return darts_costs.of_cells(of)


def _randwire(around: Around) -> dict[str, Any]:
    setting = "base" if around.setting == "cifar" else around.setting
    return {"num_classes": around.num_classes, "channels": around.channels, "setting": setting}


def _randwire_network(architecture: Architecture, around: Around) -> keras.Model:
    return randwire.build_network(
        architecture.graphs, input_shape=around.input_shape, **_randwire(around)
    )


def _randwire_parameters(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return randwire_costs.parameters(
        _graphs(of), input_shape=around.input_shape, **_randwire(around)
    )


def _randwire_multiply_adds(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return randwire_costs.multiply_adds(
        _graphs(of), input_shape=around.input_shape, **_randwire(around)
    )


def _graphs(of: Architecture | CellGraphs) -> np.ndarray:
    """Returns adjacency [B, 1 or 3, N, N]."""
    return np.array([of.graphs]) if isinstance(of, Architecture) else randwire_costs.of_cells(of)[0]


def _enas(around: Around) -> dict[str, Any]:
    return {"num_classes": around.num_classes} | around.given(channels="channels")


def _enas_network(architecture: Architecture, around: Around) -> keras.Model:
    return enas.build_network(
        architecture.ops, architecture.skips, input_shape=around.input_shape, **_enas(around)
    )


def _enas_parameters(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return enas_costs.parameters(
        *_layers(of), input_shape=around.input_shape, **_enas(around)
    )


def _enas_multiply_adds(of: Architecture | CellGraphs, around: Around) -> np.ndarray:
    return enas_costs.multiply_adds(
        *_layers(of), input_shape=around.input_shape, **_enas(around)
    )


def _layers(of: Architecture | CellGraphs) -> tuple[np.ndarray, np.ndarray]:
    return enas_costs.of_cells(_cells(of))


def _cells(of: Architecture | CellGraphs) -> CellGraphs:
    return of.cells() if isinstance(of, Architecture) else of


NASBENCH101 = _nasbench101_network, _nasbench101_parameters, _nasbench101_multiply_adds
NASBENCH201 = _nasbench201_network, _nasbench201_parameters, _nasbench201_multiply_adds
DARTS = _darts_network, _darts_parameters, _darts_multiply_adds
RANDWIRE = _randwire_network, _randwire_parameters, _randwire_multiply_adds
ENAS = _enas_network, _enas_parameters, _enas_multiply_adds
