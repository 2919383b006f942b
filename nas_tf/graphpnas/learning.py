"""How a generator learns from a run's cells: GraphPNAS (Li et al., 2022), section 3.3, appendix F.

Shapes: A graphs drawn after a fit.
"""

import dataclasses

import numpy as np

from nas_tf.core import ConfigError
from nas_tf.graphpnas import replay


@dataclasses.dataclass(frozen=True)
class Learning:
    """How a generator learns.

    Attributes:
        objective: one of `replay.OBJECTIVES`.
        beta: weight of cells below the mean reward in the "reweighted" objective.
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

    Raises:
        ConfigError: a number is out of range.
    """

    objective: str = "reweighted"
    beta: float = 0.1
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

    def __post_init__(self):
        for name in ("total_queries", "epochs", "batch_size", "period", "num_samples"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)}: expected at least 1")
        if self.objective not in replay.OBJECTIVES:
            raise ConfigError(
                f"objective={self.objective!r}: expected one of {', '.join(replay.OBJECTIVES)}"
            )
        replay.check_buffer(self.keep_top, self.shares, self.beta)
        if not 0 < self.learning_rate < np.inf:
            raise ConfigError(f"learning_rate={self.learning_rate}: expected a positive number")
        if not 1 <= self.temperature <= 8:  # far above, what is no choice would be drawn
            raise ConfigError(f"temperature={self.temperature}: expected a number from 1 to 8")
        if self.clip_norm is not None and not 0 < self.clip_norm < np.inf:
            raise ConfigError(f"clip_norm={self.clip_norm}: expected a positive number")
