"""nas_tf/tables/measured_csv.py, cell_columns.py: CSV files of measured cells, all that may be wrong."""

import gzip
import json

import pytest

from nas_tf.core import ConfigError, DataError
from nas_tf.spaces import nasbench101_cells
from nas_tf.spaces.choices import ChoiceSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.tables import measured_csv

SPACE = NasBench101Space()
HEADER = (
    "module_hash,trainable_parameters,training_time_sec_12ep,validation_accuracy_4ep,"
    "validation_accuracy_12ep"
)


@pytest.fixture(autouse=True, name="cells")
def _cells(monkeypatch):
    """The 91 cells of at most four vertices stand for all: their hashes are found at once."""
    cells = nasbench101_cells.enumerate_cells(4)
    monkeypatch.setattr(nasbench101_cells, "enumerate_cells", lambda *limits: cells)
    return cells


@pytest.fixture(name="lines")
def _lines(cells):
    """Five cells, the last first: accuracy i / 10 and half of it, 100 + i s, 1000 i parameters."""
    hashes = SPACE.md5_hashes(cells[:5])[::-1]
    return [HEADER, *(f"{h},{1000 * i},{100 + i},{i / 20},{i / 10}" for i, h in enumerate(hashes))]


@pytest.fixture(name="write")
def _write(tmp_path):
    def write(lines, name="table.csv"):
        path = tmp_path / name
        path.write_text("".join(line + "\n" for line in lines))
        return path
    return write


def _changed(lines, row, column, text):
    """Returns lines with the field of a row, counted from 1, and column replaced."""
    values = lines[row - 1].split(",")
    values[lines[0].split(",").index(column)] = text
    return [*lines[: row - 1], ",".join(values), *lines[row:]]


def _error(path, space=SPACE, kind=DataError, **options):
    with pytest.raises(kind) as error:
        measured_csv.read_table(path, space, **options)
    message = str(error.value)
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_cells_by_their_hashes(lines, write, cells):
    found, columns, parameters = measured_csv.read_table(write(lines), SPACE)
    assert found.keys.tolist() == cells.keys[:5][::-1].tolist()
    assert parameters.tolist() == [0, 1000, 2000, 3000, 4000]
    assert list(columns["validation_accuracy"]) == [4, 12] and columns["test_accuracy"] == {}
    assert columns["validation_accuracy"][12].tolist() == [[0.0], [0.1], [0.2], [0.3], [0.4]]
    assert columns["training_time_sec"][12].tolist() == [[100], [101], [102], [103], [104]]


def test_a_compressed_file_in_capital_letters(lines, tmp_path, cells):
    path = tmp_path / "table.csv.gz"
    lines = [lines[0], *(line.upper() for line in lines[1:])]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert measured_csv.read_table(path, SPACE).cells.keys.tolist() == cells.keys[:5][::-1].tolist()


def test_cells_by_matrix_and_operations(write):
    matrix = json.dumps([[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    rows = [
        f'"{matrix}","[""input"", ""{op}"", ""output""]",0.{number}'
        for number, op in enumerate(SPACE.op_names[1:4], 1)
    ]
    path = write(["matrix,operations,validation_accuracy_108ep", *rows])
    cells, columns, parameters = measured_csv.read_table(path, SPACE)
    assert cells.ops[:, :3].tolist() == [[0, 1, 4], [0, 2, 4], [0, 3, 4]] and parameters is None
    assert columns["validation_accuracy"][108].tolist() == [[0.1], [0.2], [0.3]]
    wrong = [*rows[:2], rows[2].replace("maxpool3x3", "maxpool5x5")]
    assert _error(write(["matrix,operations,validation_accuracy_108ep", *wrong])).startswith(
        "row 4, column matrix: no NAS-Bench-101 cell: operation 'maxpool5x5' of node 1: expected"
    )
    wrong = [rows[0].replace("[[0", "[0", 1), *rows[1:]]
    assert "row 2, column matrix: '[0, 1, 1]," in _error(
        write(["matrix,operations,validation_accuracy_108ep", *wrong])
    )
    assert _error(write(["matrix,validation_accuracy_1ep", f'"{matrix}",0.5'])).startswith(
        "row 1: no column says which cell a row is of: expected module_hash, matrix and operations"
    )


def test_cells_of_other_spaces(write):
    text = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    path = write(["arch_str,validation_accuracy_200ep", f"{text},0.5"])
    assert len(measured_csv.read_table(path, NasBench201Space()).cells) == 1
    space = ChoiceSpace("mlp", {"depth": (1, 2), "width": (16, 32)})
    rows = [f'"{{""depth"": {depth}, ""width"": 32}}",0.{depth}' for depth in (2, 1)]
    cells = measured_csv.read_table(write(["architecture,validation_accuracy_9ep", *rows]), space).cells
    assert space.options(cells) == [{"depth": 2, "width": 32}, {"depth": 1, "width": 32}]
    rows[1] = rows[1].replace("32", "64")
    assert _error(write(["architecture,validation_accuracy_9ep", *rows]), space) == (
        "row 3, column architecture: no mlp cell: width: 64, expected one of 16, 32"
    )


def test_several_trainings(lines, write):
    header = "module_hash,validation_accuracy_12ep_2,validation_accuracy_12ep_1,test_accuracy_12ep"
    rows = [f"{line.split(',')[0]},0.{i},0.5,0.9" for i, line in enumerate(lines[1:])]
    columns = measured_csv.read_table(write([header, *rows]), SPACE).columns
    assert columns["validation_accuracy"][12][:2].tolist() == [[0.5, 0.0], [0.5, 0.1]]
    assert columns["test_accuracy"][12].shape == (5, 1)
    third = header.replace("12ep_2", "12ep_3")
    assert _error(write([third, *rows])) == (
        "row 1: validation_accuracy_12ep_3, validation_accuracy_12ep_1: expected "
        "validation_accuracy_12ep alone, or with _1, _2 and so on, one a training"
    )
    other = header.replace("12ep_2", "4ep").replace("test_accuracy_12ep", "validation_accuracy_12ep_2")
    assert _error(write([other, *rows])) == (
        "row 1: 1 columns validation_accuracy_4ep, but 2 validation_accuracy_12ep; every budget "
        "needs the same trainings"
    )
    longer = header.replace("test_accuracy_12ep", "test_accuracy_36ep")
    assert _error(write([longer, *rows])) == (
        "row 1: test_accuracy_36ep, but no validation_accuracy_36ep; there are validation "
        "accuracies after 12 epochs"
    )


def test_columns_of_several_data_sets(lines, write):
    lines = [line.replace(",validation_accuracy_4ep", ",cifar100_validation_accuracy_4ep").replace(
        ",validation_accuracy_12ep", ",svhn_validation_accuracy_12ep") for line in lines]
    path = write(lines)
    columns = measured_csv.read_table(path, SPACE, "cifar100").columns
    assert list(columns["validation_accuracy"]) == [4]
    message = _error(path, kind=ConfigError, dataset="cifar10")
    assert message == f"dataset=cifar10: {path} has cifar100, svhn"
    message = _error(path, kind=ConfigError)
    assert message == f"{path} has columns of cifar100, svhn: choose one as the dataset"


@pytest.mark.parametrize(
    "row, column, text, expected",
    [
        (3, "module_hash", "f" * 32, f"{'f' * 32} is no NAS-Bench-101 cell's hash"),
        (4, "module_hash", "cell 7", "'cell 7', expected 32 hexadecimal digits"),
        (2, "validation_accuracy_12ep", "0.9x", "'0.9x' is no number"),
        (5, "validation_accuracy_4ep", "",
         "no number, and every cell needs one: leave out the row or the column"),
        (5, "training_time_sec_12ep", "nan",
         "no number, and every cell needs one: leave out the row or the column"),
        (6, "validation_accuracy_12ep", "inf", "'inf' is no number"),
        (6, "validation_accuracy_12ep", "-0.1", "-0.1, expected a fraction from 0 to 1"),
        (6, "validation_accuracy_12ep", "94.1", "94.1, expected a fraction from 0 to 1"),
        (6, "training_time_sec_12ep", "-3", "-3, expected seconds, 0 or more"),
        (2, "trainable_parameters", "2.5", "2.5, expected a whole number, 0 to 10^15"),
        (2, "trainable_parameters", "1e30", "1e30, expected a whole number, 0 to 10^15"),
    ],
)
def test_what_a_field_cannot_be(lines, write, row, column, text, expected):
    found = _error(write(_changed(lines, row, column, text)))
    assert found == f"row {row}, column {column}: {expected}"


def test_a_column_in_per_cent(lines, write):
    for row in range(2, 7):
        lines = _changed(lines, row, "validation_accuracy_12ep", f"9{row}.5")
    assert _error(write(lines)) == (
        "row 2, column validation_accuracy_12ep: 92.5, expected a fraction from 0 to 1; these are "
        "per cent, divide them by 100"
    )


@pytest.mark.parametrize("name", (
    "validation_accuracy_0ep", "validation_accuracy_012ep", "training_time_sec_0ep",
    "validation_accuracy_12ep_01", "test_accuracy_12ep_0",
))
def test_numbers_of_columns_begin_at_one(lines, write, name):
    """`int` would take 012 and 12 for the same column."""
    rows = [f"{line},0.5" for line in lines[1:]]
    assert _error(write([f"{lines[0]},{name}", *rows])) == (
        f"row 1: column {name}: expected epochs and trainings counted from 1, without leading zeros"
    )


def test_times_of_every_training_or_of_one(lines, write):
    header = lines[0].replace("trainable_parameters", "training_time_sec_12ep_2")
    path = write([header.replace("sec_12ep,", "sec_12ep_1,"), *lines[1:]])
    assert _error(path) == (
        "row 1: 2 columns training_time_sec_12ep, but 1 validation_accuracy_12ep; every budget "
        "needs the same trainings"
    )


def test_a_data_sets_own_column_goes_before_the_one_of_all(lines, write):
    """Whichever stands first."""
    name = "cifar100_validation_accuracy_12ep"
    behind = write([f"{lines[0]},{name}", *(f"{line},0.75" for line in lines[1:])], "behind.csv")
    before = write([f"{name},{lines[0]}", *(f"0.75,{line}" for line in lines[1:])], "before.csv")
    for path in (behind, before):
        columns = measured_csv.read_table(path, SPACE, "cifar100").columns
        assert columns["validation_accuracy"][12].tolist() == [[0.75]] * 5
        others = measured_csv.read_table(path, SPACE, "cifar10").columns
        assert others["validation_accuracy"][12][1:, 0].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_a_cell_twice(lines, write):
    first = lines[1].split(",")[0]
    assert _error(write(_changed(lines, 5, "module_hash", first))) == (
        f"row 5, column module_hash: {first} again, it is that of row 2"
    )


@pytest.mark.parametrize(
    "header, expected",
    [
        ("module_hash,accuracy", "row 1: no column of validation accuracy such as "
         "validation_accuracy_108ep; found module_hash, accuracy"),
        ("arch_index,cifar10_valid_acc_200ep", "row 1: no column of validation accuracy such as"),
        ("name,validation_accuracy_4ep", "row 1: no column says which cell a row is of: expected "
         "module_hash, matrix and operations, or architecture; found name, "),
    ],
)
def test_a_file_of_something_else(write, header, expected):
    assert _error(write([header, "x,0.5"])).startswith(expected)


def test_a_file_of_another_space(lines, write):
    assert _error(write(lines), NasBench201Space()) == (
        "row 1, column module_hash: NAS-Bench-101's hashes, the table is read for nasbench201; "
        "name the cells by another column, or give the file as NAS-Bench-101's"
    )


def test_a_missing_file(tmp_path):
    assert _error(tmp_path / "none.csv") == "no such table of measured cells"
