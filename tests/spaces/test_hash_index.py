"""nas_tf/spaces/hash_index.py."""

import csv
import gzip
import pathlib

import numpy as np
import pytest

from nas_tf.spaces import hash_index, nasbench101_cells

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
SAMPLE = SHARED / "nas_bench_101" / "nas_bench_101_sample.csv.gz"
SMALLEST = "043721b9c7fe8c5fad811d47d83132ec"  # of the cell that is one edge


@pytest.fixture(name="small")
def _small(monkeypatch, tmp_path):
    """The space's 91 cells of at most four vertices in the place of all, and an empty cache."""
    cells = nasbench101_cells.enumerate_cells(4)
    monkeypatch.setattr(nasbench101_cells, "enumerate_cells", lambda: cells)
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path))
    return cells


def test_cells_are_found_by_their_hashes(small):
    every = hash_index._hashes(small)
    asked = np.concatenate([every[::-1], np.array([b"0" * 32, b"f" * 32])])
    cells, index, known = hash_index.find_hashes(asked)
    assert cells is small and every[0] == SMALLEST.encode()
    assert index[:91].tolist() == list(range(90, -1, -1)) and known.tolist() == 91 * [True] + 2 * [False]


def test_hashes_are_computed_once_and_a_damaged_cache_again(small, monkeypatch, tmp_path):
    asked = []
    real = hash_index._hashes
    monkeypatch.setattr(hash_index, "_hashes", lambda c: asked.append(len(c)) or real(c))
    wanted = np.array([SMALLEST], "S32")
    for _ in range(2):
        assert hash_index.find_hashes(wanted)[1].tolist() == [0]
    assert asked == [91, 64, 64]  # all of them; then what is probed when the cache is opened
    (store,) = tmp_path.glob("nasbench101-hashes-*")
    (column,) = store.glob("order*")
    column.write_bytes(column.read_bytes()[:-4] + b"\0\0\0\0")
    assert hash_index.find_hashes(wanted)[1].tolist() == [0]
    assert 91 in asked[3:]


def test_the_hashes_of_the_sample_are_the_first_of_all():
    if not SAMPLE.is_file():
        pytest.skip("../shared/data/nas_bench_101/nas_bench_101_sample.csv.gz is not there")
    with gzip.open(SAMPLE, "rt", newline="") as file:
        hashes = [row["module_hash"].encode() for row in csv.DictReader(file)]
    known, _ = hash_index.sorted_hashes(nasbench101_cells.enumerate_cells())
    assert len(known) == 423_624 and len(hashes) == 10_000
    assert known[:10_000].tolist() == hashes
