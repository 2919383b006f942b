"""nas_tf/tables/macro_table.py."""

import gzip
import pathlib

import numpy as np
import pytest

from nas_tf import tables
from nas_tf.core import DataError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.macro import MacroSpace
from nas_tf.spaces.macro_cells import to_codes
from nas_tf.tables.macro_table import MacroTable

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "nas_bench_macro" / "nas_bench_macro.csv.gz"
HEADER = "architecture,test_acc_2,test_acc_1,params"
ROWS = ("22212202,93.33,93.28,1985514", "00000000,45.33,45.32,387882",
        "22212220,93.33,93.28,1985514")


@pytest.fixture(name="write")
def _write(tmp_path):
    def write(*lines):
        path = tmp_path / "macro.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_rows_of_one_network_are_one_cell(write):
    path = write(HEADER, *ROWS)
    table = MacroTable.load(path)
    assert to_codes(table.cells) == ["00000000", "22212220"]
    np.testing.assert_allclose(table.test_accuracy, [[0.4532, 0.4533], [0.9328, 0.9333]])
    assert (table.name, table.path, table.dataset, table.epochs) == ("macro", str(path), "cifar10", 50)
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert MacroTable.load(packed).test_accuracy.tolist() == table.test_accuracy.tolist()


@pytest.mark.parametrize("lines, message", [
    ((HEADER, *ROWS, "22212220,93.33,93.28,0"),
     "row 5, column architecture: 22212220 again, it is that of row 4"),
    ((HEADER, *ROWS[:2], "22212220,93.30,93.28,0"),
     "row 4, column test_acc_2: 93.30, but 93.33 in row 2: 22212220 and 22212202 are one network"),
    ((HEADER, "22212203,1,2,3"), "row 2, column architecture: code 22212203: expected 22212202"),
    ((HEADER, "22212202,193.3,93.2,0"), "row 2, column test_acc_2: 193.3, expected per cent, 0 to"),
    ((HEADER, "22212202,93.3,0.93,0"), "row 2, column test_acc_1: 0.93 is its largest value, these"),
    ((HEADER, ROWS[1], "22212202,93.3,,0"), "row 3, column test_acc_1: '' is no number"),
    (("architecture,test_acc_1", "22212202,93"), "row 1: expected columns test_acc_1, test_acc_2"),
    (("architecture,test_acc_1,test_acc_3", "22212202,93,93"),
     "row 1: expected columns test_acc_1, test_acc_2"),
    (("architecture,test_acc_1,test_acc_02", "22212202,93,93"),
     "row 1: expected columns test_acc_1, test_acc_2"),
    (("arch_str,test_acc_1,test_acc_2", "x,1,2"), "row 1: no column architecture; found arch_str,"),
    ((HEADER,), "it has a header and no cells, expected 6,561 codes"),
])
def test_what_is_no_table(write, lines, message):
    path = write(*lines)
    with pytest.raises(DataError) as caught:
        MacroTable.load(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="nowhere.csv: no such NAS-Bench-Macro table"):
        MacroTable.load(tmp_path / "nowhere.csv")


def test_cells_looked_up(write):
    table, space = MacroTable.load(write(HEADER, *ROWS)), MacroSpace()
    cells = [space.from_value(code).reshape(1) for code in ("22212220", "11111111", "00000000")]
    cells = CellGraphs.concatenate(cells)
    ops = np.array(cells.ops)
    ops[2, 0] = 2
    found = tables.query(table, CellGraphs(cells.adjacency, ops, cells.num_nodes))
    assert found["found"].tolist() == [True, False, False]
    assert found["note"].tolist() == ["", "the cell is not in the table macro", "outside the space"]
    assert found["code"].tolist() == ["22212220", "11111111", ""] and found["key"][2] == 0
    np.testing.assert_allclose(found["test_accuracy_50ep"], [0.93305, np.nan, np.nan])
    np.testing.assert_allclose(found["test_accuracy_50ep_1"], [0.9328, np.nan, np.nan])


def test_the_whole_benchmark():
    if not REAL.is_file():
        pytest.skip("../shared/data/nas_bench_macro/nas_bench_macro.csv.gz is not there")
    table = MacroTable.load(REAL)
    np.testing.assert_array_equal(table.cells.keys, MacroSpace().enumerate_cells().keys)
    mean = table.test_accuracy.mean(axis=1)
    assert to_codes(table.cells[[mean.argmax()]]) == ["22212220"]
    assert (round(mean.max(), 4), table.test_accuracy.shape) == (0.9313, (3969, 3))
