"""Benchmark tables as a job sees them, by the name of their search space."""

import dataclasses
from collections.abc import Callable

import numpy as np

from nas_tf import storage
from nas_tf.core import ConfigError, Evaluator
from nas_tf.evaluators import tabular
from nas_tf.graphs import CellGraphs
from nas_tf.settings import Settings, TableSettings
from nas_tf.tables.nasbench101 import NasBench101Table
from nas_tf.tables.nasbench201 import REPORT_EPOCHS, WHERE_TO_GET, NasBench201Table, Protocol

_MULTI_FIDELITY = {"bohb"}  # strategies that measure cells at several training budgets

# What a NAS-Bench-101 table is known by, whatever its name: data set -> number of cells, training
# epochs, and the highest mean validation and test accuracy after them. CIFAR-10 is that of the
# official files (Ying et al., 2019), the digits are those of the embedded table.
_KNOWN_BY = {
    "cifar10": (423_624, 108, (0.9505542318, 0.9431757530)),
    "digits": (2_532, 36, (0.9003486667, 0.9030000000)),
}


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A benchmark table as a job sees it, whatever space it is of.

    Attributes:
        name: of the table.
        path: file it came from.
        dataset: what its networks were trained on: "cifar10" (the official files), "digits" (the
            embedded table), "synthetic" (invented numbers) or "unknown"; of a NAS-Bench-201 table
            the one that is searched.
        cells: [M], those measured.
        epochs: training budgets that a search may ask for, ascending; the last is the full one,
            which makes an incumbent.
        report_epochs: training epochs behind the test accuracy.
        validation_accuracy: float64 [M], mean of the repeats at the full budget.
        validation: what of the repeats a search sees, "random" or "mean".
        best_test_accuracy: the highest mean test accuracy in the table.
        checksum: SHA-256 of the cells and of every number a search can see.
        table_checksum: SHA-256 of the cells and of what is seen and reported at the full budget,
            the same for every strategy.
        evaluator: seeds of the runs -> evaluator.
        protocol: what a search sees and what is reported, in words; "" where the rest says it.
        reported_validation_accuracy: float64 [M], of the training budget that is reported where
            a search sees another; None where it sees that.
    """

    name: str
    path: str
    dataset: str
    cells: CellGraphs
    epochs: tuple[int, ...]
    report_epochs: int
    validation_accuracy: np.ndarray
    validation: str
    best_test_accuracy: float
    checksum: str
    table_checksum: str
    evaluator: Callable[[list[int]], Evaluator]
    protocol: str = ""
    reported_validation_accuracy: np.ndarray | None = None


def multi_fidelity(settings: Settings) -> bool:
    """Tells whether the strategy of a job measures cells at several training budgets."""
    return settings.search.strategy in _MULTI_FIDELITY


def has_table(settings: Settings) -> bool:
    """Tells whether there are tables that measure the cells of a job's space."""
    return settings.table.space in BENCHMARKS


def open_benchmark(settings: Settings) -> Benchmark:
    """Opens the table of a job.

    Raises:
        DataError: its file is missing or damaged.
        ConfigError: it has no such training budget or data set, none was given, or it lacks the
            costs that the budget of the runs is in. Or no table measures the space.
    """
    if not has_table(settings):
        raise ConfigError(
            f"--space={settings.table.space}: no table measures its cells; "
            f"--job={settings.job.job} needs one (--job=pretrain does without)"
        )
    return BENCHMARKS[settings.table.space](settings)


def open_table(settings: Settings) -> NasBench101Table | NasBench201Table:
    """Opens the table of a job as it is, for one that looks cells up and searches nothing.

    Raises:
        DataError: its file is missing or damaged.
        ConfigError: none was given, or a setting of another space's tables was.
    """
    return TABLES[settings.table.space](settings)


def dataset_of(table: NasBench101Table | NasBench201Table, settings: Settings) -> str:
    """Returns what a table's networks were trained on; see `Benchmark.dataset`.

    Raises:
        ConfigError: the table has no such data set.
    """
    if isinstance(table, NasBench201Table):
        return table.dataset(settings.table.dataset)
    return _nasbench101_dataset(table)


def _open_nasbench101(settings: Settings) -> NasBench101Table:
    _refuse_other_space(settings, "nasbench201_table", "dataset")
    records = settings.table.nasbench101_records
    return NasBench101Table.load(records) if records else NasBench101Table.embedded()


def _open_nasbench201(settings: Settings) -> NasBench201Table:
    _refuse_other_space(
        settings, "nasbench101_records", "nasbench101_validation", "nasbench101_epochs"
    )
    path = settings.table.nasbench201_table
    if path is None:
        raise ConfigError(f"--space=nasbench201: no table was given; {WHERE_TO_GET}")
    return NasBench201Table.load(path)


def _nasbench101(settings: Settings) -> Benchmark:
    table, values = _open_nasbench101(settings), settings.table
    full = table.budget(values.nasbench101_epochs)
    epochs = table.epochs[: full + 1]
    final = (slice(None), full, slice(None), 1)
    metrics = (table.validation_accuracy, table.test_accuracy, table.training_time_sec)

    def evaluator(seeds: list[int]) -> Evaluator:
        return tabular.MultiBudgetEvaluator(epochs, lambda number: tabular.from_nasbench101(
            table, seeds=seeds, validation=values.nasbench101_validation, epochs=number
        ))

    checksum = storage.arrays_checksum(
        table.keys, *(metric[:, : full + 1, :, 1] for metric in metrics)
    )
    return Benchmark(
        name=table.name,
        path=table.path,
        dataset=dataset_of(table, settings),
        cells=table.cells,
        epochs=epochs,
        report_epochs=epochs[-1],
        validation_accuracy=table.validation_accuracy[final].mean(axis=1),
        validation=values.nasbench101_validation,
        best_test_accuracy=float(np.nanmax(table.test_accuracy[final].mean(axis=1))),
        checksum=checksum,
        table_checksum=checksum,
        evaluator=evaluator,
    )


def _nasbench201(settings: Settings) -> Benchmark:
    table = _open_nasbench201(settings)
    dataset = dataset_of(table, settings)
    several = multi_fidelity(settings)
    protocol = table.protocol(dataset, REPORT_EPOCHS if several else None)
    full = protocol.search_epochs
    protocol.check_budget(settings.search.cost_budget_sec)
    epochs = [number for number in table.budgets(dataset) if number <= full] if several else [full]
    protocols = [table.protocol(dataset, number) for number in epochs]
    _check_costs(protocols)

    def evaluator(seeds: list[int]) -> Evaluator:
        return tabular.MultiBudgetEvaluator(epochs, lambda number: tabular.from_nasbench201(
            table, dataset, seeds=seeds, epochs=number
        ))

    seen = [part.search_validation_accuracy for part in protocols]
    costs = [part.query_cost_sec() for part in protocols]
    reported = protocol.validation_accuracy
    return Benchmark(
        name=table.name,
        path=table.path,
        dataset=dataset,
        cells=table.cells,
        epochs=tuple(epochs),
        report_epochs=REPORT_EPOCHS,
        validation_accuracy=protocol.search_validation_accuracy,
        validation="mean",
        best_test_accuracy=float(np.nanmax(protocol.test_accuracy)),
        checksum=storage.arrays_checksum(table.keys, *seen, *costs, protocol.test_accuracy),
        table_checksum=storage.arrays_checksum(
            table.keys, seen[-1], costs[-1], protocol.test_accuracy
        ),
        evaluator=evaluator,
        protocol=protocol.statement,
        reported_validation_accuracy=None if full == REPORT_EPOCHS else reported,
    )


def _check_costs(protocols: list[Protocol]) -> None:
    """Raises ConfigError where the table has the cost of some training budgets alone."""
    without = [part.search_epochs for part in protocols if part.cost_sec is None]
    if without and len(without) < len(protocols):
        first = protocols[0]
        raise ConfigError(
            f"{first.table}: no column {first.dataset}_cost_sec_{without[0]}ep, though other "
            "training budgets have theirs; add it, or remove them all"
        )


def _refuse_other_space(settings: Settings, *names: str) -> None:
    """Raises ConfigError for the first of some table settings that was changed all the same."""
    for name in names:
        value = getattr(settings.table, name)
        if value != getattr(TableSettings(), name):
            raise ConfigError(f"--{name}={value}: --space={settings.table.space} does not read it")


def _nasbench101_dataset(table: NasBench101Table) -> str:
    """Returns what a table's networks were trained on: by its numbers, else by its name."""
    for dataset, (num_cells, epochs, best) in _KNOWN_BY.items():
        if len(table.cells) == num_cells and epochs in table.epochs:
            if np.allclose(_best_accuracies(table, epochs), best, rtol=0, atol=1e-5):
                return dataset
    return "synthetic" if "synthetic" in table.name else "unknown"


def _best_accuracies(table: NasBench101Table, epochs: int) -> list[float]:
    """Returns the highest mean validation and test accuracy after so many epochs."""
    final = (slice(None), table.budget(epochs), slice(None), 1)
    metrics = (table.validation_accuracy, table.test_accuracy)
    return [float(metric[final].mean(axis=1, dtype=np.float64).max()) for metric in metrics]


BENCHMARKS = {"nasbench101": _nasbench101, "nasbench201": _nasbench201}
TABLES = {"nasbench101": _open_nasbench101, "nasbench201": _open_nasbench201}
