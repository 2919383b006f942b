"""BANANAS (White et al., 2019, arXiv:1910.11858)."""

import dataclasses

from nas_tf import core
from nas_tf.config import above, at_least, setting
from nas_tf.strategies.neighbouring import Neighbouring
from nas_tf.strategies.papers import graphpnas_figure_2
from nas_tf.strategies.strategy import Needs, StudySetup


@dataclasses.dataclass(frozen=True)
class Bananas(Neighbouring):
    """BANANAS."""

    name = "bananas"
    title = "BANANAS"
    needs = Needs(abilities=("neighbours",))
    published = (graphpnas_figure_2(300, 0.94094),)

    bananas_initial: int = setting(10, "Random cells before the first ensemble.", at_least(1))
    bananas_round: int = setting(
        10, "Cells queried between two trainings of the ensemble.", at_least(1)
    )
    num_parents: int = setting(10, "Best cells whose neighbours are candidates.", at_least(1))
    num_candidates: int = setting(100, "Candidates of a round, at most.", at_least(1))
    path_length: int = setting(
        3, "Operations of the longest path that is encoded.", at_least(1)
    )
    ensemble_size: int = setting(5, "Networks of an ensemble.", at_least(1))
    ensemble_layers: int = setting(10, "Hidden layers of a network.", at_least(1))
    ensemble_width: int = setting(20, "Units of a hidden layer.", at_least(1))
    ensemble_epochs: int = setting(
        150, "Passes of every training over a run's queries.", at_least(1)
    )
    ensemble_batch_size: int = setting(
        32, "Queries a step of a training sees.", at_least(1)
    )
    ensemble_learning_rate: float = setting(
        1e-2, "Adam's learning rate of the ensemble.", above(0)
    )

    def num_random(self) -> tuple[str, int]:
        """See `Strategy.num_random`."""
        return "bananas_initial", self.bananas_initial

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        from nas_tf.baselines import bananas

        return bananas.Bananas(
            study.cells,
            study.space,
            seeds=study.seeds,
            neighbour_edits=self.neighbour_edits,
            num_initial=self.bananas_initial,
            round_size=self.bananas_round,
            num_parents=self.num_parents,
            num_candidates=self.num_candidates,
            path_length=self.path_length,
            ensemble_size=self.ensemble_size,
            num_layers=self.ensemble_layers,
            layer_width=self.ensemble_width,
            epochs=self.ensemble_epochs,
            batch_size=self.ensemble_batch_size,
            learning_rate=self.ensemble_learning_rate,
            devices=study.devices,
        )
