"""How functions of tensors are put into `tf.data` pipelines."""

from collections.abc import Callable

import tensorflow as tf

as_written = tf.autograph.experimental.do_not_convert


def parallel_map(dataset: tf.data.Dataset, function: Callable) -> tf.data.Dataset:
    """Returns a data set mapped in parallel, in its order.

    AutoGraph does not convert the function, which may have no Python branch on a tensor: the
    conversion would take seconds whenever a program starts.
    """
    return dataset.map(
        as_written(function), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
