"""Batch normalisation on TensorFlow's fused kernel.

Keras 3 spells batch normalisation out in a dozen operations; the fused kernel is one, and one for
its gradient, which halves the time that small networks take to trace and to step.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("nas_tf")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the channels of images [B, H, W, C].

    On one replica it runs the fused kernel. On several it is Keras' synchronised layer, so that
    the statistics are those of the global batch either way.

    Args:
        momentum: how slowly the moving statistics follow.
        epsilon: added to the variance; the kernel wants at least 1.001e-5.
        **kwargs: the other arguments of the Keras layer.
    """

    def __init__(self, momentum: float = 0.99, epsilon: float = 1.001e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs | {"synchronized": True})

    def call(self, inputs, training=None, mask=None):
        """Normalises images [B, H, W, C]; see the Keras layer."""
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            return super().call(inputs, training=training, mask=mask)
        if not (training and self.trainable):
            return self._fused(inputs, self.moving_mean, self.moving_variance, False)[0]
        outputs, mean, variance = self._fused(inputs, None, None, True)
        follow = 1.0 - self.momentum
        biased = variance * _bias(inputs)  # Keras' moving variance is the biased one
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, biased)):
            moving.value.assign_sub((moving.value - batch) * follow)
        return outputs

    def _fused(self, inputs, mean, variance, training: bool):
        return tf.compat.v1.nn.fused_batch_norm(
            inputs,
            self.gamma,
            self.beta,
            mean=mean,
            variance=variance,
            epsilon=self.epsilon,
            is_training=training,
        )


def _bias(inputs: tf.Tensor):
    """Returns (m - 1) / m for the m values a channel has in the batch."""
    size = inputs.shape[:-1].num_elements()
    if size is None:
        size = tf.cast(tf.size(inputs) // inputs.shape[-1], inputs.dtype)
    return (size - 1) / size
