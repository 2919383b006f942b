"""What Python users call: `nas_tf.pretrain`, `search`, `compare` and `load`, and what these return.

The jobs of the command call the same functions.
"""

from nas_tf.studies.comparison import Comparison, compare
from nas_tf.studies.encoder import Encoder
from nas_tf.studies.encoder_training import pretrain
from nas_tf.studies.loading import FinishedJob, load
from nas_tf.studies.searching import search
from nas_tf.studies.study import Study

__all__ = [
    "Comparison", "Encoder", "FinishedJob", "Study", "compare", "load", "pretrain", "search",
]
