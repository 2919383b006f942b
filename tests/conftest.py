"""A cache of the session's own: no test reads a user's, and all share one enumeration."""

import gc
import os
import tempfile

gc.disable()  # until all is imported, which leaves none

# Before NumPy: the suite's processes share the cores, and threads that wait for each other cost
# more than they do.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from absl import logging

from nas_tf.spaces import nasbench201
from nas_tf.spaces.nasbench101 import CONV1X1, CONV3X3, INPUT, MAXPOOL3X3, OUTPUT
from nas_tf.tables.nasbench201 import NasBench201Table
from tools import make_nasbench101_records

pytest_plugins = ["tests.toy_pools"]  # fixtures of all searches over a pool


def pytest_configure(config):
    """Sets what tests and the processes they start inherit."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    directory = tempfile.TemporaryDirectory(prefix="nas_tf-tests-", ignore_cleanup_errors=True)
    os.environ["NAS_TF_CACHE"] = directory.name
    config.add_cleanup(directory.cleanup)


@pytest.hookimpl(hookwrapper=True)
def pytest_collection():
    """Looks for garbage from here on, and never among what was imported."""
    yield
    gc.freeze()
    gc.enable()


# Files that take longest, so that no process is left with one of them when the others are done.
_FIRST = (
    "tests/jobs/test_search.py", "tests/test_main.py", "tests/test_docs.py",
    "tests/jobs/test_analyze.py", "tests/jobs/test_pretrain.py", "tests/training/test_distribution.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """Sorts the longest files to the front; xdist hands files out in this order."""
    files = {name: number for number, name in enumerate(_FIRST)}
    items.sort(key=lambda item: files.get(item.nodeid.partition("::")[0], len(files)))


@pytest.fixture
def warnings(monkeypatch):
    """The warnings logged from here on."""
    messages = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: messages.append(text % args))
    return messages


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """A record file of all 91 cells of at most 4 vertices, two budgets, invented metrics."""
    path = tmp_path_factory.mktemp("records") / "synthetic.tfrecord"
    make_nasbench101_records.write_file(path, max_vertices=4, epochs=(12, 36))
    return path


@pytest.fixture(scope="session")
def measurements(tmp_path_factory):
    """A CSV file of all NAS-Bench-201 cells, invented accuracies: CIFAR-10's after 12 and 200
    epochs of training, and CIFAR-100's with costs."""
    rng = np.random.default_rng(201)
    strings = nasbench201.to_strings(nasbench201.NasBench201Space().enumerate_cells())
    quality = rng.normal(70, 8, len(strings)).clip(10, 99)
    noisy = quality + rng.normal(0, 0.3, (5, len(strings))).clip(-1, 1)
    columns = {
        "arch_str": strings,
        "cifar10_valid_acc_12ep": noisy[0].round(4),
        "cifar10_valid_acc_200ep": noisy[1].round(4),
        "cifar10_test_acc_200ep": noisy[2].round(4),
        "cifar100_valid_acc_200ep": noisy[3].round(4),
        "cifar100_test_acc_200ep": noisy[4].round(4),
        "cifar100_cost_sec_200ep": rng.uniform(1000, 5000, len(strings)).round(1),
    }
    path = tmp_path_factory.mktemp("measurements") / "invented.csv"
    rows = zip(*(column.tolist() for column in columns.values()))
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def two_cells():
    """A NAS-Bench-201 table of the empty cell and another, with invented numbers."""
    strings = (
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|",
    )
    columns = {
        "cifar10_valid_acc_12ep": [0.1, 0.2],
        "cifar10_valid_acc_200ep": [0.3, 0.4],
        "cifar10_test_acc_200ep": [0.5, 0.6],
        "cifar10_cost_sec_12ep": [7.0, 8.0],
        "cifar10_cost_sec_200ep": [70.0, 80.0],
        "cifar100_valid_acc_200ep": [0.15, 0.25],
        "cifar100_test_acc_200ep": [0.35, 0.45],
        "imagenet16-120_valid_acc_12ep": [0.01, 0.02],
    }
    return NasBench201Table(
        cells=nasbench201.from_strings(np.array(strings)),
        columns={name: np.array(values) for name, values in columns.items()},
    )


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
