"""`--job=analyze`: what an embedding knows of cells, as numbers, pictures and one page.

arch2vec (Yan et al., 2020, arXiv:2006.06936), section 4.1 and appendices. Each step leaves its
numbers in `steps/` and is not made again when the job is started again.

Two embeddings stand side by side where a table has accuracies: the pre-trained one, and that of the
same encoder trained on the accuracies of a few cells alone.

Shapes: M cells of the table, K cells of the space, W cells of a random walk, L dimensions.
"""

import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from absl import logging
from tqdm import tqdm

from nas_tf import (
    benchmarks,
    claim,
    experiment,
    pretraining,
    published,
    storage,
)
from nas_tf.analysis import summary as summaries
from nas_tf.analysis.html_page import write_page
from nas_tf.analysis.latent_distance import DistanceRelation, distance_relation, random_walk
from nas_tf.analysis.latent_map import PERPLEXITY, LatentMap, latent_map
from nas_tf.analysis.predictive_power import PredictivePower, predictive_power
from nas_tf.analysis.quality_table import QualityRow, quality_rows, read_pretrainings
from nas_tf.analysis.representation_page import Findings, representation_page, save_figures
from nas_tf.analysis.smoothness import Smoothness, walk_smoothness
from nas_tf.analysis.tensorboard import TensorBoardLogger, cell_labels, write_projector
from nas_tf.arch2vec.embedding import embed_cells, standardized
from nas_tf.arch2vec.predictor import learned_cells, learned_embedding
from nas_tf.arch2vec.saving import weights_checksum
from nas_tf.core import ConfigError, DataError, SearchSpace
from nas_tf.graphs import CellGraphs
from nas_tf.settings import Settings

PRETRAINED, SUPERVISED = "pre-trained", "supervised"

T = TypeVar("T")

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75)  # of accuracy, above which predictions are looked at


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


def analyze_job(settings: Settings, directory: pathlib.Path, started: float) -> None:
    """Pre-trains (or takes a model), measures its embedding, and leaves numbers and a page."""
    space = experiment.make_space(settings)
    given = pretraining.given_model(settings, space)
    pretrainings = _pretrainings(settings, space)
    benchmark = benchmarks.open_benchmark(settings) if benchmarks.has_table(settings) else None
    _check(settings, space, benchmark)
    cells = None if given else pretraining.cells_to_see(settings, space, benchmark)
    # Of bad ones it tells before compute is spent.
    quality_rows([*([] if given else [_expected(settings, space, cells)]), *pretrainings])
    claim.write_config(directory, settings)
    if given is None:
        with TensorBoardLogger(directory / "tensorboard") as logger:
            given = pretraining.pretrained_model(settings, space, cells, directory, logger)
    model, quality = given
    pretraining.print_quality(quality)
    if not settings.pretrain.pretrained:
        pretrainings = [_own_summary(settings, space, quality), *pretrainings]
    rows = quality_rows(pretrainings)
    findings = _Analysis(settings, space, benchmark, model, directory).findings(rows)
    figures = save_figures(findings, directory)
    numbers = findings.numbers()
    write_page(directory, representation_page(findings, figures))
    summary = {
        "job": "analyze",
        "space": space.name,
        "table": None if benchmark is None else benchmark.name,
        "dataset": None if benchmark is None else benchmark.dataset,
        "seed": settings.job.seed,
        **numbers,
        "wall_sec": time.monotonic() - started,
        "versions": summaries.library_versions(),
    }
    storage.write_json(directory / "summary.json", summary)
    print(f"report: {directory / 'report.md'} and {directory / 'report.html'}")


def _pretrainings(settings: Settings, space: SearchSpace) -> list[Mapping[str, Any]]:
    """Returns the summaries of the pre-trainings in the table, the given model's among them."""
    named = settings.report.directories()
    given = settings.pretrain.pretrained
    places = [pathlib.Path(name).resolve() for name in named]
    found = read_pretrainings(named, space.name, "inputs")
    if given and pathlib.Path(given).resolve() not in places:
        found = [*read_pretrainings([given], space.name, "pretrained"), *found]
    return found


def _check(settings: Settings, space: SearchSpace, benchmark: benchmarks.Benchmark | None) -> None:
    """Checks how many cells are asked for, before any compute is spent.

    Raises:
        ConfigError: there are not as many.
    """
    values, count = settings.analyze, len(space.enumerate_cells())
    of_space = count, f"the {count:,} cells of {space.name}"
    limits = {"walk_length": of_space, "num_walks": of_space}
    if benchmark is not None:
        measured = int(np.isfinite(benchmark.validation_accuracy).sum())
        # The supervised encoder learns from as many other cells; two are left to predict.
        limits["gp_cells"] = (measured - 2) // 2, f"the {measured:,} measured cells"
        if min(values.map_cells, measured) <= PERPLEXITY:
            raise ConfigError(
                f"--map_cells={values.map_cells} of {measured:,} measured cells: a map needs more "
                f"than {PERPLEXITY:g}"
            )
    for name, (most, of) in limits.items():
        if getattr(values, name) > most:
            raise ConfigError(f"--{name}={getattr(values, name)}: {of} allow at most {most:,}")


def _expected(settings: Settings, space: SearchSpace, cells: CellGraphs) -> dict:
    """Returns what is known of this job's own pre-training before it is made."""
    return _own_summary(settings, space, {
        "epochs": settings.pretrain.epochs,
        "num_cells": len(cells),
        "seed": settings.pretrain.pretrain_seed,
    })


def _own_summary(settings: Settings, space: SearchSpace, quality: Mapping[str, Any]) -> dict:
    """Returns what a pre-training job of the same model would have left."""
    kind = {name: getattr(settings.pretrain, name) for name in ("autoencoder", "kl_weight")}
    return dict(quality) | kind | {"space": space.name}


class _Analysis:
    """The steps of one job."""

    def __init__(self, settings: Settings, space: SearchSpace, benchmark, model, directory):
        self._settings, self._values = settings, settings.analyze
        self._seed = settings.job.seed
        self._space, self._benchmark, self._model = space, benchmark, model
        # Of another model under the same name, or another table, nothing is taken up.
        of = [weights_checksum(model), *([] if benchmark is None else [benchmark.checksum])]
        self._steps = directory / "steps" / "-".join(checksum[:16] for checksum in of)
        self._tensorboard = directory / "tensorboard"
        self._cells = space.enumerate_cells()
        self._walk = random_walk(space, self._values.walk_cells, self._seed)

    def findings(self, rows: list[QualityRow]) -> Findings:
        """Makes all steps, with a progress bar; `rows` are those of the table of autoencoders."""
        embeddings = {PRETRAINED: self._pretrained}
        if self._benchmark is not None:
            embeddings[SUPERVISED] = self._supervised
        steps = {"smoothness": self._smoothness, "distance": self._distance}
        if self._benchmark is not None:
            steps |= {"prediction": self._prediction, "map": self._map}
        found = {name: {} for name in steps}
        with tqdm(total=len(embeddings) * (1 + len(steps)), desc="analysis", unit="step") as bar:
            for name, embed in embeddings.items():
                bar.set_postfix_str(f"{name} embedding")
                embedded = self._step(f"embedding_{name}", Embedded, embed)
                if name == PRETRAINED:
                    self._project(embedded)
                bar.update()
                for step, make in steps.items():
                    bar.set_postfix_str(f"{step}, {name} embedding")
                    found[step][name] = make(name, embedded)
                    bar.update()
        benchmark = self._benchmark
        return Findings(
            space=published.SPACES[self._space.name],
            op_names=self._space.op_names,
            dataset=None if benchmark is None else benchmark.dataset,
            epochs=None if benchmark is None else benchmark.epochs[-1],
            num_cells=len(self._cells),
            num_table_cells=0 if benchmark is None else len(benchmark.cells),
            num_learned=self._values.gp_cells,
            quality=rows,
            published_quality=published.AUTOENCODERS[self._space.name],
            quality_note=published.TRIED[self._space.name],
            published_cells=published.PRETRAINING_CELLS[self._space.name],
            published=self._published(),
            published_source=published.REPRESENTATION_SOURCE,
            cells=self._cells,
            **found,
        )

    def _published(self) -> Mapping[str, Mapping[str, str]]:
        """Returns the published numbers that are of what is analysed."""
        benchmark = self._benchmark
        if benchmark is None:
            return published.representation(self._space.name, None, None)
        return published.representation(
            self._space.name, benchmark.dataset, benchmark.epochs[-1]
        )

    def _pretrained(self) -> Embedded:
        pooling, parts = self._settings.pretrain.pooling, self._parts()
        everything = CellGraphs.concatenate(parts)
        return _split(embed_cells(self._model, self._space, everything, pooling=pooling), parts)

    def _supervised(self) -> Embedded:
        """Trains the same encoder on the accuracies of a few cells of the table."""
        parts = self._parts()
        training = experiment.make_predictor_training(
            self._settings, self._space, CellGraphs.concatenate(parts)
        )
        embedding = learned_embedding(
            training,
            self._benchmark.validation_accuracy,
            num_cells=self._values.gp_cells,
            steps=self._values.supervised_steps,
            seed=self._seed,
        )
        return _split(embedding, parts)

    def _parts(self) -> list[CellGraphs]:
        """Returns the cells of the table, if any, of the space and of the walk."""
        table = self._cells[:0] if self._benchmark is None else self._benchmark.cells
        return [table, self._cells, self._walk]

    def _project(self, embedded: Embedded) -> None:
        """Leaves the embedding for TensorBoard's projector, with accuracies where a table has them.
        """
        benchmark, vectors, cells, accuracy = self._benchmark, embedded.space, self._cells, {}
        if benchmark is not None:
            vectors, cells = embedded.table, benchmark.cells
            accuracy = {"validation accuracy": benchmark.validation_accuracy}
        labels = cell_labels(self._space.op_names, cells)
        write_projector(
            self._tensorboard, vectors, metadata=labels | accuracy, seed=self._seed
        )

    def _prediction(self, name: str, embedded: Embedded) -> PredictivePower:
        """Predicts cells that the supervised encoder has not learned from."""
        accuracy = self._benchmark.validation_accuracy
        learned = learned_cells(
            accuracy, num_cells=self._values.gp_cells, seed=self._seed
        )
        others = np.delete(np.arange(len(accuracy)), learned)

        def find() -> PredictivePower:
            found = predictive_power(
                standardized(embedded.table)[others],
                accuracy[others],
                num_train=self._values.gp_cells,
                seeds=range(self._seed, self._seed + self._values.gp_seeds),
                thresholds=tuple(np.unique(np.quantile(accuracy, _QUANTILES) - 1e-9)),
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
        accuracy = self._benchmark.validation_accuracy
        count = min(self._values.map_cells, int(np.isfinite(accuracy).sum()))
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
                num_walks=self._values.num_walks,
                length=self._values.walk_length,
                seed=self._seed,
            ),
        )

    def _step(self, name: str, kind: type[T], make: Callable[[], T]) -> T:
        """Reads what an earlier start of the job found, or finds it and writes it down."""
        path = self._steps / f"{name.replace('-', '_')}.npz"
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


def _split(embedding: np.ndarray, parts: list[CellGraphs]) -> Embedded:
    return Embedded(*np.split(embedding, np.cumsum([len(part) for part in parts[:-1]])))
