"""Keras as the library needs it, checked before the first of its layers is defined.

Keras reads its backend and number format from the environment and from `keras.json` when it is
first imported. The packages that hold Keras code import this module before anything else; what
needs no Keras (spaces, tables) works beside any backend.
"""

import os

from nas_tf.core import ConfigError

_HOW = "set KERAS_BACKEND=tensorflow before Python starts"


def check(backend: str, floatx: str) -> None:
    """Checks what Keras was imported with.

    Args:
        backend: its backend.
        floatx: its number format.

    Raises:
        ConfigError: the library does not run on that.
    """
    if backend != "tensorflow":
        raise ConfigError(f"Keras runs on {backend}; nas_tf runs on TensorFlow: {_HOW}")
    if floatx != "float32":
        raise ConfigError(
            f"Keras' floatx is {floatx}; nas_tf computes in float32: call "
            "keras.config.set_floatx('float32') before importing it, or mend keras.json"
        )
    if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true"):
        raise ConfigError("TF_USE_LEGACY_KERAS is set; nas_tf needs Keras 3: unset it")


try:
    import keras
except (ImportError, ValueError, TypeError, AttributeError, OSError) as error:
    # Of the backend that is set, or of a keras.json that is no such thing.
    raise ConfigError(
        f"Keras cannot be imported with KERAS_BACKEND={os.environ.get('KERAS_BACKEND')} "
        f"({' '.join(str(error).split())}); nas_tf runs on TensorFlow: {_HOW}, "
        "and mend Keras' keras.json if it is damaged"
    ) from error

check(keras.config.backend(), keras.config.floatx())
