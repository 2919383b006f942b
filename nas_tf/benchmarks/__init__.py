"""Benchmarks: what measures the cells of a search.

`nas_tf.benchmarks.digits()` and the others return an open `Benchmark`, for `nas_tf.search`. Their
recipes, which flags are made of, are one file each, one line in the registry.
"""

import os
from collections.abc import Callable
from typing import Any

from nas_tf.benchmarks.benchmark import Benchmark
from nas_tf.benchmarks.embedded_digits import Digits
from nas_tf.benchmarks.macro_files import Macro
from nas_tf.benchmarks.measured_tables import of_measured
from nas_tf.benchmarks.nasbench101_files import NasBench101, named, of_table
from nas_tf.benchmarks.nasbench201_files import NasBench201
from nas_tf.benchmarks.own_function import of_function
from nas_tf.benchmarks.trained_networks import Trained
from nas_tf.config import expand_home
from nas_tf.datasets.settings import Data
from nas_tf.networks.settings import Network
from nas_tf.spaces import registry as spaces
from nas_tf.spaces.macro import MacroSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.spaces.space import SearchSpace
from nas_tf.tables.csv_rows import looks_like_csv
from nas_tf.tables.measured_table import MeasuredTable
from nas_tf.tables.nasbench101_table import NasBench101Table
from nas_tf.training.settings import Training


def digits(validation: str = "random", epochs: int | None = None) -> Benchmark:
    """Opens the embedded table: 2,532 small NAS-Bench-101 cells, trained on digits.

    Args:
        validation: what a search sees of the three repeats: "random" (one of them) or "mean".
        epochs: training budget, 4, 12 or 36; the longest when None.
    """
    return Digits(validation=validation, epochs=epochs).open(NasBench101Space())


def nasbench101(
    path: str | os.PathLike | NasBench101Table,
    validation: str = "random",
    epochs: int | None = None,
    *,
    dataset: str = "unknown",
) -> Benchmark:
    """Opens an official NAS-Bench-101 file, such as nasbench_only108.tfrecord, or a CSV file.

    Args:
        path: of the file (the columns of a CSV file are in docs/tables.md); or a table, such as
            `NasBench101Table.from_api` makes of a live object of the official package.
        validation: what a search sees of the three repeats: "random" (one of them) or "mean".
        epochs: training budget, one of the file's; the longest when None.
        dataset: what the networks were trained on, which a CSV file does not say.
    """
    settings = {"validation": validation, "epochs": epochs, "dataset": dataset}
    if isinstance(path, NasBench101Table):
        recipe = NasBench101(**settings)
        opened = of_table(path, NasBench101Space(), validation=validation, epochs=recipe.epochs)
        return named(opened, dataset)
    named_csv = os.fspath(path).lower().removesuffix(".gz").endswith(".csv")
    kind = "csv_file" if named_csv or looks_like_csv(expand_home(path)) else "records"
    return NasBench101(**settings, **{kind: str(path)}).open(NasBench101Space())


def measurements(
    space: SearchSpace,
    path: str | os.PathLike,
    *,
    dataset: str = "unknown",
    validation: str = "random",
    epochs: int | None = None,
) -> Benchmark:
    """Opens a CSV file of measured cells of any space, one's own for instance.

    Args:
        space: of the cells.
        path: of the file, plain or gzip-compressed; its columns are in docs/tables.md.
        dataset: what the networks were trained on.
        validation: what a search sees of several trainings: "random" (one of them) or "mean".
        epochs: training budget, one of the file's; the longest when None.
    """
    table = MeasuredTable.load(path, space, dataset)
    return of_measured(table, space, validation=validation, epochs=epochs)


def nasbench201(path: str | os.PathLike, dataset: str = "cifar10") -> Benchmark:
    """Opens NAS-Bench-201 measurements: a CSV file, or the official NATS-Bench folder.

    Args:
        path: of the file or folder.
        dataset: one that the table has columns of.
    """
    return NasBench201(path=str(path), dataset=dataset).open(NasBench201Space())


def macro(path: str | os.PathLike) -> Benchmark:
    """Opens NAS-Bench-Macro measurements: a CSV file.

    A search sees one training of a network, reported is the mean of the others.

    Args:
        path: of the file.
    """
    return Macro(path=str(path)).open(MacroSpace())


def trained(
    space: SearchSpace | str,
    data: Data | str = "digits",
    *,
    training: Training | None = None,
    network: Network | None = None,
    **options: Any,
) -> Benchmark:
    """Returns a benchmark that trains the network of every cell.

        nas_tf.benchmarks.trained("nasbench201", "digits", training=nas_tf.Training(epochs=3))

    Args:
        space: one with networks, or its name.
        data: images, or their name.
        training: of every candidate; `Training()` when None.
        network: what is around a cell; the papers' when None.
        **options: settings of `Trained`: `mode`, `stop_epochs`, `last_epochs`, `isolate`.
    """
    space = spaces.named(space) if isinstance(space, str) else space
    data = Data(data) if isinstance(data, str) else data
    recipe = Trained(
        data=data, training=training or Training(), network=network or Network(), **options
    )
    return recipe.open(space)


def measured(space: SearchSpace, measure: Callable[[Any], Any], **options: Any) -> Benchmark:
    """Returns a benchmark of one's own: a function that measures an architecture.

    Args and options as of `nas_tf.benchmarks.own_function.of_function`.
    """
    return of_function(space, measure, **options)
