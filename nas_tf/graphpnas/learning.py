"""How a generator learns from a run's cells: GraphPNAS (Li et al., 2022), section 3.3, appendix F.

Shapes: G cells of a buffer, A graphs drawn after a fit.
"""

import dataclasses

import numpy as np

from nas_tf.core import ceil_div
from nas_tf.graphpnas import replay


@dataclasses.dataclass(frozen=True)
class Learning:
    """How a generator learns; the recipe (`strategies.graph_generator`) checks the ranges.

    Attributes:
        objective: one of `replay.OBJECTIVES`.
        beta: weight of cells below the mean reward in the "reweighted" objective.
        reward_size: the "reweighted" objective counts a cell by the size of its reward.
        per_decision: 1 - P^(1/D) in the place of 1 - P; see `fitting`.
        keep_top: cells of the buffer; None keeps a share.
        shares: kept at the first and at the last query.
        total_queries: of a run, over which the share shrinks.
        epochs: passes over the buffer in a fit; more over one that infeasible cells left smaller.
        batch_size: graphs of a gradient step.
        learning_rate: of Adam.
        clip_norm: bound on a run's gradient; None is no bound.
        period: queries between two fits.
        num_samples: A.
        temperature: half of the graphs are drawn as the generator has them, a quarter with logits
            divided by this, a quarter with logits divided by its square; see `search.GraphSearch`.
        restart: begin every fit with new weights.
    """

    objective: str = "reweighted"
    beta: float = 0.1
    reward_size: bool = False
    per_decision: bool = False
    keep_top: int | None = 30
    shares: tuple[float, float] = (0.3, 0.1)
    total_queries: int = 300
    epochs: int = 70
    batch_size: int = 2
    learning_rate: float = 1e-3
    clip_norm: float | None = 1.0
    period: int = 10
    num_samples: int = 200
    temperature: float = 2.0
    restart: bool = False

    def buffer_size(self, queries: int) -> int:
        """Returns G, how many of a run's cells are learned from after so many queries."""
        return replay.buffer_size(
            queries, keep_top=self.keep_top, shares=self.shares, total=self.total_queries
        )

    def num_steps(self, queries: int) -> int:
        """Returns the gradient steps of a fit after so many queries."""
        return self.epochs * ceil_div(self.buffer_size(queries), self.batch_size)

    def temperatures(self) -> np.ndarray:
        """Returns what the logits of the graphs drawn are divided by, float32 [A]."""
        count, rise = self.num_samples, self.temperature
        sizes = [count - count // 4 - count // 4, count // 4, count // 4]
        return np.repeat(np.float32([1.0, rise, rise**2]), sizes)
