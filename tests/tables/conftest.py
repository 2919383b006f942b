"""A private cache directory for every test, and a small synthetic record file."""

import pytest
from absl import logging

from tools import make_nasbench101_records


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache directory."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("NAS_TF_CACHE", str(directory))
    return directory


@pytest.fixture
def notices(monkeypatch):
    """What is logged for information from here on."""
    messages = []
    monkeypatch.setattr(logging, "info", lambda text, *args: messages.append(text % args))
    return messages


@pytest.fixture
def synthetic(tmp_path):
    """All 91 cells of at most 4 nodes, 4 and 108 epochs, three repeats: 546 records."""
    path = tmp_path / "synthetic.tfrecord"
    make_nasbench101_records.write_file(path, max_vertices=4, epochs=(4, 108))
    return path
