"""NAS-Bench-201 tables as CSV files, plain or gzip-compressed, read into columns and checked.

A file has one row a cell and the columns

* `arch_str`: the benchmark's string of the cell;
* `arch_index`, optional: its number in the benchmark; without it rows keep their order;
* `{dataset}_{valid,test}_acc_{epochs}ep`: accuracies in per cent; an empty field or `nan` where a
  cell was not measured, which is infeasible to a search;
* `{dataset}_cost_sec_{epochs}ep`, optional: seconds of training and one validation.

Other columns are ignored. Rows are counted as a spreadsheet does: the header is row 1.

Shapes: M = 15,625 cells.
"""

import os
import pathlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nas_tf.core import DataError
from nas_tf.spaces import nasbench201, nasbench201_text
from nas_tf.spaces.nasbench201 import NUM_CELLS
from nas_tf.tables import csv_rows

METRIC = re.compile(
    r"(?P<dataset>.+)_(?P<kind>valid_acc|test_acc|cost_sec)_(?P<epochs>[0-9]+)ep", re.ASCII
)


class Columns(NamedTuple):
    """What a file holds.

    Attributes:
        index: int64 [M], the index of every row's cell in the space's enumeration, in the
            benchmark's order where the file has it.
        values: float64 [M] by the columns' names: accuracies in [0, 1], costs in seconds.
        numbered: the file has the benchmark's order.
    """

    index: np.ndarray
    values: dict[str, np.ndarray]
    numbered: bool


def read_columns(path: str | os.PathLike) -> Columns:
    """Reads a table of all cells, each once.

    Args:
        path: the CSV file.

    Raises:
        DataError: the file is missing, damaged or no such table; the message has the row and the
            column.
    """
    rows = csv_rows.read_rows(
        path, _check_header, kind="NAS-Bench-201 table", expected=f"{NUM_CELLS:,} cells"
    )
    index = _check_cells(rows)
    columns = {name: _read_metric(rows, name) for name in rows.texts if METRIC.fullmatch(name)}
    numbered = "arch_index" in rows.texts
    if numbered:
        order = _benchmark_order(rows)
        index, columns = index[order], {name: columns[name][order] for name in columns}
    return Columns(index, columns, numbered)


def check_complete(path: str | os.PathLike, index: np.ndarray) -> None:
    """Raises DataError unless every cell is among the indices, int64 [...]."""
    missing = np.setdiff1d(np.arange(NUM_CELLS), index)
    if missing.size:
        first = nasbench201.to_strings(
            nasbench201.NasBench201Space().enumerate_cells()[missing[:1]]
        )[0]
        raise DataError(
            f"{path}: {missing.size:,} of {NUM_CELLS:,} cells are missing, the first is {first}; "
            "download or build the table again"
        )


def _check_header(path: pathlib.Path, header: Sequence[str]) -> None:
    found = csv_rows.shortened(", ".join(header))
    if "arch_str" not in header:
        raise DataError(f"{path}: row 1: no column arch_str; found {found}")
    if not any(METRIC.fullmatch(name) for name in header):
        raise DataError(
            f"{path}: row 1: no column of accuracies such as cifar10_valid_acc_200ep; found {found}"
        )


def _check_cells(rows: csv_rows.CsvRows) -> np.ndarray:
    """Returns int64 [M], the indices of the cells: known ones, each once, and all of them."""
    texts = rows.texts["arch_str"]
    index, known = nasbench201.find_strings(np.array(texts))
    if not known.all():
        row = int(np.argmin(known))
        reason = nasbench201_text.reason(texts[row], nasbench201.EDGE_OPS)
        fault = f"{csv_rows.quote(texts[row])} is no NAS-Bench-201 cell: {reason}"
        raise rows.error(row, "arch_str", fault)
    rows.check_each_once("arch_str", index)
    check_complete(rows.path, index)
    return index


def _benchmark_order(rows: csv_rows.CsvRows) -> np.ndarray:
    """Returns int64 [M], which rows hold the cells number 0, 1, ... of the benchmark."""
    values = rows.values("arch_index")
    wrong = (values != np.floor(values)) | (values < 0) | (values >= NUM_CELLS)
    if wrong.any():
        row = int(np.argmax(wrong))
        found = csv_rows.quote(rows.texts["arch_index"][row])
        raise rows.error(row, "arch_index", f"{found}, expected 0 to {NUM_CELLS - 1}")
    rows.check_each_once("arch_index", values)
    return np.argsort(values)


def _read_metric(rows: csv_rows.CsvRows, name: str) -> np.ndarray:
    """Returns one column, float64 [M]: accuracies as fractions, NaN where missing, or seconds."""
    is_cost = METRIC.fullmatch(name)["kind"] == "cost_sec"
    values = rows.values(name, missing=not is_cost)
    wrong = values < 0 if is_cost else (values < 0) | (values > 100)
    if wrong.any():
        row = int(np.argmax(wrong))
        expected = "seconds, 0 or more" if is_cost else "per cent, 0 to 100"
        raise rows.error(row, name, f"{rows.texts[name][row]}, expected {expected}")
    if is_cost:
        return values
    if np.isnan(values).all():
        raise DataError(f"{rows.path}: column {name}: no accuracy at all; leave the column out")
    if np.nanmax(values) <= 1:
        row = int(np.nanargmax(values))
        raise rows.error(
            row, name, f"{values[row]:g} is its largest value, "
            "these are fractions; expected per cent, multiply by 100"
        )
    return values / 100
