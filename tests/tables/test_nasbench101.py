"""The table: opening, the cache and its repair, look-ups."""

import gzip
import os

import numpy as np
import pytest

from nas_tf import core, storage
from nas_tf.graphs import CellGraphs
from nas_tf.spaces import nasbench101 as space
from nas_tf.tables import nasbench101_columns, nasbench101_table
from nas_tf.tables.nasbench101_table import NasBench101Table


def _fail(*unused_arguments):
    raise AssertionError("the record file was read again")


def test_load_caches_columns_and_maps_them(synthetic, cache, monkeypatch):
    first = NasBench101Table.load(synthetic)
    (directory,) = (cache / "tables").iterdir()
    assert directory.name.startswith("synthetic-")
    monkeypatch.setattr(nasbench101_columns, "read_columns", _fail)
    again = NasBench101Table.load(synthetic)
    assert isinstance(again.validation_accuracy, np.memmap)
    np.testing.assert_array_equal(again.validation_accuracy, first.validation_accuracy)
    np.testing.assert_array_equal(again.keys, first.keys)
    assert (again.name, again.path) == ("synthetic", str(synthetic))
    assert (again.num_cells, again.epochs, again.num_repeats) == (91, (4, 108), 3)


def test_a_long_first_read_is_announced(synthetic, monkeypatch, notices, capsys):
    monkeypatch.setattr(nasbench101_table, "_NOTICE_BYTES", 100_000)
    NasBench101Table.load(synthetic)
    expected = [f"Reading {synthetic} for the first time, 0 MB (kept for the next time)"]
    assert notices == expected
    NasBench101Table.load(synthetic)
    assert notices == expected and capsys.readouterr() == ("", "")


def test_a_short_first_read_is_silent(synthetic, notices, capsys):
    NasBench101Table.load(synthetic)
    assert notices == [] and capsys.readouterr() == ("", "")


def test_a_changed_file_is_read_again(synthetic, monkeypatch):
    NasBench101Table.load(synthetic)
    content = synthetic.read_bytes()
    synthetic.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # in its last checksum
    os.utime(synthetic, ns=(1, 1))
    monkeypatch.setattr(nasbench101_columns, "read_columns", _fail)
    with pytest.raises(AssertionError):
        NasBench101Table.load(synthetic)


def test_the_same_records_have_one_cache(synthetic, cache, monkeypatch, tmp_path):
    NasBench101Table.load(synthetic)
    copy = tmp_path / "~other.tfrecord"
    copy.write_bytes(synthetic.read_bytes())
    os.utime(synthetic, ns=(1, 1))
    monkeypatch.setattr(nasbench101_columns, "read_columns", _fail)
    NasBench101Table.load(synthetic)
    again = NasBench101Table.load(copy)
    assert (again.name, again.path) == ("~other", str(copy))
    assert len(list((cache / "tables").iterdir())) == 1


def test_a_file_of_something_else_is_not_announced(tmp_path, monkeypatch, notices):
    monkeypatch.setattr(nasbench101_table, "_NOTICE_BYTES", 10)
    path = tmp_path / "other.tfrecord"
    path.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(core.DataError, match="other.tfrecord"):
        NasBench101Table.load(path)
    assert notices == []


@pytest.mark.parametrize("harm", ["truncate", "delete", "keys"])
def test_a_damaged_cache_is_rebuilt_with_a_warning(synthetic, cache, warnings, harm):
    expected = np.array(NasBench101Table.load(synthetic).test_accuracy)
    (directory,) = (cache / "tables").iterdir()
    if harm == "truncate":
        os.truncate(directory / "test_accuracy.npy", 500)
    elif harm == "delete":
        os.unlink(directory / "columns.json")
    else:  # as if written by a library with other keys
        columns, metadata = storage.load_columns(directory, memory_map=False)
        columns["keys"] = columns["keys"] + np.uint64(1)
        storage.save_columns(directory, columns, metadata)
    table = NasBench101Table.load(synthetic)
    np.testing.assert_array_equal(table.test_accuracy, expected)
    assert len(warnings) == 1 and "damaged" in warnings[0]
    NasBench101Table.load(synthetic)
    assert len(warnings) == 1


def test_a_cache_that_cannot_be_written_is_done_without(synthetic, tmp_path, warnings):
    (tmp_path / "file").write_text("")
    table = NasBench101Table.load(synthetic, tmp_path / "file")
    assert table.num_cells == 91
    assert len(warnings) == 1


def test_gzip_files_give_the_same_table(synthetic, tmp_path):
    path = tmp_path / "packed_synthetic.tfrecord.gz"
    path.write_bytes(gzip.compress(synthetic.read_bytes()))
    plain = NasBench101Table.load(synthetic)
    packed = NasBench101Table.load(path)
    assert packed.name == "packed_synthetic"
    np.testing.assert_array_equal(packed.train_accuracy, plain.train_accuracy)


def test_missing_and_bad_files(tmp_path, cache):
    with pytest.raises(core.DataError, match="x.tfrecord: no such record file"):
        NasBench101Table.load(tmp_path / "x.tfrecord")
    (tmp_path / "y.tfrecord").write_bytes(b"")
    with pytest.raises(core.DataError, match="y.tfrecord: empty file"):
        NasBench101Table.load(tmp_path / "y.tfrecord")
    with pytest.raises(core.DataError, match="cannot be read"):
        NasBench101Table.load(tmp_path)
    assert not cache.exists()


def test_a_missing_embedded_table_says_what_to_do(monkeypatch):
    monkeypatch.setattr(nasbench101_table, "EMBEDDED_FILE", "nothing.tfrecord.gz")
    with pytest.raises(core.DataError, match="embedded table is missing.*build_digits_benchmark"):
        NasBench101Table.embedded()


def test_find_by_hash(synthetic):
    table = NasBench101Table.load(synthetic)
    for place in (0, 50, 90):
        assert table.index_of_hash(table.hashes[place].decode()) == place
    for absent in ("0" * 32, "f" * 32, "", "é"):
        with pytest.raises(KeyError):
            table.index_of_hash(absent)


def test_a_table_in_memory_computes_its_hashes():
    cells = CellGraphs.from_matrices([[[0, 1], [0, 0]]], [[space.INPUT, space.OUTPUT]], 7)
    accuracy = np.full((1, 1, 2, 2), 0.5)
    columns = {name: accuracy for name in (
        "training_time_sec", "train_accuracy", "validation_accuracy", "test_accuracy"
    )}
    table = NasBench101Table(
        cells=cells, epochs=(108,), trainable_parameters=np.array([3]), **columns
    )
    assert table.hashes.tolist() == [b"043721b9c7fe8c5fad811d47d83132ec"]
    assert table.name == "memory" and table.num_repeats == 2
    columns["test_accuracy"] = accuracy[:, :, :1]
    with pytest.raises(core.DataError, match=r"test_accuracy has shape \(1, 1, 1, 2\)"):
        NasBench101Table(
            cells=cells, epochs=(108,), trainable_parameters=np.array([3]), **columns
        )
    with pytest.raises(core.DataError, match="validation_accuracy has shape"):
        NasBench101Table(
            cells=cells, epochs=(4, 108), trainable_parameters=np.array([3]), **columns
        )


def test_what_all_tables_say(synthetic, two_cells):
    table = NasBench101Table.load(synthetic)
    assert (table.space, table.numbered) == ("nasbench101", False)
    assert table.dataset == "synthetic" and table.datasets == ("synthetic",)
    assert (two_cells.space, two_cells.numbered) == ("nasbench201", False)
    assert NasBench101Table.embedded().dataset == "digits"
    expected = "<NasBench101Table 'synthetic': 91 cells, 3 trainings of 4, 108 epochs>"
    assert repr(table) == expected
    expected = "<NasBench201Table 'memory': 2 cells, cifar10, cifar100, imagenet16-120>"
    assert repr(two_cells) == expected


def test_a_training_budget_that_is_not_there(synthetic):
    table = NasBench101Table.load(synthetic)
    assert (table.budget(None), table.budget(4), table.budget(108)) == (1, 0, 1)
    with pytest.raises(core.ConfigError, match="^epochs=36: synthetic has 4, 108$"):
        table.budget(36)
