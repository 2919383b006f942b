"""What the searches in an embedding share: its scale, and the two searches with their settings."""

import dataclasses

import numpy as np

from nas_tf import core
from nas_tf.config import SHARE, above, at_least, setting
from nas_tf.strategies.strategy import Strategy, StudySetup


@dataclasses.dataclass(frozen=True)
class Embedded(Strategy):
    """Base of searches in an embedding."""

    standardize: bool = setting(
        True,
        "Scale the embedding of the table's cells to mean 0 and variance 1 in every dimension; the "
        "paper takes it as it is.",
    )

    def searched(self, embedding: np.ndarray) -> np.ndarray:
        """Returns the embedding that is searched, float32 [M, L]."""
        from nas_tf.arch2vec.embedding import standardized

        return standardized(embedding) if self.standardize else embedding

    def search_in(self, embedding, study: StudySetup) -> core.Strategy:
        """Returns a search in an embedding, float32 [M, L], or in those of every run."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class PolicySearch(Embedded):
    """REINFORCE with an LSTM policy in an embedding."""

    episode_length: int = setting(16, "Queries between two updates of the policy.", at_least(1))
    policy_learning_rate: float = setting(1e-2, "Adam's learning rate of the policy.", above(0))
    discount: float = setting(
        0.0,
        "Discount of later rewards; the released code has 0 in effect, the paper's text 0.8 (0.4 on "
        "NAS-Bench-201).",
        SHARE,
    )
    baseline: float | None = setting(
        None,
        "Accuracy, in [0, 1], that is neither good nor bad; 'none' is the mean of the run's rewards "
        "so far. The paper has 0.95 on NAS-Bench-101, 0.4 on NAS-Bench-201.",
        SHARE,
    )
    embedding_scale: float = setting(
        0.1,
        "Factor on the embedding (see --standardize) beside the policy's noise, which is 1: small "
        "ones make actions lie beyond the cells, so that the outermost cells are tried first.",
        above(0),
    )

    def searched(self, embedding: np.ndarray) -> np.ndarray:
        """Returns the embedding beside the noise of the policy, float32 [M, L]."""
        return np.float32(self.embedding_scale) * super().searched(embedding)

    def search_in(self, embedding, study: StudySetup) -> core.Strategy:
        """See `Embedded.search_in`."""
        from nas_tf.arch2vec.reinforce import ReinforceSearch

        return ReinforceSearch(
            embedding,
            study.cells,
            seeds=study.seeds,
            episode_length=self.episode_length,
            learning_rate=self.policy_learning_rate,
            discount=self.discount,
            baseline=self.baseline,
            devices=study.devices,
        )


@dataclasses.dataclass(frozen=True)
class SurrogateSearch(Embedded):
    """Bayesian optimisation by DNGO in an embedding."""

    num_initial: int = setting(16, "Random cells before the first surrogate.", at_least(1))
    batch_queries: int = setting(
        5, "Cells a round: 5 on NAS-Bench-101 and 1 on NAS-Bench-201 in the paper.", at_least(1)
    )
    target_accuracy: float | None = setting(
        0.95,
        "Accuracy to improve on, in [0, 1]: 0.95 on NAS-Bench-101, 1 on NAS-Bench-201; 'none' is "
        "the best of the run so far.",
        SHARE,
    )
    surrogate_epochs: int = setting(
        100, "Steps of every training of a surrogate, DNGO.", at_least(1)
    )
    surrogate_learning_rate: float = setting(
        1e-2, "Adam's learning rate of the surrogate.", above(0)
    )

    def num_random(self) -> tuple[str, int]:
        """See `Strategy.num_random`."""
        return "num_initial", self.num_initial

    def search_in(self, embedding, study: StudySetup) -> core.Strategy:
        """See `Embedded.search_in`."""
        from nas_tf.arch2vec.bayesian import BayesianSearch

        return BayesianSearch(
            embedding,
            study.cells,
            seeds=study.seeds,
            num_initial=self.num_initial,
            batch_size=self.batch_queries,
            target=self.target_accuracy,
            epochs=self.surrogate_epochs,
            learning_rate=self.surrogate_learning_rate,
            devices=study.devices,
        )
