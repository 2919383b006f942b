"""The last layer of a trained network: probabilities, and the names of what they are of."""

from collections.abc import Sequence

import keras
from keras import ops


@keras.saving.register_keras_serializable("nas_tf")
class ClassProbabilities(keras.layers.Layer):
    """Softmax of logits [B, K], which carries the names of the K classes.

    Args:
        class_names: of the K classes, in the order of the logits.
        **kwargs: of a Keras layer. It computes in float32, whatever the network does.
    """

    def __init__(self, class_names: Sequence[str], **kwargs):
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.class_names = tuple(map(str, class_names))

    def call(self, logits):
        """Returns float32 probabilities [B, K]."""
        return ops.softmax(logits, axis=-1)

    def compute_output_shape(self, input_shape):
        """As the logits."""
        return input_shape

    def get_config(self):
        """What `from_config` needs."""
        return {**super().get_config(), "class_names": list(self.class_names)}
