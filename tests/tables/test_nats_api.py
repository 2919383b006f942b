"""nas_tf/tables/nats_api.py."""

import pathlib
import types

import numpy as np
import pytest

from nas_tf.core import ConfigError, DataError, InvalidArchitectureError
from nas_tf.spaces import nasbench201
from nas_tf.tables import nats_api
from nas_tf.tables.nasbench201 import NasBench201Table

ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "nas_bench_201" / "nas_bench_201.csv.gz"
SECOND = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"
OTHER = "|nor_conv_1x1~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"


@pytest.fixture
def api(two_cells):
    columns = dict(two_cells.columns)
    columns["cifar10_test_acc_12ep"] = np.array([0.125, 0.25])
    return nats_api.NATSBench(
        NasBench201Table(cells=two_cells.cells, columns=columns, numbered=True)
    )


def test_questions_that_make_no_sense(api):
    for dataset in (None, 3):
        with pytest.raises(ConfigError, match="expected a name such as 'cifar10-valid'"):
            api.get_more_info(0, dataset)
        with pytest.raises(ConfigError, match="expected a name such as 'cifar10-valid'"):
            api.simulate_train_eval(0, dataset)
    with pytest.raises(InvalidArchitectureError, match="True: expected the index of a cell"):
        api.get_more_info(True, "cifar10-valid")
    with pytest.raises(DataError, match="nothing of cifar10 after 12 epochs; cifar10-valid has it"):
        api.get_more_info(0, "cifar10")


def test_index_and_string(api):
    assert len(api) == 2 and api.arch(1) == api[1] == SECOND
    printed = types.SimpleNamespace(tostr=lambda: SECOND)
    for arch in (1, np.int64(1), SECOND, SECOND + "\n", printed):
        assert api.query_index_by_arch(arch) == 1


def test_what_is_no_cell(api):
    message = r"^'\|none~0\|' is no NAS-Bench-201 cell: expected a string"
    with pytest.raises(InvalidArchitectureError, match=message):
        api.query_index_by_arch("|none~0|")
    swapped = SECOND.replace("|nor_conv_3x3~0|none~1|", "|none~1|nor_conv_3x3~0|")
    with pytest.raises(InvalidArchitectureError, match="node 2 are in another order, 1, 0"):
        api.query_index_by_arch(swapped)
    with pytest.raises(ValueError, match="the cell is not in the table memory"):
        api.get_more_info(OTHER, "cifar10-valid")
    with pytest.raises(ValueError, match="index 2: expected 0 to 1"):
        api.arch(2)
    with pytest.raises(InvalidArchitectureError, match="1.5: expected the index of a cell"):
        api.query_index_by_arch(1.5)


def test_a_table_without_numbers_is_asked_by_strings(two_cells):
    api = nats_api.NATSBench(two_cells)
    assert api.get_more_info(SECOND, "cifar100", hp="200")["test-accuracy"] == 45
    for ask in (api.arch, api.query_index_by_arch, lambda i: api.get_more_info(i, "cifar100")):
        with pytest.raises(DataError, match="memory: it does not number its cells"):
            ask(1)
    with pytest.raises(DataError, match="does not number"):
        api.query_index_by_arch(SECOND)


def test_answers(api):
    """Of CIFAR-10 the columns belong to two trainings."""
    for name in ("cifar10-valid", "CIFAR10-valid"):
        assert api.get_more_info(1, name) == {
            "valid-accuracy": 20, "test-accuracy": 25, "cost-sec": 8
        }
        assert api.get_more_info(SECOND, name, hp=200) == {"valid-accuracy": 40, "cost-sec": 80}
    for name in ("cifar10", "CIFAR10"):
        assert api.get_more_info(1, name, hp="200", is_random=False) == {"test-accuracy": 60}
    assert api.get_more_info(0, "cifar100", iepoch=199, hp="200") == {
        "valid-accuracy": 15, "test-accuracy": 35
    }
    assert api.get_more_info(0, "ImageNet16-120") == {"valid-accuracy": 1}


def test_what_a_table_has_not(api):
    with pytest.raises(DataError, match="memory: nothing of cifar10 after 12 epochs; cifar10-valid has it; it has cifar1"):
        api.get_more_info(0, "cifar10", hp="12")
    with pytest.raises(ConfigError, match="iepoch=5: a table has the last epoch alone, 11"):
        api.get_more_info(0, "cifar10-valid", iepoch=5)
    with pytest.raises(ConfigError, match="^dataset=svhn"):
        api.get_more_info(0, "svhn")


def test_texts(api):
    assert api.query_by_arch(SECOND, "12").split("\n") == [
        SECOND,
        "cifar10        valid-accuracy 20.00%, test-accuracy 25.00%, cost-sec 8.00 s",
        "imagenet16-120 valid-accuracy 2.00%",
    ]
    assert api.query_info_str_by_arch(1, 12) == api.query_by_arch(SECOND)


def test_simulated_trainings(api):
    assert api.simulate_train_eval(1, "cifar10") == (20, None, 8, 8)
    assert api.simulate_train_eval(0, "cifar10", hp="200") == (30, None, 70, 78)
    assert api.simulate_train_eval(0, "cifar10", account_time=False) == (10, None, 7, 78)
    assert api.used_time == 78
    api.reset_time()
    assert api.used_time == 0
    with pytest.raises(DataError, match="memory: no cost_sec of cifar100 after 200 epochs"):
        api.simulate_train_eval(0, "cifar100", hp="200")


def test_files(measurements, tmp_path):
    text = measurements.read_text().split("\n")
    rows = [text[0], *reversed(text[1:-1])]
    numbers = ["arch_index", *map(str, range(15_625))]
    path = tmp_path / "numbered.csv"
    path.write_text("\n".join(f"{number},{row}" for number, row in zip(numbers, rows)))
    api = nats_api.create(path, "tss", fast_mode=True, verbose=False)
    last = nasbench201.to_strings(nasbench201.NasBench201Space().enumerate_cells()[-1])
    assert api.arch(0) == last and api.query_index_by_arch(str(last)) == 0 and len(api) == 15_625
    assert not nats_api.create(measurements).table.numbered
    with pytest.raises(ConfigError, match="search_space='sss': expected tss or topology"):
        nats_api.create(path, "sss")


def test_the_published_measurements():
    if not REAL.exists():
        pytest.skip("../shared/data/nas_bench_201/nas_bench_201.csv.gz is not there")
    api = nats_api.create(REAL)
    string = (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|"
        "+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
    )
    assert api.arch(1) == string and api.query_index_by_arch(string) == 1
    assert api.get_more_info(1, "cifar10-valid")["valid-accuracy"] == pytest.approx(82.834)
    assert api.get_more_info(1, "CIFAR10", hp="200") == {"test-accuracy": pytest.approx(93.66)}
