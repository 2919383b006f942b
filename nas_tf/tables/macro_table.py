"""NAS-Bench-Macro's measurements (Su et al., 2021, arXiv:2103.11922), read from a CSV file.

    table = MacroTable.load("nas_bench_macro.csv.gz")

A file, plain or gzip-compressed, has a row a code and the columns

* `architecture`: the code, eight digits;
* `test_acc_1`, `test_acc_2`, ...: test accuracies in per cent of two trainings or more.

Other columns are ignored; parameters and multiply-adds follow from the code. Any part of the space
is a table. The benchmark trained every network once under one of its codes and wrote the numbers
beside all of them: rows of one network have to agree, and are one cell of the table.

Shapes: M networks, R trainings.
"""

import dataclasses
import os
import pathlib
import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nas_tf import graphs
from nas_tf.config import expand_home
from nas_tf.core import DataError, InvalidArchitectureError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.macro import MacroSpace
from nas_tf.spaces.macro_architecture import MacroArchitecture
from nas_tf.spaces.macro_cells import (
    NUM_CODES, NUM_LAYERS, all_cells, network_indices, to_codes,
)
from nas_tf.tables.cell_query import query
from nas_tf.tables.csv_rows import CsvRows, read_rows, shortened

_CODE = "architecture"
_TRAINING = re.compile(r"test_acc_([0-9]+)", re.ASCII)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class MacroTable:
    """Test accuracies of networks, each trained several times.

    Attributes:
        cells: [M], each network once, by ascending codes.
        test_accuracy: float64 [M, R] in [0, 1].
        name: of the table, for reports.
        path: of the file.
    """

    cells: CellGraphs
    test_accuracy: np.ndarray
    name: str = "memory"
    path: str = ""

    space: ClassVar[str] = MacroSpace.name
    dataset: ClassVar[str] = "cifar10"
    epochs: ClassVar[int] = 50
    numbered: ClassVar[bool] = False

    @classmethod
    def load(cls, path: str | os.PathLike) -> "MacroTable":
        """Reads a file.

        Raises:
            DataError: it is missing, damaged or no such table; the message has the row and the
                column.
        """
        path = pathlib.Path(expand_home(path))
        rows = read_rows(
            path, _check_header, kind="NAS-Bench-Macro table", expected=f"{NUM_CODES:,} codes"
        )
        network, columns = _networks(rows), _trainings(rows.texts)
        accuracy = np.stack([_accuracy(rows, column) for column in columns], axis=-1)
        kept, first, inverse = np.unique(network, return_index=True, return_inverse=True)
        _check_alike(rows, accuracy, columns, first[inverse])
        name = path.name.removesuffix(".gz").removesuffix(".csv")
        return cls(
            cells=all_cells()[kept], test_accuracy=accuracy[first], name=name, path=str(path)
        )


@query.register
def _(table: MacroTable, cells: CellGraphs, dataset: str | None = None):
    """Adds `code`, the mean test accuracy, and that of each training, to the usual columns."""
    inside = MacroSpace().check(cells) == 0
    keys = np.where(inside, cells.keys, np.uint64(0))
    index, found = graphs.find(keys, table.cells.keys)
    absent = np.where(inside, f"the cell is not in the table {table.name}", "outside the space")
    codes = np.full(len(cells), "", "U8")
    codes[inside] = to_codes(cells[inside])
    accuracy = np.where(found[:, None], table.test_accuracy[index], np.nan)
    name = f"test_accuracy_{table.epochs}ep"
    each = {f"{name}_{training}": values for training, values in enumerate(accuracy.T, 1)}
    note = np.where(found, "", absent)
    columns = {"found": found, "note": note, "key": keys, "code": codes}
    return columns | {name: accuracy.mean(axis=1)} | each


def _check_header(path: pathlib.Path, header: Sequence[str]) -> None:
    """Raises DataError where the names of the columns are not those of such a table."""
    found = shortened(", ".join(header))
    if _CODE not in header:
        raise DataError(f"{path}: row 1: no column {_CODE}; found {found}")
    trainings = _trainings(header)
    expected = [f"test_acc_{number}" for number in range(1, len(trainings) + 1)]
    if len(trainings) < 2 or trainings != expected:
        raise DataError(
            f"{path}: row 1: expected columns test_acc_1, test_acc_2, ... of two trainings or "
            f"more; found {found}"
        )


def _trainings(header: Sequence[str]) -> list[str]:
    """Returns the columns of the trainings, by their numbers."""
    names = filter(_TRAINING.fullmatch, header)
    return sorted(names, key=lambda name: int(_TRAINING.fullmatch(name)[1]))


def _networks(rows: CsvRows) -> np.ndarray:
    """Returns the index of every row's network in `all_cells`, int64; codes are each once."""
    layers = []
    for row, text in enumerate(rows.texts[_CODE]):
        try:
            layers.append(MacroArchitecture.read(text).layers)
        except InvalidArchitectureError as error:
            raise rows.error(row, _CODE, str(error)) from None
    layers = np.array(layers)
    rows.check_each_once(_CODE, layers @ 3 ** np.arange(NUM_LAYERS))
    return network_indices(layers)


def _accuracy(rows: CsvRows, column: str) -> np.ndarray:
    """Returns a column as fractions, float64."""
    values = rows.values(column)
    wrong = (values < 0) | (values > 100)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise rows.error(row, column, f"{values[row]:g}, expected per cent, 0 to 100")
    if values.max() <= 1:
        row = int(np.argmax(values))
        raise rows.error(
            row, column, f"{values[row]:g} is its largest value, these are fractions; expected "
            "per cent, multiply by 100"
        )
    return values / 100


def _check_alike(
    rows: CsvRows, accuracy: np.ndarray, columns: Sequence[str], first: np.ndarray
) -> None:
    """Raises DataError where rows of one network, first seen in row `first`, do not agree."""
    wrong = accuracy != accuracy[first]
    if wrong.any():
        row, training = np.argwhere(wrong)[0]
        codes, texts = rows.texts[_CODE], rows.texts[columns[training]]
        raise rows.error(
            row, columns[training],
            f"{texts[row]}, but {texts[first[row]]} in row {rows.numbers[first[row]]}: "
            f"{codes[row]} and {codes[first[row]]} are one network",
        )
