"""Where names meet classes: builds the parts of a job from its settings."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nas_tf import storage
from nas_tf.analysis.report import ReportNotes
from nas_tf.arch2vec.embedding import standardized
from nas_tf.arch2vec.reinforce import ReinforceSearch
from nas_tf.arch2vec.vgae import METRIC_NAMES, VGAE, make_loss
from nas_tf.baselines.evolution import RegularizedEvolution
from nas_tf.baselines.local_search import LocalSearch
from nas_tf.baselines.random_search import RandomSearch
from nas_tf.core import Evaluator, SearchSpace, Strategy
from nas_tf.evaluators import tabular
from nas_tf.graphs import CellGraphs
from nas_tf.settings import PretrainSettings, Settings
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.tables.nasbench101 import EMBEDDED_FILE, NasBench101Table
from nas_tf.training.trainer import Trainer


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A benchmark table as a job sees it, whatever space it is of.

    Attributes:
        name: of the table.
        path: file it came from.
        dataset: what its networks were trained on: "cifar10" (the official files), "digits" (the
            embedded table), "synthetic" (invented numbers) or "unknown".
        cells: [M], those measured.
        validation_accuracy: float64 [M], mean of the repeats at the budget looked up.
        best_test_accuracy: the highest mean test accuracy in the table.
        checksum: SHA-256 of the cells and of every number a search can see.
        evaluator: seeds of the runs -> evaluator.
    """

    name: str
    path: str
    dataset: str
    cells: CellGraphs
    validation_accuracy: np.ndarray
    best_test_accuracy: float
    checksum: str
    evaluator: Callable[[list[int]], Evaluator]


SPACES: dict[str, Callable[[], SearchSpace]] = {"nasbench101": NasBench101Space}


def make_space(settings: Settings) -> SearchSpace:
    """Returns the search space of a job."""
    return SPACES[settings.table.space]()


def open_benchmark(settings: Settings) -> Benchmark:
    """Opens the table of a job.

    Raises:
        DataError: its file is missing or damaged.
        ConfigError: it has no such training budget.
    """
    return BENCHMARKS[settings.table.space](settings)


def make_strategy(
    settings: Settings,
    space: SearchSpace,
    cells: CellGraphs,
    seeds: list[int],
    *,
    embedding: np.ndarray | None,
    devices: Sequence[str] = (),
) -> Strategy:
    """Returns the strategy of a job over a pool.

    Args:
        settings: of the job.
        space: the pool is of.
        cells: the pool [M].
        seeds: R seeds of the runs.
        embedding: float32 [M, L] of the pool; None for a strategy that needs none.
        devices: names of the devices that share the runs, where the strategy uses devices.
    """
    make = STRATEGIES[settings.search.strategy]
    return make(settings, space, cells, seeds, embedding, devices)


def needs_embedding(settings: Settings) -> bool:
    """Tells whether the strategy of a job searches in an embedding."""
    return settings.search.strategy in EMBEDDED


def make_trainer(
    settings: PretrainSettings, space: SearchSpace, seed: int, distribution: tf.distribute.Strategy
) -> Trainer:
    """Returns a trainer of a fresh autoencoder for the cells of a space."""
    alone = distribution.num_replicas_in_sync == 1
    with distribution.scope():
        model = VGAE(
            space.max_nodes,
            len(space.op_names),
            positions=settings.positions,
            adjacency_bias=settings.adjacency_bias,
            epsilon_start=settings.epsilon_start,
            synchronized=not alone,
            seed=seed,
        )
        optimizer = keras.optimizers.Adam(settings.learning_rate)
    loss = make_loss(
        kl_weight=settings.kl_weight,
        free_nats=settings.free_nats,
        dropout=settings.dropout,
        form=settings.operation_loss,
        entries=settings.adjacency_entries,
    )
    return Trainer(
        model,
        optimizer,
        loss,
        batch_size=settings.batch_size,
        metric_names=METRIC_NAMES,
        distribution=distribution,
        clip_norm=settings.clip_norm,
        jit_compile=settings.jit_compile and alone,
        seed=seed,
    )


def report_notes(settings: Settings, pretraining: dict[str, Any] | None) -> ReportNotes:
    """Returns what a report says beyond its numbers; None where nothing was pre-trained."""
    return dataclasses.replace(
        _NOTES[settings.table.space, settings.search.strategy], pretraining=pretraining
    )


def _nasbench101(settings: Settings) -> Benchmark:
    records = settings.table.nasbench101_records
    table = NasBench101Table.load(records) if records else NasBench101Table.embedded()
    budget = table.budget(settings.table.nasbench101_epochs)
    final = (slice(None), budget, slice(None), 1)
    metrics = (table.validation_accuracy, table.test_accuracy, table.training_time_sec)
    return Benchmark(
        name=table.name,
        path=table.path,
        dataset=_nasbench101_dataset(table),
        cells=table.cells,
        validation_accuracy=table.validation_accuracy[final].mean(axis=1),
        best_test_accuracy=float(table.test_accuracy[final].mean(axis=1).max()),
        checksum=storage.arrays_checksum(table.keys, *(metric[final] for metric in metrics)),
        evaluator=lambda seeds: tabular.from_nasbench101(
            table,
            seeds=seeds,
            validation=settings.table.nasbench101_validation,
            epochs=table.epochs[budget],
        ),
    )


def _nasbench101_dataset(table: NasBench101Table) -> str:
    """Returns what a table's networks were trained on, as far as the table shows."""
    if "synthetic" in table.name:
        return "synthetic"
    if f"{table.name}.tfrecord.gz" == EMBEDDED_FILE:
        return "digits"
    official = len(table.cells) == 423_624 and 108 in table.epochs
    return "cifar10" if official else "unknown"


def _reinforce(settings: Settings, _, cells, seeds, embedding, devices) -> Strategy:
    values = settings.reinforce
    return ReinforceSearch(
        standardized(embedding) if values.standardize else embedding,
        cells,
        seeds=seeds,
        episode_length=values.episode_length,
        learning_rate=values.policy_learning_rate,
        discount=values.discount,
        baseline=values.baseline,
        devices=devices,
    )


def _random(unused_settings: Settings, unused_space, cells, seeds, *_) -> Strategy:
    return RandomSearch(cells, seeds=seeds)


def _evolution(settings: Settings, space, cells, seeds, *_) -> Strategy:
    return RegularizedEvolution(
        cells, space, seeds=seeds, **dataclasses.asdict(settings.evolution)
    )


def _local_search(settings: Settings, space, cells, seeds, *_) -> Strategy:
    return LocalSearch(cells, space, seeds=seeds, **dataclasses.asdict(settings.local_search))


BENCHMARKS = {"nasbench101": _nasbench101}
STRATEGIES = {
    "reinforce": _reinforce,
    "random": _random,
    "evolution": _evolution,
    "local_search": _local_search,
}
EMBEDDED = {"reinforce"}

_NOTES = {
    ("nasbench101", "reinforce"): ReportNotes(
        title="arch2vec-RL on NAS-Bench-101",
        strategy_label="arch2vec-RL",
        published={400: 0.9410},
        published_source="arch2vec, table 2",
        published_pretraining={
            "reconstruction_accuracy": 1.0,
            "validity": 0.4497,
            "uniqueness": 0.9969,
        },
        published_pretraining_source="arch2vec, table 1",
    ),
    ("nasbench101", "random"): ReportNotes(
        title="Random search on NAS-Bench-101", strategy_label="random search"
    ),
    ("nasbench101", "evolution"): ReportNotes(
        title="Regularized evolution on NAS-Bench-101", strategy_label="regularized evolution"
    ),
    ("nasbench101", "local_search"): ReportNotes(
        title="Local search on NAS-Bench-101", strategy_label="local search"
    ),
}
