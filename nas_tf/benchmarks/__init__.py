"""Benchmarks: what measures the cells of a search.

`nas_tf.benchmarks.digits()` and the others return an open `Benchmark`, for `nas_tf.search`. Their
recipes, which flags are made of, are one file each, one line in the registry.
"""

import os
from collections.abc import Callable
from typing import Any

from nas_tf.benchmarks.benchmark import Benchmark
from nas_tf.benchmarks.embedded_digits import Digits
from nas_tf.benchmarks.nasbench101_files import NasBench101, of_table
from nas_tf.benchmarks.nasbench201_files import NasBench201
from nas_tf.benchmarks.own_function import of_function
from nas_tf.benchmarks.trained_networks import Trained
from nas_tf.datasets.settings import Data
from nas_tf.networks.settings import Network
from nas_tf.spaces import registry as spaces
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.spaces.space import SearchSpace
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
) -> Benchmark:
    """Opens an official NAS-Bench-101 file, such as nasbench_only108.tfrecord.

    Args:
        path: of the file; or a table, such as `NasBench101Table.from_api` makes of a live object of
            the official package.
        validation: what a search sees of the three repeats: "random" (one of them) or "mean".
        epochs: training budget, one of the file's; the longest when None.
    """
    if isinstance(path, NasBench101Table):
        recipe = NasBench101(validation=validation, epochs=epochs)
        return of_table(path, NasBench101Space(), validation=validation, epochs=recipe.epochs)
    recipe = NasBench101(records=str(path), validation=validation, epochs=epochs)
    return recipe.open(NasBench101Space())


def nasbench201(path: str | os.PathLike, dataset: str = "cifar10") -> Benchmark:
    """Opens NAS-Bench-201 measurements: a CSV file, or the official NATS-Bench folder.

    Args:
        path: of the file or folder.
        dataset: one that the table has columns of.
    """
    return NasBench201(path=str(path), dataset=dataset).open(NasBench201Space())


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
