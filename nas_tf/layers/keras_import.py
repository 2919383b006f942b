"""Imports Keras, or tells in one line why it cannot be imported."""

import os

from nas_tf.core import ConfigError

HOW = "set KERAS_BACKEND=tensorflow before Python starts"

try:
    import keras as keras
except (ImportError, ValueError, TypeError, AttributeError, OSError) as error:
    # Of the backend that is set, or of a keras.json that is no such thing.
    raise ConfigError(
        f"Keras cannot be imported with KERAS_BACKEND={os.environ.get('KERAS_BACKEND')} "
        f"({' '.join(str(error).split())}); nas_tf runs on TensorFlow: {HOW}, "
        "and mend Keras' keras.json if it is damaged"
    ) from error
