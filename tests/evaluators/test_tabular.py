"""Tests of nas_tf.evaluators.tabular."""

import numpy as np
import pytest

from nas_tf import core
from nas_tf.evaluators import tabular
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.tables.nasbench101 import NasBench101Table

KEYS = np.array([30, 10, 20], np.uint64)
VALIDATION = np.array([[0.31, 0.32, 0.33], [0.11, 0.12, 0.13], [0.21, 0.22, 0.23]])
TEST = np.array([0.3, 0.1, 0.2])
COST = np.array([[301.0, 302.0, 303.0], [101.0, 102.0, 103.0], [201.0, 202.0, 203.0]])


def make(seeds=(0, 1), **options):
    return tabular.TabularEvaluator(
        KEYS, VALIDATION, test_accuracy=TEST, cost_sec=COST, seeds=seeds, **options
    )


def suggest(keys, epochs=None):
    keys = np.asarray(keys, np.uint64)
    cells = CellGraphs(
        np.zeros((*keys.shape, 2, 2), np.uint8),
        np.zeros((*keys.shape, 2), np.int8),
        np.full(keys.shape, 2, np.int8),
    )
    return core.Suggestion(cells.with_keys(keys), epochs)


def test_mean():
    found = make(validation="mean").evaluate(suggest([[10, 20], [20, 30]]), 0)
    np.testing.assert_allclose(found.validation_accuracy, [[0.12, 0.22], [0.22, 0.32]])
    np.testing.assert_allclose(found.test_accuracy, [[0.1, 0.2], [0.2, 0.3]])
    np.testing.assert_allclose(found.cost_sec, [[102, 202], [202, 302]])
    assert found.feasible.all() and (found.reason == "").all()


def test_a_cell_measured_again_is_shown_by_another_training():
    """The mean of both counts, the second is paid; other cells of the batch are as ever."""
    evaluator, seeds = make(seeds=range(40)), 40
    first = evaluator.evaluate(suggest([[10, 20]] * seeds), 7)
    plain = evaluator.evaluate(suggest([[30, 10]] * seeds), 300)
    asked = suggest([[30, 10]] * seeds)
    before = np.tile([-1, 7], (seeds, 1))
    again = evaluator.evaluate(
        core.Suggestion(asked.cells, numbers=np.arange(300, 302), measured_before=before), 300
    )
    assert again.validation_accuracy[:, 0].tolist() == plain.validation_accuracy[:, 0].tolist()
    shown = np.round(100 * first.validation_accuracy[:, 0]).astype(int) - 11  # 0, 1, 2
    paid = np.round(again.cost_sec[:, 1]).astype(int) - 101
    assert (paid != shown).all() and {*paid.tolist()} == {0, 1, 2}
    mean = 0.5 * (VALIDATION[1, shown] + VALIDATION[1, paid])
    np.testing.assert_allclose(again.validation_accuracy[:, 1], mean)
    np.testing.assert_allclose(again.test_accuracy[:, 1], 0.1)


def test_a_cell_outside_the_table_is_infeasible_and_free():
    found = make().evaluate(suggest([[10], [99]]), 0)
    assert found.feasible.tolist() == [[True], [False]]
    assert np.isnan(found.validation_accuracy[1, 0]) and np.isnan(found.test_accuracy[1, 0])
    assert found.cost_sec[1, 0] == 0.0
    assert found.reason.tolist() == [[""], ["the cell is not in the benchmark table"]]


def altered(**values):
    """Returns the evaluator of a table with some arrays replaced."""
    arrays = {"validation_accuracy": VALIDATION, "test_accuracy": TEST, "cost_sec": COST} | values
    keys, validation = arrays.pop("keys", KEYS), arrays.pop("validation_accuracy")
    return tabular.TabularEvaluator(keys, validation, seeds=[0], validation="mean", **arrays)


def put(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def test_a_cell_without_validation_accuracy_is_infeasible():
    evaluator = altered(validation_accuracy=put(VALIDATION, (1, slice(None)), np.nan))
    found = evaluator.evaluate(suggest([[10, 20, 99]]), 0)
    assert found.feasible.tolist() == [[False, True, False]]
    assert found.reason.tolist() == [[
        "the table has no validation accuracy of the cell (NaN)",
        "",
        "the cell is not in the benchmark table",
    ]]
    assert np.isnan(found.validation_accuracy).tolist() == [[True, False, True]]
    assert np.isnan(found.test_accuracy).tolist() == [[True, False, True]]
    assert found.cost_sec.tolist() == [[102, 202, 0]]


def test_a_cell_without_test_accuracy_can_be_searched():
    found = altered(test_accuracy=put(TEST, 1, np.nan)).evaluate(suggest([[10]]), 0)
    assert found.feasible.all() and np.isnan(found.test_accuracy).all()


def test_what_was_not_measured_needs_no_cost():
    evaluator = altered(
        validation_accuracy=put(VALIDATION, (2, 0), np.nan), cost_sec=put(COST, (2, 0), np.nan)
    )
    assert evaluator.evaluate(suggest([[30]]), 0).cost_sec.tolist() == [[302]]
    assert not evaluator.evaluate(suggest([[20]]), 0).feasible.any()


@pytest.mark.parametrize(
    "values, message",
    [
        ({"keys": put(KEYS, 2, 30)},
         "row 2 of the table: the same architecture as row 0; keep one row a cell"),
        ({"validation_accuracy": 100 * VALIDATION},
         "row 0 of the table: validation accuracy 31, expected a fraction from 0 to 1; "
         "per cent are divided by 100"),
        ({"validation_accuracy": put(VALIDATION, (2, 1), -0.5)},
         "row 2 of the table: validation accuracy -0.5, expected a fraction from 0 to 1"),
        ({"validation_accuracy": put(VALIDATION, (1, 1), np.inf)},
         "row 1 of the table: validation accuracy inf, expected a fraction from 0 to 1"),
        ({"test_accuracy": put(TEST, 1, 94.4)},
         "row 1 of the table: test accuracy 94.4, expected a fraction from 0 to 1; "
         "per cent are divided by 100"),
        ({"cost_sec": put(COST, (1, 2), -3.0)},
         "row 1 of the table: cost -3, expected seconds, 0 or more"),
        ({"cost_sec": put(COST, (2, 0), np.nan)},
         "row 2 of the table: cost nan, expected seconds, 0 or more"),
    ],
)
def test_tables_that_cannot_be_searched(values, message):
    with pytest.raises(core.DataError) as error:
        altered(**values)
    assert str(error.value) == message


def test_a_budget_in_seconds_needs_costs():
    budget = Budget(num_queries=9, cost_budget_sec=100.0)
    altered().check_budget(budget)
    free = altered(cost_sec=0 * COST)
    free.check_budget(Budget(num_queries=9))
    message = "cost_budget_sec=100: every training of this table costs 0 s"
    with pytest.raises(core.ConfigError, match=message):
        free.check_budget(budget)
    with pytest.raises(core.ConfigError, match=message):
        tabular.MultiBudgetEvaluator((4, 12), lambda epochs: free).check_budget(budget)


def test_random_shows_accuracy_and_cost_of_one_repeat():
    found = make().evaluate(suggest([[10] * 40, [30] * 40]), 0)
    for row, index in ((0, 1), (1, 0)):
        repeat = np.searchsorted(VALIDATION[index], found.validation_accuracy[row])
        np.testing.assert_array_equal(found.validation_accuracy[row], VALIDATION[index][repeat])
        np.testing.assert_array_equal(found.cost_sec[row], COST[index][repeat])
        assert set(repeat) == {0, 1, 2}
        assert (found.test_accuracy[row] == TEST[index]).all()


def test_the_repeats_are_drawn_evenly():
    found = make(seeds=range(40)).evaluate(suggest(np.full((40, 300), 10)), 0)
    shares = [(found.validation_accuracy == value).mean() for value in VALIDATION[1]]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)


def test_a_draw_depends_on_seed_and_query_alone():
    batch = make(seeds=(5, 7)).evaluate(suggest([[10] * 300, [20] * 300]), 0)
    one = make(seeds=(7,))
    for query in (299, 0, 256, 255):
        alone = one.evaluate(suggest([[20]]), query)
        assert alone.validation_accuracy[0, 0] == batch.validation_accuracy[1, query]


def test_only_the_tables_epochs():
    evaluator = make(epochs=12)
    assert evaluator.evaluate(suggest([[10], [10]], 12), 0).feasible.all()
    with pytest.raises(core.ConfigError, match="epochs=4: this table was opened with epochs=12"):
        evaluator.evaluate(suggest([[10], [10]], 4), 0)


def test_bad_input():
    with pytest.raises(core.ConfigError, match="validation='best': expected one of random, mean"):
        make(validation="best")
    with pytest.raises(ValueError, match="for 2 runs"):
        make().evaluate(suggest([[10]]), 0)
    empty = np.zeros((0, 3))
    with pytest.raises(core.DataError, match="empty"):
        tabular.TabularEvaluator(
            KEYS[:0], empty, test_accuracy=TEST[:0], cost_sec=empty, seeds=[0]
        )
    with pytest.raises(ValueError, match="test accuracy"):
        tabular.TabularEvaluator(
            KEYS, VALIDATION, test_accuracy=TEST[:2], cost_sec=COST, seeds=[0]
        )


def table():
    """Three cells, epochs 4 and 12, three repeats; half-way numbers are 9."""
    shape = (3, 2, 3, 2)
    validation, test, cost = (np.full(shape, 9.0) for _ in range(3))
    validation[:, 0, :, 1], validation[:, 1, :, 1] = VALIDATION + 0.001, VALIDATION
    test[:, 0, :, 1], test[:, 1, :, 1] = VALIDATION + 0.501, VALIDATION + 0.5
    cost[:, 0, :, 1], cost[:, 1, :, 1] = COST / 3, COST
    return NasBench101Table(
        cells=NasBench101Space(max_vertices=3).enumerate_cells()[:3].with_keys(KEYS),
        epochs=(4, 12),
        trainable_parameters=np.ones(3, np.int32),
        training_time_sec=cost,
        train_accuracy=np.full(shape, 9.0),
        validation_accuracy=validation,
        test_accuracy=test,
    )


def test_from_nasbench101_takes_the_final_numbers_of_the_epochs_chosen():
    full = tabular.from_nasbench101(table(), seeds=[0], validation="mean")
    short = tabular.from_nasbench101(table(), seeds=[0], validation="mean", epochs=4)
    found = full.evaluate(suggest([[30]], 12), 0)
    np.testing.assert_allclose(found.validation_accuracy, 0.32)
    np.testing.assert_allclose(found.test_accuracy, 0.82)
    np.testing.assert_allclose(found.cost_sec, 302.0)
    found = short.evaluate(suggest([[30]], 4), 0)
    np.testing.assert_allclose(found.validation_accuracy, 0.321)
    np.testing.assert_allclose(found.cost_sec, 302.0 / 3)
    with pytest.raises(core.ConfigError, match="epochs=108: memory has 4, 12"):
        tabular.from_nasbench101(table(), seeds=[0], epochs=108)


def test_from_nasbench201_sees_what_the_protocol_searches_on(two_cells):
    evaluator = tabular.from_nasbench201(two_cells, "cifar10", seeds=[0])
    found = evaluator.evaluate(core.Suggestion(two_cells.cells[None, ::-1]), 0)
    assert found.validation_accuracy.tolist() == [[0.2, 0.1]]
    assert found.test_accuracy.tolist() == [[0.6, 0.5]]
    assert found.cost_sec.tolist() == [[8.0, 7.0]]


def test_several_budgets():
    opened = []

    def at(epochs):
        opened.append(epochs)
        return tabular.from_nasbench101(table(), seeds=[0], validation="mean", epochs=epochs)

    evaluator = tabular.MultiBudgetEvaluator((4, 12), at)
    assert opened == []
    full, short = (evaluator.evaluate(suggest([[30]], epochs), 0) for epochs in (None, 4))
    assert full.full_budget and not short.full_budget
    np.testing.assert_allclose(full.validation_accuracy, 0.32)
    np.testing.assert_allclose(short.validation_accuracy, 0.321)
    assert evaluator.evaluate(suggest([[30]], 12), 1).full_budget and opened == [12, 4]
    with pytest.raises(core.ConfigError, match="^epochs=108: the table has 4, 12$"):
        evaluator.evaluate(suggest([[30]], 108), 0)


def test_from_nasbench201_at_other_epochs(two_cells):
    evaluator = tabular.from_nasbench201(two_cells, "cifar10", seeds=[0], epochs=200)
    found = evaluator.evaluate(core.Suggestion(two_cells.cells[None], 200), 0)
    assert found.validation_accuracy.tolist() == [[0.3, 0.4]]
    assert found.cost_sec.tolist() == [[70.0, 80.0]]


def test_a_table_without_any_accuracy_and_one_just_above_1():
    with pytest.raises(core.DataError, match="no validation accuracy: there is nothing to search"):
        tabular.TabularEvaluator(
            KEYS, np.full((3, 1), np.nan), test_accuracy=TEST, cost_sec=COST[:, :1], seeds=[0]
        )
    above = np.where(VALIDATION == 0.12, 1.0000001, VALIDATION)
    with pytest.raises(core.DataError, match="row 1 of the table: validation accuracy 1.0000001"):
        tabular.TabularEvaluator(KEYS, above, test_accuracy=TEST, cost_sec=COST, seeds=[0])


def test_a_cell_is_measured_by_what_it_computes():
    """A dead node and other padding change how a cell is written, not what the table knows of it."""
    evaluator = tabular.from_nasbench101(NasBench101Table.embedded(), seeds=[0], validation="mean")
    matrix = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    written = CellGraphs.from_matrices([matrix], [[0, 2, 1, 4]], 4)
    plain = CellGraphs.from_matrices([[[0, 1, 0], [0, 0, 1], [0, 0, 0]]], [[0, 2, 4]], 7)
    found, expected = (
        evaluator.evaluate(core.Suggestion(cells.reshape(1, 1)), 0) for cells in (written, plain)
    )
    assert found.feasible.all() and found.cells.keys == expected.cells.keys
    assert found.validation_accuracy == expected.validation_accuracy > 0.1
