"""nas_tf/benchmarks/macro_files.py: what a search sees, and what is reported."""

import numpy as np
import pytest

import nas_tf
from nas_tf import benchmarks
from nas_tf.benchmarks import registry
from nas_tf.benchmarks.macro_files import Macro, of_table, others
from nas_tf.core import ConfigError, Suggestion
from nas_tf.evaluators.budget import Budget
from nas_tf.spaces.macro import MacroSpace
from nas_tf.tables.macro_table import MacroTable


@pytest.fixture(name="path")
def _path(tmp_path):
    path = tmp_path / "three.csv"
    path.write_text(
        "architecture,test_acc_1,test_acc_2,test_acc_3\n"
        "22212202,93,92,91\n00000000,45,40,50\n11111111,80,80,83\n"
    )
    return path


def test_the_others_are_what_is_reported():
    found = others(np.array([[0.93, 0.92, 0.91], [0.1, 0.2, 0.6]]))
    np.testing.assert_allclose(found, [[0.915, 0.92, 0.925], [0.4, 0.35, 0.15]])
    np.testing.assert_allclose(others(np.array([[0.1, 0.7]])), [[0.7, 0.1]])


def test_a_search_sees_one_training_and_reports_the_others(path):
    """Whatever is drawn: seen and reported together are all three trainings."""
    benchmark = benchmarks.macro(path)
    cells = benchmark.cells[np.tile([2, 0], (40, 1))]  # 22212202 and 00000000 in 40 runs
    found = benchmark.evaluator(range(40)).evaluate(Suggestion(cells), 0)
    seen, reported = found.validation_accuracy, found.test_accuracy
    assert set(np.round(seen[:, 0], 4)) == {0.91, 0.92, 0.93}
    np.testing.assert_allclose(seen + 2 * reported, np.tile([2.76, 1.35], (40, 1)))
    again = benchmark.evaluator([7]).evaluate(Suggestion(cells[[0]]), 0)
    assert again.validation_accuracy.tolist() == seen[[7]].tolist()  # of the run's seed
    later = benchmark.evaluator(range(40)).evaluate(Suggestion(cells), 1)
    assert (later.validation_accuracy != seen).any()  # and of the query's number
    np.testing.assert_array_equal(later.validation_accuracy[:, 0] == 0.93,
                                  np.isclose(seen[:, 1], 0.45))
    assert not found.cost_sec.any() and found.feasible.all()


def test_what_is_said_of_it(path):
    benchmark = benchmarks.macro(path)
    assert repr(benchmark) == "<three: 3 cells of NAS-Bench-Macro, cifar10>"
    assert (benchmark.epochs, benchmark.report_epochs, benchmark.validation) == ((50,), 50, "random")
    assert benchmark.best_test_accuracy == pytest.approx(0.92)
    np.testing.assert_allclose(benchmark.validation_accuracy, [0.45, 0.81, 0.92])
    for words in ("no validation accuracy", "a search sees one of them", "mean of the other 2"):
        assert words in benchmark.protocol


def test_it_costs_nothing(path):
    with pytest.raises(ConfigError, match="cost_budget_sec=100: every training of this table costs"):
        benchmarks.macro(path).limited(Budget(None, 100.0))


def test_it_follows_from_its_space():
    assert registry.of_space("macro", set()) is Macro
    with pytest.raises(ConfigError, match="--macro_table=none: no table was given; name a CSV file"):
        Macro().open(MacroSpace())


@pytest.mark.parametrize("recipe", [
    nas_tf.RandomSearch(), nas_tf.LocalSearch(), nas_tf.RegularizedEvolution(8, 3),
    nas_tf.Reinforce(),
], ids=lambda recipe: recipe.name)
def test_it_is_searched(recipe):
    """The whole space with invented numbers: the more blocks the better; no network is met twice."""
    cells = MacroSpace().enumerate_cells()
    blocks = (cells.ops[:, 1:-1] > 1).sum(axis=1)
    noise = np.random.default_rng(0).normal(0, 0.001, (len(cells), 3))
    table = MacroTable(cells=cells, test_accuracy=0.1 + 0.1 * blocks[:, None] + noise)
    benchmark = of_table(table, MacroSpace())
    study = nas_tf.search(benchmark, recipe, num_runs=2, num_queries=60, progress=False)
    assert [len(set(keys)) for keys in study.history.key.tolist()] == [60, 60]
    assert (study.curves.test_accuracy[:, -1] > 0.79).all()
