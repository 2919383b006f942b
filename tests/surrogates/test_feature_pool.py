"""nas_tf/surrogates/feature_pool.py, cell_features.py: what groups are, and equal cells once."""

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space, indices, from_strings
from nas_tf.spaces.randwire import RandWireSpace
from nas_tf.surrogates import feature_pool as module
from nas_tf.surrogates.cell_features import CellFeatures
from nas_tf.surrogates.feature_pool import feature_pool


@pytest.fixture(name="pool", scope="module")
def _pool():
    space = NasBench201Space()
    return feature_pool(space, space.enumerate_cells())


def test_groups_are_centred_and_of_norm_one():
    space = NasBench201Space()
    cells = space.enumerate_cells()
    for group in CellFeatures(space, cells)(cells):
        assert group.dtype == np.float32
        np.testing.assert_allclose(group.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(np.square(group).sum(axis=1).mean(), 1, rtol=1e-4)
        assert group.std(axis=0).min() > 0
    assert np.ptp(CellFeatures(space, cells)(cells)[0].std(axis=0)) < 1e-4  # standardised


def test_cells_that_differ_in_what_is_dead_are_one_kind(pool):
    alike = from_strings([
        "|none~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|none~1|nor_conv_1x1~2|",
        "|none~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|nor_conv_3x3~1|none~2|",
        "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|",
    ])
    other = from_strings(["|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"])
    kinds = pool.kind[indices(alike)]
    assert len(set(kinds.tolist())) == 1 and pool.kind[indices(other)][0] != kinds[0]
    assert pool.num_kinds == 9445 and pool.sizes.sum() == 15625
    for kind in (0, 77, 9444):
        members = pool.members[pool.start[kind] : pool.start[kind + 1]]
        assert (pool.kind[members] == kind).all() and (np.diff(members) > 0).all()


def test_isomorphic_cells_differ_in_positions_alone():
    space = NasBench101Space()
    first = space.random_cells(np.random.default_rng(0), (200,))
    describe = CellFeatures(space, first, ("summaries", "paths", "positions", "neighbourhoods"))
    cell = CellGraphs.from_matrices(
        [[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0] * 4]], [[0, 1, 2, 4]], 7)
    twin = CellGraphs(cell.adjacency, cell.ops[:, [0, 2, 1, 3, 4, 5, 6]], cell.num_nodes)
    same = [np.allclose(*pair) for pair in zip(describe(cell), describe(twin), strict=True)]
    assert same == [True, True, False, True]


def test_neighbourhoods_of_large_graphs():
    """Renumbered graphs are alike, graphs with one edge more are not."""
    space = RandWireSpace()
    cells = space.random_cells(np.random.default_rng(1), (100,))
    describe = CellFeatures(space, cells, ("neighbourhoods",))
    edited = space.mutate(cells, np.random.default_rng(2))
    before, after = describe(cells)[0], describe(edited)[0]
    assert before.shape[1] > 64
    assert (np.abs(before - after).max(axis=1) > 1e-3).all()
    distance = np.square(before[:, None] - before).sum(axis=-1)
    assert np.square(before - after).sum(axis=1).mean() < 0.5 * distance[distance > 0].mean()


def test_a_large_pool_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "_CACHED_CELLS", 10)
    space = NasBench101Space(max_vertices=5)
    cells = space.enumerate_cells()[::100]
    made = feature_pool(space, cells)
    monkeypatch.setattr(module, "CellFeatures", None)  # not asked again
    read = feature_pool(space, cells)
    for name in ("kind", "members", "start"):
        np.testing.assert_array_equal(getattr(made, name), getattr(read, name))
    for one, other in zip(made.features, read.features, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_cannot_be():
    space = NasBench201Space()
    cells = space.enumerate_cells()[:5]
    with pytest.raises(ConfigError, match="groups=colours: expected some of summaries, paths"):
        CellFeatures(space, cells, ("colours",))
    with pytest.raises(ConfigError, match="summaries=weight: NAS-Bench-201 has count_nor_conv_1x1"):
        CellFeatures(space, cells, ("summaries",), ("weight",))
