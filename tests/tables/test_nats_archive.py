"""nas_tf/tables/nats_archive.py, on an imitation of the package's interface.

The archive itself (and the package) is not needed: `Archive` answers the calls that are made, with
the names, arguments and results of nats_bench 1.8.
"""

import types

import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.spaces import nasbench201
from nas_tf.tables import nats_archive

COLUMNS = [
    "cifar10_valid_acc_12ep", "cifar10_test_acc_12ep", "cifar10_cost_sec_12ep",
    "cifar10_valid_acc_200ep", "cifar10_cost_sec_200ep", "cifar10_test_acc_200ep",
    "cifar100_valid_acc_12ep", "cifar100_test_acc_12ep", "cifar100_cost_sec_12ep",
    "cifar100_valid_acc_200ep", "cifar100_test_acc_200ep", "cifar100_cost_sec_200ep",
    "imagenet16-120_valid_acc_12ep", "imagenet16-120_test_acc_12ep",
    "imagenet16-120_cost_sec_12ep", "imagenet16-120_valid_acc_200ep",
    "imagenet16-120_test_acc_200ep", "imagenet16-120_cost_sec_200ep",
]
# What the package calls a training: (data set, hp) -> accuracies of cell 0 in per cent.
TRAININGS = {
    ("cifar10-valid", "12"): {"valid-accuracy": 11.0, "test-accuracy": 12.0},
    ("cifar10-valid", "200"): {"valid-accuracy": 13.0, "test-accuracy": 99.0},
    ("cifar10", "200"): {"test-accuracy": 14.0},
    ("cifar100", "12"): {"valid-accuracy": 15.0, "test-accuracy": 16.0, "valtest-accuracy": 99.0},
    ("cifar100", "200"): {"valid-accuracy": 17.0, "test-accuracy": 18.0},
    ("ImageNet16-120", "12"): {"valid-accuracy": 19.0, "test-accuracy": 20.0},
    ("ImageNet16-120", "200"): {"valid-accuracy": 21.0, "test-accuracy": 22.0},
}


class Archive:
    """Cell i is number 15,624 - i of the enumeration; its accuracies are those of 0 plus i / 1000.

    A training takes `hp` seconds an epoch plus i in all, a validation half a second.
    """

    def __init__(self):
        cells = nasbench201.NasBench201Space().enumerate_cells()
        self.meta_archs = nasbench201.to_strings(cells)[::-1].tolist()
        self.arch2infos_dict = {}
        self.most_kept = 0
        self.times = True
        self.error = None

    def __len__(self):
        return len(self.meta_archs)

    def arch(self, index):
        return self.meta_archs[index]

    def get_more_info(self, index, dataset, iepoch=None, hp="12", is_random=True):
        assert isinstance(index, int) and iepoch is None and is_random is False
        if self.error is not None and index == 3:
            raise self.error
        self.arch2infos_dict[index] = "everything of this cell"
        self.most_kept = max(self.most_kept, len(self.arch2infos_dict))
        info = {name: value + index / 1000 for name, value in TRAININGS[dataset, hp].items()}
        info["train-all-time"] = int(hp) + index if self.times else None
        if "valid-accuracy" in info:
            info["valid-per-time"] = 0.5 if self.times else None
        return info


@pytest.fixture(name="archive")
def _archive(monkeypatch):
    archive = Archive()

    def create(file_path_or_dict, search_space, fast_mode=False, verbose=True):
        assert search_space == "topology" and fast_mode and not verbose
        archive.folder = file_path_or_dict
        return archive

    monkeypatch.setattr(nats_archive, "nats_bench", types.SimpleNamespace(create=create))
    return archive


def test_all_columns(archive):
    index, columns = nats_archive.read_columns("folder")
    assert archive.folder == "folder"
    np.testing.assert_array_equal(index, np.arange(15_625)[::-1])
    assert list(columns) == COLUMNS
    first = {name: round(float(values[0]), 6) for name, values in columns.items()}
    assert [first[name] for name in COLUMNS] == [
        0.11, 0.12, 12.5, 0.13, 200.5, 0.14,
        0.15, 0.16, 12.5, 0.17, 0.18, 200.5,
        0.19, 0.20, 12.5, 0.21, 0.22, 200.5,
    ]
    np.testing.assert_allclose(columns["cifar10_test_acc_200ep"][[1, -1]], [0.14001, 0.29624])
    assert columns["cifar10_cost_sec_12ep"][1] == 13.5


def test_cells_are_not_kept_in_memory(archive):
    nats_archive.read_columns("folder")
    assert archive.most_kept == 1


def test_an_archive_without_times_has_no_costs(archive):
    archive.times = False
    _, columns = nats_archive.read_columns("folder")
    assert list(columns) == [name for name in COLUMNS if "_acc_" in name]


def test_an_archive_without_accuracies(archive, monkeypatch):
    monkeypatch.setattr(archive, "get_more_info", lambda *unused, **unused_too: {})
    with pytest.raises(DataError, match="^folder: no accuracy is there for every cell"):
        nats_archive.read_columns("folder")


def test_the_package_is_missing(monkeypatch):
    monkeypatch.setattr(nats_archive, "nats_bench", None)
    with pytest.raises(ConfigError) as error:
        nats_archive.read_columns("folder")
    assert str(error.value) == (
        "folder: a NATS-Bench folder is read by the package nats_bench, which "
        "is not installed; pip install 'nas_tf[nats]'"
    )


def test_the_package_cannot_open_it(archive, monkeypatch):
    def create(*unused, **unused_too):
        raise EOFError("Compressed file ended\nbefore the end-of-stream marker")
    monkeypatch.setattr(nats_archive, "nats_bench", types.SimpleNamespace(create=create))
    with pytest.raises(DataError) as error:
        nats_archive.read_columns("folder")
    assert str(error.value) == (
        "folder/meta.pickle.pbz2: EOFError: Compressed file ended before the end-of-stream marker; "
        "expected the folder NATS-tss-v1_0-3ffb9-simple of NATS-Bench"
    )


@pytest.mark.parametrize("error, text", [
    (AssertionError("invalid data path : x"), "AssertionError: invalid data path : x"),
    (KeyError("cifar10"), "KeyError: 'cifar10'"),
    (EOFError(), "EOFError"),
])
def test_a_damaged_cell(archive, error, text):
    archive.error = error
    with pytest.raises(DataError) as raised:
        nats_archive.read_columns("folder")
    assert str(raised.value) == f"folder: architecture 3: {text}; download the archive again"


def test_an_archive_of_another_space(archive):
    archive.meta_archs[7] = "64:64:64:64:64"
    with pytest.raises(DataError, match="architecture 7, '64:64:64:64:64', is no NAS-Bench-201"):
        nats_archive.read_columns("folder")


def test_an_archive_without_some_cells(archive):
    del archive.meta_archs[:2]
    with pytest.raises(DataError, match="2 of 15,625 cells are missing, the first is .none"):
        nats_archive.read_columns("folder")


def test_accuracies_that_are_not_per_cent(archive, monkeypatch):
    monkeypatch.setitem(TRAININGS, ("cifar100", "12"), {"valid-accuracy": 90.0})
    with pytest.raises(DataError, match="^folder: cifar100_valid_acc_12ep is 90 to 105.6"):
        nats_archive.read_columns("folder")
