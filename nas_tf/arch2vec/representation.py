"""What an embedding knows of cells: arch2vec's own measurements, step by step.

Yan et al., 2020, arXiv:2006.06936, section 4.1 and appendices. Each step leaves its numbers in a
file and is not made again when the same analysis is started again.

Two embeddings stand side by side where accuracies are known: the pre-trained one, and that of the
same encoder trained on the accuracies of a few cells alone.

Shapes: M cells of the table, K cells of the space, W cells of a random walk, L dimensions.
"""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from absl import logging

from nas_tf.caching import progress_bar
from nas_tf import storage
from nas_tf.arch2vec.embedding import embed_cells, standardized
from nas_tf.arch2vec.feature_power import described
from nas_tf.arch2vec.latent_distance import DistanceRelation, distance_relation, random_walk
from nas_tf.arch2vec.latent_map import PERPLEXITY, LatentMap, latent_map
from nas_tf.arch2vec.predictive_power import (
    THRESHOLDS, Learner, PredictivePower, predictive_power, radial_process,
)
from nas_tf.arch2vec.predictor import PredictorTraining, learned_cells, learned_embedding
from nas_tf.arch2vec.saving import weights_checksum
from nas_tf.arch2vec.smoothness import Smoothness, walk_smoothness
from nas_tf.arch2vec.vgae import VGAE
from nas_tf.config import SettingError
from nas_tf.core import DataError
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.space import SearchSpace

PRETRAINED, SUPERVISED = "pre-trained", "supervised"

T = TypeVar("T")

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75)  # of accuracy, above which predictions are looked at


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured.

    Attributes:
        gp_cells: cells that a Gaussian process and a supervised encoder learn from.
        gp_seeds: draws of these cells.
        supervised_steps: batches of 32 cells that train the supervised encoder.
        walk_cells: cells of the random walk that distances are measured on.
        map_cells: cells on the map by t-SNE, at most.
        num_walks: greedy walks through the embedding.
        walk_length: cells of a greedy walk.
    """

    gp_cells: int
    gp_seeds: int
    supervised_steps: int
    walk_cells: int
    map_cells: int
    num_walks: int
    walk_length: int

    def check_cells(self, space: SearchSpace, accuracy: np.ndarray | None) -> None:
        """Checks how many cells are asked for, before any compute is spent.

        Args:
            space: whose cells are walked through.
            accuracy: float64 [M], NaN where not measured; None without a table.

        Raises:
            SettingError: there are not as many.
        """
        num_cells = len(space.enumerate_cells())
        most = {"walk_length": num_cells, "num_walks": num_cells}
        if accuracy is not None:
            measured = int(np.isfinite(accuracy).sum())
            # The supervised encoder learns from as many other cells; two are left to predict.
            most["gp_cells"] = (measured - 2) // 2
            if min(self.map_cells, measured) <= PERPLEXITY:
                raise SettingError(
                    None, "map_cells", self.map_cells,
                    f"more than {PERPLEXITY:g} of the {measured:,} measured cells, for a map",
                )
        for name, limit in most.items():
            if getattr(self, name) > limit:
                of = "measured cells" if name == "gp_cells" else f"cells of {space.name}"
                expected = f"at most {limit:,}, by the number of {of}"
                raise SettingError(None, name, getattr(self, name), expected)


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """Cells whose accuracies are known.

    Attributes:
        cells: batch [M].
        accuracy: validation accuracy, float64 [M]; NaN where not measured.
        checksum: of these; other ones are not taken for them.
    """

    cells: CellGraphs
    accuracy: np.ndarray
    checksum: str


@dataclasses.dataclass(frozen=True, eq=False)
class Embedded:
    """An embedding of all cells that are looked at.

    Attributes:
        table: float32 [M, L]; M is 0 without a table.
        space: float32 [K, L].
        walk: float32 [W, L].
    """

    table: np.ndarray
    space: np.ndarray
    walk: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Representation:
    """What was found; mappings are from the name of an embedding.

    Attributes:
        cells: of the space, [K].
        smoothness: greedy walks.
        distance: distances in the embedding and edit distances.
        prediction: what a Gaussian process predicts; empty without accuracies. Also from what is
            no embedding: `feature_power.described`.
        map: t-SNE; likewise.
    """

    cells: CellGraphs
    smoothness: dict[str, Smoothness] = dataclasses.field(default_factory=dict)
    distance: dict[str, DistanceRelation] = dataclasses.field(default_factory=dict)
    prediction: dict[str, PredictivePower] = dataclasses.field(default_factory=dict)
    map: dict[str, LatentMap] = dataclasses.field(default_factory=dict)


class Analysis:
    """The steps of one analysis."""

    def __init__(
        self,
        model: VGAE,
        space: SearchSpace,
        measured: Measured | None,
        *,
        sizes: Sizes,
        pooling: str,
        seed: int,
        directory: pathlib.Path,
        make_training: Callable[[CellGraphs], PredictorTraining],
    ):
        """Puts the cells in place.

        Args:
            model: the pre-trained autoencoder.
            space: whose cells it embeds.
            measured: cells with accuracies; None without a table.
            sizes: how much is measured.
            pooling: of a cell's nodes, "sum" or "mean".
            seed: of every draw.
            directory: for the numbers of every step.
            make_training: returns what trains a supervised encoder and embeds cells with it.
        """
        self._model, self._space, self._measured = model, space, measured
        self._sizes, self._pooling, self._seed = sizes, pooling, seed
        self._make_training = make_training
        # Of another model under the same name, or another table, nothing is taken up.
        of = [weights_checksum(model), *([] if measured is None else [measured.checksum])]
        self._directory = directory / "-".join(checksum[:16] for checksum in of)
        self._cells = space.enumerate_cells()
        self._walk = random_walk(space, sizes.walk_cells, seed)

    def run(self, show: Callable[[np.ndarray], None] = lambda vectors: None) -> Representation:
        """Makes all steps, with a progress bar.

        Args:
            show: is given the pre-trained embedding of the table's cells, or of the space's
                without a table, float32 [M or K, L].
        """
        embeddings = {PRETRAINED: self._pretrained}
        steps = {"smoothness": self._smoothness, "distance": self._distance}
        if self._measured is not None:
            embeddings[SUPERVISED] = self._supervised
            steps |= {"prediction": self._prediction, "map": self._map}
        found = Representation(self._cells)
        total = len(embeddings) * (1 + len(steps))
        with progress_bar(total=total, desc="analysis", unit="step") as bar:
            for name, embed in embeddings.items():
                embedded = self._step(f"embedding_{name}", Embedded, embed)
                if name == PRETRAINED:
                    show(embedded.space if self._measured is None else embedded.table)
                bar.update()
                for step, make in steps.items():
                    bar.set_postfix_str(f"{name} {step}", refresh=False)
                    getattr(found, step)[name] = make(name, embedded)
                    bar.update()
        if self._measured is not None:
            for name, (vectors, learner) in described(self._space, self._measured.cells).items():
                found.prediction[name] = self._power(name, vectors, learner)
        return found

    def _pretrained(self) -> Embedded:
        parts = self._parts()
        everything = CellGraphs.concatenate(parts)
        embedding = embed_cells(self._model, self._space, everything, pooling=self._pooling)
        return _split(embedding, parts)

    def _supervised(self) -> Embedded:
        """Trains the same encoder on the accuracies of a few cells of the table."""
        parts = self._parts()
        embedding = learned_embedding(
            self._make_training(CellGraphs.concatenate(parts)),
            self._measured.accuracy,
            num_cells=self._sizes.gp_cells,
            steps=self._sizes.supervised_steps,
            seed=self._seed,
        )
        return _split(embedding, parts)

    def _parts(self) -> list[CellGraphs]:
        """Returns the cells of the table, if any, of the space and of the walk."""
        table = self._cells[:0] if self._measured is None else self._measured.cells
        return [table, self._cells, self._walk]

    def _prediction(self, name: str, embedded: Embedded) -> PredictivePower:
        return self._power(name, standardized(embedded.table), radial_process)

    def _power(self, name: str, vectors: np.ndarray, learner: Learner) -> PredictivePower:
        """Predicts cells that the supervised encoder has not learned from."""
        accuracy, sizes = self._measured.accuracy, self._sizes
        learned = learned_cells(accuracy, num_cells=sizes.gp_cells, seed=self._seed)
        others = np.setdiff1d(np.flatnonzero(np.isfinite(accuracy)), learned)

        def find() -> PredictivePower:
            found = predictive_power(
                vectors[others],
                accuracy[others],
                num_train=sizes.gp_cells,
                seeds=range(self._seed, self._seed + sizes.gp_seeds),
                thresholds=_thresholds(accuracy),
                learner=learner,
            )
            return dataclasses.replace(found, cells=others[found.cells])

        return self._step(f"prediction_{name}", PredictivePower, find)

    def _distance(self, name: str, embedded: Embedded) -> DistanceRelation:
        return self._step(
            f"distance_{name}",
            DistanceRelation,
            lambda: distance_relation(self._walk, embedded.walk, seed=self._seed),
        )

    def _map(self, name: str, embedded: Embedded) -> LatentMap:
        accuracy = self._measured.accuracy
        count = min(self._sizes.map_cells, int(np.isfinite(accuracy).sum()))
        return self._step(
            f"map_{name}",
            LatentMap,
            lambda: latent_map(embedded.table, accuracy, num_cells=count, seed=self._seed),
        )

    def _smoothness(self, name: str, embedded: Embedded) -> Smoothness:
        return self._step(
            f"smoothness_{name}",
            Smoothness,
            lambda: walk_smoothness(
                self._cells,
                embedded.space,
                num_walks=self._sizes.num_walks,
                length=self._sizes.walk_length,
                seed=self._seed,
            ),
        )

    def _step(self, name: str, kind: type[T], make: Callable[[], T]) -> T:
        """Reads what an earlier start found, or finds it and writes it down."""
        path = self._directory / f"{name.replace('-', '_').replace(' ', '_')}.npz"
        if path.exists():
            try:
                arrays = storage.read_npz(path)
                return kind(**{key: array[()] for key, array in arrays.items()})
            except (DataError, TypeError) as error:
                logging.warning("%s; this step is made again", error)
        found = make()
        fields = dataclasses.fields(found)
        arrays = {field.name: np.asarray(getattr(found, field.name)) for field in fields}
        storage.write_npz(path, **arrays)
        return found


def _thresholds(accuracy: np.ndarray) -> tuple[float, ...]:
    """Returns quantiles of accuracies, and the published thresholds where they divide them."""
    limits = np.nanquantile(accuracy, _QUANTILES) - 1e-9
    published = [limit for limit in THRESHOLDS if limits[0] < limit < np.nanmax(accuracy)]
    return tuple(np.unique([*limits, *published]).tolist())


def _split(embedding: np.ndarray, parts: list[CellGraphs]) -> Embedded:
    return Embedded(*np.split(embedding, np.cumsum([len(part) for part in parts[:-1]])))
