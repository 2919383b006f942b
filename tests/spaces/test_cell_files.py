"""nas_tf/spaces/cell_files.py."""

import json

import numpy as np
import pytest

from nas_tf.core import DataError
from nas_tf.spaces import darts, nasbench201, registry
from nas_tf.spaces.cell_files import read_cells
from nas_tf.spaces.darts_genotype import to_genotypes
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench101_text import to_specs
from nas_tf.spaces.nasbench201_forms import to_op_indices

SPACE = nasbench201.NasBench201Space()
CELLS = SPACE.enumerate_cells()[[5, 15_000, 777, 5]]
STRINGS = nasbench201.to_strings(CELLS).tolist()
NASLIB = to_op_indices(CELLS, "naslib").tolist()
NATS = to_op_indices(CELLS, "nats_bench").tolist()
MATRICES = nasbench201.to_edges(CELLS).swapaxes(-1, -2).tolist()
GENOTYPES = [
    [[edge.split("~") for edge in node[1:-1].split("|")] for node in text.split("+")]
    for text in STRINGS
]


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "mine.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def lines(values):
    return "".join(f"{value}\n" for value in values)


@pytest.mark.parametrize(
    "text",
    [
        lines(STRINGS),
        "# mine\r\n\r\n" + "\r\n".join(f"  {text} " for text in STRINGS),
        json.dumps(STRINGS),
        json.dumps({"cells": [{"arch_str": text} for text in STRINGS]}, indent=2),
        lines(json.dumps({"arch_str": text}) for text in STRINGS),
        lines(NASLIB),
        lines(map(tuple, NASLIB)),
        lines(",".join(map(str, numbers)) for numbers in NASLIB),
        json.dumps(NASLIB, indent=1),
        json.dumps(MATRICES),
        lines(MATRICES),
        json.dumps(GENOTYPES, indent=4),
        lines(map(json.dumps, GENOTYPES)),
    ],
)
def test_forms_of_nasbench201(write, text):
    found = read_cells(write(text), SPACE)
    assert found.keys.tolist() == CELLS.keys.tolist()


def test_the_numbering_of_nats_bench(write):
    found = read_cells(write(lines(NATS)), SPACE, numbering="nats_bench")
    assert found.keys.tolist() == CELLS.keys.tolist()


@pytest.mark.parametrize(
    "text", [STRINGS[1], f"{NASLIB[1]}", json.dumps(MATRICES[1], indent=1), "15000",
             json.dumps(GENOTYPES[1]), json.dumps({"op_indices": NASLIB[1]})]
)
def test_a_single_cell(write, text):
    found = read_cells(write(text), SPACE, numbered=SPACE.enumerate_cells())
    assert found.keys.tolist() == CELLS.keys[1:2].tolist()


@pytest.mark.parametrize("indent", [None, 2])
def test_forms_of_nasbench101(write, indent):
    cells = NasBench101Space(4).enumerate_cells()
    specs = to_specs(cells)
    pairs = [[spec["matrix"], spec["ops"]] for spec in specs]
    for text in (
        json.dumps(specs, indent=indent), json.dumps({"space": "s", "cells": specs}, indent=indent),
        lines(map(json.dumps, specs)), json.dumps(pairs, indent=indent),
    ):
        assert read_cells(write(text), NasBench101Space()).keys.tolist() == cells.keys.tolist()
    for value in (specs[3], pairs[3]):
        found = read_cells(write(json.dumps(value, indent=indent)), NasBench101Space())
        assert found.keys.tolist() == [cells.keys[3]]


def test_genotypes_of_darts(write):
    cells = darts.DartsSpace().random_cells(np.random.default_rng(0), (3,))
    genotypes = to_genotypes(cells)
    dictionaries = [
        {name: list(value) for name, value in genotype._asdict().items()} for genotype in genotypes
    ]
    for text in (lines(genotypes), json.dumps(dictionaries), lines(map(json.dumps, dictionaries)),
                 json.dumps([list(one.values()) for one in dictionaries])):
        assert read_cells(write(text), darts.DartsSpace()).keys.tolist() == cells.keys.tolist()
    found = read_cells(write(json.dumps(list(dictionaries[1].values()))), darts.DartsSpace())
    assert found.keys.tolist() == [cells.keys[1]]


@pytest.mark.parametrize(
    "space, text, message",
    [
        ("nasbench201", "", "holds no cells"),
        ("nasbench201", "# nothing\n\n", "holds no cells"),
        ("nasbench201", "[]", "holds no cells"),
        ("nasbench201", f"{STRINGS[0]}\n\n|none~0|\n", "line 3: '|none~0|' is no NAS-Bench-201 cell"),
        ("nasbench201", f"[\n{json.dumps(STRINGS[0])},\n\n[1, 2]]", "line 4: operation indices [1"),
        ("nasbench201", f"{STRINGS[0]}\n[1, 2", "line 2: [1, 2 is neither a cell, nor JSON, nor a Python tuple"),
        ("nasbench201", "7", "line 1: index 7: the table does not number its cells"),
        ("nasbench201", "true", "line 1: 'true' is no NAS-Bench-201 cell"),
        ("nasbench101", '{"cells": [\n{"matrix": [[0]], "ops": ["input"]}]}',
         'line 2: matrix [[0]] for 1 operations: expected as many'),
        ("nasbench101", STRINGS[0], "line 1: '|"),
        ("darts", "Genotype(3)", "line 1: 'Genotype(3)': expected Genotype("),
    ],
)
def test_errors_name_file_and_line(write, space, text, message):
    path = write(text)
    with pytest.raises(DataError) as error:
        read_cells(path, registry.named(space))
    assert str(error.value).startswith(f"{path}: {message}") and "\n" not in str(error.value)


def test_an_index_beyond_the_table(write):
    with pytest.raises(DataError, match="line 2: index 15625: expected 0 to 15624$"):
        read_cells(write("0\n15625\n"), SPACE, numbered=SPACE.enumerate_cells())


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="no such file of cells"):
        read_cells(tmp_path / "a", SPACE)
    with pytest.raises(DataError, match="cannot be read"):
        read_cells(tmp_path, SPACE)
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="no text file .byte 0 is no UTF-8"):
        read_cells(tmp_path / "b", SPACE)


def test_all_cells_of_the_space(write):
    everything = SPACE.enumerate_cells()
    found = read_cells(write(lines(nasbench201.to_strings(everything))), SPACE)
    np.testing.assert_array_equal(found.keys, everything.keys)


def test_a_document_of_one_cell_in_whole_floats(write):
    """What `str2matrix` of NATS-Bench returns, as JSON."""
    for index, matrix in enumerate(MATRICES):
        text = json.dumps(np.array(matrix, float).tolist())
        assert read_cells(write(text), SPACE).keys == CELLS.keys[index]
        numbers = json.dumps([float(number) for number in NASLIB[index]])
        assert read_cells(write(numbers), SPACE).keys == CELLS.keys[index]


def test_another_list_of_the_same_name(write):
    text = json.dumps({"meta": {"cells": [1]}, "cells": STRINGS}, indent=1)
    np.testing.assert_array_equal(read_cells(write(text), SPACE).keys, CELLS.keys)
    broken = text.replace(STRINGS[1], "no cell")
    with pytest.raises(DataError, match="line 9: 'no cell' is no NAS-Bench-201 cell"):
        read_cells(write(broken), SPACE)


@pytest.mark.parametrize(
    "space, text, message",
    [
        ("nasbench101", '{"matrix":[[0,1],[0,0]],"ops":["input",["x"]]}', r"operation \['x'\] of"),
        ("nasbench201", "-1", "index -1: expected 0 to 15624"),
        ("nasbench201", "２ １ １ ０ １ １", "is no NAS-Bench-201 cell"),
        ("nasbench201", '{"op_indices":[[1,1,1,1,1,1]]}', "expected six operation indices or a 4 x"),
        ("nasbench201", "[1e300,1,1,1,1,1]", "is no NAS-Bench-201 cell"),
        ("nasbench201", "9" * 5000, "is no NAS-Bench-201 cell"),
        ("nasbench201", "{[]: 1}", "is neither a cell, nor JSON"),
        ("darts", "(normal, range(2, 6))", "is neither a cell, nor JSON, nor a Python tuple"),
    ],
)
def test_what_is_no_cell_is_one_line(write, space, text, message):
    numbered = SPACE.enumerate_cells() if space == "nasbench201" else None
    with pytest.raises(DataError, match=f"line 1: .*{message}") as error:
        read_cells(write(text), registry.named(space), numbered=numbered)
    assert "\n" not in str(error.value) and " at 0x" not in str(error.value)


def test_a_cell_of_too_many_nodes(write):
    text = json.dumps({"matrix": np.zeros((150, 150), int).tolist(), "ops": ["input"] * 150})
    with pytest.raises(DataError, match="line 1: 150 operations: expected 127 at most"):
        read_cells(write(text), NasBench101Space())
