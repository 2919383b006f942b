"""Keras as the library needs it, checked before the first of its layers is defined.

Keras reads its backend and number format from the environment and from `keras.json` when it is
first imported. The modules that need TensorFlow beside Keras import this one before anything else.
What needs no Keras (spaces, tables) works beside any backend, and so do networks and the layers of
images, which do not import this module.
"""

import os

from nas_tf.core import ConfigError
from nas_tf.layers.keras_import import HOW, keras


def check(backend: str, floatx: str) -> None:
    """Checks what Keras was imported with.

    Args:
        backend: its backend.
        floatx: its number format.

    Raises:
        ConfigError: the library does not run on that.
    """
    if backend != "tensorflow":
        raise ConfigError(f"Keras runs on {backend}; nas_tf runs on TensorFlow: {HOW}")
    if floatx != "float32":
        raise ConfigError(
            f"Keras' floatx is {floatx}; nas_tf computes in float32: call "
            "keras.config.set_floatx('float32') before importing it, or mend keras.json"
        )
    if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true"):
        raise ConfigError("TF_USE_LEGACY_KERAS is set; nas_tf needs Keras 3: unset it")


check(keras.config.backend(), keras.config.floatx())
