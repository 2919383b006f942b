"""The supervised counterpart of arch2vec-RL."""

import dataclasses

from nas_tf.strategies.embedded import PolicySearch
from nas_tf.strategies.supervised import Supervised


@dataclasses.dataclass(frozen=True)
class SupervisedRL(Supervised, PolicySearch):
    """Supervised counterpart of arch2vec-RL."""

    name = "supervised_rl"
    title = "supervised RL"
    former_names = ("supervised_reinforce",)
