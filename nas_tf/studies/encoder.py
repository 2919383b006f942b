"""The pre-trained autoencoder of a space: what it measured, its embedding, its files.

arch2vec (Yan et al., 2020, arXiv:2006.06936).

Shapes: M cells, L dimensions.
"""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from nas_tf import caching, storage
from nas_tf.analysis.figures import training_figure
from nas_tf.arch2vec.embedding import cached_embedding, provenance
from nas_tf.arch2vec.pretrain import PretrainResult
from nas_tf.arch2vec.saving import load_model, save_model, weights_checksum
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.core import ConfigError, DataError
from nas_tf.graphs import CellGraphs
from nas_tf.reports.wording import count
from nas_tf.spaces.space import SearchSpace
from nas_tf.studies.pictures import figure_html

MODEL = "model"  # folder of the autoencoder within an output directory

QUALITY = "quality.json"  # what its pre-training measured
_REQUIRED = {
    field.name
    for field in dataclasses.fields(PretrainResult)
    if field.default is dataclasses.MISSING
}


@dataclasses.dataclass(frozen=True, eq=False)
class Encoder:
    """A pre-trained autoencoder.

    Attributes:
        model: the Keras model.
        space: whose cells it embeds.
        quality: what its pre-training measured, by name, and its settings.
        pooling: of a cell's embedding over its nodes, "sum" or "mean".
    """

    model: VGAE
    space: SearchSpace
    quality: Mapping[str, Any]
    pooling: str = "sum"

    def __repr__(self) -> str:
        measured = self.quality
        return (
            f"<Encoder of {self.space.title}: {measured['num_cells']:,} cells, "
            f"{count(measured['epochs'], 'epoch')}, reconstruction "
            f"{100 * measured['reconstruction_accuracy']:.2f} %, validity "
            f"{100 * measured['validity']:.2f} %>"
        )

    def plot(self):
        """Returns a Matplotlib figure: the losses of the pre-training, pass by pass."""
        losses = self.quality["losses"]
        return training_figure({
            name: np.array([epoch[name] for epoch in losses]) for name in losses[0]
        })

    def _repr_html_(self) -> str:
        """What a notebook shows: the line of `repr`, and the picture."""
        return figure_html(repr(self), self.plot())

    def embed(self, cells: CellGraphs) -> np.ndarray:
        """Returns the embedding of cells [M], float32 [M, L], from the cache if it is there."""
        source = self.source(cells)
        name = "-".join((
            "embedding", self.space.name, self.pooling, source["weights"][:16],
            source["cells"][:16],
        ))
        folder = caching.cache_directory() / name
        return cached_embedding(folder, self.model, self.space, cells, pooling=self.pooling)

    def source(self, cells: CellGraphs) -> dict[str, str]:
        """Returns what an embedding of cells is made of, as checksums."""
        return provenance(self.model, self.space, cells, self.pooling)

    def description(self) -> dict[str, Any]:
        """Returns which model a study was searched with, for its summary."""
        return {
            "pretrain_seed": self.quality.get("seed"),
            "weights": weights_checksum(self.model),
            "num_cells": self.quality["num_cells"],
            "epochs": self.quality["epochs"],
            "settings": self.quality.get("settings"),
        }

    def save(self, directory: str | pathlib.Path) -> None:
        """Writes the model into `model/` of an output directory."""
        folder = pathlib.Path(directory) / MODEL
        save_model(folder, self.model)
        storage.write_json(folder / QUALITY, dict(self.quality))

    @classmethod
    def load(
        cls, directory: str | pathlib.Path, space: SearchSpace, pooling: str | None = None
    ) -> "Encoder":
        """Reads what `save` or a pre-training job has left.

        Args:
            directory: the output directory.
            space: of the cells.
            pooling: "sum" or "mean"; that of the pre-training's settings when None.

        Raises:
            DataError: a file is missing or damaged.
            ConfigError: it was made for another space.
        """
        folder = pathlib.Path(directory) / MODEL
        quality = _read_quality(folder / QUALITY)
        model = load_model(folder)
        if (model.num_nodes, model.num_ops) != (space.max_nodes, len(space.op_names)):
            raise ConfigError(f"{directory}: made for another space than {space.name}")
        return cls(model, space, quality, pooling or quality.get("pooling", "sum"))


def _read_quality(path: pathlib.Path) -> dict[str, Any]:
    try:
        quality = json.loads(path.read_text(encoding="utf-8"))
        missing = _REQUIRED - set(quality)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; a pre-training job that ended leaves it") from None
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); pre-train again") from None
    if missing:
        raise DataError(f"{path}: damaged ({min(missing)} is missing); pre-train again")
    return quality
