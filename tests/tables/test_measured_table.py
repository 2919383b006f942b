"""nas_tf/tables/measured_table.py."""

import numpy as np
import pytest

from nas_tf.core import ConfigError
from nas_tf.spaces.choices import ChoiceSpace
from nas_tf.tables import query
from nas_tf.tables.measured_table import MeasuredTable

SPACE = ChoiceSpace("mlp", {"depth": (1, 2), "width": (16, 32)})
HEADER = (
    "architecture,validation_accuracy_4ep_1,validation_accuracy_4ep_2,validation_accuracy_8ep_1,"
    "validation_accuracy_8ep_2,test_accuracy_8ep_1,test_accuracy_8ep_2,training_time_sec_8ep"
)
ROWS = [
    '"{""depth"": 1, ""width"": 16}",0.1,0.2,0.3,0.4,0.25,0.35,100',
    '"{""depth"": 2, ""width"": 16}",0.5,0.6,0.7,0.8,0.65,0.85,300',
]


@pytest.fixture(name="table")
def _table(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([HEADER, *ROWS]))
    return MeasuredTable.load(path, SPACE, "digits")


def test_what_a_table_knows(table):
    assert (table.name, table.dataset, table.space) == ("mine", "digits", "mlp")
    assert (table.num_cells, table.num_repeats, table.epochs) == (2, 2, (4, 8))
    assert table.validation_accuracy(4).tolist() == [[0.1, 0.2], [0.5, 0.6]]
    np.testing.assert_allclose(table.test_accuracy(8), [0.3, 0.75])
    assert table.test_accuracy(4) is None
    assert repr(table) == "<MeasuredTable 'mine': 2 cells of mlp, 2 trainings of 4, 8 epochs>"


def test_times_of_shorter_trainings_are_in_proportion(table):
    assert table.training_time_sec(8).tolist() == [[100, 100], [300, 300]]
    assert table.training_time_sec(4).tolist() == [[50, 50], [150, 150]]


def test_a_budget_that_is_not_there(table):
    assert table.budget(None) == 8 and table.budget(4) == 4
    with pytest.raises(ConfigError, match="epochs=6: mine has 4, 8"):
        table.budget(6)


def test_cells_that_are_looked_up(table):
    columns = query(table, SPACE.enumerate_cells()[:3])
    assert columns["found"].tolist() == [True, False, True]
    assert columns["note"].tolist() == ["", "the cell is not in the table mine", ""]
    np.testing.assert_allclose(columns["validation_accuracy_8ep"], [0.35, np.nan, 0.75])
    np.testing.assert_allclose(columns["test_accuracy_8ep_2"], [0.35, np.nan, 0.85])
