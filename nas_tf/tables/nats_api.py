"""NAS-Bench-201 by index and by string, as the package `nats_bench` asks it.

NATS-Bench (Dong et al., 2021, arXiv:2009.00437). Programs written for its topology search space run
on a table of this library, a CSV file as well:

    from nas_tf.tables import nats_api
    api = nats_api.create("nas_bench_201.csv.gz", "tss")
    index = api.query_index_by_arch("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    api.get_more_info(index, "cifar10-valid", hp="200", is_random=False)["valid-accuracy"]

Accuracies are in per cent here, as there. What differs, because a table has less than the archive:

* a table has means over the published trials, whatever `is_random` says, of the last epoch;
* there are no losses, no training accuracies and no latencies; of the times there is what a query
  costs, one whole training and one validation, under `cost-sec`;
* a string that is no cell is refused with the reason, where the package returns -1.

Which training a table's CIFAR-10 columns are of says `nats_archive`: validation accuracy is of
`cifar10-valid`; test accuracy after 200 epochs of `cifar10`, after 12 epochs of `cifar10-valid`.
"""

import operator
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from nas_tf import graphs
from nas_tf.core import ConfigError, DataError, InvalidArchitectureError
from nas_tf.spaces import nasbench201
from nas_tf.tables.nasbench201 import NasBench201Table

_SPACES = ("tss", "topology")
# Of the two trainings behind a table's CIFAR-10 columns: items of an answer, and their epochs.
_CIFAR10 = {
    "cifar10-valid": {"valid-accuracy": (12, 200), "test-accuracy": (12,), "cost-sec": (12, 200)},
    "cifar10": {"test-accuracy": (200,)},
}
_VALID = _CIFAR10["cifar10-valid"]
_KINDS = {"valid-accuracy": "valid_acc", "test-accuracy": "test_acc", "cost-sec": "cost_sec"}


def create(
    path: str | os.PathLike,
    search_space: str = "tss",
    fast_mode: bool = True,
    verbose: bool = True,
) -> "NATSBench":
    """Opens a table as `nats_bench.create` does an archive.

    Args:
        path: a CSV file or a NATS-Bench folder; see `NasBench201Table.load`.
        search_space: "tss" or "topology".
        fast_mode: of the package; nothing depends on it.
        verbose: likewise.

    Raises:
        ConfigError: another search space is asked for.
        DataError: the table is missing or damaged.
    """
    del fast_mode, verbose
    if search_space not in _SPACES:
        raise ConfigError(f"search_space={search_space!r}: expected {' or '.join(_SPACES)}")
    return NATSBench(NasBench201Table.load(path))


class NATSBench:
    """A NAS-Bench-201 table through the interface of `nats_bench`."""

    def __init__(self, table: NasBench201Table):
        """Args: table: its cells are counted from 0, in the benchmark's order where it has that."""
        self.table = table
        self._index = graphs.KeyIndex(table.keys)
        self._used_time = 0.0

    def __len__(self) -> int:
        return self.table.num_cells

    def __getitem__(self, index: int) -> str:
        return self.arch(index)

    @property
    def used_time(self) -> float:
        """Seconds that `simulate_train_eval` has spent."""
        return self._used_time

    def reset_time(self) -> None:
        """Sets the time spent to zero."""
        self._used_time = 0.0

    def arch(self, index: int) -> str:
        """Returns the string of a cell.

        Raises:
            ValueError: there is no cell with that index.
            DataError: the table does not number its cells.
        """
        return str(nasbench201.to_strings(self.table.cells[self._index_of(index)]))

    def query_index_by_arch(self, arch: Any) -> int:
        """Returns the index of a cell.

        Args:
            arch: its index, its string, or an object whose `tostr()` returns that.

        Raises:
            InvalidArchitectureError: the string is no cell of the benchmark.
            ValueError: there is no cell with that index, or the table does not have the cell.
            DataError: the table does not number its cells.
        """
        self._check_numbered()
        return self._index_of(arch)

    def query_by_arch(self, arch: Any, hp: int | str = "12") -> str:
        """Returns what the table knows of a cell, as text: its string and a line a data set.

        Args:
            arch: see `query_index_by_arch`.
            hp: epochs of training, 12 or 200.

        Raises:
            InvalidArchitectureError, ValueError, DataError: see `query_index_by_arch`.
        """
        index = self._index_of(arch)
        lines = [str(nasbench201.to_strings(self.table.cells[index]))]
        for dataset in self.table.datasets:
            found = {
                name: self._value(index, dataset, name, int(hp)) for name in _KINDS
            }
            parts = [
                f"{name} {value:.2f}{' s' if name == 'cost-sec' else '%'}"
                for name, value in found.items() if value is not None
            ]
            if parts:
                lines.append(f"{dataset:14s} {', '.join(parts)}")
        return "\n".join(lines)

    query_info_str_by_arch = query_by_arch

    def get_more_info(
        self,
        index: Any,
        dataset: str,
        iepoch: int | None = None,
        hp: int | str = "12",
        is_random: bool | int = True,
    ) -> dict[str, float]:
        """Returns what the table knows of a cell on a data set, by the package's names.

        Args:
            index: see `query_index_by_arch`.
            dataset: `cifar10-valid`, `cifar10`, `cifar100` or `ImageNet16-120`, in any spelling.
            iepoch: the last epoch of the training, or None for it; a table has no other.
            hp: epochs of training, 12 or 200.
            is_random: of the package; a table has means over the trials.

        Returns:
            `valid-accuracy`, `test-accuracy` (per cent) and `cost-sec`, where the table has them.

        Raises:
            ConfigError: the table has no such data set or epoch.
            DataError: it has nothing of that training, or does not number its cells.
            InvalidArchitectureError, ValueError: see `query_index_by_arch`.
        """
        del is_random
        epochs = int(hp)
        if iepoch not in (None, epochs - 1):
            raise ConfigError(f"iepoch={iepoch}: a table has the last epoch alone, {epochs - 1}")
        index, known = self._index_of(index), self._dataset(dataset)
        items = _items(known, dataset)
        info = {
            name: self._value(index, known, name, epochs)
            for name in _KINDS if items is None or epochs in items.get(name, ())
        }
        info = {name: value for name, value in info.items() if value is not None}
        if not info:
            halves = known == "cifar10" and items != _VALID and any(
                self._value(index, known, name, epochs) is not None
                for name in _VALID if epochs in _VALID[name]
            )
            other = "; cifar10-valid has it" if halves else ""
            raise DataError(
                f"{self.table.path or self.table.name}: nothing of {dataset} after {epochs} epochs"
                f"{other}; it has {', '.join(self.table.columns)}"
            )
        return info

    def simulate_train_eval(
        self,
        arch: Any,
        dataset: str,
        iepoch: int | None = None,
        hp: int | str = "12",
        account_time: bool = True,
    ) -> tuple[float, None, float, float]:
        """Returns what training a cell would give, and counts its time.

        Args:
            arch: see `query_index_by_arch`.
            dataset: `cifar10`, `cifar100` or `ImageNet16-120`.
            iepoch: see `get_more_info`.
            hp: epochs of training, 12 or 200.
            account_time: count the time.

        Returns:
            validation accuracy in per cent, None for the latency, seconds of one training and one
            validation, and all seconds so far.

        Raises:
            DataError: the table has no such accuracy, or no times.
            ConfigError, InvalidArchitectureError, ValueError: see `get_more_info`.
        """
        name = "cifar10-valid" if self._dataset(dataset) == "cifar10" else dataset
        info = self.get_more_info(arch, name, iepoch=iepoch, hp=hp)
        for item in ("valid-accuracy", "cost-sec"):
            if item not in info:
                raise DataError(
                    f"{self.table.path or self.table.name}: no {_KINDS[item]} of {dataset} after "
                    f"{hp} epochs"
                )
        if account_time:
            self._used_time += info["cost-sec"]
        return info["valid-accuracy"], None, info["cost-sec"], self._used_time

    def _index_of(self, arch: Any) -> int:
        """Returns the index of a cell in the table."""
        arch = arch.tostr() if hasattr(arch, "tostr") else arch
        if isinstance(arch, str):
            cell = nasbench201.from_strings(np.array(arch))
            index, found = self._index.find(cell.keys)
            if not found:
                raise ValueError(f"{arch!r}: the cell is not in the table {self.table.name}")
            return int(index)
        self._check_numbered()
        try:
            index = operator.index(None if isinstance(arch, bool) else arch)
        except TypeError:
            raise InvalidArchitectureError(
                f"{arch!r}: expected the index of a cell, its string, or an object with tostr()"
            ) from None
        if not 0 <= index < len(self):
            raise ValueError(f"index {index}: expected 0 to {len(self) - 1}")
        return index

    def _dataset(self, name: str) -> str:
        """Returns the table's name of a data set."""
        if not isinstance(name, str):
            raise ConfigError(f"dataset={name!r}: expected a name such as 'cifar10-valid'")
        return self.table.dataset(name)

    def _check_numbered(self) -> None:
        if not self.table.numbered:
            raise DataError(
                f"{self.table.path or self.table.name}: it does not number its cells; add the "
                "benchmark's numbers in a column arch_index, or ask by strings"
            )

    def _value(self, index: int, dataset: str, item: str, epochs: int) -> float | None:
        """Returns one number of a cell, accuracies in per cent; None where the table has none."""
        values = self.table.columns.get(f"{dataset}_{_KINDS[item]}_{epochs}ep")
        if values is None or np.isnan(values[index]):
            return None
        return float(values[index]) * (1 if item == "cost-sec" else 100)


def _items(known: str, asked: str) -> Mapping[str, tuple[int, ...]] | None:
    """Returns the items, with their epochs, that are of the training asked for; None is all."""
    if known != "cifar10":
        return None
    return _CIFAR10["cifar10-valid" if asked.lower().endswith("-valid") else "cifar10"]
