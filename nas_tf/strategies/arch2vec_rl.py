"""arch2vec-RL (Yan et al., 2020, arXiv:2006.06936, section 3.3)."""

import dataclasses

from nas_tf import core
from nas_tf.strategies.embedded import PolicySearch
from nas_tf.strategies.papers import arch2vec_table_2, arch2vec_table_3
from nas_tf.strategies.strategy import Needs, StudySetup


@dataclasses.dataclass(frozen=True)
class Arch2vecRL(PolicySearch):
    """arch2vec-RL."""

    name = "arch2vec_rl"
    title = "arch2vec-RL"
    needs = Needs(embedding=True)
    published = (
        arch2vec_table_2(400, 0.9410),
        *arch2vec_table_3(cifar10=0.9412, cifar100=0.7315),
    )
    former_names = ("reinforce",)

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        return self.search_in(self.searched(study.embedding), study)
