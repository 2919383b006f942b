"""Rows grouped into cells: order, contradictions, hashes."""

import dataclasses
import json

import numpy as np
import pytest

from nas_tf import core
from nas_tf.spaces import nasbench101
from nas_tf.tables import nasbench101_columns, nasbench101_rows, records


def _rows_of(path):
    return [payload for chunk in records.read_chunks(path) for payload in chunk.payloads]


def _write(path, rows):
    with open(path, "wb") as handle:
        records.write_records(handle, rows)
    return path


def _change(row, place, value):
    items = json.loads(row)
    items[place] = value
    return json.dumps(items).encode()


def test_columns_of_a_synthetic_file(synthetic):
    columns = nasbench101_columns.read_columns(synthetic)
    cells = nasbench101.enumerate_cells(4)
    np.testing.assert_array_equal(columns["adjacency"], cells.adjacency)
    np.testing.assert_array_equal(columns["ops"], cells.ops)
    np.testing.assert_array_equal(columns["num_nodes"], cells.num_nodes)
    np.testing.assert_array_equal(columns["keys"], cells.keys)
    assert columns["hashes"][0] == b"043721b9c7fe8c5fad811d47d83132ec"
    assert columns["epochs"].tolist() == [4, 108]
    assert columns["validation_accuracy"].shape == (91, 2, 3, 2)
    chunk = next(iter(records.read_chunks(synthetic)))
    rows = nasbench101_rows.parse_rows(chunk)
    np.testing.assert_array_equal(
        columns["test_accuracy"], rows.metrics[:, 3].reshape(91, 2, 3, 2)
    )


def test_order_of_rows_decides_order_of_cells_and_repeats(tmp_path, synthetic):
    rows = _rows_of(synthetic)
    expected = nasbench101_columns.read_columns(synthetic)
    order = np.random.default_rng(0).permutation(len(rows))
    shuffled = nasbench101_columns.read_columns(
        _write(tmp_path / "b.tfrecord", [rows[i] for i in order])
    )
    cell, epoch, repeat = np.unravel_index(order, (91, 2, 3))
    _, first = np.unique(cell, return_index=True)
    cells = cell[np.sort(first)]
    np.testing.assert_array_equal(shuffled["hashes"], expected["hashes"][cells])
    for place, index in enumerate(cells[:20]):
        for e in range(2):
            repeats = repeat[(cell == index) & (epoch == e)]
            np.testing.assert_array_equal(
                shuffled["training_time_sec"][place, e],
                expected["training_time_sec"][index, e, repeats],
            )


@pytest.mark.parametrize("order", ["one after the other", "row by row", "shuffled"])
def test_two_copies_of_a_file_are_not_six_repeats(tmp_path, synthetic, order):
    rows = _rows_of(synthetic)
    twice = {
        "one after the other": rows + rows,
        "row by row": [row for row in rows for _ in range(2)],
        "shuffled": rows + [rows[i] for i in np.random.default_rng(0).permutation(len(rows))],
    }[order]
    path = _write(tmp_path / "b.tfrecord", twice)
    later, earlier = (1, 0) if order == "row by row" else (len(rows), twice.index(twice[len(rows)]))
    sizes = np.cumsum([0] + [len(row) + 16 for row in twice])
    with pytest.raises(core.DataError) as error:
        nasbench101_columns.read_columns(path)
    assert str(error.value) == (
        f"{path}: record {later} at byte offset {sizes[later]}: the same training as record "
        f"{earlier} at byte offset {sizes[earlier]}; a copy is no repeat, build the file again"
    )


def test_one_number_tells_two_trainings_apart(tmp_path, synthetic):
    """Repeats that agree in all but one number, as short trainings of a small cell may."""
    expected = nasbench101_columns.read_columns(synthetic)
    rows = next(iter(nasbench101_rows.parse_rows(c) for c in records.read_chunks(synthetic)))
    metrics = rows.metrics.copy()
    metrics[1] = metrics[0]
    metrics[1, 0, 0] += 1e-9
    rows = dataclasses.replace(rows, metrics=metrics)
    columns = nasbench101_columns.group_rows(rows, "b.tfrecord")
    assert columns["test_accuracy"].shape == expected["test_accuracy"].shape


def test_isomorphic_matrices_of_one_hash_are_one_cell(tmp_path, synthetic):
    rows = _rows_of(synthetic)
    # Two nodes side by side, swapped together with their operations.
    index = next(
        i for i, row in enumerate(rows)
        if json.loads(row)[2:4] == ["0110000100010000", "input,conv3x3-bn-relu,maxpool3x3,output"]
    )
    rows[index + 1] = _change(rows[index + 1], 3, "input,maxpool3x3,conv3x3-bn-relu,output")
    columns = nasbench101_columns.read_columns(_write(tmp_path / "b.tfrecord", rows))
    assert len(columns["hashes"]) == 91


def test_a_part_of_the_benchmark_is_checked_hash_by_hash(tmp_path, synthetic):
    rows = _rows_of(synthetic)
    part = rows[:6 * 50]
    assert len(nasbench101_columns.read_columns(_write(tmp_path / "b", part))["hashes"]) == 50
    wrong = "0" * 32
    for index in range(60, 66):  # all rows of the eleventh cell agree, but on a wrong hash
        part[index] = _change(part[index], 0, wrong)
    offset = sum(16 + len(row) for row in part[:60])
    with pytest.raises(core.DataError) as caught:
        nasbench101_columns.read_columns(_write(tmp_path / "b", part))
    right = json.loads(rows[60])[0]
    assert f"record 60 at byte offset {offset}: wrong hash {wrong}, its cell's is {right}" in str(
        caught.value
    )


def test_swapped_hashes_in_a_complete_file_are_found(tmp_path, synthetic):
    rows = _rows_of(synthetic)
    first, second = json.loads(rows[60])[0], json.loads(rows[66])[0]
    for index in range(60, 72):
        rows[index] = _change(rows[index], 0, second if index < 66 else first)
    with pytest.raises(core.DataError, match="record 60 .*wrong hash"):
        nasbench101_columns.read_columns(_write(tmp_path / "b", rows))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda rows: rows.pop(), "record 540 at byte offset [0-9]+: its cell [0-9a-f]{32} has "
         "records 3 of 4 epochs, 2 of 108 epochs; most often there are 3; download"),
        (lambda rows: rows.append(_change(rows[0], 4, json.loads(rows[3])[4])),
         "record 0 at byte offset 0: its cell "
         "043721b9c7fe8c5fad811d47d83132ec has records 4 of 4 epochs, 3 of 108 epochs; most often"),
        (lambda rows: rows.__setitem__(8, _change(rows[8], 1, 108)),
         "record 6 .*has records 2 of 4 epochs, 4 of 108 epochs; most often there are 3"),
        (lambda rows: rows.__setitem__(7, _change(rows[7], 1, 5)),
         "record 7 at byte offset [0-9]+: 5 epochs, most other cells have no such record"),
        (lambda rows: rows.__setitem__(7, _change(rows[7], 0, "0" * 32)),
         f"record 7 at byte offset [0-9]+: wrong hash {'0' * 32}, its cell's is [0-9a-f]{{32}}; d"),
        (lambda rows: rows.__setitem__(6, _change(rows[6], 0, json.loads(rows[300])[0])),
         "record 6 at byte offset [0-9]+: wrong hash"),
        (lambda rows: rows.__setitem__(300, _change(rows[300], 0, json.loads(rows[6])[0])),
         "record 300 at byte offset [0-9]+: wrong hash"),
        (lambda rows: rows.__setitem__(7, _change(rows[7], 3, json.loads(rows[13])[3])),
         "record 7 .*wrong hash"),
        (lambda rows: rows.__setitem__(slice(60, 66), [
            _change(row, 2, "0001000100010000") for row in rows[60:66]
        ]), "outside the space"),
        (lambda rows: rows.__setitem__(slice(60, 66), [
            _change(_change(row, 2, json.loads(rows[66])[2]), 3, json.loads(rows[66])[3])
            for row in rows[60:66]
        ]), "record 60 .*wrong hash"),
        (lambda rows: rows.__setitem__(1, _change(rows[1], 4, json.loads(rows[13])[4])),
         "record 1 .*trainable parameters differs"),
    ],
)
def test_contradictions_are_named(tmp_path, synthetic, change, message):
    rows = _rows_of(synthetic)
    change(rows)
    with pytest.raises(core.DataError, match=message) as caught:
        nasbench101_columns.read_columns(_write(tmp_path / "b.tfrecord", rows))
    assert "b.tfrecord" in str(caught.value) and "\n" not in str(caught.value)


def test_one_wrong_hash_among_many_cells_is_found_at_once(tmp_path, synthetic, monkeypatch):
    rows = _rows_of(synthetic)
    rows[540] = _change(rows[540], 0, "0" * 32)
    monkeypatch.setattr(nasbench101_columns, "_HASH_CHUNK", 2)
    hashed = []
    real = nasbench101.NasBench101Space.md5_hashes
    monkeypatch.setattr(
        nasbench101.NasBench101Space, "md5_hashes",
        lambda self, cells: hashed.append(len(cells)) or real(self, cells),
    )
    with pytest.raises(core.DataError, match="record 540 .*wrong hash"):
        nasbench101_columns.read_columns(_write(tmp_path / "b", rows))
    assert hashed == [2, 1]  # the two cells that contradict each other, and the message's


def test_a_row_of_each_number_of_epochs_needs_little_memory(tmp_path, synthetic):
    rows = [_change(row, 1, 1 + 1000 * place) for place, row in enumerate(_rows_of(synthetic))]
    with pytest.raises(core.DataError, match="record 0 at byte offset 0: 1 epochs, most other"):
        nasbench101_columns.read_columns(_write(tmp_path / "b", rows))


def test_many_hashes_are_announced(tmp_path, synthetic, monkeypatch, notices):
    nasbench101_columns.read_columns(synthetic)
    assert notices == []
    part = _write(tmp_path / "b", _rows_of(synthetic)[: 6 * 50])
    monkeypatch.setattr(nasbench101_columns, "_NOTICE_CELLS", 40)
    nasbench101_columns.read_columns(part)
    assert notices == ["Checking 43 hashes, about 0.02 ms each"]


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_checksums_of_the_complete_benchmark(size):
    cells = nasbench101.enumerate_cells(size)
    cells = cells[np.flatnonzero(cells.num_nodes == size)]
    hashes = nasbench101_rows.hash_halves(nasbench101.NasBench101Space().md5_hashes(cells))
    found = len(cells), nasbench101_columns.pairs_checksum(cells.keys, hashes)
    assert found == nasbench101_columns.COMPLETE_CHECKSUMS[size]
    assert sum(count for count, _ in nasbench101_columns.COMPLETE_CHECKSUMS.values()) == 423624
