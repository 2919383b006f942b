"""The supervised counterpart of arch2vec-BO."""

import dataclasses

from nas_tf.strategies.embedded import SurrogateSearch
from nas_tf.strategies.supervised import Supervised


@dataclasses.dataclass(frozen=True)
class SupervisedBO(Supervised, SurrogateSearch):
    """Supervised counterpart of arch2vec-BO."""

    name = "supervised_bo"
    title = "supervised BO"
    former_names = ("supervised_bayesian",)
