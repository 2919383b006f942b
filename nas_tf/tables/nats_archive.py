"""The official NATS-Bench archive of the topology space, read into columns.

NATS-Bench (Dong et al., 2021, arXiv:2009.00437) through its package `nats_bench` (the extra
`nats`). The package unpickles the files of the folder that is named here, and unpickling runs
whatever a file says: name only a folder that was downloaded from the benchmark's authors. No other
file is unpickled, and nothing is once the columns are cached.

Of each data set, as the paper's protocols want it (all are means over the published trials):

* CIFAR-10 validation is of training on one half and validating on the other (`cifar10-valid`);
* CIFAR-10 test is of training on the whole training set after 200 epochs, on the half after 12;
* costs are the seconds of a whole training and of one validation.

Shapes: M = 15,625 cells, K columns.
"""

import dataclasses
import os
import pathlib
from typing import Any

import numpy as np

from nas_tf import caching
from nas_tf.core import ConfigError, DataError
from nas_tf.spaces import nasbench201
from nas_tf.tables import nasbench201_csv

try:  # the extra `nats`; only the first reading of an archive needs it
    import nats_bench
except ImportError:
    nats_bench = None

META_FILE = "meta.pickle.pbz2"
_ITEMS = {  # of the package's answer; several are added up
    "valid_acc": ("valid-accuracy",),
    "test_acc": ("test-accuracy",),
    "cost_sec": ("train-all-time", "valid-per-time"),
}


@dataclasses.dataclass(frozen=True)
class _Source:
    """Where columns come from: one call of the package's `get_more_info`.

    Attributes:
        dataset: the package's name.
        epochs: of training; the package's `hp`.
        columns: ours, by the part of the name before the epochs, and their items.
    """

    dataset: str
    epochs: int
    columns: dict[str, tuple[str, ...]]


def _items(dataset: str, *kinds: str) -> dict[str, tuple[str, ...]]:
    """Returns `_Source.columns` of one of our data sets."""
    return {f"{dataset}_{kind}": _ITEMS[kind] for kind in kinds}


_SOURCES = (
    _Source("cifar10-valid", 12, _items("cifar10", "valid_acc", "test_acc", "cost_sec")),
    _Source("cifar10-valid", 200, _items("cifar10", "valid_acc", "cost_sec")),
    _Source("cifar10", 200, _items("cifar10", "test_acc")),
    _Source("cifar100", 12, _items("cifar100", *_ITEMS)),
    _Source("cifar100", 200, _items("cifar100", *_ITEMS)),
    _Source("ImageNet16-120", 12, _items("imagenet16-120", *_ITEMS)),
    _Source("ImageNet16-120", 200, _items("imagenet16-120", *_ITEMS)),
)


def read_columns(folder: str | os.PathLike) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Reads `NATS-tss-v1_0-3ffb9-simple`, one file a cell; takes minutes.

    What an archive has not of every cell makes no column.

    Args:
        folder: the archive. Its files are unpickled: see above.

    Returns:
        `index` and `values` of `nasbench201_csv.Columns`, in the benchmark's order.

    Raises:
        ConfigError: the package is not installed.
        DataError: the folder is missing, damaged or no such archive.
    """
    folder = pathlib.Path(folder)
    check_installed(folder)
    archive = _open(folder)
    index = _check_cells(folder, archive)
    columns = {name: np.empty(len(index)) for name in _column_names()}
    numbers = range(len(index))
    for number in caching.progress_bar(numbers, desc=f"Reading {folder.name}", unit="cell"):
        for name, value in _read_cell(folder, archive, number).items():
            columns[name][number] = value
    complete = {name: values for name, values in columns.items() if not np.isnan(values).any()}
    if not any("_acc_" in name for name in complete):
        raise DataError(f"{folder}: no accuracy is there for every cell; download it again")
    return index, _as_fractions(folder, complete)


def check_installed(folder: str | os.PathLike) -> None:
    """Raises ConfigError where the package that reads a folder is not installed."""
    if nats_bench is None:
        raise ConfigError(
            f"{folder}: a NATS-Bench folder is read by the package "
            "nats_bench, which is not installed; pip install 'nas_tf[nats]'"
        )


def _column_names() -> list[str]:
    return [f"{name}_{source.epochs}ep" for source in _SOURCES for name in source.columns]


def _open(folder: pathlib.Path) -> Any:
    try:
        return nats_bench.create(str(folder), "topology", fast_mode=True, verbose=False)
    except Exception as error:  # unpickling a damaged file may raise anything
        raise DataError(
            f"{folder / META_FILE}: {_describe(error)}; expected the folder "
            "NATS-tss-v1_0-3ffb9-simple of NATS-Bench"
        ) from error


def _check_cells(folder: pathlib.Path, archive: Any) -> np.ndarray:
    """Returns int64 [M], the indices of the archive's cells in the space's enumeration."""
    strings = [str(archive.arch(number)) for number in range(len(archive))]
    index, known = nasbench201.find_strings(np.array(strings, dtype=np.str_))
    if not known.all():
        number = int(np.argmin(known))
        raise DataError(
            f"{folder / META_FILE}: architecture {number}, {strings[number]!r}, is no "
            "NAS-Bench-201 cell"
        )
    nasbench201_csv.check_complete(folder / META_FILE, index)
    return index


def _read_cell(folder: pathlib.Path, archive: Any, number: int) -> dict[str, float]:
    """Returns every column's value of one cell, NaN where the archive has none."""
    values = {}
    try:
        for source in _SOURCES:
            info = archive.get_more_info(
                number, source.dataset, hp=str(source.epochs), is_random=False
            )
            for name, items in source.columns.items():
                parts = [info.get(item) for item in items]
                values[f"{name}_{source.epochs}ep"] = (
                    np.nan if None in parts else float(sum(parts))
                )
    except Exception as error:  # unpickling a damaged file may raise anything
        raise DataError(
            f"{folder}: architecture {number}: {_describe(error)}; download the archive again"
        ) from error
    archive.arch2infos_dict.pop(number, None)  # the package would keep every cell it has read
    return values


def _as_fractions(folder: pathlib.Path, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the columns with accuracies in [0, 1] instead of per cent."""
    for name, values in columns.items():
        if "_acc_" in name and not (values.min() >= 0 and 1 < values.max() <= 100):
            raise DataError(
                f"{folder}: {name} is {values.min():g} to {values.max():g}, expected per cent"
            )
    return {name: values / 100 if "_acc_" in name else values for name, values in columns.items()}


def _describe(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
