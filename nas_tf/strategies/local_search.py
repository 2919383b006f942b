"""Local search (White et al., 2020, arXiv:2005.02960)."""

import dataclasses

from nas_tf import core
from nas_tf.baselines import local_search
from nas_tf.config import setting
from nas_tf.strategies.neighbouring import Neighbouring
from nas_tf.strategies.papers import graphpnas_figure_2
from nas_tf.strategies.strategy import Needs, StudySetup


@dataclasses.dataclass(frozen=True)
class LocalSearch(Neighbouring):
    """Local search."""

    name = "local_search"
    title = "local search"
    needs = Needs(pool=False, abilities=("neighbours",))
    published = (graphpnas_figure_2(300, 0.94121),)

    full_neighbourhood: bool = setting(
        True,
        "Query all neighbours before moving to the best; otherwise move to the first better one.",
    )

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        return local_search.LocalSearch(
            study.cells,
            study.space,
            seeds=study.seeds,
            neighbour_edits=self.neighbour_edits,
            full_neighbourhood=self.full_neighbourhood,
        )
