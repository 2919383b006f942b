"""CSV files, plain or gzip-compressed, read into columns of text; numbers out of such columns.

Rows are counted as a spreadsheet does: the header is row 1. Whatever is wrong is said by row and
column.

Shapes: M rows under the header.
"""

import csv
import gzip
import io
import math
import os
import pathlib
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nas_tf.core import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_MAX_QUOTED = 200  # characters of a file in a message
_HEAD_BYTES = 1 << 12


class CsvRows(NamedTuple):
    """What a file holds.

    Attributes:
        path: the file.
        texts: M texts by the names of the columns.
        numbers: of the M rows in the file.
    """

    path: pathlib.Path
    texts: dict[str, tuple[str, ...]]
    numbers: list[int]

    def error(self, row: int, column: str, fault: str) -> DataError:
        """Returns an error about a field of a row, counted from 0."""
        return DataError(f"{self.path}: row {self.numbers[row]}, column {column}: {fault}")

    def values(self, column: str, missing: bool = False) -> np.ndarray:
        """Returns the numbers of a column, float64 [M].

        Args:
            column: its name.
            missing: empty fields and `nan` are NaN.

        Raises:
            DataError: a field is no finite number.
        """
        texts = self.texts[column]
        try:
            values = np.array(texts, np.float64)
        except ValueError:
            values = np.array([_number(text) for text in texts])
        wrong = ~np.isfinite(values)
        if missing:
            wrong &= [text.strip().lower() not in ("", "nan") for text in texts]
        if wrong.any():
            row = int(np.argmax(wrong))
            raise self.error(row, column, f"{quote(texts[row])} is no number")
        return values

    def check_each_once(self, column: str, values: np.ndarray) -> None:
        """Raises DataError for the first of `values` [M], what a column says, seen before."""
        _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        earlier = first[inverse]
        repeats = np.flatnonzero(earlier != np.arange(len(values)))
        if repeats.size:
            later = int(repeats[0])
            before = self.numbers[earlier[later]]
            text = self.texts[column][later]
            raise self.error(later, column, f"{text} again, it is that of row {before}")


def read_rows(
    path: str | os.PathLike,
    check_header: Callable[[pathlib.Path, Sequence[str]], None],
    *,
    kind: str,
    expected: str,
) -> CsvRows:
    """Reads a file.

    Args:
        path: of the file.
        check_header: raises DataError where the names of the columns are not those of such a table.
        kind: of the table, for messages: "NAS-Bench-201 table".
        expected: what it should hold, for messages: "15,625 cells".

    Raises:
        DataError: it is missing, damaged, no CSV, or has rows of another length than its header.
    """
    path = pathlib.Path(path)
    rows, numbers = _split(path, kind, expected)
    header = [name.strip() for name in rows[0]]
    if len(header) == 1 and (mark := next((m for m in ";\t" if m in header[0]), "")):
        raise DataError(f"{path}: row 1: columns are divided by {mark!r}, expected commas")
    check_header(path, header)
    if header.count("") > 1:
        raise DataError(f"{path}: row 1: {header.count('')} columns have no name")
    for name in header:
        if header.count(name) > 1:
            raise DataError(f"{path}: row 1: column {name} is there {header.count(name)} times")
    _check_lengths(path, header, rows, numbers)
    if len(rows) == 1:
        raise DataError(f"{path}: it has a header and no cells, expected {expected}")
    texts = dict(zip(header, zip(*rows[1:], strict=True), strict=True))
    return CsvRows(path, texts, numbers[1:])


def header_of(path: str | os.PathLike) -> list[str]:
    """Returns the names in the first line of a file; none where it cannot be read."""
    line = _head(path).partition(b"\n")[0].decode("utf-8-sig", "replace")
    return [name.strip() for name in next(csv.reader([line]), [])]


def looks_like_csv(path: str | os.PathLike) -> bool:
    """Tells whether a file begins as one of text does; False where it cannot be read."""
    head = _head(path)
    return bool(head) and b"\0" not in head


def _head(path: str | os.PathLike) -> bytes:
    """Returns how a file begins, unpacked; nothing where it cannot be read."""
    try:
        with open(path, "rb") as file:
            packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            return (gzip.GzipFile(fileobj=file) if packed else file).read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def quote(text: str) -> str:
    """Returns a text of a file in quotes, shortened."""
    return repr(shortened(text))


def shortened(text: str) -> str:
    """Returns a text of a file as messages have it."""
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}..."


def _split(path: pathlib.Path, kind: str, expected: str) -> tuple[list[list[str]], list[int]]:
    """Returns the fields of all rows but empty ones, and their numbers."""
    rows, numbers = [], []
    reader = csv.reader(io.StringIO(_read_text(path, kind), newline=""), strict=True)
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
        raise DataError(f"{path}: the file is empty, expected a table of {expected}")
    return rows, numbers


def _read_text(path: pathlib.Path, kind: str) -> str:
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
        raise DataError(f"{path}: no such {kind}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: no CSV file (byte {error.start} is no UTF-8 text)") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged gzip file ({error}); download it again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _check_lengths(
    path: pathlib.Path, header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]
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


def _number(text: str) -> float:
    """Returns the number that a text is; NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
