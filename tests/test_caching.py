"""nas_tf/caching.py."""

import os

import numpy as np
import pytest

from nas_tf import caching, core


def _open(directory, make, interpret=lambda columns, _: columns["x"]):
    return caching.cached_columns(directory, make, interpret, name="numbers")


def _numbers():
    return {"x": np.arange(3)}, {}


def _never():
    raise AssertionError("made again")


def test_a_cache_is_made_once(tmp_path, warnings):
    assert _open(tmp_path / "store", _numbers).tolist() == [0, 1, 2]
    found = _open(tmp_path / "store", _never)
    assert isinstance(found, np.memmap) and found.tolist() == [0, 1, 2] and not warnings


@pytest.mark.parametrize("interpret", [
    lambda columns, _: columns["y"],
    lambda columns, metadata: metadata["names"][0],
    lambda columns, _: columns["x"][7],
    lambda columns, _: int("x"),
])
def test_columns_that_are_something_else_are_made_again(tmp_path, warnings, interpret):
    _open(tmp_path / "store", _numbers)
    better = {"x": np.arange(8), "y": np.zeros(1)}, {"names": ["x"]}

    def read(columns, metadata):
        return columns["y"] if "y" in columns else interpret(columns, metadata)

    assert _open(tmp_path / "store", lambda: better, read).tolist() == [0.0]
    assert len(warnings) == 1
    assert warnings[0].startswith("The cache of numbers is damaged and built again: ")
    assert str(tmp_path / "store") in warnings[0] and "\n" not in warnings[0]


def test_a_cache_in_a_place_that_cannot_be_written(tmp_path, warnings):
    (tmp_path / "file").write_text("")
    assert _open(tmp_path / "file" / "store", _numbers).tolist() == [0, 1, 2]
    assert len(warnings) == 1 and "it is made again next time" in warnings[0]


def test_an_error_of_the_source_is_not_the_caches(tmp_path):
    def make():
        raise core.DataError("the source is damaged")

    with pytest.raises(core.DataError, match="^the source is damaged$"):
        _open(tmp_path / "store", make)
    assert os.listdir(tmp_path) == []


def test_cache_directory_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path))
    assert caching.cache_directory() == tmp_path
    monkeypatch.delenv("NAS_TF_CACHE")
    assert caching.cache_directory().parts[-2:] == (".cache", "nas_tf")
