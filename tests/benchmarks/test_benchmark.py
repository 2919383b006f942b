"""nas_tf/benchmarks/: tables as a search sees them."""

import numpy as np
import pytest

from nas_tf import benchmarks
from nas_tf.core import ConfigError
from nas_tf.evaluators.budget import Budget
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.tables.nasbench201 import NasBench201Table


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_the_content_of_a_table_is_one_for_all_strategies(monkeypatch, dataset):
    cells = NasBench201Space().enumerate_cells()[:50]
    several = {
        f"{dataset}_{name}_acc_{epochs}ep": np.linspace(0.1, 0.9, 50) * epochs / 200
        for epochs in (12, 200) for name in ("valid", "test")
    }
    table = NasBench201Table(cells=cells, columns=several)
    monkeypatch.setattr(NasBench201Table, "load", lambda path: table)
    opened = benchmarks.nasbench201("t", dataset)
    one, bohb = (opened.for_strategy(several) for several in (False, True))
    assert one.epochs == ((12,) if dataset == "cifar10" else (200,)) and bohb.epochs == (12, 200)
    same_budget = one.epochs[-1] == bohb.epochs[-1]
    assert (one.table_checksum == bohb.table_checksum) is same_budget is (dataset == "cifar100")
    assert one.checksum != bohb.checksum


def test_other_spellings_of_a_data_set(measurements):
    assert benchmarks.nasbench201(measurements, "CIFAR10-valid").dataset == "cifar10"
    with pytest.raises(ConfigError, match="dataset=svhn: .* has cifar10, cifar100"):
        benchmarks.nasbench201(measurements, "svhn")


def test_the_embedded_table():
    digits = benchmarks.digits()
    assert (len(digits.cells), digits.dataset, digits.epochs) == (2532, "digits", (4, 12, 36))
    assert digits.best_test_accuracy == pytest.approx(0.9030, abs=1e-4)
    assert benchmarks.digits(epochs=12).epochs == (4, 12)
    assert repr(digits) == "<nasbench101_digits: 2,532 cells of NAS-Bench-101, digits>"
    with pytest.raises(ConfigError, match="epochs=108: nasbench101_digits has 4, 12, 36"):
        benchmarks.digits(epochs=108)


def test_a_budget_ends_with_the_table(records):
    table = benchmarks.nasbench101(records)
    assert table.limited(Budget(None, 1e6)).num_queries == 91
    assert table.limited(Budget(91)).num_queries == 91
    with pytest.raises(ConfigError, match="num_queries=92: synthetic has only 91 cells"):
        table.limited(Budget(92))


def test_a_budget_in_seconds_needs_costs(measurements, tmp_path):
    lines = measurements.read_text().splitlines()
    free = tmp_path / "free.csv"
    free.write_text("\n".join([lines[0], *(line.rsplit(",", 1)[0] + ",0" for line in lines[1:])]))
    with pytest.raises(ConfigError, match="cost_budget_sec=100000: every training of this table"):
        benchmarks.nasbench201(free, "cifar100").limited(Budget(None, 1e5))
