"""What a job is, and the settings that several share."""

import dataclasses
from typing import ClassVar

from nas_tf.benchmarks import registry as benchmarks
from nas_tf.benchmarks.benchmark import BenchmarkRecipe
from nas_tf.config import NOT_EMPTY, Component, at_least, setting, within
from nas_tf.core import ConfigError
from nas_tf.jobs.output import Output
from nas_tf.jobs.reading import Reader
from nas_tf.spaces import registry as spaces
from nas_tf.spaces.space import SearchSpace
from nas_tf.strategies import registry as strategies
from nas_tf.strategies.strategy import Strategy
from nas_tf.studies.pretraining import Pooling, Pretraining


class Job:
    """Base of jobs: frozen dataclasses of the components that they read.

    Attributes:
        name: the word of `--job`.
        components: types of all components that it may read, for `--help`.
        hints: flag that it does not read -> what to do instead.
        repeatable: started again when finished it is made anew.
    """

    name: ClassVar[str]
    components: ClassVar[tuple[type[Component], ...]] = ()
    hints: ClassVar[dict[str, str]] = {}
    repeatable: ClassVar[bool] = False

    @classmethod
    def of(cls, reader: Reader) -> "Job":
        """Returns the job that flags describe.

        Raises:
            ConfigError: a setting is impossible.
        """
        raise NotImplementedError

    def run(self, output: Output) -> None:
        """Does it, and leaves files in the output directory, `summary.json` as the last.

        Raises:
            NasError: what a user can mend, in one line.
        """
        raise NotImplementedError

    def complete(self, output: Output) -> None:
        """Adds to a finished job what was asked for since and decides nothing.

        Raises:
            NasError: what a user can mend, in one line.
        """


@dataclasses.dataclass(frozen=True)
class Devices(Component):
    """What computes, and how often it is saved."""

    distribution: str = setting(
        "none",
        "Devices: one, all GPUs of this machine, the workers of TF_CONFIG, or a TPU.",
        ("none", "mirrored", "multi_worker", "tpu"),
    )
    cpu_devices: int = setting(
        1,
        "Logical CPU devices to make, so that --distribution=mirrored can be tried without GPUs.",
        within(1, 64),
    )
    checkpoint_sec: float = setting(
        30.0, "Least seconds between two checkpoints.", at_least(0), decides=False
    )

    def make(self) -> None:
        """Makes the logical CPU devices that were asked for.

        Raises:
            ConfigError: TensorFlow already runs.
        """
        from nas_tf.training.distribution import divide_cpu

        if self.cpu_devices > 1:
            divide_cpu(self.cpu_devices)


@dataclasses.dataclass(frozen=True)
class SpaceChoice(Component):
    """Search space."""

    space: str = setting("nasbench101", "Search space.", spaces.NAMES)


@dataclasses.dataclass(frozen=True)
class BenchmarkChoice(Component):
    """What measures cells."""

    benchmark: str | None = setting(
        None,
        "What measures cells; when not given it follows from the space and the table given.",
        benchmarks.NAMES,
    )


@dataclasses.dataclass(frozen=True)
class StrategyChoice(Component):
    """Search strategy."""

    strategy: str = setting("arch2vec_rl", "Search strategy.", strategies.NAMES)

    def __post_init__(self):
        strategies.named(self.strategy)


@dataclasses.dataclass(frozen=True)
class GivenModel(Component):
    """A model that is pre-trained already."""

    read_by: ClassVar[str] = "strategy"

    pretrained: str | None = setting(
        None,
        "Output directory of a pre-training job whose model is used; none pre-trains here.",
        NOT_EMPTY,
        path=True,
    )


def read_model(reader: Reader) -> tuple[GivenModel, Pretraining | None, str]:
    """Returns the model of a job, its pre-training where there is one, and how cells are pooled.

    What a flagfile says of the pre-training counts for nothing where a model is given.
    """
    given = reader.read(GivenModel)
    if given.pretrained is None:
        pretraining = reader.read(Pretraining)
        return given, pretraining, pretraining.pooling
    reader.overrule(Pretraining)
    return given, None, reader.read(Pooling).pooling


def read_space(reader: Reader) -> SearchSpace:
    """Returns the space of a job: the one given, else the only one that its benchmark measures."""
    named = reader.given.get("benchmark")
    if "space" not in reader.given and named is not None and named.value in benchmarks.NAMES:
        measured = benchmarks.named(named.value).spaces
        if len(measured) == 1:
            reader.read(SpaceChoice, space=measured[0])
            return spaces.named(measured[0])
    return spaces.named(reader.read(SpaceChoice).space)


def read_benchmark(
    reader: Reader, space: SearchSpace, needed_by: str | None = None
) -> BenchmarkRecipe | None:
    """Returns the benchmark of a job: the one given, else the one that follows.

    Args:
        reader: of the job's flags.
        space: whose cells it has to measure.
        needed_by: the job that cannot do without; None where one can.

    Raises:
        ConfigError: it measures no cells of the space, or there is none and the job needs one.
    """
    name = reader.read(BenchmarkChoice).benchmark
    if name is None:
        recipe = benchmarks.of_space(space.name, reader.given)
    else:
        recipe = benchmarks.named(name)
        if space.name not in recipe.spaces:
            raise ConfigError(
                f"--benchmark={name}: it measures cells of {', '.join(recipe.spaces)}; received "
                f"--space={space.name}"
            )
    if recipe is None and needed_by:
        raise ConfigError(
            f"--space={space.name}: no table measures its cells; --job={needed_by} needs one, or "
            "--benchmark=trained, which trains networks (--job=pretrain does without)"
        )
    if recipe is None:
        return None
    reader.read(BenchmarkChoice, benchmark=recipe.name)
    parts = {name: reader.read(component) for name, component in recipe.parts.items()}
    return reader.read(recipe, **parts)


def read_strategy(reader: Reader) -> Strategy:
    """Returns the recipe that flags describe."""
    return reader.read(strategies.named(reader.read(StrategyChoice).strategy))


