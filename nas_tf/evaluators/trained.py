"""Measuring architectures by training their networks.

Shapes: R runs, B suggestions a round.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from nas_tf import core
from nas_tf.evaluators.outcomes import Outcome, Outcomes
from nas_tf.spaces.architecture import Architecture
from nas_tf.spaces.space import SearchSpace


class Candidates(Protocol):
    """Trains architectures; see `evaluators.candidates`."""

    def identity(self, architecture: Architecture, epochs: int | None) -> Mapping[str, Any]:
        """Returns JSON values of everything that decides a training."""

    def train(self, architecture: Architecture, epochs: int | None, directory: Any) -> Outcome:
        """Trains one, or goes on with one whose checkpoints lie in the directory."""


class TrainedEvaluator(core.Evaluator):
    """Trains every architecture once, whichever run or job asks first.

    A candidate whose loss is no number, that needs too much memory or cannot be built is
    infeasible with its reason, and the search goes on. The cost of a query is the seconds that
    its training took, also where it was trained before: the books of a search do not depend on
    what others left. One that was killed in the midst goes on there.

    Args:
        space: of the cells; it turns them into architectures.
        candidates: trains them.
        outcomes: what is known of candidates.
        full_epochs: training epochs that make an incumbent.
        seeds: R seeds of the runs; the training has a seed of its own, so that runs share it.
        report: called with an architecture and what it came to, when it is first met.
    """

    def __init__(
        self,
        space: SearchSpace,
        candidates: Candidates,
        outcomes: Outcomes,
        *,
        full_epochs: int,
        seeds: Sequence[int] = (0,),
        report: Callable[[Architecture, Outcome], None] = lambda *unused: None,
    ):
        self._space, self._candidates, self._outcomes = space, candidates, outcomes
        self._full_epochs, self._report = full_epochs, report
        self._known: dict[tuple[int, int | None], Outcome] = {}

    def evaluate(self, suggestion: core.Suggestion, query: int) -> core.Evaluation:
        """Trains cells [R, B]; see `core.Evaluator`.

        Raises:
            core.Interrupted: a signal came; what was trained so far is saved.
        """
        cells, epochs = suggestion.cells, suggestion.epochs
        if epochs == self._full_epochs:
            epochs = None
        flat, keys = cells.reshape(-1), cells.keys.reshape(-1).tolist()
        for index, key in enumerate(keys):
            if (key, epochs) not in self._known:
                self._known[key, epochs] = self._measure(flat[index : index + 1], epochs)
        found = [self._known[key, epochs] for key in keys]
        shape = cells.shape
        return core.Evaluation(
            cells=cells,
            feasible=np.array([not one.reason for one in found]).reshape(shape),
            validation_accuracy=_column(found, "validation_accuracy", shape),
            test_accuracy=_column(found, "test_accuracy", shape),
            cost_sec=_column(found, "cost_sec", shape),
            reason=np.array([one.reason for one in found]).reshape(shape),
            full_budget=epochs is None,
        )

    def _measure(self, cell, epochs: int | None) -> Outcome:
        """Returns what is known of a cell [1], or trains it."""
        try:
            architecture = self._space.architectures(cell)[0]
        except core.InvalidArchitectureError as error:
            return Outcome.infeasible(str(error), 0.0)
        identity = self._candidates.identity(architecture, epochs)
        outcome = self._outcomes.find(identity)
        if outcome is None:
            with self._outcomes.claimed(identity) as directory:
                outcome = self._candidates.train(architecture, epochs, directory)
                self._outcomes.keep(identity, outcome)
        self._report(architecture, outcome)
        return outcome


def _column(outcomes: Sequence[Outcome], name: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.array([getattr(one, name) for one in outcomes], np.float64).reshape(shape)
