"""nas_tf/spaces/enas_costs.py: counts by hand, against built networks, and the final widths."""

import numpy as np
import pytest

from nas_tf.networks import enas, layer_table
from nas_tf.spaces.enas_costs import (
    OPERATIONS,
    channels_for,
    layer_channels,
    multiply_adds,
    parameters,
    reductions,
    skip_matrix,
)

TWO_OF_EACH = OPERATIONS * 2
NO_SKIPS = [[0] * layer for layer in range(12)]
ALL_SKIPS = [[1] * layer for layer in range(12)]


def _random(seed, count):
    rng = np.random.default_rng(seed)
    skips = np.tril(rng.integers(0, 2, (count, 12, 11)), -1)
    return rng.integers(0, 6, (count, 12)), skips.astype(np.uint8)


def _costs(ops, skips, **settings):
    batch = np.array([ops]), skip_matrix(skips)[None]
    (size,), (work,) = (
        parameters(*batch, num_classes=10, **settings),
        multiply_adds(*batch, input_shape=(32, 32, 3), num_classes=10, **settings),
    )
    return size, work


def test_nni_s_form_counted_by_hand():
    # 24 channels: stem, then 1x1 and two of each operation, two reductions, classifier.
    stem = 27 * 24 + 2 * 24
    operations = [9 * 576 + 24, 9 * 24 + 576, 25 * 576 + 24, 25 * 24 + 576, 0, 0]
    size = stem + 12 * 576 + 2 * sum(operations) + 2 * 576 + 24 * 10 + 10
    assert size == 52210
    work = 1024 * (27 * 24 + 4 * 576 + 9 * 576 + 9 * 24 + 576 + 25 * 576 + 25 * 24 + 576)
    work += 256 * (4 * 576 + 9 * 576 + 9 * 24 + 576)  # two pools first
    work += 64 * (4 * 576 + 25 * 576 + 25 * 24 + 576)  # two pools last
    work += (256 + 64) * 576 + 240  # what no skip connection reads is not reduced
    assert _costs(TWO_OF_EACH, NO_SKIPS) == (52210, work)
    # 4 and 8 tensors more are reduced, and added for nothing.
    assert _costs(TWO_OF_EACH, ALL_SKIPS) == (52210, work + (4 * 256 + 8 * 64) * 576)


def test_enas_own_form_counted_by_hand():
    # 2, 4 and 8 channels.
    stem = 27 * 2 + 4
    sizes = []
    for place, op in enumerate(TWO_OF_EACH):
        wide = 2 * 2 ** (place // 4)
        kernels = [9 * wide**2, 9 * wide + wide**2, 25 * wide**2, 25 * wide + wide**2, 0, 0]
        code = OPERATIONS.index(op)
        sizes.append(wide**2 + 2 * wide + kernels[code] + (2 * wide if code < 4 else 0))
        sizes[-1] += (wide**2 + 2 * wide) if place else 0
    reduced = (2 * 4 + 8) + (4 * 8 + 16)
    assert _costs(TWO_OF_EACH, NO_SKIPS, channels=2, form="enas")[0] == (
        stem + sum(sizes) + reduced + 8 * 10
    )
    # Layer k joins k tensors more; at the reductions all 5 and 9 tensors have their own.
    joined = 4 * sum(range(4)) + 16 * sum(range(4, 8)) + 64 * sum(range(8, 12))
    assert _costs(TWO_OF_EACH, ALL_SKIPS, channels=2, form="enas")[0] == (
        stem + sum(sizes) + 5 * 16 + 9 * 48 + joined + 8 * 10
    )


@pytest.mark.parametrize("form", ["nni", "enas"])
def test_costs_are_those_of_built_networks(form):
    ops, skips = _random(3, 2)
    settings = {"num_classes": 7, "channels": 6, "form": form}
    built = [
        enas.build_network(*architecture, input_shape=(18, 21, 3), **settings)
        for architecture in zip(ops, skips)
    ]
    sizes = parameters(ops, skips, **settings)
    work = multiply_adds(ops, skips, input_shape=(18, 21, 3), **settings)
    assert sizes.dtype == work.dtype == np.int64
    assert sizes.tolist() == [layer_table.parameters(model) for model in built]
    assert work.tolist() == [layer_table.multiply_adds(model) for model in built]


@pytest.mark.parametrize(
    "target, channels, size", [(20_000_000, 482, 20_033_376), (37_000_000, 656, 37_081_722)]
)
def test_widths_of_the_final_networks(target, channels, size):
    """Two of each operation, a mean architecture, in NNI's form; random ones have that mean."""
    assert channels_for(target, TWO_OF_EACH, NO_SKIPS, num_classes=10) == channels
    assert _costs(TWO_OF_EACH, NO_SKIPS, channels=channels)[0] == size
    random = parameters(*_random(0, 2000), num_classes=10, channels=channels)
    assert abs(random.mean() / size - 1) < 0.02


def test_widths_in_enas_own_form_depend_on_the_skip_connections():
    settings = {"num_classes": 10, "form": "enas"}
    assert channels_for(20_000_000, TWO_OF_EACH, NO_SKIPS, **settings) == 172
    assert channels_for(20_000_000, TWO_OF_EACH, ALL_SKIPS, **settings) == 118
    assert channels_for(60, TWO_OF_EACH, NO_SKIPS, **settings) == 2


def test_where_images_are_halved_and_channels_doubled():
    assert reductions(12) == (3, 7) and reductions(24) == (7, 15) and reductions(3) == (0, 1)
    assert layer_channels(6, 8) == [8] * 6
    assert layer_channels(6, 8, "enas") == [8, 8, 16, 16, 32, 32]


def test_names_and_codes_count_alike():
    names = np.array([TWO_OF_EACH])
    codes = np.array([[0, 1, 2, 3, 4, 5] * 2])
    skips = skip_matrix(ALL_SKIPS)[None]
    assert parameters(names, skips, num_classes=10) == parameters(codes, skips, num_classes=10)


def test_skip_connections_as_rows_and_as_a_matrix():
    rows = ((), (1,), (0, 1))
    expected = [[0, 0], [1, 0], [0, 1]]
    assert skip_matrix(rows).tolist() == skip_matrix(expected).tolist() == expected
