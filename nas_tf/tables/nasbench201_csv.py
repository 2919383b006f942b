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

import csv
import gzip
import io
import math
import os
import pathlib
import re
import zlib
from typing import NamedTuple

import numpy as np

from nas_tf.core import DataError
from nas_tf.spaces import nasbench201, nasbench201_text
from nas_tf.spaces.nasbench201 import NUM_CELLS

METRIC = re.compile(
    r"(?P<dataset>.+)_(?P<kind>valid_acc|test_acc|cost_sec)_(?P<epochs>[0-9]+)ep", re.ASCII
)
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_QUOTED = 200  # characters of a header in a message


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
    path = pathlib.Path(path)
    rows, numbers = _read_rows(path)
    header = _check_header(path, rows)
    _check_lengths(path, header, rows, numbers)
    if len(rows) == 1:
        raise DataError(f"{path}: it has a header and no cells, expected {NUM_CELLS:,}")
    texts = dict(zip(header, zip(*rows[1:], strict=True), strict=True))
    index = _check_cells(path, texts["arch_str"], numbers[1:])
    columns = {
        name: _read_metric(path, name, texts[name], numbers[1:])
        for name in header
        if METRIC.fullmatch(name)
    }
    numbered = "arch_index" in texts
    if numbered:
        order = _benchmark_order(path, texts["arch_index"], numbers[1:])
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


def _read_rows(path: pathlib.Path) -> tuple[list[list[str]], list[int]]:
    """Returns the fields of all rows but empty ones, and their numbers."""
    rows, numbers = [], []
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    start = 1  # where the row being read begins: an open quote is found far below
    try:
        for row in reader:
            if row:
                rows.append(row)
                numbers.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}: row {start}: no CSV ({error})") from error
    if not rows:
        raise DataError(f"{path}: the file is empty, expected a table of {NUM_CELLS:,} cells")
    return rows, numbers


def _read_text(path: pathlib.Path) -> str:
    """Returns the text of a file, unpacked where it is gzip-compressed."""
    try:
        data = path.read_bytes()
        compressed = data.startswith(_GZIP_MAGIC)
        if path.suffix == ".gz" and data and not compressed:
            raise DataError(
                f"{path}: it is named .gz but is not gzip-compressed; download it again, or "
                "rename it if it is a plain CSV file"
            )
        return (gzip.decompress(data) if compressed else data).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such NAS-Bench-201 table") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: no CSV file (byte {error.start} is no UTF-8 text)") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip file ({error}); download it again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _check_header(path: pathlib.Path, rows: list[list[str]]) -> list[str]:
    """Returns the names of the columns."""
    header = [name.strip() for name in rows[0]]
    found = ", ".join(header)
    found = found if len(found) <= _MAX_QUOTED else f"{found[:_MAX_QUOTED]}..."
    if "arch_str" not in header:
        raise DataError(f"{path}: row 1: no column arch_str; found {found}")
    if not any(METRIC.fullmatch(name) for name in header):
        raise DataError(
            f"{path}: row 1: no column of accuracies such as cifar10_valid_acc_200ep; found {found}"
        )
    for name in header:
        if header.count(name) > 1:
            raise DataError(f"{path}: row 1: column {name} is there {header.count(name)} times")
    return header


def _check_lengths(
    path: pathlib.Path, header: list[str], rows: list[list[str]], numbers: list[int]
) -> None:
    for row, number in zip(rows, numbers, strict=True):
        if len(row) < len(header):
            raise DataError(
                f"{path}: row {number}, column {header[len(row)]}: missing, the row has "
                f"{len(row)} of {len(header)} fields"
            )
        if len(row) > len(header):
            raise DataError(
                f"{path}: row {number}: {len(row)} fields, the header has {len(header)} columns"
            )


def _check_cells(path: pathlib.Path, texts: tuple[str, ...], numbers: list[int]) -> np.ndarray:
    """Returns int64 [M], the indices of the cells: known ones, each once, and all of them."""
    index, known = nasbench201.find_strings(np.array(texts))
    if not known.all():
        row = int(np.argmin(known))
        raise DataError(
            f"{path}: row {numbers[row]}, column arch_str: {_quote(texts[row])} is no "
            f"NAS-Bench-201 cell: {nasbench201_text.reason(texts[row], nasbench201.EDGE_OPS)}"
        )
    _check_each_once(path, "arch_str", index, texts, numbers)
    check_complete(path, index)
    return index


def _check_each_once(
    path: pathlib.Path,
    column: str,
    values: np.ndarray,
    texts: tuple[str, ...],
    numbers: list[int],
) -> None:
    """Raises DataError for the first of `values` [M], what `texts` say, that was there before."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    earlier = first[inverse]
    repeats = np.flatnonzero(earlier != np.arange(len(values)))
    if repeats.size:
        later = int(repeats[0])
        raise DataError(
            f"{path}: row {numbers[later]}, column {column}: {texts[later]} again, it is that of "
            f"row {numbers[earlier[later]]}"
        )


def _benchmark_order(
    path: pathlib.Path, texts: tuple[str, ...], numbers: list[int]
) -> np.ndarray:
    """Returns int64 [M], which rows hold the cells number 0, 1, ... of the benchmark."""
    values = _numbers(path, "arch_index", texts, numbers)
    wrong = (values != np.floor(values)) | (values < 0) | (values >= NUM_CELLS)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{path}: row {numbers[row]}, column arch_index: {_quote(texts[row])}, expected "
            f"0 to {NUM_CELLS - 1}"
        )
    _check_each_once(path, "arch_index", values, texts, numbers)
    return np.argsort(values)


def _read_metric(
    path: pathlib.Path, name: str, texts: tuple[str, ...], numbers: list[int]
) -> np.ndarray:
    """Returns one column, float64 [M]: accuracies as fractions, NaN where missing, or seconds."""
    is_cost = METRIC.fullmatch(name)["kind"] == "cost_sec"
    values = _numbers(path, name, texts, numbers, missing=not is_cost)
    wrong = values < 0 if is_cost else (values < 0) | (values > 100)
    if wrong.any():
        row = int(np.argmax(wrong))
        expected = "seconds, 0 or more" if is_cost else "per cent, 0 to 100"
        raise DataError(
            f"{path}: row {numbers[row]}, column {name}: {texts[row]}, expected {expected}"
        )
    if is_cost:
        return values
    if np.isnan(values).all():
        raise DataError(f"{path}: column {name}: no accuracy at all; leave the column out")
    if np.nanmax(values) <= 1:
        row = int(np.nanargmax(values))
        raise DataError(
            f"{path}: row {numbers[row]}, column {name}: {values[row]:g} is its largest value, "
            "these are fractions; expected per cent, multiply by 100"
        )
    return values / 100


def _numbers(
    path: pathlib.Path,
    name: str,
    texts: tuple[str, ...],
    numbers: list[int],
    missing: bool = False,
) -> np.ndarray:
    """Returns float64 [M]; raises DataError for the first that is no finite number.

    Empty fields and `nan` are NaN where values may be `missing`.
    """
    values = np.full(len(texts), math.nan)
    for row, text in enumerate(texts):
        if missing and text.strip().lower() in ("", "nan"):
            continue
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataError(
                f"{path}: row {numbers[row]}, column {name}: {_quote(text)} is no number"
            )
        values[row] = value
    return values


def _quote(text: str) -> str:
    return repr(text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}...")
