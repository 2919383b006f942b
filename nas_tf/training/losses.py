"""Losses and measures of classification.

Shapes: b images, K classes.
"""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import tensorflow as tf

from nas_tf.training.steps import LossFunction

METRIC_NAMES = ("accuracy",)


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
    """Returns the cross-entropy of every image, float32 [b].

    Args:
        logits: [b, K], any format; computed in float32.
        labels: int [b].
        smoothing: share of the label that all classes get alike (Szegedy et al., 2016,
            arXiv:1512.00567, section 7).
    """
    logits = tf.cast(logits, tf.float32)
    right = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if not smoothing:
        return right
    uniform = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
    return (1.0 - smoothing) * right + smoothing * uniform


def classification_loss(*, smoothing: float = 0.0, auxiliary_weight: float = 0.0) -> LossFunction:
    """Returns a loss for `Trainer` of batches of `image` and `label`.

    In training the loss has smoothed labels and, where the model has a second output, that
    auxiliary head's loss; measured is the plain cross-entropy of the first output.

    Args:
        smoothing: as in `cross_entropy`.
        auxiliary_weight: of the auxiliary head's loss.
    """
    def loss_fn(model, batch, random, training):
        del random  # layers have it
        outputs = model(batch["image"], training=training)
        logits, *auxiliary = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        labels = batch["label"]
        loss = cross_entropy(logits, labels, smoothing if training else 0.0)
        if training and auxiliary and auxiliary_weight:
            loss += auxiliary_weight * cross_entropy(auxiliary[0], labels, smoothing)
        right = tf.argmax(logits, axis=-1, output_type=tf.int32) == tf.cast(labels, tf.int32)
        return {"loss": loss, "accuracy": tf.cast(right, tf.float32)}

    return loss_fn


def class_outputs(model, batch) -> dict[str, tf.Tensor]:
    """Returns probabilities [b, K], labels [b] and indices [b] of a batch, for `Trainer.predict`.
    """
    outputs = model(batch["image"], training=False)
    logits = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    found = {"probabilities": tf.nn.softmax(tf.cast(logits, tf.float32))}
    return found | {name: batch[name] for name in ("label", "index", "weight") if name in batch}
