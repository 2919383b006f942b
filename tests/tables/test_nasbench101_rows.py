"""Rows of record files: a row written out by hand, its variants, and bad rows."""

import base64
import json

import numpy as np
import pytest

from nas_tf import core
from nas_tf.tables import model_metrics, nasbench101_rows, records

# A cell of the published benchmark and its published hash.
HASH = "00005c142e6f48ac74fdcf73e3439874"
ADJACENCY = "0100110001000000010010000010000001000000010000000"
OPS = "input,conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu,output"
EVALUATIONS = np.array([
    [0.0, 0.0, 0.125, 0.125, 0.125],
    [54.0, 100.0, 0.75, 0.5, 0.25],
    [108.0, 200.0, 1.0, 0.875, 0.75],
])


def _message(evaluations=EVALUATIONS, parameters=8555530):
    metrics = model_metrics.ModelMetrics(
        np.asarray(evaluations)[None], np.array([parameters]), np.array([250.0])
    )
    return model_metrics.encode(metrics)[0]


def _row(**changes):
    row = {
        "hash": HASH, "epochs": 108, "adjacency": ADJACENCY, "ops": OPS,
        "metrics": base64.b64encode(_message()).decode(),
    }
    return list({**row, **changes}.values())


def _chunk(*rows):
    payloads = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return records.RecordChunk("f.tfrecord", 10, payloads, 1000 * np.arange(len(payloads)))


def test_a_row_of_the_benchmark():
    rows = nasbench101_rows.parse_rows(_chunk(_row(), _row(epochs=4)))
    assert nasbench101_rows.hash_strings(rows.hashes).tolist() == [HASH.encode()] * 2
    assert rows.hashes[0].tolist() == [0x00005C142E6F48AC, 0x74FDCF73E3439874]
    np.testing.assert_array_equal(nasbench101_rows.hash_halves(np.array([HASH])), rows.hashes[:1])
    assert rows.epochs.tolist() == [108, 4]
    assert rows.trainable_parameters.tolist() == [8555530] * 2
    np.testing.assert_array_equal(
        rows.metrics[0], [[100.0, 200.0], [0.75, 1.0], [0.5, 0.875], [0.25, 0.75]]
    )
    cells = nasbench101_rows.unpack_graphs(rows.graphs)
    matrix, ops = cells.matrix(0)
    assert "".join(map(str, matrix.ravel())) == ADJACENCY
    assert ops.tolist() == [0, 2, 3, 2, 2, 1, 4]


def test_small_cells_are_padded():
    rows = nasbench101_rows.parse_rows(
        _chunk(_row(), _row(adjacency="0100", ops="input,output"))
    )
    cells = nasbench101_rows.unpack_graphs(rows.graphs)
    assert cells.num_nodes.tolist() == [7, 2]
    assert cells.ops[1].tolist() == [0, 4, -1, -1, -1, -1, -1]
    assert cells.adjacency[1].sum() == 1 and cells.adjacency[1, 0, 1] == 1


def test_unusual_but_correct_json_is_read_the_same():
    plain = nasbench101_rows.parse_rows(_chunk(_row()))
    wrapped = _row(metrics=base64.encodebytes(_message()).decode())
    assert "\\n" in json.dumps(wrapped)
    variants = [
        json.dumps(_row(), separators=(",", ":")).encode(),
        json.dumps(_row(), indent=1).encode(),
        json.dumps(wrapped).encode(),
        json.dumps(_row()).replace("conv", "\\u0063onv").encode(),
        b" " + json.dumps(_row()).encode() + b"\n",
    ]
    rows = nasbench101_rows.parse_rows(_chunk(_row(), *variants, _row()))
    for index in range(len(rows)):
        assert rows.graphs[index] == plain.graphs[0]
        assert rows.epochs[index] == 108
        np.testing.assert_array_equal(rows.hashes[index], plain.hashes[0])
        np.testing.assert_array_equal(rows.metrics[index], plain.metrics[0])


def test_format_rows_is_what_json_writes():
    matrix = np.array([[0, 1], [0, 0]], np.uint8)
    rows = nasbench101_rows.format_rows(HASH, 108, matrix, ["input", "output"], [b"", b"abcd"])
    assert rows[1] == (
        b'["00005c142e6f48ac74fdcf73e3439874", 108, "0100", "input,output", "YWJjZA=="]'
    )
    assert json.loads(rows[0]) == [HASH, 108, "0100", "input,output", ""]


def _with(evaluation, field, value):
    changed = EVALUATIONS.copy()
    changed[evaluation, field] = value
    return base64.b64encode(_message(changed)).decode()


@pytest.mark.parametrize(
    "row, message",
    [
        (b"nonsense", "no JSON row"),
        (b"\xff\xfe", "no JSON row"),
        (b"", "no JSON row"),
        (b"[" * 100000, "no JSON row .*recursion"),
        (b"{}", "expected \\[hash, epochs"),
        (_row()[:4], "expected \\[hash, epochs"),
        (_row(epochs="108"), "expected \\[hash, epochs"),
        (_row(epochs=True), "number of epochs is no number"),
        (_row(epochs=-4), "number of epochs"),
        (_row(epochs=0), "0 epochs"),
        (_row(epochs=10**9), "number of epochs"),
        (_row(hash=HASH[:-1]), "32 digits"),
        (_row(hash=HASH[:-1] + "x"), "not hexadecimal"),
        (_row(hash=HASH[:-1] + '"'), "quotes, backslashes or control characters"),
        (_row(hash=HASH[:-1] + "\n"), "quotes, backslashes or control characters"),
        (_row(adjacency=ADJACENCY[:-1]), "no square matrix over its operations"),
        (_row(adjacency="0100"), "no square matrix over its operations"),
        (_row(adjacency="2" + ADJACENCY[1:]), "not of 0 and 1"),
        (_row(adjacency="1" + ADJACENCY[1:]), "not upper-triangular"),
        (_row(adjacency=ADJACENCY[:-2] + "10"), "not upper-triangular"),
        (_row(adjacency="0111111" + ADJACENCY[7:]), "more than 9 edges"),
        (_row(ops=OPS.replace("maxpool3x3", "maxpool5x5")), "'maxpool5x5' at node 2, expected"),
        (_row(ops=OPS.replace("maxpool3x3", "máxpool3x3")), "'máxpool3x3' at node 2, expected"),
        (json.dumps(_row(ops=OPS.replace("max", "má")), ensure_ascii=False).encode(),
         "'mápool3x3' at node 2, expected"),
        (_row(ops=OPS.replace("max", "\ud800")), "'[?]pool3x3' at node 2, expected"),
        (_row(hash=HASH[:-1] + "é"), "32 digits"),
        (_row(ops=OPS.replace("input", "output")), "'output' at node 0, expected input"),
        (_row(ops=OPS.replace(",output", ",input")), "'input' at node 6, expected output"),
        (_row(ops=OPS + ",output", adjacency="0" * 64), "a cell of 8 nodes"),
        (_row(ops="input", adjacency="0"), "a cell of 1 nodes"),
        (_row(metrics="*" + _row()[4][1:]), "no base64"),
        (_row(metrics=_row()[4][:-1]), "no base64"),
        (_row(metrics=""), "fewer than three evaluations"),
        (_row(metrics=_with(2, 3, 1.5)), "validation_accuracy is missing or out of range"),
        (_row(metrics=_with(1, 4, -0.1)), "test_accuracy is missing or out of range"),
        (_row(metrics=_with(1, 2, np.nan)), "train_accuracy is missing or out of range"),
        (_row(metrics=_with(2, 1, np.inf)), "training_time_sec is missing or out of range"),
    ],
)
def test_bad_rows_are_named(row, message):
    with pytest.raises(core.DataError, match=message) as caught:
        nasbench101_rows.parse_rows(_chunk(_row(), row, _row()))
    assert str(caught.value).startswith("f.tfrecord: record 11 at byte offset 1000: ")
    assert "\n" not in str(caught.value)
