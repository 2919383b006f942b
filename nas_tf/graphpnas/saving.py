"""A fitted generator as one `.keras` file, with all that is needed to sample from it.

    save_generator("generator.keras", generator, weights, space="nasbench201")
    saved = load_generator("generator.keras")
    saved.distribution().sample(10)
"""

import dataclasses
import os
import pathlib
import tempfile
import zipfile

import keras
import numpy as np
import tensorflow as tf

from nas_tf.core import ConfigError, DataError, Stream, generator
from nas_tf.graphpnas.distribution import GraphDistribution
from nas_tf.graphpnas.generator import FEATURES, POOLINGS, GraphGenerator
from nas_tf.graphpnas.rnn import RecurrentGenerator
from nas_tf.graphpnas.rows import Generator, Graphs
from nas_tf.spaces.graph_form import GraphDescription
from nas_tf.storage import atomic_write

KINDS = {"graph": GraphGenerator, "recurrent": RecurrentGenerator}


@keras.saving.register_keras_serializable(package="nas_tf")
class FittedGenerator(keras.Model):
    """A generator with the weights of one run, as Keras saves it.

    Args:
        kind: one of `KINDS`.
        space: name of the space its graphs are cells of.
        description: fields of the `GraphDescription`.
        settings: of the network.
        **kwargs: as in `keras.Model`.

    Raises:
        ConfigError: a setting is out of range; a file may say anything.
    """

    def __init__(self, kind: str, space: str, description: dict, settings: dict, **kwargs):
        super().__init__(**kwargs)
        self.kind, self.space = kind, space
        self._fields, self._settings = dict(description), dict(settings)
        _check_settings(settings)
        self.generator = KINDS[kind](_description(description), **settings)
        shapes = self.generator.initial_weights(generator(0, Stream.GRAPH_WEIGHTS))
        self._named = {
            name: self.add_weight(shape=value.shape, initializer="zeros", name=f"weight_{name}")
            for name, value in shapes.items()
        }
        self.built = True

    def distribution(self) -> GraphDistribution:
        """Returns P(A, X); its batch shape is [1]."""
        weights = {name: value.value[None] for name, value in self._named.items()}
        return GraphDistribution(self.generator, weights)

    def call(self, inputs):
        """Returns the log-probabilities [B] of graphs: edges int8 [B, N, N], labels int8 [B, N]."""
        edges, labels = (tf.cast(array, tf.int8)[:, None] for array in inputs)
        return self.distribution().log_prob(Graphs(edges, labels))[:, 0]

    def assign(self, weights: dict[str, np.ndarray]) -> None:
        """Takes weights of one run, by name."""
        for name, variable in self._named.items():
            variable.assign(weights[name])

    def get_config(self):
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "kind": self.kind,
            "space": self.space,
            "description": self._fields,
            "settings": self._settings,
        }


def save_generator(
    path: str | os.PathLike, generator: Generator, weights: dict[str, np.ndarray], *, space: str
) -> None:
    """Writes a `.keras` file; it is whole or absent.

    Args:
        path: where to, ending in .keras.
        generator: the network.
        weights: float32, of one run, without the axis of runs.
        space: name of the space its graphs are cells of.

    Raises:
        ConfigError: the directory cannot be written.
    """
    kind = next(name for name, made in KINDS.items() if isinstance(generator, made))
    settings = dataclasses.asdict(generator)
    model = FittedGenerator(kind, space, settings.pop("description"), settings)
    model.assign(weights)
    with tempfile.TemporaryDirectory() as directory:
        temporary = pathlib.Path(directory) / "generator.keras"
        model.save(temporary)
        with atomic_write(path) as file:
            file.write(temporary.read_bytes())


def load_generator(path: str | os.PathLike) -> FittedGenerator:
    """Reads what `save_generator` wrote.

    Raises:
        DataError: there is no such file, it is damaged, or it holds another model.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; a search by GraphPNAS leaves one")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise DataError(f"{path}: not a .keras file")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, ConfigError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: damaged ({str(error).splitlines()[0]}); search again, or name another file"
        ) from error
    if not isinstance(model, FittedGenerator):
        raise DataError(f"{path}: holds a {type(model).__name__}, not a generator of graphs")
    if not all(np.isfinite(weight.numpy()).all() for weight in model.weights):
        raise DataError(f"{path}: damaged (weights that are not finite); search again")
    return model


def _check_settings(settings: dict) -> None:
    words = {"pooling": POOLINGS, "features": FEATURES}
    for name, value in settings.items():
        if name in words and value not in words[name]:
            raise ConfigError(f"{name}={value}: expected one of {', '.join(words[name])}")
        if name not in words and value < 1:
            raise ConfigError(f"{name}={value}: expected at least 1")


def _description(fields: dict) -> GraphDescription:
    fields = dict(fields)
    fields["fixed_edges"] = tuple(tuple(edge) for edge in fields["fixed_edges"])
    return GraphDescription(**fields | {"labelled_nodes": tuple(fields["labelled_nodes"])})
