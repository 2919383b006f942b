"""Random search (Li and Talwalkar, 2019, arXiv:1902.07638)."""

import dataclasses

from nas_tf import core
from nas_tf.baselines import random_search
from nas_tf.strategies.papers import arch2vec_table_3, graphpnas_figure_2
from nas_tf.strategies.strategy import Needs, Strategy, StudySetup


@dataclasses.dataclass(frozen=True)
class RandomSearch(Strategy):
    """Random search."""

    name = "random"
    title = "random search"
    needs = Needs(pool=False)
    is_random = True
    published = (
        graphpnas_figure_2(300, 0.93587),
        *arch2vec_table_3(cifar10=0.9375, cifar100=0.7205),
    )

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        return random_search.RandomSearch(study.cells, space=study.space, seeds=study.seeds)
