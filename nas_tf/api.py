"""What Python users call: `nas_tf.pretrain`, `search`, `compare`, `build`, `train`, ..., and what
these return.

The jobs of the command call the same functions.
"""

from nas_tf.networks.registry import build, multiply_adds, parameters
from nas_tf.studies.architectures import architecture
from nas_tf.studies.comparison import Comparison, compare
from nas_tf.studies.encoder import Encoder
from nas_tf.studies.encoder_training import pretrain
from nas_tf.studies.exporting import export
from nas_tf.studies.loading import FinishedJob, load
from nas_tf.studies.prediction import Predictions, predict
from nas_tf.studies.searching import search
from nas_tf.studies.study import Study
from nas_tf.studies.trained_network import TrainedNetwork
from nas_tf.studies.training import train

__all__ = [
    "Comparison", "Encoder", "FinishedJob", "Predictions", "Study", "TrainedNetwork",
    "architecture", "build", "compare", "export", "load", "multiply_adds", "parameters", "predict",
    "pretrain", "search", "train",
]
