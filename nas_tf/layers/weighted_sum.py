"""Sum of images with learned positive weights (RandWire: Xie et al., 2019, arXiv:1904.01569)."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("nas_tf")
class WeightedSum(keras.layers.Layer):
    """y = sum over i of sigmoid(w_i) x_i, for images x_i of one shape; every w_i starts at 0.

    It takes a list of tensors, at least one, and returns a tensor of their shape.
    """

    def build(self, input_shape):
        """Makes a weight for each input."""
        self.logits = self.add_weight(
            name="logits", shape=(len(input_shape),), initializer="zeros"
        )
        self.built = True

    def call(self, inputs):
        """Adds a list of images [B, H, W, C]."""
        # Taken apart at once: a slice for each weight is slow to trace and to differentiate.
        weights = ops.unstack(ops.sigmoid(self.logits), len(inputs))
        total = weights[0] * inputs[0]
        for weight, image in zip(weights[1:], inputs[1:]):
            total = total + weight * image
        return total

    def compute_output_shape(self, input_shape):
        """Returns the shape of an input."""
        return tuple(input_shape[0])
