"""Settings of a study, whatever its strategy."""

import dataclasses

from nas_tf.config import SEED, Component, above, at_least, setting
from nas_tf.evaluators.budget import Budget


@dataclasses.dataclass(frozen=True)
class SearchSettings(Component):
    """The study: runs and budget."""

    seed: int = setting(0, "Seed of the study; run r of a study is seeded with SEED + r.", SEED)
    num_runs: int = setting(500, "Independent runs of the study.", at_least(1))
    num_queries: int | None = setting(
        150, "Cells a run may query; 'none' leaves it to the cost.", at_least(1)
    )
    cost_budget_sec: float | None = setting(
        None,
        "Training seconds a run may spend, as the table has them; whichever ends first.",
        above(0),
    )

    def budget(self) -> Budget:
        """Returns what each run may spend.

        Raises:
            ConfigError: there is no limit.
        """
        return Budget(self.num_queries, self.cost_budget_sec)

    @property
    def seeds(self) -> list[int]:
        """Seeds of the runs."""
        return [self.seed + run for run in range(self.num_runs)]
