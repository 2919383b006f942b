"""nas_tf/tables/csv_rows.py; what may be wrong with a file is in test_nasbench201_csv.py."""

import gzip

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.tables import csv_rows


def _read(path):
    return csv_rows.read_rows(path, lambda *header: None, kind="table", expected="cells")


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('name, value\n\n"a\nb",1\nc,x\nc,\n')
    rows = _read(path)
    assert rows.texts == {"name": ("a\nb", "c", "c"), "value": ("1", "x", "")}
    assert rows.numbers == [3, 5, 6]
    with pytest.raises(DataError, match=r"a\.csv: row 5, column value: 'x' is no number$"):
        rows.values("value", missing=True)
    with pytest.raises(DataError, match="row 6, column name: c again, it is that of row 5"):
        rows.check_each_once("name", np.array(["a", "c", "c"]))


def test_missing_numbers_where_they_are_allowed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("value\n1\nNaN\n 2.5\n")
    np.testing.assert_array_equal(_read(path).values("value", missing=True), [1, np.nan, 2.5])
    with pytest.raises(DataError, match="row 3, column value: 'NaN' is no number"):
        _read(path).values("value")


@pytest.mark.parametrize("header, message", [
    ("a;b;c", "row 1: columns are divided by ';', expected commas"),
    ("a\tb", "row 1: columns are divided by '\\t', expected commas"),
    ("a,,", "row 1: 2 columns have no name"),
    ("a,b,a", "row 1: column a is there 2 times"),
])
def test_a_header_that_is_none(tmp_path, header, message):
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n1,2,3\n")
    with pytest.raises(DataError) as error:
        _read(path)
    assert str(error.value) == f"{path}: {message}"


def test_what_looks_like_csv(tmp_path, records):
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(b"a,b\n1,2\n")
    packed.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert csv_rows.looks_like_csv(plain) and csv_rows.looks_like_csv(packed)
    assert not csv_rows.looks_like_csv(records) and not csv_rows.looks_like_csv(tmp_path / "none")
