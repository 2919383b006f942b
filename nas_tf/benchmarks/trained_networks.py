"""Architectures measured by training them: any space that has networks, any images."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from typing import Any, ClassVar

from nas_tf import caching
from nas_tf.benchmarks.benchmark import Benchmark, BenchmarkRecipe
from nas_tf.config import Component, at_least, setting
from nas_tf.core import ConfigError, Evaluator
from nas_tf.datasets.settings import Data
from nas_tf.networks.settings import Network
from nas_tf.spaces.space import SearchSpace
from nas_tf.training.settings import Training

LOW_DATA_FRACTION = 0.1  # GraphPNAS
_HALVINGS = (9, 3, 1)  # of the epochs, for strategies that ask for several budgets


@dataclasses.dataclass(frozen=True)
class Trained(BenchmarkRecipe):
    """Networks trained on images."""

    name = "trained"
    spaces = ("nasbench101", "nasbench201", "darts", "randwire", "enas", "macro")
    follows = False
    flag_prefix: ClassVar[str] = "trained_"
    parts: ClassVar[dict[str, type[Component]]] = {
        "data": Data, "training": Training, "network": Network,
    }

    mode: str = setting(
        "full",
        "How a candidate is trained: full is what --train_* say; early_stopped ends after "
        "--trained_stop_epochs of their schedule; low_data trains on a tenth of the images, the "
        "others validate.",
        ("full", "early_stopped", "low_data"),
    )
    stop_epochs: int | None = setting(
        None, "Epochs after which early_stopped ends; a fifth when not given.", at_least(1)
    )
    last_epochs: int = setting(
        1,
        "Last epochs whose mean validation accuracy counts (3 for RandWire, 5 for DARTS).",
        at_least(1),
    )
    isolate: bool = setting(
        False,
        "Train every candidate in a process of its own, which gives back all its memory.",
        decides=False,
    )
    data: Data = Data()
    training: Training = Training()
    network: Network = Network()

    def __post_init__(self):
        """Raises SettingError for settings that do not go together."""
        super().__post_init__()
        self.require(
            self.stop_epochs is None or self.mode == "early_stopped", "stop_epochs",
            "none, unless the mode is early_stopped",
        )
        self.require(
            self.epochs_trained() >= self.last_epochs, "last_epochs",
            f"at most the {self.epochs_trained()} epochs that are trained",
        )
        if not self.data.validation and self.fraction() == 1:
            raise ConfigError(
                "data_validation=0: a search needs validation images; choose a share above 0"
            )

    def epochs_trained(self) -> int:
        """Returns the epochs that a candidate is trained for."""
        epochs = self.training.epochs
        if self.mode != "early_stopped":
            return epochs
        return min(epochs, self.stop_epochs or max(1, epochs // 5))

    def fraction(self) -> float:
        """Returns the share of the training images that candidates are trained on."""
        given = self.training.fraction
        return LOW_DATA_FRACTION if self.mode == "low_data" and given == 1 else given

    def table(self) -> Any:
        """Raises ConfigError: there is none."""
        raise ConfigError("--benchmark=trained: it trains networks, and has no table to look up")

    def open(self, space: SearchSpace) -> Benchmark:
        """See `BenchmarkRecipe.open`."""
        from nas_tf.evaluators.candidate_process import IsolatedTraining
        from nas_tf.evaluators.candidates import CandidateTraining

        if not space.has("architectures"):
            raise ConfigError(f"--benchmark=trained: {space.title} has no networks to train")
        training = dataclasses.replace(self.training, fraction=self.fraction())
        candidates = CandidateTraining(
            data=self.data,
            training=training,
            network=self.network,
            stop_epochs=self.epochs_trained(),
            last_epochs=self.last_epochs,
        )
        if self.isolate:
            candidates = IsolatedTraining(candidates)
        opened = _opened(space, candidates, self, (training.epochs,))
        budgets = sorted({max(1, training.epochs // part) for part in _HALVINGS})

        def several() -> Benchmark:
            return dataclasses.replace(opened, epochs=tuple(budgets))

        return dataclasses.replace(opened, several=several)

    def protocol(self) -> str:
        """Returns what a search sees and what is reported, in words."""
        seen = "the last epoch" if self.last_epochs == 1 else f"the last {self.last_epochs} epochs"
        images = f"{self.fraction():.0%} of the training images" if self.fraction() < 1 else (
            f"the training images without the {self.data.validation:.0%} that validate"
        )
        return (
            f"Every candidate is trained for {self.epochs_trained()} epochs on {images}; a search "
            f"sees the validation accuracy of {seen}, test images are read after a training alone. "
            "Costs are measured seconds of this machine."
        )


def _opened(
    space: SearchSpace, candidates: Any, recipe: Trained, epochs: tuple[int, ...]
) -> Benchmark:
    from nas_tf.evaluators.outcomes import Outcomes
    from nas_tf.evaluators.trained import TrainedEvaluator

    def evaluator(seeds: Sequence[int]) -> Evaluator:
        outcomes = Outcomes(caching.cache_directory() / "trained")
        return TrainedEvaluator(
            space, candidates, outcomes, full_epochs=epochs[-1], seeds=seeds
        )

    identity = json.dumps([space.name, candidates.identity(None, None)], sort_keys=True)
    checksum = hashlib.sha256(identity.encode("utf-8")).hexdigest()
    return Benchmark(
        space=space,
        name=f"networks trained on {candidates.dataset}",
        dataset=candidates.dataset,
        evaluator=evaluator,
        epochs=epochs,
        report_epochs=recipe.epochs_trained(),
        validation="single",
        cells=space.enumerate_cells() if space.has("enumerate_cells") else None,
        protocol=recipe.protocol(),
        checksum=checksum,
        table_checksum=checksum,
    )
