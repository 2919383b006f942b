"""REINFORCE over categorical decisions (Ying et al., 2019, arXiv:1902.09635)."""

import dataclasses

from nas_tf import core
from nas_tf.baselines import categorical_reinforce
from nas_tf.config import Expected, above, setting
from nas_tf.strategies.strategy import Needs, Strategy, StudySetup


@dataclasses.dataclass(frozen=True)
class Reinforce(Strategy):
    """REINFORCE over categorical decisions."""

    name = "categorical_reinforce"
    title = "REINFORCE"
    needs = Needs(pool=False, abilities=("decisions",))
    former_names = ("reinforce",)

    logits_optimizer: str = setting(
        "sgd",
        "Plain gradient ascent (NAS-Bench-101's study) or Adam (NAS-Bench-201's).",
        ("sgd", "adam"),
    )
    logits_learning_rate: float = setting(0.1, "Learning rate of the logits.", above(0))
    baseline_momentum: float = setting(
        0.9,
        "Of the moving average of accuracies.",
        Expected("0 to below 1", lambda value: 0 <= value < 1),
    )

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        return categorical_reinforce.CategoricalReinforce(
            study.cells,
            study.space.decisions(study.cells),
            space=study.space,
            seeds=study.seeds,
            learning_rate=self.logits_learning_rate,
            baseline_momentum=self.baseline_momentum,
            optimizer=self.logits_optimizer,
        )
