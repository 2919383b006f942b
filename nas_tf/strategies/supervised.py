"""What the supervised counterparts of arch2vec's searches share.

Yan et al., 2020, arXiv:2006.06936, section 4.2: nothing is pre-trained, the encoder learns from
the accuracies of the cells that a run has queried.
"""

import dataclasses

from nas_tf import core
from nas_tf.config import FINITE, above, at_least, setting
from nas_tf.strategies.embedded import Embedded
from nas_tf.strategies.strategy import Needs, StudySetup


@dataclasses.dataclass(frozen=True)
class Supervised(Embedded):
    """Base of searches in embeddings that are learned on the way."""

    needs = Needs(abilities=("encode",))

    encoder_period: int = setting(
        16,
        "Queries between two trainings of a run's encoder on what the run has queried.",
        at_least(1),
    )
    encoder_steps: int = setting(
        50, "Batches of 32 cells in every training of an encoder.", at_least(1)
    )
    encoder_learning_rate: float = setting(5e-3, "Adam's learning rate of the encoders.", above(0))
    encoder_positions: bool = setting(
        True,
        "Let the encoder see every node's position, faintly; the paper's does not.",
        former="positions",
    )
    encoder_epsilon_start: float = setting(
        1.0,
        "Where the GIN layers' trainable epsilon starts; the released code's is 0.",
        FINITE,
        former="epsilon_start",
    )
    encoder_pooling: str = setting(
        "sum",
        "A cell's embedding over its nodes: sum (the paper) or mean (the released code).",
        ("sum", "mean"),
        former="pooling",
    )

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        from nas_tf.arch2vec.predictor import PredictorTraining
        from nas_tf.arch2vec.supervised import SupervisedSearch
        from nas_tf.pools.pool import each_once

        study = dataclasses.replace(study, cells=each_once(study.cells)[0])
        training = PredictorTraining.of_space(
            study.space,
            study.cells,
            positions=self.encoder_positions,
            epsilon_start=self.encoder_epsilon_start,
            pooling=self.encoder_pooling,
            learning_rate=self.encoder_learning_rate,
            devices=study.devices,
        )
        first = self.num_random()
        return SupervisedSearch(
            lambda embeddings: self.search_in(embeddings, study),
            study.cells,
            training,
            seeds=study.seeds,
            first=first[1] if first else 1,
            period=self.encoder_period,
            steps=self.encoder_steps,
            finish=self.searched,
            progress=True,
        )
