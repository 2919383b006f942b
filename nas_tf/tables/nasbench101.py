"""A drop-in for the official programming interface of NAS-Bench-101.

NAS-Bench-101: Towards Reproducible Neural Architecture Search (Ying et al., 2019,
arXiv:1902.09635). It reads a table of columns, `nasbench101_table`.

    from nas_tf.tables import nasbench101 as api
    nasbench = api.NASBench("nasbench_only108.tfrecord")
    data = nasbench.query(api.ModelSpec(matrix=[[0, 1], [0, 0]], ops=["input", "output"]))

The official package's modules `graph_util` and `model_spec` have their counterparts beside this
one.
"""

import os
import random
from collections.abc import Callable, KeysView
from typing import Any

from nas_tf.core import ConfigError
from nas_tf.spaces import nasbench101
from nas_tf.spaces.nasbench101_architecture import NasBench101Architecture
from nas_tf.tables import nasbench_api
from nas_tf.tables.model_spec import ModelSpec
from nas_tf.tables.nasbench101_table import EMBEDDED_FILE, NasBench101Table
from nas_tf.tables.nasbench_api import MissingCellError, OutOfDomainError

__all__ = (
    "EMBEDDED_FILE", "MissingCellError", "ModelSpec", "NASBench", "NasBench101Table",
    "OutOfDomainError",
)


class NASBench:
    """The benchmark through the official package's interface.

    `fixed_statistics` and `computed_statistics` are mappings that make each value when it is
    first asked for; changes to a value stay.

    The repeat that a query sees comes from Python's `random`, one `random.randint(0, repeats - 1)`
    a query as in the official class, so that `random.seed` repeats a run; nothing here seeds it.
    With `seed` it comes from a generator of this object's own, which draws what the official class
    draws after that seed, and `random` is left alone (the official class seeds it for the whole
    process). Runs that are to be independent need an object each, or `reset_budget_counters` and a
    new seed between them: `random.seed(...)`, or `reseed(...)` where there is a generator.
    """

    def __init__(
        self,
        dataset_file: str | os.PathLike | NasBench101Table,
        seed: int | None = None,
        train: Callable[..., Any] | None = None,
    ):
        """Opens a record file, or takes a table; see `NasBench101Table.load`.

        Args:
            dataset_file: path of the record file, or a table.
            seed: of a generator of its own for the choice between repeats; None takes Python's
                `random`.
            train: what `evaluate` trains networks with: `nas_tf.train`. Who only looks cells up
                does without, and without TensorFlow.

        Raises:
            core.DataError: the file is missing, empty, damaged, or no NAS-Bench-101 file.
        """
        opened = isinstance(dataset_file, NasBench101Table)
        self.table = dataset_file if opened else NasBench101Table.load(dataset_file)
        self.config = {
            "module_vertices": nasbench101.MAX_VERTICES,
            "max_edges": nasbench101.MAX_EDGES,
            "num_repeats": self.table.num_repeats,
            "available_ops": list(nasbench101.OFFICIAL_OPS),
        }
        self.fixed_statistics = nasbench_api.FixedStatistics(self.table)
        self.computed_statistics = nasbench_api.ComputedStatistics(self.table)
        self.valid_epochs = set(self.table.epochs)
        self.history: dict = {}
        self._train = train
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0
        self.reseed(seed)

    def reseed(self, seed: int | None) -> None:
        """Begins the choice between repeats anew; arguments as in the constructor."""
        # The module itself is kept nowhere: it can be neither copied nor pickled.
        self._own = None if seed is None else random.Random(seed)

    def query(
        self, model_spec: ModelSpec, epochs: int = 108, stop_halfway: bool = False
    ) -> dict[str, Any]:
        """Returns one of the trainings of a cell, drawn at random, and counts its cost.

        Args:
            model_spec: the cell.
            epochs: one of `valid_epochs`.
            stop_halfway: give (and count) the state after half of the epochs.

        Returns:
            `module_adjacency` int8 [V, V], `module_operations`, `trainable_parameters`,
            `training_time` in seconds, `train_accuracy`, `validation_accuracy`, `test_accuracy`.

        Raises:
            OutOfDomainError: the cell or the number of epochs is outside the benchmark.
            MissingCellError: (a KeyError) the cell is inside it but not in this file.
        """
        nasbench_api.check_epochs(epochs, self.valid_epochs, self.table.name)
        data, computed = self.get_metrics_from_spec(model_spec)
        repeat = (self._own or random).randint(0, self.config["num_repeats"] - 1)
        sampled = computed[epochs][repeat]
        prefix = "halfway_" if stop_halfway else "final_"
        for name in ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy"):
            data[name] = sampled[prefix + name]
        self.training_time_spent += data["training_time"]
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def is_valid(self, model_spec: ModelSpec) -> bool:
        """Returns whether a cell lies in the benchmark's space; costs nothing."""
        try:
            self._check_spec(model_spec)
        except OutOfDomainError:
            return False
        return True

    def get_budget_counters(self) -> tuple[float, int]:
        """Returns the training seconds and the epochs queried so far."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Sets both counters to zero."""
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def evaluate(
        self, model_spec: ModelSpec, model_dir: str | os.PathLike, data: Any = "cifar10",
        **settings: Any,
    ) -> dict[str, Any]:
        """Trains a cell from scratch, which neither reads the table nor counts as a query.

            nasbench = api.NASBench(path, train=nas_tf.train)
            nasbench.evaluate(spec, "runs/cell", data=nas_tf.Data("cifar10", "cifar-10.tar.gz"))

        Args:
            model_spec: the cell.
            model_dir: where the model, its summary and its checkpoints go; a training that was
                killed goes on from there.
            data: images, as `nas_tf.train` takes them.
            **settings: of the training, in place of the published ones; others of `nas_tf.train`.

        Returns:
            what `query` returns, of this training; the time is in seconds of this machine.

        Raises:
            OutOfDomainError: the cell is outside the benchmark.
            ConfigError: nothing to train with was given.
        """
        self._check_spec(model_spec)
        if self._train is None:
            raise ConfigError(
                "train=None: evaluate trains a network; open the benchmark as NASBench(file, "
                "train=nas_tf.train)"
            )
        architecture = NasBench101Architecture(model_spec.matrix, model_spec.ops)
        settings = nasbench_api.PUBLISHED_TRAINING | settings
        trained = self._train(architecture, data, output_dir=model_dir, **settings)
        return nasbench_api.trained_data_point(model_spec, trained)

    def hash_iterator(self) -> KeysView[str]:
        """Returns the hashes of all cells, in the order of the file."""
        return self.fixed_statistics.keys()

    def get_metrics_from_hash(self, module_hash: str) -> tuple[dict, dict]:
        """Returns the fixed and the computed statistics of a hash; costs nothing.

        Raises:
            MissingCellError: (a KeyError) the hash is not in the table.
        """
        return (self.fixed_statistics.copy_of(module_hash),
                self.computed_statistics.copy_of(module_hash))

    def get_metrics_from_spec(self, model_spec: ModelSpec) -> tuple[dict, dict]:
        """Returns the fixed and the computed statistics of a cell; costs nothing.

        Raises:
            OutOfDomainError: the cell is outside the benchmark.
            MissingCellError: (a KeyError) it is inside it but not in this file.
        """
        self._check_spec(model_spec)
        try:
            return self.get_metrics_from_hash(self._hash_spec(model_spec))
        except MissingCellError as error:
            raise nasbench_api.missing_cell(model_spec, error) from None

    def _check_spec(self, model_spec: ModelSpec) -> None:
        """Raises OutOfDomainError for a cell outside the space; scripts call it by this name."""
        nasbench_api.check_spec(model_spec, self.config)

    def _hash_spec(self, model_spec: ModelSpec) -> str:
        """Returns the official hash of a cell; scripts call it by this name."""
        return model_spec.hash_spec(self.config["available_ops"])
