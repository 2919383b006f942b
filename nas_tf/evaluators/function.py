"""Measuring cells by calling a function, such as one that trains a user's own network.

Shapes: R runs, B suggestions a round.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nas_tf import core
from nas_tf.spaces.space import SearchSpace


class FunctionEvaluator(core.Evaluator):
    """Calls a function for every architecture once, whichever run asks first.

    Args:
        measure: takes what the space's `to_values` makes of a cell (the cell itself, where the
            space has no such form) and returns a validation accuracy in [0, 1], or that and a test
            accuracy. An architecture for which it raises `InvalidArchitectureError`, or whose
            validation accuracy is NaN, is infeasible; a test accuracy of NaN is not known.
        space: of the cells.
        seeds: R seeds of the runs.
    """

    def __init__(
        self, measure: Callable[[Any], Any], space: SearchSpace, seeds: Sequence[int]
    ):
        self._measure, self._space, self._num_runs = measure, space, len(seeds)
        self._known: dict[int, tuple[float, float, float, str]] = {}

    def evaluate(self, suggestion: core.Suggestion, query: int) -> core.Evaluation:
        """Measures cells [R, B]; the cost of one is the seconds that the function took.

        Raises:
            core.ConfigError: the function returns no accuracy in [0, 1].
        """
        cells = suggestion.cells
        flat, keys = cells.reshape(-1), cells.keys.reshape(-1)
        for index, key in enumerate(keys.tolist()):
            if key not in self._known:
                self._known[key] = self._call(flat[index : index + 1])
        found = [self._known[key] for key in keys.tolist()]
        validation, test, cost, reason = (np.array(part) for part in zip(*found, strict=True))
        shape = cells.shape
        return core.Evaluation(
            cells=cells,
            feasible=~np.isnan(validation).reshape(shape),
            validation_accuracy=validation.reshape(shape),
            test_accuracy=test.reshape(shape),
            cost_sec=cost.reshape(shape),
            reason=reason.reshape(shape),
        )

    def _call(self, cell) -> tuple[float, float, float, str]:
        """Returns validation accuracy, test accuracy, seconds, and why it is infeasible."""
        told = self._space.has("to_values")
        value = self._space.to_values(cell)[0] if told else cell.reshape()
        started = time.monotonic()
        try:
            found = self._measure(value)
        except core.InvalidArchitectureError as error:
            return np.nan, np.nan, time.monotonic() - started, str(error)
        cost = time.monotonic() - started
        try:
            accuracies = np.atleast_1d(np.array(-1.0 if found is None else found, np.float64))
        except (TypeError, ValueError):
            accuracies = np.array([-1.0])
        outside = (accuracies < 0) | (accuracies > 1)
        if accuracies.shape not in ((1,), (2,)) or outside.any():
            raise core.ConfigError(
                f"measure({value}) returned {found!r}: expected a validation accuracy in [0, 1], "
                "or that and a test accuracy"
            )
        validation, test = accuracies[0], accuracies[1] if len(accuracies) == 2 else np.nan
        reason = "its validation accuracy is NaN" if np.isnan(validation) else ""
        return validation, np.nan if reason else test, cost, reason
