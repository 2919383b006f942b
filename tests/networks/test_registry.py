"""nas_tf/networks/registry.py: every family is built, and costs what it is said to."""

import dataclasses

import keras
import numpy as np
import pytest

from nas_tf.core import ConfigError, InvalidArchitectureError
from nas_tf.networks import registry
from nas_tf.networks.layer_table import layer_table
from nas_tf.spaces import registry as spaces

README_CELL = {
    "matrix": [
        [0, 1, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0],
    ],
    "ops": [
        "input", "conv1x1-bn-relu", "conv3x3-bn-relu", "conv3x3-bn-relu", "conv3x3-bn-relu",
        "maxpool3x3", "output",
    ],
}  # fmt: skip
BEST_201 = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
SKIPS_201 = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"
IMAGENET = {"num_classes": 1000, "input_shape": (224, 224, 3), "setting": "imagenet"}


@pytest.fixture(scope="module")
def samples():
    """Three random cells of every space with networks, by its name."""
    made = {space.name: space() for space in spaces.SPACES if space.name in registry.FAMILIES}
    rng = np.random.default_rng(0)
    return {name: (space, space.random_cells(rng, (3,))) for name, space in made.items()}


@pytest.mark.parametrize("architecture, around, expected", [
    (README_CELL, {}, 2_694_282),
    (BEST_201, {}, 1_288_506),
    (SKIPS_201, {}, 73_306),
    ("darts_v2", {}, 3_349_342),
    ("darts_v2", {"auxiliary": True}, 3_825_768),
    ("darts_v2", IMAGENET, 4_718_752),
    ("darts_v2", IMAGENET | {"auxiliary": True}, 5_979_528),
])
def test_published_networks_have_their_parameters(architecture, around, expected):
    assert registry.parameters(architecture, **around) == expected


def test_multiply_adds_of_the_published_cell():
    assert registry.multiply_adds("darts_v2", **IMAGENET) == 529_911_552


def test_every_space_with_networks_is_listed(samples):
    assert set(registry.FAMILIES) == set(samples) == {
        space.name for space in spaces.SPACES if space().has("architectures")
    }


def test_a_batch_of_cells_costs_what_its_architectures_cost(samples):
    """Also where nobody says which space the cells are from, and in any shape."""
    for name, (space, cells) in samples.items():
        architectures = space.architectures(cells)
        for cost in (registry.parameters, registry.multiply_adds):
            expected = [cost(one) for one in architectures]
            found = cost(cells)
            assert found.dtype == np.int64 and found.tolist() == expected, name
            assert cost(cells.reshape(3, 1), space=name).tolist() == [[n] for n in expected]
            own = getattr(space.costs(cells.reshape(3, 1)), cost.__name__)
            assert own.dtype == np.int64 and own.tolist() == [[n] for n in expected], name


SMALL = {
    "nasbench101": ({"matrix": [[0, 1, 0], [0, 0, 1], [0, 0, 0]], "ops": README_CELL["ops"][::3]},
                    {"cells": 1}),
    "nasbench201": (BEST_201, {"cells": 1}),
    "darts": ("darts_v1", {"channels": 4, "cells": 3, "auxiliary": True, "drop_path": 0.1}),
    "randwire": ("4: 0-1 0-2 1-3", {}),
    "enas": ("; ".join(f"{k % 6}" + " 1" * k for k in range(12)), {}),
    "macro": ("22212202", {}),
}


@pytest.mark.parametrize("name", list(registry.FAMILIES))
def test_what_is_built_costs_what_is_counted(name):
    architecture, own = SMALL[name]
    around = {"num_classes": 7, "input_shape": (16, 16, 1), "channels": 8} | own
    network = registry.build(architecture, name, **around)
    table = layer_table(network)
    assert registry.parameters(architecture, name, **around) == table.parameters
    assert registry.multiply_adds(architecture, name, **around) == table.multiply_adds
    outputs = 2 if "auxiliary" in own else 1
    assert [output.shape for output in network.outputs] == [(None, 7)] * outputs
    dropping = [layer for layer in network.layers if type(layer).__name__ == "DropPath"]
    assert bool(dropping) == ("drop_path" in own)


@pytest.mark.parametrize("name", list(registry.FAMILIES))
def test_random_architectures_cost_what_their_networks_do(name, samples):
    space, cells = samples[name]
    around = {"num_classes": 7, "input_shape": (16, 16, 1), "channels": 8}
    around |= {key: value for key, value in SMALL[name][1].items() if key == "cells"}
    sizes, work = (cost(cells[:2], name, **around)
                   for cost in (registry.parameters, registry.multiply_adds))
    for index, architecture in enumerate(space.architectures(cells[:2])):
        with keras.StatelessScope(initialize_variables=False):  # counts alone are wanted
            table = layer_table(registry.build(architecture, **around))
        assert (table.parameters, table.multiply_adds) == (sizes[index], work[index]), architecture


@pytest.mark.parametrize("settings, message", [
    ({"num_classes": 1}, "num_classes=1: expected 2 or more"),
    ({"num_classes": "10"}, "num_classes='10': expected 2 or more"),
    ({"num_classes": 2.5}, "num_classes=2.5: expected 2 or more"),
    ({"channels": 0}, "channels=0: expected at least 1, or None"),
    ({"input_shape": (32, 32)}, r"input_shape=\(32, 32\): expected \(height, width, channels\)"),
    ({"input_shape": (None, None, 3)}, r"input_shape=\(None, None, 3\): expected \(height, "),
    ({"input_shape": "abc"}, r"input_shape='abc': expected \(height, width, channels\)"),
    ({"input_shape": None}, r"input_shape=None: expected \(height, width, channels\)"),
    ({"channels": 2.5}, "channels=2.5: expected at least 1, or None"),
    ({"drop_path": 1.0}, "drop_path=1.0: expected a rate from 0 to below 1"),
    ({"drop_path": 0.2}, "drop_path=0.2: networks of nasbench201 have none"),
    ({"auxiliary": True}, "auxiliary=True: networks of nasbench201 have none"),
    ({"setting": "large"}, "setting=large: networks of nasbench201 have cifar"),
    ({"space": "mlp"}, "space=mlp: expected one with networks: nasbench101, "),
    ({"width": 3}, "width: expected some of num_classes, input_shape, channels"),
])
def test_what_a_family_has_not_is_told(settings, message):
    with pytest.raises(ConfigError, match=message):
        registry.parameters(BEST_201, **settings)


def test_a_text_of_another_space_is_told():
    with pytest.raises(InvalidArchitectureError, match="of space nasbench201; expected one of darts"):
        registry.build(BEST_201, space="darts")


def test_cells_of_no_known_space_are_told(samples):
    _, cells = samples["nasbench201"]
    wide = dataclasses.replace(
        cells, adjacency=np.pad(cells.adjacency, ((0, 0), (0, 3), (0, 3))),
        ops=np.pad(cells.ops, ((0, 0), (0, 3)), constant_values=-1),
    )
    with pytest.raises(ConfigError, match="space=None: of which space are these cells"):
        registry.parameters(wide)
