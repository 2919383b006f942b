"""arch2vec-BO (Yan et al., 2020, arXiv:2006.06936, section 3.3)."""

import dataclasses

from nas_tf import core
from nas_tf.strategies.embedded import SurrogateSearch
from nas_tf.strategies.papers import arch2vec_table_3
from nas_tf.strategies.strategy import Needs, StudySetup


@dataclasses.dataclass(frozen=True)
class Arch2vecBO(SurrogateSearch):
    """arch2vec-BO."""

    name = "arch2vec_bo"
    title = "arch2vec-BO"
    needs = Needs(embedding=True)
    published = arch2vec_table_3(cifar10=0.9418, cifar100=0.7337)
    former_names = ("bayesian",)

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        return self.search_in(self.searched(study.embedding), study)
