"""Measurements of cells of any space, read from a CSV file (`measured_csv`).

    table = MeasuredTable.load("measurements.csv", NasBench101Space(), dataset="cifar10")
    table.validation_accuracy(108)

Shapes: M cells, R trainings of each.
"""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from nas_tf.config import expand_home
from nas_tf.core import ConfigError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables import measured_csv
from nas_tf.tables.measured_csv import TEST, TIME, UNKNOWN, VALIDATION


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MeasuredTable:
    """Measurements of any cells of a space.

    Attributes:
        cells: [M], each once.
        columns: "validation_accuracy", "test_accuracy", "training_time_sec" -> training epochs ->
            float64 [M, R]; test accuracy may be of any other number of trainings. Accuracies are in
            [0, 1].
        trainable_parameters: int64 [M]; None where the table has none.
        name: of the table, for reports.
        path: of the file.
        dataset: what the networks were trained on; "unknown" where nobody said.
        space: name of the cells' search space.
        numbered: a cell's index in the table is its index in the benchmark: it has no such order.
    """

    cells: CellGraphs
    columns: Mapping[str, Mapping[int, np.ndarray]]
    trainable_parameters: np.ndarray | None = None
    name: str = "memory"
    path: str = ""
    dataset: str = UNKNOWN
    space: str = ""

    numbered: ClassVar[bool] = False

    def __repr__(self) -> str:
        return (
            f"<MeasuredTable {self.name!r}: {self.num_cells:,} cells of {self.space}, "
            f"{self.num_repeats} trainings of {', '.join(map(str, self.epochs))} epochs>"
        )

    @classmethod
    def load(
        cls, path: str | os.PathLike, space: SearchSpace, dataset: str = UNKNOWN
    ) -> "MeasuredTable":
        """Opens a CSV file, plain or gzip-compressed.

        Args:
            path: of the file; may begin with `~`.
            space: of its cells.
            dataset: what the networks were trained on; it chooses among columns that begin with
                the name of a data set.

        Raises:
            DataError: the file is missing, damaged or no such table; the message has row and column.
            ConfigError: it has no columns of the data set.
        """
        path = pathlib.Path(expand_home(path))
        found = measured_csv.read_table(path, space, dataset)
        return cls(
            **found._asdict(),
            name=path.name.removesuffix(".gz").removesuffix(".csv"),
            path=str(path),
            dataset=dataset,
            space=space.name,
        )

    @property
    def num_cells(self) -> int:
        """M."""
        return len(self.cells)

    @property
    def num_repeats(self) -> int:
        """R."""
        return self.validation_accuracy(self.epochs[-1]).shape[1]

    @property
    def keys(self) -> np.ndarray:
        """The cells' isomorphism-invariant keys, uint64 [M]."""
        return self.cells.keys

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets that were measured, of which one is read."""
        return (self.dataset,)

    @property
    def epochs(self) -> tuple[int, ...]:
        """Training epochs with a validation accuracy, ascending."""
        return tuple(sorted(self.columns[VALIDATION]))

    def budget(self, epochs: int | None) -> int:
        """Returns a training budget of the table, in epochs; the longest for None.

        Raises:
            ConfigError: the table has no such budget.
        """
        if epochs is not None and epochs not in self.epochs:
            choices = ", ".join(map(str, self.epochs))
            raise ConfigError(f"epochs={epochs}: {self.name} has {choices}")
        return self.epochs[-1] if epochs is None else epochs

    def validation_accuracy(self, epochs: int) -> np.ndarray:
        """Returns float64 [M, R] in [0, 1]."""
        return self.columns[VALIDATION][epochs]

    def test_accuracy(self, epochs: int) -> np.ndarray | None:
        """Returns float64 [M] in [0, 1], means over trainings; None where the table has none."""
        found = self.columns[TEST].get(epochs)
        return None if found is None else found.mean(axis=1)

    def training_time_sec(self, epochs: int) -> np.ndarray | None:
        """Returns seconds, float64 [M, R]; None where the table has no training times.

        A budget without times of its own takes its share of the next longer one that has some, or
        of the longest: trainings of the same networks take time in proportion to their epochs.
        """
        known = sorted(self.columns[TIME])
        if not known:
            return None
        source = next((number for number in known if number >= epochs), known[-1])
        times = self.columns[TIME][source] * (epochs / source)
        return np.broadcast_to(times, self.validation_accuracy(epochs).shape)
