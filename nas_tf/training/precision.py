"""Mixed precision: activations in 16 bits, weights in float32."""

from nas_tf.layers import backend as backend  # before Keras: refuses what does not do

import contextlib
from collections.abc import Iterator

import keras

from nas_tf.core import ConfigError

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@contextlib.contextmanager
def precision(name: str = "float32") -> Iterator[None]:
    """Within, layers are made for a format; build the model there.

        with precision(settings.precision):
            model = build_network(...)

    Args:
        name: "float32", "bfloat16" or "float16"; float16 needs `Trainer(loss_scaling=True)`.

    Raises:
        ConfigError: an unknown name.
    """
    if name not in _POLICIES:
        raise ConfigError(f"precision={name}: expected one of {', '.join(_POLICIES)}")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[name])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
