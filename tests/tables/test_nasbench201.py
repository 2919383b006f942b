"""nas_tf/tables/nasbench201.py: the table, its protocols, its cache, and the real measurements."""

import os
import pathlib

import numpy as np
import pytest

from nas_tf import graphs, storage
from nas_tf.core import ConfigError, DataError
from nas_tf.spaces.nasbench201 import NasBench201Space, from_strings, to_strings
from nas_tf.tables import nats_archive
from nas_tf.tables.nasbench201 import NasBench201Table

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "nas_bench_201" / "nas_bench_201.csv.gz"


# Protocols.


def test_cifar10_searches_on_12_epochs_and_reports_200(two_cells):
    protocol = two_cells.protocol("cifar10")
    assert protocol.search_epochs == 12
    assert protocol.search_validation_accuracy.tolist() == [0.1, 0.2]
    assert protocol.validation_accuracy.tolist() == [0.3, 0.4]
    assert protocol.test_accuracy.tolist() == [0.5, 0.6]
    assert protocol.query_cost_sec().tolist() == protocol.cost_sec.tolist() == [7.0, 8.0]
    assert protocol.statement == (
        "cifar10: the search sees validation accuracy after 12 epochs; reported are validation and "
        "test accuracy of the incumbent after 200 epochs, means over the published trials. The "
        "table gives the cost of a query, 12 epochs and one validation."
    )
    protocol.check_budget(1.2e4)


def test_cifar100_searches_on_200_epochs(two_cells):
    protocol = two_cells.protocol("cifar100")
    assert protocol.search_epochs == 200
    assert protocol.search_validation_accuracy.tolist() == [0.15, 0.25]
    assert protocol.validation_accuracy.tolist() == [0.15, 0.25]
    assert protocol.test_accuracy.tolist() == [0.35, 0.45]
    assert protocol.cost_sec is None and protocol.query_cost_sec().tolist() == [0.0, 0.0]
    assert protocol.statement.endswith("The table has no training times, so that costs are zero.")


def test_a_budget_in_seconds_needs_costs(two_cells):
    protocol = two_cells.protocol("cifar100")
    protocol.check_budget(None)
    with pytest.raises(ConfigError) as error:
        protocol.check_budget(5e5)
    assert str(error.value) == (
        "cost_budget_sec=500000: table 'memory' has no column cifar100_cost_sec_200ep; "
        "set num_queries instead"
    )


@pytest.mark.parametrize("name, known", [
    ("CIFAR10", "cifar10"), ("cifar10-valid", "cifar10"), ("CIFAR-100", "cifar100"),
    ("ImageNet16-120", "imagenet16-120"), ("imagenet-16-120", "imagenet16-120"),
    ("cifar100", "cifar100"),
])
def test_other_spellings_of_data_sets(two_cells, name, known):
    assert two_cells.dataset(name) == known
    assert two_cells.budgets(name) == two_cells.budgets(known) != ()
    if known != "imagenet16-120":
        assert two_cells.protocol(name).dataset == known
        accuracy = two_cells.accuracy(name, "test", 200)
        assert accuracy.tolist() == two_cells.accuracy(known, "test", 200).tolist()


def test_a_tables_own_spelling_comes_first(two_cells):
    names = ("cifar10", "cifar10-valid", "ImageNet16-120")
    columns = {f"{name}_valid_acc_12ep": np.array([0.1, 0.2]) for name in names}
    table = NasBench201Table(cells=two_cells.cells, columns=columns)
    assert [table.dataset(name) for name in names] == list(names)
    assert table.dataset("imagenet16-120") == "ImageNet16-120"
    with pytest.raises(ConfigError, match="dataset=valid: table 'memory' has cifar10, cifar10-va"):
        table.dataset("valid")


def test_budgets(two_cells):
    assert two_cells.budgets("cifar10") == (12, 200)
    assert two_cells.budgets("cifar100") == (200,)
    assert two_cells.budgets("svhn") == ()


def test_other_search_epochs(two_cells):
    protocol = two_cells.protocol("cifar10", 200)
    assert protocol.search_epochs == 200
    assert protocol.search_validation_accuracy.tolist() == [0.3, 0.4]
    assert protocol.cost_sec.tolist() == [70.0, 80.0]


def test_imagenet_searches_on_200_epochs(two_cells):
    names = ("imagenet16-120_valid_acc_200ep", "imagenet16-120_test_acc_200ep")
    columns = dict(zip(names, ([0.4, 0.3], [0.2, 0.1])))
    protocol = NasBench201Table(cells=two_cells.cells, columns=columns).protocol("imagenet16-120")
    assert protocol.search_epochs == 200
    assert protocol.search_validation_accuracy == [0.4, 0.3]
    assert protocol.test_accuracy == [0.2, 0.1]


def test_an_unknown_data_set(two_cells):
    assert two_cells.datasets == ("cifar10", "cifar100", "imagenet16-120")
    with pytest.raises(ConfigError) as error:
        two_cells.protocol("svhn")
    assert str(error.value) == (
        "dataset=svhn: table 'memory' has cifar10, cifar100, imagenet16-120"
    )


def test_a_column_that_the_protocol_needs_is_missing(two_cells):
    with pytest.raises(DataError) as error:
        two_cells.protocol("imagenet16-120")
    assert str(error.value) == (
        "table 'memory': no column imagenet16-120_valid_acc_200ep; of imagenet16-120 it has "
        "imagenet16-120_valid_acc_12ep"
    )


def test_find(two_cells):
    string = str(to_strings(two_cells.cells[1]))
    other = from_strings(np.array([string, string.replace("none", "skip_connect")]))
    index, found = graphs.find(other.keys, two_cells.keys)
    assert index[0] == 1 and found.tolist() == [True, False]
    assert two_cells.num_cells == 2


@pytest.mark.parametrize("name, values", [
    ("cifar10_valid_acc_200ep", np.zeros(3)), ("accuracy", np.zeros(2)),
])
def test_columns_that_do_not_fit(two_cells, name, values):
    with pytest.raises(DataError, match=f"^table 'memory': column {name} of shape"):
        NasBench201Table(cells=two_cells.cells, columns={name: values})


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(DataError, match="table.csv: no such NAS-Bench-201 table"):
        NasBench201Table.load(tmp_path / "table.csv")


# The NATS-Bench folder and its cache.


@pytest.fixture(name="folder")
def _folder(tmp_path):
    folder = tmp_path / "NATS-tss-v1_0-3ffb9-simple"
    folder.mkdir()
    (folder / "meta.pickle.pbz2").write_bytes(b"meta")
    (folder / "000000.pickle.pbz2").write_bytes(b"cell")
    return folder


@pytest.fixture(name="reads")
def _reads(monkeypatch):
    """Counts how often the archive is read; it has two columns."""
    reads = []

    def read_columns(folder):
        reads.append(folder)
        values = np.arange(15_625) / 20_000
        columns = {"imagenet16-120_valid_acc_200ep": values,
                   "imagenet16-120_test_acc_200ep": values[::-1]}
        return np.arange(15_625)[::-1], columns

    monkeypatch.setattr(nats_archive, "read_columns", read_columns)
    monkeypatch.setattr(nats_archive, "check_installed", lambda folder: None)
    return reads


def _check(table, folder):
    assert (table.name, table.path) == ("NATS-tss-v1_0-3ffb9-simple", str(folder))
    assert table.keys[0] == NasBench201Space().enumerate_cells().keys[-1]
    protocol = table.protocol("imagenet16-120")
    assert protocol.validation_accuracy[1] == 1 / 20_000
    assert protocol.test_accuracy[1] == 15_623 / 20_000


def test_a_folder_is_read_once(folder, reads, warnings, cache, notices, capsys):
    _check(NasBench201Table.load(folder), folder)
    assert notices == [
        f"Reading {folder} for the first time, this takes minutes (kept for the next time)"
    ]
    (directory,) = (cache / "tables").iterdir()
    assert directory.name.startswith("NATS-tss-v1_0-3ffb9-simple-")
    _check(NasBench201Table.load(folder), folder)
    assert len(reads) == len(notices) == 1 and not warnings and capsys.readouterr().out == ""


@pytest.mark.parametrize("change", ["meta.pickle.pbz2", "000000.pickle.pbz2", "000001.pickle.pbz2"])
def test_a_changed_folder_is_read_again(folder, reads, warnings, change):
    NasBench201Table.load(folder)
    (folder / change).write_bytes(b"else")
    os.utime(folder / change, ns=(1, 1))
    NasBench201Table.load(folder)
    assert len(reads) == 2 and not warnings


def test_a_folder_that_moved_or_was_touched_is_known_by_its_content(folder, reads, cache, tmp_path):
    NasBench201Table.load(folder)
    os.utime(folder / "meta.pickle.pbz2", ns=(1, 1))
    _check(NasBench201Table.load(folder), folder)
    moved = folder.rename(tmp_path / "tss")
    assert NasBench201Table.load(moved).path == str(moved)
    assert len(reads) == 1 and len(list((cache / "tables").iterdir())) == 1


def test_a_folder_is_not_announced_where_its_reader_is_not_installed(folder, monkeypatch, notices):
    monkeypatch.setattr(nats_archive, "nats_bench", None)
    with pytest.raises(ConfigError, match=r"pip install 'nas_tf\[nats\]'"):
        NasBench201Table.load(folder)
    assert notices == []


def test_a_home_directory_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataError, match=f"{tmp_path}/table.csv: no such NAS-Bench-201 table"):
        NasBench201Table.load("~/table.csv")


@pytest.mark.parametrize("harm", ["truncate", "delete", "index", "names"])
def test_a_damaged_cache_is_rebuilt_with_a_warning(folder, reads, warnings, cache, harm):
    NasBench201Table.load(folder)
    (directory,) = (cache / "tables").iterdir()
    columns, metadata = storage.load_columns(directory, memory_map=False)
    if harm == "truncate":
        os.truncate(directory / "values.npy", 500)
    elif harm == "delete":
        os.unlink(directory / "index.npy")
    elif harm == "index":
        columns["index"][0] = 0
        storage.save_columns(directory, columns, metadata)
    else:
        storage.save_columns(directory, columns, {"names": ["a"]})
    _check(NasBench201Table.load(folder), folder)
    assert len(reads) == 2 and len(warnings) == 1 and "damaged" in warnings[0]
    NasBench201Table.load(folder)
    assert len(reads) == 2


def test_a_cache_that_cannot_be_written_is_done_without(folder, reads, warnings, tmp_path):
    (tmp_path / "file").write_text("")
    _check(NasBench201Table.load(folder, tmp_path / "file"), folder)
    assert len(reads) == 1 and len(warnings) == 1 and "made again next time" in warnings[0]


def test_another_folder(tmp_path):
    with pytest.raises(DataError) as error:
        NasBench201Table.load(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: no NATS-Bench folder (meta.pickle.pbz2 is missing); "
        "give a CSV file (its columns are in docs/tables.md) or the folder "
        "NATS-tss-v1_0-3ffb9-simple from https://github.com/D-X-Y/NATS-Bench"
    )
    with pytest.raises(DataError, match="no NATS-Bench folder"):
        NasBench201Table.load_nats(tmp_path / "missing")


# The real table.


@pytest.fixture(scope="module", name="real")
def _real():
    if not REAL.exists():
        pytest.skip("../shared/data/nas_bench_201/nas_bench_201.csv.gz is not there")
    return NasBench201Table.load(REAL)


def test_the_real_table(real):
    assert real.name == "nas_bench_201" and real.datasets == ("cifar10", "cifar100")
    assert len(np.unique(real.keys)) == real.num_cells == 15_625
    # Number 0 and 1 of the benchmark, as the file has them.
    assert to_strings(real.cells[:2]).tolist() == [
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|"
        "+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
        "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    ]
    expected = {
        "cifar10_valid_acc_12ep": 63.364, "cifar10_test_acc_12ep": 69.55,
        "cifar10_valid_acc_200ep": 81.9827, "cifar10_test_acc_200ep": 85.8633,
        "cifar100_valid_acc_12ep": 31.84, "cifar100_test_acc_12ep": 31.26,
        "cifar100_valid_acc_200ep": 52.7, "cifar100_test_acc_200ep": 52.9133,
    }
    found = {name: round(100 * float(values[0]), 4) for name, values in real.columns.items()}
    assert found == expected


@pytest.mark.parametrize("dataset, validation, test", [
    ("cifar10", 91.61, 94.37), ("cifar100", 73.49, 73.51),
])
def test_the_best_cells(real, dataset, validation, test):
    protocol = real.protocol(dataset)
    assert round(100 * protocol.validation_accuracy.max(), 2) == validation
    assert round(100 * protocol.test_accuracy.max(), 2) == test
    assert protocol.cost_sec is None


# Means and deviations of 2,000 runs; tolerances are four standard errors of a difference of two
# such figures, and the rounding of the published ones.
@pytest.mark.parametrize("dataset, mean, deviation, tolerance", [
    ("cifar10", 93.82, 0.30, 0.04), ("cifar100", 71.70, 0.82, 0.11),
])
def test_random_search_gives_the_known_figures(real, dataset, mean, deviation, tolerance):
    protocol = real.protocol(dataset)
    cells = NasBench201Space().random_cells(np.random.default_rng(0), (2_000, 150))
    index, found = graphs.find(cells.keys, real.keys)
    assert found.all()
    best = protocol.search_validation_accuracy[index].argmax(axis=1)
    test = 100 * protocol.test_accuracy[index[np.arange(2_000), best]]
    assert abs(test.mean() - mean) < tolerance
    assert abs(test.std() - deviation) < tolerance
