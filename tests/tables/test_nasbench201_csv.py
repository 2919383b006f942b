"""nas_tf/tables/nasbench201_csv.py: reading CSV tables, and all that may be wrong."""

import gzip

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.spaces import nasbench201
from nas_tf.tables import nasbench201_csv

HEADER = "arch_index,arch_str,toy_valid_acc_200ep,toy_cost_sec_200ep"


@pytest.fixture(scope="module", name="lines")
def _lines():
    """All cells; number i of the benchmark is 7 i of the enumeration, accuracy i / 200 per cent."""
    strings = nasbench201.to_strings(nasbench201.NasBench201Space().enumerate_cells()).tolist()
    rows = [f"{i},{strings[7 * i % 15_625]},{i / 200},{i}.5" for i in range(15_625)]
    return [HEADER, *rows]


@pytest.fixture(name="write")
def _write(tmp_path):
    def write(lines, name="table.csv", ending="\n"):
        path = tmp_path / name
        path.write_bytes("".join(line + ending for line in lines).encode("utf-8"))
        return path
    return write


def _changed(lines, row, *fields):
    """Returns lines with the fields (column, text) of a row replaced."""
    values = lines[row - 1].split(",")
    for column, text in fields:
        values[column] = text
    return [*lines[: row - 1], ",".join(values), *lines[row:]]


def _error(path):
    with pytest.raises(DataError) as error:
        nasbench201_csv.read_columns(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message.removeprefix(f"{path}: ")


def _check(index, columns):
    np.testing.assert_array_equal(index, 7 * np.arange(15_625) % 15_625)
    assert list(columns) == ["toy_valid_acc_200ep", "toy_cost_sec_200ep"]
    np.testing.assert_allclose(columns["toy_valid_acc_200ep"], np.arange(15_625) / 20_000)
    np.testing.assert_array_equal(columns["toy_cost_sec_200ep"], np.arange(15_625) + 0.5)


def test_a_table_in_the_order_of_the_benchmark(lines, write):
    _check(*nasbench201_csv.read_columns(write(lines))[:2])


def test_the_order_of_rows_does_not_matter(lines, write):
    _check(*nasbench201_csv.read_columns(write([lines[0], *lines[:0:-1]]))[:2])


def test_without_numbers_rows_keep_their_order(lines, write):
    plain = [line.split(",", 1)[1] for line in [lines[0], *lines[:0:-1]]]
    index, columns, numbered = nasbench201_csv.read_columns(write(plain))
    assert not numbered and nasbench201_csv.read_columns(write(lines)).numbered
    np.testing.assert_array_equal(index, 7 * np.arange(15_625)[::-1] % 15_625)
    assert columns["toy_cost_sec_200ep"][0] == 15_624.5


def test_gzip_windows_endings_empty_lines_and_other_columns(lines, write, tmp_path):
    text = "\ufeff" + "\r\n\r\n".join(line + ",more" for line in lines)
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(text.encode("utf-8")))
    _check(*nasbench201_csv.read_columns(path)[:2])
    _check(*nasbench201_csv.read_columns(path.rename(tmp_path / "table.csv"))[:2])


def test_the_largest_and_the_smallest_accuracy(lines, write):
    lines = _changed(_changed(lines, 2, (2, "100")), 3, (2, "0"))
    _, columns, _ = nasbench201_csv.read_columns(write(lines))
    assert columns["toy_valid_acc_200ep"][:2].tolist() == [1.0, 0.0]


# Files.


def test_no_file(tmp_path):
    assert _error(tmp_path / "table.csv") == "no such NAS-Bench-201 table"


@pytest.mark.parametrize("name, content", [
    ("a.csv", b""), ("a.csv", b"\n\n"), ("a.csv.gz", b""), ("a.csv.gz", gzip.compress(b"", mtime=0)),
])
def test_an_empty_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    expected = "the file is empty, expected a table of 15,625 cells"
    assert _error(tmp_path / name) == expected


def test_named_gz_but_not_compressed(lines, write):
    expected = "it is named .gz but is not gzip-compressed; download it again, or rename it"
    assert _error(write(lines, "table.csv.gz")).startswith(expected)


@pytest.mark.parametrize("harm", ["truncate", "flip"])
def test_damaged_gzip(lines, tmp_path, harm):
    path = tmp_path / "table.csv.gz"
    data = bytearray(gzip.compress("\n".join(lines).encode("utf-8")))
    if harm == "truncate":
        del data[len(data) // 2:]
    else:
        data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert _error(path).startswith("damaged gzip file (")


def test_a_folder(tmp_path):
    assert _error(tmp_path) == "cannot be read (Is a directory)"


def test_no_text(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"\x89PNG\r\n")
    assert _error(tmp_path / "table.csv") == "no CSV file (byte 0 is no UTF-8 text)"


def test_an_open_quote(lines, write):
    assert _error(write(_changed(lines, 9, (3, '"1')))).startswith("row 9: no CSV (")


# Header.


def test_no_column_of_cells(write):
    assert _error(write(["index,arch,toy_valid_acc_200ep", "0,x,1"])) == (
        "row 1: no column arch_str; found index, arch, toy_valid_acc_200ep"
    )


def test_no_column_of_accuracies(write):
    expected = "row 1: no column of accuracies such as cifar10_valid_acc_200ep; found arch_str, acc"
    assert _error(write(["arch_str,acc", "x,1"])) == expected


def test_a_column_twice(lines, write):
    lines = [f"{line},{line.split(',')[2]}" for line in lines]
    expected = "row 1: column toy_valid_acc_200ep is there 2 times"
    assert _error(write(lines)) == expected


def test_a_long_header_is_cut(write):
    message = _error(write([",".join(f"column{i}" for i in range(500)), "x"]))
    assert message.endswith("...") and len(message) < 300


# Cells.


def test_a_header_and_nothing_else(lines, write):
    assert _error(write(lines[:1])) == "it has a header and no cells, expected 15,625 cells"


def test_missing_cells(lines, write):
    message = _error(write([*lines[:2], *lines[5:]]))  # numbers 1, 2, 3: 7, 14, 21
    string = lines[2].split(",")[1]
    assert message == (
        f"3 of 15,625 cells are missing, the first is {string}; "
        "download or build the table again"
    )


def test_an_unknown_cell(lines, write):
    message = _error(write(_changed(lines, 18, (1, "|conv~0|"))))
    assert message.startswith(
        "row 18, column arch_str: '|conv~0|' is no NAS-Bench-201 cell: expected a string such as |"
    )


def test_a_cell_twice(lines, write):
    string = lines[3].split(",")[1]  # row 4
    message = _error(write(_changed(lines, 100, (1, string))))
    assert message == f"row 100, column arch_str: {string} again, it is that of row 4"


@pytest.mark.parametrize("text, expected", [
    ("3", "3 again, it is that of row 5"),
    ("15625", "'15625', expected 0 to 15624"),
    ("-1", "'-1', expected 0 to 15624"),
    ("1.5", "'1.5', expected 0 to 15624"),
    ("one", "'one' is no number"),
])
def test_wrong_numbers_of_cells(lines, write, text, expected):
    message = _error(write(_changed(lines, 18, (0, text))))
    assert message == f"row 18, column arch_index: {expected}"


# Values.


ACCURACY, COST = (2, "toy_valid_acc_200ep"), (3, "toy_cost_sec_200ep")


@pytest.mark.parametrize("text", ["inf", "-inf", "high", "91%"])
@pytest.mark.parametrize("column, name", [ACCURACY, COST])
def test_no_number(lines, write, text, column, name):
    message = _error(write(_changed(lines, 15_626, (column, text))))
    assert message == f"row 15626, column {name}: {text!r} is no number"


@pytest.mark.parametrize("text", ["nan", "NaN", ""])
def test_a_missing_accuracy_is_nan_and_a_missing_cost_is_refused(lines, write, text):
    _, columns, _ = nasbench201_csv.read_columns(write(_changed(lines, 15_626, (2, text))))
    values = columns["toy_valid_acc_200ep"]
    assert np.isnan(values).sum() == 1 and 0 < np.nanmax(values) <= 1
    message = _error(write(_changed(lines, 15_626, (3, text))))
    assert message == f"row 15626, column toy_cost_sec_200ep: {text!r} is no number"


def test_the_row_is_right_after_empty_lines(lines, write):
    lines = _changed(lines, 18, (2, "x"))
    message = _error(write([*lines[:5], "", "", *lines[5:]]))
    assert message.startswith("row 20, column toy_valid_acc_200ep: 'x'")


def test_fractions(lines, write):
    rows = [line.split(",") for line in lines[1:]]
    rows = [",".join([row[0], row[1], str(float(row[2]) / 100), row[3]]) for row in rows]
    message = _error(write([lines[0], *rows]))
    assert message == (
        "row 15626, column toy_valid_acc_200ep: 0.7812 is its largest value, these are fractions; "
        "expected per cent, multiply by 100"
    )


@pytest.mark.parametrize("text", ["100.01", "9161", "-0.1"])
def test_no_per_cent(lines, write, text):
    message = _error(write(_changed(lines, 18, (2, text))))
    assert message == f"row 18, column toy_valid_acc_200ep: {text}, expected per cent, 0 to 100"


def test_negative_costs(lines, write):
    message = _error(write(_changed(lines, 18, (3, "-1"))))
    assert message == "row 18, column toy_cost_sec_200ep: -1, expected seconds, 0 or more"


def test_too_few_and_too_many_fields(lines, write):
    short = [*lines[:17], lines[17].rsplit(",", 1)[0], *lines[18:]]
    expected = "row 18, column toy_cost_sec_200ep: missing, the row has 3 of 4 fields"
    assert _error(write(short)) == expected
    long = [*lines[:17], lines[17] + ",1", *lines[18:]]
    assert _error(write(long)) == "row 18: 5 fields, the header has 4 columns"
