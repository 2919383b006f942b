"""nas_tf/benchmarks.py: what tables are known by."""

import gzip
import shutil
import types

import numpy as np
import pytest

from nas_tf import benchmarks
from nas_tf.settings import SearchSettings, Settings, TableSettings
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.tables.nasbench201 import NasBench201Table


def opened(path) -> benchmarks.Benchmark:
    """Opens a NAS-Bench-101 table; the embedded one for None."""
    records = None if path is None else str(path)
    return benchmarks.open_benchmark(Settings(table=TableSettings(nasbench101_records=records)))


def test_what_the_networks_of_a_table_were_trained_on(records):
    assert opened(records).dataset == "synthetic"
    assert opened(None).dataset == "digits"
    other = records.with_name("other.tfrecord")
    shutil.copy(records, other)
    assert opened(other).dataset == "unknown"


@pytest.mark.parametrize("name", ["renamed.tfrecord.gz", "synthetic.tfrecord.gz"])
def test_the_digits_are_known_by_their_numbers(tmp_path, name):
    embedded = opened(None)
    shutil.copy(embedded.path, tmp_path / name)
    benchmark = opened(tmp_path / name)
    assert benchmark.dataset == "digits" and benchmark.name != embedded.name
    assert benchmark.table_checksum == embedded.table_checksum


def test_a_name_makes_no_digits(records, tmp_path):
    path = tmp_path / "nasbench101_digits.tfrecord.gz"
    path.write_bytes(gzip.compress(records.read_bytes()))
    assert opened(path).dataset == "unknown"


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_the_content_of_a_table_is_one_for_all_strategies(monkeypatch, dataset):
    cells = NasBench201Space().enumerate_cells()[:50]
    several = {
        f"{dataset}_{name}_acc_{epochs}ep": np.linspace(0.1, 0.9, 50) * epochs / 200
        for epochs in (12, 200) for name in ("valid", "test")
    }
    table = NasBench201Table(cells=cells, columns=several)
    monkeypatch.setattr(NasBench201Table, "load", lambda path: table)
    one, bohb = (
        benchmarks.open_benchmark(Settings(
            table=TableSettings(space="nasbench201", nasbench201_table="t", dataset=dataset),
            search=SearchSettings(strategy=strategy),
        ))
        for strategy in ("random", "bohb")
    )
    same_budget = one.epochs[-1] == bohb.epochs[-1]
    assert (one.table_checksum == bohb.table_checksum) is same_budget is (dataset == "cifar100")
    assert one.checksum != bohb.checksum


@pytest.mark.parametrize("best, cells, epochs, dataset", [
    ((0.9505542318, 0.9431757530), 423_624, (108,), "cifar10"),
    ((0.9505542318, 0.9431757530), 423_624, (4, 12, 36, 108), "cifar10"),
    ((0.9505542318, 0.9431757530), 423_624, (4, 12, 36), "unknown"),
    ((0.9505542318, 0.9431757530), 423_623, (108,), "unknown"),
    ((0.9605542318, 0.9431757530), 423_624, (108,), "unknown"),
    ((0.9505542318, 0.9441757530), 423_624, (108,), "unknown"),
])
@pytest.mark.parametrize("name", ["renamed", "no_synthetic_numbers"])
def test_cifar10_is_the_official_file_alone(best, cells, epochs, dataset, name):
    """A table of as many cells and as many epochs is not yet the benchmark: its best cells are."""
    shape = cells, len(epochs), 3, 2
    metrics = [np.broadcast_to(np.float32(0.5), shape).copy() for _ in best]
    for metric, value in zip(metrics, best):
        metric[7, -1, :, 1] = value
    table = types.SimpleNamespace(
        name=name, cells=range(cells), epochs=epochs, budget=epochs.index,
        validation_accuracy=metrics[0], test_accuracy=metrics[1],
    )
    invented = dataset == "unknown" and "synthetic" in name  # by its name, if by nothing else
    assert benchmarks._nasbench101_dataset(table) == ("synthetic" if invented else dataset)
