"""BOHB (Falkner et al., 2018, arXiv:1807.01774)."""

import dataclasses

from nas_tf import core
from nas_tf.baselines import bohb
from nas_tf.config import SHARE, at_least, setting, within
from nas_tf.core import ConfigError
from nas_tf.evaluators.budget import Budget
from nas_tf.strategies.strategy import Needs, Strategy, StudySetup


@dataclasses.dataclass(frozen=True)
class Bohb(Strategy):
    """BOHB."""

    name = "bohb"
    title = "BOHB"
    needs = Needs(abilities=("decisions",), several_epochs=True)

    eta: int = setting(3, "One of so many cells advances to a longer training.", at_least(2))
    random_fraction: float = setting(
        0.3333, "Of the new cells; the others follow the model.", SHARE
    )
    bohb_samples: int = setting(64, "Codes drawn from the model for a new cell.", at_least(1))
    top_percent: int = setting(15, "Of the codes, which are the model's good ones.", within(1, 99))
    min_points: int | None = setting(
        None,
        "Good codes, and others, without which there is no model; one more than decisions.",
        at_least(1),
    )
    min_bandwidth: float = setting(0.3, "Of every decision's kernel.", within(1e-9, 1, "0 to 1"))

    def check(self, budget: Budget, epochs: tuple[int, ...]) -> None:
        """See `Strategy.check`."""
        if len(epochs) < 2:
            raise ConfigError(
                "BOHB needs two training budgets or more, as nasbench_full.tfrecord has or a CSV "
                "file with accuracies after several numbers of epochs; this table has one, "
                f"{epochs[0]} epochs"
            )
        needed = bohb.first_full_query(len(epochs), self.eta)
        if budget.num_queries is not None and budget.num_queries < needed:
            raise ConfigError(
                f"num_queries={budget.num_queries}: BOHB's first training of {epochs[-1]} epochs "
                f"is query {needed} with eta={self.eta}"
            )

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        return bohb.Bohb(
            study.cells,
            study.space.decisions(study.cells),
            seeds=study.seeds,
            epochs=study.epochs,
            eta=self.eta,
            random_fraction=self.random_fraction,
            num_samples=self.bohb_samples,
            top_percent=self.top_percent,
            min_points=self.min_points,
            min_bandwidth=self.min_bandwidth,
        )
