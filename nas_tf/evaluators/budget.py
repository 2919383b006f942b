"""Budgets of a search: how many queries, or how many seconds of training, a run may spend.

Shapes: R runs.
"""

import dataclasses
import math

import numpy as np

from nas_tf import core


@dataclasses.dataclass(frozen=True)
class Budget:
    """What each run may spend; whichever limit comes first ends the run.

    As in the official NAS-Bench-101 example, the query that reaches the cost budget still
    counts: a run ends once its cost is at least the budget.

    Attributes:
        num_queries: most queries of a run; None leaves it to the cost.
        cost_budget_sec: training seconds of a run; None leaves it to the queries.
    """

    num_queries: int | None = None
    cost_budget_sec: float | None = None

    def __post_init__(self):
        """Raises ConfigError for a limit that is not positive, or when there is none."""
        if self.num_queries is None and self.cost_budget_sec is None:
            raise core.ConfigError(
                "no budget: set num_queries, cost_budget_sec or both to a positive number"
            )
        if self.num_queries is not None and self.num_queries < 1:
            raise core.ConfigError(
                f"num_queries={self.num_queries}: a run needs at least one query"
            )
        cost = self.cost_budget_sec
        if cost is not None and not (cost > 0 and math.isfinite(cost)):
            raise core.ConfigError(
                f"cost_budget_sec={cost}: expected a positive number of seconds"
            )

    def active(self, num_queries: int, cost_sec: np.ndarray) -> np.ndarray:
        """Returns bool [R]: the run may make another query.

        Args:
            num_queries: queries already made in each run.
            cost_sec: float64 [R], training seconds each run has spent.
        """
        active = np.ones(cost_sec.shape, bool)
        if self.num_queries is not None:
            active &= num_queries < self.num_queries
        if self.cost_budget_sec is not None:
            active &= cost_sec < self.cost_budget_sec
        return active

    def batch_size(self, num_queries: int, suggested: int) -> int:
        """Returns how many of `suggested` cells a run may still query, at least one.

        Args:
            num_queries: queries already made in each run; below the limit.
            suggested: B of the suggestion.
        """
        if self.num_queries is None:
            return suggested
        return min(suggested, self.num_queries - num_queries)
