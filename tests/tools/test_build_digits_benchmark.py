"""tools/build_digits_benchmark.py and tools/digits_training.py."""

import importlib.resources
import json

import numpy as np
import pytest

from nas_tf import graphs
from nas_tf.spaces import nasbench101
from nas_tf.tables import model_metrics, records
from nas_tf.tables.nasbench101 import NasBench101Table
from tools import build_digits_benchmark as build
from tools import digits_training
from tools.digits_training import DigitsProtocol, Measurement, load_digits, measure

# Means over all cells of the standard deviation between a cell's repeats, by budget.
TYPICAL_DEVIATION = np.array([0.05, 0.04, 0.03])
RETRAINED_CELLS = (3, 40)  # a chain and a cell of four vertices


def _measurement(seed=0, budgets=3, repeats=3):
    evaluations = np.random.default_rng(seed).random((budgets, repeats, 3, 4)).round(6)
    return Measurement(1234 + seed, evaluations)


# The split.


def test_the_split_uses_every_image_once():
    protocol = DigitsProtocol()
    sizes = (protocol.train_images, protocol.validation_images, protocol.test_images)
    assert sizes == (128, 669, 1000) and sum(sizes) == 1797
    images = load_digits(protocol)
    assert images["image"].shape == (1797, 8, 8, 1) and images["image"].dtype == np.float32
    assert (images["image"].min(), images["image"].max()) == (0.0, 1.0)
    assert images["label"].shape == (1797,) and images["label"].dtype == np.int32
    assert len(np.unique(images["image"].reshape(1797, 64), axis=0)) == 1797  # so: disjoint
    for part in np.split(images["label"], np.cumsum(sizes)[:-1]):
        assert set(part) == set(range(10))


def test_the_split_is_always_the_same():
    one, other = load_digits(DigitsProtocol()), load_digits(DigitsProtocol(seeds=(9,)))
    np.testing.assert_array_equal(one["label"], other["label"])
    moved = load_digits(DigitsProtocol(split_seed=102))
    assert (one["label"] != moved["label"]).any()


# Finished cells.


def _line(index, measurement):
    return json.dumps({
        "cell": index, "parameters": measurement.trainable_parameters,
        "evaluations": measurement.evaluations.tolist(),
    })


def test_nothing_is_finished_at_first(tmp_path):
    assert build.read_finished(tmp_path / "cells.jsonl") == {}
    (tmp_path / "cells.jsonl").write_text("")
    assert build.read_finished(tmp_path / "cells.jsonl") == {}


@pytest.mark.parametrize("torn", ["", '{"cell": 9, "param', '{"cell"'])
def test_a_line_cut_short_is_dropped_from_the_file(tmp_path, torn):
    path = tmp_path / "cells.jsonl"
    whole = "".join(_line(index, _measurement(index)) + "\n" for index in (7, 2))
    path.write_text(whole + torn)
    done = build.read_finished(path)
    assert list(done) == [7, 2]
    assert done[2].trainable_parameters == 1236
    np.testing.assert_array_equal(done[7].evaluations, _measurement(7).evaluations)
    assert path.read_text() == whole  # so the next line starts on its own


# Records.


def test_repeats_are_encoded_in_the_official_message():
    measurement = _measurement()
    messages = build.encode_repeats(measurement, budget=1, epochs=12)
    assert len(messages) == 3
    decoded = model_metrics.decode(messages)
    assert decoded.evaluations[:, :, 0].tolist() == [[0, 6, 12]] * 3
    np.testing.assert_array_equal(decoded.evaluations[:, :, 1:], measurement.evaluations[1])
    assert decoded.trainable_parameters.tolist() == [1234] * 3
    np.testing.assert_array_equal(decoded.total_time_sec, measurement.evaluations[1, :, 2, 0])


def test_rows_make_a_table_that_can_be_read(tmp_path):
    cells = nasbench101.enumerate_cells(3)
    measurements = [_measurement(seed) for seed in range(7)]
    path = tmp_path / "digits.tfrecord"
    with open(path, "wb") as file:
        count = records.write_records(
            file, build.table_rows(cells, measurements, DigitsProtocol())
        )
    assert count == 7 * 3 * 3
    table = NasBench101Table.load(path, tmp_path / "cache")
    assert table.epochs == (4, 12, 36) and table.num_cells == 7
    index, found = graphs.find(cells.keys, table.keys)
    assert found.all()
    expected = np.array([item.evaluations[:, :, 1:] for item in measurements])
    for place, name in enumerate(
        ("training_time_sec", "train_accuracy", "validation_accuracy", "test_accuracy")
    ):
        np.testing.assert_array_equal(getattr(table, name)[index], expected[..., place])
    assert table.trainable_parameters[index].tolist() == list(range(1234, 1241))


def test_cells_of_a_partial_table_are_taken_up(tmp_path):
    cells = nasbench101.enumerate_cells(3)
    path = tmp_path / "digits.tfrecord"
    assert build.read_table(path, cells) == {}
    finished = {index: _measurement(index) for index in (1, 4, 6)}
    with open(path, "wb") as file:
        rows = build.table_rows(cells[list(finished)], list(finished.values()), DigitsProtocol())
        records.write_records(file, rows)
    found = build.read_table(path, cells)
    assert list(found) == [1, 4, 6]
    for index, measurement in finished.items():
        assert found[index].trainable_parameters == measurement.trainable_parameters
        np.testing.assert_array_equal(found[index].evaluations, measurement.evaluations)


def test_the_card_tells_how_accuracies_are_distributed(capsys):
    measurements = [_measurement(seed) for seed in range(5)]
    build.print_card(measurements, DigitsProtocol())
    text = capsys.readouterr().out
    for words in ("4 epochs", "12 epochs", "36 epochs", "correlation of repeats", "CPU seconds"):
        assert words in text
    assert "correlation with the longest budget 1.0" in text


# Training.


def test_a_short_training_of_one_cell():
    protocol = DigitsProtocol(budgets=(2, 30), seeds=(1, 2), num_stacks=1, stem_channels=6)
    matrix, ops = nasbench101.enumerate_cells(3).matrix(1)
    result = measure(matrix, ops.tolist(), protocol)
    # Stem 9*6 + 12, projection 36 + 12, 3x3 324 + 12, dense 60 + 10.
    assert result.trainable_parameters == 66 + 48 + 336 + 70
    evaluations = result.evaluations
    assert evaluations.shape == (2, 2, 3, 4)
    cpu_sec, accuracies = evaluations[..., 0], evaluations[..., 1:]
    assert (cpu_sec[..., 0] == 0).all() and (np.diff(cpu_sec, axis=-1) > 0).all()
    assert (accuracies >= 0).all() and (accuracies <= 1).all()
    np.testing.assert_array_equal(accuracies[0, :, 0], accuracies[1, :, 0])  # one start a seed
    assert (accuracies[1, :, 2] > 0.2).all()  # a tenth would be luck
    np.testing.assert_array_equal(accuracies[..., 0] * 128 % 1, 0)
    again = measure(matrix, ops.tolist(), protocol)
    np.testing.assert_allclose(again.evaluations[..., 1:], accuracies, atol=0.02)


def test_half_way_is_half_way(monkeypatch):
    """At a constant rate, half of six epochs is the end of three."""
    monkeypatch.setattr(digits_training, "cosine_decay", lambda rate, steps: rate)
    matrix, ops = nasbench101.enumerate_cells(3).matrix(1)
    protocol = DigitsProtocol(budgets=(3, 4, 6), num_stacks=1, seeds=(1,))
    three, four, six = measure(matrix, ops.tolist(), protocol).evaluations[:, 0, :, 1:]
    np.testing.assert_allclose(six[1], three[2], atol=0.005)
    assert abs(four[2] - three[2]).max() > 0.02  # one epoch more would show


@pytest.fixture(name="embedded")
def _embedded():
    return NasBench101Table.embedded()


def test_the_embedded_table_holds_the_cells_its_card_says(embedded):
    cells = nasbench101.enumerate_cells(build.MAX_VERTICES)
    card = (importlib.resources.files("nas_tf") / "data" / "README.md").read_text()
    assert "all 2,532 cells of at most five vertices" in card
    np.testing.assert_array_equal(embedded.keys, cells.keys)
    assert embedded.epochs == (4, 12, 36) and embedded.num_repeats == 3


def test_the_embedded_table_can_be_made_again(embedded):
    """Mean accuracies of three repeats are within 3 typical deviations of a single one."""
    table, protocol = embedded, DigitsProtocol()
    cells = nasbench101.enumerate_cells(build.MAX_VERTICES)
    for cell in RETRAINED_CELLS:
        matrix, ops = cells.matrix(cell)
        found = measure(matrix, ops.tolist(), protocol)
        index, known = graphs.find(cells.keys[cell], table.keys)
        assert known and found.trainable_parameters == table.trainable_parameters[index]
        for place, name in ((2, "validation_accuracy"), (3, "test_accuracy")):
            stored = np.asarray(getattr(table, name)[index])[..., 1].mean(axis=-1)
            difference = found.evaluations[:, :, -1, place].mean(axis=-1) - stored
            assert (np.abs(difference) < 3 * TYPICAL_DEVIATION).all()
