"""nas_tf/pools/record.py: what is told on the way is what the history says."""

import numpy as np

from nas_tf import core
from nas_tf.pools.record import Record


def test_the_incumbents_on_the_way_are_those_of_the_history():
    """Few cells and coarse numbers: leaders are measured again, better, worse and equal."""
    rng = np.random.default_rng(0)
    record = Record(40)
    for _ in range(25):
        accuracy = np.where(rng.random(40) < 0.1, np.nan, rng.integers(1, 6, 40) / 10)
        record.add_column(
            key=rng.integers(1, 5, 40).astype(np.uint64), validation_accuracy=accuracy,
            test_accuracy=accuracy / 2, cost_sec=np.ones(40), partial=np.zeros(40, bool),
        )
        history, runs = record.history(), np.arange(40)
        last = history.incumbent()[:, -1]
        assert isinstance(history, core.History)
        for name, column in (("validation", history.validation_accuracy), ("test", history.test_accuracy)):
            told = record.summary()[f"incumbent_{name}_accuracy"]
            np.testing.assert_allclose(told, np.nanmean(column[runs, last]))
