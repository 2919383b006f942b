"""Regularized evolution (Real et al., 2019, arXiv:1802.01548)."""

import dataclasses

from nas_tf import core
from nas_tf.baselines import evolution
from nas_tf.config import at_least, setting
from nas_tf.strategies.neighbouring import Neighbouring
from nas_tf.strategies.papers import arch2vec_table_3
from nas_tf.strategies.strategy import Needs, StudySetup


@dataclasses.dataclass(frozen=True)
class RegularizedEvolution(Neighbouring):
    """Regularized evolution."""

    name = "evolution"
    title = "regularized evolution"
    needs = Needs(pool=False, abilities=(("neighbours", "mutate"),))
    published = arch2vec_table_3(cifar10=0.9384, cifar100=0.7286)

    population_size: int = setting(
        100, "Cells that live at a time; the oldest leaves.", at_least(1)
    )
    tournament_size: int = setting(
        10, "Members drawn, of which the most accurate has a child.", at_least(1)
    )

    def __post_init__(self):
        super().__post_init__()
        members = self.population_size
        self.require(
            self.tournament_size <= members, "tournament_size", f"1 to the population's {members}"
        )

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        return evolution.RegularizedEvolution(
            study.cells,
            study.space,
            seeds=study.seeds,
            neighbour_edits=self.neighbour_edits,
            population_size=self.population_size,
            tournament_size=self.tournament_size,
        )
