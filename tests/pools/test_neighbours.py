"""nas_tf/pools/neighbours.py: neighbours that are kept on disk."""

import numpy as np
import pytest

from nas_tf.pools import neighbours
from nas_tf.pools.pool import Pool
from nas_tf.spaces.nasbench101 import NasBench101Space

SPACE = NasBench101Space(max_vertices=5)
EVERY = SPACE.enumerate_cells()
PART = EVERY[::5]
INDEX = np.array([3, 0, 77, 3])


@pytest.fixture(autouse=True)
def _cache(monkeypatch, tmp_path):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path))


@pytest.fixture(name="keep")
def _keep(monkeypatch):
    monkeypatch.setattr(neighbours, "_FEWEST_KEPT", 100)


def _kept(tmp_path):
    return sorted(path.name for path in (tmp_path / "neighbours").glob("*"))


@pytest.mark.parametrize("edits", (1, 2))
def test_kept_neighbours_are_those_found_one_by_one(edits, monkeypatch):
    apart = Pool(PART, SPACE, neighbour_edits=edits).neighbours(np.arange(len(PART)))
    monkeypatch.setattr(neighbours, "_FEWEST_KEPT", 100)
    monkeypatch.setattr(neighbours, "_CHUNK", 64)
    for _ in range(2):  # found, then read
        found = Pool(PART, SPACE, neighbour_edits=edits).neighbours(np.arange(len(PART)))
        np.testing.assert_array_equal(found, apart)
    some = Pool(PART, SPACE, neighbour_edits=edits).neighbours(INDEX)
    np.testing.assert_array_equal(some, apart[INDEX][:, : some.shape[1]])
    assert (apart[INDEX][:, some.shape[1] :] == -1).all()


def test_the_second_time_nothing_is_found_again(keep, monkeypatch, tmp_path):
    Pool(PART, SPACE).neighbours(INDEX)
    assert len(_kept(tmp_path)) == 1
    monkeypatch.setattr(NasBench101Space, "neighbours", None)
    assert Pool(PART, SPACE).neighbours(INDEX).shape[0] == len(INDEX)


def test_every_pool_rule_space_and_version_is_kept_apart(keep, monkeypatch, tmp_path):
    Pool(PART, SPACE).neighbours(INDEX)
    Pool(PART[1:], SPACE).neighbours(INDEX)
    Pool(PART, SPACE, neighbour_edits=1).neighbours(INDEX)
    Pool(PART, NasBench101Space(max_vertices=6)).neighbours(INDEX)
    monkeypatch.setattr(NasBench101Space, "neighbours_version", 0)
    Pool(PART, SPACE).neighbours(INDEX)
    assert len(_kept(tmp_path)) == 5


def test_a_damaged_file_is_made_again(keep, tmp_path, caplog):
    first = Pool(PART, SPACE).neighbours(INDEX)
    (directory,) = (tmp_path / "neighbours").iterdir()
    for path in directory.iterdir():
        path.write_bytes(b"")
    np.testing.assert_array_equal(Pool(PART, SPACE).neighbours(INDEX), first)


def test_a_space_without_a_version_and_small_pools_keep_nothing(keep, monkeypatch, tmp_path):
    Pool(EVERY[:99], SPACE).neighbours(INDEX)
    monkeypatch.setattr(NasBench101Space, "neighbours_version", None)
    Pool(PART, SPACE).neighbours(INDEX)
    assert not _kept(tmp_path)
