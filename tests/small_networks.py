"""A network that takes a moment to build, with all that packaging has to cope with."""

import keras
import numpy as np

CLASSES = ("cat", "dog", "owl")
MEAN, STD = (120.0, 100.0, 80.0), (60.0, 50.0, 40.0)


def small_network(auxiliary: bool = False, size: int = 8) -> keras.Model:
    """Returns a network from normalised images [B, size, size, 3] to three logits."""
    images = keras.Input((size, size, 3))
    net = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)(images)
    net = keras.layers.BatchNormalization()(net)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(net))
    outputs = [keras.layers.Dense(3)(pooled)]
    if auxiliary:
        outputs.append(keras.layers.Dense(3)(keras.layers.Dense(2)(pooled)))
    model = keras.Model(images, outputs if auxiliary else outputs[0])
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0, 0.5, w.shape) ** 2 for w in model.get_weights()])
    return model


def pixels(count: int = 5, size: int = 8) -> np.ndarray:
    """Returns images uint8 [count, size, size, 3]."""
    return np.random.default_rng(7).integers(256, size=(count, size, size, 3), dtype=np.uint8)
