"""Batch normalisation on TensorFlow's fused kernel.

Keras 3 spells batch normalisation out in a dozen operations; the fused kernel is one, and one for
its gradient, which halves the time that small networks take to trace and to step. On another
backend than TensorFlow the layer is Keras' own.
"""

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
else:
    tf = None


@keras.saving.register_keras_serializable("nas_tf")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the channels of images [B, H, W, C].

    On one replica it runs the fused kernel, which takes images of half precision as they are. On
    several it is Keras' synchronised layer, so that the statistics are those of the global batch
    either way. The moving variance is the biased one, as in Keras.

    Args:
        momentum: how slowly the moving statistics follow; the default is PyTorch's.
        epsilon: added to the variance; the default is PyTorch's.
        **kwargs: the other arguments of the Keras layer.
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)
        self.synchronized = tf is not None  # Keras knows it with TensorFlow alone

    def call(self, inputs, training=None, mask=None):
        """Normalises images [B, H, W, C]; see the Keras layer."""
        if not self._fits(inputs, mask):
            return super().call(inputs, training=training, mask=mask)
        if not (training and self.trainable):
            return self._fused(inputs, self.moving_mean, self.moving_variance, False)[0]
        outputs, mean, variance = self._fused(inputs, (), (), True)
        follow = 1.0 - self.momentum
        biased = variance * _bias(inputs)  # Keras' moving variance is the biased one
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, biased)):
            moving.value.assign_sub((moving.value - batch) * follow)
        return outputs

    def _fits(self, inputs, mask) -> bool:
        """Tells whether the fused kernel does here what the Keras layer would."""
        return (
            tf is not None
            and mask is None
            and inputs.dtype in (tf.float32, tf.float16, tf.bfloat16)
            and tf.distribute.get_strategy().num_replicas_in_sync == 1
        )

    def _fused(self, inputs, mean, variance, training: bool):
        channels = inputs.shape[-1]
        return tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma.value if self.scale else tf.ones([channels]),
            offset=self.beta.value if self.center else tf.zeros([channels]),
            mean=tf.zeros([0]) if training else mean.value,
            variance=tf.zeros([0]) if training else variance.value,
            epsilon=self.epsilon,
            is_training=training,
        )[:3]


def _bias(inputs):
    """Returns (m - 1) / m for the m values a channel has in the batch."""
    size = inputs.shape[:-1].num_elements()
    if size is None:
        size = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
    return (size - 1) / size
