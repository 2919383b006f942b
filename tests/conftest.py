"""A cache of the session's own: no test reads a user's, and all share one enumeration."""

import os
import tempfile

import pytest

from nas_tf.spaces.nasbench101 import CONV1X1, CONV3X3, INPUT, MAXPOOL3X3, OUTPUT
from tools import make_nasbench101_records


def pytest_configure(config):
    """Sets what tests and the processes they start inherit."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    directory = tempfile.TemporaryDirectory(prefix="nas_tf-tests-", ignore_cleanup_errors=True)
    os.environ["NAS_TF_CACHE"] = directory.name
    config.add_cleanup(directory.cleanup)


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """A record file of all 91 cells of at most 4 vertices, two budgets, invented metrics."""
    path = tmp_path_factory.mktemp("records") / "synthetic.tfrecord"
    make_nasbench101_records.write_file(path, max_vertices=4, epochs=(12, 36))
    return path


@pytest.fixture(scope="session")
def inception():
    """Matrix and operations of the cell in the official example."""
    matrix = [
        [0, 1, 1, 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    return matrix, [INPUT, CONV1X1, CONV3X3, CONV3X3, CONV3X3, MAXPOOL3X3, OUTPUT]
